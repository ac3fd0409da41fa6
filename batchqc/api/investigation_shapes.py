"""What is sent and answered of OOS investigations."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool
from sqlalchemy.orm import Session

from batchqc.actions.investigations import Case, the_investigation
from batchqc.actions.retest_plans import NewPlan
from batchqc.actions.siblings import siblings_of
from batchqc.api.decisions import SignatureOut, signature_out
from batchqc.api.doors import Signature
from batchqc.api.sent import COUNTED, Day, Sent
from batchqc.core.compliance_patterns import Kind, Pattern
from batchqc.core.conclusions import Cause, Wanted
from batchqc.core.investigations import DecisionRule, Finding, State, Step
from batchqc.records.investigations import InvestigationStep

NUMBER = Field(examples=["OOS-2026-000001"])
_Texts = Annotated[list[str], Field(default_factory=list, max_length=20)]


class ByHand(Sent):
    """Results that cannot be judged and do not fail, which a person wants to be investigated."""

    lot: str
    criterion: str = Field(examples=["viability"])
    stage: str = Field(default="", description="Where several specifications have the criterion.")
    reason: str = Field(max_length=2000, examples=["Measured twice: the run was thought lost"])


class Answer(Sent):
    """The answer to one question of the checklist: yes, no or not applicable; why if not yes."""

    answer: str = Field(examples=["yes"])
    remark: str = ""


class PhaseOne(Signature):
    """The laboratory phase, by the names of the questions."""

    answers: dict[str, Answer]
    hypothesis: str = Field(default="", max_length=2000)


class PlanShape(Signature):
    """A retest plan, fixed before anything is measured again."""

    method: str = Field(examples=["SOP-QC-014"])
    version: str = Field(examples=["3"])
    analysts: _Texts
    retests: Annotated[int, Field(ge=0, le=100), COUNTED]
    resamples: Annotated[int, Field(ge=0, le=100), COUNTED] = 0
    new_samples: _Texts
    test: str = Field(default="", description="May be blank where one alone failed.")
    same_analyst: str = Field(default="", description="Why the first analyst measures again.")
    resample_because: str = Field(default="", description="Why QA agrees to a new sample.")
    rule: DecisionRule = DecisionRule.ALL_PASS

    @property
    def plan(self) -> NewPlan:
        """It as the action takes it."""
        return NewPlan(
            self.method, self.version, tuple(self.analysts), self.retests, self.resamples,
            tuple(self.new_samples), self.test, self.same_analyst, self.resample_because, self.rule,
        )  # fmt: skip


class ConclusionShape(Signature):
    """A conclusion: an assignable laboratory cause with evidence, or the original stands."""

    finding: Finding
    evidence: str = Field(max_length=4000)
    test: str = ""
    cause: Cause | None = None
    document: str = Field(default="", description="SHA-256 of a filed document.")
    corrected: StrictBool = Field(
        default=False, description="The newest version of the run counts: a cause in data only."
    )

    @property
    def wanted(self) -> Wanted:
        """It as core knows it."""
        return Wanted(
            self.finding, self.evidence, self.test, self.cause, self.document, self.corrected
        )


class DueDate(Signature):
    """A later day on which an investigation is due."""

    due_on: Day


class StepOut(BaseModel):
    """One step of an investigation."""

    number: int
    kind: Step
    detail: dict[str, Any]
    taken_by: str
    taken_at: datetime
    signature: SignatureOut | None


class SiblingOut(BaseModel):
    """A lot that shares a donor, a bank, a run, an upload or a material with the failing one."""

    lot: str
    shares: list[str]
    disposition: str


class InvestigationOut(BaseModel):
    """An investigation as it stands."""

    number: str = NUMBER
    lot: str
    specification: str
    stage: str
    criterion: str
    sentence: str
    runs: list[str]
    state: State
    opened_at: datetime
    due_on: date
    finding: Finding | None
    cause: str


class InvestigationDetail(InvestigationOut):
    """With every step, and the lots that it may concern too."""

    steps: list[StepOut]
    siblings: list[SiblingOut]


class PatternOut(BaseModel):
    """A pattern of testing into compliance."""

    kind: Kind
    said: str
    lots: list[str]
    runs: list[str]
    people: list[str]
    times: list[datetime]
    uploads: list[str]


class Patterns(BaseModel):
    """Every pattern in the history of some lots."""

    items: list[PatternOut]
    since: date | None = Field(
        description="The first day on which results of the lots came in; null of one lot."
    )
    until: date | None = Field(description="The last day on which they did.")
    lots: int = Field(description="How many were looked at.")


def investigation_out(case: Case) -> InvestigationOut:
    """An investigation as it is listed."""
    return InvestigationOut(**_facts(case))


def investigation_detail(session: Session, number: str) -> InvestigationDetail:
    """An investigation with its steps and siblings."""
    case = the_investigation(session, number)
    return InvestigationDetail(
        **_facts(case),
        steps=[_step(one) for one in case.steps],
        siblings=[
            SiblingOut(lot=one.lot, shares=list(one.shares), disposition=one.disposition)
            for one in siblings_of(session, case.row.lot)
        ],
    )


def pattern_out(one: Pattern) -> PatternOut:
    """A pattern as it is answered."""
    return PatternOut(
        kind=one.kind,
        said=one.said,
        lots=list(one.lots),
        runs=list(one.runs),
        people=list(one.people),
        times=list(one.times),
        uploads=list(one.uploads),
    )


def _facts(case: Case) -> dict[str, Any]:
    row, now = case.row, case.now
    return {
        "number": row.natural_key,
        "lot": row.lot.lot,
        "specification": row.specification,
        "stage": row.stage,
        "criterion": row.criterion,
        "sentence": row.sentence,
        "runs": sorted(map(str, now.runs)),
        "state": now.state,
        "opened_at": row.opened_at,
        "due_on": now.due_on,
        "finding": now.conclusion.finding if now.conclusion else None,
        "cause": now.conclusion.cause if now.conclusion else "",
    }


def _step(one: InvestigationStep) -> StepOut:
    return StepOut(
        number=one.number,
        kind=Step(one.kind),
        detail=one.said,
        taken_by=one.taken_by,
        taken_at=one.taken_at,
        signature=signature_out(one.signature) if one.signature else None,
    )
