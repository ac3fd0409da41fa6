"""One's own account: password, authenticator, single sign-on, the statement of accountability."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import segno
from fastapi import Request, Response
from markupsafe import Markup
from pydantic import SecretStr

from batchqc.actions.people import the_person
from batchqc.actions.signing import has_accepted
from batchqc.api import authenticators as api
from batchqc.api import sessions, single_sign_on
from batchqc.api.doors import Call, Signature
from batchqc.api.routes import Routes
from batchqc.core.components import CodeState, LinkState
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.records.components import confirmed_secret, newest_authenticator, newest_link
from batchqc.records.people import grants_of, newest_password
from batchqc.web.acts import Act, Ask, check_filled, show, submitted
from batchqc.web.calls import OwnForm, Visit, keyed
from batchqc.web.forms import built, said, signature
from batchqc.web.programs import named
from batchqc.web.rendering import NO_PROBLEMS, day, page
from batchqc.web.wording import _

router = Routes()

_AT: Final = "/account"
_CODE: Final = "/account/authenticator/code"


@router.get("/account")
def account(request: Request, call: Visit, did: str = "") -> Response:
    """Who I am here, and how I prove it."""
    with call.reading() as session:
        person = the_person(session, call.person.user_id)
        newest, link = newest_authenticator(session, person), newest_link(session, person)
        content: dict[str, Any] = {
            "person": person,
            "grants": sorted(grants_of(session, person), key=lambda one: one.role),
            "password": newest_password(session, person),
            "has_code": confirmed_secret(session, person) is not None,
            "waits": newest is not None and newest.state == CodeState.OFFERED,
            "link": link if link and link.state != LinkState.REMOVED else None,
            "accepted": has_accepted(session, person),
            "sessions": sessions.own_sessions(session, call),
        }
    return page(request, "account_own.html", did=did, **content)


@router.get("/account/authenticator")
def ask_authenticator(request: Request, call: Visit) -> Response:
    """Proven like a signature, before a secret is made."""
    return show(request, _let_in(call), _offering(call))


@router.post("/account/authenticator")
def offer(request: Request, call: Visit, form: OwnForm) -> Response:
    """Make the secret, and show it this once, to be scanned and confirmed by a code."""
    try:
        sent = built(Signature, signature(call, form))
        made = json.loads(bytes(api.offer(keyed(call, form), sent).body))
    except BatchqcError as error:
        return show(request, _let_in(call), _offering(call), form, said(error))
    return _code(request, made["otpauth"])


@router.get("/account/authenticator/code")
def ask_code(request: Request, call: Visit) -> Response:
    """The form of the first code, for who scanned the secret already."""
    del call  # whoever is signed in
    return _code(request)


@router.post("/account/authenticator/code")
def confirm(request: Request, call: Visit, form: OwnForm) -> Response:
    """From now on its codes count."""
    act = Act(
        title="", says="", button="", address=_CODE, back=_AT, permission=Permission.READ,
        asks=(Ask("code", ""),),
    )  # fmt: skip
    try:
        check_filled(act, form)
        api.confirm(keyed(call, form), built(api.Code, {"code": form["code"].replace(" ", "")}))
    except BatchqcError as error:
        told = said(error)
        return _code(request, status=told.status, **told.content)
    return submitted(request, call, form, act, lambda _call: None, to=f"{_AT}?did=confirmed")


@router.get("/account/authenticator/revocation")
def ask_revocation(request: Request, call: Visit) -> Response:
    """What ends."""
    return show(request, call, _revoking(call))


@router.post("/account/authenticator/revocation")
def revoke(request: Request, call: Visit, form: OwnForm) -> Response:
    """Its codes count no more."""
    return submitted(
        request, call, form, _revoking(call),
        lambda again: api.revoke_own(again, built(Signature, signature(call, form))),
        to=f"{_AT}?did=revoked",
    )  # fmt: skip


@router.get("/account/sessions/end")
def ask_end_others(request: Request, call: Visit) -> Response:
    """What ends, and what goes on."""
    return show(request, call, _ending_others(call))


@router.post("/account/sessions/end")
def end_others(request: Request, call: Visit, form: OwnForm) -> Response:
    """End every session but this one."""
    return submitted(
        request, call, form, _ending_others(call),
        lambda again: sessions.end_others(again, built(Signature, signature(call, form))),
        to=f"{_AT}?did=others",
    )  # fmt: skip


@router.get("/account/sessions/{sha256}/end")
def ask_end(request: Request, call: Visit, sha256: str) -> Response:
    """Which one ends."""
    return show(request, call, _ending(call, sha256))


@router.post("/account/sessions/{sha256}/end")
def end(request: Request, call: Visit, sha256: str, form: OwnForm) -> Response:
    """End one session, wherever it is open."""
    return submitted(
        request, call, form, _ending(call, sha256),
        lambda again: sessions.end_one(again, sha256, built(Signature, signature(call, form))),
        to=f"{_AT}?did=ended",
    )  # fmt: skip


@router.get("/account/link")
def ask_link(request: Request, call: Visit) -> Response:
    """The confirmation of a link that an administrator made."""
    return show(request, call, _linking(call))


@router.post("/account/link")
def confirm_link(request: Request, call: Visit, form: OwnForm) -> Response:
    """Make it count, with one's password."""
    sent = single_sign_on.LinkConfirmation(password=SecretStr(form.secret("password")))
    return submitted(
        request, call, form, _linking(call),
        lambda again: single_sign_on.confirm(again, sent), to=f"{_AT}?did=linked",
    )  # fmt: skip


def _code(
    request: Request, otpauth: str = "", *, status: int = 200, problems: Any = NO_PROBLEMS,
    error: BatchqcError | None = None,
) -> Response:  # fmt: skip
    secret = parse_qs(urlsplit(otpauth).query).get("secret", [""])[0]
    return page(
        request,
        "account_authenticator.html",
        status=201 if otpauth else status,
        qr=_picture(otpauth) if otpauth else None,
        secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        problems=problems,
        error=error,
    )


def _picture(text: str) -> Markup:
    code = segno.make_qr(text, error="m")
    drawn = code.svg_inline(scale=4, border=1, svgclass=None, lineclass=None)
    return Markup(drawn)  # noqa: S704 - drawn here, from a text that is not in it


def _let_in(call: Call) -> Call:
    """The call of who has to enrol an authenticator before anything else, to do just that."""
    return replace(call, person=replace(call.person, must_enrol=False))


def _offering(call: Call) -> Act:
    comes_first = _("This site asks everybody for a code at sign-in, and you have no authenticator:"
                    " nothing else opens before.")  # fmt: skip
    return Act(
        title=_("Set up an authenticator"),
        says=_("A secret is made and shown to you once, to be scanned by the authenticator of your"
               " telephone. It counts from its first code on; until then what you had counts."
               " From then on you sign in with a code besides your password."),
        button=_("Make the secret"),
        address="/account/authenticator",
        back=_AT,
        permission=Permission.READ,
        facts={_("First of all"): comes_first} if call.person.must_enrol else {},
        record=_own(_let_in(call)),
        meaning=Meaning.VERIFIED,
    )  # fmt: skip


def _revoking(call: Call) -> Act:
    return Act(
        title=_("Revoke your authenticator"),
        says=_("Its codes count no more. You can set up another one."),
        button=_("Revoke it"),
        address="/account/authenticator/revocation",
        back=_AT,
        permission=Permission.READ,
        record=_own(call),
        meaning=Meaning.VERIFIED,
        is_grave=True,
    )


def _ending(call: Call, sha256: str) -> Act:
    with call.reading() as session:
        found = (one for one in sessions.own_sessions(session, call) if one.sha256 == sha256)
        one = next(found, None)
    facts = {}
    if one is not None:
        used = _at(one.last_used_at, call) if one.last_used_at else _("not known")
        facts = {
            _("Began"): _at(one.began_at, call),
            _("Began from"): named(one.began_from) or _("not known"),
            _("Last used"): used,
        }
    return Act(
        title=_("End a session"),
        says=_("Its next request is refused, wherever it is open. What was typed there and not"
               " sent stays in the page until somebody signs in there again."),
        button=_("End the session"),
        address=f"/account/sessions/{sha256}/end",
        back=_AT,
        permission=Permission.READ,
        facts=facts,
        is_grave=True,
        why_not="" if one else _("This is no open session of yours; it may have ended meanwhile."),
        record=_own(call),
        meaning=Meaning.VERIFIED,
    )  # fmt: skip


def _at(moment: datetime, call: Call) -> str:
    local = moment.astimezone(ZoneInfo(call.site.time_zone))
    return f"{day(local.date())} {local:%H:%M}"


def _ending_others(call: Call) -> Act:
    with call.reading() as session:
        others = [one for one in sessions.own_sessions(session, call) if not one.is_this]
    return Act(
        title=_("End all other sessions"),
        says=_("Only this one goes on. Where somebody else may know your password, change it as"
               " well: that ends them too."),
        button=_("End all others"),
        address="/account/sessions/end",
        back=_AT,
        permission=Permission.READ,
        facts={_("Sessions that end"): str(len(others))},
        is_grave=True,
        record=_own(call),
        meaning=Meaning.VERIFIED,
    )  # fmt: skip


def _own(call: Call) -> str:
    with call.reading() as session:
        return the_person(session, call.person.user_id).key


def _linking(call: Call) -> Act:
    with call.reading() as session:
        link = newest_link(session, the_person(session, call.person.user_id))
    waits = link is not None and link.state == LinkState.LINKED
    return Act(
        title=_("Confirm your link to single sign-on"),
        says=_("From then on you sign in there as well. Confirm it only where you asked for it."),
        button=_("Confirm the link"),
        address="/account/link",
        back=_AT,
        permission=Permission.READ,
        facts={_("Issuer"): link.issuer, _("Subject"): link.subject} if link and waits else {},
        asks=(Ask("password", _("Password"), "password"),),
    )
