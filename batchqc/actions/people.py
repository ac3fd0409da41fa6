"""People: who they are, what they may do, and how they prove it.

A password that somebody else set opens nothing but the change of that password. Five wrong
passwords in a row lock an account for a quarter of an hour; every attempt is on record. Who signs
in at the provider of single sign-on may have no password.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy.orm import Session

from batchqc.actions.attempts import WRONG, Tried, attempt
from batchqc.actions.permission import require
from batchqc.core.components import Component
from batchqc.core.identifiers import fold, line_problem, user_problem
from batchqc.core.permissions import Permission, Role, acting_role
from batchqc.core.signatures import Refusal, reason_problem
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted, NotSignedIn
from batchqc.records.people import (
    ACCOUNT_REGISTERED,
    LABORATORY_REGISTERED,
    Password,
    Person,
    RoleChange,
    SignIn,
    SignOut,
    newest_password,
    open_sign_in,
    open_sign_ins,
    person_by,
    role_changes_of,
    roles_of,
)
from batchqc.records.transaction import Actor, Transaction

SHORTEST_PASSWORD: Final = 12
# argon2id at parameters that OWASP lists as sufficient: every signature hashes once, in parallel
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_ANY_HASH: Final = HASHER.hash("nobody has this password")


@dataclass(frozen=True, slots=True)
class Principal:
    """A person who is signed in."""

    user_id: str
    name: str
    roles: frozenset[Role]
    must_change_password: bool
    time_zone: str
    sign_in: str = ""
    """The hash of the token of the session, where there is one."""

    def acting(self, permission: Permission) -> Actor:
        """This person in the role that allows ``permission``.

        Raises:
            NotPermitted: where none does, or the password is still somebody else's.
        """
        if self.must_change_password:
            raise _not_own()
        role = acting_role(self.roles, permission)
        if role is None:
            held = ", ".join(sorted(self.roles)) or "none"
            raise NotPermitted(
                "BQC-ACC-002",
                f"{self.user_id} may not {permission}; roles held: {held}",
                hint="Ask an administrator for the role, or a colleague who has it.",
            )
        return Actor(self.user_id, role, self.time_zone, permission, self.sign_in)

    def themself(self) -> Actor:
        """This person, for what concerns only themself."""
        return Actor(self.user_id, "self", self.time_zone, sign_in=self.sign_in)


def register_person(
    tx: Transaction, *, user_id: str, name: str, roles: Iterable[Role], password: str | None
) -> Person:
    """Register a person with a first password, which they must change before anything else.

    Without a password they sign in at the provider of single sign-on only, once they are linked.
    """
    require(tx, Permission.MANAGE_ACCOUNTS)
    person = _new_person(tx, user_id, name, is_laboratory=False)
    first = [_first_password(tx, person, password)] if password is not None else []
    granted = [_role_change(tx, person, n, role) for n, role in enumerate(roles, start=1)]
    tx.add(person, *first, *granted)
    after = {"name": name, "roles": [change.role for change in granted]}
    tx.audit(ACCOUNT_REGISTERED, rows=[person, *first, *granted], after=after)
    return person


def register_laboratory(tx: Transaction, *, user_id: str, name: str) -> Person:
    """Register a contract laboratory, so that files may name it as analyst."""
    require(tx, Permission.MANAGE_ACCOUNTS)
    laboratory = _new_person(tx, user_id, name, is_laboratory=True)
    tx.add(laboratory)
    tx.audit(LABORATORY_REGISTERED, rows=[laboratory], after={"name": name})
    return laboratory


def change_role(tx: Transaction, *, user_id: str, role: Role, granted: bool, reason: str) -> None:
    """Grant a role to a person, or withdraw it; the reason is one that explains something.

    Nobody changes their own roles, so that no administrator alone becomes QA, and the last one
    cannot lock everybody out.
    """
    require(tx, Permission.MANAGE_ACCOUNTS)
    problem = reason_problem(reason)
    if problem:
        raise InvalidInput("BQC-SIG-004", problem)
    person = the_person(tx.session, user_id)
    tx.lock(person.key)
    before = sorted(roles_of(tx.session, person))
    if person.user_id == tx.actor.user_id:
        raise NotPermitted(
            "BQC-ACC-010",
            "nobody changes their own roles",
            hint="Ask another administrator.",
        )
    if person.is_laboratory:
        raise InvalidInput("BQC-ACC-011", f"{person.user_id} is a laboratory and holds no role")
    if (role in before) == granted:
        held = "already holds" if granted else "does not hold"
        raise Conflict("BQC-ACC-012", f"{person.user_id} {held} the role {role}")
    number = len(role_changes_of(tx.session, person)) + 1
    change = _role_change(tx, person, number, role, granted=granted)
    tx.add(change)
    tx.audit(
        "role granted" if granted else "role withdrawn",
        rows=[change],
        about=[person.key],
        reason=reason,
        before={"roles": list(before)},
        after={"roles": sorted(roles_of(tx.session, person))},
    )


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
    return begin_session(tx, the_person(tx.session, user_id), token=token, hours=hours)


def begin_session(
    tx: Transaction, person: Person, *, token: str, hours: int, by: Component = Component.PASSWORD
) -> SignIn:
    """Begin a session of a person who has proved who they are."""
    session = SignIn(
        token_sha256=sha256_of_token(token),
        person=person,
        began_at=tx.now,
        ends_at=tx.now + timedelta(hours=hours),
    )
    tx.add(session)
    tx.audit("signed in", rows=[session], about=[person.key], after={"by": by or "password"})
    return session


def sign_out(tx: Transaction, *, token: str) -> None:
    """End a session at once."""
    session = open_sign_in(tx.session, sha256_of_token(token), tx.now)
    if session is not None:
        end = SignOut(sign_in=session, at=tx.now)
        tx.add(end)
        tx.audit("signed out", rows=[end], about=[session.person.key])


def sign_out_everywhere(tx: Transaction, person: Person) -> None:
    """End every session of a person at once."""
    ends = [SignOut(sign_in=one, at=tx.now) for one in open_sign_ins(tx.session, person, tx.now)]
    if ends:
        tx.add(*ends)
        tx.audit("signed out everywhere", rows=ends, about=[person.key])


def who_is(session: Session, *, token: str, now: datetime, time_zone: str) -> Principal:
    """The person behind a token.

    Raises:
        NotSignedIn: where the session is unknown, ended or over.
    """
    found = open_sign_in(session, sha256_of_token(token), now)
    if found is None:
        raise NotSignedIn("BQC-ACC-001", "you are not signed in", hint="Sign in (again).")
    return _principal(session, found.person, time_zone, sign_in=found.token_sha256)


def principal(session: Session, *, user_id: str, time_zone: str) -> Principal:
    """A registered person with the roles held now."""
    return _principal(session, the_person(session, user_id), time_zone)


def _principal(session: Session, person: Person, time_zone: str, *, sign_in: str = "") -> Principal:
    password = newest_password(session, person)
    return Principal(
        user_id=person.user_id,
        name=person.name,
        roles=roles_of(session, person),
        must_change_password=bool(
            person.is_laboratory if password is None else password.set_by_other
        ),
        time_zone=time_zone,
        sign_in=sign_in,
    )


def the_person(session: Session, user_id: str) -> Person:
    """The person of a user id.

    Raises:
        NotFound: where nobody has it.
    """
    person = person_by(session, user_id)
    if person is None:
        raise NotFound("BQC-ACC-004", f'nobody has the user id "{user_id}"')
    return person


def require_own_password(tx: Transaction, person: Person) -> None:
    """Refuse who has a password that somebody else set; who has none passes.

    Raises:
        NotPermitted: it opens nothing but its change.
    """
    password = newest_password(tx.session, person)
    if password is not None and password.set_by_other:
        raise _not_own()


def prove(tx: Transaction, *, user_id: str, password: str, purpose: str) -> Refusal | None:
    """Whether a password is right now; the attempt is written either way.

    An unknown user id costs as much time and says the same as a wrong password.
    """
    person = person_by(tx.session, user_id)
    stored = newest_password(tx.session, person) if person else None
    if person is None or stored is None:
        _is_right(_ANY_HASH, password)
        tx.audit("unknown user id refused", after={"purpose": purpose})
        return WRONG
    hashed = stored.hash
    return attempt(
        tx,
        person,
        Tried(Component.PASSWORD, purpose),
        check=lambda: "" if _is_right(hashed, password) else None,
    )


def _not_own() -> NotPermitted:
    return NotPermitted(
        "BQC-ACC-003",
        "somebody else set your password",
        hint="Change it first: POST /api/v1/password or `batchqc user password`.",
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


def _first_password(tx: Transaction, person: Person, password: str) -> Password:
    _check_password(password)
    return Password(
        person=person, number=1, hash=HASHER.hash(password), set_by_other=1, set_at=tx.now
    )


def _role_change(
    tx: Transaction, person: Person, number: int, role: Role, *, granted: bool = True
) -> RoleChange:
    return RoleChange(
        person=person, number=number, role=role.value, granted=int(granted), changed_at=tx.now
    )


def _check_password(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD or len(set(password)) < 5:
        raise InvalidInput(
            "BQC-ACC-008",
            f"a password has at least {SHORTEST_PASSWORD} characters, five of them different",
        )


def sha256_of_token(token: str) -> str:
    """The hash under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()
