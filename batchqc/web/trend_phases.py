"""The beginning of a phase, with QA's signed reason, such as a change of the process."""

from typing import Annotated

from fastapi import Query, Request, Response

from batchqc.api import trend_limits as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.trend_shapes import PhaseIn
from batchqc.core.identifiers import fold
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said, signature, signer_of
from batchqc.web.rendering import gone_to, page
from batchqc.web.trend_subjects import Where, address, subject_of
from batchqc.web.wording import _

router = Routes()

Known = Annotated[Where, Query()]


@router.get("/trends/{product}/{criterion}/phases/new")
def ask(request: Request, call: Visit, product: str, criterion: str, where: Known) -> Response:
    """The lot that a phase is to begin with, and the fields of the signature."""
    return _form(request, call, where, (product, criterion))


@router.post("/trends/{product}/{criterion}/phases/new")
def begin(
    request: Request, call: Visit, form: OwnForm, product: str, criterion: str, where: Known
) -> Response:
    """Sign it, as the API does; a refusal keeps what was typed, but the password."""
    try:
        check({"lot": "" if form["lot"] else _("Name the lot that the phase begins with.")})
        sent = built(PhaseIn, signature(call, form) | {"lot": form["lot"]})
        api.phase(keyed(call, form), where.attribute(product, criterion), sent)
    except BatchqcError as error:
        return _form(request, call, where, (product, criterion), form, said(error))
    return gone_to(request, address(where, (product, criterion), "/limits", "phase"))


def _form(
    request: Request,
    call: Call,
    where: Where,
    path: tuple[str, str],
    form: Form | None = None,
    told: Said = NOTHING_SAID,
) -> Response:
    with call.reading() as session:
        trend, subject = subject_of(session, call, where, path)
        typed = fold(form["lot"]) if form else ""
        lot = next((one for one in trend.by_lot if fold(one) == typed), "")
        record = f"trend_phase:{trend.attribute.name}/{lot}" if lot else ""
        signer = signer_of(session, call, record=record, meaning=Meaning.APPROVED)
    return page(
        request,
        "trend_phase_new.html",
        status=told.status,
        subject=subject,
        phases=trend.phases,
        lots=[one.lot.lot for one in trend.lots][:0:-1][:300],
        lot=form["lot"] if form else "",
        reason=form["reason"] if form else "",
        signer=signer,
        may=is_permitted(call.person.roles, Permission.START_PHASE),
        **told.content,
    )
