"""OOS investigations: one failure of one criterion, its phases, and what it waits for.

``retested`` says what their conclusions make of the results of a lot, ``retests`` what may be
measured again, ``failures`` what opens one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from batchqc.core.assays import CONTROL, Measurement, RunKey
from batchqc.core.criteria import Criterion
from batchqc.core.gates import Against
from batchqc.core.identifiers import fold
from batchqc.core.specifications import Specification, closure
from batchqc.core.subjects import Measured

#: Stage, test and analyte.
Attribute = tuple[str, str, str]


class Finding(StrEnum):
    """What an investigation concludes."""

    LABORATORY_CAUSE = "assignable laboratory cause"
    ORIGINAL_STANDS = "original stands"
    RESULT_WAS_LATE = "result was late"


class DecisionRule(StrEnum):
    """How retests decide, fixed before the first of them."""

    ALL_PASS = "all retests must pass"  # noqa: S105 - a rule, not a secret


class Step(StrEnum):
    """What is done in an investigation, each step a record of its own."""

    PHASE_I = "phase I"
    REVIEW = "phase I reviewed"
    DOCUMENT = "document"
    PLAN = "retest plan"
    CONCLUSION = "conclusion"
    REOPENED = "reopened"
    DUE = "due date"


class State(StrEnum):
    """What an investigation waits for."""

    PHASE_I = "phase I is to be performed"
    REVIEW = "phase I is to be reviewed"
    CONCLUSION = "it is to be concluded, or a retest plan approved"
    RETESTS = "retests are under way, or it is to be concluded"
    CONCLUDED = "concluded"


@dataclass(frozen=True, slots=True)
class Plan:
    """An approved plan: how often what is measured again, by whom, by which method, on what.

    ``samples`` are the original ones and ``new_samples`` those that QA agreed to draw, folded;
    ``same_analyst`` is QA's reason why the first analyst may measure again, or "".
    """

    approved_at: datetime
    test: str
    method: str
    version: str
    analysts: frozenset[str]
    retests: int
    resamples: int
    samples: frozenset[str]
    new_samples: frozenset[str] = frozenset()
    same_analyst: str = ""
    rule: DecisionRule = DecisionRule.ALL_PASS

    @property
    def number(self) -> int:
        """How many runs it asks for."""
        return self.retests + self.resamples


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A signed conclusion: what is set aside, by run and analyte, and which runs count instead.

    ``by`` is who signed it; "" before that.
    """

    finding: Finding
    test: str
    cause: str = ""
    set_aside: frozenset[tuple[RunKey, str]] = frozenset()
    counting: frozenset[RunKey] = frozenset()
    by: str = ""

    @property
    def is_cause(self) -> bool:
        """Whether it invalidates the original."""
        return self.finding is Finding.LABORATORY_CAUSE


@dataclass(frozen=True, slots=True)
class Investigation:
    """One failure of one criterion and the runs that it hangs on, as it stands.

    One that was opened ``by_hand`` is of no failure: its results could not be judged.
    """

    number: str
    criterion: str
    attributes: frozenset[Attribute]
    runs: frozenset[RunKey]
    due_on: date
    performed_by: str = ""
    reviewed_by: str = ""
    plan: Plan | None = None
    conclusion: Conclusion | None = None
    by_hand: bool = False

    @property
    def state(self) -> State:
        """What it waits for."""
        if self.conclusion is not None:
            return State.CONCLUDED
        if not self.performed_by:
            return State.PHASE_I
        if not self.reviewed_by:
            return State.REVIEW
        return State.CONCLUSION if self.plan is None else State.RETESTS

    @property
    def tests(self) -> frozenset[str]:
        """The tests that its attributes are measured by."""
        return frozenset(test for _, test, _ in self.attributes)

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been concluded before ``today``."""
        return self.conclusion is None and today > self.due_on

    def sets_aside(self, one: Measurement) -> bool:
        """Whether its conclusion sets a measurement aside; what is of another stage stays."""
        if self.conclusion is None or attribute_of(one) not in self.attributes:
            return False
        return (one.run, one.analyte) in self.conclusion.set_aside

    def is_original(self, one: Measurement) -> bool:
        """Whether it hangs on a measurement."""
        return one.run in self.runs and attribute_of(one) in self.attributes


def attribute_of(one: Measurement) -> Attribute:
    """What a measurement measures."""
    return (one.stage, one.run.test, one.analyte)


def attribute_among(one: Measurement, attributes: Collection[Attribute]) -> Attribute | None:
    """Which of some attributes a measurement is of; a control in whatever case its analyte is."""
    own = attribute_of(one)
    if one.result_type != CONTROL:
        return own if own in attributes else None
    written = (*own[:2], fold(one.analyte))
    return next((each for each in attributes if (*each[:2], fold(each[2])) == written), None)


def investigations_against(
    found: Iterable[Investigation], missing: Iterable[str], today: date
) -> Against:
    """What the investigations of a lot say of its release.

    Args:
        found: of the lot, as they stand.
        missing: failures that none is for, in words.
        today: a date of the site.
    """
    stops = [f"nothing investigates: {sentence}" for sentence in missing]
    remarks, evidence = [], []
    for one in found:
        evidence.append(f"investigation:{one.number}")
        if one.conclusion is None:
            stops.append(f"{one.number} ({one.criterion}): {one.state}")
        else:
            cause = f" ({one.conclusion.cause})" if one.conclusion.cause else ""
            said = f"{one.number} ({one.criterion}): {one.conclusion.finding}{cause}"
            remarks.append(said)
        if one.is_overdue(today):
            remarks.append(f"{one.number} is overdue since {one.due_on}")
    return Against(tuple(stops), tuple(remarks), tuple(evidence))


def attributes_of(specification: Specification, criterion: Criterion) -> frozenset[Attribute]:
    """What a criterion hangs on, directly or through what it is computed from."""
    return frozenset(
        (specification.stage.value, one.subject.test, one.subject.analyte)
        for one in closure(specification, criterion)
        if isinstance(one.subject, Measured)
    )
