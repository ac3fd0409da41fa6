"""What every account is at a moment: roles with their terms, sign-ins, passwords, failures.

The content of a report on accounts (requirement 1.22): canonical JSON, times RFC 3339 in UTC, days
at the site, "" where there is none. Reports of type 1, of before, tell no authenticators and no
links to single sign-on.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batchqc.actions.attempts import LOOKED_AT, counting, locked_until
from batchqc.actions.role_terms import site_day
from batchqc.actions.setup import own_site
from batchqc.core.accounts import Grant, roles_on, trained
from batchqc.core.audit import Link
from batchqc.core.canonical import Json, utc_text
from batchqc.core.signatures import LOCK_MINUTES
from batchqc.errors import InvalidInput
from batchqc.records.audit import AuditEntry, AuditSubject
from batchqc.records.audit_search import FEW
from batchqc.records.components import codes_since, links_now
from batchqc.records.people import (
    HAS_FAILED,
    UNKNOWN,
    AccountChange,
    Attempt,
    Password,
    Person,
    RoleChange,
    SignIn,
    all_people,
    grants_in,
    newest_attempts,
)
from batchqc.records.rows_by import load_their

REPORT_TYPE: Final = "batchqc/account-report/2"
PERIOD: Final = timedelta(days=90)
_BEFORE_ALL: Final = date(1970, 1, 1)

Kind = TypeVar("Kind", Password, AccountChange)


def accounts_content(
    session: Session, *, now: datetime, since: date | None, head: Link | None
) -> dict[str, Json]:
    """The report on all accounts, deactivated ones too.

    Args:
        session: only read.
        now: of when it is.
        since: failed attempts are counted from this day of the site on; without it, 90 days.
        head: of the audit trail.

    Raises:
        InvalidInput: the day is still to come.
    """
    site, day = own_site(session), site_day(session, now)
    since = since or day - PERIOD
    if since > day:
        raise InvalidInput("BQC-ACC-024", f"the period begins on {since}, which is still to come")
    first = max(since, _BEFORE_ALL)  # whose midnight is a moment in UTC
    begins = datetime.combine(first, time(), ZoneInfo(site.time_zone))
    facts = _Facts(session, now, day, begins)
    unknown = select(func.count()).select_from(AuditEntry)
    unknown = unknown.where(AuditEntry.what == UNKNOWN, AuditEntry.at >= begins)
    return {
        "type": REPORT_TYPE,
        "site": site.name,
        "at": utc_text(now),
        "since": since.isoformat(),
        "audit": {"sequence": head.sequence if head else 0, "head": head.sha256 if head else ""},
        "unknown_user_ids": session.scalar(unknown) or 0,
        "accounts": [facts.of(one) for one in all_people(session) if not one.is_laboratory],
    }


class _Facts:
    """What the tables say of all people, asked for once."""

    def __init__(self, session: Session, now: datetime, day: date, begins: datetime) -> None:
        self._session, self._now, self._day = session, now, day
        roles = session.scalars(select(RoleChange).order_by(RoleChange.number)).all()
        load_their(session, roles, RoleChange.person)
        self._roles = _by_person(roles)
        self._passwords = _newest(session.scalars(select(Password).order_by(Password.number)))
        changes = select(AccountChange).order_by(AccountChange.number)
        self._changes = _newest(session.scalars(changes))
        signed_in = select(SignIn.person_id, func.max(SignIn.began_at)).group_by(SignIn.person_id)
        self._signed_in: dict[int, datetime] = dict(session.execute(signed_in).all())
        self._failed = self._failures(begins)
        self._of_late = self._failures(now - timedelta(minutes=LOCK_MINUTES))
        self._granted_by = _granted_by(session, roles)
        self._codes, self._links = codes_since(session), links_now(session)

    def of(self, person: Person) -> dict[str, Json]:
        """What is known of one person."""
        change, password = self._changes.get(person.id), self._passwords.get(person.id)
        link = self._links.get(person.id)
        held = grants_in(self._roles.get(person.id, ()))
        counting = roles_on((grant for _, grant in held), self._day)
        return {
            "user_id": person.user_id,
            "name": person.name,
            "registered_at": utc_text(person.registered_at),
            "active": change is None or bool(change.active),
            "changed_at": utc_text(change.changed_at) if change else "",
            "changed_by": change.changed_by if change else "",
            "change_reason": change.reason if change else "",
            "roles": [self._role(one, grant, counts=grant.role in counting) for one, grant in held],
            "last_sign_in": _text(self._signed_in.get(person.id)),
            "password_set_at": utc_text(password.set_at) if password else "",
            "password_is_one_time": bool(password and password.set_by_other),
            "locked_until": _text(self._locked(person)),
            "failed_attempts": self._failed.get(person.id, 0),
            "has_password": password is not None,
            "authenticator_since": _text(self._codes.get(person.id)),
            "single_sign_on": link.state if link else "",
            "issuer": link.issuer if link else "",
            "subject": link.subject if link else "",
            "linked_at": utc_text(link.changed_at) if link else "",
        }

    def _role(self, change: RoleChange, grant: Grant, *, counts: bool) -> dict[str, Json]:
        return {
            "role": grant.role.value,
            "counts": counts,
            "since": utc_text(change.changed_at),
            "granted_by": self._granted_by.get(change.key, ""),
            "last_day": change.last_day,
            "training": change.training,
            "trained_on": change.trained_on,
            "expires_on": change.expires_on,
            "trained": trained(grant, self._day).value,
        }

    def _failures(self, begins: datetime) -> dict[int, int]:
        failed = select(Attempt.person_id).where(HAS_FAILED, Attempt.at >= begins)
        return Counter(self._session.scalars(failed))  # grouped, SQLite would read every attempt

    def _locked(self, person: Person) -> datetime | None:
        if person.id not in self._of_late:
            return None
        newest = newest_attempts(self._session, person, limit=LOOKED_AT)
        return locked_until(counting(self._session, person, newest), self._now)


def _by_person(changes: Iterable[RoleChange]) -> Mapping[int, list[RoleChange]]:
    found: dict[int, list[RoleChange]] = defaultdict(list)
    for one in changes:
        found[one.person_id].append(one)
    return found


def _newest(rows: Iterable[Kind]) -> dict[int, Kind]:
    return {one.person_id: one for one in rows}


def _granted_by(session: Session, changes: Iterable[RoleChange]) -> dict[str, str]:
    """Who wrote each change of roles, as the audit trail has it."""
    subject = AuditSubject.subject
    query = select(subject, AuditEntry.who).join(AuditEntry, AuditEntry.id == AuditSubject.entry_id)
    keys, found = [one.key for one in changes], dict[str, str]()
    for first in range(0, len(keys), FEW):
        some = query.where(subject.in_(keys[first : first + FEW]))
        found |= dict(session.execute(some).all())
    return found


def _text(moment: datetime | None) -> str:
    return utc_text(moment) if moment else ""
