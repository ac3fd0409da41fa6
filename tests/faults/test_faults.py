"""Faults in an installation at work: nothing acknowledged is lost, and planted losses are seen.

A few of them are tried with every change, hundreds by `make long`.
"""

import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from batchqc.clock import now
from batchqc.records.database import open_database
from batchqc.records.database_check import hasty_settings
from tests.faults.injections import CLOCK, FAULTS
from tests.faults.load import Laboratory, Ledger, Worker
from tests.faults.losses import losses, lost_records
from tests.faults.nursery import Nursery
from tests.faults.planted import LATE
from tests.faults.run import run
from tests.faults.site import Site
from tests.performance.peer_workload import register

FEW = {
    "sqlite": ("server killed", "store away", "server killed on a full disk"),
    "postgresql": ("database killed", "line cut after a commit", "server killed"),
}


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """What the servers of every test are forked from."""
    own = Nursery({})
    yield own
    own.close()


@pytest.fixture(autouse=True)
def _nothing_is_left(nursery: Nursery) -> Iterator[None]:
    """No thread, no socket and no process stays behind, but for the nursery's.

    What an earlier test left may go meanwhile.
    """
    del nursery  # it was opened before
    before = _open()
    yield
    assert _open() - before == set()


def _open() -> set[object]:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    sockets = {
        f"{one.name}: {one.readlink()}"
        for one in Path("/proc/self/fd").iterdir()
        if one.is_symlink() and "socket" in str(one.readlink())
    }
    return {*threading.enumerate(), *sockets, *children}


@pytest.mark.requirement("1.32", "5.08")
@pytest.mark.parametrize("kind", FEW)
def test_nothing_acknowledged_is_lost_by_a_few_faults(kind: str, nursery: Nursery):
    told = run(kind, seed=20, faults=3, workers=1, every=3, only=FEW[kind], nursery=nursery)
    assert told.losses == ()
    assert set(told.faults) == set(FEW[kind])
    assert told.lots >= 1


@pytest.mark.requirement("1.32", "5.08")
@pytest.mark.long
@pytest.mark.parametrize("kind", FAULTS)
def test_nothing_acknowledged_is_lost_by_any_fault(kind: str):
    faults = 60
    told = run(kind, seed=20, faults=faults, workers=2, every=len(FAULTS[kind]))
    assert told.losses == ()
    assert sum(told.faults.values()) == faults
    assert set(told.faults) == set(FAULTS[kind])
    assert told.lots >= 1


def test_an_answer_before_its_commit_is_seen_as_a_loss(nursery: Nursery):
    site = Site("sqlite", planted="answer before commit", nursery=nursery)
    ledger = Ledger()
    try:
        site.start()
        worker = Worker(site.address, "x", ledger, threading.Event())
        with worker.http:
            worker.sign_in("ana")
            time.sleep(2 * LATE)  # that she did is committed by now
            register(worker, "LOT-1", now())
            site.kill()
        site.start()
        lost = list(losses(site, ledger))
    finally:
        site.close()
    assert lost == ["acknowledged and not there: /lots with the key fault-x-1"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("planted", "kind", "fault", "lost"),
    [
        ("answer before commit", "sqlite", "server killed", "acknowledged and not there"),
        ("store after commit", "sqlite", "server killed", "doctor: LOSS"),
        ("no sync", "postgresql", "database killed", "acknowledged and not there"),
    ],
)
def test_a_planted_loss_is_seen(planted: str, kind: str, fault: str, lost: str):
    for seed in range(5):
        told = run(
            kind, seed=seed, faults=4, workers=2, every=1, only=(fault,),
            planted=planted,
        )  # fmt: skip
        if any(one.startswith(lost) for one in told.losses):
            return
    raise AssertionError(f"{planted} was never seen: {told.losses}")


@pytest.mark.requirement("1.32", "5.08")
def test_what_cannot_be_stamped_now_is_pending_and_holds_up_nobody(nursery: Nursery):
    site = Site("sqlite", stamps=True, nursery=nursery)
    ledger, stop = Ledger(), threading.Event()
    stop.set()  # after one lot
    seals = threading.Thread(target=Worker(site.address, "x", ledger, stop).work, args=(7,))
    try:
        assert site.stamps is not None
        site.start()
        site.stamps.hang()
        seals.start()
        assert site.stamps.wait_for_somebody(60)
        other = Worker(site.address, "y", ledger, stop)
        with other.http:
            other.sign_in("ana")
            register(other, "LOT-1", now())
        assert seals.is_alive()
        assert site.doctor() == []
        site.stamps.go_on()
        seals.join()
        assert (len(ledger.lots), ledger.pending) == (1, 1)
        assert losses(site, ledger) == []
    finally:
        site.close()
        ledger.is_given_up = True


@pytest.mark.long
@pytest.mark.requirement("1.32", "5.08")
def test_a_server_of_a_database_that_does_not_sync_is_refused_and_not_ready(nursery: Nursery):
    site = Site("postgresql", nursery=nursery)
    try:
        assert site.pair is not None
        site.start()
        assert httpx.get(f"{site.address}/readyz", timeout=60).status_code == 200
        site.kill()
        site.pair.primary.configure("SET fsync = off")
        with pytest.raises(RuntimeError, match="BQC-SYS-033"):
            site.start()
        (found,) = site.doctor()
        assert "fsync = off" in found
        site.pair.primary.configure("SET synchronous_commit = local")  # which no standby has
        engine = open_database(site.settings.database)
        assert hasty_settings(engine) == ["fsync = off", "synchronous_commit = local"]
        engine.dispose()
    finally:
        site.close()


@pytest.mark.requirement("1.32")
def test_a_torn_database_is_not_taken_for_a_whole_one(tmp_path: Path, nursery: Nursery):
    site = Site("sqlite", nursery=nursery)
    try:
        site.start()
        with Laboratory(site.address, seed=7, workers=1):
            pass
        site.kill()
        assert site.doctor() == []
        chance = random.Random(7)  # noqa: S311 - the same tears each time
        file = site.home / "batchqc.db"
        whole = shutil.copy(file, tmp_path / "whole.db")
        for _ in range(20):
            _tear(file, chance)
            assert site.doctor() != []
            shutil.copy(whole, file)
        assert site.doctor() == []
    finally:
        site.close()


def _tear(file: Path, chance: random.Random) -> None:
    """Lose the end of the file, or pages in it."""
    pages = file.stat().st_size // 4096
    if chance.random() < 0.5:
        with file.open("r+b") as torn:
            torn.truncate(chance.randrange(pages // 4, pages) * 4096)
        return
    with file.open("r+b") as torn:
        torn.seek(chance.randrange(1, pages - 4) * 4096)
        torn.write(chance.randbytes(4 * 4096))


@pytest.mark.long
@pytest.mark.requirement("1.32", "5.08")
def test_what_a_torn_log_of_postgresql_loses_is_told(nursery: Nursery):
    site = Site("postgresql", nursery=nursery)
    try:
        site.start()
        pair = site.pair
        assert pair is not None
        with Laboratory(site.address, seed=7, workers=1):
            pass
        site.kill()
        assert site.doctor() == []
        place = pair.primary.end_of_log()
        site.start()
        with Laboratory(site.address, seed=8, workers=1) as laboratory:
            pass
        assert laboratory.ledger.lots != []
        site.kill()
        pair.primary.kill()
        pair.primary.tear_log(place)
        pair.primary.start()
        told = "\n".join(site.doctor())
        assert lost_records(site.settings.database, laboratory.ledger) != []
        assert "LOSS" in told
        assert "it was signed over an audit trail of" in told
        assert "sealed, and no record knows it" in told
    finally:
        site.close()


@pytest.mark.long
def test_a_clock_that_is_set_while_people_work_loses_nothing_and_dates_nothing_wrongly():
    told = run("sqlite", seed=3, faults=2, workers=1, every=2, only=tuple(CLOCK))
    assert told.losses == ()
    assert len(told.faults) == 2
    assert told.resent > 0  # it was refused meanwhile
