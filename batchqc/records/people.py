"""People, their roles, passwords, sign-ins and failed attempts. Never deleted, ids never reused."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Final

from sqlalchemy import ForeignKey, Select, UniqueConstraint, bindparam, literal_column, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from batchqc.core.accounts import Grant, RoleTraining, Terms
from batchqc.core.identifiers import fold
from batchqc.core.permissions import Role
from batchqc.errors import InvalidInput
from batchqc.records.base import Row, added_later, few_among_many, refers_to
from batchqc.records.once import once

ACCOUNT_REGISTERED: Final = "account registered"
LABORATORY_REGISTERED: Final = "contract laboratory registered"
UNKNOWN: Final = "unknown user id refused"
#: What audit entries call the registration of a person or a contract laboratory.
REGISTRATIONS: Final = (ACCOUNT_REGISTERED, LABORATORY_REGISTERED)


class Person(Row):
    """A person, or a contract laboratory that measures for the site and never signs in."""

    __tablename__ = "person"

    user_id: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    is_laboratory: Mapped[int]
    registered_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """The user id."""
        return self.user_id


class Password(Row):
    """A password hash (argon2id); the newest counts. ``set_by_other`` ones must be changed.

    ``ends_at``: until when it opens anything, RFC 3339 in UTC; "" for no end.
    """

    __tablename__ = "password"

    person_id: Mapped[int] = refers_to("person")
    number: Mapped[int]
    hash: Mapped[str]
    set_by_other: Mapped[int]
    set_at: Mapped[datetime]
    ends_at: Mapped[str] = added_later()

    person: Mapped[Person] = relationship()
    __table_args__ = (UniqueConstraint("person_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Whose, and the how many-th."""
        return f"{self.person.user_id}/{self.number}"


class RoleChange(Row):
    """A role granted to or withdrawn from a person; the newest of a role counts.

    ``last_day``, ``trained_on`` and ``expires_on`` are days at the site, "" where there is none.
    """

    __tablename__ = "role_change"

    person_id: Mapped[int] = refers_to("person")
    number: Mapped[int]
    role: Mapped[str]
    granted: Mapped[int]
    changed_at: Mapped[datetime]
    last_day: Mapped[str] = added_later()
    training: Mapped[str] = added_later()
    trained_on: Mapped[str] = added_later()
    expires_on: Mapped[str] = added_later()

    person: Mapped[Person] = relationship()
    __table_args__ = (UniqueConstraint("person_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Whose, and the how many-th."""
        return f"{self.person.user_id}/{self.number}"


class AccountChange(Row):
    """That an account was deactivated, or reactivated; the newest counts."""

    __tablename__ = "account_change"

    person_id: Mapped[int] = refers_to("person")
    number: Mapped[int]
    active: Mapped[int]
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]

    person: Mapped[Person] = relationship()
    __table_args__ = (UniqueConstraint("person_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Whose, and the how many-th."""
        return f"{self.person.user_id}/{self.number}"


class PasswordRule(Row):
    """After how many days a password must be changed, 0 for never; the newest counts."""

    __tablename__ = "password_rule"

    number: Mapped[int] = mapped_column(unique=True)
    days: Mapped[int]
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """The how many-th."""
        return str(self.number)


class Attempt(Row):
    """A component that was tried, for a sign-in or a signature, and whether it was right.

    ``component`` is blank for a password; ``step`` is the time step of a code that was accepted.
    """

    __tablename__ = "attempt"

    person_id: Mapped[int] = refers_to("person")
    number: Mapped[int]
    purpose: Mapped[str]
    succeeded: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)
    component: Mapped[str] = added_later()
    step: Mapped[str] = added_later()

    person: Mapped[Person] = relationship()
    __table_args__ = (
        UniqueConstraint("person_id", "number"),
        few_among_many("ix_attempt_failed", "id", "succeeded = 0"),
    )

    @property
    def natural_key(self) -> str:
        """Whose, and the how many-th."""
        return f"{self.person.user_id}/{self.number}"


#: Of an attempt; word for word as its index says it.
HAS_FAILED: Final = Attempt.succeeded == literal_column("0")


class SignIn(Row):
    """A session: the hash of its token, from when and until when."""

    __tablename__ = "sign_in"

    token_sha256: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = refers_to("person")
    began_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    person: Mapped[Person] = relationship()

    @property
    def natural_key(self) -> str:
        """The hash of the token."""
        return self.token_sha256


class SignOut(Row):
    """The end of a session before its time."""

    __tablename__ = "sign_out"

    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_in.id"), unique=True)
    at: Mapped[datetime]

    sign_in: Mapped[SignIn] = relationship()

    @property
    def natural_key(self) -> str:
        """The hash of the token."""
        return self.sign_in.token_sha256


#: What every request asks, made once.
_PEOPLE: Final = select(Person).order_by(Person.folded)
_NEWEST_PASSWORD: Final = (
    select(Password)
    .where(Password.person_id == bindparam("person"))
    .order_by(Password.number.desc())
    .limit(1)
)
_NEWEST_CHANGE: Final = (
    select(AccountChange)
    .where(AccountChange.person_id == bindparam("person"))
    .order_by(AccountChange.number.desc())
    .limit(1)
)
_NEWEST_RULE: Final = select(PasswordRule).order_by(PasswordRule.number.desc()).limit(1)
_ROLE_CHANGES: Final = (
    select(RoleChange)
    .where(RoleChange.person_id == bindparam("person"))
    .order_by(RoleChange.number)
)
_PERSON: Final = select(Person).where(Person.folded == bindparam("folded"))


def person_by(session: Session, user_id: str) -> Person | None:
    """The person or laboratory of a user id, compared without case."""
    return session.scalar(_PERSON, {"folded": fold(user_id)})


def roles_of(session: Session, person: Person) -> frozenset[Role]:
    """The roles that a person was granted and that were not withdrawn, ended ones too."""
    return frozenset(grant.role for grant in grants_of(session, person))


def grants_of(session: Session, person: Person) -> list[Grant]:
    """The newest grant of each role that was not withdrawn."""
    return [grant for _, grant in grants_in(role_changes_of(session, person))]


def grants_in(changes: Iterable[RoleChange]) -> list[tuple[RoleChange, Grant]]:
    """What counts of all changes of one person's roles, oldest first, with the change behind it."""
    newest = {change.role: change for change in changes}
    return [(one, Grant(Role(one.role), _terms(one))) for one in newest.values() if one.granted]


def _terms(change: RoleChange) -> Terms:
    training = None
    if change.training:
        trained_on, expires_on = map(date.fromisoformat, (change.trained_on, change.expires_on))
        training = RoleTraining(change.training, trained_on, expires_on)
    return Terms(date.fromisoformat(change.last_day) if change.last_day else None, training)


def role_changes_of(session: Session, person: Person) -> Sequence[RoleChange]:
    """Every change of a person's roles, oldest first."""
    return session.scalars(_ROLE_CHANGES, {"person": person.id}).all()


def newest_password(session: Session, person: Person) -> Password | None:
    """The password hash that counts."""
    return session.scalar(_NEWEST_PASSWORD, {"person": person.id})


def hash_of(session: Session, user_id: str) -> str:
    """The password hash that counts of a user id; blank where there is none."""
    query = select(Password.hash).join(Person).where(Person.folded == fold(user_id))
    return session.scalar(query.order_by(Password.number.desc()).limit(1)) or ""


def newest_attempts(session: Session, person: Person, *, limit: int) -> Sequence[Attempt]:
    """The newest attempts of a person, newest first."""
    query = select(Attempt).where(Attempt.person_id == person.id)
    return session.scalars(query.order_by(Attempt.number.desc()).limit(limit)).all()


def failed_since(session: Session, since: datetime) -> Sequence[Person]:
    """Everyone with a failed attempt since then, by user id."""
    failed = select(Attempt.person_id).where(HAS_FAILED, Attempt.at > since)
    return session.scalars(
        select(Person).where(Person.id.in_(failed)).order_by(Person.folded)
    ).all()


def failed_attempts(session: Session, *, limit: int) -> Sequence[Attempt]:
    """The newest failed attempts of anybody, newest first."""
    query = select(Attempt).where(HAS_FAILED)
    return session.scalars(query.order_by(Attempt.id.desc()).limit(limit)).all()


def attempt_by(session: Session, natural_key: str) -> Attempt:
    """The attempt of a natural key such as ``ana/12``.

    Raises:
        InvalidInput: it is none.
    """
    user_id, _, number = natural_key.rpartition("/")
    found = None
    if number.isdecimal() and len(number) < 10:
        query = select(Attempt).join(Person).where(Person.folded == fold(user_id))
        found = session.scalar(query.where(Attempt.number == int(number)))
    if found is None:
        raise InvalidInput("BQC-API-007", f'"{natural_key}" is not the `next` of a page')
    return found


def open_sign_in(session: Session, token_sha256: str, now: datetime) -> SignIn | None:
    """The session of a token, where it has neither ended nor been ended."""
    return session.scalar(_open_sign_in(), {"token": token_sha256, "now": now})


@cache
def _open_sign_in() -> Select[SignIn]:
    return (
        select(SignIn)
        .options(joinedload(SignIn.person, innerjoin=True))
        .outerjoin(SignOut, SignOut.sign_in_id == SignIn.id)
        .where(
            SignIn.token_sha256 == bindparam("token"),
            SignIn.ends_at > bindparam("now"),
            SignOut.id.is_(None),
        )
    )


def open_sign_ins(session: Session, person: Person, now: datetime) -> Sequence[SignIn]:
    """The sessions of a person that have neither ended nor been ended."""
    query = (
        select(SignIn)
        .outerjoin(SignOut, SignOut.sign_in_id == SignIn.id)
        .where(SignIn.person_id == person.id, SignIn.ends_at > now, SignOut.id.is_(None))
    )
    return session.scalars(query.order_by(SignIn.id)).all()


def newest_account_change(session: Session, person: Person) -> AccountChange | None:
    """Whether an account is active is what its newest change says; ``None`` before the first."""
    return session.scalar(_NEWEST_CHANGE, {"person": person.id})


def is_active(session: Session, person: Person) -> bool:
    """Whether an account was never deactivated, or reactivated since."""
    newest = newest_account_change(session, person)
    return newest is None or bool(newest.active)


def newest_password_rule(session: Session) -> PasswordRule | None:
    """The rule of passwords that counts."""
    return session.scalar(_NEWEST_RULE)


@once
def all_people(session: Session) -> Sequence[Person]:
    """Everyone, by user id."""
    return session.scalars(_PEOPLE).all()
