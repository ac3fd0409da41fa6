"""Jobs: work that takes long is asked for, and done beside; the address of a job tells how far."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.certificate_renewals import DUE_DAYS
from batchqc.actions.export_plan import Asked, wanted_by
from batchqc.actions.exports import FOLDER
from batchqc.actions.job_kinds import bundle_wanted
from batchqc.actions.jobs import ask_again, ask_for, close_job, keeps_jobs, the_job
from batchqc.actions.log_proofs import the_checkpoint
from batchqc.actions.quality_reviews import check_period
from batchqc.actions.registers import the_product
from batchqc.actions.specifications import the_version
from batchqc.api.doors import SignedIn, Work, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.exports import ExportAsked
from batchqc.api.quality_reviews import NewQualityReview
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import LARGEST, After, Limit, Page
from batchqc.core.canonical import Json
from batchqc.core.jobs import WHO_ASKS, Kind
from batchqc.core.permissions import Permission
from batchqc.core.quality_reviews import Period
from batchqc.errors import NotFound
from batchqc.records.jobs import JobStep, JobsWanted, job_lines, newest_progress, newest_step

router = Routes(f"{PREFIX}/jobs", tags=["jobs"], responses=PROBLEMS)
ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "It is on record; its address stands in `Location`."}
}


class ImpactAsked(Sent):
    """The version of a specification that past lots are judged by."""

    specification: str
    version: int = Field(ge=1, le=LARGEST)


class RenewalAsked(Sent):
    """Which certificates: those whose proof ends within some days."""

    within: int = Field(DUE_DAYS, ge=0, le=36_500, description="Days.")


class ScrubAsked(Sent):
    """What is read again: a sample of so many files, or all; only those stored since a day."""

    sample: int = Field(0, ge=0, le=LARGEST, description="0 is all of them.")
    since: Day | None = None


class Because(Sent):
    """Why, in words that a stranger understands."""

    reason: str


class JobOut(BaseModel):
    """A job: what was asked for, and where it is."""

    number: str
    kind: str
    wanted: str = Field(description="What exactly, as JSON.")
    asked_by: str
    role: str
    asked_at: datetime
    state: str = Field(description="queued, running, waiting, done, failed or closed.")
    tries: int
    said: str = Field(description="The outcome, or what is wrong, in words.")
    due: str = Field(description="When it is tried again; empty where it is not.")
    at: datetime = Field(description="Of the newest step, or of the newest word how far it is.")
    executor: str = Field(description="Host and process of the newest step, or who took it.")
    done: int
    total: int = Field(description="0 while nobody knows.")
    result: str = Field(description="Where what it made lies, below /api/v1; empty for none yet.")


@router.post(
    "/bundles", status_code=202, response_model=JobOut, responses=ACCEPTED,
    summary="Have an auditor's bundle made",
)  # fmt: skip
def ask_bundle(call: Writing, sent: ExportAsked) -> Response:
    """Of the newest checkpoint, or the one that is named; it is kept in the archive."""
    with call.writing(WHO_ASKS[Kind.BUNDLE], sent) as work:
        if work.is_new:
            session = work.tx.session
            size = the_checkpoint(session, sent.checkpoint).size
            asked = Asked(sent.product, tuple(sent.lots), sent.since, sent.until, size)
            wanted_by(session, asked)  # refuses lots and products that there are not
            _ask(work, Kind.BUNDLE, bundle_wanted(asked))
    return accepted(work)


@router.post(
    "/quality-reviews", status_code=202, response_model=JobOut, responses=ACCEPTED,
    summary="Have a quality review made and kept",
)  # fmt: skip
def ask_review(call: Writing, sent: NewQualityReview) -> Response:
    """Of the records as they are when it is begun."""
    with call.writing(WHO_ASKS[Kind.QUALITY_REVIEW], sent) as work:
        if work.is_new:
            check_period(work.tx.session, Period(sent.first, sent.last), work.tx.now)
            product = the_product(work.tx.session, sent.product).code
            days = {"first": sent.first.isoformat(), "last": sent.last.isoformat()}
            _ask(work, Kind.QUALITY_REVIEW, {"product": product, **days})
    return accepted(work)


@router.post(
    "/impact-reports", status_code=202, response_model=JobOut, responses=ACCEPTED,
    summary="Have past lots judged by a version, and the report kept",
)  # fmt: skip
def ask_impact(call: Writing, sent: ImpactAsked) -> Response:
    """No verdict is changed."""
    with call.writing(WHO_ASKS[Kind.IMPACT], sent) as work:
        if work.is_new:
            row = the_version(work.tx.session, sent.specification, sent.version)
            wanted: dict[str, Json] = {"specification": row.specification, "version": row.version}
            _ask(work, Kind.IMPACT, wanted)
    return accepted(work)


@router.post(
    "/certificate-issues", status_code=202, response_model=JobOut, responses=ACCEPTED,
    summary="Have every pending certificate sealed and issued",
)  # fmt: skip
def ask_issue(call: Writing) -> Response:
    """Each once; those whose seal fails stay pending."""
    with call.writing(WHO_ASKS[Kind.ISSUE]) as work:
        if work.is_new:
            _ask(work, Kind.ISSUE, {})
    return accepted(work)


@router.post(
    "/certificate-renewals", status_code=202, response_model=JobOut, responses=ACCEPTED,
    summary="Have every certificate renewed whose proof ends soon",
)  # fmt: skip
def ask_renewal(call: Writing, sent: RenewalAsked) -> Response:
    """Tried again while the timestamp service does not answer."""
    with call.writing(WHO_ASKS[Kind.RENEWAL], sent) as work:
        if work.is_new:
            _ask(work, Kind.RENEWAL, {"within": sent.within})
    return accepted(work)


@router.post(
    "/archive-scrubs", status_code=202, response_model=JobOut, responses=ACCEPTED,
    summary="Have stored files read again",
)  # fmt: skip
def ask_scrub(call: Writing, sent: ScrubAsked) -> Response:
    """What is missing or damaged stands under `archive/damage`."""
    with call.writing(WHO_ASKS[Kind.SCRUB], sent) as work:
        if work.is_new:
            since = sent.since.isoformat() if sent.since else ""
            _ask(work, Kind.SCRUB, {"sample": sent.sample, "since": since})
    return accepted(work)


@router.get("", summary="Jobs, newest first")
def jobs(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[JobOut]:
    """One's own; for QA and administrators those of all."""
    with call.reading() as session:
        found = job_lines(
            session,
            JobsWanted("" if keeps_jobs(call.person) else call.person.user_id),
            behind=the_job(session, after, person=call.person) if after else None,
            limit=limit + 1,
        )
        shown = found[:limit]
        more = shown[-1].job.natural_key if len(found) > limit else None
        return Page(items=[shown_job(session, one) for one in shown], next=more)


@router.get("/{number}", summary="One job: where it is, and how far")
def job(call: SignedIn, number: str) -> JobOut:
    """For who asked for it, QA and administrators."""
    with call.reading() as session:
        return shown_job(
            session, newest_step(session, the_job(session, number, person=call.person))
        )


@router.get(
    "/{number}/result", summary="The file that a job made",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "A BagIt folder in a ZIP"}},
)  # fmt: skip
def result(call: SignedIn, number: str) -> StreamingResponse:
    """The bundle, byte for byte as it was made, for who may export records today."""
    call.person.acting(Permission.EXPORT_RECORDS)
    with call.reading() as session:
        step = newest_step(session, the_job(session, number, person=call.person))
        sha256, name = step.result_sha, f"{FOLDER}-{step.job.natural_key}.zip"
    if not sha256:
        raise NotFound(
            "BQC-JOB-007",
            f"{number} has made no file",
            hint="GET /jobs/{number} tells where the job is, and where what it made lies.",
        )
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    chunks = call.door.archive.chunks(sha256)
    return StreamingResponse(chunks, media_type="application/zip", headers=headers)


@router.post(
    "/{number}/retry", status_code=202, response_model=JobOut, responses=ACCEPTED,
    summary="Have a job that failed tried again",
)  # fmt: skip
def retry(call: Writing, number: str, sent: Because) -> Response:
    """As the person who asked for it."""
    with call.writing(Permission.KEEP_JOBS, sent) as work:
        if work.is_new:
            step = ask_again(work.tx, number=number, reason=sent.reason)
            work.answer(202, shown_job(work.tx.session, step))
    return accepted(work)


@router.post(
    "/{number}/closing", status_code=201, response_model=JobOut,
    summary="Close a job that failed",
)  # fmt: skip
def close(call: Writing, number: str, sent: Because) -> Response:
    """Nothing more comes of it, and it waits for nobody any more."""
    with call.writing(Permission.KEEP_JOBS, sent) as work:
        if work.is_new:
            step = close_job(work.tx, number=number, reason=sent.reason)
            work.answer(201, shown_job(work.tx.session, step))
    return work.response()


def shown_job(session: Session, step: JobStep) -> JobOut:
    """A job by its newest step, and how far it said that it is."""
    row, far = step.job, newest_progress(session, step.job)
    return JobOut(
        number=row.natural_key,
        kind=row.kind,
        wanted=row.wanted,
        asked_by=row.asked_by,
        role=row.role,
        asked_at=row.asked_at,
        state=step.state,
        tries=step.tries,
        said=step.said,
        due=step.due,
        at=max(step.at, far.at) if far else step.at,
        executor=step.executor,
        done=far.done if far else 0,
        total=far.total if far else 0,
        result=step.link,
    )


def accepted(work: Work) -> Response:
    """The answer, with the address of the job."""
    answer = work.response()
    answer.headers["Location"] = f"/api/v1/jobs/{work.body()['number']}"
    return answer


def _ask(work: Work, kind: Kind, wanted: Mapping[str, Json]) -> None:
    step = ask_for(work.tx, kind, wanted)
    work.answer(202, shown_job(work.tx.session, step))
