"""Reviews before a decision: of runs, by exception; of a lot as a whole; of its audit trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.audit_review import review_audit_trail, trail_to_read
from batchqc.actions.evaluation import study
from batchqc.actions.lot_review import lot_review_content, review_whole_lot, seen_runs
from batchqc.actions.lots import the_lot
from batchqc.actions.reviews import review_lot
from batchqc.actions.states import contested_lot
from batchqc.actions.trend_signals import look_ahead
from batchqc.api.decisions import SignatureOut, signature_out
from batchqc.api.doors import Call, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.review_bodies import ShownSignature, TrailSignature
from batchqc.api.routes import PREFIX, Routes
from batchqc.core.audit_review import WorthReading
from batchqc.core.canonical import sha256_of
from batchqc.core.lot_review import review_hindrances
from batchqc.core.permissions import Permission
from batchqc.core.review_by_exception import RunSeen, Why
from batchqc.core.signatures import Refusal
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.once import each_once
from batchqc.records.uploads import Review

router = Routes(PREFIX, tags=["lots"], responses=PROBLEMS)


class ExceptionOut(BaseModel):
    """One reason to look at a run more closely."""

    why: Why
    said: str


class RunSeenOut(BaseModel):
    """A run; a clean one has no exceptions and can be collapsed."""

    run: str
    upload: str
    test: str
    measurements: int
    exceptions: list[ExceptionOut]


class ReviewView(BaseModel):
    """What a reviewer looks at: runs with exceptions first, clean ones collapsed."""

    lot: str
    with_exceptions: list[RunSeenOut]
    clean: list[RunSeenOut]
    hindrances: list[str] = Field(description="Why the lot as a whole cannot be reviewed yet.")
    content_sha256: str = Field(description="Of what QC's review of the lot as a whole would sign.")


class ReviewOut(BaseModel):
    """The runs that one signature reviews."""

    lot: str
    runs: list[str]
    signature: SignatureOut


class LotReviewOut(BaseModel):
    """QC's review of a lot as a whole."""

    lot: str
    number: int
    content_sha256: str
    signature: SignatureOut


class EntryToRead(BaseModel):
    """An entry of the audit trail that is worth reading, and why."""

    sequence: int
    sha256: str
    who: str
    role: str
    at: datetime
    what: str
    why: str
    subjects: list[str]
    because: str


class TrailView(BaseModel):
    """What QA reads and signs: send `last` and `head` back with the signature."""

    lot: str
    first: int
    last: int
    head: str
    entries: list[EntryToRead]
    routine: dict[str, int] = Field(description="How many entries of each routine kind there are.")


class TrailViews(BaseModel):
    """The same of several lots, in the order in which they were asked for."""

    items: list[TrailView]


class AuditReviewOut(BaseModel):
    """QA's review of the audit trail of a lot."""

    lot: str
    number: int
    first: int
    last: int
    head: str
    signature: SignatureOut


@router.get("/lots/{lot}/review", summary="The runs of a lot, by exception")
def view(call: SignedIn, lot: str) -> ReviewView:
    """Each run with every reason to look closer; what is clean is told apart."""
    with call.reading() as session:
        case = study(session, call.door.archive, lot=the_lot(session, lot), now=call.door.now())
        seen = seen_runs(session, call.door.archive, case, trends=call.door.trends)
        return ReviewView(
            lot=case.lot.id,
            with_exceptions=[_seen(one) for one in seen if not one.is_clean],
            clean=[_seen(one) for one in seen if one.is_clean],
            hindrances=list(review_hindrances(case.facts, case.gates)),
            content_sha256=sha256_of(lot_review_content(case, seen)),
        )


@router.post(
    "/lots/{lot}/review",
    status_code=201,
    response_model=ReviewOut,
    summary="Review every run of a lot as the second person (signed)",
)
def review(call: Writing, lot: str, sent: ShownSignature) -> Response:
    """Who entered or measured any of the runs may not review them.

    The answer names the runs that are signed. What waits for its second entry, or for a reviewer
    who is trained where the register refuses others, is left: see the readiness of the lot.
    """
    of = contested_lot(call.door.archive, lot, call.door.now())
    with call.writing(Permission.REVIEW_RESULTS, sent, of=of) as work:
        if work.is_new:
            reviews = review_lot(
                work.tx, call.door.archive, lot=lot, credentials=sent.credentials,
                shown=sent.content_sha256,
            )  # fmt: skip
            work.answer(201, reviews if isinstance(reviews, Refusal) else review_out(reviews))
    return work.response()


@router.post(
    "/lots/{lot}/qc-review",
    status_code=201,
    response_model=LotReviewOut,
    summary="Review a lot as a whole for QC (signed)",
)
def review_whole(call: Writing, lot: str, sent: ShownSignature) -> Response:
    """After every run was reviewed: the laboratory's part is complete, and the lot goes to QA."""
    of = contested_lot(call.door.archive, lot, call.door.now())
    with call.reading(Permission.REVIEW_RESULTS) as session:
        look_ahead(session, call.door.archive, the_lot(session, lot), call.door.trends)
    with call.writing(Permission.REVIEW_RESULTS, sent, of=of) as work:
        if work.is_new:
            row = review_whole_lot(
                work.tx,
                call.door.archive,
                lot=lot,
                credentials=sent.credentials,
                trends=call.door.trends,
                shown=sent.content_sha256,
            )
            work.answer(201, row if isinstance(row, Refusal) else lot_review_out(row))
    return work.response()


@router.get("/lots/{lot}/audit-review", summary="What of a lot's audit trail is worth reading")
def trail(call: SignedIn, lot: str) -> TrailView:
    """Changes, refusals, what was done again or late; the routine is counted only."""
    with call.reading() as session:
        return _trail(session, call, lot)


@router.get("/audit-reviews", summary="What of the audit trails of several lots is worth reading")
def trails(
    call: SignedIn,
    lot: Annotated[list[str], Query(min_length=1, max_length=50, description="By id.")],
) -> TrailViews:
    """As of one lot; sign with the `last` and `head` that each lot has here."""
    with call.reading() as session:
        return TrailViews(items=_trails(session, call, lot))


@each_once
def _trails(session: Session, call: Call, lots: Sequence[str]) -> list[TrailView]:
    return [_trail(session, call, one) for one in lots]


def _trail(session: Session, call: Call, lot: str) -> TrailView:
    case = study(session, call.door.archive, lot=the_lot(session, lot), now=call.door.now())
    found = trail_to_read(session, case)
    return TrailView(
        lot=case.lot.id,
        first=found.first,
        last=found.last,
        head=found.head,
        entries=[_entry(one) for one in found.selection.entries],
        routine=dict(found.selection.routine),
    )


@router.post(
    "/lots/{lot}/audit-review",
    status_code=201,
    response_model=AuditReviewOut,
    summary="Review the audit trail of a lot (signed)",
)
def review_trail(call: Writing, lot: str, sent: TrailSignature) -> Response:
    """Sign the range that was read, by its last entry and the head there.

    Who did any of what is worth reading may not sign; an entry about the lot that came since is
    not signed unseen.
    """
    of = contested_lot(call.door.archive, lot, call.door.now())
    with call.writing(Permission.REVIEW_AUDIT_TRAIL, sent, of=of) as work:
        if work.is_new:
            row = review_audit_trail(
                work.tx,
                call.door.archive,
                lot=lot,
                last=sent.last,
                head=sent.head,
                credentials=sent.credentials,
            )
            work.answer(201, row if isinstance(row, Refusal) else audit_review_out(row))
    return work.response()


def _seen(one: RunSeen) -> RunSeenOut:
    return RunSeenOut(
        run=one.run.run,
        upload=one.run.upload,
        test=one.run.test,
        measurements=one.measurements,
        exceptions=[ExceptionOut(why=each.why, said=each.said) for each in one.exceptions],
    )


def review_out(reviews: list[Review]) -> ReviewOut:
    """The reviews of the runs of a lot by one signature."""
    return ReviewOut(
        lot=reviews[0].assay_run.lot.lot,
        runs=[str(review.assay_run.run_key) for review in reviews],
        signature=signature_out(reviews[0].signature),
    )


def _entry(one: WorthReading) -> EntryToRead:
    entry = one.entry
    return EntryToRead(
        sequence=entry.sequence,
        sha256=entry.sha256,
        who=entry.who,
        role=entry.role,
        at=entry.at,
        what=entry.what,
        why=entry.why,
        subjects=list(entry.subjects),
        because=one.because,
    )


def lot_review_out(row: LotReview) -> LotReviewOut:
    """QC's review of a lot."""
    return LotReviewOut(
        lot=row.lot.lot,
        number=row.number,
        content_sha256=row.content_sha,
        signature=signature_out(row.signature),
    )


def audit_review_out(row: AuditReview) -> AuditReviewOut:
    """QA's review of the audit trail of a lot."""
    return AuditReviewOut(
        lot=row.lot.lot,
        number=row.number,
        first=row.first,
        last=row.last,
        head=row.head,
        signature=signature_out(row.signature),
    )
