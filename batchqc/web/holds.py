"""Holds of a lot: why it is held, since when, and the signed act that holds it or lets it go."""

from typing import Annotated, Any

from fastapi import Path, Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lots import the_lot
from batchqc.actions.states import state_of_lot
from batchqc.api import holds as api
from batchqc.api.doors import Call, Signature
from batchqc.api.routes import Routes
from batchqc.api.tags import tag_of
from batchqc.core.dispositions import signer_gate
from batchqc.core.lot_states import IN_USE
from batchqc.core.permissions import WHO_MAY, Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError, NotFound
from batchqc.records.holds import holds_of
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, said, signer_of
from batchqc.web.rendering import gone_to, page
from batchqc.web.signed_forms import signed, unseen

router = Routes()

Number = Annotated[int, Path(ge=1)]


@router.get("/lots/{lot}/hold")
def show(request: Request, call: Visit, lot: str, did: str = "") -> Response:
    """Every hold of a lot, and the form to hold it."""
    return _page(request, call, (lot, 0), Form({}), did=did)


@router.post("/lots/{lot}/hold")
def hold(request: Request, call: Visit, form: OwnForm, lot: str) -> Response:
    """Hold it, as the API does."""
    try:
        api.hold(keyed(call, form), lot, _sent(call, form))
    except BatchqcError as error:
        return _page(request, call, (lot, 0), form, said(error))
    return gone_to(request, f"/lots/{lot}/hold?did=hold")


@router.get("/lots/{lot}/hold/{number}/end")
def ask_end(request: Request, call: Visit, lot: str, number: Number) -> Response:
    """What is signed where a hold ends."""
    return _page(request, call, (lot, number), Form({}))


@router.post("/lots/{lot}/hold/{number}/end")
def end(request: Request, call: Visit, form: OwnForm, lot: str, number: Number) -> Response:
    """End one hold, as the API does; others stay."""
    try:
        api.end(keyed(call, form), lot, number, _sent(call, form))
    except BatchqcError as error:
        return _page(request, call, (lot, number), form, said(error))
    return gone_to(request, f"/lots/{lot}/hold?did=end")


def _sent(call: Call, form: Form) -> Signature:
    """The request of the API, or everything that is missing at once."""
    return built(Signature, signed(call, form, unseen(form)))


def _page(
    request: Request, call: Call, where: tuple[str, int], form: Form, told: Said = NOTHING_SAID,
    *, did: str = "",
) -> Response:  # fmt: skip
    """All holds and the form of a new one, or the form of the end of one."""
    lot, number = where
    with call.reading() as session:
        case = study(session, call.door.archive, lot=the_lot(session, lot), now=call.door.now())
        content = _content(session, call, case, number)
        return page(
            request,
            "hold_end.html" if number else "holds.html",
            status=told.status,
            did=did,
            typed=form,
            **content | {"seen": form["seen"] or content["tag"]} | told.content,
        )


def _content(session: Session, call: Call, case: LotCase, number: int) -> dict[str, Any]:
    """The holds of a lot, newest first, with who signed them."""
    holds = [*reversed(holds_of(session, [case.row.id]))]
    chosen = next((pair for pair in holds if pair[0].number == number), None)
    if number and chosen is None:
        raise NotFound("BQC-HLD-001", f"lot {case.row.lot} has no hold {number}")
    state = state_of_lot(session, case)
    meaning = Meaning.LET_GO if number else Meaning.HELD
    record = chosen[0].key if chosen else case.row.key
    own = signer_gate(case.facts, call.person.user_id)
    return {
        "case": case,
        "holds": [(one, one.signature, ended, ended and ended.signature) for one, ended in holds],
        "chosen": chosen,
        "is_held": any(ended is None for _, ended in holds),
        "closed": [one for one in case.gates if not one.is_open],
        "is_in_use": case.disposition in IN_USE,
        "why_not": own.reasons if number and case.disposition in IN_USE else (),
        "record": state.sha256,
        "tag": tag_of(session, state),
        "signer": signer_of(session, call, record=record, meaning=meaning),
        "meaning": meaning.value,
        "may_hold": is_permitted(call.person.roles, Permission.HOLD_LOT),
        "roles": sorted(WHO_MAY[Permission.HOLD_LOT]),
    }
