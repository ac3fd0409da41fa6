"""Files that were sent for a preview and wait to be recorded: for an hour, of one person, here.

They lie in temporary files without a name, which end with the process: a preview leaves nothing.
Each is known by the hash of its bytes and of all that was stated beside it, so that what is
recorded is what was previewed.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Final
from weakref import finalize

from batchqc.actions.received import ReceivedFile
from batchqc.api.bodies import StatedBeside
from batchqc.core.canonical import sha256_of
from batchqc.errors import IntegrityFailure, NotFound
from batchqc.web.wording import _

_HOUR: Final = timedelta(hours=1)
_OF_ONE: Final = 4  # files of one person
_IN_ALL: Final = 1_000_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Beside:
    """What is stated beside a file: how it is read, why it supersedes, which retest it holds."""

    stated: StatedBeside
    supersedes: str | None = None
    retest: str = ""

    def received(self, file: ReceivedFile) -> ReceivedFile:
        """The file with it, as the API receives it.

        Raises:
            InvalidInput: a line is not ``name=text``.
        """
        file = self.stated.beside(file)
        return replace(file, supersedes=self.supersedes, retest=self.retest)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that waits: ``file`` is without its bytes, ``sha256`` is theirs."""

    key: str
    file: ReceivedFile
    sha256: str
    beside: Beside
    since: datetime
    stored: IO[bytes]


class WaitingFiles:
    """The files that wait on this server. All methods may be called from several threads."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._lock = Lock()
        self._found: dict[tuple[str, str], Waiting] = {}
        finalize(self, _close, self._found)

    def put(self, owner: str, *, file: ReceivedFile, beside: Beside, now: datetime) -> str:
        """Keep the bytes of a file for its person, and answer by what it is found again."""
        stored = TemporaryFile()  # noqa: SIM115 - closed when it waits no more
        stored.write(file.data or b"")
        key = key_of(file, beside)
        one = Waiting(key, replace(file, data=None), file.sha256, beside, now, stored)
        with self._lock:
            self._drop((owner, key))
            self._found[owner, key] = one
            self._tidy(owner, now)
        return key

    def get(self, owner: str, *, key: str, now: datetime) -> tuple[Waiting, ReceivedFile]:
        """A file that waits, and the same with its bytes.

        Raises:
            NotFound: BQC-WEB-011 it does not wait any more, or never did.
        """
        with self._lock:
            self._tidy(owner, now)
            one = self._found.get((owner, key))
            if one is None:
                raise NotFound(
                    "BQC-WEB-011",
                    _("this file does not wait here any more"),
                    hint=_("Choose it again. The last four files of a person wait for an hour."),
                )
            one.stored.seek(0)
            data = one.stored.read()
        if hashlib.sha256(data).hexdigest() != one.sha256:
            raise IntegrityFailure(
                "BQC-WEB-012",
                _("the bytes that waited are not those that were sent"),
                hint=_("Choose the file again, and tell the system owner."),
            )
        return one, replace(one.file, data=data)

    def _tidy(self, owner: str, now: datetime) -> None:
        """Let go of what waited too long, and of the oldest where there is too much."""
        for place in [at for at, one in self._found.items() if one.since < now - _HOUR]:
            self._drop(place)
        own = [at for at in self._found if at[0] == owner]
        for place in own[:-_OF_ONE]:
            self._drop(place)
        while sum(one.file.size for one in self._found.values()) > _IN_ALL:
            self._drop(next(iter(self._found)))

    def _drop(self, place: tuple[str, str]) -> None:
        one = self._found.pop(place, None)
        if one is not None:
            one.stored.close()


def _close(found: dict[tuple[str, str], Waiting]) -> None:
    for one in found.values():
        one.stored.close()


def key_of(file: ReceivedFile, beside: Beside) -> str:
    """By what a file with all that is stated beside it is found again: 64 hexadecimal digits."""
    stated = beside.stated
    return sha256_of(
        {
            "name": file.name,
            "sha256": file.sha256,
            "profile": stated.profile,
            "stated": [*stated.stated],
            "samples": [*stated.samples],
            "supersedes": beside.supersedes,
            "retest": beside.retest,
        }
    )
