"""Asking for an investigation of results that cannot be judged, and of which none fails."""

import json

from fastapi import Request, Response

from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lots import the_lot
from batchqc.api import investigation_opening as api
from batchqc.api.doors import Call
from batchqc.api.investigation_shapes import ByHand
from batchqc.api.routes import Routes
from batchqc.core.permissions import WHO_MAY, Permission, is_permitted
from batchqc.core.questioned import questioned
from batchqc.core.verdicts import Verdict
from batchqc.errors import BatchqcError
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said
from batchqc.web.rendering import gone_to, page
from batchqc.web.wording import _

router = Routes()


def may_be_asked_for(case: LotCase, verdict: Verdict) -> bool:
    """Whether a verdict of the specification that decides may be investigated by hand.

    Where one of its results fails, its own investigation is there.
    """
    known = case.known.investigations
    if case.specification is None or any(
        one.criterion == verdict.criterion.id and one.conclusion is None for one in known
    ):
        return False
    asked = questioned(case.specification, verdict, case.measurements, known)
    return asked is not None and not any(
        one.attributes & asked.attributes for one in case.so_far.failures
    )


@router.get("/lots/{lot}/investigation")
def ask(request: Request, call: Visit, lot: str, criterion: str = "") -> Response:
    """What cannot be judged, and the field of the reason."""
    return _form(request, call, lot, Form({"criterion": criterion}))


@router.post("/lots/{lot}/investigation")
def open_one(request: Request, call: Visit, form: OwnForm, lot: str) -> Response:
    """Open it, as the API does; a refusal keeps what was typed."""
    try:
        check({"reason": "" if form["reason"] else _("Say why it is to be investigated.")})
        given = {"lot": lot, "criterion": form["criterion"], "reason": form["reason"]}
        made = json.loads(bytes(api.by_hand(keyed(call, form), built(ByHand, given)).body))
    except BatchqcError as error:
        return _form(request, call, lot, form, said(error))
    return gone_to(request, f"/investigations/{made['number']}?did=opened")


def _form(
    request: Request, call: Call, lot: str, form: Form, told: Said = NOTHING_SAID
) -> Response:
    with call.reading() as session:
        case = study(session, call.door.archive, lot=the_lot(session, lot), now=call.door.now())
    chosen = next((one for one in case.verdicts if one.criterion.id == form["criterion"]), None)
    return page(
        request,
        "investigation_new.html",
        status=told.status,
        case=case,
        chosen=chosen,
        is_asked=chosen is not None and may_be_asked_for(case, chosen),
        may_open=is_permitted(call.person.roles, Permission.INVESTIGATE),
        roles=sorted(WHO_MAY[Permission.INVESTIGATE]),
        typed=form,
        **told.content,
    )
