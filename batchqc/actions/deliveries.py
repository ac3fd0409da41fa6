"""Telling webhooks of events: each in order, at least once, by one process at a time.

A message that is not taken is tried again, later each time, and those after it wait. After the
last try it is given up: that is on record and is an event of its own, and the next one is told.
Attempts are recorded after they were made, since nothing is held open meanwhile: what was told and
not recorded is told again, under the same id.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.webhooks import kinds_of, sha256_of_secret, the_webhook
from batchqc.core.events import (
    Event,
    due_again,
    is_last,
    is_wanted,
    signature_of,
    webhook_secret,
)
from batchqc.core.identifiers import fold
from batchqc.errors import SigningUnavailable
from batchqc.records.events import (
    DELIVERED,
    FAILED,
    GIVEN_UP,
    Delivery,
    Webhook,
    attempts_at,
    end_of,
    events_after,
    open_webhooks,
    told_up_to,
)
from batchqc.records.exclusive import only_one
from batchqc.records.job_queue import has_queue
from batchqc.records.transaction import SYSTEM, Transaction, reading, transaction

if TYPE_CHECKING:
    from batchqc.core.canonical import Json

_AT_ONCE: Final = 20

#: Posts a message with headers to an address; answers why it was not taken, or ``None``.
Post = Callable[[str, bytes, Mapping[str, str]], str | None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message to one webhook: the event, and what became of it."""

    webhook: str
    event: Event
    number: int
    outcome: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is due for one webhook: events in order, and how often the first was tried."""

    name: str
    url: str
    key: str
    secret_sha256: str
    events: tuple[Event, ...]
    tried: int
    due: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Whether there is something to tell, now."""
        return bool(self.events) and (self.due is None or self.due <= now)


@dataclass(frozen=True, slots=True)
class Sender:
    """What messages go out with.

    ``key`` is the installation's, from which secrets are derived; it is asked for when there is
    something to tell.
    """

    key: Callable[[], bytes]
    post: Post
    now: Callable[[], datetime]


def deliver_events(engine: Engine, sender: Sender) -> list[Attempt] | None:
    """Tell every webhook of all that is due; ``None`` where other processes are at them all.

    Raises:
        SigningUnavailable: a webhook was registered under another key; the others were told.
    """
    with reading(engine) as session:
        turns = [_turn(session, one.name) for one in open_webhooks(session)]
    done, busy, strange = list[Attempt](), 0, list[SigningUnavailable]()
    for one in turns:
        with only_teller(engine, one.name) as is_mine:
            busy += not is_mine
            try:
                _secret(one, sender.key())  # another key is told although nothing waits
                done += tell_webhook(engine, one.name, sender) if is_mine else ()
            except SigningUnavailable as error:
                strange.append(error)
    if strange:
        raise strange[0]
    return None if turns and busy == len(turns) else done


def only_teller(engine: Engine, name: str) -> AbstractContextManager[bool]:
    """Whether nobody else tells a webhook during the block; on SQLite, any webhook."""
    return only_one(engine, f"telling {fold(name)}" if has_queue(engine) else "deliver-events")


def waiting_webhooks(engine: Engine) -> list[str]:
    """The names of the webhooks that are to be told of something, now or later."""
    with reading(engine) as session:
        return [one.name for one in open_webhooks(session) if _waiting(session, one, limit=1)]


def next_try(engine: Engine, name: str, now: datetime) -> datetime | None:
    """When a webhook is to be told of what waits for it; ``None`` where nothing does."""
    with reading(engine) as session:
        row = the_webhook(session, name)
        if end_of(session, row) is not None or not (events := _waiting(session, row, limit=1)):
            return None
        return _due(attempts_at(session, row, events[0].number)) or now


def tell_webhook(engine: Engine, name: str, sender: Sender) -> Iterator[Attempt]:
    """Tell a webhook until nothing is due; what was done is recorded by the twenty.

    The caller sees to it that nobody else tells it meanwhile.

    Raises:
        SigningUnavailable: there is no key, or the webhook was registered under another one.
    """
    while True:
        with reading(engine) as session:
            turn = _turn(session, name)
        if not turn.is_due(sender.now()):
            return
        attempts = list(_attempts(turn, _secret(turn, sender.key()), sender))
        with transaction(engine, SYSTEM, sender.now()) as tx:
            _record(tx, the_webhook(tx.session, name), attempts)
        yield from attempts
        if attempts[-1].outcome == FAILED:
            return


def _secret(turn: _Turn, key: bytes) -> bytes:
    secret = webhook_secret(key, turn.key)
    if sha256_of_secret(secret) != turn.secret_sha256:
        raise SigningUnavailable(
            "BQC-EVT-007",
            f"the key is not the one under which {turn.name} was registered",
            hint="Restore the key, or end the webhook and register a new one.",
        )
    return secret.encode()


def _turn(session: Session, name: str) -> _Turn:
    row = the_webhook(session, name)
    events = _waiting(session, row) if end_of(session, row) is None else ()
    earlier = attempts_at(session, row, events[0].number) if events else ()
    return _Turn(
        row.name, row.url, row.key, row.secret_sha256, tuple(events), len(earlier), _due(earlier)
    )


def _waiting(session: Session, row: Webhook, *, limit: int = _AT_ONCE) -> Sequence[Event]:
    """What a webhook is to be told next, in order."""
    events: list[Event] = []
    kinds = kinds_of(row)
    after = told_up_to(session, row)
    while len(events) < limit:
        found = events_after(session, after, limit=limit, kinds=kinds)
        if not found:
            break
        after = found[-1].number
        events += [one.event for one in found if is_wanted(one.event, kinds, row.key)]
    return events[:limit]


def _due(earlier: Sequence[Delivery]) -> datetime | None:
    return due_again(len(earlier), earlier[-1].at if earlier else None)


def _attempts(turn: _Turn, secret: bytes, sender: Sender) -> Iterator[Attempt]:
    tried = turn.tried
    for event in turn.events:
        moment = sender.now()
        headers = {
            "X-Batchqc-Event": event.kind,
            "X-Batchqc-Delivery": event.entry_sha256,
            "X-Batchqc-Signature": signature_of(secret, moment, event.message),
        }
        problem = sender.post(turn.url, event.message, headers)
        tried += 1
        outcome = DELIVERED if problem is None else GIVEN_UP if is_last(tried) else FAILED
        yield Attempt(turn.name, event, tried, outcome, problem or "", moment)
        if outcome == FAILED:
            return
        tried = 0


def _record(tx: Transaction, webhook: Webhook, attempts: list[Attempt]) -> None:
    rows = [
        Delivery(
            webhook=webhook,
            event_number=one.event.number,
            number=one.number,
            outcome=one.outcome,
            detail=one.detail,
            at=one.at,
        )
        for one in attempts
    ]
    tx.add(*rows)
    tried = [row for row in rows if row.outcome != GIVEN_UP]
    if tried:
        tx.audit("events delivered", rows=tried, about=[webhook.key])
    for row in rows:
        if row.outcome == GIVEN_UP:
            after: dict[str, Json] = {"event": row.event_number, "detail": row.detail}
            tx.audit("event given up", rows=[row], about=[webhook.key], after=after)
