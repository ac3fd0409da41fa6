"""What is done in an investigation, each act a form that is signed.

A form shows what is signed, and carries how the investigation stood when it was opened: where that
is not so any more, nothing is signed. Who may not act is told why before anything is typed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.failing import judged
from batchqc.actions.investigation_conclusions import on_record
from batchqc.actions.investigations import (
    Case,
    people_behind_phase_one,
    people_of_runs,
    the_investigation,
)
from batchqc.actions.states import investigation_state
from batchqc.api import investigations as api
from batchqc.api.doors import Call, Signature
from batchqc.api.investigation_shapes import ConclusionShape, DueDate, PhaseOne, PlanShape
from batchqc.api.routes import Routes
from batchqc.api.tags import tag_of
from batchqc.core.conclusions import CHECKLIST, Cause, OnRecord, people_behind
from batchqc.core.investigations import Finding, State, Step
from batchqc.core.permissions import WHO_MAY, Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.records.uploads import runs_of
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, WrongForm, built, said, signer_of
from batchqc.web.investigation_forms import (
    answers_of,
    conclusion_fields,
    conclusion_offer,
    due_date_fields,
    phase_one_fields,
    plan_fields,
    plan_offer,
)
from batchqc.web.rendering import asks_for_part, gone_to, page
from batchqc.web.signed_forms import signed, unseen

router = Routes()


class Act(StrEnum):
    """What is done, by the name in its address."""

    PHASE_ONE = "phase-one"
    REVIEW = "review"
    PLAN = "plan"
    CONCLUSION = "conclusion"
    REOPENING = "reopening"
    DUE_DATE = "due-date"


@dataclass(frozen=True, slots=True)
class Kind:
    """How an act is built from its form, and done as the API does it.

    ``states`` are those in which it may be done; ``fields`` makes of a form what the API takes
    besides the signature, and refuses a form that is not complete.
    """

    permission: Permission
    states: frozenset[State]
    meaning: Meaning
    model: type[Signature]
    send: Callable[[Call, str, Any], Response]
    fields: Callable[[Form], Mapping[str, Any]] = field(default=lambda _form: {})


_OPEN: Final = frozenset(State) - {State.CONCLUDED}
_AFTER_REVIEW: Final = frozenset({State.CONCLUSION, State.RETESTS})
KINDS: Final[dict[Act, Kind]] = {
    Act.PHASE_ONE: Kind(
        Permission.INVESTIGATE, frozenset({State.PHASE_I, State.REVIEW}), Meaning.AUTHORED,
        PhaseOne, api.phase_one, phase_one_fields,
    ),
    Act.REVIEW: Kind(
        Permission.INVESTIGATE, frozenset({State.REVIEW}), Meaning.REVIEWED, Signature,
        api.phase_one_review,
    ),
    Act.PLAN: Kind(
        Permission.APPROVE_RETEST_PLAN, _AFTER_REVIEW, Meaning.APPROVED, PlanShape, api.plan,
        plan_fields,
    ),
    Act.CONCLUSION: Kind(
        Permission.CONCLUDE_INVESTIGATION, _AFTER_REVIEW, Meaning.APPROVED, ConclusionShape,
        api.conclusion, conclusion_fields,
    ),
    Act.REOPENING: Kind(
        Permission.CONCLUDE_INVESTIGATION, frozenset({State.CONCLUDED}), Meaning.WITHDRAWN,
        Signature, api.reopening,
    ),
    Act.DUE_DATE: Kind(
        Permission.CONCLUDE_INVESTIGATION, _OPEN, Meaning.APPROVED, DueDate, api.due_date,
        due_date_fields,
    ),
}  # fmt: skip
#: What the investigation waits for, what is most urgent first.
_NEXT: Final[dict[State, tuple[Act, ...]]] = {
    State.PHASE_I: (Act.PHASE_ONE,),
    State.REVIEW: (Act.REVIEW,),
    State.CONCLUSION: (Act.CONCLUSION, Act.PLAN),
    State.RETESTS: (Act.CONCLUSION,),
    State.CONCLUDED: (),
}


@dataclass(frozen=True, slots=True)
class Offered:
    """An act that may be done now: whether it is awaited, who may, and why this person may not."""

    act: Act
    is_next: bool
    roles: tuple[str, ...]
    is_permitted: bool
    why_not: str = ""


def acts_of(session: Session, call: Call, case: Case) -> list[Offered]:
    """Every act that the state of an investigation allows, what it waits for first."""
    awaited = _NEXT[case.now.state]
    acts = [*awaited, *(one for one in Act if one not in awaited)]
    is_fixed = case.now.plan is not None and any(
        run.upload.retest == case.row.natural_key for run in runs_of(session, case.row.lot)
    )
    return [
        _offered(session, call, case, one)
        for one in acts
        if case.now.state in KINDS[one].states and not (one is Act.PLAN and is_fixed)
    ]


def _offered(session: Session, call: Call, case: Case, act: Act) -> Offered:
    kind = KINDS[act]
    return Offered(
        act,
        act in _NEXT[case.now.state],
        tuple(sorted(WHO_MAY[kind.permission])),
        is_permitted(call.person.roles, kind.permission),
        _why_not(session, call, case, act),
    )


def _why_not(session: Session, call: Call, case: Case, act: Act) -> str:
    """What this person did that keeps them from an act which their role allows."""
    match act:
        case Act.REVIEW:
            did = people_behind_phase_one(session, case)
        case Act.CONCLUSION:
            did = people_behind(people_of_runs(session, case), case.now)
        case _:
            did = {}
    return did.get(call.person.user_id, "")


@router.get("/investigations/{number}/{act}")
def ask(request: Request, call: Visit, number: str, act: Act) -> Response:
    """What is signed, and the fields of the signature."""
    return _form(request, call, (number, act), Form({}))


@router.post("/investigations/{number}/{act}")
def take(request: Request, call: Visit, form: OwnForm, number: str, act: Act) -> Response:
    """Sign the act, as the API does; a refusal keeps what was typed, but the password."""
    try:
        sent = _sent(call, form, KINDS[act])
        KINDS[act].send(keyed(call, form), number, sent)
    except BatchqcError as error:
        return _form(request, call, (number, act), form, said(error))
    return gone_to(request, f"/investigations/{number.upper()}?did={act}")


def _sent(call: Call, form: Form, kind: Kind) -> Signature:
    """The request of the API, or everything that is missing at once."""
    given: Mapping[str, Any] = {}
    problems = unseen(form)
    try:
        given = kind.fields(form)
    except WrongForm as wrong:
        problems |= wrong.problems
    return built(kind.model, {**given, **signed(call, form, problems)})


def _form(
    request: Request, call: Call, where: tuple[str, Act], form: Form, told: Said = NOTHING_SAID
) -> Response:
    number, act = where
    meaning = KINDS[act].meaning
    template = "investigation_form.html" if asks_for_part(request) else "investigation_act.html"
    with call.reading() as session:
        case = the_investigation(session, number)
        state = investigation_state(session, number)
        return page(
            request,
            template,
            status=told.status,
            case=case,
            act=act,
            offer=next((one for one in acts_of(session, call, case) if one.act is act), None),
            meaning=meaning.value,
            record=state.sha256,
            seen=form["seen"] or tag_of(session, state),
            signer=signer_of(session, call, record=case.row.key, meaning=meaning),
            roles=sorted(WHO_MAY[KINDS[act].permission]),
            typed=form,
            **_beside(session, call, case, act),
            **told.content,
        )


def _beside(session: Session, call: Call, case: Case, act: Act) -> dict[str, Any]:
    """What the form of an act shows beside its fields."""
    match act:
        case Act.PHASE_ONE:
            return {"checklist": CHECKLIST}
        case Act.REVIEW:
            steps = [one for one in case.steps if one.kind == Step.PHASE_I][-1:]
            return {"steps": steps, "answers": answers_of(steps[0] if steps else None)}
        case Act.PLAN:
            found = judged(session, call.door.archive, case.row.lot)
            plan = plan_offer(session, call.door.archive, case, found)
            return {
                "plan": plan,
                "is_plannable": any(one.is_possible for one in plan),
                "tests": [(one, one) for one in sorted(case.now.tests)],
            }
        case Act.CONCLUSION:
            found = judged(session, call.door.archive, case.row.lot)
            return _of_conclusion(case, on_record(session, case, found), call.person.user_id)
        case _:
            return {}


def _of_conclusion(case: Case, known: OnRecord, signer: str) -> dict[str, Any]:
    """What may be concluded, by what documents, and what each would do."""
    prospects = conclusion_offer(case, known, signer)
    possible = [one for one in prospects if not one.problems]
    filed = [one.said for one in case.steps if one.kind == Step.DOCUMENT and one.said]
    return {
        "prospects": prospects,
        "may_be_cause": any(one.finding is Finding.LABORATORY_CAUSE for one in possible),
        "may_be_corrected": any(one.is_corrected for one in possible),
        "causes": [(one.value, one.value.capitalize()) for one in Cause],
        "filed": [(one["sha256"], f"{one.get('file')} ({one['sha256'][:12]}…)") for one in filed],
        "tests": [(one, one) for one in sorted(case.now.tests)],
    }
