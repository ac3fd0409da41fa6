"""Open work: what is expected and not in, of all lots that are not decided, and until when.

Each item says what waits, since when, until when, who may do it, and where to look. An item whose
due day nobody knows has none: it is never overdue, and never left out. A result is due on the
reading day of its criterion, counted from the first sample of its stage.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from batchqc.core.lots import Sample
from batchqc.core.permissions import WHO_MAY, Permission, Role
from batchqc.core.specifications import Specification, Stage, closure
from batchqc.core.subjects import Measured


class Work(StrEnum):
    """What kind of thing waits."""

    RESULT = "result"
    SECOND_ENTRY = "second entry"
    REVIEW = "review"
    CORRECTION = "correction"
    ELIGIBILITY = "eligibility"
    DECISION = "decision"
    CERTIFICATE = "certificate"
    EXPIRY = "expiry"
    CALIBRATION = "calibration"
    TRAINING = "training"


_BY: Final[Mapping[Work, Permission]] = {
    Work.RESULT: Permission.UPLOAD_RESULTS,
    Work.SECOND_ENTRY: Permission.REVIEW_RESULTS,
    Work.REVIEW: Permission.REVIEW_RESULTS,
    Work.CORRECTION: Permission.APPROVE_CORRECTION,
    Work.ELIGIBILITY: Permission.DETERMINE_ELIGIBILITY,
    Work.DECISION: Permission.RELEASE_LOT,
    Work.CERTIFICATE: Permission.ISSUE_CERTIFICATE,
    Work.EXPIRY: Permission.RELEASE_LOT,
    Work.CALIBRATION: Permission.KEEP_REGISTERS,
    Work.TRAINING: Permission.KEEP_REGISTERS,
}
#: What of a lot stands before its decision.
_BEFORE: Final = frozenset(
    {Work.RESULT, Work.SECOND_ENTRY, Work.REVIEW, Work.CORRECTION, Work.ELIGIBILITY}
)
#: Stages after release: a result is expected there once a sample was taken.
_LATER: Final = frozenset({Stage.POST_THAW, Stage.STABILITY})
_NEVER: Final = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits.

    Args:
        kind: what kind of thing.
        lot: whose; "" where it belongs to none.
        what: in words.
        since: from when on; ``None`` where that is not known.
        due: the last site-local day on which it is in time; ``None`` where nobody knows.
        link: where to look, below the address of the API.
    """

    kind: Work
    lot: str
    what: str
    since: datetime | None
    due: date | None
    link: str

    @property
    def roles(self) -> tuple[Role, ...]:
        """Who can do it."""
        return tuple(sorted(WHO_MAY[_BY[self.kind]]))

    @property
    def place(self) -> str:
        """Its place in the list: by due day, lot and kind; no two items have the same."""
        due = self.due.isoformat() if self.due else _NEVER
        return f"{due}|{self.lot}|{self.kind}|{self.what}|{self.link}"

    def is_overdue(self, today: date) -> bool:
        """Whether its day has passed."""
        return self.due is not None and self.due < today


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items; what is ``None`` or "" lets everything through."""

    kind: Work | None = None
    lot: str = ""
    role: Role | None = None
    overdue: bool = False


def expected_results(
    lot: str,
    plans: Iterable[Specification],
    samples: Iterable[Sample],
    reported: Collection[tuple[str, str, str]],
    zone: tzinfo,
) -> Iterator[Item]:
    """The results of a lot that are expected and not in, one item for each test of a stage.

    Args:
        lot: its id.
        plans: what judges it, one for each stage.
        samples: of the lot.
        reported: stage, test and analyte of every reportable result on record, whatever it says.
        zone: of the site.
    """
    taken: dict[str, datetime] = {}
    for sample in samples:
        earlier = taken.setdefault(sample.stage, sample.taken_at)
        taken[sample.stage] = min(earlier, sample.taken_at)
    for plan in plans:
        since = taken.get(plan.stage)
        if since is None and plan.stage in _LATER:
            continue
        for test, missing in _missing(plan, reported).items():
            what = f"{test}: {', '.join(one.analyte for one in missing)} ({plan.stage})"
            due = _due(missing, since, zone)
            if since is None:
                what += ", no sample yet"
            yield Item(Work.RESULT, lot, what, since, due, f"/lots/{lot}/results")


def to_decide(items: Iterable[Item], lots: Iterable[str]) -> Iterator[Item]:
    """The lots before whose decision nothing waits: their readiness says whether a gate is closed.

    Items of no lot, such as the correction of a donor, are left to the gates.
    """
    waiting = {item.lot for item in items if item.kind in _BEFORE}
    for lot in lots:
        if lot not in waiting:
            link = f"/lots/{lot}/readiness"
            yield Item(Work.DECISION, lot, "nothing is expected any more", None, None, link)


def chosen(items: Iterable[Item], wanted: Filter, today: date) -> list[Item]:
    """The items that a filter lets through, each once, in their places."""
    found = {item.place: item for item in items if _is_wanted(item, wanted, today)}
    return [found[place] for place in sorted(found)]


def _missing(
    plan: Specification, reported: Collection[tuple[str, str, str]]
) -> Mapping[str, list[Measured]]:
    """What no result is on record of, by test, in the order of the specification."""
    found: dict[str, list[Measured]] = {}
    for criterion in plan.criteria:
        for one in closure(plan, criterion) if criterion.required else ():
            subject = one.subject
            if not isinstance(subject, Measured):
                continue
            own = found.setdefault(subject.test, [])
            if (plan.stage, subject.test, subject.analyte) not in reported and subject not in own:
                own.append(subject)
    return {test: missing for test, missing in found.items() if missing}


def _due(missing: Iterable[Measured], since: datetime | None, zone: tzinfo) -> date | None:
    days = [one.planned_days for one in missing if one.planned_days is not None]
    if since is None or not days:
        return None
    return since.astimezone(zone).date() + timedelta(days=min(days))


def _is_wanted(item: Item, wanted: Filter, today: date) -> bool:
    return (
        wanted.kind in {None, item.kind}
        and wanted.lot in {"", item.lot}
        and (wanted.role is None or wanted.role in item.roles)
        and (not wanted.overdue or item.is_overdue(today))
    )
