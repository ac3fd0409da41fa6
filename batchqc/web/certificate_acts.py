"""What is made of a certificate: its seal where it is pending, copies for paper, and renditions.

Each is asked for on a form that says what will be made, of what, and that it stays on record.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.certificates import the_certificate
from batchqc.api import certificate_copies, renditions
from batchqc.api import certificates as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, is_permitted
from batchqc.errors import BatchqcError
from batchqc.records.certificate_search import Hit, hits
from batchqc.records.layouts import LayoutVersion, all_layouts, newest_approved_layout
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said
from batchqc.web.rendering import asks_for_part, gone_to, page
from batchqc.web.wording import _

router = Routes()

Act = Literal["issue", "copy", "rendition"]


@router.get("/certificates/{number}/make/{act}")
def ask(request: Request, call: Visit, number: str, act: Act) -> Response:
    """What is made, and the form for it."""
    return _form(request, call, number, act)


@router.post("/certificates/{number}/make/{act}")
def make(request: Request, call: Visit, form: OwnForm, number: str, act: Act) -> Response:
    """Do as the API does; a refusal keeps what was typed."""
    try:
        _done(keyed(call, form), form, number, act)
    except BatchqcError as error:
        return _form(request, call, number, act, said(error), form.fields)
    return gone_to(request, f"/certificates/{number}?did={act}")


def _done(call: Call, form: Form, number: str, act: Act) -> None:
    if act == "issue":
        api.issue(call, number)
    elif act == "copy":
        check({"recipient": "" if form["recipient"] else _("Say for whom the copy is.")})
        sent = built(certificate_copies.CopyRequest, {"recipient": form["recipient"]})
        json.loads(bytes(certificate_copies.make(call, number, sent).body))
    else:
        check({"layout": "" if form["layout"] else _("Choose a layout.")})
        renditions.make(call, number, built(renditions.NewRendition, {"layout": form["layout"]}))


def _form(
    request: Request,
    call: Call,
    number: str,
    act: Act,
    told: Said = NOTHING_SAID,
    typed: Mapping[str, str] | None = None,
) -> Response:
    with call.reading() as session:
        row = the_certificate(session, number)
        (hit,) = hits(session, [row.id])
        found = {"one": hit, "layouts": _layouts(session, hit) if act == "rendition" else ()}
    return page(
        request,
        "certificate_make_form.html" if asks_for_part(request) else "certificate_make.html",
        status=told.status,
        **told.content,
        **found,
        act=act,
        typed=dict(typed or {}),
        may=is_permitted(call.person.roles, Permission.ISSUE_CERTIFICATE),
        is_right=_is_right(act, hit),
    )


def _is_right(act: Act, hit: Hit) -> bool:
    """Whether the certificate is in a state in which this can be made of it."""
    return hit.status == ("pending" if act == "issue" else "issued")


def _layouts(session: Session, hit: Hit) -> list[Any]:
    """The newest approved version of each layout for a recipient that fits the product."""
    ids = dict.fromkeys(one.layout for one in all_layouts(session) if _fits(one, hit))
    approved = (newest_approved_layout(session, one) for one in ids)
    return [one.layout_version for one in approved if one is not None]


def _fits(one: LayoutVersion, hit: Hit) -> bool:
    return bool(one.recipient) and one.product in {"", hit.product}
