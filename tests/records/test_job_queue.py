"""The queue on PostgreSQL: who works it off looks for what is new, and ends when it should."""

import asyncio
from contextlib import nullcontext, suppress
from itertools import count

import pytest
from procrastinate import PsycopgConnector
from sqlalchemy import Engine

from batchqc.records import job_queue
from batchqc.records.job_queue import WEBHOOKS, Lane


@pytest.mark.only_on("postgresql", "SQLite has no queue")
def test_a_worker_that_would_look_no_more_for_what_is_new_ends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    looks = count()

    def waiting() -> list[str]:
        if next(looks) > 1:
            raise ValueError("an event that nobody can read")
        return []

    monkeypatch.setattr(job_queue, "_MENDED_EVERY", 0.01)
    lane = Lane(WEBHOOKS, lambda _: None, waiting, lambda _: nullcontext(enter_result=True))
    working = job_queue._work_off(engine, [lane], stays=True)
    with pytest.raises(ValueError, match="nobody can read"):
        asyncio.run(asyncio.wait_for(working, 20))


@pytest.mark.only_on("postgresql", "SQLite has no queue")
def test_a_worker_ends_although_who_hears_of_events_loses_a_cancellation(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """As ``asyncio.wait_for`` does, before Python 3.12, where an event comes at that moment."""
    lost: list[int] = []

    async def listen(*_: object) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lost.append(1)
        await asyncio.Event().wait()

    monkeypatch.setattr(PsycopgConnector, "listen_notify", listen)
    monkeypatch.setattr(job_queue, "_CANCELLED_EVERY", 0.01)
    lane = Lane(WEBHOOKS, lambda _: None, list, lambda _: nullcontext(enter_result=True))
    asyncio.run(asyncio.wait_for(job_queue._work_off(engine, [lane], stays=False), 20))
    assert lost == [1]


@pytest.mark.parametrize("turns", range(5))
def test_who_is_told_to_end_as_an_event_comes_ends(turns: int):
    async def waits() -> None:
        is_new = asyncio.Event()
        waiting = asyncio.create_task(job_queue._is_woken(is_new, 20))
        await asyncio.sleep(0.001)
        is_new.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        was_over = waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled() or was_over

    asyncio.run(waits())
