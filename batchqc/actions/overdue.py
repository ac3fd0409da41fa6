"""Results that were due under a conditional release and cannot be judged on their day.

Each holds its lot, withdraws the certificate and opens an investigation, whoever looks first: the
daily work, who brings results in, who makes them count, who decides anew. What comes late never
looks as if it had been in time (requirements 2.25, 2.26).
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.holds import hold_if_in_use
from batchqc.actions.investigation_opening import open_investigation
from batchqc.actions.lots import lock_lots
from batchqc.core.conditional import overdue
from batchqc.core.failures import Failure
from batchqc.core.holds import Cause
from batchqc.core.investigations import attributes_of
from batchqc.documents.archive import Archive
from batchqc.records.conditional import due_days, pending_results
from batchqc.records.decisions import conditionally_released, dispositions_of
from batchqc.records.holds import Hold
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction


def hold_what_is_overdue(tx: Transaction, archive: Archive) -> list[str]:
    """Hold every conditionally released lot of which a result is overdue; their ids."""
    lots = conditionally_released(tx.session)
    lock_lots(tx, lots)
    return [one.lot.lot for one in hold_overdue(tx, archive, lots)]


def hold_overdue(tx: Transaction, archive: Archive, lots: Iterable[LotRow]) -> list[Hold]:
    """Hold those of some lots of which a result is overdue, before anything of them changes.

    Args:
        tx: of whoever's action is about to change them; it holds the locks of the lots.
        archive: the store.
        lots: which lots.

    Returns:
        The holds that were not there.
    """
    held = []
    for lot in conditionally_released(tx.session, {one.id for one in lots}):
        due = due_days(pending_results(tx.session, [dispositions_of(tx.session, lot)[-1].id]))
        today = tx.now.astimezone(ZoneInfo(lot.site.time_zone)).date()
        if not any(day < today for day in due.values()):
            continue
        case = study(tx.session, archive, lot=lot, now=tx.now)
        for name, day in overdue(due, case.verdicts, today):
            said = f"the result of {name} was due on {day} and is not in"
            about = f"{lot.key}/{name}"
            hold = hold_if_in_use(tx, lot, cause=Cause.OVERDUE, reason=said, about=about)
            if hold is not None:
                withdraw_certificate(tx, lot, reason=said, about=hold.key)
                _investigate(tx, case, name, said)
                held.append(hold)
    return held


def _investigate(tx: Transaction, case: LotCase, name: str, said: str) -> None:
    """Have somebody find out why a result did not come, and what that means for the doses."""
    specification = case.specification
    if specification is None:  # the gate of records says so
        return
    (criterion,) = (one for one in specification.criteria if one.id == name)
    attributes = attributes_of(specification, criterion)
    stage, reference = specification.stage.value, specification.reference
    failure = Failure(name, stage, reference, said, attributes, frozenset())
    open_investigation(tx, case.row, failure)
