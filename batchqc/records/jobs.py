"""Jobs: what was asked for, every step of it, and how far it is.

The newest step says where a job is. How far it is stands beside the audit trail: it decides
nothing, and nobody has to explain it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, relationship

from batchqc.core.jobs import ENDED, State
from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.list_orders import in_order
from batchqc.records.signatures import numbered_by

SERIES: Final = "JOB"


class Job(Numbered):
    """A job: its kind, what is wanted as canonical JSON, and who asked for it in which role."""

    __tablename__ = "job"

    kind: Mapped[str]
    wanted: Mapped[str]
    asked_by: Mapped[str]
    role: Mapped[str]
    asked_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"{SERIES}-{self.year}-{self.number:06d}"


class JobStep(Row):
    """A step of a job: the state it leads to, in which try, by whom, and what is said of it.

    ``due`` is when it is tried again, ``link`` where to look for what it made, ``result_sha`` a
    file that it made; each may be "".
    """

    __tablename__ = "job_step"

    job_id: Mapped[int] = refers_to("job")
    number: Mapped[int]
    tries: Mapped[int]
    state: Mapped[str]
    said: Mapped[str]
    due: Mapped[str]
    link: Mapped[str]
    result_sha: Mapped[str]
    executor: Mapped[str]
    at: Mapped[datetime]

    job: Mapped[Job] = relationship()
    __table_args__ = (UniqueConstraint("job_id", "number"),)

    @property
    def natural_key(self) -> str:
        """The job, and the how many-th step."""
        return f"{self.job.natural_key}/{self.number}"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return State(self.state) in ENDED


class JobProgress(Row):
    """How much of a job is done, of how much; ``total`` is 0 while nobody knows."""

    __tablename__ = "job_progress"

    job_id: Mapped[int] = refers_to("job")
    done: Mapped[int]
    total: Mapped[int]
    at: Mapped[datetime]

    job: Mapped[Job] = relationship()


def job_by(session: Session, number: str) -> Job | None:
    """The job of a public number."""
    return numbered_by(session, Job, SERIES, number)


def steps_of(session: Session, job: Job) -> Sequence[JobStep]:
    """Every step of a job, in order."""
    return session.scalars(
        select(JobStep).where(JobStep.job_id == job.id).order_by(JobStep.number)
    ).all()


def newest_step(session: Session, job: Job) -> JobStep:
    """The step that says where a job is."""
    query = select(JobStep).where(JobStep.job_id == job.id).order_by(JobStep.number.desc())
    return session.scalars(query.limit(1)).one()


def newest_progress(session: Session, job: Job) -> JobProgress | None:
    """How far a job was when it told last."""
    query = select(JobProgress).where(JobProgress.job_id == job.id)
    return session.scalar(query.order_by(JobProgress.id.desc()).limit(1))


def open_jobs(session: Session) -> Sequence[JobStep]:
    """The newest step of every job that is not over, in the order in which they were asked for."""
    return session.scalars(
        _newest_steps().where(JobStep.state.not_in(ENDED)).order_by(JobStep.job_id)
    ).all()


def failed_jobs(session: Session) -> Sequence[JobStep]:
    """The newest step of every job that failed and that nobody closed, in the same order."""
    return session.scalars(
        _newest_steps().where(JobStep.state == State.FAILED).order_by(JobStep.job_id)
    ).all()


@dataclass(frozen=True, slots=True)
class JobsWanted:
    """Which jobs: of one person or ("") of all, in some states or (none) in every one."""

    asked_by: str = ""
    states: Collection[str] = ()
    oldest_first: bool = False


def job_lines(
    session: Session, wanted: JobsWanted, *, behind: Job | None, limit: int
) -> Sequence[JobStep]:
    """The newest step of each job, newest or oldest job first.

    ``behind`` is the job with which the page before ended.
    """
    query = _newest_steps().join(Job, Job.id == JobStep.job_id)
    if wanted.asked_by:
        query = query.where(Job.asked_by == wanted.asked_by)
    if wanted.states:
        query = query.where(JobStep.state.in_(wanted.states))
    ordered = in_order(query, Job.id, behind=behind, is_back=not wanted.oldest_first)
    return session.scalars(ordered.limit(limit)).all()


def _newest_steps() -> Select[JobStep]:
    newest = select(func.max(JobStep.id)).group_by(JobStep.job_id)
    return select(JobStep).where(JobStep.id.in_(newest))
