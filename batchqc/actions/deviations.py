"""Keeping references to deviations of the site's own quality system, each change signed by QA."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.holds import hold_if_in_use
from batchqc.actions.lots import lock_lots, the_lot
from batchqc.actions.permission import require
from batchqc.actions.registers import refuse_all
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.deviations import State
from batchqc.core.holds import Cause
from batchqc.core.identifiers import fold, id_problem, line_problem
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import Conflict, NotFound
from batchqc.records.deviations import (
    DeviationLot,
    DeviationRow,
    deviation_lots,
    deviation_rows,
    newest_deviation,
    series_of_deviation,
)
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewDeviation:
    """A deviation as it is to stand; ``lots`` are further lots that it bears on from now on."""

    id: str
    title: str
    link: str
    state: State
    blocking: bool
    lots: tuple[str, ...] = ()


def keep_deviation(
    tx: Transaction, *, deviation: NewDeviation, credentials: Credentials
) -> DeviationRow | Refusal:
    """Record a deviation, or how it stands now, signed.

    A lot that it bears on stays with it; one that is in use is held while the deviation is open and
    blocks, and stays held until QA lets it go. A closed one takes no failed result back (2.22).

    Raises:
        InvalidInput: a text cannot be kept, or it bears on no lot.
        Conflict: it says so already.
        NotFound: there is no such lot.
    """
    require(tx, Permission.KEEP_DEVIATIONS)
    check_reason(credentials.reason)
    new = [the_lot(tx.session, one) for one in dict.fromkeys(deviation.lots)]
    series = series_of_deviation(fold(deviation.id))
    tx.lock(series)
    bearing = [one.lot for one in deviation_lots(tx.session, fold(deviation.id))]
    lock_lots(tx, {one.folded: one for one in (*bearing, *new)}.values())
    before = newest_deviation(tx.session, deviation.id)
    added = [lot for lot in new if lot.id not in {one.id for one in bearing}]
    _check(deviation, has_lots=bool(bearing or added))
    if before is not None and not added and _facts(before) == _wanted(deviation):
        raise Conflict("BQC-DEV-002", f"deviation {before.deviation} says so already")
    row = DeviationRow(
        deviation=deviation.id if before is None else before.deviation,
        folded=fold(deviation.id),
        number=1 if before is None else before.number + 1,
        title=deviation.title.strip(),
        link=deviation.link.strip(),
        state=deviation.state.value,
        blocking=int(deviation.blocking),
        reason=credentials.reason,
        kept_by=tx.actor.user_id,
        kept_at=tx.now,
    )
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.APPROVED,
        record=row.key,
        record_sha256=row.signed_sha256,
    )
    if isinstance(signature, Refusal):
        return signature
    row.signature = signature
    tx.add(row)
    links = [DeviationLot(deviation=row, lot=lot) for lot in added]
    tx.add(*links)
    tx.audit(
        "deviation recorded",
        rows=[signature, row, *links],
        about=[series, *(lot.key for lot in (*bearing, *added))],
        reason=credentials.reason,
        before={} if before is None else {"state": before.state, "blocking": bool(before.blocking)},
        after={"state": row.state, "blocking": bool(row.blocking)},
    )
    if deviation.blocking and deviation.state is State.OPEN:
        reason = f"deviation {row.deviation} is open and blocks: {row.title}"
        for lot in (*bearing, *added):
            hold_if_in_use(tx, lot, cause=Cause.DEVIATION, reason=reason, about=series)
    return row


def the_deviation(session: Session, key: str) -> DeviationRow:
    """How a deviation stood: id and the how many-th row, as ``dev-26-014/2``.

    Raises:
        NotFound: where there is none.
    """
    name, _, number = key.rpartition("/")
    found = [one for one in deviation_rows(session, [fold(name)]) if str(one.number) == number]
    if not found:
        raise NotFound("BQC-DEV-003", f"there is no deviation {key}")
    return found[0]


def _check(deviation: NewDeviation, *, has_lots: bool) -> None:
    problems = (
        id_problem(deviation.id),
        line_problem("the title", deviation.title),
        line_problem("the reference", deviation.link),
        None if has_lots else "name a lot that it bears on",
    )
    refuse_all("BQC-DEV-001", "the deviation cannot be recorded", list(filter(None, problems)))


def _facts(row: DeviationRow) -> tuple[str, str, str, bool]:
    return (row.title, row.link, row.state, bool(row.blocking))


def _wanted(one: NewDeviation) -> tuple[str, str, str, bool]:
    return (one.title.strip(), one.link.strip(), one.state.value, one.blocking)
