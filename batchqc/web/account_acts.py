"""What administrators do with an account, each behind a form with its reason."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.people import the_person
from batchqc.api import accounts, authenticators, links, people
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission, Role
from batchqc.records.people import Person, roles_of
from batchqc.web.acts import Act, Ask, once, reason_field, show, submitted
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.forms import built
from batchqc.web.new_accounts import grant_fields, terms_sent
from batchqc.web.wording import _

router = Routes()

_MANAGE: Final = Permission.MANAGE_ACCOUNTS


class What(StrEnum):
    """What is done with an account."""

    ROLE = "role"
    WITHDRAWAL = "withdrawal"
    DEACTIVATION = "deactivation"
    REACTIVATION = "reactivation"
    PASSWORD = "password"  # noqa: S105 - the name of an act
    LINK = "link"
    UNLINKING = "unlinking"
    AUTHENTICATOR = "authenticator"


@router.get("/administration/accounts/{user_id}/{what}")
def ask(request: Request, call: Visit, user_id: str, what: What, role: str = "") -> Response:
    """What will be so, and the form."""
    return show(request, call, _act(call, user_id, what, role))


@router.post("/administration/accounts/{user_id}/{what}")
def do(request: Request, call: Visit, form: OwnForm, user_id: str, what: What) -> Response:
    """Do it as the API does."""
    act = _act(call, user_id, what, form["role"])
    if what is What.PASSWORD:
        return once(request, call, form, act, lambda keyed: _reset(keyed, user_id, form))
    return submitted(
        request, call, form, act, lambda keyed: _DOES[what](keyed, user_id, form),
        to=f"{act.back}?did={what}",
    )  # fmt: skip


def _act(call: Call, user_id: str, what: What, role: str) -> Act:
    with call.reading(Permission.SEE_ACCOUNTS) as session:
        person = the_person(session, user_id)
        title, says, button = _words(person)[what]
        facts = {_("Account"): f"{person.user_id}, {person.name}"}
        asks = (*_asks(session, person, what, role), reason_field())
        held = ", ".join(sorted(roles_of(session, person)))
    back = f"/administration/accounts/{person.user_id}"
    return Act(
        title=title,
        says=says,
        button=button,
        address=f"{back}/{what}",
        back=back,
        permission=_MANAGE,
        facts=facts | {_("Roles"): held or _("none")},
        asks=asks,
        is_grave=what in {What.DEACTIVATION, What.WITHDRAWAL, What.UNLINKING, What.AUTHENTICATOR},
        why_not=_("Your own account is changed by another administrator.")
        if person.user_id == call.person.user_id
        else "",
    )


def _asks(session: Session, person: Person, what: What, role: str) -> tuple[Ask, ...]:
    if what is What.ROLE:
        every = tuple((one.value, one.value) for one in Role)
        label = _("Role")
        return (Ask("role", label, "select", role, options=every), *grant_fields())
    if what is What.WITHDRAWAL:
        held = tuple((one.value, one.value) for one in sorted(roles_of(session, person)))
        return (Ask("role", _("Role"), "select", role, options=held),)
    if what is What.LINK:
        exactly = _("Exactly as the provider writes it.")
        return (
            Ask("issuer", _("Issuer"), hint=exactly),
            Ask("subject", _("Subject"), hint=exactly),
        )
    return ()


def _words(person: Person) -> Mapping[What, tuple[str, str, str]]:
    """Title, what will be so, and the button, of each."""
    who = {"who": person.user_id}
    return {
        What.ROLE: (
            _("Grant a role to %(who)s") % who,
            _("They may do what the role may from their next request on. A role that is held"
              " already gets new terms; what is left open stays as it was."),
            _("Grant the role"),
        ),
        What.WITHDRAWAL: (
            _("Withdraw a role from %(who)s") % who,
            _("They may not act in this role any more from their next request on. What they did"
              " stays theirs."),
            _("Withdraw the role"),
        ),
        What.DEACTIVATION: (
            _("Deactivate %(who)s") % who,
            _("Every session of this account ends at once, and nobody signs in with it. What they"
              " did stays theirs; the user id is never given again."),
            _("Deactivate the account"),
        ),
        What.REACTIVATION: (
            _("Reactivate %(who)s") % who,
            _("The account opens again with the roles that were not withdrawn."),
            _("Reactivate the account"),
        ),
        What.PASSWORD: (
            _("Unlock %(who)s with a one-time password") % who,
            _("A new password is shown to you once, for you to hand over. It ends the lock and"
              " every session, counts for a day, and opens nothing but its change."),
            _("Make a one-time password"),
        ),
        What.LINK: (
            _("Link %(who)s to single sign-on") % who,
            _("Who signs in there as this subject is this person, for ever. Who has a password"
              " confirms the link with it."),
            _("Link the account"),
        ),
        What.UNLINKING: (
            _("Remove the link of %(who)s") % who,
            _("They sign in at single sign-on no more, and every session ends at once. The subject"
              " is never linked to somebody else."),
            _("Remove the link"),
        ),
        What.AUTHENTICATOR: (
            _("Revoke the authenticator of %(who)s") % who,
            _("Its codes count no more. They set up another one themselves, under their account."),
            _("Revoke the authenticator"),
        ),
    }  # fmt: skip


def _reset(call: Call, user_id: str, form: Form) -> Mapping[str, Any]:
    sent = built(accounts.Reason, {"reason": form["reason"]})
    made = json.loads(bytes(accounts.reset(call, user_id, sent).body))
    return {
        "title": _("The one-time password of %(who)s") % {"who": made["user_id"]},
        "secret": made["password"],
        "says": _("Hand it over in person. It counts for a day, and opens nothing but its change."),
        "facts": {},
    }


def _role(call: Call, user_id: str, form: Form) -> Response:
    given = {"role": form["role"], "granted": True, "reason": form["reason"]}
    return people.set_role(call, user_id, built(people.NewRole, given | terms_sent(form)))


def _withdrawn(call: Call, user_id: str, form: Form) -> Response:
    given = {"role": form["role"], "granted": False, "reason": form["reason"]}
    return people.set_role(call, user_id, built(people.NewRole, given))


def _linked(call: Call, user_id: str, form: Form) -> Response:
    given = {name: form[name] for name in ("issuer", "subject", "reason")}
    return links.link(call, user_id, built(links.NewLink, given))


_DOES: Final[Mapping[What, Callable[[Call, str, Form], Response]]] = {
    What.ROLE: _role,
    What.WITHDRAWAL: _withdrawn,
    What.DEACTIVATION: lambda call, user_id, form: accounts.close(
        call, user_id, built(accounts.Reason, {"reason": form["reason"]})
    ),
    What.REACTIVATION: lambda call, user_id, form: accounts.open_again(
        call, user_id, built(accounts.Reason, {"reason": form["reason"]})
    ),
    What.LINK: _linked,
    What.UNLINKING: lambda call, user_id, form: links.unlink(
        call, user_id, built(links.LinkRemoval, {"reason": form["reason"]})
    ),
    What.AUTHENTICATOR: lambda call, user_id, form: authenticators.revoke_others(
        call, user_id, built(authenticators.Why, {"reason": form["reason"]})
    ),
}
