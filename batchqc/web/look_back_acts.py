"""Starting and closing a look-back: what is reached, what is signed, and the signature."""

import json
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.genealogy import the_node
from batchqc.actions.look_backs import the_look_back, would_reach
from batchqc.api import look_backs as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.genealogy import NodeKind, id_of, kind_of
from batchqc.core.look_backs import SOURCES, LookBackCause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.web.calls import OwnForm, Visit
from batchqc.web.forms import built, check, signature
from batchqc.web.source_forms import Field, SourceForm, acted, options, show_form
from batchqc.web.wording import _

router = Routes()

_NAMED: Final = 12


@router.get("/look-backs/new")
def ask(request: Request, call: Visit, source: str = "") -> Response:
    """From what it begins, what it reaches now, and the fields of the signature."""
    return show_form(request, call, _start(call, source))


@router.post("/look-backs/new")
def start(request: Request, call: Visit, form: OwnForm) -> Response:
    """Start a look-back, as the API does: everything is held in one transaction."""
    source = form["source"]

    def act(keyed: Call) -> str:
        check(
            {
                "cause": "" if form["cause"] else _("Say what came into doubt."),
            }
        )
        typed = {"source": source, "cause": form["cause"], "about": form["about"]}
        sent = built(api.LookBackRequest, signature(call, form) | typed)
        found = json.loads(bytes(api.start(keyed, sent).body))
        return f"/look-backs/{found['number']}?did=started"

    return acted(request, call, form, _start(call, source), act)


@router.get("/look-backs/{number}/closing")
def ask_closing(request: Request, call: Visit, number: str) -> Response:
    """What is closed, and the fields of the signature."""
    return show_form(request, call, _closing(call, number))


@router.post("/look-backs/{number}/closing")
def close(request: Request, call: Visit, form: OwnForm, number: str) -> Response:
    """Close a look-back with its conclusion; holds and quarantines stay."""

    def act(keyed: Call) -> str:
        check({"conclusion": "" if form["conclusion"] else _("Say what was concluded.")})
        typed = {"conclusion": form["conclusion"]}
        sent = built(api.ClosingRequest, signature(call, form) | typed)
        api.close(keyed, number, sent)
        return f"/look-backs/{quote(number)}?did=closed"

    return acted(request, call, form, _closing(call, number), act)


def _start(call: Call, source: str) -> Callable[[Session], SourceForm]:
    def made(session: Session) -> SourceForm:
        facts, against = _reached(session, call, source)
        record = the_node(session, source).key if facts else ""
        return SourceForm(
            title=_("Start a look-back"),
            path="/look-backs/new",
            says=_(
                "You sign that the cells of this source came into doubt. In the same moment every"
                " lot that comes of it is put on hold, whatever its disposition, every bank is"
                " quarantined, and where each dose is gets frozen. Your signature binds the hash of"
                " that list: it exists from then on, and stands on the page of the look-back."
            ),
            button=_("Sign and start the look-back"),
            permission=Permission.START_LOOK_BACK,
            crumbs=(("/look-backs", _("Look-backs")), ("", _("New look-back"))),
            facts=facts,
            against=against,
            more={
                "heading": _("What may be missing from the list"),
                "source": source,
                "is_found": bool(facts),
                "hidden": (("source", source),),
            },
            record=record,
            meaning=Meaning.AUTHORED,
            is_grave=True,
            fields=(
                Field("cause", _("What came into doubt"), "select",
                      options=(("", ""), *options(LookBackCause))),
                Field("about", _("Record that caused it"), required=False,
                      hint=_("Its key, such as donor_test:G123498654321/1.")),
            ),
        )  # fmt: skip

    return made


def _reached(
    session: Session, call: Call, source: str
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """What a look-back would reach now, and what is wrong with the records that say so."""
    if not source:
        return (), ()
    try:
        row = the_node(session, source)
    except BatchqcError as error:
        return (), (error.message,)
    if kind_of(row.key) not in SOURCES:
        return (), (_("A look-back begins from a donor, a donation, a pool or a bank."),)
    graph, wrong = would_reach(session, row, call.door.now())
    of = {kind: sorted(key for key in graph.nodes if kind_of(key) is kind) for kind in NodeKind}
    return (
        (_("From"), row.key),
        (_("Lots to hold"), _named(of[NodeKind.LOT])),
        (_("Banks to quarantine"), _named(of[NodeKind.CELL_BANK])),
        (_("Doses"), str(len(of[NodeKind.CONTAINER]))),
        (_("Recipients"), str(len(of[NodeKind.RECIPIENT]))),
        (_("Meaning"), Meaning.AUTHORED.value.capitalize()),
    ), tuple(wrong)


def _named(keys: list[str]) -> str:
    """How many, and which."""
    more = f", … {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    named = ", ".join(id_of(one) for one in keys[:_NAMED])
    return f"{len(keys)}: {named}{more}" if keys else "0"


def _closing(call: Call, number: str) -> Callable[[Session], SourceForm]:
    found = api.one_look_back(call, number)

    def made(session: Session) -> SourceForm:
        row = the_look_back(session, number)
        return SourceForm(
            title=_("Close %(number)s") % {"number": found.number},
            path=f"/look-backs/{found.number}/closing",
            says=_(
                "You sign what was concluded. Holds and quarantines stay: QA lets go of each lot"
                " and bank by itself afterwards. Cells of the source may be used again."
            ),
            button=_("Sign and close"),
            permission=Permission.CLOSE_LOOK_BACK,
            crumbs=(
                ("/look-backs", _("Look-backs")),
                (f"/look-backs/{found.number}", found.number),
                ("", _("Closing")),
            ),
            facts=(
                (_("Look-back"), f"{found.number} from {found.source}"),
                (_("Cause"), f"{found.cause.value}: {found.reason}"),
                (_("Lots, banks, doses"),
                 f"{len(found.lots)}, {len(found.banks)}, {found.doses}"),
                (_("Frozen list, SHA-256"), found.list_sha256),
                (_("Meaning"), Meaning.APPROVED.value.capitalize()),
                (_("Record, SHA-256"), row.content_sha256),
            ),
            against=tuple(found.incomplete),
            more={"heading": _("What may be missing from the list")},
            record=row.key,
            meaning=Meaning.APPROVED,
            fields=(
                Field("conclusion", _("Conclusion"),
                      hint=_("What was found, and what becomes of the lots.")),
            ),
        )  # fmt: skip

    return made
