"""Whether an account opens anything now, whatever proves who comes."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from batchqc.core.accounts import Grant, time_over
from batchqc.core.signatures import Refusal
from batchqc.records.people import Person, is_active

DEACTIVATED: Final = "BQC-ACC-014"


def closed(
    session: Session, person: Person, grants: Iterable[Grant], *, day: date
) -> Refusal | None:
    """Why an account opens nothing: it is deactivated, or the time of its last role is over.

    Args:
        session: only read.
        person: whose account it is.
        grants: of that person.
        day: at the site.
    """
    return shut(person, grants, is_active=is_active(session, person), day=day)


def shut(person: Person, grants: Iterable[Grant], *, is_active: bool, day: date) -> Refusal | None:
    """The same, where it is known whether the account is active."""
    if not is_active:
        return Refusal(
            DEACTIVATED, f"the account {person.user_id} is deactivated", "Ask an administrator."
        )
    over = time_over(grants, day)
    if over:
        return Refusal(
            "BQC-ACC-015",
            over,
            "Ask an administrator, who can grant the role anew with a last day.",
        )
    return None
