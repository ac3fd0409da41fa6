"""Reviews of several lots in one act: who signs proves it once, each lot has its own signature.

All or none: what speaks against any of the lots is told at once, and nothing is written then. A
lot is released by an act of its own.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.audit_review import TrailRead, review_audit_trails
from batchqc.actions.lot_review import review_whole_lots
from batchqc.actions.reviews import review_lots
from batchqc.actions.series import LONGEST
from batchqc.actions.trend_signals import look_ahead
from batchqc.api.doors import Signature, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.reviews import (
    AuditReviewOut,
    LotReviewOut,
    ReviewOut,
    audit_review_out,
    lot_review_out,
    review_out,
)
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import LARGEST
from batchqc.core.identifiers import fold
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.once import each_once
from batchqc.records.registers import lots_by

T = TypeVar("T")
Shown = TypeVar("Shown")
router = Routes(PREFIX, tags=["lots"], responses=PROBLEMS)


class SeriesSignature(Signature):
    """The lots, each once, and the components of the signatures, proved once.

    Of a step-up the record names them all: `lot:A, lot:B`. A series is not entered from paper.
    """

    lots: Annotated[list[str], Field(min_length=1, max_length=LONGEST, examples=[["UCM-P1-T1"]])]


class RangeRead(Sent):
    """Up to where the audit trail of a lot was read, as `GET /audit-reviews` told it."""

    lot: str
    last: Annotated[int, Field(ge=1, le=LARGEST)]
    head: str


class TrailSeriesSignature(Signature):
    """The same of audit trails: the lots, each once, with what was read of each."""

    read: Annotated[list[RangeRead], Field(min_length=1, max_length=LONGEST)]


class ReviewsOut(BaseModel):
    """The reviews of the runs of each lot, in the order in which the lots were sent."""

    items: list[ReviewOut]


class LotReviewsOut(BaseModel):
    """QC's reviews, in the order in which the lots were sent."""

    items: list[LotReviewOut]


class AuditReviewsOut(BaseModel):
    """QA's reviews of audit trails, in the order in which the lots were sent."""

    items: list[AuditReviewOut]


@router.post(
    "/reviews",
    status_code=201,
    response_model=ReviewsOut,
    summary="Review every run of several lots as the second person, all or none (signed)",
)
def review(call: Writing, sent: SeriesSignature) -> Response:
    """As of one lot; each has its own signature. What one of them lacks stops them all."""
    with call.writing(Permission.REVIEW_RESULTS, sent) as work:
        if work.is_new:
            found = review_lots(
                work.tx, call.door.archive, lots=sent.lots, credentials=sent.credentials
            )
            work.answer(
                201,
                found
                if isinstance(found, Refusal)
                else ReviewsOut(items=_shown(work.tx.session, found, review_out)),
            )
    return work.response()


@router.post(
    "/qc-reviews",
    status_code=201,
    response_model=LotReviewsOut,
    summary="Review several lots as a whole for QC, all or none (signed)",
)
def review_whole(call: Writing, sent: SeriesSignature) -> Response:
    """As of one lot; each has its own signature. What one of them lacks stops them all."""
    with call.reading(Permission.REVIEW_RESULTS) as session:
        rows = lots_by(session, {fold(one) for one in sent.lots})
        alike = {(one.product_id, one.specification_version_id): one for one in rows}
        for row in alike.values():
            look_ahead(session, call.door.archive, row, call.door.trends)
    with call.writing(Permission.REVIEW_RESULTS, sent) as work:
        if work.is_new:
            found = review_whole_lots(
                work.tx,
                call.door.archive,
                lots=sent.lots,
                credentials=sent.credentials,
                trends=call.door.trends,
            )
            work.answer(
                201,
                found
                if isinstance(found, Refusal)
                else LotReviewsOut(items=_shown(work.tx.session, found, lot_review_out)),
            )
    return work.response()


@router.post(
    "/audit-reviews",
    status_code=201,
    response_model=AuditReviewsOut,
    summary="Review the audit trails of several lots, all or none (signed)",
)
def review_trails(call: Writing, sent: TrailSeriesSignature) -> Response:
    """Sign what `GET /audit-reviews` told of each; each has its own signature."""
    with call.writing(Permission.REVIEW_AUDIT_TRAIL, sent) as work:
        if work.is_new:
            found = review_audit_trails(
                work.tx,
                call.door.archive,
                read=[TrailRead(one.lot, one.last, one.head) for one in sent.read],
                credentials=sent.credentials,
            )
            work.answer(
                201,
                found
                if isinstance(found, Refusal)
                else AuditReviewsOut(items=_shown(work.tx.session, found, audit_review_out)),
            )
    return work.response()


@each_once
def _shown(_: Session, found: Iterable[T], show: Callable[[T], Shown]) -> list[Shown]:
    """What was signed, as it is shown; the site is asked for once."""
    return [show(one) for one in found]
