"""Doing a job: once, whoever tries, however often, and wherever it was killed.

What a job makes commits with the step that says that it is done, so that it is made once. Each
entry of it names the person who asked, in the role held now, and is filed under the job; the steps
say which process did it. No transaction is held across the whole, and no job signs for a person.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from batchqc.actions.certificates import Press
from batchqc.actions.deliveries import Sender
from batchqc.actions.jobs import any_job
from batchqc.actions.people import principal
from batchqc.actions.setup import own_site
from batchqc.core.canonical import utc_text
from batchqc.core.jobs import WHO_ASKS, Kind, State, tried_again_at
from batchqc.documents.archive import Archive
from batchqc.documents.bundle_kit import Anchors
from batchqc.errors import BatchqcError, Conflict, SigningUnavailable, StoreUnavailable
from batchqc.records.jobs import Job, JobProgress, JobStep, newest_step, open_jobs
from batchqc.records.transaction import SYSTEM, Actor, Transaction, reading, transaction

_PARTS: Final = 50
"""So many times at the most a job that knows its size tells how far it is."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What jobs are done with: an installation, and the process that does them.

    ``anchors`` is what auditors are given to trust; ``executor`` names host and process; messages
    to webhooks go out with ``sender``.
    """

    engine: Engine
    archive: Archive
    press: Press
    clock: Callable[[], datetime]
    anchors: Callable[[], Anchors]
    executor: str
    sender: Sender


@dataclass(slots=True)
class Run:
    """One try of a job."""

    shop: Workshop
    number: str
    kind: Kind
    wanted: Mapping[str, Any]
    actor: Actor
    tries: int
    _told: int = field(default=-1, init=False)

    def tell(self, done: int, total: int) -> None:
        """Say how much is done, of how much or 0; not within a transaction that writes."""
        if done not in {0, total} and done - self._told < max(1, total // _PARTS):
            return
        self._told = done
        with transaction(self.shop.engine, SYSTEM, self.shop.clock()) as tx:
            job = any_job(tx.session, self.number)
            at = {"job_id": job.id, "done": done, "total": total, "at": tx.now}
            tx.add_many(JobProgress, [at])

    def is_at(self, newest: JobStep) -> bool:
        """Whether the newest step is of this try; tries count anew once it is asked for again."""
        own = (State.RUNNING, self.tries, self.shop.executor)
        return (newest.state, newest.tries, newest.executor) == own

    @contextmanager
    def acting(self) -> Iterator[Transaction]:
        """A transaction as the person who asked."""
        with transaction(self.shop.engine, self.actor, self.shop.clock()) as tx:
            yield tx

    def done(self, tx: Transaction, said: str, *, link: str = "", result_sha: str = "") -> None:
        """Say what was made, in the transaction that makes it: the last thing that a job does.

        Raises:
            Conflict: BQC-JOB-005 another process took the job over; nothing is made.
        """
        job = any_job(tx.session, self.number)
        tx.lock(job.key)
        newest = newest_step(tx.session, job)
        if not self.is_at(newest):
            raise Conflict("BQC-JOB-005", f"{self.number} was taken over by another process")
        step = _next(newest, self.shop, tx.now, State.DONE, said)
        step.link, step.result_sha = link, result_sha
        tx.add(step)
        tx.audit("job done", rows=[step], after={"said": said})


#: Does what a kind of job is there for, and ends with ``Run.done``.
Doing = Callable[[Run], None]


def do_job(shop: Workshop, doings: Mapping[Kind, Doing], number: str) -> datetime | None:
    """Try a job; the caller sees to it that nobody else is at it.

    Args:
        shop: what it is done with.
        doings: what each kind does.
        number: of the job.

    Returns:
        When it is to be tried again; ``None`` where it is over.
    """
    begun = _begin(shop, number)
    if not isinstance(begun, Run):
        return begun
    try:
        begun = replace(begun, actor=_actor(shop, begun))
        doings[begun.kind](begun)
    except (SigningUnavailable, StoreUnavailable) as error:
        return _try_later(shop, begun, told(error))
    except OperationalError:  # where the database is still away, the job stays begun
        return _try_later(shop, begun, "the database went away meanwhile, and came back")
    except BatchqcError as error:
        fail_job(shop, number, told(error))
    return None


def fail_job(shop: Workshop, number: str, said: str) -> None:
    """Put on record that a job failed, and why, in words.

    What is over stays as it is, and so does what another process took over.
    """
    with _as_system(shop, number) as (tx, newest):
        if (newest.state, newest.executor) == (State.RUNNING, shop.executor):
            _write(tx, _next(newest, shop, tx.now, State.FAILED, said), "job failed")


def open_numbers(engine: Engine) -> list[str]:
    """The numbers of all jobs that are not over, in the order in which they were asked for."""
    with reading(engine) as session:
        return [one.job.natural_key for one in open_jobs(session)]


def due_numbers(shop: Workshop) -> list[str]:
    """Those of them that need not wait any longer."""
    now = utc_text(shop.clock())
    with reading(shop.engine) as session:
        return [one.job.natural_key for one in open_jobs(session) if one.due <= now]


def told(error: BatchqcError) -> str:
    """An error in one line."""
    reasons = f" ({'; '.join(error.reasons)})" if error.reasons else ""
    return f"{error.code}: {error.message}{reasons}" + (f". {error.hint}" if error.hint else "")


def _begin(shop: Workshop, number: str) -> Run | datetime | None:
    """Put on record that a try begins; else when one is due, or that the job is over."""
    with _as_system(shop, number) as (tx, newest):
        job, due = newest.job, newest.due
        if newest.has_ended:
            return None
        if due and datetime.fromisoformat(due) > tx.now:
            return datetime.fromisoformat(due)
        if newest.state == State.RUNNING and tried_again_at(newest.tries, tx.now) is None:
            said = f"the process that did it ended {newest.tries} times before it was done"
            _write(tx, _next(newest, shop, tx.now, State.FAILED, said), "job failed")
            return None
        step = _next(newest, shop, tx.now, State.RUNNING, "")
        step.tries += 1
        _write(tx, step, "job begun")
        wanted = json.loads(job.wanted)
        return Run(shop, number, Kind(job.kind), wanted, _system(job), step.tries)


def _actor(shop: Workshop, run: Run) -> Actor:
    """Who asked, in a role that allows it now.

    Raises:
        NotPermitted: the role was taken away, or the account closed.
    """
    with reading(shop.engine) as session:
        job, zone = any_job(session, run.number), own_site(session).time_zone
        person = principal(session, user_id=job.asked_by, time_zone=zone, now=shop.clock())
        return replace(person.acting(WHO_ASKS[run.kind]), job=job.key)


def _try_later(shop: Workshop, run: Run, said: str) -> datetime | None:
    with _as_system(shop, run.number) as (tx, newest):
        if not run.is_at(newest):
            return None
        due = tried_again_at(run.tries, tx.now)
        state = State.WAITING if due else State.FAILED
        step = _next(newest, shop, tx.now, state, said)
        step.due = utc_text(due) if due else ""
        _write(tx, step, "job to be tried again" if due else "job failed")
        return due


@contextmanager
def _as_system(shop: Workshop, number: str) -> Iterator[tuple[Transaction, JobStep]]:
    with reading(shop.engine) as session:
        actor = _system(any_job(session, number))
    with transaction(shop.engine, actor, shop.clock()) as tx:
        job = any_job(tx.session, number)
        tx.lock(job.key)
        yield tx, newest_step(tx.session, job)


def _system(job: Job) -> Actor:
    return replace(SYSTEM, job=job.key)


def _write(tx: Transaction, step: JobStep, what: str) -> None:
    tx.add(step)
    tx.audit(what, rows=[step], after={"said": step.said, "by": step.executor})


def _next(newest: JobStep, shop: Workshop, now: datetime, state: State, said: str) -> JobStep:
    return JobStep(
        job=newest.job, number=newest.number + 1, tries=newest.tries, state=state, said=said,
        due="", link="", result_sha="", executor=shop.executor, at=now,
    )  # fmt: skip
