"""The rules of the site: what each is, who set it and why, and a form to set it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.api import accounts, annex16, authenticators, laboratory
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import WHO_MAY, Permission, is_permitted
from batchqc.core.policies import Policy, choices
from batchqc.core.signatures import Meaning
from batchqc.errors import NotFound
from batchqc.records.components import newest_rule
from batchqc.records.laboratory import rule_rows
from batchqc.records.people import newest_password_rule
from batchqc.records.policies import PolicyRow, next_policy_key, policies_of, policy_rows
from batchqc.web.acts import Act, Ask, reason_field, show, submitted
from batchqc.web.administration_tabs import tabs_of
from batchqc.web.calls import Form, OwnForm, Visit
from batchqc.web.forms import built, check, signature
from batchqc.web.rendering import page
from batchqc.web.wording import _

router = Routes()

_AT: Final = "/administration/rules"
_NOBODY: Final = ("", None, "")
_ON_OFF: Final = {"off": False, "on": True}


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule: its name in addresses, in words, what it is now, and who said so, where anybody did.

    ``kind`` is signing, password, register or policy.
    """

    slug: str
    kind: str
    name: str
    value: str
    permission: Permission
    set_by: str = ""
    set_at: datetime | None = None
    reason: str = ""


@router.get("/administration/rules")
def rules(request: Request, call: Visit, did: str = "") -> Response:
    """Every rule as it is now."""
    with call.reading() as session:
        found = kept_rules(session)
    return page(
        request,
        "administration_rules.html",
        tabs=tabs_of(call),
        groups=[
            (title, says, [one for one in found if one.kind in kinds])
            for title, says, kinds in (
                (_("Signatures and passwords"), "", ("signing", "password")),
                (_("Registers"), _("What becomes of a result where the register says no."),
                 ("register",)),
                (_("Policies"), _("Each change is signed."), ("policy",)),
            )
        ],
        may={one.slug for one in found if is_permitted(call.person.roles, one.permission)},
        who={one.slug: ", ".join(sorted(WHO_MAY[one.permission])) for one in found},
        did=did,
    )  # fmt: skip


@router.get("/administration/rules/{slug}")
def ask(request: Request, call: Visit, slug: str) -> Response:
    """What a rule is, and what it is to be."""
    return show(request, call, _act(call, _the_rule(call, slug)))


@router.post("/administration/rules/{slug}")
def set_rule(request: Request, call: Visit, form: OwnForm, slug: str) -> Response:
    """Set it as the API does."""
    rule = _the_rule(call, slug)
    return submitted(
        request,
        call,
        form,
        _act(call, rule),
        lambda keyed: _set(keyed, rule, form),
        to=f"{_AT}?did=set",
    )


def kept_rules(session: Session) -> list[Kept]:
    """Every rule, whether or not anybody ever set it."""
    signing, password = newest_rule(session), newest_password_rule(session)
    registers = {row.register: row for row in rule_rows(session)}
    policies, now = {row.policy: row for row in policy_rows(session)}, policies_of(session)
    return [
        Kept("signing", "signing", _("A code besides the password"),
             "on" if signing and signing.with_code else "off",
             Permission.SET_SIGNING_RULE, *_said(signing)),
        Kept("password", "password", _("Days until a password must be changed"),
             str(password.days if password else 0), Permission.MANAGE_ACCOUNTS, *_said(password)),
        *(Kept(f"register-{one}", "register", one.capitalize(),
               registers[one].rule if one in registers else Rule.OFF,
               Permission.SET_REGISTER_RULE, *_said(registers.get(one)))
          for one in Register),
        *(Kept(f"policy-{one.name.lower().replace('_', '-')}", "policy", one.capitalize(), now[one],
               Permission.SET_POLICY, *_signed(policies.get(one)))
          for one in Policy),
    ]  # fmt: skip


def _said(row: Any) -> tuple[str, datetime | None, str]:
    return (row.set_by, row.set_at, row.reason) if row else _NOBODY


def _signed(row: PolicyRow | None) -> tuple[str, datetime | None, str]:
    by = row.signature if row else None
    return (f"{by.name} ({by.person.user_id}), {by.meaning}", by.at, by.reason) if by else _NOBODY


def _the_rule(call: Call, slug: str) -> Kept:
    with call.reading() as session:
        found = next((one for one in kept_rules(session) if one.slug == slug), None)
    if found is None:
        raise NotFound(
            "BQC-WEB-081", _('there is no rule "%(slug)s"') % {"slug": slug},
            hint=_("Look at the list of rules."),
        )  # fmt: skip
    return found


def _act(call: Call, rule: Kept) -> Act:
    label = _("From now on")
    says = {
        "signing": _("It holds from the next signature on, for everybody with an authenticator."),
        "password": _("It counts from the next request on, for passwords that stand as well. 0 is"
                      " never."),
        "register": _("Off: not looked at. Flag: it is told. Refuse: the result is not taken, or"
                      " does not release."),
        "policy": _("It counts from now on; decisions of before stay as they are."),
        "policy-code-at-sign-in": _("It counts from the next request on: who has a password and no"
                                    " authenticator enrols one before anything else. Who asks it"
                                    " of everybody has one."),
    }  # fmt: skip
    options = {
        "signing": tuple(_ON_OFF),
        "register": tuple(one.value for one in Rule),
        "policy": _policy_values(rule),
    }.get(rule.kind, ())
    asks = Ask(
        "value", label, "select" if options else "text",
        rule.value, options=tuple((one, one) for one in options),
    )  # fmt: skip
    signed = rule.kind == "policy"
    return Act(
        title=rule.name,
        says=says.get(rule.slug, says[rule.kind]),
        button=_("Sign and set") if signed else _("Set the rule"),
        address=f"{_AT}/{rule.slug}",
        back=_AT,
        permission=rule.permission,
        facts={_("Until now"): rule.value, _("Set by"): rule.set_by or _("nobody yet")},
        asks=(asks,) if signed else (asks, reason_field()),
        record=_next_key(call, rule) if signed else "",
        meaning=Meaning.APPROVED if signed else None,
    )


def _next_key(call: Call, rule: Kept) -> str:
    with call.reading() as session:
        return next_policy_key(session, _policy(rule))


def _policy(rule: Kept) -> Policy:
    return Policy[rule.slug.removeprefix("policy-").replace("-", "_").upper()]


def _policy_values(rule: Kept) -> tuple[str, ...]:
    if rule.kind != "policy" or _policy(rule) is Policy.PUBLIC_ADDRESS:
        return ()
    return choices(_policy(rule))


def _set(call: Call, rule: Kept, form: Form) -> Response:
    value, why = form["value"], {"reason": form["reason"]}
    if rule.kind == "signing":
        check({"value": "" if value in _ON_OFF else _("On or off.")})
        sent = built(authenticators.NewRule, why | {"with_code": _ON_OFF[value]})
        return authenticators.set_rule(call, sent)
    if rule.kind == "password":
        is_number = value.isascii() and value.isdecimal() and len(value) < 6
        check({"value": "" if is_number else _("A whole number of days, or 0 for never.")})
        shape = built(accounts.PasswordRuleShape, why | {"days": int(value)})
        return accounts.new_password_rule(call, shape)
    if rule.kind == "register":
        given = built(laboratory.RuleShape, why | {"rule": value})
        register = Register(rule.slug.removeprefix("register-"))
        return laboratory.new_rule(call, register, given)
    request = built(annex16.PolicyRequest, signature(call, form) | {"value": value})
    return annex16.decide_policy(call, _policy(rule), request)
