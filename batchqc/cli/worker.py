"""``batchqc worker``: does what was asked for and takes long, beside the server or elsewhere.

On PostgreSQL any number of workers share the jobs. On SQLite one process works at a time: the
server does, in a thread of its own, and a worker where no server runs.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic import SecretStr

from batchqc.actions.job_kinds import DOINGS
from batchqc.actions.job_runs import Workshop, do_job, due_numbers, fail_job, open_numbers
from batchqc.cli.show import say
from batchqc.cli.workplace import check_store, settings_of, workplace
from batchqc.records.job_queue import has_queue, only_at, work_off

if TYPE_CHECKING:
    from batchqc.settings import Settings

_LOG: Final = logging.getLogger("batchqc.worker")
_LOOK: Final = 1.0
"""Seconds between two looks for jobs on SQLite."""
_ENDS: Final = 10.0
"""Seconds that a job at hand is given when the server ends; what is cut off is begun again."""
_BUSY: Final = timedelta(seconds=10)
"""Until a job is looked at again that another process seems to be at."""


def worker(
    context: typer.Context,
    *,
    once: Annotated[bool, typer.Option(help="End once no job is due.")] = False,
) -> None:
    """Do the jobs that wait, and those that come, until stopped.

    On PostgreSQL run one or more of them beside the server, which does none itself.
    """
    from batchqc.api.app import open_door  # noqa: PLC0415 - only who works waits for it
    from batchqc.api.workshops import workshop_of  # noqa: PLC0415 - see above

    check_store(workplace(context))  # refuses where nothing is set up
    shop = workshop_of(open_door(with_passphrase(settings_of(context))))
    say(f"Worker {shop.executor} takes jobs.")
    take_jobs(shop, stays=not once)


def take_jobs(shop: Workshop, *, stays: bool) -> None:
    """Do the jobs that are due, and where the process ``stays``, those that come."""
    if not has_queue(shop.engine):
        _look(shop, Event(), stays=stays)
        return

    def do(number: str) -> datetime | None:
        with only_at(shop.engine, number) as is_mine:
            return _do(shop, number) if is_mine else shop.clock() + _BUSY

    work_off(shop.engine, do, lambda: open_numbers(shop.engine), stays=stays)


@contextmanager
def beside(shop: Workshop) -> Iterator[None]:
    """Jobs are done in a thread while the block lasts."""
    ended = Event()
    thread = Thread(target=_look, args=(shop, ended), name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_ENDS)


def with_passphrase(settings: "Settings") -> "Settings":
    """The settings, with the passphrase of the seal key asked for where they lack it."""
    if settings.seal_passphrase is not None:
        return settings
    passphrase = typer.prompt("Passphrase of the seal key", hide_input=True)
    return settings.model_copy(update={"seal_passphrase": SecretStr(passphrase)})


def _look(shop: Workshop, ended: Event, *, stays: bool = True) -> None:
    """On SQLite: do every job that is due, oldest first, and look again."""
    while not ended.is_set():
        try:
            for number in due_numbers(shop):
                with only_at(shop.engine, number) as is_mine:
                    if is_mine and not ended.is_set():
                        _do(shop, number)
        except Exception:  # noqa: BLE001 - the next look may find the database again
            _LOG.exception("jobs cannot be done now")
        if not stays:
            return
        ended.wait(_LOOK)


def _do(shop: Workshop, number: str) -> datetime | None:
    """Try a job; what nobody foresaw is logged, and the job has failed.

    Where that cannot be put on record either, the job stays begun, and is tried again.
    """
    try:
        return do_job(shop, DOINGS, number)
    except Exception as error:  # noqa: BLE001 - the worker goes on with the next job
        _LOG.exception("%s ended unforeseen", number)
        fail_job(shop, number, f"unforeseen: {type(error).__name__}; the log of the worker has it")
        return None
