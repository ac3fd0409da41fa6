"""Random samples of the audit trail, and their signed reviews."""

import json
from datetime import datetime
from typing import Any

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.trail_samples import (
    MOST,
    SampleRead,
    draw_sample,
    read_sample,
    read_samples,
    review_sample,
    the_sample,
)
from batchqc.api.audit import EntryOut
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import After, Limit, Page, page_together
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.records.trail_samples import TrailSample

router = Routes(PREFIX, tags=["audit trail"], responses=PROBLEMS)


class NewSample(Sent):
    """How many entries are drawn."""

    size: int = Field(default=25, ge=1, le=MOST)


class SampleSignature(Signature):
    """The signature of a review, and the hash by which the signer says what was read."""

    sha256: str


class SampleReviewOut(BaseModel):
    """Who signed that the entries of others were read."""

    reviewer: str
    signature: str
    at: datetime
    reason: str


class SampleOut(BaseModel):
    """A sample: the range that it is of, and the head from which it was drawn."""

    number: str
    sha256: str = Field(description="Of the list of entries; this is what a review signs.")
    first: int
    last: int
    head: str = Field(description="Of the chain at `last`; the draw follows from it.")
    drawn_by: str
    drawn_at: datetime
    size: int = Field(description="How many entries were drawn.")
    waiting: list[int] = Field(
        description="Entries that nobody has read yet but, at most, who did what they tell."
    )
    reviews: list[SampleReviewOut]


class SampleDetail(SampleOut):
    """With its entries."""

    entries: list[EntryOut]


@router.get("/audit-samples", summary="Random samples of the audit trail")
def samples(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[SampleOut]:
    """Oldest first."""
    with call.reading() as session:
        return page_together(
            session,
            select(TrailSample),
            TrailSample,
            after=the_sample(session, after) if after else None,
            limit=limit,
            show=lambda rows: [
                SampleOut(**_facts(one)) for one in read_samples(session, call.door.archive, rows)
            ],
        )


@router.get("/audit-samples/{number}", summary="One sample with its entries and reviews")
def sample(call: SignedIn, number: str) -> SampleDetail:
    """Every entry compared with what it was when it was drawn."""
    with call.reading() as session:
        return detail(read_sample(session, call.door.archive, number))


@router.post(
    "/audit-samples", status_code=201, response_model=SampleDetail, summary="Draw a sample"
)
def draw(call: Writing, sent: NewSample) -> Response:
    """Of all entries since the sample before, by the hash of the newest: nobody chooses."""
    with call.writing(Permission.REVIEW_AUDIT_TRAIL, sent) as work:
        if work.is_new:
            row = draw_sample(work.tx, call.door.archive, size=sent.size)
            work.answer(201, detail(_read(work.tx.session, call.door.archive, row)))
    return work.response()


@router.post(
    "/audit-samples/{number}/review",
    status_code=201,
    response_model=SampleDetail,
    summary="Sign the review of a sample",
)
def review(call: Writing, number: str, sent: SampleSignature) -> Response:
    """Of the entries that others did; what the signer did is left to another."""
    with call.writing(Permission.REVIEW_AUDIT_TRAIL, sent) as work:
        if work.is_new:
            signed = review_sample(
                work.tx,
                call.door.archive,
                number=number,
                sha256=sent.sha256,
                credentials=sent.credentials,
            )
            if isinstance(signed, Refusal):
                work.answer(403, signed)
            else:
                found = _read(work.tx.session, call.door.archive, signed.trail_sample)
                work.answer(201, detail(found))
    return work.response()


def detail(found: SampleRead) -> SampleDetail:
    """A sample as it is answered."""
    return SampleDetail(
        **_facts(found),
        entries=[
            EntryOut(
                sequence=link.sequence,
                sha256=entry.sha256,
                link=link.sha256,
                entry=json.loads(entry.text),
            )
            for link, entry in found.entries
        ],
    )


def _read(session: Session, archive: Archive, row: TrailSample) -> SampleRead:
    return read_sample(session, archive, row.natural_key)


def _facts(found: SampleRead) -> dict[str, Any]:
    row = found.row
    return {
        "number": row.natural_key,
        "sha256": row.content_sha,
        "first": row.first,
        "last": row.last,
        "head": row.head,
        "drawn_by": row.drawn_by,
        "drawn_at": row.drawn_at,
        "size": len(found.entries),
        "waiting": list(found.waiting),
        "reviews": [
            SampleReviewOut(
                reviewer=one.signature.person.user_id,
                signature=one.signature.natural_key,
                at=one.signature.at,
                reason=one.signature.reason,
            )
            for one in found.reviews
        ],
    }
