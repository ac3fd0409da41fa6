"""Faults in an installation at work: nothing acknowledged is lost, and planted losses are seen."""

import random
import shutil
from pathlib import Path

import pytest

from tests.faults.injections import FAULTS
from tests.faults.load import Laboratory
from tests.faults.run import run
from tests.faults.site import Site

pytestmark = pytest.mark.long  # a quarter of an hour of a machine that does nothing else


@pytest.mark.requirement("1.32", "5.08")
@pytest.mark.parametrize("kind", FAULTS)
def test_nothing_acknowledged_is_lost_by_any_fault(kind: str):
    faults = 60
    told = run(kind, seed=20, faults=faults, workers=2, every=len(FAULTS[kind]))
    assert told.losses == ()
    assert sum(told.faults.values()) == faults
    assert set(told.faults) == set(FAULTS[kind])
    assert told.lots >= 1


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
            kind, seed=seed, faults=4, workers=2, every=1, only=fault,
            planted=planted,
        )  # fmt: skip
        if any(one.startswith(lost) for one in told.losses):
            return
    raise AssertionError(f"{planted} was never seen: {told.losses}")


@pytest.mark.requirement("1.32")
def test_a_torn_database_is_not_taken_for_a_whole_one(tmp_path: Path):
    site = Site("sqlite")
    try:
        site.start()
        laboratory = Laboratory(site.address, seed=7, workers=1)
        laboratory.begin()
        laboratory.end()
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


def test_a_clock_that_is_set_while_people_work_loses_nothing_and_dates_nothing_wrongly():
    told = run("sqlite", seed=3, faults=2, workers=1, every=2, only="clock")
    assert told.losses == ()
    assert len(told.faults) == 2
    assert told.resent > 0  # it was refused meanwhile
