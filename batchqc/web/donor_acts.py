"""What a donor officer does: donors, donations, results and consents as forms over the API."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.donations import the_donation
from batchqc.actions.donors_today import donors_today
from batchqc.actions.registers import the_donor
from batchqc.api import donors as api
from batchqc.api import registers
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.donation_ids import IdKind
from batchqc.core.donors import TISSUE_SOURCES
from batchqc.core.eligibility import SEXES, Interpretation, Person, Scope
from batchqc.core.panels import MARKERS
from batchqc.core.permissions import Permission
from batchqc.records.corrections import approved_changes, corrections_of
from batchqc.records.donor_lines import lots_from
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.forms import built, check
from batchqc.web.source_forms import Field, SourceForm, acted, chosen, options, show_form
from batchqc.web.wording import _

router = Routes()

_BLANK: Final = ("", "")
_PERSONS: Final = tuple(Person)
Crumbs = tuple[tuple[str, str], ...]


@router.get("/donors/new")
def new_donor(request: Request, call: Visit) -> Response:
    """The form of a donor."""
    return show_form(request, call, _donor)


@router.post("/donors/new")
def add_donor(request: Request, call: Visit, form: OwnForm) -> Response:
    """Register a donor."""

    def act(keyed: Call) -> str:
        _needs(form, "code")
        sent = built(registers.NewDonor, _typed(form, "code", "tissue_source"))
        registers.add_donor(keyed, sent)
        return f"/donors/{quote(sent.code)}?did=donor"

    return acted(request, call, form, _donor, act)


@router.get("/donors/{code}/donations/new")
def new_donation(request: Request, call: Visit, code: str) -> Response:
    """The form of a donation."""
    return show_form(request, call, _donation(code))


@router.post("/donors/{code}/donations/new")
def add_donation(request: Request, call: Visit, form: OwnForm, code: str) -> Response:
    """Register a donation."""

    def act(keyed: Call) -> str:
        _needs(form, "id", "donated_on", "establishment", "address")
        sent = built(api.DonationShape, _typed(form, *api.DonationShape.model_fields))
        api.add_donation(keyed, code, sent)
        return f"/donors/{quote(code)}?did=donation"

    return acted(request, call, form, _donation(code), act)


@router.get("/donors/{code}/donations/{donation}/tests/new")
def new_tests(request: Request, call: Visit, code: str, donation: str) -> Response:
    """The form of the results of a specimen."""
    return show_form(request, call, _tests(code, donation))


@router.post("/donors/{code}/donations/{donation}/tests/new")
def add_tests(request: Request, call: Visit, form: OwnForm, code: str, donation: str) -> Response:
    """Record results; one that is reactive starts the look-back."""

    def act(keyed: Call) -> str:
        told = [(one, form[f"marker:{one}"]) for one in MARKERS if form[f"marker:{one}"]]
        some = "" if told else _("Say the result of one marker at least.")
        needed = ("specimen", "taken_at", "laboratory", "statement", "kit", "document_sha256")
        _needs(form, *needed, but={"marker:HIV-1 Ab": some})
        typed = _typed(form, "person", *needed)
        results = [{"marker": marker, "result": result} for marker, result in told]
        api.add_tests(keyed, code, donation, built(api.TestsShape, typed | {"results": results}))
        return f"/donors/{quote(code)}?did=tests"

    return acted(request, call, form, _tests(code, donation), act)


@router.get("/donors/{code}/consents/new")
def new_consent(request: Request, call: Visit, code: str) -> Response:
    """The form of a consent."""
    return show_form(request, call, _consent(code))


@router.post("/donors/{code}/consents/new")
def add_consent(request: Request, call: Visit, form: OwnForm, code: str) -> Response:
    """Record a consent; it counts instead of an earlier one."""

    def act(keyed: Call) -> str:
        scopes = chosen(form, "scopes", Scope)
        none = "" if scopes else _("Say what the donor consents to.")
        _needs(form, "version", "given_on", "document_sha256", but={"scopes": none})
        typed = _typed(form, "version", "given_on", "document_sha256") | {"scopes": scopes}
        api.add_consent(keyed, code, built(api.ConsentShape, typed))
        return f"/donors/{quote(code)}?did=consent"

    return acted(request, call, form, _consent(code), act)


@router.get("/donors/{code}/withdrawal")
def new_withdrawal(request: Request, call: Visit, code: str) -> Response:
    """The form of a withdrawal, with what it reaches."""
    return show_form(request, call, _withdrawal(code))


@router.post("/donors/{code}/withdrawal")
def add_withdrawal(request: Request, call: Visit, form: OwnForm, code: str) -> Response:
    """Record that the donor withdrew the consent."""

    def act(keyed: Call) -> str:
        _needs(form, "withdrawn_on", "reason")
        typed = _typed(form, "withdrawn_on", "reason")
        api.withdrawal(keyed, code, built(api.WithdrawalShape, typed))
        return f"/donors/{quote(code)}?did=withdrawal"

    return acted(request, call, form, _withdrawal(code), act)


def _typed(form: Form, *names: str) -> dict[str, object]:
    return {name: form[name] for name in names}


def _needs(form: Form, *names: str, but: dict[str, str] | None = None) -> None:
    """Refuse where a field is blank, each by its name; ``but`` names other problems."""
    blank = {name: "" if form[name] else _("This is needed.") for name in names}
    check(blank | (but or {}))


def donor_crumbs(code: str, last: str) -> Crumbs:
    """The way to a form of a donor."""
    return (("/donors", _("Donors")), (f"/donors/{quote(code)}", code), ("", last))


def _donor(_session: Session) -> SourceForm:
    return SourceForm(
        title=_("New donor"),
        path="/donors/new",
        says=_("A donor is a code and never a name. Codes are never used again."),
        button=_("Register the donor"),
        permission=Permission.REGISTER_DONOR,
        crumbs=(("/donors", _("Donors")), ("", _("New donor"))),
        fields=(
            Field("code", _("Code"), hint=_("Such as DNR-UC-77; Enter of a scanner is taken.")),
            Field("tissue_source", _("Tissue"), "select", options=options(TISSUE_SOURCES)),
        ),
    )


def _donation(code: str) -> Callable[[Session], SourceForm]:
    def made(session: Session) -> SourceForm:
        donor = the_donor(session, code)
        (known,) = donors_today(session, [donor], corrections_of(session, [donor.key]))
        return SourceForm(
            title=_("Register a donation of %(donor)s") % {"donor": donor.code},
            path=f"/donors/{quote(donor.code)}/donations/new",
            says=_("Each identification is given once. A wrong one is refused: read the label."),
            button=_("Register the donation"),
            permission=Permission.KEEP_DONOR_RECORDS,
            crumbs=donor_crumbs(donor.code, _("Donation")),
            fields=(
                Field("kind", _("Kind of identification"), "select", options=options(IdKind)),
                Field("id", _("Identification"), hint=_("As on the label, with check character.")),
                Field("donated_on", _("Donated on"), "date"),
                Field("tissue", _("Tissue"), "select", options=options(TISSUE_SOURCES),
                      value=known.tissue_source),
                Field("tested_person", _("Whose blood is tested"), "select",
                      options=options(reversed(_PERSONS))),
                Field("donor_age", _("Age of the donor"), required=False,
                      hint=_("Such as 0 days or 34 years; a date of birth is never taken.")),
                Field("donor_sex", _("Sex"), "select", options=options(SEXES), required=False),
                Field("establishment", _("Establishment")),
                Field("address", _("Its address"), "lines"),
            ),
        )  # fmt: skip

    return made


def _tests(code: str, donation: str) -> Callable[[Session], SourceForm]:
    def made(session: Session) -> SourceForm:
        donor, row = the_donor(session, code), the_donation(session, donation)
        now = dict(approved_changes(corrections_of(session, [row.key]), row.key))
        called = now.get("donation", row.donation)  # as its page and its label say it
        results = (_BLANK, *options(Interpretation))
        return SourceForm(
            title=_("Results of %(donation)s") % {"donation": called},
            path=f"/donors/{quote(donor.code)}/donations/{quote(row.donation)}/tests/new",
            says=_(
                "What one laboratory found in one specimen. A determination of before no longer"
                " counts. A reactive or indeterminate result of a donor of whom something was made"
                " starts the look-back by itself: every lot is held, every bank quarantined."
            ),
            button=_("Record the results"),
            permission=Permission.KEEP_DONOR_RECORDS,
            crumbs=donor_crumbs(donor.code, _("Results")),
            facts=(
                (_("Donor"), donor.code),
                (_("Donation"), f"{called}, {now.get('donated_on', row.donated_on)}"),
                (_("Lots of this donor"), str(lots_from(session, [donor]).get(donor.id, 0))),
            ),
            fields=(
                Field("person", _("Whose blood"), "select", options=options(_PERSONS),
                      value=now.get("tested_person", row.tested_person)),
                Field("specimen", _("Specimen")),
                Field("taken_at", _("Taken at"),
                      hint=_("With its offset, such as 2026-04-02T09:00:00+07:00.")),
                Field("laboratory", _("Laboratory")),
                Field("statement", _("Its certification"), hint=_("Such as CLIA 14D0000000.")),
                Field("kit", _("Kit")),
                Field("document_sha256", _("SHA-256 of the report"),
                      hint=_("64 digits; type sha256sum report.pdf.")),
                *(
                    Field(f"marker:{one}", one, "select", options=results, required=False)
                    for one in MARKERS
                ),
            ),
        )  # fmt: skip

    return made


def _consent(code: str) -> Callable[[Session], SourceForm]:
    def made(session: Session) -> SourceForm:
        donor = the_donor(session, code)
        return SourceForm(
            title=_("Record a consent of %(donor)s") % {"donor": donor.code},
            path=f"/donors/{quote(donor.code)}/consents/new",
            says=_("It counts instead of an earlier one; both stay on record."),
            button=_("Record the consent"),
            permission=Permission.KEEP_DONOR_RECORDS,
            crumbs=donor_crumbs(donor.code, _("Consent")),
            fields=(
                Field("version", _("Version of the form")),
                Field("given_on", _("Given on"), "date"),
                Field("document_sha256", _("SHA-256 of the signed form"), hint=_("64 digits.")),
                Field("scopes", _("Consents to"), "checks", options=options(Scope)),
            ),
        )

    return made


def _withdrawal(code: str) -> Callable[[Session], SourceForm]:
    def made(session: Session) -> SourceForm:
        donor = the_donor(session, code)
        return SourceForm(
            title=_("%(donor)s withdrew the consent") % {"donor": donor.code},
            path=f"/donors/{quote(donor.code)}/withdrawal",
            says=_(
                "No new lot comes from this donor, and no lot that is not decided is released. The"
                " look-back starts by itself: every lot is held, every bank quarantined. Only a"
                " later consent to clinical use takes it back."
            ),
            button=_("Record the withdrawal"),
            permission=Permission.KEEP_DONOR_RECORDS,
            crumbs=donor_crumbs(donor.code, _("Withdrawal")),
            is_grave=True,
            facts=(
                (_("Donor"), donor.code),
                (_("Lots of this donor"), str(lots_from(session, [donor]).get(donor.id, 0))),
            ),
            fields=(
                Field("withdrawn_on", _("Withdrawn on"), "date"),
                Field("reason", _("Reason"), hint=_("One line that a stranger understands.")),
            ),
        )

    return made
