"""``batchqc worker``: does jobs and tells webhooks, beside the server or elsewhere.

On PostgreSQL any number of workers share them. On SQLite one process works at a time: the server
does, in threads of its own, and a worker where no server runs. A long job keeps no webhook waiting,
and no webhook a job.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic import SecretStr

from batchqc.actions.deliveries import next_try, only_teller, tell_webhook, waiting_webhooks
from batchqc.actions.job_kinds import DOINGS
from batchqc.actions.job_runs import Workshop, do_job, due_numbers, fail_job, open_numbers, told
from batchqc.cli.clock_compared import compare_clock
from batchqc.cli.workplace import check_disk, check_store, settings_of, tell_trial, workplace
from batchqc.errors import BatchqcError
from batchqc.records.events import DELIVERED
from batchqc.records.job_queue import JOBS, WEBHOOKS, Lane, has_queue, only_at, work_off

if TYPE_CHECKING:
    from batchqc.settings import Settings

_LOG: Final = logging.getLogger("batchqc.worker")
_LOOK: Final = 1.0
"""Seconds between two looks for jobs on SQLite."""
_ENDS: Final = 10.0
"""Seconds that a job at hand is given when the server ends; what is cut off is begun again."""
_BUSY: Final = timedelta(seconds=10)
"""Until something is looked at again that another process seems to be at."""
_STUCK: Final = timedelta(minutes=1)
"""Until a webhook is looked at again that could not be told for a reason of this installation."""


def worker(
    context: typer.Context,
    *,
    once: Annotated[bool, typer.Option(help="End once no job is due.")] = False,
) -> None:
    """Do the jobs that wait and tell webhooks, and those that come, until stopped.

    On PostgreSQL run one or more of them beside the server, which does none itself.
    """
    from batchqc.api.app import open_door  # noqa: PLC0415 - only who works waits for it
    from batchqc.api.logs import log_to_standard_error  # noqa: PLC0415 - see above
    from batchqc.api.workshops import workshop_of  # noqa: PLC0415 - see above

    place = workplace(context)  # refuses where nothing is set up
    check_store(place)
    check_disk(place)
    settings = settings_of(context)
    if settings.clock_required:  # it seals by this clock
        compare_clock(place, required=True)
    settings = with_passphrase(settings)
    log_to_standard_error(settings)
    tell_trial(place)
    shop = workshop_of(open_door(settings))
    _LOG.info("worker %s takes jobs", shop.executor)
    take_jobs(shop, stays=not once)


def take_jobs(shop: Workshop, *, stays: bool) -> None:
    """Do what is due, and where the process ``stays``, what comes."""
    if has_queue(shop.engine):
        work_off(shop.engine, _lanes(shop), stays=stays)
    elif stays:
        with beside(shop):
            Event().wait()
    else:
        for lane in _lanes(shop):
            _look(lane, shop, Event(), stays=False)


@contextmanager
def beside(shop: Workshop) -> Iterator[None]:
    """Work is done while the block lasts, each kind in a thread."""
    ended = Event()
    threads = [
        Thread(target=_look, args=(lane, shop, ended), name=f"{lane.kind}s", daemon=True)
        for lane in _lanes(shop)
    ]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        ended.set()
        for one in threads:
            one.join(_ENDS)


def with_passphrase(settings: "Settings") -> "Settings":
    """The settings, with the passphrase of the seal key asked for where they lack it."""
    if settings.seal_passphrase is not None:
        return settings
    passphrase = typer.prompt("Passphrase of the seal key", hide_input=True)
    return settings.model_copy(update={"seal_passphrase": SecretStr(passphrase)})


def _lanes(shop: Workshop) -> list[Lane]:
    """What is done, and what waits: on SQLite, of jobs those that are due."""
    engine = shop.engine
    jobs = partial(open_numbers, engine) if has_queue(engine) else partial(due_numbers, shop)
    return [
        Lane(JOBS, partial(_do, shop), jobs, partial(only_at, engine)),
        Lane(
            WEBHOOKS, partial(_tell, shop), partial(waiting_webhooks, engine),
            partial(only_teller, engine),
        ),
    ]  # fmt: skip


def _look(lane: Lane, shop: Workshop, ended: Event, *, stays: bool = True) -> None:
    """On SQLite: do all of a kind that is due, oldest first, and look again."""
    later = dict[str, datetime]()
    while not ended.is_set():
        try:
            for name in lane.waiting():
                if not ended.is_set() and later.get(name, shop.clock()) <= shop.clock():
                    later[name] = lane.do(name) or shop.clock()
        except Exception:  # noqa: BLE001 - the next look may find the database again
            _LOG.exception("%ss cannot be done now", lane.kind)
        if not stays:
            return
        ended.wait(_LOOK)


def _do(shop: Workshop, number: str) -> datetime | None:
    """Try a job; what nobody foresaw is logged, and the job has failed.

    Where that cannot be put on record either, the job stays begun, and is tried again.
    """
    with only_at(shop.engine, number) as is_mine:
        if not is_mine:
            return shop.clock() + _BUSY
        try:
            return do_job(shop, DOINGS, number)
        except Exception as error:  # noqa: BLE001 - the worker goes on with the next job
            _LOG.exception("%s ended unforeseen", number)
            what = f"unforeseen: {type(error).__name__}; the log of the worker has it"
            fail_job(shop, number, what)
            return None


def _tell(shop: Workshop, name: str) -> datetime | None:
    """Tell a webhook of what is due; when to try again, where something is left."""
    with only_teller(shop.engine, name) as is_mine:
        if not is_mine:
            return shop.clock() + _BUSY
        try:
            for one in tell_webhook(shop.engine, name, shop.sender):
                if one.outcome != DELIVERED:
                    _LOG.warning("webhook %s: event %d %s", name, one.event.number, one.outcome)
        except BatchqcError as error:
            _LOG.error("webhook %s cannot be told: %s", name, told(error))
            return shop.clock() + _STUCK
        except Exception:  # noqa: BLE001 - the worker goes on; what was told is told again
            _LOG.exception("webhook %s cannot be told", name)
            return shop.clock() + _STUCK
        return next_try(shop.engine, name, shop.clock())
