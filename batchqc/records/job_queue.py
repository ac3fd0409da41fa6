"""The queue on PostgreSQL: which worker takes which job, or tells which webhook, by procrastinate.

What is on record of a job or a webhook stands in its rows; the queue can be made anew of them, and
is, one by one, where it lacks one. Whoever is at one holds a lock of its own, which the database
lets go when the process ends, however it ends: what is begun and locked by nobody is given to
another worker, and nothing is done by two. On SQLite there is no queue: one process looks for what
is open in the rows.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from batchqc.records.events import CHANNEL
from batchqc.records.exclusive import only_one

if TYPE_CHECKING:
    from procrastinate import App, BaseRetryStrategy

_LOG: Final = logging.getLogger("batchqc.queue")
JOBS, WEBHOOKS = "job", "webhook"
_QUEUES: Final = {JOBS: "default", WEBHOOKS: "webhooks"}
_MENDED_EVERY: Final = 5
"""Seconds between two looks of a worker for what nobody is at, and what the queue lacks."""
_CANCELLED_EVERY: Final = 1
"""Seconds that what is cancelled is given to end, until it is cancelled again."""
_SOON: Final = 1
"""Seconds until the look after that for new events: those before may just have been told."""


class Lane(NamedTuple):
    """One kind of work, done one at a time, beside the other kinds.

    Args:
        kind: ``JOBS`` or ``WEBHOOKS``.
        do: does one by its name; answers when it is to be tried again, or ``None``.
        waiting: the names of all that is open.
        alone: whether nobody else is at one during the block.
    """

    kind: str
    do: Callable[[str], datetime | None]
    waiting: Callable[[], Sequence[str]]
    alone: Callable[[str], AbstractContextManager[bool]]


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
    queue.configure_task(_task(JOBS), lock=f"{JOBS} {number}", connection=own).defer(number=number)


def work_off(engine: Engine, lanes: Sequence[Lane], *, stays: bool = True) -> None:
    """Take what waits from the queue and do it, until the process is told to end.

    Args:
        engine: of the database.
        lanes: what is done, of each kind one at a time.
        stays: whether to wait for more once nothing is due.
    """
    asyncio.run(_work_off(engine, lanes, stays=stays))


async def _work_off(engine: Engine, lanes: Sequence[Lane], *, stays: bool) -> None:
    from procrastinate import App, PsycopgConnector  # noqa: PLC0415 - on PostgreSQL only

    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    queue = App(connector=PsycopgConnector(conninfo=url))
    for lane in lanes:
        queue.task(name=_task(lane.kind), retry=_retry())(_work(lane))
    async with queue.open_async():
        for lane in lanes:
            await _mend(queue, lane)
        is_new = asyncio.Event()
        mending = asyncio.create_task(_keep_mending(queue, lanes, is_new))
        hearing = asyncio.create_task(_hear(queue, is_new))
        working = [
            asyncio.create_task(
                queue.run_worker_async(
                    queues=[_QUEUES[lane.kind]], wait=stays, delete_jobs="always",
                    install_signal_handlers=lane is lanes[0],
                )
            )
            for lane in lanes
        ]  # fmt: skip
        if stays:  # who would look no more for what is new does not stay
            ended, _ = await asyncio.wait(
                (mending, hearing, *working), return_when=asyncio.FIRST_COMPLETED
            )
        else:
            ended, _ = await asyncio.wait(working, return_when=asyncio.FIRST_EXCEPTION)
        for task in working:
            task.cancel()  # what is at hand is finished
        await _end({mending, hearing})
        await asyncio.gather(*working, return_exceptions=True)
        for task in ended:
            task.result()


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks until all have ended.

    One cancellation may be lost: before Python 3.12 ``asyncio.wait_for`` forgets one that comes
    at the moment of what it waits for, such as the event of the job that was done last.
    """
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=_CANCELLED_EVERY)


def _task(kind: str) -> str:
    return f"batchqc.{kind}"


def _work(lane: Lane) -> Callable[[str], None]:
    def work(number: str) -> None:
        if (due := lane.do(number)) is not None:
            raise NotYet(due)

    return work


async def _hear(queue: "App", is_new: asyncio.Event) -> None:
    """Tell of new events as they commit. What is not heard is found by the next look."""
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - see above

    async def told(*, channel: str, payload: str) -> None:  # noqa: ARG001 - as it is called
        is_new.set()

    while True:
        try:
            await queue.connector.listen_notify(told, [CHANNEL])
        except ConnectorException:
            _LOG.exception("new events cannot be heard of now")
        await asyncio.sleep(_MENDED_EVERY)


async def _keep_mending(queue: "App", lanes: Sequence[Lane], is_new: asyncio.Event) -> None:
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - see above

    patience = _MENDED_EVERY
    while True:
        patience = _SOON if await _is_woken(is_new, patience) else _MENDED_EVERY
        try:
            for lane in lanes:
                await _mend(queue, lane)
        except (ConnectorException, SQLAlchemyError):
            _LOG.exception("the queue cannot be looked at now")


async def _is_woken(is_new: asyncio.Event, patience: int) -> bool:
    """Wait for new events, or as long as it has patience; whether there are some."""
    try:
        async with asyncio.timeout(patience):
            await is_new.wait()
    except TimeoutError:
        return False
    is_new.clear()
    return True


async def _mend(queue: "App", lane: Lane) -> None:
    """Give what dead workers were at to others, and put what the queue lacks into it."""
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415 - see above

    wanted = await asyncio.to_thread(lane.waiting)  # first: what ends meanwhile is not lacking
    held = await queue.job_manager.list_jobs_async(task=_task(lane.kind))
    known = [(str(job.task_kwargs["number"]), job) for job in held]  # a name may stand there twice
    for number, job in known:
        if job.status == "doing" and await asyncio.to_thread(_is_left, lane, number):
            try:
                await queue.job_manager.retry_job(job)
            except ConnectorException:
                _LOG.debug("another worker gave %s to others", number)
    for number in wanted:
        if number not in {name for name, _ in known}:
            task = queue.configure_task(
                _task(lane.kind), lock=f"{lane.kind} {number}", queue=_QUEUES[lane.kind]
            )
            await task.defer_async(number=number)


def _is_left(lane: Lane, number: str) -> bool:
    with lane.alone(number) as is_mine:
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
