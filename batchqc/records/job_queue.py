"""The queue of jobs on PostgreSQL: which worker takes which job next, by procrastinate.

What is on record of a job stands in its rows; the queue can be made anew of them, and is, job by
job, where it lacks one. Whoever does a job holds a lock of its own, which the database lets go when
the process ends, however it ends: a job that is begun and locked by nobody is given to another
worker, and no job is done by two. On SQLite there is no queue: one process looks for open jobs in
their rows.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.records.exclusive import only_one

if TYPE_CHECKING:
    from procrastinate import App, BaseRetryStrategy

_TASK: Final = "batchqc.job"
_MENDED_EVERY: Final = 10
"""Seconds between two looks of a worker for jobs that nobody is at."""

#: Does the job of a number; answers when it is to be tried again, or ``None``.
Do = Callable[[str], datetime | None]


class NotYet(Exception):
    """The job is to be tried again at a time: what the queue is told, nobody else."""

    def __init__(self, due: datetime) -> None:
        super().__init__(f"to be tried again at {due}")
        self.due = due


def has_queue(engine: Engine) -> bool:
    """Whether the database of an engine has a queue, from which several workers take jobs."""
    return engine.dialect.name == "postgresql"


def only_at(engine: Engine, number: str) -> AbstractContextManager[bool]:
    """Whether nobody else is at a job during the block; on SQLite, at any job.

    The lock is not that of the job's row, for which the transactions of the job wait.
    """
    return only_one(engine, f"at work on {number}" if has_queue(engine) else "jobs")


def put_job(session: Session, number: str) -> None:
    """Put a job into the queue, in the transaction of the session."""
    connection = session.connection()
    if not has_queue(connection.engine):
        return
    from procrastinate import App, SyncPsycopgConnector  # noqa: PLC0415 - on PostgreSQL only

    own = connection.connection.driver_connection
    queue = App(connector=SyncPsycopgConnector())
    queue.configure_task(_TASK, lock=number, connection=own).defer(number=number)


def work_off(
    engine: Engine,
    do: Do,
    open_jobs: Callable[[], Sequence[str]],
    *,
    stays: bool = True,
) -> None:
    """Take jobs from the queue and do them, one at a time, until the process is told to end.

    Args:
        engine: of the database.
        do: does one.
        open_jobs: the numbers of all jobs that are not over.
        stays: whether to wait for more jobs once none is due.
    """
    asyncio.run(_work_off(engine, do, open_jobs, stays=stays))


async def _work_off(
    engine: Engine,
    do: Do,
    open_jobs: Callable[[], Sequence[str]],
    *,
    stays: bool,
) -> None:
    from procrastinate import App, PsycopgConnector  # noqa: PLC0415 - on PostgreSQL only

    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    queue = App(connector=PsycopgConnector(conninfo=url))

    def work(number: str) -> None:
        if (due := do(number)) is not None:
            raise NotYet(due)

    queue.task(name=_TASK, retry=_retry())(work)
    async with queue.open_async():
        await _mend(queue, engine, open_jobs)
        mending = asyncio.create_task(_keep_mending(queue, engine, open_jobs))
        try:
            await queue.run_worker_async(wait=stays, delete_jobs="always")
        finally:
            mending.cancel()


async def _keep_mending(
    queue: "App", engine: Engine, open_jobs: Callable[[], Sequence[str]]
) -> None:
    while True:
        await asyncio.sleep(_MENDED_EVERY)
        await _mend(queue, engine, open_jobs)


async def _mend(queue: "App", engine: Engine, open_jobs: Callable[[], Sequence[str]]) -> None:
    """Give the jobs of dead workers to others, and put open jobs that the queue lacks into it."""
    wanted = await asyncio.to_thread(open_jobs)  # first: what ends meanwhile is not lacking
    known = {
        str(job.task_kwargs["number"]): job
        for job in await queue.job_manager.list_jobs_async(task=_TASK)
    }
    for number, job in known.items():
        if job.status == "doing" and await asyncio.to_thread(_is_left, engine, number):
            await queue.job_manager.retry_job(job)
    for number in wanted:
        if number not in known:
            await queue.configure_task(_TASK, lock=number).defer_async(number=number)


def _is_left(engine: Engine, number: str) -> bool:
    with only_at(engine, number) as is_mine:
        return is_mine


def _retry() -> "BaseRetryStrategy":
    from procrastinate import BaseRetryStrategy, RetryDecision  # noqa: PLC0415 - see above

    class AsTold(BaseRetryStrategy):
        def get_retry_decision(
            self,
            *,
            exception: BaseException,
            job: object,  # noqa: ARG002 - as its base says
        ) -> RetryDecision | None:
            if isinstance(exception, NotYet):
                return RetryDecision(retry_at=exception.due)
            return None

    return AsTold()
