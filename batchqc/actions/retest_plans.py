"""Retest plans, approved by QA before anything is measured again; and what a file is held against.

How many retests are allowed stands in the document of the method version by which the original was
measured, if it was approved before the investigation was opened, and in the one that the plan
names; the smaller number counts (requirement 3.03).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.failing import Judged, judged
from batchqc.actions.investigations import Case, locked, take
from batchqc.actions.permission import require
from batchqc.actions.run_validity import approved_methods
from batchqc.actions.setup import own_site
from batchqc.actions.signing import Credentials, check_reason
from batchqc.core.assays import Measurement
from batchqc.core.identifiers import fold
from batchqc.core.investigations import Attribute, DecisionRule, Plan, Step
from batchqc.core.methods import Method, method_on
from batchqc.core.permissions import Permission
from batchqc.core.retests import Retest, grounds_problem, plan_problems
from batchqc.core.signatures import Meaning, Refusal
from batchqc.core.subjects import Measured
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.records.investigations import (
    InvestigationStep,
    folded,
    investigation_by,
    plan_of,
    steps_of,
)
from batchqc.records.methods import method_approvals
from batchqc.records.people import person_by
from batchqc.records.registers import sample_by
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewPlan:
    """What QA fixes before anything is measured again.

    ``test`` may be left blank where one alone is under investigation; ``same_analyst`` and
    ``resample_because`` are QA's reasons where the first analyst measures, or new samples are
    drawn (requirements 3.04, 3.05).
    """

    method: str
    version: str
    analysts: tuple[str, ...]
    retests: int
    resamples: int = 0
    new_samples: tuple[str, ...] = ()
    test: str = ""
    same_analyst: str = ""
    resample_because: str = ""
    rule: DecisionRule = DecisionRule.ALL_PASS


def approve_plan(
    tx: Transaction,
    archive: Archive,
    *,
    number: str,
    plan: NewPlan,
    credentials: Credentials,
) -> InvestigationStep | Refusal:
    """Approve a plan as QA, signed. It is fixed as soon as a retest is in.

    Raises:
        Conflict: with every reason why it cannot be approved.
    """
    require(tx, Permission.APPROVE_RETEST_PLAN)
    check_reason(credentials.reason)
    case = locked(tx, number)
    known = judged(tx.session, archive, case.row.lot).known
    originals = [one for one in known.measurements if case.now.is_original(one)]
    test = plan.test or (min(case.now.tests) if len(case.now.tests) == 1 else "")
    samples = {fold(one.sample) for one in originals if one.run.test == test}
    said = {
        "test": test,
        "method": plan.method,
        "version": plan.version,
        "analysts": sorted(set(plan.analysts)),
        "retests": plan.retests,
        "resamples": plan.resamples,
        "samples": sorted(samples),
        "new_samples": sorted({fold(one) for one in plan.new_samples}),
        "same_analyst": plan.same_analyst.strip(),
        "resample_because": plan.resample_because.strip(),
        "rule": plan.rule.value,
    }
    wanted = plan_of(said, tx.now)
    first = [one for one in originals if one.run.test == test]
    most = most_allowed(tx.session, archive, wanted, first, opened_at=case.row.opened_at)
    problems = [
        *plan_problems(
            wanted,
            case.now,
            originals=originals,
            retests=[one for one in known.measurements if one.retest_of == number_of(case)],
            most=most,
        ),
        *_unknown(tx.session, case, plan),
    ]
    if problems:
        raise Conflict(
            "BQC-OOS-011",
            f"the plan for {number_of(case)} cannot be approved",
            reasons=problems,
            hint="A plan is made after phase I, and before anything is measured again.",
        )
    said["max_retests"] = most
    return take(tx, case, Step.PLAN, said, credentials, meaning=Meaning.APPROVED)


def number_of(case: Case) -> str:
    """The public number of an investigation."""
    return case.row.natural_key


def _unknown(session: Session, case: Case, plan: NewPlan) -> list[str]:
    """People and samples that are not registered, and reasons that are missing or no ground."""
    found = []
    for analyst in plan.analysts:
        person = person_by(session, analyst)
        if person is None or person.user_id != analyst:
            found.append(f"nobody has the user id {analyst}")
    for name in plan.new_samples:
        sample = sample_by(session, name)
        if sample is None or sample.lot_id != case.row.lot_id or sample.stage != case.row.stage:
            found.append(f"{name} is no registered sample of the lot at stage {case.row.stage}")
    if plan.resamples and not plan.resample_because.strip():
        found.append("record why a new sample is drawn: QA agrees to it (resample_because)")
    texts = (plan.same_analyst, plan.resample_because)
    return [*found, *filter(None, map(grounds_problem, texts))]


def most_allowed(
    session: Session,
    archive: Archive,
    plan: Plan,
    originals: Sequence[Measurement],
    *,
    opened_at: datetime,
) -> int | None:
    """The smallest number that a method version behind the plan or the originals allows.

    ``None`` where one of them says nothing: then nothing is measured again. What was approved
    after the failure cannot allow more: those behind the originals stood before.
    """
    approvals = method_approvals(session, [plan.method])
    before = [one for one in approvals if one.signature.at < opened_at]
    now, then = approved_methods(archive, approvals), approved_methods(archive, before)
    zone = ZoneInfo(own_site(session).time_zone)
    asked = [
        (now, plan.version, plan.approved_at.astimezone(zone).date()),
        *((then, one.version, one.measured_at.astimezone(zone).date()) for one in originals),
    ]
    allowed = []
    for methods, version, day in asked:
        found = method_on(methods, code=plan.method, stated=version, day=day)
        if not isinstance(found, Method) or found.max_retests is None or not plan.version:
            return None
        allowed.append(found.max_retests)
    return min(allowed)


def retest_facts(session: Session, archive: Archive, number: str) -> Retest:
    """What a file is held against that is said to hold retests of an investigation."""
    row = investigation_by(session, number)
    if row is None:
        return Retest(number)
    found = judged(session, archive, row.lot)
    known = found.known
    own = folded(row, steps_of(session, row))
    return Retest(
        row.natural_key,
        row.lot.lot,
        own,
        tuple(one for one in known.measurements if own.is_original(one)),
        tuple(one for one in known.measurements if one.retest_of == row.natural_key),
        known.invalid,
        _replicates(found),
    )


def _replicates(found: Judged) -> dict[Attribute, int]:
    return {
        (one.stage.value, criterion.subject.test, criterion.subject.analyte): (
            criterion.subject.replicates.n
        )
        for one in found.specifications
        for criterion in one.criteria
        if isinstance(criterion.subject, Measured)
    }
