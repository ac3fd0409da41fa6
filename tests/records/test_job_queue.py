"""The queue on PostgreSQL: who works it off looks for what is new, or ends."""

import asyncio
from contextlib import nullcontext
from itertools import count

import pytest
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
