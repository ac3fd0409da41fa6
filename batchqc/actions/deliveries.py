"""Telling webhooks of events: each in order, at least once, one process at a time.

A message that is not taken is tried again, later each time, and those after it wait. After the
last try it is given up: that is on record and is an event of its own, and the next one is told.
Attempts are recorded after they were made, since nothing is held open meanwhile: what was told and
not recorded is told again, under the same id.
"""

from collections.abc import Callable, Iterator, Mapping
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
from batchqc.errors import SigningUnavailable
from batchqc.records.events import (
    DELIVERED,
    FAILED,
    GIVEN_UP,
    Delivery,
    Webhook,
    attempts_at,
    events_after,
    open_webhooks,
    told_up_to,
)
from batchqc.records.exclusive import only_one
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
    secret: bytes
    events: tuple[Event, ...]
    tried: int
    due: datetime | None


def deliver_events(
    engine: Engine, *, key: bytes, post: Post, now: Callable[[], datetime]
) -> list[Attempt] | None:
    """Tell every webhook of all that is due; ``None`` where another process is at it.

    Args:
        engine: of the database.
        key: the installation's, from which the secrets are derived.
        post: how a message goes out.
        now: the clock.

    Raises:
        SigningUnavailable: a webhook was registered under another key; the others were told.
    """
    done: list[Attempt] = []
    with only_one(engine, "deliver-events") as is_mine:
        if not is_mine:
            return None
        with reading(engine) as session:
            hooks = [(one.name, one.key, one.secret_sha256) for one in open_webhooks(session)]
        secrets = {name: webhook_secret(key, own) for name, own, _ in hooks}
        strange = [name for name, _, known in hooks if sha256_of_secret(secrets[name]) != known]
        for name, _, _ in hooks:
            if name not in strange:
                done += _tell(engine, name, secrets[name].encode(), post=post, now=now)
    if strange:
        raise SigningUnavailable(
            "BQC-EVT-007",
            f"the key is not the one under which {', '.join(strange)} was registered",
            hint="Restore the key, or end the webhook and register a new one.",
        )
    return done


def _tell(
    engine: Engine, name: str, secret: bytes, *, post: Post, now: Callable[[], datetime]
) -> Iterator[Attempt]:
    """Tell one webhook until nothing is due; what was done is recorded by the twenty."""
    while True:
        with reading(engine) as session:
            turn = _turn(session, name, secret)
        attempts = list(_attempts(turn, post=post, now=now))
        if not attempts:
            return
        with transaction(engine, SYSTEM, now()) as tx:
            _record(tx, the_webhook(tx.session, name), attempts)
        yield from attempts
        if attempts[-1].outcome == FAILED:
            return


def _turn(session: Session, name: str, secret: bytes) -> _Turn:
    row = the_webhook(session, name)
    events: list[Event] = []
    kinds = kinds_of(row)
    after = told_up_to(session, row)
    while len(events) < _AT_ONCE:
        found = events_after(session, after, limit=_AT_ONCE, kinds=kinds)
        if not found:
            break
        after = found[-1].number
        events += [one.event for one in found if is_wanted(one.event, kinds, row.key)]
    events = events[:_AT_ONCE]
    earlier = attempts_at(session, row, events[0].number) if events else ()
    last = earlier[-1].at if earlier else None
    due = due_again(len(earlier), last)
    return _Turn(row.name, row.url, secret, tuple(events), len(earlier), due)


def _attempts(turn: _Turn, *, post: Post, now: Callable[[], datetime]) -> Iterator[Attempt]:
    tried = turn.tried
    if turn.due is not None and now() < turn.due:
        return
    for event in turn.events:
        moment = now()
        headers = {
            "X-Batchqc-Event": event.kind,
            "X-Batchqc-Delivery": event.entry_sha256,
            "X-Batchqc-Signature": signature_of(turn.secret, moment, event.message),
        }
        problem = post(turn.url, event.message, headers)
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
