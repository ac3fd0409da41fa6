"""Stops of the system: when it was down, and what QA signed of it; nothing is edited."""

from itertools import groupby
from typing import Final, Literal

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.api import system_stops as api
from batchqc.api.doors import Call, Signature
from batchqc.api.routes import Routes
from batchqc.api.shapes import Whole
from batchqc.core.permissions import WHO_MAY, Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError, NotFound
from batchqc.records.system_stops import stop_rows
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, said, signer_of
from batchqc.web.rendering import gone_to, page
from batchqc.web.signed_forms import signed
from batchqc.web.wording import _

router = Routes()

Act = Literal["end", "withdrawal"]
_NEW: Final = 0


@router.get("/system-stops")
def stops(request: Request, call: Visit, did: str = "") -> Response:
    """Every stop with all that was told of it, the newest first."""
    with call.reading() as session:
        told = [
            (number, [(row, row.signature) for row in rows])
            for number, rows in groupby(stop_rows(session), key=lambda row: row.stop)
        ]
        return page(
            request,
            "system_stops.html",
            stops=told[::-1],
            did=did,
            may_record=is_permitted(call.person.roles, Permission.RECORD_STOP),
            roles=sorted(WHO_MAY[Permission.RECORD_STOP]),
        )


@router.get("/system-stops/new")
def ask(request: Request, call: Visit) -> Response:
    """The form of a stop that is not on record yet."""
    return _form(request, call, (_NEW, "new"), Form({}))


@router.post("/system-stops")
def record(request: Request, call: Visit, form: OwnForm) -> Response:
    """Record a stop, as the API does."""
    try:
        given = _signed(call, form, {"began": _("Write when it began.")})
        sent = built(api.StopRequest, given | {"began": form["began"], "ended": form["ended"]})
        api.record(keyed(call, form), sent)
    except BatchqcError as error:
        return _form(request, call, (_NEW, "new"), form, said(error))
    return gone_to(request, "/system-stops?did=new")


@router.get("/system-stops/{stop}/{act}")
def ask_more(request: Request, call: Visit, stop: Whole, act: Act) -> Response:
    """The form of the end of a stop, or of its withdrawal."""
    return _form(request, call, (stop, act), Form({}))


@router.post("/system-stops/{stop}/{act}")
def tell_more(request: Request, call: Visit, form: OwnForm, stop: Whole, act: Act) -> Response:
    """Tell more of a stop, as the API does."""
    try:
        if act == "end":
            given = _signed(call, form, {"ended": _("Write when it ended.")})
            api.end(keyed(call, form), stop, built(api.StopEnd, given | {"ended": form["ended"]}))
        else:
            api.withdraw(keyed(call, form), stop, built(Signature, _signed(call, form, {})))
    except BatchqcError as error:
        return _form(request, call, (stop, act), form, said(error))
    return gone_to(request, f"/system-stops?did={act}")


def _signed(call: Call, form: Form, required: dict[str, str]) -> dict[str, str]:
    """The signature, or everything that is missing at once."""
    return signed(call, form, {name: text for name, text in required.items() if not form[name]})


def _form(
    request: Request, call: Call, where: tuple[int, str], form: Form, told: Said = NOTHING_SAID
) -> Response:
    stop, act = where
    with call.reading() as session:
        rows = [(row, row.signature) for row in stop_rows(session) if row.stop == stop]
        if stop and not rows:
            raise NotFound("BQC-LAT-005", f"there is no stop {stop} of the system")
        record = _next_key(session, stop)
        return page(
            request,
            "system_stop.html",
            status=told.status,
            stop=stop,
            act=act,
            rows=rows,
            typed=form,
            signer=signer_of(session, call, record=record, meaning=Meaning.AUTHORED),
            meaning=Meaning.AUTHORED.value,
            may_record=is_permitted(call.person.roles, Permission.RECORD_STOP),
            roles=sorted(WHO_MAY[Permission.RECORD_STOP]),
            **told.content,
        )


def _next_key(session: Session, stop: int) -> str:
    """The key of what is told next of a stop, or of a new one."""
    told = [row.stop for row in stop_rows(session)]
    stop = stop or max(told, default=0) + 1
    return f"system_stop:{stop}/{told.count(stop) + 1}"
