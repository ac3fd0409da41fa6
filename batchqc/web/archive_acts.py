"""Signing for the archive: a rule of retention, legal holds and their release, disposals.

Each form shows what is signed; the request is that of the API.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.disposals import the_disposal
from batchqc.actions.lots import the_lot
from batchqc.actions.raw_objects import hashes_of_lot
from batchqc.actions.retention import the_legal_hold
from batchqc.api import archive as api
from batchqc.api.archive_shapes import disposal_out, hold_out
from batchqc.api.doors import Call, Signature
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.records.retention import Disposal, LegalHold, RetentionRuleRow, retention_rules
from batchqc.records.signatures import next_number
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said, signature, signer_of
from batchqc.web.rendering import asks_for_part, gone_to, page
from batchqc.web.wording import _

router = Routes()

Act = Literal["hold", "release", "dispose", "approve", "rule"]

_NEEDS: Final[Mapping[Act, Permission]] = {
    "hold": Permission.HOLD_LEGALLY,
    "release": Permission.HOLD_LEGALLY,
    "dispose": Permission.DISPOSE,
    "approve": Permission.DISPOSE,
    "rule": Permission.SET_RETENTION,
}


@router.get("/archive/sign/{act}")
def ask(request: Request, call: Visit, act: Act, of: str = "") -> Response:
    """What is signed; ``of`` is the lot, or the number of the hold or the disposal."""
    return _form(request, call, act, of.strip())


@router.post("/archive/sign/{act}")
def sign(request: Request, call: Visit, form: OwnForm, act: Act, of: str = "") -> Response:
    """Sign, as the API does; a refusal keeps what was typed, but the password."""
    try:
        _signed(keyed(call, form), form, act, of)
    except BatchqcError as error:
        return _form(request, call, act, of, said(error), form)
    return gone_to(request, f"/archive?did={act}")


def _signed(call: Call, form: Form, act: Act, of: str) -> None:
    given: dict[str, object] = dict(signature(call, form))
    match act:
        case "hold":
            api.hold(call, built(api.OfLot, given | {"lot": of}))
        case "release":
            api.release(call, of, built(Signature, given))
        case "dispose":
            api.ask(call, built(api.OfLot, given | {"lot": of}))
        case "approve":
            api.approve(call, of, built(Signature, given))
        case "rule":
            api.set_rule(call, built(api.NewRetentionRule, given | _years(form)))


def _years(form: Form) -> dict[str, object]:
    years = {name: form[name] for name in ("after_expiry", "after_manufacture")}
    wrong = _("Write a whole number of years.")
    check({name: "" if one.isdecimal() else wrong for name, one in years.items()})
    return dict(years)


def _form(
    request: Request,
    call: Call,
    act: Act,
    of: str,
    told: Said = NOTHING_SAID,
    typed: Form | None = None,
) -> Response:
    with call.reading() as session:
        about = _about(session, act, of)
        record, meaning = _signs(session, act, of, call.door.now().year)
        signer = signer_of(session, call, record=record, meaning=meaning)
    names = ("reason", "after_expiry", "after_manufacture")
    return page(
        request,
        "certificate_sign_form.html" if asks_for_part(request) else "certificate_sign.html",
        status=told.status,
        **told.content,
        act=act,
        of=of,
        about=about,
        typed={name: typed[name] if typed else "" for name in names},
        signer=signer,
        meaning=meaning.value,
        may=is_permitted(call.person.roles, _NEEDS[act]),
    )


def _signs(session: Session, act: Act, of: str, year: int) -> tuple[str, Meaning]:
    """The key of what is signed, and what the signature will mean."""
    match act:
        case "hold":
            number = next_number(session, LegalHold, year)
            return LegalHold(year=year, number=number).key, Meaning.HELD
        case "release":
            return the_legal_hold(session, of).key, Meaning.LET_GO
        case "dispose":
            number = next_number(session, Disposal, year)
            return Disposal(year=year, number=number).key, Meaning.DISPOSAL_REQUESTED
        case "approve":
            return the_disposal(session, of).key, Meaning.DISPOSED
        case "rule":
            number = len(retention_rules(session)) + 1
            return RetentionRuleRow(number=number).key, Meaning.APPROVED


def _about(session: Session, act: str, of: str) -> Mapping[str, Any]:
    """What the signature is about, by the act."""
    if act in {"hold", "dispose"}:
        row = the_lot(session, of)
        return {"lot": row.lot, "files": hashes_of_lot(session, row)}
    if act == "release":
        return {"hold": hold_out(session, the_legal_hold(session, of))}
    if act == "approve":
        return {"disposal": disposal_out(session, the_disposal(session, of))}
    return {}
