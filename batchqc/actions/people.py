"""People: who they are, what they may do, and how they prove it.

A password that somebody else set opens nothing but its change, and who lacks the authenticator that
the site asks of everybody enrols one first. Who comes by single sign-on may have no password.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.codes import not_enrolled, prove_to_come_in
from batchqc.actions.passwords import (
    aged,
    check_password,
    days_beyond,
    first_password,
    not_own,
    own_password,
    prove,
)
from batchqc.actions.permission import require
from batchqc.actions.role_terms import check_grant, role_change
from batchqc.actions.standing import DEACTIVATED, shut
from batchqc.core.accounts import Terms, roles_on
from batchqc.core.components import Component
from batchqc.core.identifiers import fold, line_problem, user_problem
from batchqc.core.permissions import Permission, Role, acting_role
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted, NotSignedIn
from batchqc.records.people import (
    ACCOUNT_REGISTERED,
    LABORATORY_REGISTERED,
    Person,
    SignIn,
    SignOut,
    grants_of,
    newest_password,
    open_sign_in,
    open_sign_ins,
    person_by,
)
from batchqc.records.registers import Site
from batchqc.records.standings import Standing, standing_behind, standing_of
from batchqc.records.transaction import Actor, Transaction

_NO_TERMS: Final = Terms()
SIGNED_IN: Final = "signed in"


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
    too_old: int = 0
    """The age in days at which a password must be changed, where this person's is older; else 0."""
    began_at: datetime | None = None
    ends_at: datetime | None = None
    """When the session began and ends, where there is one."""
    must_enrol: bool = False
    """Whether an authenticator is to be enrolled before anything else."""
    has_code: bool = False  # whether codes of an authenticator count
    password_hash: str = field(default="", repr=False)

    def acting(self, permission: Permission) -> Actor:
        """This person in the role that allows ``permission``.

        Raises:
            NotPermitted: where none does, or the password or an authenticator comes first.
        """
        if self.too_old:
            raise aged(self.too_old)
        if self.must_change_password:
            raise not_own()
        if self.must_enrol:
            raise not_enrolled()
        role = acting_role(self.roles, permission)
        if role is None:
            raise _not_permitted(self.user_id, permission, self.roles)
        return Actor(self.user_id, role, self.time_zone, permission, self.sign_in)

    def themself(self) -> Actor:
        """This person, for what concerns only themself."""
        return Actor(self.user_id, "self", self.time_zone, sign_in=self.sign_in)


def register_person(
    tx: Transaction,
    *,
    user_id: str,
    name: str,
    roles: Iterable[Role],
    password: str | None,
    terms: Terms = _NO_TERMS,
) -> Person:
    """Register a person with a first password, which they must change before anything else.

    Without a password they sign in at the provider of single sign-on only, once they are linked.
    """
    require(tx, Permission.MANAGE_ACCOUNTS)
    person = _new_person(tx, user_id, name, is_laboratory=False)
    first = [first_password(tx, person, password)] if password is not None else []
    roles = list(dict.fromkeys(roles))
    check_grant(tx, new=roles, held=(), terms=terms)
    granted = [role_change(tx, person, n, role, terms) for n, role in enumerate(roles, start=1)]
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


def change_password(tx: Transaction, *, user_id: str, old: str, new: str) -> Refusal | None:
    """Change one's own password, and end one's other sessions; a wrong old one is remembered."""
    refusal = prove(tx, user_id=user_id, password=old, purpose="change of password")
    if refusal is not None:
        return refusal
    person = the_person(tx.session, user_id)
    check_password(tx.session, person, new)
    if new == old:
        raise InvalidInput("BQC-ACC-007", "the new password is the old one")
    newest = newest_password(tx.session, person)
    password = own_password(tx, person, newest.number + 1 if newest else 1, new)
    own_session = tx.actor.sign_in
    ends = [one for one in ends_of_sessions(tx, person) if one.sign_in.token_sha256 != own_session]
    tx.add(password, *ends)
    tx.audit("password changed", rows=[password, *ends], about=[person.key])
    return None


def sign_in(  # noqa: PLR0913 - who, by what, and the session that begins
    tx: Transaction, *, user_id: str, password: str, token: str, hours: int, code: str = "",
    client: str = "",
) -> SignIn | Refusal:  # fmt: skip
    """Begin a session under ``token``, of which only the hash is stored, from ``client``."""
    refusal = prove_to_come_in(tx, user_id=user_id, password=password, code=code, purpose="sign-in")
    by = Component.WITH_CODE if code else Component.PASSWORD
    return refusal or begin_session(
        tx, the_person(tx.session, user_id), token=token, hours=hours, by=by, client=client
    )


def begin_session(
    tx: Transaction, person: Person, *, token: str, hours: int, by: Component = Component.PASSWORD,
    client: str = "",
) -> SignIn:  # fmt: skip
    """Begin a session of a person who has proved who they are."""
    session = SignIn(
        token_sha256=sha256_of_token(token),
        person=person,
        began_at=tx.now,
        ends_at=tx.now + timedelta(hours=hours),
    )
    tx.add(session)
    after = {"by": by.word} | ({"from": client} if client else {})
    tx.audit(SIGNED_IN, rows=[session], about=[person.key], after=after)
    return session


def sign_out(tx: Transaction, *, token: str) -> None:
    """End a session at once."""
    session = open_sign_in(tx.session, sha256_of_token(token), tx.now)
    if session is not None:
        _hold_sessions(tx, session.person)
        session = open_sign_in(tx.session, sha256_of_token(token), tx.now)
    if session is not None:
        end = SignOut(sign_in=session, at=tx.now)
        tx.add(end)
        tx.audit("signed out", rows=[end], about=[session.person.key])


def ends_of_sessions(tx: Transaction, person: Person) -> list[SignOut]:
    """The rows that end every session of a person, to add and to audit."""
    _hold_sessions(tx, person)
    return [SignOut(sign_in=one, at=tx.now) for one in open_sign_ins(tx.session, person, tx.now)]


def who_is(session: Session, *, token: str, now: datetime) -> tuple[Principal, Site]:
    """The person behind a token, and the site that they come to.

    Raises:
        NotSignedIn: where the session is unknown, ended or over, or the account deactivated.
        NotPermitted: where the time of the person's last role is over.
    """
    found = standing_behind(session, sha256_of_token(token), now)
    if found is None:
        raise NotSignedIn("BQC-ACC-001", "you are not signed in", hint="Sign in (again).")
    own, standing, site = found
    person = _principal(standing, time_zone=site.time_zone, now=now)
    person = replace(person, began_at=own.began_at, ends_at=own.ends_at)
    return replace(person, sign_in=own.token_sha256), site


def principal(session: Session, *, user_id: str, time_zone: str, now: datetime) -> Principal:
    """A registered person with the roles held now; it raises as ``who_is`` does."""
    standing = standing_of(session, the_person(session, user_id))
    return _principal(standing, time_zone=time_zone, now=now)


def check_still_acting(tx: Transaction, person: Person) -> None:
    """Keep the account of who acts as it is, and refuse who lost the role in the meantime.

    A door looks at roles before its transaction begins; an administrator may have come between.
    Whether the account is in use is looked at where its components are proved.

    Raises:
        NotPermitted: the role is taken away, or its time is over.
    """
    tx.lock(person.key)
    day = tx.now.astimezone(ZoneInfo(tx.actor.time_zone)).date()
    roles = roles_on(grants_of(tx.session, person), day)
    if tx.actor.permission is not None and tx.actor.role not in roles:
        raise _not_permitted(person.user_id, tx.actor.permission, roles)


def _principal(standing: Standing, *, time_zone: str, now: datetime) -> Principal:
    person, password, grants = standing.person, standing.password, standing.grants
    day = now.astimezone(ZoneInfo(time_zone)).date()
    refused = shut(person, grants, is_active=standing.is_active, day=day)
    if refused is not None:
        error = NotSignedIn if refused.code == DEACTIVATED else NotPermitted
        raise error(refused.code, refused.message, hint=refused.hint)
    days = days_beyond(standing.rule, password, now)
    changes = password.set_by_other or days if password else person.is_laboratory
    return Principal(
        person.user_id,
        person.name,
        roles_on(grants, day),
        must_change_password=bool(changes),
        time_zone=time_zone,
        too_old=days,
        must_enrol=standing.must_enrol,
        has_code=standing.has_code,
        password_hash=password.hash if password else "",
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


def _not_permitted(user_id: str, permission: Permission, roles: Iterable[Role]) -> NotPermitted:
    held = ", ".join(sorted(roles)) or "none"
    return NotPermitted(
        "BQC-ACC-002",
        f"{user_id} may not {permission}; roles held: {held}",
        hint="Ask an administrator for the role, or a colleague who has it.",
    )


def _new_person(tx: Transaction, user_id: str, name: str, *, is_laboratory: bool) -> Person:
    if problem := user_problem(user_id) or line_problem("the name", name):
        raise InvalidInput("BQC-ACC-005", problem)
    tx.lock("user ids")
    if person_by(tx.session, user_id) is not None or fold(user_id) == "system":
        raise Conflict("BQC-ACC-006", f'the user id "{user_id}" is taken and never given again')
    return Person(
        user_id=user_id, folded=fold(user_id), name=name.strip(),
        is_laboratory=int(is_laboratory), registered_at=tx.now,
    )  # fmt: skip


def _hold_sessions(tx: Transaction, person: Person) -> None:
    tx.lock(f"attempts of {person.folded}")  # under which each session begins


def sha256_of_token(token: str) -> str:
    """The hash under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()
