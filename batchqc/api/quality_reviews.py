"""Product quality reviews: made and kept, read, and signed as read by QA."""

from datetime import datetime
from typing import Any

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.quality_reviews import (
    annex,
    content_of_review,
    keep_review,
    read_review,
    the_review,
)
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.api.upload_files import CSV_ANSWER, csv_answer
from batchqc.core.permissions import Permission
from batchqc.core.quality_reviews import Period
from batchqc.core.signatures import Refusal
from batchqc.errors import NotFound
from batchqc.records.quality_reviews import QualityReview, reading_of

router = Routes(PREFIX, tags=["trends"], responses=PROBLEMS)


class NewQualityReview(Sent):
    """The product, and the days of the site that the review is of."""

    product: str
    first: Day
    last: Day


class QualityReviewSignature(Signature):
    """The signature of who read a review, and the hash that says which content was read."""

    sha256: str


class QualityReviewOut(BaseModel):
    """A review that is kept, and who read it."""

    number: str
    product: str
    first: str
    last: str
    sha256: str = Field(description="Of the content, which is the data annex.")
    document_sha256: str
    sequence: int = Field(description="Where the audit trail was when it was made.")
    head: str
    made_by: str
    made_at: datetime
    read_by: str = Field(description="Empty before somebody of QA signed it.")
    signature: str


class QualityReviewDetail(QualityReviewOut):
    """With its content: tables as rows of text, charts with values and figures as text."""

    content: dict[str, Any]


@router.get("/quality-reviews", summary="Product quality reviews that were kept")
def reviews(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[QualityReviewOut]:
    """Oldest first, each with who read it."""
    with call.reading() as session:
        return page(
            session,
            select(QualityReview),
            QualityReview,
            after=the_review(session, after) if after else None,
            limit=limit,
            show=lambda one: QualityReviewOut(**_facts(session, one)),
        )


@router.get("/quality-reviews/{number}", summary="One review with its content")
def review(call: SignedIn, number: str) -> QualityReviewDetail:
    """As it was kept; its hash is what is signed."""
    with call.reading() as session:
        row = the_review(session, number)
        content = content_of_review(call.door.archive, row)
        return QualityReviewDetail(**_facts(session, row), content=content)


@router.get(
    "/quality-reviews/{number}/pdf",
    summary="The document of a review",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
def pdf(call: SignedIn, number: str) -> Response:
    """The PDF, byte for byte as it was kept; each page carries the hash of the content."""
    with call.reading() as session:
        row = the_review(session, number)
        data, name = call.door.archive.get(row.document_sha), row.natural_key
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(data, media_type="application/pdf", headers=headers)


@router.get(
    "/quality-reviews/{number}/tables/{table}",
    summary="One table of a review as a CSV",
    response_class=Response,
    responses={200: CSV_ANSWER},
)
def table_csv(call: SignedIn, number: str, table: str) -> Response:
    """Of the data annex, by the name that the content has."""
    with call.reading() as session:
        row = the_review(session, number)
        tables, name = annex(content_of_review(call.door.archive, row)), row.natural_key
    if table not in tables:
        raise NotFound(
            "BQC-PQR-006",
            f"{name} has no table {table}",
            hint=f"It has {', '.join(tables)}.",
        )
    return csv_answer(tables[table], f"{name}_{table}.csv")


@router.post(
    "/quality-reviews",
    status_code=201,
    response_model=QualityReviewOut,
    summary="Make and keep the review of a product and period",
)
def keep(call: Writing, sent: NewQualityReview) -> Response:
    """From the records as they are: the same records give the same content."""
    with call.writing(Permission.KEEP_QUALITY_REVIEW, sent) as work:
        if work.is_new:
            row = keep_review(
                work.tx,
                call.door.archive,
                product=sent.product,
                period=Period(sent.first, sent.last),
                fonts=call.door.press.fonts,
                trends=call.door.trends,
            )
            work.answer(201, QualityReviewOut(**_facts(work.tx.session, row)))
    return work.response()


@router.post(
    "/quality-reviews/{number}/reading",
    status_code=201,
    response_model=QualityReviewOut,
    summary="Sign a review as read",
)
def sign(call: Writing, number: str, sent: QualityReviewSignature) -> Response:
    """Signed once, over the hash of the content."""
    with call.writing(Permission.SIGN_QUALITY_REVIEW, sent) as work:
        if work.is_new:
            signed = read_review(
                work.tx,
                call.door.archive,
                number=number,
                sha256=sent.sha256,
                credentials=sent.credentials,
            )
            if isinstance(signed, Refusal):
                work.answer(403, signed)
            else:
                facts = _facts(work.tx.session, signed.quality_review)
                work.answer(201, QualityReviewOut(**facts))
    return work.response()


def _facts(session: Session, row: QualityReview) -> dict[str, Any]:
    signed = reading_of(session, row)
    return {
        "number": row.natural_key,
        "product": row.product.code,
        "first": row.first,
        "last": row.last,
        "sha256": row.content_sha,
        "document_sha256": row.document_sha,
        "sequence": row.sequence,
        "head": row.head,
        "made_by": row.made_by,
        "made_at": row.made_at,
        "read_by": signed.signature.person.user_id if signed else "",
        "signature": signed.signature.natural_key if signed else "",
    }
