"""Events, pulled or posted: the outbox, and the webhooks that are told of it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc import clock
from batchqc.actions.webhooks import (
    NewWebhook,
    end_webhook,
    kinds_of,
    register_webhook,
    the_webhook,
)
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import LARGEST, After, Limit, Page, not_next, page
from batchqc.core.events import Event, kind_problem
from batchqc.core.permissions import Permission
from batchqc.documents.webhook_key import made_key
from batchqc.errors import InvalidInput
from batchqc.records.audit_search import subject_of
from batchqc.records.events import (
    Delivery,
    Webhook,
    deliveries_after,
    end_of,
    events_after,
    told_up_to,
)

router = Routes(PREFIX, tags=["events"], responses=PROBLEMS)


class EntryPlace(BaseModel):
    """The audit entry that an event follows from: `GET /audit?after=<sequence - 1>&limit=1`."""

    sequence: int
    sha256: str


class EventOut(BaseModel):
    """What happened, to which records; look them up for more."""

    type: str
    id: str = Field(description="For ever the same; an event that comes twice has it twice.")
    number: int = Field(description="Counted without a gap.")
    kind: str = Field(examples=["lot.released"])
    at: datetime
    subjects: list[str] = Field(examples=[["lot:UCM-P1-T1", "certificate:COA-2026-000001"]])
    more: int = Field(description="How many further records it is about.")
    entry: EntryPlace


class EventFilter(BaseModel):
    """Which events; a filter that there is not is refused."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(default="", examples=["lot.released", "lot.*"])
    subject: str = Field(default="", examples=["lot:UCM-P1-T1"])
    after: int = Field(default=0, ge=0, le=LARGEST, description="The last number that was read.")
    limit: int = Field(default=50, ge=1, le=200, description="How many at the most.")


class WebhookRequest(Sent):
    """An address to tell of events."""

    name: Annotated[str, Field(examples=["warehouse"])]
    url: Annotated[str, Field(examples=["https://erp.example/batchqc"])]
    kinds: Annotated[
        list[str],
        Field(default_factory=list, examples=[["lot.*", "certificate.issued"]], max_length=50),
    ]


class EndRequest(Sent):
    """Why a webhook is told no more."""

    reason: Annotated[str, Field(examples=["The warehouse system is gone"])]


class WebhookOut(BaseModel):
    """A webhook and how far it was told."""

    name: str
    url: str
    kinds: list[str] = Field(description="None is every kind.")
    registered_by: str
    registered_at: datetime
    told_up_to: int = Field(description="The number of the last event that is done with.")
    ended: bool


class NewWebhookOut(WebhookOut):
    """A webhook with its secret, which is told this once."""

    secret: str


class DeliveryOut(BaseModel):
    """An attempt to tell a webhook of an event."""

    event: int
    attempt: int
    outcome: str = Field(examples=["delivered", "failed", "given up"])
    detail: str = Field(description="Why it was not taken.")
    at: datetime


@router.get("/events", summary="Events, to be pulled")
def events(call: SignedIn, wanted: Annotated[EventFilter, Query()]) -> Page[EventOut]:
    """In the order in which they happened. Whoever has read up to a number has missed none."""
    if wanted.kind and (wrong := kind_problem(wanted.kind)):
        raise InvalidInput("BQC-EVT-009", wrong, hint="See the guide: events.")
    kinds, limit = [wanted.kind] if wanted.kind else [], wanted.limit
    with call.reading() as session:
        subject = subject_of(session, wanted.subject)
        found = events_after(session, wanted.after, limit=limit + 1, kinds=kinds, subject=subject)
        items = [_shown(row.event) for row in found[:limit]]
    return Page(items=items, next=str(items[-1].number) if len(found) > limit else None)


@router.get("/webhooks", summary="Webhooks")
def webhooks(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[WebhookOut]:
    """Every webhook, ended or not, in the order of registration."""
    with call.reading() as session:
        return page(
            session,
            select(Webhook),
            Webhook,
            after=the_webhook(session, after) if after else None,
            limit=limit,
            show=lambda one: shown(session, one),
        )


@router.post(
    "/webhooks", status_code=201, response_model=NewWebhookOut, summary="Register a webhook"
)
def add(call: Writing, sent: WebhookRequest) -> Response:
    """It is told of what happens from now on. Its secret is answered once, and never kept."""
    new = NewWebhook(sent.name, sent.url, tuple(sent.kinds))
    with call.writing(Permission.MANAGE_WEBHOOKS, sent) as work:
        if work.is_new:
            key = made_key(call.door.settings.webhook_key, clock.new_token())
            row, secret = register_webhook(work.tx, new, key=key)
            work.answer(201, NewWebhookOut(**_facts(work.tx.session, row), secret=secret))
            work.keep = False
    return work.response()


@router.post(
    "/webhooks/{name}/end", status_code=201, response_model=WebhookOut, summary="End a webhook"
)
def end(call: Writing, name: str, sent: EndRequest) -> Response:
    """It is told no more from now on; its name is not given again."""
    with call.writing(Permission.MANAGE_WEBHOOKS, sent) as work:
        if work.is_new:
            ended = end_webhook(work.tx, name=name, reason=sent.reason)
            work.answer(201, shown(work.tx.session, ended.webhook))
    return work.response()


@router.get("/webhooks/{name}/deliveries", summary="Every attempt to tell a webhook")
def deliveries(
    call: SignedIn,
    name: str,
    after: Annotated[str, Query(description="`next` of the page before.", max_length=20)] = "",
    limit: Limit = 50,
) -> Page[DeliveryOut]:
    """In the order of the attempts."""
    with call.reading() as session:
        row = the_webhook(session, name)
        found = deliveries_after(session, row, *place_of(after), limit=limit + 1)
        items = [_attempt(row) for row in found[:limit]]
    last = items[-1] if len(found) > limit else None
    return Page(items=items, next=f"{last.event}/{last.attempt}" if last else None)


def place_of(after: str) -> tuple[int, int]:
    """Event and attempt of the last one that was read."""
    if not after:
        return 0, 0
    event, _, attempt = after.partition("/")
    if not (event.isdecimal() and attempt.isdecimal() and max(len(event), len(attempt)) < 10):
        raise not_next(after)
    return int(event), int(attempt)


def _shown(event: Event) -> EventOut:
    return EventOut.model_validate(event.body)


def shown(session: Session, row: Webhook) -> WebhookOut:
    """A webhook as it is answered."""
    return WebhookOut(**_facts(session, row))


def _facts(session: Session, row: Webhook) -> dict[str, Any]:
    return {
        "name": row.name,
        "url": row.url,
        "kinds": kinds_of(row),
        "registered_by": row.registered_by,
        "registered_at": row.registered_at,
        "told_up_to": told_up_to(session, row),
        "ended": end_of(session, row) is not None,
    }


def _attempt(row: Delivery) -> DeliveryOut:
    return DeliveryOut(
        event=row.event_number,
        attempt=row.number,
        outcome=row.outcome,
        detail=row.detail,
        at=row.at,
    )
