"""What comes next for a lot once its results are in and reviewed: QC, QA, the check, the decision.

Told is what times of signatures tell; whether a review still stands, the readiness says.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchqc.core.open_work import Item, Work

_BEFORE_QC: Final = frozenset({Work.RESULT, Work.PENDING, Work.SECOND_ENTRY, Work.REVIEW})
_BEFORE_DECISION: Final = _BEFORE_QC | {
    Work.CORRECTION,
    Work.ELIGIBILITY,
    Work.CONSENT,
    Work.INVESTIGATION,
    Work.HOLD,
}


@dataclass(frozen=True, slots=True)
class Signed:
    """When something of a lot was entered last: its runs with their reviews, and what follows.

    ``needs_check`` says that manufacture is checked before a qualified person certifies.
    """

    lot: str
    runs: datetime | None = None
    qc_review: datetime | None = None
    audit_review: datetime | None = None
    check: datetime | None = None
    needs_check: bool = False


def next_steps(items: Iterable[Item], lots: Iterable[Signed]) -> Iterator[Item]:
    """The next step of each lot before whose step nothing else waits.

    Items of no lot, such as the correction of a donor, are left to the gates.
    """
    waiting = [(item.lot, item.kind) for item in items]
    before_qc = {lot for lot, kind in waiting if kind in _BEFORE_QC}
    before_decision = {lot for lot, kind in waiting if kind in _BEFORE_DECISION}
    for one in lots:
        if one.lot not in before_qc:
            step = _step(one)
            if step.kind is not Work.DECISION or one.lot not in before_decision:
                yield step


def _step(one: Signed) -> Item:
    def item(kind: Work, what: str, since: datetime | None, place: str) -> Item:
        return Item(kind, one.lot, what, since, None, f"/lots/{one.lot}/{place}")

    if _is_missing(one.qc_review, one.runs):
        return item(Work.QC_REVIEW, "QC reviews the lot as a whole", one.runs, "review")
    if _is_missing(one.audit_review, one.qc_review):
        what = "QA reviews the audit trail"
        return item(Work.AUDIT_REVIEW, what, one.qc_review, "audit-review")
    if one.needs_check and _is_missing(one.check, one.qc_review):
        what = "manufacture and testing are checked"
        return item(Work.CHECK, what, one.audit_review, "readiness")
    return item(Work.DECISION, "the lot waits for its decision", None, "readiness")


def _is_missing(signed: datetime | None, after: datetime | None) -> bool:
    return signed is None or (after is not None and signed < after)
