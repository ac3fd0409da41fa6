"""New accounts of people, and of contract laboratories that files may name as analyst."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response

from batchqc import clock
from batchqc.api import people
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, Role
from batchqc.web.acts import Act, Ask, chosen, once, show, submitted
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.forms import built, check
from batchqc.web.wording import _

router = Routes()

_BACK: Final = "/administration/accounts"
_ROLES: Final = tuple((one.value, one.value) for one in Role)


def grant_fields() -> tuple[Ask, ...]:
    """On which terms a role is granted."""
    return (
        Ask("last_day", _("Last day"), "date", required=False,
            hint=_("At the site, included. An auditor needs one; else blank is without end.")),
        Ask("reference", _("Record of training"), required=False),
        Ask("trained_on", _("Trained on"), "date", required=False),
        Ask("expires_on", _("Training counts until"), "date", required=False),
    )  # fmt: skip


def terms_sent(form: Form) -> dict[str, Any]:
    """The terms as the API takes them; what belongs to training is given wholly or not at all.

    Raises:
        WrongForm: BQC-WEB-007 a part of it is missing.
    """
    training = {name: form[name] for name in ("reference", "trained_on", "expires_on")}
    if any(training.values()):
        wrong = _("A record of training has a reference and two days.")
        check({name: "" if text else wrong for name, text in training.items()})
    return {
        "last_day": form["last_day"] or None,
        "training": training if any(training.values()) else None,
    }


@router.get("/administration/new-account")
def ask_person(request: Request, call: Visit) -> Response:
    """The form for a person."""
    return show(request, call, _person())


@router.post("/administration/new-account")
def add_person(request: Request, call: Visit, form: OwnForm) -> Response:
    """Register them; the first password is shown once."""
    return once(request, call, form, _person(), lambda keyed: _register(keyed, form))


@router.get("/administration/new-laboratory")
def ask_laboratory(request: Request, call: Visit) -> Response:
    """The form for a contract laboratory."""
    return show(request, call, _laboratory())


@router.post("/administration/new-laboratory")
def add_laboratory(request: Request, call: Visit, form: OwnForm) -> Response:
    """Register it; it has no password and no role."""

    def register(keyed: Call) -> Response:
        given = {"user_id": form["user_id"], "name": form["name"]}
        return people.add_laboratory(keyed, built(people.NewLaboratory, given))

    return submitted(request, call, form, _laboratory(), register, to=f"{_BACK}?did=laboratory")


def _register(call: Call, form: Form) -> Mapping[str, Any]:
    by_provider = form["way"] == "provider"
    password = None if by_provider else clock.new_token()
    given = {
        "user_id": form["user_id"],
        "name": form["name"],
        "roles": chosen(form, "roles", _ROLES),
        "password": password,
    }
    people.add_person(call, built(people.NewPerson, given | terms_sent(form)))
    says = (
        _("Link the account to single sign-on, so that they can sign in.")
        if by_provider
        else _("Hand it over in person. It counts for a week, and opens nothing but its change.")
    )
    return {
        "title": _("%(who)s is registered") % {"who": form["user_id"]},
        "secret": password or "",
        "says": says,
        "facts": {},
    }


def _person() -> Act:
    ways = (
        ("password", _("With a password, which is shown to you once")),
        ("provider", _("At single sign-on only")),
    )
    return Act(
        title=_("New account"),
        says=_("A person gets an account with roles. The user id is theirs for ever."),
        button=_("Register the person"),
        address="/administration/new-account",
        back=_BACK,
        permission=Permission.MANAGE_ACCOUNTS,
        asks=(
            Ask("user_id", _("User id"), hint=_("2 to 40 of a-z 0-9 . _ -")),
            Ask("name", _("Name"), hint=_("As it is printed on certificates.")),
            Ask("way", _("Signs in"), "select", options=ways),
            Ask("roles", _("Roles"), "checks", options=_ROLES,
                hint=_("An administrator and an auditor hold no other role.")),
            *grant_fields(),
        ),
    )  # fmt: skip


def _laboratory() -> Act:
    return Act(
        title=_("New contract laboratory"),
        says=_("Files may name it as analyst. It has no password and no role."),
        button=_("Register the laboratory"),
        address="/administration/new-laboratory",
        back=_BACK,
        permission=Permission.MANAGE_ACCOUNTS,
        asks=(Ask("user_id", _("Id")), Ask("name", _("Name"))),
    )
