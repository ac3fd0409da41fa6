"""Determining the eligibility of a donor: the records against a panel, and the signature."""

from collections.abc import Callable
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.donor_evaluation import evaluation_of
from batchqc.actions.donor_panels import approved_panel
from batchqc.actions.donor_records import ApprovedPanel, records_of
from batchqc.actions.donors_today import donors_today
from batchqc.actions.registers import the_donor
from batchqc.actions.setup import own_site
from batchqc.actions.specifications import site_day
from batchqc.actions.states import contested_donor
from batchqc.api import registers as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.tags import tag_of
from batchqc.core.donors import ELIGIBLE, EXCEPTION, INELIGIBLE
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning
from batchqc.records.donor_lines import lots_from
from batchqc.records.donor_panels import panel_approvals
from batchqc.web.calls import OwnForm, Visit
from batchqc.web.donor_acts import donor_crumbs
from batchqc.web.forms import built, check, signature
from batchqc.web.source_forms import Field, SourceForm, acted, options, show_form
from batchqc.web.wording import _

router = Routes()

_WORDS = (ELIGIBLE, INELIGIBLE, EXCEPTION)


@router.get("/donors/{code}/eligibility")
def ask(request: Request, call: Visit, code: str, panel: str = "") -> Response:
    """What is determined, what speaks against it, and the fields of the signature."""
    return show_form(request, call, _form(call, code, panel))


@router.post("/donors/{code}/eligibility")
def determine(request: Request, call: Visit, form: OwnForm, code: str) -> Response:
    """Sign the determination, as the API does."""
    panel = form["panel"]

    def act(keyed: Call) -> str:
        word = form["eligibility"]
        check(
            {
                "eligibility": "" if word in _WORDS else _("Say what you determine."),
                "basis": "" if form["basis"] else _("Say what it rests on."),
                "seen": "" if form["seen"] else _("This form does not say what you saw."),
            }
        )
        typed = {
            "eligible": word != INELIGIBLE,
            "basis": form["basis"],
            "panel": panel,
            "by_exception": word == EXCEPTION,
        }
        api.eligibility(keyed, code, built(api.Determination, signature(call, form) | typed))
        return f"/donors/{quote(code)}?did=eligibility"

    return acted(request, call, form, _form(call, code, panel), act)


def _form(call: Call, code: str, panel: str) -> Callable[[Session], SourceForm]:
    def made(session: Session) -> SourceForm:
        donor, now = the_donor(session, code), call.door.now()
        panels = sorted({one.panel_version.panel for one in panel_approvals(session)})
        today = site_day(session, now)
        against = (
            approved_panel(session, call.door.archive, panel=panel, day=today) if panel else None
        )
        records = records_of(session, [donor])[donor.id]
        (known,) = donors_today(session, [donor], records.corrections)
        zone = ZoneInfo(own_site(session).time_zone)
        found = evaluation_of(records, against, zone=zone, today=today)
        state = contested_donor(donor.code).state(session)
        return SourceForm(
            title=_("Determine the eligibility of %(donor)s") % {"donor": donor.code},
            path=f"/donors/{quote(donor.code)}/eligibility",
            says=_(
                "You sign that you looked at every record of this donor as it is now. Your"
                " signature binds you as a handwritten one does."
            ),
            button=_("Sign the determination"),
            permission=Permission.DETERMINE_ELIGIBILITY,
            crumbs=donor_crumbs(donor.code, _("Eligibility")),
            facts=(
                (_("Donor"), f"{donor.code}, {known.tissue_source}"),
                (_("Panel"), _reference(against)),
                (_("Records"), str(len(records.rows))),
                (_("Lots of this donor"), str(lots_from(session, [donor]).get(donor.id, 0))),
                (_("Meaning"), Meaning.APPROVED.value.capitalize()),
                (_("Record, SHA-256"), state.sha256),
            ),
            against=found.problems,
            more={
                "heading": _("Against determining the donor to be eligible"),
                "choices": (("", _("No panel")), *options(panels)),
                "panel": panel,
                "hidden": (("panel", panel),),
            },
            record=donor.key,
            meaning=Meaning.APPROVED,
            seen=tag_of(session, state),
            fields=(
                Field("eligibility", _("The donor is"), "select",
                      options=(("", ""), *options(_WORDS)),
                      hint=_("Ineligible starts the look-back, and so does an exception where the"
                             " donor was eligible; an exception releases no lot.")),
                Field("basis", _("It rests on"),
                      hint=_("Such as: screening and testing of the mother.")),
            ),
        )  # fmt: skip

    return made


def _reference(against: ApprovedPanel | None) -> str:
    if against is None:
        return _("none: only what speaks against the donor is looked at")
    return f"{against.panel.reference}, {against.panel.title}"
