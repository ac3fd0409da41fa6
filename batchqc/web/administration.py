"""The administration at a glance: accounts, rules, the audit trail, installation and site."""

import platform
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc import __version__
from batchqc.api.account_reports import AccountOut, accounts
from batchqc.api.accounts import password_rule
from batchqc.api.authenticators import rule as signing_rule
from batchqc.api.routes import Routes
from batchqc.api.session import site
from batchqc.core.permissions import Permission, is_permitted
from batchqc.records.account_reports import newest_report, review_of
from batchqc.records.policies import policies_of
from batchqc.web.account_states import administrators, states_of
from batchqc.web.administration_tabs import tabs_of
from batchqc.web.calls import Visit
from batchqc.web.rendering import page
from batchqc.web.trail_state import state_of_trail
from batchqc.web.wording import _

router = Routes()

_SQLITE: Final = "sqlite"


@dataclass(frozen=True, slots=True)
class Count:
    """How many accounts are in a state that an administrator looks for."""

    name: str
    state: str
    many: int


@router.get("/administration")
def overview(request: Request, call: Visit) -> Response:
    """What is to be looked at, and what this installation is."""
    settings = call.door.settings
    sees_accounts = is_permitted(call.person.roles, Permission.SEE_ACCOUNTS)
    found = accounts(call).accounts if sees_accounts else None
    with call.reading() as session:
        content: dict[str, Any] = {
            "trail": state_of_trail(session),
            "policies": {policy.value: text for policy, text in policies_of(session).items()},
            "report": _report(session) if sees_accounts else None,
        }
    return page(
        request,
        "administration.html",
        tabs=tabs_of(call),
        accounts=found,
        counts=_counts(found or []),
        admins=administrators(found or []),
        own_site=site(call),
        with_code=signing_rule(call).with_code,
        days=password_rule(call).days,
        installation={
            "batchqc": __version__,
            "Python": platform.python_version(),
            _("Database"): "SQLite" if call.door.engine.dialect.name == _SQLITE else "PostgreSQL",
            _("Store"): _("S3 with object lock")
            if str(settings.store).startswith("s3:")
            else _("Folder"),
            _("Environment"): settings.environment,
            _("Seal"): settings.seal_level.value,
            _("Seal key"): _("In a token") if settings.token else _("In a file"),
            _("Timestamp service"): urlsplit(settings.timestamp_url).hostname or _("none"),
            _("Single sign-on"): settings.oidc_issuer or _("none"),
            _("Witness of the log"): _("one is set up") if settings.witness else _("none"),
            _("Lock"): _("after %(minutes)s idle minutes") % {"minutes": settings.idle_minutes},
        },
        **content,
    )


def _report(session: Session) -> tuple[Any, str] | None:
    """The newest report, and who reviewed it, "" where nobody did."""
    newest = newest_report(session)
    review = review_of(session, newest) if newest else None
    return (newest, review.signature.person.user_id if review else "") if newest else None


def _counts(found: list[AccountOut]) -> list[Count]:
    states = [states_of(one) for one in found]
    return [
        Count(name, state, sum(state in each for each in states))
        for name, state in (
            (_("Active"), "active"),
            (_("Locked"), "locked"),
            (_("One-time password"), "one-time password"),
            (_("Training expired"), "training expired"),
            (_("Deactivated"), "deactivated"),
        )
    ]
