"""Second components: authenticators, links to single sign-on, visits to its provider, the rule.

A visit is known by the hash of its ticket, which only who began it holds. It is returned from once,
and what it proves is used once.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import (
    InstrumentedAttribute,
    Mapped,
    Session,
    joinedload,
    mapped_column,
    relationship,
)

from batchqc.core.components import CodeState, Component, LinkState, link_counts
from batchqc.records.base import Row, refers_to
from batchqc.records.people import Attempt, Person, newest_password


class AuthenticatorChange(Row):
    """The secret of an authenticator is offered, confirmed or revoked; the newest counts.

    ``secret`` is encrypted with the key of the installation; only an offer has one.
    """

    __tablename__ = "authenticator_change"

    person_id: Mapped[int] = refers_to("person")
    number: Mapped[int]
    state: Mapped[str]
    secret: Mapped[str]
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]

    person: Mapped[Person] = relationship()
    __table_args__ = (UniqueConstraint("person_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Whose, and the how many-th."""
        return f"{self.person.user_id}/{self.number}"


class LinkChange(Row):
    """An account is linked to a subject of an issuer, or no longer; the newest counts."""

    __tablename__ = "link_change"

    person_id: Mapped[int] = refers_to("person")
    number: Mapped[int]
    state: Mapped[str]
    issuer: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]

    person: Mapped[Person] = relationship()
    __table_args__ = (UniqueConstraint("person_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Whose, and the how many-th."""
        return f"{self.person.user_id}/{self.number}"


class ProviderVisit(Row):
    """Somebody is sent to the provider: to sign in, or to prove who signs one record.

    ``sign_in`` is the hash of the session's token; it, ``user_id``, ``record`` and ``meaning`` are
    blank where a session is to begin.
    """

    __tablename__ = "provider_visit"

    ticket_sha256: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[str]
    sign_in: Mapped[str]
    record: Mapped[str]
    meaning: Mapped[str]
    began_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """The hash of the ticket."""
        return self.ticket_sha256


class ProviderReturn(Row):
    """The provider vouched for a person, once for each visit."""

    __tablename__ = "provider_return"

    provider_visit_id: Mapped[int] = mapped_column(ForeignKey("provider_visit.id"), unique=True)
    person_id: Mapped[int] = refers_to("person")
    authenticated_at: Mapped[datetime]
    returned_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    provider_visit: Mapped[ProviderVisit] = relationship()
    person: Mapped[Person] = relationship()

    @property
    def natural_key(self) -> str:
        """The hash of the ticket."""
        return self.provider_visit.ticket_sha256


class ProofUse(Row):
    """What a visit proved was used, once."""

    __tablename__ = "proof_use"

    provider_return_id: Mapped[int] = mapped_column(ForeignKey("provider_return.id"), unique=True)
    used_at: Mapped[datetime]

    provider_return: Mapped[ProviderReturn] = relationship()

    @property
    def natural_key(self) -> str:
        """The hash of the ticket."""
        return self.provider_return.natural_key


class SigningRule(Row):
    """Whether who has a password and an authenticator signs with both; the newest counts."""

    __tablename__ = "signing_rule"

    number: Mapped[int] = mapped_column(unique=True)
    with_code: Mapped[int]
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """The how many-th."""
        return str(self.number)


def newest_authenticator(session: Session, person: Person) -> AuthenticatorChange | None:
    """What was done last with a person's authenticator."""
    query = select(AuthenticatorChange).where(AuthenticatorChange.person_id == person.id)
    return session.scalar(query.order_by(AuthenticatorChange.number.desc()).limit(1))


def confirmed_secret(session: Session, person: Person) -> AuthenticatorChange | None:
    """The offer whose codes count: the newest one before the newest confirmation."""
    query = select(AuthenticatorChange).where(AuthenticatorChange.person_id == person.id)
    return _counting(session.scalars(query.order_by(AuthenticatorChange.number)))


def any_confirmed_secret(session: Session) -> AuthenticatorChange | None:
    """The offer of somebody whose codes count; ``None`` where nobody's do."""
    person = session.scalar(select(Person).where(code_counts(Person.id)).limit(1))
    return None if person is None else confirmed_secret(session, person)


def code_counts(person_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether codes of a person count, as a part of a question that asks more.

    What was offered changes nothing; of the rest the newest counts.
    """
    settled = select(AuthenticatorChange.state).where(
        AuthenticatorChange.person_id == person_id,
        AuthenticatorChange.state != CodeState.OFFERED.value,
    )
    newest = settled.order_by(AuthenticatorChange.number.desc()).limit(1)
    return newest.scalar_subquery() == CodeState.CONFIRMED.value


def has_authenticators(session: Session) -> bool:
    """Whether anybody was ever offered an authenticator here."""
    return session.scalar(select(AuthenticatorChange.id).limit(1)) is not None


def with_authenticator(session: Session) -> frozenset[str]:
    """The user ids of everybody whose codes count."""
    query = select(AuthenticatorChange).order_by(
        AuthenticatorChange.person_id, AuthenticatorChange.number
    )
    query = query.options(joinedload(AuthenticatorChange.person))
    of_each = groupby(session.scalars(query), key=lambda one: one.person.user_id)
    return frozenset(user_id for user_id, changes in of_each if _counting(changes))


def linked_people(session: Session) -> dict[str, LinkState]:
    """User id and state of everybody who is linked to single sign-on."""
    query = select(LinkChange).options(joinedload(LinkChange.person)).order_by(LinkChange.number)
    newest = {one.person.user_id: LinkState(one.state) for one in session.scalars(query)}
    return {name: state for name, state in newest.items() if state is not LinkState.REMOVED}


def _counting(changes: Iterable[AuthenticatorChange]) -> AuthenticatorChange | None:
    """Of the changes of one person, oldest first, the offer whose codes count."""
    offer: AuthenticatorChange | None = None
    counts: AuthenticatorChange | None = None
    for change in changes:
        match change.state:
            case CodeState.OFFERED:
                offer = change
            case CodeState.CONFIRMED:
                counts = offer
            case _:
                offer = counts = None
    return counts


def last_step(session: Session, person: Person) -> int:
    """The time step of the code that was accepted last, for whatever, 0 before the first."""
    query = select(Attempt.step).where(
        Attempt.person_id == person.id,
        Attempt.component.in_((Component.CODE.value, Component.WITH_CODE.value)),
        Attempt.succeeded == 1,
    )
    return int(session.scalar(query.order_by(Attempt.number.desc()).limit(1)) or 0)


def newest_link(session: Session, person: Person) -> LinkChange | None:
    """What was done last with a person's link."""
    query = select(LinkChange).where(LinkChange.person_id == person.id)
    return session.scalar(query.order_by(LinkChange.number.desc()).limit(1))


def person_of(session: Session, *, issuer: str, subject: str) -> Person | None:
    """The person whose account a subject opens."""
    query = select(LinkChange).where(LinkChange.issuer == issuer, LinkChange.subject == subject)
    found = session.scalar(query.order_by(LinkChange.id.desc()).limit(1))
    if found is None:
        return None
    newest = newest_link(session, found.person)
    has_password = newest_password(session, found.person) is not None
    is_it = newest is not None and newest.id == found.id
    return found.person if is_it and link_counts(found.state, has_password=has_password) else None


def holder_of(session: Session, *, issuer: str, subject: str) -> Person | None:
    """The person whom a subject was ever linked to; it is never given to another."""
    query = select(LinkChange).where(LinkChange.issuer == issuer, LinkChange.subject == subject)
    found = session.scalar(query.order_by(LinkChange.id).limit(1))
    return found.person if found else None


def visit_by(session: Session, ticket_sha256: str) -> ProviderVisit | None:
    """The visit of a ticket."""
    return session.scalar(select(ProviderVisit).where(ProviderVisit.ticket_sha256 == ticket_sha256))


def return_of(session: Session, visit: ProviderVisit) -> ProviderReturn | None:
    """The return from a visit."""
    query = select(ProviderReturn).where(ProviderReturn.provider_visit_id == visit.id)
    return session.scalar(query)


def use_of(session: Session, back: ProviderReturn) -> ProofUse | None:
    """The use of what a visit proved."""
    return session.scalar(select(ProofUse).where(ProofUse.provider_return_id == back.id))


def newest_rule(session: Session) -> SigningRule | None:
    """The rule that counts."""
    return session.scalar(select(SigningRule).order_by(SigningRule.number.desc()).limit(1))
