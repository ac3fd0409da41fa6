"""The steps of EU GMP Annex 16 for one lot: checked, certified, transferred to saleable stock."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.annex16 import qp_certifies
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lots import the_lot
from batchqc.actions.states import state_of_lot
from batchqc.api import annex16 as api
from batchqc.api.doors import Call, Signature
from batchqc.api.routes import Routes
from batchqc.api.tags import tag_of
from batchqc.core.annex16 import POINTS
from batchqc.core.dispositions import signer_gate
from batchqc.core.lot_states import USABLE, Overlay
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning
from batchqc.records.annex16 import certifications_of, checks_of
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.forms import built
from batchqc.web.rendering import page
from batchqc.web.signed_forms import signed, unseen
from batchqc.web.source_forms import Field, SourceForm, acted, may, show_form
from batchqc.web.wording import _

router = Routes()


@router.get("/lots/{lot}/annex16")
def show(request: Request, call: Visit, lot: str, did: str = "") -> Response:
    """Which steps are done, by whom, and which is next."""
    with call.reading() as session:
        case = _case(session, call, lot)
        found = certifications_of(session, case.row)
        checks = checks_of(session, case.row)
        certification, transfer = found[-1] if found else (None, None)
        return page(
            request,
            "annex16.html",
            did=did,
            case=case,
            applies=qp_certifies(session, case.row),
            checks=checks,
            stops=case.facts.annex16.stops,
            certification=certification,
            transfer=transfer,
            is_open=case.facts.is_undecided,
            before_check=_before_check(case, call.person.user_id),
            before_transfer=_before_transfer(session, case),
            may_check=may(call, Permission.CHECK_LOT),
            may_certify=may(call, Permission.CERTIFY_LOT),
        )


@router.get("/lots/{lot}/annex16/check")
def ask_check(request: Request, call: Visit, lot: str) -> Response:
    """The points of the check, each to be answered."""
    return show_form(request, call, lambda session: _check_form(session, call, lot))


@router.post("/lots/{lot}/annex16/check")
def check(request: Request, call: Visit, form: OwnForm, lot: str) -> Response:
    """Sign step 1, as the API does."""

    def act(keyed_call: Call) -> str:
        answers = {point: form[_name(point)] for point in POINTS}
        blank = {
            _name(point): _("Say by whom or with which record it is ensured.")
            for point, answer in answers.items()
            if not answer
        }
        given = signed(call, form, blank | unseen(form))
        api.check(keyed_call, lot, built(api.CheckRequest, given | {"answers": answers}))
        return f"/lots/{quote(lot)}/annex16?did=checked"

    return acted(request, call, form, lambda session: _check_form(session, call, lot), act)


@router.get("/lots/{lot}/annex16/transfer")
def ask_transfer(request: Request, call: Visit, lot: str) -> Response:
    """What is signed where a certified lot goes to saleable stock."""
    return show_form(request, call, lambda session: _transfer_form(session, call, lot))


@router.post("/lots/{lot}/annex16/transfer")
def transfer(request: Request, call: Visit, form: OwnForm, lot: str) -> Response:
    """Sign step 3, as the API does."""

    def act(keyed_call: Call) -> str:
        api.transfer(keyed_call, lot, _signed(call, form))
        return f"/lots/{quote(lot)}/annex16?did=transferred"

    return acted(request, call, form, lambda session: _transfer_form(session, call, lot), act)


def _signed(call: Call, form: Form) -> Signature:
    return built(Signature, signed(call, form, unseen(form)))


def _case(session: Session, call: Call, lot: str) -> LotCase:
    return study(session, call.door.archive, lot=the_lot(session, lot), now=call.door.now())


def _name(point: str) -> str:
    """The field of a point."""
    return f"point-{point.replace(' ', '-')}"


def _before_check(case: LotCase, user_id: str) -> tuple[str, ...]:
    """Why this person cannot sign the check now, as the action finds out."""
    if not case.facts.is_undecided:
        return (_("the lot is %(what)s") % {"what": case.disposition},)
    return (
        *case.facts.damaged,
        *case.facts.lot_review.stops,
        *case.facts.audit_review.stops,
        *signer_gate(case.facts, user_id).reasons,
    )


def _before_transfer(session: Session, case: LotCase) -> tuple[str, ...]:
    """Why the lot cannot be transferred now, as the action finds out."""
    found = certifications_of(session, case.row)
    if not found:
        return (_("it is not certified by a qualified person"),)
    against = [
        _("it is transferred already") if found[-1][1] is not None else "",
        "" if case.disposition in USABLE else _("the lot is %(what)s") % {"what": case.disposition},
        _("the lot is on hold") if Overlay.ON_HOLD in case.overlays else "",
        _("the lot is expired") if Overlay.EXPIRED in case.overlays else "",
    ]
    return tuple(one for one in against if one)


def _form(
    session: Session, call: Call, lot: str, *, meaning: Meaning, **more: Any
) -> tuple[LotCase, Mapping[str, Any]]:
    """The lot, and what both forms have in common."""
    case = _case(session, call, lot)
    state = state_of_lot(session, case)
    path, name = f"/lots/{quote(case.row.lot)}", case.row.lot
    crumbs = (
        ("/lots", _("Lots")), (path, name), (f"{path}/annex16", _("Annex 16")),
        ("", more["title"]),
    )  # fmt: skip
    facts = (
        (_("Lot"), f"{name}, {case.row.product.name}"),
        (_("Disposition"), str(case.disposition)),
        (_("Specification"), case.version.reference),
        (_("What it rests on, SHA-256"), state.sha256),
        (_("Meaning"), meaning.value.capitalize()),
    )
    found = certifications_of(session, case.row)
    certified = found and meaning is Meaning.TRANSFERRED
    record = found[-1][0].key if certified else case.row.key
    common: dict[str, Any] = {
        "crumbs": crumbs,
        "facts": facts,
        "seen": tag_of(session, state),
        "record": record,
        "meaning": meaning,
    }
    return case, common | {"permission": Permission.CHECK_LOT} | more


def _check_form(session: Session, call: Call, lot: str) -> SourceForm:
    case, common = _form(
        session, call, lot, meaning=Meaning.CHECKED, title=_("Check manufacture and testing")
    )
    return SourceForm(
        path=f"/lots/{quote(case.row.lot)}/annex16/check",
        says=_(
            "Step 1 of EU GMP Annex 16. Each point is answered by whom or with which record it is"
            " ensured; a point that is answered with no forbids the check."
        ),
        button=_("Sign the check"),
        against=_before_check(case, call.person.user_id),
        fields=tuple(
            Field(_name(point), f"{point.capitalize()}: {what}") for point, what in POINTS.items()
        ),
        **common,
    )


def _transfer_form(session: Session, call: Call, lot: str) -> SourceForm:
    case, common = _form(
        session, call, lot, meaning=Meaning.TRANSFERRED, title=_("Transfer to saleable stock")
    )
    return SourceForm(
        path=f"/lots/{quote(case.row.lot)}/annex16/transfer",
        says=_("Step 3 of EU GMP Annex 16: the certification is taken into account."),
        button=_("Sign the transfer"),
        against=_before_transfer(session, case),
        fields=(),
        **common,
    )
