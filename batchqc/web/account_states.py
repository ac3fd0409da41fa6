"""What is to be known of an account at once."""

from collections.abc import Iterable

from batchqc.api.account_reports import AccountOut
from batchqc.core.accounts import Trained
from batchqc.core.permissions import Role


def states_of(one: AccountOut) -> list[str]:
    """What is to be known of an account at once; the first is what it is above all."""
    if not one.active:
        return ["deactivated"]
    found = ["locked"] if one.locked_until else []
    if one.password_is_one_time:
        found.append("one-time password")
    if any(role.counts and role.trained == Trained.EXPIRED for role in one.roles):
        found.append("training expired")
    if not any(role.counts for role in one.roles):
        found.append("no role")
    return found or ["active"]


def administrators(found: Iterable[AccountOut]) -> list[str]:
    """The user ids of those who can administer today."""
    return [
        one.user_id
        for one in found
        if one.active and any(role.counts and role.role == Role.ADMIN for role in one.roles)
    ]
