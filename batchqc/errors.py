"""Every deliberate exception of batchqc.

Wrong data is a value, a failed specification is a verdict; only a refused or impossible action is
an exception. Each carries a stable code, a message, a hint (what to do) and, where there are
several, all reasons.

    BatchqcError
    ├── InvalidInput         the request itself is wrong
    ├── NotSignedIn          nobody is signed in, or the session ended
    ├── NotPermitted         signed in, but this person may not do this
    ├── NotFound             no such record
    ├── Conflict             the record is in a state that forbids it
    │   ├── ReleaseBlocked   a lot may not be released; carries every reason
    │   └── Outdated         the record is not any more as the person saw it
    ├── SignatureRefused     the electronic signature was not accepted
    ├── NotEstimable         these data do not allow a statistic; the message says why
    ├── SigningUnavailable   the seal key cannot be used now
    ├── StoreUnavailable     the write-once store cannot be reached now, or keeps nothing
    ├── ScannerUnavailable   a file could not be scanned for malware
    ├── ClockDoubtful        the clock cannot be believed now
    └── IntegrityFailure     stored records contradict each other
        └── Disposed         the bytes were disposed of; the message says when and by whom
"""

from collections.abc import Sequence


class BatchqcError(Exception):
    """Base of all deliberate exceptions.

    Args:
        code: stable and documented in the guide, such as ``BQC-REL-001``.
        message: what is wrong, for the person who asked.
        hint: what to do about it.
        reasons: all reasons, where there is more than one.
    """

    def __init__(
        self, code: str, message: str, *, hint: str = "", reasons: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.reasons = tuple(reasons)

    def __str__(self) -> str:
        parts = [f"{self.code}: {self.message}", *(f"- {reason}" for reason in self.reasons)]
        return "\n".join([*parts, self.hint] if self.hint else parts)


class InvalidInput(BatchqcError):
    """The request itself is wrong; nothing was changed."""


class NotSignedIn(BatchqcError):
    """Nobody is signed in, or the session ended."""


class NotPermitted(BatchqcError):
    """This person may not do this; nothing was changed."""


class NotFound(BatchqcError):
    """There is no such record."""


class Conflict(BatchqcError):
    """The record is in a state that forbids the action."""


class ReleaseBlocked(Conflict):
    """A lot may not be released; ``reasons`` holds every reason."""


class Outdated(Conflict):
    """The record is not any more as the person saw it; ``reasons`` tell what changed."""


class SignatureRefused(BatchqcError):
    """The electronic signature was not accepted; the attempt is on record."""


class NotEstimable(BatchqcError):
    """These data do not allow a statistic; the message says why."""


class SigningUnavailable(BatchqcError):
    """The seal key cannot be used now; what was decided stays decided."""


class StoreUnavailable(BatchqcError):
    """The write-once store cannot be reached, or is not set up to keep what it is given."""


class ScannerUnavailable(BatchqcError):
    """The scanner for malware did not say of a file that it is clean, nor that it is not."""


class ClockDoubtful(BatchqcError):
    """The clock cannot be believed now; nothing is signed or recorded by it."""


class IntegrityFailure(BatchqcError):
    """Stored records contradict each other or their audit trail."""


class Disposed(IntegrityFailure):
    """The bytes that a record names were disposed of, by two people, after their retention."""
