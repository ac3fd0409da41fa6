"""The power fails: what was acknowledged is on the disk, or it is lost.

Killing a process does not show that, because the kernel keeps what was written. So ``strace``
records what the server writes, syncs and answers, and beside it a server of PostgreSQL that no
standby follows; afterwards their disks are made anew as they would be after a power cut at any of
these moments, and what is lost is looked for there.
"""

import random
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from batchqc.settings import Settings
from tests.faults.disks import Disk
from tests.faults.load import Laboratory, Ledger
from tests.faults.losses import lost_records
from tests.faults.nursery import Nursery
from tests.faults.postgres import Server, alone, alone_at
from tests.faults.site import Site, examined
from tests.faults.system_calls import Call, calls, recording

_KEY: Final = re.compile(rb"\r\nidempotency-key: ([^\r]+)\r\n", re.IGNORECASE)
_CHANGES: Final = frozenset(
    {"write", "pwrite64", "pwritev", "ftruncate", "fallocate", "fsync", "fdatasync", "link"}
)


@dataclass(frozen=True, slots=True)
class Worked:
    """Work that was recorded: where, and what was acknowledged.

    Args:
        settings: of the installation.
        home: its folder.
        before: copies of ``home``, and of the folder of PostgreSQL, as they were before.
        data: the folder of PostgreSQL, where it is at work.
        ledger: what was acknowledged.
    """

    settings: Settings
    home: Path
    before: Path
    ledger: Ledger
    data: Path | None = None

    @property
    def folders(self) -> dict[str, Path]:
        """The folders by what they are called in a copy."""
        return {"home": self.home} | ({"data": self.data} if self.data else {})


@dataclass
class Moment:
    """The disks at a moment by what they are called, and the keys of what was answered before."""

    disks: dict[str, Disk]
    answered: set[str] = field(default_factory=set)
    is_answer: bool = False


def worked(
    nursery: Nursery, folder: Path, *, planted: str = "", seed: int, lots: int = 1
) -> Worked:
    """Have somebody do lots at a server that the nursery begins, then take it away.

    Args:
        nursery: under ``strace``.
        folder: to keep a copy of the installation in, as it was before.
        planted: a defect of ``tests.faults.planted``.
        seed: of the results of lots.
        lots: so many are done at least.
    """
    site = Site("sqlite", planted=planted, nursery=nursery)
    try:
        shutil.copytree(site.home, folder / "home")
        ledger = _done(site, seed=seed, lots=lots)
        return Worked(site.settings, site.home, folder, ledger)
    finally:
        site.close()


def worked_on_postgresql(
    folder: Path, *, planted: str = "", seed: int, lots: int = 1
) -> tuple[Worked, list[Call]]:
    """The same on PostgreSQL, and what both servers did; ``folder`` keeps what is needed of it."""
    nursery = Nursery({}, under=recording(folder / "said"))
    with alone() as server:
        address = alone_at(server)
        site = Site("postgresql", planted=planted, nursery=nursery, database=address)
        try:
            server.stop("fast")
            shutil.copytree(site.home, folder / "before" / "home")
            shutil.copytree(server.folder, folder / "before" / "data")
            server.start(under=recording(folder / "written", said=False))
            ledger = _done(site, seed=seed, lots=lots)
            site.kill()
            server.stop("immediate")
        finally:
            site.close()
            nursery.close()
    both = [*calls(folder / "said"), *calls(folder / "written")]
    what = Worked(site.settings, site.home, folder / "before", ledger, server.folder)
    return what, sorted(both, key=lambda call: call.at)


def _done(site: Site, *, seed: int, lots: int) -> Ledger:
    site.start()
    with Laboratory(site.address, seed=seed, workers=1) as laboratory:
        laboratory.wait_for(lots)
    return laboratory.ledger


def moments(what: Worked, record: Iterable[Call]) -> Iterator[Moment]:
    """The disks after each call that changed one, and as each answer that acknowledged goes out.

    They go on changing once the next one is asked for.
    """
    disks = {
        name: Disk(one, what.before / name, is_here=one == what.data)
        for name, one in what.folders.items()
    }
    now = Moment(disks)
    own = {one.key for one in what.ledger.acts}
    places = tuple(f"{one}/" for one in what.folders.values())
    asked: dict[str, str] = {}
    for call in record:
        key = asked.get(call.files[0], "") if call.files else ""
        if call.name == "recvfrom" and call.texts and (found := _KEY.search(call.texts[0])):
            asked[call.files[0]] = found[1].decode()
        elif call.name == "sendto" and key in own and call.texts[0].startswith(b"HTTP/1.1 2"):
            now.answered.add(asked.pop(call.files[0]))
            now.is_answer = True
            yield now
        for disk in disks.values():
            disk.see(call)
        if call.name in _CHANGES and call.files and f"{call.files[0]}/".startswith(places):
            now.is_answer = False
            yield now


def lost_at(
    what: Worked, now: Moment, scratch: Path, chance: random.Random | None = None
) -> list[str]:
    """What is lost where the power fails at a moment.

    Args:
        what: was worked.
        now: the moment.
        scratch: a folder that is made for it, and removed.
        chance: what survives of what was not synced; nothing where it is ``None``.
    """
    scratch.mkdir(mode=0o711)
    try:
        for name, disk in now.disks.items():
            (scratch / name).mkdir()
            disk.write_after_power_cut(scratch / name, chance)
        known = [one for one in what.ledger.acts if one.key in now.answered]
        lots = what.ledger.lots if len(known) == len(what.ledger.acts) else []
        ledger = replace(what.ledger, acts=known, lots=lots)
        with _after(scratch) as settings:
            return lost_records(settings.database, ledger) + examined(settings)
    except RuntimeError as problem:
        return [f"the database does not start: {problem}"]
    finally:
        shutil.rmtree(scratch)


@contextmanager
def _after(scratch: Path) -> Iterator[Settings]:
    """The installation that is left, whose database runs."""
    settings = Settings.in_folder(scratch / "home")
    settings = settings.model_copy(update={"trust": settings.seal.parent})
    if not (scratch / "data").is_dir():
        yield settings
        return
    server = Server(scratch / "data")
    server.take_over()
    try:
        server.start()
        yield settings.model_copy(update={"database": alone_at(server)})
    finally:
        server.kill()


def cut(
    what: Worked, record: Iterable[Call], scratch: Path, *, cuts: int, seed: int
) -> tuple[list[str], int]:
    """Cut the power at so many moments; what is lost, and how many acts were acknowledged.

    Every other time nothing is left of what was not synced, else what chance leaves.
    """
    chance = random.Random(seed)  # noqa: S311 - the same cuts each time, nothing secret
    record = list(record)
    many = sum(1 for _ in moments(what, record))
    chosen = set(chance.sample(range(many), min(cuts, many)))
    found: list[str] = []
    for place, now in enumerate(moments(what, record)):
        if place in chosen:
            found += lost_at(what, now, scratch, chance if place % 2 else None)
    return found, len(now.answered)
