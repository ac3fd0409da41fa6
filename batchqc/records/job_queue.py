"""The queue of jobs on PostgreSQL: which worker takes which job next, by procrastinate.

What is on record of a job stands in its rows; the queue can be made anew of them, and is, job by
job, where it lacks one. A worker that died is noticed by its heartbeat, and its job is given to
another one. On SQLite there is no queue: one process looks for open jobs in their rows.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from procrastinate import App, BaseRetryStrategy

_TASK: Final = "batchqc.job"
_HEARTBEAT: Final = 5
"""Seconds between two signs of life of a worker."""

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
    patience: int = 30,
) -> None:
    """Take jobs from the queue and do them, one at a time, until the process is told to end.

    Args:
        engine: of the database.
        do: does one.
        open_jobs: the numbers of all jobs that are not over.
        stays: whether to wait for more jobs once none is due.
        patience: seconds without a sign of life after which a worker counts as dead; 3 or more.
    """
    asyncio.run(_work_off(engine, do, open_jobs, stays=stays, patience=patience))


async def _work_off(
    engine: Engine,
    do: Do,
    open_jobs: Callable[[], Sequence[str]],
    *,
    stays: bool,
    patience: int,
) -> None:
    from procrastinate import App, PsycopgConnector  # noqa: PLC0415 - on PostgreSQL only

    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    queue = App(connector=PsycopgConnector(conninfo=url))

    def work(number: str) -> None:
        if (due := do(number)) is not None:
            raise NotYet(due)

    queue.task(name=_TASK, retry=_retry())(work)
    async with queue.open_async():
        await _mend(queue, open_jobs, patience)
        mending = asyncio.create_task(_keep_mending(queue, open_jobs, patience))
        try:
            await queue.run_worker_async(
                wait=stays,
                delete_jobs="always",
                update_heartbeat_interval=min(_HEARTBEAT, patience // 3),
                stalled_worker_timeout=patience,
            )
        finally:
            mending.cancel()


async def _keep_mending(
    queue: "App", open_jobs: Callable[[], Sequence[str]], patience: int
) -> None:
    while True:
        await asyncio.sleep(patience)
        await _mend(queue, open_jobs, patience)


async def _mend(queue: "App", open_jobs: Callable[[], Sequence[str]], patience: int) -> None:
    """Give the jobs of dead workers to others, and put open jobs that the queue lacks into it."""
    manager = queue.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=patience):
        await manager.retry_job(job)
    wanted = await asyncio.to_thread(open_jobs)  # first: what ends meanwhile is not lacking
    known = {job.task_kwargs["number"] for job in await manager.list_jobs_async(task=_TASK)}
    for number in wanted:
        if number not in known:
            await queue.configure_task(_TASK, lock=number).defer_async(number=number)


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
