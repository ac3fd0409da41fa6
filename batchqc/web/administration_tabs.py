"""The parts of the administration, and who may look at which."""

from dataclasses import dataclass
from typing import Final

from batchqc.api.doors import Call
from batchqc.core.permissions import Permission, is_permitted
from batchqc.web.navigation import gettext_later as _


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the administration."""

    name: str
    path: str
    permission: Permission = Permission.READ


TABS: Final = (
    Tab(_("Overview"), "/administration"),
    Tab(_("Accounts"), "/administration/accounts", Permission.SEE_ACCOUNTS),
    Tab(_("Account reviews"), "/administration/account-reports", Permission.SEE_ACCOUNTS),
    Tab(_("Training"), "/administration/training"),
    Tab(_("Instruments"), "/administration/instruments"),
    Tab(_("Materials"), "/administration/materials"),
    Tab(_("Rules"), "/administration/rules"),
    Tab(_("Keys and log"), "/administration/keys"),
    Tab(_("Webhooks"), "/administration/webhooks"),
)


def tabs_of(call: Call) -> tuple[Tab, ...]:
    """The parts that this person may look at."""
    return tuple(one for one in TABS if is_permitted(call.person.roles, one.permission))
