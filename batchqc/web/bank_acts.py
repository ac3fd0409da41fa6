"""What is recorded of cell banks: registering one, its status, and its passages."""

from collections.abc import Callable
from urllib.parse import quote

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.cell_banks import permission_to, the_bank
from batchqc.api import genealogy as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.genealogy import NodeKind, id_of
from batchqc.core.permissions import Permission
from batchqc.records.cell_banks import bank_statuses, children_of
from batchqc.web.calls import OwnForm, Visit
from batchqc.web.forms import built, check
from batchqc.web.source_forms import Field, SourceForm, acted, lines, options, show_form
from batchqc.web.wording import _

router = Routes()


@router.get("/banks/new")
def new_bank(request: Request, call: Visit) -> Response:
    """The form of a bank."""
    return show_form(request, call, _new)


@router.post("/banks/new")
def add_bank(request: Request, call: Visit, form: OwnForm) -> Response:
    """Register a bank."""

    def act(keyed: Call) -> str:
        needed = ("id", "made_on", "expires_on", "place", "containers", "passage")
        none = "" if lines(form["made_of"]) else _("Say what it is made of.")
        blank = {one: "" if form[one] else _("This is needed.") for one in needed}
        check(blank | {"made_of": none})
        typed = {one: form[one] for one in (*needed, "kind", "basis", "max_doublings")}
        is_pool = bool(form["is_pool:yes"])
        more = {"made_of": lines(form["made_of"]), "is_pool": is_pool}
        sent = built(api.BankRequest, typed | more)
        api.add_bank(keyed, sent)
        return f"/banks/{quote(sent.id)}?did=bank"

    return acted(request, call, form, _new, act)


@router.get("/banks/{bank}/status")
def ask_status(request: Request, call: Visit, bank: str, to: BankStatus) -> Response:
    """The form with which a bank is put in quarantine, let out of it, or destroyed."""
    return show_form(request, call, _status(bank, to))


@router.post("/banks/{bank}/status")
def set_status(request: Request, call: Visit, form: OwnForm, bank: str, to: BankStatus) -> Response:
    """Record what a bank is from now on."""

    def act(keyed: Call) -> str:
        check({"reason": "" if form["reason"] else _("Write why.")})
        sent = built(api.StatusRequest, {"status": to, "reason": form["reason"]})
        api.bank_status(keyed, bank, sent)
        return f"/banks/{quote(bank)}?did=status"

    return acted(request, call, form, _status(bank, to), act)


@router.get("/banks/{bank}/passages/new")
def new_passage(request: Request, call: Visit, bank: str) -> Response:
    """The form of a passage."""
    return show_form(request, call, _passage(bank))


@router.post("/banks/{bank}/passages/new")
def add_passage(request: Request, call: Visit, form: OwnForm, bank: str) -> Response:
    """Record a passage; a later row of the same replaces it, and says why."""

    def act(keyed: Call) -> str:
        needed = ("passage", "seeded", "harvested", "harvested_on")
        check({one: "" if form[one] else _("This is needed.") for one in needed})
        typed = {one: form[one] for one in (*needed, "reason")}
        node = f"{NodeKind.CELL_BANK}:{bank}"
        api.add_passage(keyed, built(api.PassageRequest, typed | {"node": node}))
        return f"/banks/{quote(bank)}?did=passage"

    return acted(request, call, form, _passage(bank), act)


def _status(bank: str, to: BankStatus) -> Callable[[Session], SourceForm]:
    says = {
        BankStatus.QUARANTINED: _(
            "Every lot in use that comes from it is held in the same moment."
        ),
        BankStatus.AVAILABLE: _(
            "Cells may be taken from it again. Holds stay; QA lets go of each lot by itself."
        ),
        BankStatus.DESTROYED: _("Nothing leads on from there: it stays destroyed."),
    }

    def made(session: Session) -> SourceForm:
        row = the_bank(session, bank)
        now = bank_statuses(session, [row])[row.id]
        came = [id_of(one.child) for one in children_of(session, [row.key])]
        return SourceForm(
            title=_("%(bank)s becomes %(status)s") % {"bank": row.bank, "status": to.value},
            path=f"/banks/{quote(row.bank)}/status?to={to.value}",
            says=says[to],
            button=_("Record it"),
            permission=permission_to(to),
            crumbs=bank_crumbs(row.bank, _("Status")),
            is_grave=to is not BankStatus.AVAILABLE,
            facts=(
                (_("Bank"), f"{row.bank}, {row.kind}"),
                (_("It is now"), now.value),
                (_("Made of it"), ", ".join(came) or _("nothing on record")),
            ),
            fields=(Field("reason", _("Reason"), hint=_("One line that a stranger understands.")),),
        )

    return made


def _passage(bank: str) -> Callable[[Session], SourceForm]:
    def made(session: Session) -> SourceForm:
        row = the_bank(session, bank)
        return SourceForm(
            title=_("Record a passage of %(bank)s") % {"bank": row.bank},
            path=f"/banks/{quote(row.bank)}/passages/new",
            says=_("A row is never changed; a later row of the same passage replaces it."),
            button=_("Record the passage"),
            permission=Permission.KEEP_BANKS,
            crumbs=bank_crumbs(row.bank, _("Passage")),
            fields=(
                Field("passage", _("Passage"), hint=_("A number from 0.")),
                Field("seeded", _("Cells seeded"), hint=_("Such as 5E5.")),
                Field("harvested", _("Cells harvested"), hint=_("Such as 8.2E6.")),
                Field("harvested_on", _("Harvested on"), "date"),
                Field("reason", _("Reason"), required=False,
                      hint=_("Needed where an earlier row is replaced.")),
            ),
        )  # fmt: skip

    return made


def bank_crumbs(bank: str, last: str) -> tuple[tuple[str, str], ...]:
    """The way to a form of a bank."""
    return (("/banks", _("Cell banks")), (f"/banks/{quote(bank)}", bank), ("", last))


def _new(_session: Session) -> SourceForm:
    return SourceForm(
        title=_("New cell bank"),
        path="/banks/new",
        says=_("It is refused with every reason at once where it cannot be of what it names."),
        button=_("Register the bank"),
        permission=Permission.KEEP_BANKS,
        crumbs=(("/banks", _("Cell banks")), ("", _("New cell bank"))),
        fields=(
            Field("id", _("Id"), hint=_("Such as MCB-UC-01.")),
            Field("kind", _("Kind"), "select", options=options(BankKind)),
            Field("made_of", _("Made of"), "lines",
                  hint=_("Donations, pools or banks, one on each line.")),
            Field("made_on", _("Made on"), "date"),
            Field("expires_on", _("Last usable day"), "date"),
            Field("place", _("Place")),
            Field("containers", _("Containers"), hint=_("How many were filled.")),
            Field("passage", _("Frozen at passage")),
            Field("basis", _("Doublings count from"), required=False,
                  hint=_("Needed of the first bank of a line.")),
            Field("max_doublings", _("Most doublings"), required=False),
            Field("is_pool", _("Donors"), "checks",
                  options=(("yes", _("Several donors are mixed in it on purpose")),),
                  required=False),
        ),
    )  # fmt: skip
