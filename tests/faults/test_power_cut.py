"""A power cut: what was acknowledged lies on the disk, and what is not synced is seen as lost."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disks import Disk
from tests.faults.nursery import Nursery
from tests.faults.postgres import reachable
from tests.faults.power import (
    Moment,
    Worked,
    cut,
    lost_at,
    moments,
    worked,
    worked_on_postgresql,
)
from tests.faults.system_calls import Call, calls, recording

PLANTED = ("", "no sync", "store without sync")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Worked], list[Call]]:
    """A lot at a server without a defect, and at one with each; and all calls."""
    folder = tmp_path_factory.mktemp("power")
    nursery = Nursery({}, under=recording(folder / "calls"))
    try:
        done = {
            planted: worked(nursery, folder / f"before-{seed}", planted=planted, seed=seed)
            for seed, planted in enumerate(PLANTED, start=1)
        }
    finally:
        nursery.close()
    return done, list(calls(folder / "calls"))


def _answers(what: Worked, record: list[Call]) -> Iterator[Moment]:
    return (now for now in moments(what, record) if now.is_answer)


@pytest.mark.requirement("1.32", "5.08")
def test_what_was_acknowledged_outlives_a_power_cut_at_any_moment(
    recorded: tuple[dict[str, Worked], list[Call]], tmp_path: Path
):
    done, record = recorded
    what = done[""]
    assert what.ledger.wrong == []
    answered = [len(now.answered) for now in _answers(what, record)]
    assert answered == list(range(1, len(what.ledger.acts) + 1))  # each was seen to go out
    lost, acts = cut(what, record, tmp_path / "disk", cuts=6, seed=11)
    assert (lost, acts) == ([], len(what.ledger.acts))


@pytest.mark.parametrize(
    ("planted", "lost"),
    [
        ("no sync", "acknowledged and not there: /lots with the key fault-F2-1-1"),
        ("store without sync", "doctor: LOSS: the audit trail and what it witnesses: "),
    ],
)
def test_what_does_not_wait_for_the_disk_is_seen_as_lost(
    recorded: tuple[dict[str, Worked], list[Call]], tmp_path: Path, planted: str, lost: str
):
    done, record = recorded
    what = done[planted]
    *_, last = _answers(what, record)
    assert any(one.startswith(lost) for one in lost_at(what, last, tmp_path / "disk"))


@pytest.mark.long
@pytest.mark.requirement("1.32", "5.08")
def test_what_postgresql_acknowledged_outlives_a_power_cut_at_any_moment(tmp_path: Path):
    what, record = worked_on_postgresql(tmp_path, seed=4)
    assert what.ledger.wrong == []
    answered = [len(now.answered) for now in _answers(what, record)]
    assert answered == list(range(1, len(what.ledger.acts) + 1))  # by the clock, in their order
    with reachable() as folder:
        lost, acts = cut(what, record, folder / "disk", cuts=6, seed=14)
    assert (lost, acts) == ([], len(what.ledger.acts))


@pytest.mark.long
def test_a_commit_of_postgresql_that_does_not_wait_for_the_disk_is_seen_as_lost(tmp_path: Path):
    what, record = worked_on_postgresql(tmp_path, planted="no sync", seed=5)
    with reachable() as folder:
        lost = (lost_at(what, now, folder / "disk") for now in _answers(what, record))
        assert any(one.startswith("acknowledged and not there: ") for some in lost for one in some)


def test_a_disk_keeps_what_was_synced_and_of_the_rest_what_chance_leaves(tmp_path: Path):
    before, record = tmp_path / "before", tmp_path / "calls"
    before.mkdir()
    (before / "old").write_bytes(b"old")
    record.write_text("".join(map(_line, _WRITTEN)))
    disk = Disk(Path("/d"), before)
    for call in calls(record):
        disk.see(call)
    assert _left(disk, tmp_path / "none") == {"old": b"new", "kept": b"safe"}
    found = set()
    for seed in range(64):
        chance = random.Random(seed)  # noqa: S311 - the same each time, nothing secret
        found.add(tuple(sorted(_left(disk, tmp_path / str(seed), chance).items())))
    assert {dict(one)["kept"] for one in found} == {b"safe", b"safeunsafe"}
    assert {"lost" in dict(one) for one in found} == {True, False}
    assert {dict(one)["old"] for one in found} == {b"new"}


def test_a_disk_knows_what_postgresql_does(tmp_path: Path):
    before, record = tmp_path / "before", tmp_path / "calls"
    (before / "pg_wal").mkdir(parents=True)
    (before / "pg_wal" / "old").write_bytes(b"12345678")
    record.write_text("".join(map(_line, _BY_POSTGRESQL)))
    disk = Disk(Path("/d"), before, is_here=True)
    for call in calls(record):
        disk.see(call)
    to = tmp_path / "left"
    to.mkdir()
    disk.write_after_power_cut(to)
    assert {str(one.relative_to(to)) for one in to.rglob("*")} == {"pg_wal", "pg_wal/new", "16384"}
    assert (to / "pg_wal" / "new").read_bytes() == b"1abcd678" + bytes(4)
    assert (to / "16384").read_bytes() == bytes(8)


_BY_POSTGRESQL = (
    '1 rename("{pg_wal/old}", "{pg_wal/new}") = 0',
    '1 openat(AT_FDCWD<{/d}>, "{pg_wal/new}", O_RDWR) = 4<{/d/pg_wal/new}>',
    '1 pwritev(4<{/d/pg_wal/new}>, [iov_base="{ab}", iov_len=2, iov_base="{cd}"], 2, 1) = 4',
    "1 fallocate(4<{/d/pg_wal/new}>, 0, 4, 8) = 0",
    "1 fdatasync(4<{/d/pg_wal/new}>) = 0",
    "1 fsync(5<{/d/pg_wal}>) = 0",
    '1 openat(AT_FDCWD<{/d}>, "{16384}", O_RDWR|O_CREAT, 0600) = 6<{/d/16384}>',
    "1 fallocate(6<{/d/16384}>, 0, 0, 8) = 0",
    "1 fsync(6<{/d/16384}>) = 0",
    "1 fsync(7<{/d}>) = 0",
    '1 unlink("{16384}") = 0',
)


_WRITTEN = (
    '1 pwrite64(3<{/d/old}>, "{new}", 3, 0) = 3',
    "1 fdatasync(3<{/d/old}>) = 0",
    '1 openat(AT_FDCWD<{/}>, "{/d/kept}", O_RDWR|O_CREAT, 0600) = 4<{/d/kept}>',
    '12    write(4<{/d/kept}>, "{safe}", 4) = 4',
    "1 fsync(4<{/d/kept}> <unfinished ...>",
    '12    write(4<{/d/kept}>, "{unsafe}", 6) = 6',
    "1 <... fsync resumed>) = 0",
    "1 fsync(5<{/d}>) = 0",
    '1 openat(AT_FDCWD<{/}>, "{/d/lost}", O_RDWR|O_CREAT, 0600) = 6<{/d/lost}>',
    '1 write(6<{/d/lost}>, "{safe}", 4) = 4',
    "1 fsync(6<{/d/lost}>) = 0",
    "1 +++ killed by SIGKILL +++",
)


def _line(text: str) -> str:
    """As ``strace`` writes it: paths and bytes in hexadecimal digits."""
    parts = text.split("{")
    whole = re.sub(r"^\d+ +", r"\g<0>1.5 ", parts[0])
    for one in parts[1:]:
        said, _, rest = one.partition("}")
        whole += "".join(f"\\x{byte:02x}" for byte in said.encode()) + rest
    return f"{whole}\n"


def _left(disk: Disk, to: Path, chance: random.Random | None = None) -> dict[str, bytes]:
    to.mkdir()
    disk.write_after_power_cut(to, chance)
    return {one.name: one.read_bytes() for one in to.iterdir()}
