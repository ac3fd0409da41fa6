"""Events: what other systems are told of, and how a message about one is signed and tried again.

An event follows from an audit entry alone. It names records and never says what is in them: no
person, no value, no reason; who may read looks the records up. Where an entry speaks of very many
records, the first ones are named and the rest is counted.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from batchqc.core.canonical import Json, canonical_bytes, utc_text

EVENT_TYPE: Final = "batchqc/event/1"
#: What an audit entry calls it, and the kind of its event. What is not here makes no event.
KINDS: Final[Mapping[str, str]] = {
    "account registered": "account.registered",
    "role granted": "account.role_granted",
    "role withdrawn": "account.role_withdrawn",
    "password refused, locked": "account.refused_while_locked",
    "code refused, locked": "account.refused_while_locked",
    "single sign-on refused, locked": "account.refused_while_locked",
    "password and code refused, locked": "account.refused_while_locked",
    "account locked": "account.locked",
    "account deactivated": "account.deactivated",
    "account reactivated": "account.reactivated",
    "password reset": "account.password_reset",
    "product registered": "product.registered",
    "donor registered": "donor.registered",
    "donor eligibility determined": "donor.eligibility_determined",
    "donation registered": "donor.donation_registered",
    "donor tests recorded": "donor.tests_recorded",
    "consent withdrawn": "donor.consent_withdrawn",
    "donor panel approved": "donor.panel_approved",
    "specification submitted": "specification.submitted",
    "specification approved": "specification.approved",
    "specification withdrawn": "specification.withdrawn",
    "profile approved": "profile.approved",
    "method approved": "method.approved",
    "lot registered": "lot.registered",
    "samples registered": "lot.samples_registered",
    "lot released": "lot.released",
    "lot rejected": "lot.rejected",
    "lot conditionally released": "lot.conditionally_released",
    "lot recalled": "lot.recalled",
    "lot supplied by exception": "lot.supplied_by_exception",
    "lot destroyed": "lot.destroyed",
    "lot held": "lot.held",
    "lot let go": "lot.let_go",
    "lot reviewed by QC": "lot.reviewed_by_qc",
    "audit trail reviewed": "lot.audit_trail_reviewed",
    "lot checked": "lot.checked",
    "lot transferred to stock": "lot.transferred_to_stock",
    "policy set": "site.policy_set",
    "investigation opened": "investigation.opened",
    "upload accepted": "upload.accepted",
    "upload refused": "upload.refused",
    "second entry matches": "result.verified",
    "second entry does not match": "result.mismatched",
    "results reviewed": "results.reviewed",
    "correction requested": "correction.requested",
    "correction approved": "correction.approved",
    "correction refused": "correction.refused",
    "certificate issued": "certificate.issued",
    "certificate withdrawn": "certificate.withdrawn",
    "instrument registered": "register.instrument_registered",
    "training registered": "register.training_registered",
    "material registered": "register.material_registered",
    "register rule set": "register.rule_set",
    "webhook registered": "webhook.registered",
    "webhook ended": "webhook.ended",
    "event given up": "webhook.gave_up",
}
#: The kinds of records that an event names; people, sessions and signatures are not among them.
NAMED: Final = frozenset(
    {
        "product", "donor", "specification_version", "profile_version", "method_version", "lot",
        "sample", "upload", "correction", "certificate", "webhook",
    }
)  # fmt: skip
MOST_SUBJECTS: Final = 50
TRIES: Final = 20
_FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(hours=6)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Args:
        number: its place among all events, counted from 1 without a gap.
        kind: such as ``lot.released``.
        at: when it happened.
        subjects: keys of the records that it speaks of, at most 50.
        more: how many further records the entry speaks of.
        sequence: the place of its audit entry.
        entry_sha256: the hash of that entry, by which the event is known for ever.
    """

    number: int
    kind: str
    at: datetime
    subjects: tuple[str, ...]
    more: int
    sequence: int
    entry_sha256: str

    @property
    def body(self) -> Mapping[str, Json]:
        """What is told of it."""
        return {
            "type": EVENT_TYPE,
            "id": self.entry_sha256,
            "number": self.number,
            "kind": self.kind,
            "at": utc_text(self.at),
            "subjects": list(self.subjects),
            "more": self.more,
            "entry": {"sequence": self.sequence, "sha256": self.entry_sha256},
        }

    @property
    def message(self) -> bytes:
        """The bytes that are posted and signed."""
        return canonical_bytes(self.body)


def kind_of(action: str) -> str | None:
    """The kind of the event of an audit entry's action, or ``None`` where it makes none."""
    return KINDS.get(action)


def named(subjects: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """The records that an event names, each once in their order, and how many more there are."""
    found = [one for one in dict.fromkeys(subjects) if one.partition(":")[0] in NAMED]
    return tuple(found[:MOST_SUBJECTS]), max(0, len(found) - MOST_SUBJECTS)


def kind_problem(kind: str) -> str | None:
    """Why a kind cannot be asked for: ``lot.released``, or every ``lot.*``."""
    if kind in KINDS.values():
        return None
    if kind.endswith(".*") and any(known.startswith(kind[:-1]) for known in KINDS.values()):
        return None
    return f'"{kind}" is no kind of event'


def is_wanted(event: Event, kinds: Sequence[str], webhook: str) -> bool:
    """Whether a webhook is told of an event; what happens to itself it cannot be told.

    Args:
        event: what happened.
        kinds: what it asked for; none is everything.
        webhook: its key.
    """
    if webhook in event.subjects:
        return False
    group = f"{event.kind.partition('.')[0]}.*"
    return not kinds or event.kind in kinds or group in kinds


def signature_of(secret: bytes, moment: datetime, message: bytes) -> str:
    """The header that signs a message: ``t=<seconds>,v1=<HMAC-SHA256 of "t.message">``, in hex."""
    seconds = str((moment - _EPOCH) // timedelta(seconds=1))
    mac = hmac.new(secret, seconds.encode() + b"." + message, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"


def due_again(tries: int, last: datetime | None) -> datetime | None:
    """When a message that failed is due again; ``None`` is at once.

    The wait doubles from 30 seconds to six hours; after the twentieth try it is given up.
    """
    if last is None:
        return None
    wait = _FIRST_WAIT
    for _ in range(tries - 1):
        wait = min(wait * 2, _LONGEST_WAIT)
    return last + wait


def is_last(tries: int) -> bool:
    """Whether a message that failed so often is given up."""
    return tries >= TRIES


def webhook_secret(key: bytes, webhook: str) -> str:
    """The secret of a webhook, from the installation's key and the webhook's own key, in hex."""
    return hmac.new(key, f"batchqc/webhook/1 {webhook}".encode(), hashlib.sha256).hexdigest()
