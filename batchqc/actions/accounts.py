"""Accounts as administrators keep them: roles, deactivation, one-time passwords, their age.

Nothing is deleted and no user id given again. What ends a right ends the sessions with it, so that
it has effect from the next request on (requirements 1.16, 1.20, 1.22, 1.23).
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.passwords import one_time_password
from batchqc.actions.people import ends_of_sessions, the_person
from batchqc.actions.permission import require
from batchqc.actions.role_terms import check_grant, role_change, site_day
from batchqc.actions.signing import check_reason
from batchqc.core.accounts import (
    LONGEST_PASSWORD_DAYS,
    ONE_TIME_HOURS,
    Terms,
    roles_on,
)
from batchqc.core.permissions import Permission, Role
from batchqc.errors import Conflict, InvalidInput, NotPermitted
from batchqc.records.people import (
    AccountChange,
    Password,
    PasswordRule,
    Person,
    RoleChange,
    grants_of,
    is_active,
    newest_account_change,
    newest_password,
    newest_password_rule,
    role_changes_of,
    roles_of,
)
from batchqc.records.transaction import Transaction

_NO_TERMS = Terms()


def change_role(
    tx: Transaction,
    *,
    user_id: str,
    role: Role,
    granted: bool,
    reason: str,
    terms: Terms = _NO_TERMS,
) -> RoleChange:
    """Grant a role on terms, renew its terms, or withdraw it, with a reason that explains it.

    Nobody changes their own roles, so that no administrator alone becomes QA, and the last one
    cannot lock everybody out. What the terms of a renewal leave open stays as it was.
    """
    person = _account(tx, user_id, reason)
    if person.user_id == tx.actor.user_id:
        raise NotPermitted(
            "BQC-ACC-010",
            "nobody changes their own roles",
            hint="Ask another administrator.",
        )
    day = site_day(tx.session, tx.now)
    grants = {grant.role: grant for grant in grants_of(tx.session, person)}
    before = grants.get(role)
    counts = before is not None and before.counts_on(day)
    if (not granted and before is None) or (granted and counts and terms == _NO_TERMS):
        held = "already holds" if granted else "does not hold"
        raise Conflict("BQC-ACC-012", f"{person.user_id} {held} the role {role}")
    if granted:
        _refuse_deactivated(tx.session, person)
        if before is not None and counts:
            last_day = terms.last_day or before.terms.last_day
            terms = Terms(last_day, terms.training or before.terms.training)
        if role is Role.ADMIN and counts and terms.last_day:
            _keep_an_administrator(tx, person)
        held_besides = {one.role for one in grants.values() if one.counts_on(day)} - {role}
        check_grant(tx, new=[role], held=held_besides, terms=terms)
    elif role is Role.ADMIN:
        _keep_an_administrator(tx, person)
    number = len(role_changes_of(tx.session, person)) + 1
    change = role_change(tx, person, number, role, terms if granted else None)
    tx.add(change)
    tx.audit(
        "role granted" if granted else "role withdrawn",
        rows=[change],
        about=[person.key],
        reason=reason,
        before={"roles": sorted(grants)},
        after={"roles": sorted(roles_of(tx.session, person)), **_told(change)},
    )
    return change


def deactivate(tx: Transaction, *, user_id: str, reason: str) -> AccountChange:
    """Close an account: its sessions end, its one-time password opens nothing any more."""
    person = _account(tx, user_id, reason)
    _refuse_oneself(tx, person)
    if not is_active(tx.session, person):
        raise Conflict("BQC-ACC-019", f"the account {person.user_id} is deactivated already")
    if Role.ADMIN in roles_of(tx.session, person):
        _keep_an_administrator(tx, person)
    return _switch(tx, person, reason, active=False)


def reactivate(tx: Transaction, *, user_id: str, reason: str) -> AccountChange:
    """Open a deactivated account again, with the roles that were not withdrawn."""
    person = _account(tx, user_id, reason)
    if is_active(tx.session, person):
        raise Conflict("BQC-ACC-019", f"the account {person.user_id} is active")
    return _switch(tx, person, reason, active=True)


def reset_password(tx: Transaction, *, user_id: str, password: str, reason: str) -> Password:
    """Set a one-time password that opens nothing but its change, for a day; sessions end.

    Args:
        tx: of an administrator other than the person.
        user_id: whose.
        password: new and random; the door shows it once.
        reason: why.

    Raises:
        Conflict: the account is deactivated, or has no password.
    """
    person = _account(tx, user_id, reason)
    _refuse_oneself(tx, person)
    _refuse_deactivated(tx.session, person)
    tx.lock(f"attempts of {person.folded}")
    newest = newest_password(tx.session, person)
    if newest is None:
        raise Conflict(
            "BQC-ACC-028",
            f"{person.user_id} has no password to reset",
            hint="They sign in at the provider of single sign-on: see the link of the account.",
        )
    row = one_time_password(tx, person, newest.number + 1, password, hours=ONE_TIME_HOURS)
    ended = ends_of_sessions(tx, person)
    tx.add(row, *ended)
    tx.audit(
        "password reset",
        rows=[row, *ended],
        about=[person.key],
        reason=reason,
        after={"ends at": row.ends_at, "sessions ended": len(ended)},
    )
    return row


def set_password_rule(tx: Transaction, *, days: int, reason: str) -> PasswordRule:
    """Say after how many days a password must be changed; 0 for never."""
    require(tx, Permission.MANAGE_ACCOUNTS)
    check_reason(reason)
    if not 0 <= days <= LONGEST_PASSWORD_DAYS:
        raise InvalidInput(
            "BQC-ACC-022",
            f"a password is changed after 1 to {LONGEST_PASSWORD_DAYS} days, or never: 0",
        )
    tx.lock("password rule")
    before = newest_password_rule(tx.session)
    row = PasswordRule(
        number=before.number + 1 if before else 1,
        days=days,
        reason=reason,
        set_by=tx.actor.user_id,
        set_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "password rule set",
        rows=[row],
        reason=reason,
        before={"days": before.days if before else 0},
        after={"days": days},
    )
    return row


def _account(tx: Transaction, user_id: str, reason: str) -> Person:
    """The person whose account is to change, held until the end of the transaction."""
    require(tx, Permission.MANAGE_ACCOUNTS)
    check_reason(reason)
    person = the_person(tx.session, user_id)
    if person.is_laboratory:
        raise InvalidInput("BQC-ACC-011", f"{person.user_id} is a laboratory and holds no role")
    tx.lock(person.key)
    return person


def _refuse_oneself(tx: Transaction, person: Person) -> None:
    if person.user_id == tx.actor.user_id:
        raise NotPermitted(
            "BQC-ACC-017",
            "nobody deactivates their own account or resets their own password",
            hint="Ask another administrator; your own password you change with the old one.",
        )


def _refuse_deactivated(session: Session, person: Person) -> None:
    if not is_active(session, person):
        raise Conflict(
            "BQC-ACC-016",
            f"the account {person.user_id} is deactivated",
            hint="Reactivate it first, with a reason.",
        )


def _keep_an_administrator(tx: Transaction, leaving: Person) -> None:
    """Refuse to leave a site without administrator, whatever another one does at the same time.

    Who has no last day leaves another behind who has none: nobody could be appointed afterwards.
    """
    tx.lock("administrators")
    day = site_day(tx.session, tx.now)
    is_endless = is_active(tx.session, leaving) and _is_endless(tx.session, leaving)
    left = f"{leaving.user_id} is the last administrator"
    granted = select(RoleChange.person_id).where(RoleChange.role == Role.ADMIN.value)
    for person in tx.session.scalars(select(Person).where(Person.id.in_(granted))):
        holds = Role.ADMIN in roles_on(grants_of(tx.session, person), day)
        if person.id != leaving.id and holds and is_active(tx.session, person):
            if not is_endless or _is_endless(tx.session, person):
                return
            left = f"{leaving.user_id} is the last administrator without a last day"
    raise Conflict("BQC-ACC-018", left, hint="Have another one appointed first.")


def _is_endless(session: Session, person: Person) -> bool:
    """Whether somebody holds the role of an administrator without end."""
    own = (one for one in grants_of(session, person) if one.role is Role.ADMIN)
    return any(one.terms.last_day is None for one in own)


def _switch(tx: Transaction, person: Person, reason: str, *, active: bool) -> AccountChange:
    newest = newest_account_change(tx.session, person)
    change = AccountChange(
        person=person,
        number=newest.number + 1 if newest else 1,
        active=int(active),
        reason=reason,
        changed_by=tx.actor.user_id,
        changed_at=tx.now,
    )
    ended = ends_of_sessions(tx, person)
    tx.add(change, *ended)
    tx.audit(
        "account reactivated" if active else "account deactivated",
        rows=[change, *ended],
        about=[person.key],
        reason=reason,
        before={"active": not active},
        after={"active": active, "sessions ended": len(ended)},
    )
    return change


def _told(change: RoleChange) -> dict[str, str]:
    """The terms of a grant as its entry tells them."""
    terms = {
        "last day": change.last_day,
        "training": change.training,
        "trained on": change.trained_on,
        "training expires on": change.expires_on,
    }
    return {name: text for name, text in terms.items() if text}
