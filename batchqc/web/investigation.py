"""The page of one OOS investigation: what failed, what was done, what waits, and for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import Request, Response

from batchqc.actions.evaluation import study
from batchqc.actions.investigations import Case, the_investigation
from batchqc.actions.siblings import Sibling, siblings_of
from batchqc.actions.specifications import site_day
from batchqc.actions.states import investigation_state
from batchqc.api import investigation_documents as api
from batchqc.api.routes import Routes
from batchqc.core.investigations import Finding, State, Step
from batchqc.core.lot_states import UNDECIDED
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.verdicts import Outcome
from batchqc.records.investigations import InvestigationStep
from batchqc.web.calls import Visit
from batchqc.web.investigation_acts import acts_of
from batchqc.web.investigation_forms import answers_of
from batchqc.web.investigation_results import results_of
from batchqc.web.rendering import page
from batchqc.web.wording import _

router = Routes()

_DECIDED: Final = "Disposition"


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of the way: done, now, to come, or left out; by whom and when."""

    name: str
    how: str
    who: str = ""
    at: datetime | None = None


@router.get("/investigations/{number}")
def show(request: Request, call: Visit, number: str, did: str = "") -> Response:
    """Everything on one page; the original result is always on it."""
    with call.reading() as session:
        case = the_investigation(session, number)
        lot = study(session, call.door.archive, lot=case.row.lot, now=call.door.now())
        is_open = lot.disposition in UNDECIDED
        return page(
            request,
            "investigation.html",
            did=did,
            case=case,
            lot=lot,
            is_open=is_open,
            found=results_of(case, lot),
            verdicts=Outcome,
            today=site_day(session, call.door.now()),
            acts=acts_of(session, call, case),
            siblings=[(one, *shares(one)) for one in siblings_of(session, case.row.lot)],
            record=investigation_state(session, number).sha256,
            closed=[
                one for one in lot.gates if not one.is_open and (is_open or one.name != _DECIDED)
            ],
            phases=phases_of(case),
            taken={step.name: newest(case, step) for step in Step},
            answers=answers_of(newest(case, Step.PHASE_I)),
            documents=[one for one in case.steps if one.kind == Step.DOCUMENT],
            may_file=is_permitted(call.person.roles, Permission.INVESTIGATE),
            state=case.now.state,
            states=State,
            findings=Finding,
            steps=list(reversed(case.steps)),
        )


@router.get("/investigations/{number}/documents/{sha256}")
def document(call: Visit, number: str, sha256: str) -> Response:
    """A filed document, byte for byte."""
    return api.document(call, number, sha256)


def shares(sibling: Sibling) -> tuple[str, int]:
    """What another lot shares, and how many uploads: a file may be of many lots."""
    uploads = [one for one in sibling.shares if one.startswith("upload ")]
    said = [one for one in sibling.shares if one not in uploads]
    return ", ".join(said), len(uploads)


def newest(case: Case, kind: Step) -> InvestigationStep | None:
    """The step of a kind that counts now."""
    return next((one for one in reversed(case.steps) if one.kind == kind), None)


def phases_of(case: Case) -> Sequence[Phase]:
    """Phase I, its review, what was measured again, the conclusion."""
    at = list(State).index(case.now.state)
    first = newest(case, Step.PHASE_I)
    review = newest(case, Step.REVIEW) if case.now.reviewed_by else None
    plan = newest(case, Step.PLAN)
    ended = newest(case, Step.CONCLUSION) if case.now.conclusion else None
    again = "done" if ended else "now" if plan else "next"
    return (
        _phase(_("Phase I"), first, "done" if at > 0 else "now"),
        _phase(_("Review"), review, "done" if at > 1 else "now" if at == 1 else "next"),
        _phase(_("Measured again"), plan, "left" if ended and not plan else again),
        _phase(_("Conclusion"), ended, _how_of_conclusion(case.now.state)),
    )


def _how_of_conclusion(state: State) -> str:
    match state:
        case State.CONCLUDED:
            return "done"
        case State.CONCLUSION:
            return "now"
        case _:
            return "next"


def _phase(name: str, step: InvestigationStep | None, how: str) -> Phase:
    return Phase(name, how, step.taken_by if step else "", step.taken_at if step else None)
