"""Accounts: everybody with roles, last use and state, one account, and new ones."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from fastapi import Query, Request, Response
from pydantic import Field

from batchqc.actions.people import the_person
from batchqc.api import account_reports as reports
from batchqc.api.account_reports import AccountOut
from batchqc.api.routes import Routes
from batchqc.core.components import LinkState
from batchqc.core.identifiers import fold
from batchqc.core.permissions import Permission, is_permitted
from batchqc.records.components import linked_people, with_authenticator
from batchqc.records.people import all_people, newest_attempts
from batchqc.web.account_states import administrators, states_of
from batchqc.web.addresses import Address
from batchqc.web.administration_tabs import tabs_of
from batchqc.web.calls import Visit
from batchqc.web.rendering import page

router = Routes()

_ATTEMPTS: Final = 15
_FROM: Final = "/administration/accounts"
State = Literal[
    "", "active", "locked", "one-time password", "training expired", "no role", "deactivated"
]


class Asked(Address):
    """What the address asks for."""

    path: ClassVar[str] = _FROM

    text: str = Field("", max_length=100)
    role: str = Field("", max_length=40)
    state: State = ""
    order: Literal["name", "used", "unused"] = "name"
    did: str = Field("", max_length=20)

    def query(self, **changes: Any) -> str:
        """What was done is told once."""
        return super().query(**{"did": ""} | changes)


@router.get("/administration/accounts")
def accounts(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Everybody that the filter lets through."""
    found = reports.accounts(call)
    with call.reading(Permission.SEE_ACCOUNTS) as session:
        coded, linked = with_authenticator(session), linked_people(session)
        laboratories = [one for one in all_people(session) if one.is_laboratory]
    shown = [one for one in found.accounts if _fits(one, asked)]
    if asked.order != "name":
        shown.sort(key=lambda one: one.last_sign_in, reverse=asked.order == "used")
    return page(
        request,
        "accounts.html",
        tabs=tabs_of(call),
        asked=asked,
        accounts=[(one, states_of(one)) for one in shown],
        total=len(found.accounts),
        unknown=found.unknown_user_ids,
        since=found.since,
        coded=coded,
        linked=linked,
        laboratories=laboratories,
        roles=sorted({role.role for one in found.accounts for role in one.roles}),
        states=[one for one in get_args(State) if one],
        may=is_permitted(call.person.roles, Permission.MANAGE_ACCOUNTS),
        moment=moment,
    )


@router.get("/administration/accounts.csv")
def accounts_csv(call: Visit) -> Response:
    """Every account with its roles, as the API answers it."""
    return reports.accounts_csv(call)


@router.get("/administration/accounts/{user_id}")
def account(request: Request, call: Visit, user_id: str, did: str = "") -> Response:
    """One account: what it is, what it may, how it was used, and what can be done with it."""
    found = reports.accounts(call)
    with call.reading(Permission.SEE_ACCOUNTS) as session:
        person = the_person(session, user_id)
        own = next((one for one in found.accounts if one.user_id == person.user_id), None)
        content: dict[str, Any] = {
            "person": person,
            "attempts": newest_attempts(session, person, limit=_ATTEMPTS),
            "has_code": person.user_id in with_authenticator(session),
            "link": linked_people(session).get(person.user_id),
        }
    admins = administrators(found.accounts)
    return page(
        request,
        "account_page.html",
        tabs=tabs_of(call),
        account=own,
        states=states_of(own) if own else [],
        may=is_permitted(call.person.roles, Permission.MANAGE_ACCOUNTS),
        is_own=person.user_id == call.person.user_id,
        is_last=admins == [person.user_id],
        waits=LinkState.LINKED,
        did=did,
        moment=moment,
        **content,
    )


def moment(text: str) -> datetime | None:
    """A time of the report as the filter ``when`` takes it."""
    return datetime.fromisoformat(text) if text else None


def _fits(one: AccountOut, asked: Asked) -> bool:
    text = fold(asked.text.strip())
    return (
        (text in fold(one.user_id) or text in fold(one.name))
        and (not asked.role or any(role.counts and role.role == asked.role for role in one.roles))
        and (not asked.state or asked.state in states_of(one))
    )
