"""A result that fails opens its investigation in the transaction that made it fail (2.01, 3.12).

One that cannot be judged, and does not fail, a person opens one for.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.failing import judged
from batchqc.actions.holds import hold_if_in_use
from batchqc.actions.lots import lock_lot, lock_lots, the_lot
from batchqc.actions.outlook import Outlook
from batchqc.actions.permission import require
from batchqc.actions.signing import check_reason
from batchqc.core.failures import Failure
from batchqc.core.holds import Cause
from batchqc.core.identifiers import fold
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.core.questioned import by_hand, questioned
from batchqc.core.subjects import Derived, Measured
from batchqc.core.verdicts import Outcome, Verdict
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.decisions import newest_dispositions
from batchqc.records.investigations import (
    InvestigationRow,
    InvestigationRule,
    days_due,
    next_rule,
)
from batchqc.records.registers import LotRow, lots_by
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import AssayRun

LONGEST = 365
LOTS_AT_ONCE = 200


def open_for_outlook(
    tx: Transaction, archive: Archive, outlook: Iterable[Outlook]
) -> list[InvestigationRow]:
    """Open what the verdicts that a file touches ask for; nothing is looked at where all pass."""
    doubtful = {fold(one.lot) for one in outlook if _may_fail(one.verdict)}
    return open_for_failures(tx, archive, lots_by(tx.session, doubtful)) if doubtful else []


def _may_fail(verdict: Verdict) -> bool:
    """Whether a run behind a verdict may fail, whatever waits or stands beside it."""
    if verdict.outcome is not Outcome.CANNOT_JUDGE:
        return verdict.outcome is Outcome.FAIL
    is_result = isinstance(verdict.criterion.subject, Measured | Derived)
    return is_result and not (verdict.missing or verdict.lacking)


def open_for_failures(
    tx: Transaction, archive: Archive, lots: Iterable[LotRow]
) -> list[InvestigationRow]:
    """Open an investigation for each failure of some lots that has none.

    A lot that is in use is held for it.

    Args:
        tx: of whoever's action made the results fail; it holds the locks of the lots.
        archive: the store.
        lots: which lots.
    """
    opened = []
    for lot in sorted(lots, key=lambda one: one.folded):
        found = judged(tx.session, archive, lot)
        for one in found.uncovered:
            row = open_investigation(tx, lot, one, found.runs)
            said = f"{one.criterion} fails: {row.natural_key}: {one.sentence}"
            hold_in_use(tx, lot, said, row.key, fails=True)
            opened.append(row)
    return opened


def sweep(tx: Transaction, archive: Archive, *, after: int = 0) -> tuple[list[str], int]:
    """Open what is missing for the next lots with results: of large files, or from before.

    Returns:
        The numbers of what was opened, and where to go on; 0 at the end.
    """
    require(tx, Permission.INVESTIGATE)
    query = select(AssayRun.lot_id).where(AssayRun.lot_id > after).distinct()
    ids = tx.session.scalars(query.order_by(AssayRun.lot_id).limit(LOTS_AT_ONCE)).all()
    lots = tx.session.scalars(select(LotRow).where(LotRow.id.in_(ids))).all()
    lock_lots(tx, lots)
    opened = open_for_failures(tx, archive, lots)
    return [one.natural_key for one in opened], ids[-1] if ids else 0


def open_by_hand(
    tx: Transaction, archive: Archive, *, lot: str, criterion: str, stage: str = "", reason: str
) -> InvestigationRow:
    """Open an investigation of results that cannot be judged, where none of them fails.

    Args:
        tx: of who asks for it.
        archive: the store.
        lot: which.
        criterion: by its id in a specification that judges the lot.
        stage: of the specification, where several have such a criterion; "" is the first.
        reason: why; it is told with the sentence of the verdict.

    Raises:
        NotFound: there is no such lot or criterion.
        Conflict: nothing is to be investigated so, or a result fails, which opens its own.
    """
    require(tx, Permission.INVESTIGATE)
    check_reason(reason)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    found = judged(tx.session, archive, row)
    of = [(one, found.known.judged_by(one)) for one in found.specifications]
    chosen = [
        (one, verdict)
        for one, verdicts in of
        for verdict in verdicts
        if verdict.criterion.id == criterion and stage in {"", one.stage.value}
    ]
    if not chosen:
        raise NotFound(
            "BQC-OOS-016",
            f'no specification that judges lot {row.lot} has a criterion "{criterion}"'
            + (f' at stage "{stage}"' if stage else ""),
            hint="See the lot for the criteria that it is judged by.",
        )
    specification, verdict = chosen[0]
    known = found.known
    failure = questioned(specification, verdict, known.measurements, known.investigations)
    if failure is None:
        raise Conflict(
            "BQC-OOS-017",
            f"{criterion} of lot {row.lot} has no result that cannot be judged and that nothing"
            f" investigates: {verdict.sentence}",
            hint="See the lot for its results, and for the investigations that are open.",
        )
    failing = [one for one in known.failing(of) if one.attributes & failure.attributes]
    if failing:
        raise Conflict(
            "BQC-OOS-018",
            f"a result of {criterion} of lot {row.lot} fails, and has its own investigation",
            reasons=[one.sentence for one in failing],
            hint="Conclude that one, or open it again.",
        )
    told = by_hand(failure, reason)
    opened = open_investigation(tx, row, told, found.runs, reason=reason)
    said = f"{criterion} cannot be judged: {opened.natural_key}: {told.sentence}"
    hold_in_use(tx, row, said, opened.key, fails=False)
    return opened


def set_days_due(tx: Transaction, *, days: int, reason: str) -> InvestigationRule:
    """Say in how many days investigations are due that are opened from now on."""
    require(tx, Permission.SET_REGISTER_RULE)
    check_reason(reason)
    if not 1 <= days <= LONGEST:
        raise InvalidInput("BQC-OOS-002", f"{days} days are not from 1 to {LONGEST}")
    tx.lock("rule of investigations")
    before = days_due(tx.session)
    row = InvestigationRule(
        number=next_rule(tx.session),
        days=days,
        reason=reason,
        set_by=tx.actor.user_id,
        set_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "investigation rule set",
        rows=[row],
        reason=reason,
        before={"days": before},
        after={"days": days},
    )
    return row


def hold_numbers(tx: Transaction) -> None:
    """Let nobody else open an investigation meanwhile.

    Who signs, and may open one by it, holds this before: who finds a lot overdue signs after it.
    """
    tx.lock(f"investigations of {tx.now.year}")


def open_investigation(
    tx: Transaction,
    lot: LotRow,
    failure: Failure,
    runs: Sequence[AssayRun] = (),
    *,
    reason: str = "",
) -> InvestigationRow:
    """Open an investigation of a failure, or of a result that did not come, which has no run.

    Only who opens one by hand tells a reason.
    """
    year = tx.now.year
    hold_numbers(tx)
    today = tx.now.astimezone(ZoneInfo(lot.site.time_zone)).date()
    own = [
        [run.upload.natural_key, run.test, run.run, run.content_sha256]
        for run in runs
        if run.run_key in failure.runs
    ]
    row = InvestigationRow(
        year=year,
        number=next_number(tx.session, InvestigationRow, year),
        lot=lot,
        specification=failure.specification,
        stage=failure.stage,
        criterion=failure.criterion,
        sentence=failure.sentence,
        attributes=json.dumps(sorted(map(list, failure.attributes))),
        runs=json.dumps(sorted(own)),
        opened_by=tx.actor.user_id,
        opened_at=tx.now,
        due_on=(today + timedelta(days=days_due(tx.session))).isoformat(),
    )
    tx.add(row)
    tx.audit(
        "investigation opened",
        rows=[row],
        about=[lot.key],
        reason=reason,
        after={"criterion": failure.criterion, "sentence": failure.sentence, "due": row.due_on},
    )
    return row


def hold_in_use(tx: Transaction, lot: LotRow, reason: str, about: str, *, fails: bool) -> None:
    """Hold a lot of which people may have had doses, for what its investigation says of it.

    Where a result fails after the decision, or one is open again of a lot that is released
    conditionally, the certificate no longer says what is so.
    """
    now = newest_dispositions(tx.session, [lot.id]).get(lot.id)
    is_late = fails or now == Disposition.CONDITIONAL
    cause = Cause.LATE_FAILURE if is_late else Cause.INVESTIGATION
    held = hold_if_in_use(tx, lot, cause=cause, reason=reason, about=about)
    if held is not None and is_late:
        withdraw_certificate(tx, lot, reason=reason, about=held.key)
