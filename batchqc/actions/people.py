"""People: who they are, what they may do, and how they prove it.

A password that somebody else set opens nothing but the change of that password. Five wrong
passwords in a row lock an account for a quarter of an hour; every attempt is on record.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.role_terms import check_grant, role_change, site_day
from batchqc.core.accounts import FIRST_PASSWORD_HOURS, Terms, roles_on, time_over
from batchqc.core.canonical import utc_text
from batchqc.core.identifiers import fold, line_problem, user_problem
from batchqc.core.permissions import Permission, Role, acting_role
from batchqc.core.signatures import FAILURES_BEFORE_LOCK, LOCK_MINUTES, Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted, NotSignedIn
from batchqc.records.people import (
    ACCOUNT_REGISTERED,
    LABORATORY_REGISTERED,
    UNKNOWN,
    Attempt,
    Password,
    Person,
    SignIn,
    SignOut,
    grants_of,
    is_active,
    newest_account_change,
    newest_attempts,
    newest_password,
    newest_password_rule,
    open_sign_in,
    person_by,
)
from batchqc.records.transaction import SYSTEM, Actor, Transaction

SHORTEST_PASSWORD: Final = 12
# argon2id at parameters that OWASP lists as sufficient: every signature hashes once, in parallel
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_ANY_HASH: Final = HASHER.hash("nobody has this password")
_NO_TERMS: Final = Terms()
_DEACTIVATED: Final = "the account {} is deactivated"
_ASK: Final = "Ask an administrator."
_OVER_HINT: Final = "Ask an administrator, who can grant the role anew with a last day."


@dataclass(frozen=True, slots=True)
class Principal:
    """A person who is signed in."""

    user_id: str
    name: str
    roles: frozenset[Role]
    must_change_password: bool
    time_zone: str
    #: The age at which a password must be changed, where this person's is older; else 0.
    too_old: int = 0

    def acting(self, permission: Permission) -> Actor:
        """This person in the role that allows ``permission``.

        Raises:
            NotPermitted: where none does, or the password is still somebody else's.
        """
        if self.too_old:
            raise NotPermitted(
                "BQC-ACC-021",
                f"your password is older than {self.too_old} days",
                hint="Change it first: POST /api/v1/password or `batchqc user password`.",
            )
        if self.must_change_password:
            raise NotPermitted(
                "BQC-ACC-003",
                "somebody else set your password",
                hint="Change it first: POST /api/v1/password or `batchqc user password`.",
            )
        role = acting_role(self.roles, permission)
        if role is None:
            held = ", ".join(sorted(self.roles)) or "none"
            raise NotPermitted(
                "BQC-ACC-002",
                f"{self.user_id} may not {permission}; roles held: {held}",
                hint="Ask an administrator for the role, or a colleague who has it.",
            )
        return Actor(self.user_id, role, self.time_zone, permission)

    def themself(self) -> Actor:
        """This person, for what concerns only themself."""
        return Actor(self.user_id, "self", self.time_zone)


def register_person(
    tx: Transaction,
    *,
    user_id: str,
    name: str,
    roles: Iterable[Role],
    password: str,
    terms: Terms = _NO_TERMS,
) -> Person:
    """Register a person with a first password, which they must change before anything else."""
    require(tx, Permission.MANAGE_ACCOUNTS)
    _check_password(password)
    person = _new_person(tx, user_id, name, is_laboratory=False)
    roles = list(dict.fromkeys(roles))
    check_grant(tx, new=roles, held=(), terms=terms)
    # nobody could give the first administrator another one
    hours = FIRST_PASSWORD_HOURS if tx.actor != SYSTEM else 0
    first = one_time_password(tx, person, 1, password, hours=hours)
    granted = [role_change(tx, person, n, role, terms) for n, role in enumerate(roles, start=1)]
    tx.add(person, first, *granted)
    after = {"name": name, "roles": [change.role for change in granted]}
    tx.audit(ACCOUNT_REGISTERED, rows=[person, first, *granted], after=after)
    return person


def register_laboratory(tx: Transaction, *, user_id: str, name: str) -> Person:
    """Register a contract laboratory, so that files may name it as analyst."""
    require(tx, Permission.MANAGE_ACCOUNTS)
    laboratory = _new_person(tx, user_id, name, is_laboratory=True)
    tx.add(laboratory)
    tx.audit(LABORATORY_REGISTERED, rows=[laboratory], after={"name": name})
    return laboratory


def change_password(tx: Transaction, *, user_id: str, old: str, new: str) -> Refusal | None:
    """Change one's own password; a wrong old one is refused and remembered."""
    refusal = prove(tx, user_id=user_id, password=old, purpose="change of password")
    if refusal is not None:
        return refusal
    _check_password(new)
    if new == old:
        raise InvalidInput("BQC-ACC-007", "the new password is the old one")
    person = the_person(tx.session, user_id)
    newest = newest_password(tx.session, person)
    password = Password(
        person=person,
        number=newest.number + 1 if newest else 1,
        hash=HASHER.hash(new),
        set_by_other=0,
        set_at=tx.now,
    )
    tx.add(password)
    tx.audit("password changed", rows=[password], about=[person.key])
    return None


def sign_in(
    tx: Transaction, *, user_id: str, password: str, token: str, hours: int
) -> SignIn | Refusal:
    """Begin a session under ``token``, of which only the hash is stored."""
    refusal = prove(tx, user_id=user_id, password=password, purpose="sign-in")
    if refusal is not None:
        return refusal
    person = the_person(tx.session, user_id)
    over = time_over(grants_of(tx.session, person), site_day(tx.session, tx.now))
    if over:
        return Refusal("BQC-ACC-015", over, _OVER_HINT)
    session = SignIn(
        token_sha256=_sha256(token),
        person=person,
        began_at=tx.now,
        ends_at=tx.now + timedelta(hours=hours),
    )
    tx.add(session)
    tx.audit("signed in", rows=[session], about=[person.key])
    return session


def sign_out(tx: Transaction, *, token: str) -> None:
    """End a session at once."""
    session = open_sign_in(tx.session, _sha256(token), tx.now)
    if session is not None:
        tx.lock(f"sessions of {session.person.key}")
        session = open_sign_in(tx.session, _sha256(token), tx.now)
    if session is not None:
        end = SignOut(sign_in=session, at=tx.now)
        tx.add(end)
        tx.audit("signed out", rows=[end], about=[session.person.key])


def who_is(session: Session, *, token: str, now: datetime, time_zone: str) -> Principal:
    """The person behind a token.

    Raises:
        NotSignedIn: where the session is unknown, ended or over, or the account deactivated.
        NotPermitted: where the time of the person's last role is over.
    """
    found = open_sign_in(session, _sha256(token), now)
    if found is None:
        raise NotSignedIn("BQC-ACC-001", "you are not signed in", hint="Sign in (again).")
    return _principal(session, found.person, time_zone, now)


def principal(session: Session, *, user_id: str, time_zone: str, now: datetime) -> Principal:
    """A registered person with the roles held now; it raises as ``who_is`` does."""
    return _principal(session, the_person(session, user_id), time_zone, now)


def _principal(session: Session, person: Person, time_zone: str, now: datetime) -> Principal:
    if not is_active(session, person):
        raise NotSignedIn("BQC-ACC-014", _DEACTIVATED.format(person.user_id), hint=_ASK)
    grants, day = grants_of(session, person), now.astimezone(ZoneInfo(time_zone)).date()
    over = time_over(grants, day)
    if over:
        raise NotPermitted("BQC-ACC-015", over, hint=_OVER_HINT)
    password = newest_password(session, person)
    too_old = _too_old(session, password, now)
    return Principal(
        user_id=person.user_id,
        name=person.name,
        roles=roles_on(grants, day),
        must_change_password=password is None or bool(password.set_by_other or too_old),
        time_zone=time_zone,
        too_old=too_old,
    )


def _too_old(session: Session, password: Password | None, now: datetime) -> int:
    """The age in days beyond which a password must be changed, where this one is older; else 0."""
    rule = newest_password_rule(session)
    if rule is None or not rule.days or password is None or password.set_by_other:
        return 0
    return rule.days if now - password.set_at > timedelta(days=rule.days) else 0


def the_person(session: Session, user_id: str) -> Person:
    """The person of a user id.

    Raises:
        NotFound: where nobody has it.
    """
    person = person_by(session, user_id)
    if person is None:
        raise NotFound("BQC-ACC-004", f'nobody has the user id "{user_id}"')
    return person


def prove(tx: Transaction, *, user_id: str, password: str, purpose: str) -> Refusal | None:
    """Whether a password is right now; the attempt is written either way.

    An unknown user id costs as much time and says the same as a wrong password.
    """
    person = person_by(tx.session, user_id)
    if person is not None:
        tx.lock(f"attempts of {person.folded}")
    stored = newest_password(tx.session, person) if person else None
    if person is None or stored is None:
        _is_right(_ANY_HASH, password)
        tx.audit(UNKNOWN, after={"purpose": purpose})
        return _WRONG
    newest = newest_attempts(tx.session, person, limit=FAILURES_BEFORE_LOCK)
    locked = locked_until((one for one in newest if one.at > stored.set_at), tx.now)
    refusal = None if locked is None and _is_right(stored.hash, password) else _WRONG
    refusal = refusal or _opens_nothing(tx, person, stored)
    right = refusal is None
    attempt = Attempt(
        person=person,
        number=newest[0].number + 1 if newest else 1,
        purpose=purpose,
        succeeded=int(right),
        at=tx.now,
    )
    tx.add(attempt)
    outcome = "accepted" if right else "refused, locked" if locked else "refused"
    tx.audit(f"password {outcome}", rows=[attempt], about=[person.key], after={"purpose": purpose})
    if locked is not None:
        return Refusal(
            "BQC-SIG-002",
            f"{person.user_id} is locked after {FAILURES_BEFORE_LOCK} wrong passwords",
            f"Wait until {locked:%H:%M} UTC, or ask an administrator.",
        )
    return refusal


def _opens_nothing(tx: Transaction, person: Person, password: Password) -> Refusal | None:
    """Why a password opens nothing although it is right, told only to who knows it."""
    change = newest_account_change(tx.session, person)
    if change is not None and not change.active:
        return Refusal("BQC-ACC-014", _DEACTIVATED.format(person.user_id), _ASK)
    is_over = bool(password.ends_at) and utc_text(tx.now) > password.ends_at
    if is_over or (password.set_by_other and change and change.changed_at > password.set_at):
        return Refusal("BQC-ACC-020", "the time of this one-time password is over", _ASK)
    return None


_WRONG: Final = Refusal(
    "BQC-SIG-001", "user id or password is wrong", "Try again; five failures lock the account."
)


def locked_until(newest: Iterable[Attempt], now: datetime) -> datetime | None:
    """Until when an account is locked: counted from its newest attempt."""
    failures = []
    for attempt in newest:
        if attempt.succeeded:
            break
        failures.append(attempt.at)
    if len(failures) < FAILURES_BEFORE_LOCK:
        return None
    until = failures[0] + timedelta(minutes=LOCK_MINUTES)
    return until if now < until else None


def one_time_password(
    tx: Transaction, person: Person, number: int, password: str, *, hours: int
) -> Password:
    """A password that somebody else sets, for ``hours``; 0 for no end."""
    return Password(
        person=person,
        number=number,
        hash=HASHER.hash(password),
        set_by_other=1,
        set_at=tx.now,
        ends_at=utc_text(tx.now + timedelta(hours=hours)) if hours else "",
    )


def _is_right(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _new_person(tx: Transaction, user_id: str, name: str, *, is_laboratory: bool) -> Person:
    problem = user_problem(user_id) or line_problem("the name", name)
    if problem:
        raise InvalidInput("BQC-ACC-005", problem)
    if person_by(tx.session, user_id) is not None or fold(user_id) == "system":
        raise Conflict("BQC-ACC-006", f'the user id "{user_id}" is taken and never given again')
    return Person(
        user_id=user_id,
        folded=fold(user_id),
        name=name.strip(),
        is_laboratory=int(is_laboratory),
        registered_at=tx.now,
    )


def _check_password(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD or len(set(password)) < 5:
        raise InvalidInput(
            "BQC-ACC-008",
            f"a password has at least {SHORTEST_PASSWORD} characters, five of them different",
        )


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
