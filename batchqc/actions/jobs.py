"""Jobs: asked for, looked at, asked for again, closed. The asking and the job are one transaction.

What somebody asked for and was told of is not lost: the row of the job, its first step and its
place in the queue commit together or not at all.
"""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from batchqc.actions.people import Principal
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not
from batchqc.actions.signing import check_reason
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.jobs import WHO_ASKS, Kind, State
from batchqc.core.permissions import Permission, is_permitted
from batchqc.errors import Conflict, NotPermitted
from batchqc.records.job_queue import put_job
from batchqc.records.jobs import Job, JobStep, job_by, newest_step
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction


def ask_for(tx: Transaction, kind: Kind, wanted: Mapping[str, Json]) -> JobStep:
    """Ask for a job; it is begun after the commit, by whoever works jobs off.

    Args:
        tx: of the person who asks, in the role that may do what is asked for.
        kind: what is to be done.
        wanted: what exactly, by name; who asks has looked whether it can be.
    """
    require(tx, WHO_ASKS[kind])
    year = tx.now.year
    tx.lock(f"jobs of {year}")
    job = Job(
        year=year,
        number=next_number(tx.session, Job, year),
        kind=kind,
        wanted=canonical_bytes(dict(wanted)).decode(),
        asked_by=tx.actor.user_id,
        role=tx.actor.role,
        asked_at=tx.now,
    )
    step = _step(tx, job, State.QUEUED, number=1)
    tx.add(job, step)
    tx.audit("job asked for", rows=[job, step], after={"kind": job.kind, "wanted": dict(wanted)})
    put_job(tx.session, job.natural_key)
    return step


def ask_again(tx: Transaction, *, number: str, reason: str) -> JobStep:
    """Have a job that failed tried again, as the person who first asked for it.

    Raises:
        Conflict: BQC-JOB-004 it has not failed.
    """
    step = _after_failure(tx, number, reason, State.QUEUED)
    tx.audit("job asked for again", rows=[step], about=[step.job.key], reason=reason)
    put_job(tx.session, step.job.natural_key)
    return step


def close_job(tx: Transaction, *, number: str, reason: str) -> JobStep:
    """Close a job that failed: nothing more comes of it.

    Raises:
        Conflict: BQC-JOB-004 it has not failed.
    """
    step = _after_failure(tx, number, reason, State.CLOSED)
    tx.audit("job closed", rows=[step], about=[step.job.key], reason=reason)
    return step


def the_job(session: Session, number: str, *, person: Principal) -> Job:
    """A job, for who asked for it and for those who keep jobs.

    Raises:
        NotFound: BQC-JOB-002 there is none.
        NotPermitted: BQC-JOB-003 somebody else asked for it.
    """
    job = any_job(session, number)
    if job.asked_by != person.user_id and not keeps_jobs(person):
        raise NotPermitted(
            "BQC-JOB-003",
            f"{job.natural_key} was asked for by somebody else",
            hint="Those see it who asked for it, QA, and administrators.",
        )
    return job


def any_job(session: Session, number: str) -> Job:
    """The job of a number, or NotFound."""
    return found_or_not(job_by(session, number), "BQC-JOB-002", f"there is no job {number}")


def keeps_jobs(person: Principal) -> bool:
    """Whether somebody sees the jobs of all, has failed ones tried again, and closes them."""
    return is_permitted(person.roles, Permission.KEEP_JOBS)


def _after_failure(tx: Transaction, number: str, reason: str, state: State) -> JobStep:
    require(tx, Permission.KEEP_JOBS)
    check_reason(reason)
    job = any_job(tx.session, number)
    tx.lock(job.key)
    newest = newest_step(tx.session, job)
    if newest.state != State.FAILED:
        raise Conflict(
            "BQC-JOB-004",
            f"{job.natural_key} is {newest.state}",
            hint="What failed can be tried again, or closed; nothing else.",
        )
    step = _step(tx, job, state, number=newest.number + 1, said=reason)
    tx.add(step)
    return step


def _step(tx: Transaction, job: Job, state: State, *, number: int, said: str = "") -> JobStep:
    return JobStep(
        job=job, number=number, tries=0, state=state, said=said, due="", link="", result_sha="",
        executor=tx.actor.user_id, at=tx.now,
    )  # fmt: skip
