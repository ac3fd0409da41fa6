"""Submitting, approving and withdrawing a version: what it is about, then the act, as the API does.

What was seen travels with the form, and what is not so any more is not signed.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response

from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.tags import tag_of
from batchqc.errors import BatchqcError, NotFound
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.controlled import Act
from batchqc.web.controlled_kinds import KINDS
from batchqc.web.forms import NOTHING_SAID, Said, check, said, signer_of
from batchqc.web.rendering import gone_to, page
from batchqc.web.wording import _

router = Routes()

_BLANK = Form({})


@dataclass(frozen=True, slots=True)
class Named:
    """An act and the version that it is about, as the address names them."""

    kind: str
    name: str
    version: str
    act: str

    @property
    def page(self) -> str:
        """Where the version is read."""
        return f"/{self.kind}/{self.name}/{self.version}"


Of = Annotated[Named, Depends()]
_PATH: Final = "/{kind:document}/{name:path}/{version}/{act:act}"


@router.get(_PATH)
def ask(request: Request, call: Visit, of: Of) -> Response:
    """What the act is about, and the fields of the signature where it has one."""
    return _form(request, call, of)


@router.post(_PATH)
def do(request: Request, call: Visit, form: OwnForm, of: Of) -> Response:
    """Do it; a refusal keeps what was typed, but the password."""
    try:
        if KINDS[of.kind].contested is not None and not form["seen"]:
            check({"seen": _("This form does not say what you saw. Open it again.")})
        _act(of).send(call, of.name, of.version, form)
    except BatchqcError as error:
        return _form(request, call, of, form=form, told=said(error))
    return gone_to(request, f"{of.page}?did={of.act}")


def _act(of: Named) -> Act:
    for act in KINDS[of.kind].acts.values():
        if act.name == of.act:
            return act
    raise NotFound(
        "BQC-WEB-003", _("there is no page at this address"),
        hint=_("Look at how it is written, or search for what you wanted."),
    )  # fmt: skip


def _form(
    request: Request, call: Call, of: Named, *, form: Form = _BLANK, told: Said = NOTHING_SAID
) -> Response:
    act, kind = _act(of), KINDS[of.kind]
    content: dict[str, Any] = {"kind": kind, "act": act, "form": form, "seen": ""}
    content["path"] = f"/specifications/{of.kind}"  # of the main navigation
    with call.reading() as session:
        found = kind.detail(session, call.door, of.name, of.version)
        asked = kind.asked(session, call, act, found)
        content |= {
            "found": found,
            "is_now": kind.acts.get(found.line.state) == act,
            "asked": asked,
            "signer": signer_of(session, call, record=kind.key_of(found.line), meaning=act.meaning),
            "impact": asked.more.get("impact"),
            "changes": asked.more.get("changes"),
        }
        if kind.contested is not None:
            state = kind.contested(of.name, of.version, call.door.now()).state(session)
            content["seen"] = form["seen"] or tag_of(session, state)
        return page(request, "controlled_act.html", status=told.status, **content | told.content)
