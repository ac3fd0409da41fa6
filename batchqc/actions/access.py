"""Who is locked out now, for administrators."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from batchqc.actions.attempts import LOOKED_AT, counting, locked_until
from batchqc.core.signatures import LOCK_MINUTES
from batchqc.records.people import failed_since, newest_attempts


def locked_accounts(session: Session, *, now: datetime) -> list[tuple[str, datetime]]:
    """User id of each locked account, and when it opens again."""
    since = now - timedelta(minutes=LOCK_MINUTES)
    found = []
    for person in failed_since(session, since):
        newest = newest_attempts(session, person, limit=LOOKED_AT)
        until = locked_until(counting(session, person, newest), now)
        if until is not None:
            found.append((person.user_id, until))
    return found
