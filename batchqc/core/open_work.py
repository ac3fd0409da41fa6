"""Open work: what is expected and not in, of all lots, and until when.

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
from batchqc.core.specifications import Specification, Stage, leaves
from batchqc.core.subjects import Measured


class Work(StrEnum):
    """What kind of thing waits."""

    RESULT = "result"
    PENDING = "pending result"
    SECOND_ENTRY = "second entry"
    REVIEW = "review"
    CORRECTION = "correction"
    ELIGIBILITY = "eligibility"
    CONSENT = "consent"
    INVESTIGATION = "investigation"
    HOLD = "hold"
    QC_REVIEW = "QC review"
    AUDIT_REVIEW = "audit trail review"
    CHECK = "check of manufacture"
    DECISION = "decision"
    TRANSFER = "transfer to stock"
    LOOK_BACK = "look-back"
    TRAIL_SAMPLE = "audit trail sample"
    CERTIFICATE = "certificate"
    EXPIRY = "expiry"
    CALIBRATION = "calibration"
    TRAINING = "training"
    WEBHOOK = "webhook"
    ARCHIVE = "archive"
    JOB = "job"
    KEY = "key"


_BY: Final[Mapping[Work, Permission]] = {
    Work.RESULT: Permission.UPLOAD_RESULTS,
    Work.PENDING: Permission.UPLOAD_RESULTS,
    Work.CONSENT: Permission.KEEP_DONOR_RECORDS,
    Work.INVESTIGATION: Permission.INVESTIGATE,
    Work.HOLD: Permission.HOLD_LOT,
    Work.QC_REVIEW: Permission.REVIEW_RESULTS,
    Work.AUDIT_REVIEW: Permission.REVIEW_AUDIT_TRAIL,
    Work.CHECK: Permission.CHECK_LOT,
    Work.TRANSFER: Permission.CHECK_LOT,
    Work.LOOK_BACK: Permission.CLOSE_LOOK_BACK,
    Work.TRAIL_SAMPLE: Permission.REVIEW_AUDIT_TRAIL,
    Work.WEBHOOK: Permission.MANAGE_WEBHOOKS,
    Work.SECOND_ENTRY: Permission.REVIEW_RESULTS,
    Work.REVIEW: Permission.REVIEW_RESULTS,
    Work.CORRECTION: Permission.APPROVE_CORRECTION,
    Work.ELIGIBILITY: Permission.DETERMINE_ELIGIBILITY,
    Work.DECISION: Permission.RELEASE_LOT,
    Work.CERTIFICATE: Permission.ISSUE_CERTIFICATE,
    Work.EXPIRY: Permission.RELEASE_LOT,
    Work.CALIBRATION: Permission.KEEP_REGISTERS,
    Work.TRAINING: Permission.KEEP_REGISTERS,
    Work.ARCHIVE: Permission.KEEP_ARCHIVE,
    Work.JOB: Permission.KEEP_JOBS,
    Work.KEY: Permission.KEEP_KEYS,
}
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


def pending_results(
    lot: str,
    plans: Collection[Specification],
    due: Mapping[str, date],
    reported: Collection[tuple[str, str, str]],
) -> Iterator[Item]:
    """The results of a conditionally released lot that are due and not in.

    Args:
        lot: its id.
        plans: what judges it.
        due: the day on which each pending criterion is due, by its id.
        reported: stage, test and analyte of every reportable result on record.
    """
    missing = {
        (criterion.id, one)
        for plan in plans
        for criterion in plan.criteria
        if criterion.id in due
        for one in leaves(plan, criterion)
        if (plan.stage, one.test, one.analyte) not in reported
    }
    known = {criterion.id for plan in plans for criterion in plan.criteria}
    waiting = {name for name, _ in missing} | (due.keys() - known)
    for name in sorted(waiting):
        yield Item(Work.PENDING, lot, f"{name} is not in", None, due[name], f"/lots/{lot}/results")


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
        for subject in leaves(plan, criterion) if criterion.required else ():
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
