"""The outbox: events, who is to be told of them, and every attempt to tell.

An event is written in the transaction of the audit entry that it follows from, behind the lock of
the chain, which is held until the commit. So numbers have no gap, and whoever has read up to a
number has missed nothing before it. The entry is the witness of its event.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.audit import Entry
from batchqc.core.events import Event, kind_of
from batchqc.core.identifiers import fold
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.base import Row, refers_to

DELIVERED, FAILED, GIVEN_UP = "delivered", "failed", "given up"
#: The channel of PostgreSQL on which workers hear that there are new events.
CHANNEL: Final = "batchqc_events"


class EventRow(Row):
    """One event; ``subjects`` is JSON."""

    __tablename__ = "event"

    number: Mapped[int] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    subjects: Mapped[str]
    more: Mapped[int]
    sequence: Mapped[int]
    entry_sha256: Mapped[str] = mapped_column(unique=True)

    @property
    def natural_key(self) -> str:
        """Its number."""
        return str(self.number)

    @property
    def event(self) -> Event:
        """The event as core knows it."""
        return Event(
            self.number, self.kind, self.at, tuple(json.loads(self.subjects)), self.more,
            self.sequence, self.entry_sha256,
        )  # fmt: skip


class Webhook(Row):
    """An address that is told of events after ``begins_after``; ``kinds`` are lines, none is all.

    ``secret_sha256`` knows its secret again, which is derived and stored nowhere.
    """

    __tablename__ = "webhook"

    name: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str]
    kinds: Mapped[str]
    begins_after: Mapped[int]
    secret_sha256: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """Its name."""
        return self.name


class WebhookEnd(Row):
    """That a webhook is told no more; its name is not given again."""

    __tablename__ = "webhook_end"

    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"), unique=True)
    reason: Mapped[str]
    ended_by: Mapped[str]
    ended_at: Mapped[datetime]

    webhook: Mapped[Webhook] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the webhook."""
        return self.webhook.natural_key


class Delivery(Row):
    """One attempt to tell a webhook of an event: ``outcome``, and what came back."""

    __tablename__ = "delivery"

    webhook_id: Mapped[int] = refers_to("webhook")
    event_number: Mapped[int]
    number: Mapped[int]
    outcome: Mapped[str]
    detail: Mapped[str]
    at: Mapped[datetime]

    webhook: Mapped[Webhook] = relationship()
    __table_args__ = (UniqueConstraint("webhook_id", "event_number", "number"),)

    @property
    def natural_key(self) -> str:
        """Webhook, event and the how many-th attempt."""
        return f"{self.webhook.name}/{self.event_number}/{self.number}"


def announce_events(session: Session, entries: Iterable[Entry]) -> None:
    """On PostgreSQL: wake the workers at the commit, where an event follows from an entry."""
    if session.get_bind().dialect.name != "postgresql":
        return
    if any(kind_of(one.action) is not None for one in entries):
        session.execute(select(func.pg_notify(CHANNEL, "")))


def newest_event(session: Session) -> int:
    """The number of the newest event; 0 before the first."""
    return session.scalar(select(func.max(EventRow.number))) or 0


def events_after(
    session: Session, number: int, *, limit: int, kinds: Iterable[str] = (), subject: str = ""
) -> Sequence[EventRow]:
    """Events in their order after a number, of some kinds (``lot.*`` is a group), of a record."""
    query = select(EventRow).where(EventRow.number > number)
    if wanted := [_is_of(kind) for kind in kinds]:
        query = query.where(or_(*wanted))
    if subject:
        told = json.dumps(subject, ensure_ascii=False)
        query = query.where(EventRow.subjects.contains(told, autoescape=True))
    return session.scalars(query.order_by(EventRow.number).limit(limit)).all()


def _is_of(kind: str) -> ColumnElement[bool]:
    if kind.endswith(".*"):
        return EventRow.kind.startswith(kind[:-1], autoescape=True)
    return EventRow.kind == kind


def webhook_by(session: Session, name: str) -> Webhook | None:
    """The webhook of a name, compared without case."""
    return session.scalar(select(Webhook).where(Webhook.folded == fold(name)))


def open_webhooks(session: Session) -> Sequence[Webhook]:
    """Every webhook that is told of events, by id."""
    ended = select(WebhookEnd.webhook_id)
    query = select(Webhook).where(Webhook.id.not_in(ended))
    return session.scalars(query.order_by(Webhook.id)).all()


def end_of(session: Session, webhook: Webhook) -> WebhookEnd | None:
    """The end of a webhook, or ``None`` while it is told of events."""
    return session.scalar(select(WebhookEnd).where(WebhookEnd.webhook_id == webhook.id))


def told_up_to(session: Session, webhook: Webhook) -> int:
    """The number of the last event that a webhook was told of, or that was given up."""
    last = last_told(session, webhook)
    return max(webhook.begins_after, last.event_number if last else 0)


def last_told(session: Session, webhook: Webhook) -> Delivery | None:
    """The attempt that told a webhook of its last event, or with which that was given up."""
    query = select(Delivery).where(
        Delivery.webhook_id == webhook.id, Delivery.outcome.in_([DELIVERED, GIVEN_UP])
    )
    order = (Delivery.event_number.desc(), Delivery.number.desc())
    return session.scalar(query.order_by(*order).limit(1))


def untold(session: Session) -> int:
    """How many events webhooks wait for, each counted for each webhook."""
    return sum(_untold(session, webhook) for webhook in open_webhooks(session))


def _untold(session: Session, webhook: Webhook) -> int:
    itself = json.dumps(webhook.key, ensure_ascii=False)
    query = select(func.count()).where(
        EventRow.number > told_up_to(session, webhook),
        ~EventRow.subjects.contains(itself, autoescape=True),
    )
    if wanted := [_is_of(kind) for kind in webhook.kinds.splitlines()]:
        query = query.where(or_(*wanted))
    return session.scalar(query) or 0


def events_by_kind(session: Session) -> Mapping[str, int]:
    """How many events there are of each kind."""
    query = select(EventRow.kind, func.count()).group_by(EventRow.kind).order_by(EventRow.kind)
    return {row[0]: row[1] for row in session.execute(query)}


def attempts_at(session: Session, webhook: Webhook, event: int) -> Sequence[Delivery]:
    """Every attempt to tell a webhook of an event, oldest first."""
    query = select(Delivery).where(
        Delivery.webhook_id == webhook.id, Delivery.event_number == event
    )
    return session.scalars(query.order_by(Delivery.number)).all()


def deliveries_after(
    session: Session, webhook: Webhook, event: int, attempt: int, *, limit: int
) -> Sequence[Delivery]:
    """Every attempt to tell a webhook, in order, after an attempt at an event."""
    query = select(Delivery).where(
        Delivery.webhook_id == webhook.id,
        or_(
            Delivery.event_number > event,
            and_(Delivery.event_number == event, Delivery.number > attempt),
        ),
    )
    return session.scalars(
        query.order_by(Delivery.event_number, Delivery.number).limit(limit)
    ).all()


def deliveries_before(
    session: Session, webhook: Webhook, event: int, attempt: int, *, limit: int
) -> Sequence[Delivery]:
    """The newest attempts to tell a webhook, or those before an attempt at an event."""
    query = select(Delivery).where(Delivery.webhook_id == webhook.id)
    if event:
        earlier = and_(Delivery.event_number == event, Delivery.number < attempt)
        query = query.where(or_(Delivery.event_number < event, earlier))
    order = (Delivery.event_number.desc(), Delivery.number.desc())
    return session.scalars(query.order_by(*order).limit(limit)).all()


def events_with_entries(
    session: Session,
) -> Iterable[tuple[EventRow, AuditLink | None, AuditEntry | None]]:
    """Every event in its order with its entry, as far as that is there."""
    query = (
        select(EventRow, AuditLink, AuditEntry)
        .outerjoin(AuditLink, AuditLink.entry_sha256 == EventRow.entry_sha256)
        .outerjoin(AuditEntry, AuditEntry.sha256 == EventRow.entry_sha256)
        .order_by(EventRow.number)
    )
    return [(event, link, entry) for event, link, entry in session.execute(query)]


def places_of_events(session: Session) -> Iterable[tuple[str, int]]:
    """Kind of every event, and the place of its entry."""
    return [(row[0], row[1]) for row in session.execute(select(EventRow.kind, EventRow.sequence))]


def entries_without_event(session: Session, actions: Iterable[str]) -> Iterable[tuple[str, int]]:
    """Action and place of every entry of some actions that no event follows from."""
    query = (
        select(AuditEntry.what, AuditLink.sequence)
        .join(AuditLink, AuditLink.entry_sha256 == AuditEntry.sha256)
        .outerjoin(EventRow, EventRow.entry_sha256 == AuditEntry.sha256)
        .where(AuditEntry.what.in_(sorted(actions)), EventRow.id.is_(None))
        .order_by(AuditLink.sequence)
    )
    return [(row[0], row[1]) for row in session.execute(query)]
