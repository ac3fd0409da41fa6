"""The decision over a lot: what exactly is signed, and the signature under it.

What the person saw travels with the form, and the decision is refused where it is not so any more.
The password is typed by the person, each time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.annex16 import permission_to_release
from batchqc.actions.deciding import MEANINGS
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lots import the_lot
from batchqc.actions.people import the_person
from batchqc.actions.signing import code_is_asked
from batchqc.actions.states import state_of_lot
from batchqc.api import decisions as api
from batchqc.api.doors import Call
from batchqc.api.errors import status_of
from batchqc.api.tags import tag_of
from batchqc.core.dispositions import signer_gate
from batchqc.core.lot_states import Disposition, may_decide
from batchqc.core.permissions import Permission, is_permitted
from batchqc.errors import BatchqcError
from batchqc.records.people import newest_password
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.lot_results import lines_of, tally
from batchqc.web.rendering import NO_PROBLEMS, asks_for_part, gone_to, page
from batchqc.web.wording import _

router = APIRouter()

Act = Literal["release", "reject"]
_WANTED: Final[dict[str, Disposition]] = {
    "release": Disposition.RELEASED,
    "reject": Disposition.REJECTED,
}
#: Which field a refusal is about.
_FIELDS: Final = {
    "BQC-SIG-001": "password", "BQC-SIG-002": "password", "BQC-SIG-004": "reason",
    "BQC-SIG-011": "code",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """Which decision is asked for, and what was typed and seen already."""

    lot: str
    act: str
    reason: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A decision that the page of a lot offers, or why this person cannot take it now."""

    act: str
    is_possible: bool
    why_not: tuple[str, ...] = ()


def offered(session: Session, call: Call, case: LotCase) -> list[Offer]:
    """Release and rejection, where the lot's disposition leads there and the role allows it."""
    found = []
    for act, wanted in _WANTED.items():
        permission = (
            permission_to_release(session, case.row)
            if wanted is Disposition.RELEASED
            else Permission.REJECT_LOT
        )
        if may_decide(case.disposition, wanted) and is_permitted(call.person.roles, permission):
            found.append(_offer(call, case, act))
    return found


def _offer(call: Call, case: LotCase, act: str) -> Offer:
    if act == "reject":
        return Offer(act, is_possible=True)
    own = signer_gate(case.facts, call.person.user_id)
    return Offer(act, case.is_ready and own.is_open, own.reasons)


@router.get("/lots/{lot}/decision/{act}")
def ask(request: Request, call: Visit, lot: str, act: Act) -> Response:
    """What is signed, and the fields of the signature."""
    return _form(request, call, Asked(lot, act))


@router.post("/lots/{lot}/decision/{act}")
def decide(request: Request, call: Visit, form: OwnForm, lot: str, act: Act) -> Response:
    """Sign the decision, as the API does; a refusal keeps what was typed, but the password."""
    problems = {
        "reason": "" if form["reason"] else _("Write why, in words that a stranger understands."),
        "password": "" if form["password"] or form["code"] else _("Type your password."),
        "seen": "" if form["seen"] else _("This form does not say what you saw. Open it again."),
    }
    asked = Asked(lot, act, form["reason"], form["seen"])
    if any(problems.values()):
        return _form(request, call, asked, problems=problems)
    sent = api.DecisionRequest.model_validate(
        {
            "user_id": call.person.user_id,
            "password": form.secret("password"),
            "code": form["code"],
            "reason": form["reason"],
            "decision": _WANTED[act].value,
        }
    )
    try:
        decided = json.loads(bytes(api.decide(keyed(call, form), lot, sent).body))
    except BatchqcError as error:
        return _form(request, call, asked, error=error)
    return gone_to(request, f"/lots/{decided['lot']}?did={act}")


def _form(
    request: Request,
    call: Call,
    asked: Asked,
    *,
    problems: Mapping[str, str] = NO_PROBLEMS,
    error: BatchqcError | None = None,
) -> Response:
    found = {name: said for name, said in problems.items() if said}
    if error is not None and error.code in _FIELDS:
        found[_FIELDS[error.code]] = f"{error.message}. {error.hint}"
    content = _content(call, asked)
    return page(
        request,
        "decision_form.html" if asks_for_part(request) else "decision.html",
        status=status_of(error)[0] if error else 422 if found else 200,
        problems=found,
        error=error,
        **content | {"seen": asked.seen or content["seen"]},
    )


def _content(call: Call, asked: Asked) -> dict[str, Any]:
    """What the form shows of the lot, and what it asks of the person."""
    with call.reading() as session:
        row = the_lot(session, asked.lot)
        case = study(session, call.door.archive, lot=row, now=call.door.now())
        state = state_of_lot(session, case)
        person = the_person(session, call.person.user_id)
        return {
            "act": asked.act,
            "reason": asked.reason,
            "seen": tag_of(session, state),
            "case": case,
            "tally": tally(lines_of(case.verdicts)),
            "closed": [one for one in case.gates if not one.is_open],
            "offer": next(
                (one for one in offered(session, call, case) if one.act == asked.act), None
            ),
            "meaning": MEANINGS[_WANTED[asked.act]].value,
            "record": state.sha256,
            "has_password": newest_password(session, person) is not None,
            "asks_code": code_is_asked(session, person),
        }
