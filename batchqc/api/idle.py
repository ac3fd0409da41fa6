"""Who asks, and that their session is in use: one that nobody uses is refused by every server.

A use is told the other servers through the database at most once a minute, after the question of
who asks and beside whatever is asked for. So a session counts as used for up to a minute longer.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import Session

from batchqc.actions.people import Principal, who_is
from batchqc.actions.setup import own_site
from batchqc.api.uses import Use, Uses
from batchqc.api.watching import note_account
from batchqc.errors import NotSignedIn
from batchqc.records.registers import Site
from batchqc.records.session_uses import keep_use, uses_of
from batchqc.records.transaction import asking

if TYPE_CHECKING:
    from batchqc.api.doors import Door

EACH: Final = timedelta(minutes=1)
"""How often a use is kept at most, of each session and by each server."""


def who_asks(door: "Door", token: str, *, client: str) -> tuple[Principal, Site]:
    """The person behind a token of a session, which they use by this, and the site.

    Raises:
        NotSignedIn: the session is none, has ended, or nobody used it for too long.
        NotPermitted: see ``who_is``.
    """
    now = door.now()
    with asking(door.engine) as session:
        try:
            person, site = who_is(session, token=token, now=now)
        except NotSignedIn:
            own_site(session)  # before there is one, nobody can sign in
            raise
        _check_used(session, door.uses, person, door.settings.session_idle_minutes, now)
    note_account(person.user_id)
    door.uses.note(person.sign_in, Use(now, client))
    if door.uses.is_due(person.sign_in, now, began_at=person.began_at or now, each=EACH):
        keep_use(door.engine, person.sign_in, at=now, client=client)
    return person, site


def newest_use(seen: Use | None, kept: tuple[datetime, str] | None) -> Use | None:
    """The newer of what this server saw and what the database keeps."""
    known = [one for one in (seen, kept and Use(*kept)) if one]
    return max(known, key=lambda one: one.at, default=None)


def is_idle(newest: datetime, minutes: int, now: datetime) -> bool:
    """Whether nobody uses a session any more, by its newest use; 0 minutes is never."""
    return bool(minutes) and newest < now - timedelta(minutes=minutes) - EACH


def _check_used(
    session: Session, uses: Uses, person: Principal, minutes: int, now: datetime
) -> None:
    """Refuse a session that nobody used; the database is asked where this server saw no use."""
    seen, began = uses.of(person.sign_in), person.began_at or now
    newest = max(began, seen.at) if seen else began
    if not is_idle(newest, minutes, now):
        return
    kept = uses_of(session, [person.sign_in]).get(person.sign_in)
    if kept is None or is_idle(kept[0], minutes, now):
        raise NotSignedIn("BQC-ACC-001", "you are not signed in", hint="Sign in (again).")
