"""A record that is ready to be signed, alone or in a series of lots (requirement 1.18).

Of a series all or nothing is signed: every lot is looked at as if it were signed alone, all that
speaks against any of them is told at once, and only then the person proves who signs, once. Each
lot has a signature of its own over its own content.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final, Generic, TypeVar

from sqlalchemy.orm import Session

from batchqc.actions.lots import lock_lots, the_lot
from batchqc.actions.signing import Credentials, sign_series
from batchqc.core.identifiers import fold
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError, Conflict, InvalidInput, NotFound, NotPermitted, Outdated
from batchqc.records.base import Row
from batchqc.records.once import each_once
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import Transaction

T = TypeVar("T", bound=Row)
#: As many as are worth reading before one signs.
LONGEST: Final = 50


@dataclass(frozen=True, slots=True)
class Ready(Generic[T]):
    """A lot that nothing speaks against signing.

    Args:
        record: its key.
        sha256: of what is signed.
        rests_on: the true time of all that it rests on; ``None`` for what never comes from paper.
        rows: makes the rows of what is signed.
        tell: writes the entry of the audit trail over the signature and those rows.
        content: what is signed, where the store keeps it.
    """

    record: str
    sha256: str
    rests_on: Mapping[str, datetime] | None
    rows: Callable[[SignatureRow], list[T]]
    tell: Callable[[SignatureRow, list[T]], None]
    content: bytes | None = None


def sign_one(
    tx: Transaction, archive: Archive, credentials: Credentials, ready: Ready[T], *, shown: str = ""
) -> list[T] | Refusal:
    """Review one lot by a signature; the rows of it.

    Raises:
        Outdated: what would be signed has another hash than what was ``shown``.
    """
    if shown not in {"", ready.sha256}:
        raise Outdated(
            "BQC-REV-010",
            f"what is reviewed of {ready.record} is not any more as you saw it; nothing was signed",
            hint="Look at it again, then sign what you see.",
        )
    kept = _sign(tx, archive, credentials, [ready], rests_on=ready.rests_on)
    return kept if isinstance(kept, Refusal) else kept[0]


def sign_lots(
    tx: Transaction,
    archive: Archive,
    credentials: Credentials,
    *,
    lots: Sequence[str],
    look: Callable[[LotRow], Ready[T]],
) -> list[list[T]] | Refusal:
    """Review several lots by one act and a signature for each, or none of them.

    Args:
        tx: of the person who signs.
        archive: the store.
        credentials: proved once. A series is signed in the system, never entered from paper.
        lots: their ids, each once.
        look: makes one of them ready, or says why it is not; it writes nothing.

    Raises:
        InvalidInput: BQC-REV-009 a lot is named twice, or there are none or too many.
        Conflict: BQC-REV-008 with all that speaks against any of them.
    """
    if not 0 < len({fold(one) for one in lots}) == len(lots) <= LONGEST:
        raise InvalidInput(
            "BQC-REV-009",
            f"{len(lots)} lots are not signed so",
            hint=f"Name 1 to {LONGEST} lots, each once.",
        )
    found: dict[str, LotRow] = {}
    against: list[str] = []
    for lot in lots:
        try:
            found[lot] = the_lot(tx.session, lot)
        except NotFound as error:
            against += _said(lot, error)
    lock_lots(tx, found.values())
    ready, more = _look(tx.session, found, look)
    if against or more:
        raise Conflict(
            "BQC-REV-008",
            "not every lot can be signed; none was",
            reasons=[*against, *more],
            hint="Leave those lots out, or do what each asks for.",
        )
    return _sign(tx, archive, credentials, ready)


@each_once
def _look(
    _: Session, lots: Mapping[str, LotRow], look: Callable[[LotRow], Ready[T]]
) -> tuple[list[Ready[T]], list[str]]:
    """Look at every lot; what they share is asked once, since nothing is written meanwhile."""
    ready: list[Ready[T]] = []
    against: list[str] = []
    for lot, row in lots.items():
        try:
            ready.append(look(row))
        except (Conflict, NotPermitted) as error:
            against += _said(lot, error)
    return ready, against


def _said(lot: str, error: BatchqcError) -> Iterator[str]:
    for reason in error.reasons or ("",):
        yield f"{lot}: {error.message} ({error.code}){reason and f': {reason}'}"


def _sign(
    tx: Transaction,
    archive: Archive,
    credentials: Credentials,
    lots: Sequence[Ready[T]],
    *,
    rests_on: Mapping[str, datetime] | None = None,
) -> list[list[T]] | Refusal:
    for one in lots:
        if one.content is not None:
            archive.put(one.content)
    records = [(one.record, one.sha256) for one in lots]
    signed = sign_series(
        tx, credentials, meaning=Meaning.REVIEWED, records=records, rests_on=rests_on
    )
    if isinstance(signed, Refusal):
        return signed
    kept = [one.rows(signature) for one, signature in zip(lots, signed, strict=True)]
    tx.add(*chain.from_iterable(kept))
    for one, signature, own in zip(lots, signed, kept, strict=True):
        one.tell(signature, own)
    return kept
