"""A clock that cannot be right is not believed; what is told as done is on every disk."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from batchqc import clock
from batchqc.actions.clock_evidence import BEHIND
from batchqc.actions.dispositions import release_lot
from batchqc.cli import clock_compared
from batchqc.core.permissions import Permission
from batchqc.errors import ClockDoubtful
from batchqc.records.audit import newest_link, settled_link
from batchqc.records.transaction import SYSTEM, transaction
from tests.records.house import LOT, QA1, House, signing


@pytest.mark.requirement("1.32")
@pytest.mark.parametrize(("hours", "which"), [(3, "ahead"), (-3, "back")])
def test_a_clock_that_was_set_while_it_ran_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, hours: int, which: str
):
    wall, since_start = clock._BEGAN
    monkeypatch.setattr(clock, "_BEGAN", (wall - timedelta(hours=hours), since_start))
    with pytest.raises(ClockDoubtful) as refusal:
        clock.now()
    assert refusal.value.code == "BQC-SYS-030"
    assert which in refusal.value.message
    assert "timedatectl" in refusal.value.hint


def test_a_clock_that_is_corrected_a_little_is_believed(monkeypatch: pytest.MonkeyPatch):
    wall, since_start = clock._BEGAN
    monkeypatch.setattr(clock, "_BEGAN", (wall - clock.LIMIT / 2, since_start))
    assert clock.now() > wall


@pytest.mark.requirement("1.32")
def test_nobody_signs_by_a_clock_that_stands_before_what_is_on_record(house: House):
    house.ready()
    newest = house.now.at
    house.now.at = newest - BEHIND * 3
    actor = house.actor(QA1, Permission.RELEASE_LOT)
    with (
        pytest.raises(ClockDoubtful) as refusal,
        transaction(house.engine, actor, house.now.at) as tx,
    ):
        release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    assert refusal.value.code == "BQC-SYS-031"
    house.now.at = newest - BEHIND / 2  # as that of another server may be
    with transaction(house.engine, actor, house.now()) as tx:
        release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))


@pytest.mark.parametrize("is_synchronised", [True, False, None])
def test_the_start_of_a_server_records_its_clock_and_may_require_it(
    house: House, monkeypatch: pytest.MonkeyPatch, is_synchronised: bool | None
):
    found = clock.ClockEvidence(is_synchronised, 0.25, 0.5)
    monkeypatch.setattr(clock_compared, "evidence", lambda: found)
    place: Any = SimpleNamespace(engine=house.engine, now=house.now)
    clock_compared.compare_clock(place, required=False)
    if is_synchronised:
        clock_compared.compare_clock(place, required=True)
    else:
        with pytest.raises(ClockDoubtful) as refusal:
            clock_compared.compare_clock(place, required=True)
        assert refusal.value.code == "BQC-SYS-032"
    with house.engine.connect() as connection:
        told = connection.scalars(text("SELECT text FROM audit_entry")).all()
    compared = [json.loads(one)["after"] for one in told if "clock compared" in one]
    assert compared == [{"told": str(found), "synchronised": is_synchronised}] * 2
    assert house.verify().problems == ()


@pytest.mark.only_on("postgresql", "SQLite has no standby")
def test_what_is_told_again_and_what_is_stored_over_the_trail_waits_for_the_standby(house: House):
    """Both write to the log of the database, so that their commit waits for all before it."""

    def written() -> int:
        with house.engine.connect() as connection:
            marks = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
            return int(connection.scalar(text(marks)) or 0)

    before = written()
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        tx.wait_for_standby()
    again = written()
    assert again > before
    with house.reading() as session:
        assert settled_link(session) == newest_link(session)
    assert written() > again


@pytest.mark.only_on("postgresql", "SQLite has no standby")
def test_who_waits_for_the_standby_behind_a_lock_needs_no_connection_of_those_who_wait_for_it(
    house: House,
):
    pool: Any = house.engine.pool
    together = Barrier(pool.size() + pool._max_overflow)
    pool._timeout = 3

    def decide(number: int) -> None:
        with transaction(house.engine, SYSTEM, house.now()) as tx:
            tx.session.execute(text("SELECT 1"))
            together.wait(30)  # no connection is left
            tx.lock("genealogy")
            settled_link(tx.session)
            tx.audit("noted", reason=str(number))

    with ThreadPoolExecutor(together.parties) as people:
        list(people.map(decide, range(together.parties)))
