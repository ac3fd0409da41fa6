"""The power fails at a server on SQLite: what was acknowledged is on the disk, or it is lost.

Killing a process does not show that, because the kernel keeps what was written. So ``strace``
records what the server writes, syncs and answers; afterwards the disk is made anew as it would be
after a power cut at any of these moments, and what is lost is looked for there.
"""

import random
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from batchqc.settings import Settings
from tests.faults.disks import Disk
from tests.faults.load import Laboratory, Ledger
from tests.faults.losses import lost_records
from tests.faults.nursery import Nursery
from tests.faults.site import Site, examined
from tests.faults.system_calls import Call

_KEY: Final = re.compile(rb"\r\nidempotency-key: ([^\r]+)\r\n", re.IGNORECASE)
_CHANGES: Final = frozenset({"write", "pwrite64", "ftruncate", "fsync", "fdatasync", "link"})


@dataclass(frozen=True, slots=True)
class Worked:
    """Work that was recorded: where, the folder before it, and what was acknowledged."""

    settings: Settings
    home: Path
    before: Path
    ledger: Ledger


@dataclass
class Moment:
    """A disk at a moment, and the keys of what was answered before it."""

    disk: Disk
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
        shutil.copytree(site.home, folder)
        site.start()
        with Laboratory(site.address, seed=seed, workers=1) as laboratory:
            laboratory.wait_for(lots)
        return Worked(site.settings, site.home, folder, laboratory.ledger)
    finally:
        site.close()


def moments(what: Worked, record: Iterable[Call]) -> Iterator[Moment]:
    """The disk after each call that changed it, and as each answer that acknowledged goes out.

    The disk goes on changing once the next one is asked for.
    """
    now = Moment(Disk(what.home, what.before))
    own = {one.key for one in what.ledger.acts}
    asked: dict[str, str] = {}
    for call in record:
        key = asked.get(call.files[0], "") if call.files else ""
        if call.name == "recvfrom" and call.texts and (found := _KEY.search(call.texts[0])):
            asked[call.files[0]] = found[1].decode()
        elif call.name == "sendto" and key in own and call.texts[0].startswith(b"HTTP/1.1 2"):
            now.answered.add(asked.pop(call.files[0]))
            now.is_answer = True
            yield now
        now.disk.see(call)
        if call.name in _CHANGES and call.files and call.files[0].startswith(str(what.home)):
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
    scratch.mkdir()
    try:
        now.disk.write_after_power_cut(scratch, chance)
        settings = Settings.in_folder(scratch)
        settings = settings.model_copy(update={"trust": settings.seal.parent})
        known = [one for one in what.ledger.acts if one.key in now.answered]
        lots = what.ledger.lots if len(known) == len(what.ledger.acts) else []
        ledger = replace(what.ledger, acts=known, lots=lots)
        return lost_records(settings.database, ledger) + examined(settings)
    finally:
        shutil.rmtree(scratch)


def cut(
    what: Worked, record: Iterable[Call], scratch: Path, *, cuts: int, seed: int
) -> tuple[list[str], int]:
    """Cut the power at so many moments; what is lost, and how many acts were acknowledged.

    Every other time nothing is left of what was not synced, else what chance leaves.
    """
    chance = random.Random(seed)  # noqa: S311 - the same cuts each time, nothing secret
    calls = list(record)
    many = sum(1 for _ in moments(what, calls))
    chosen = set(chance.sample(range(many), min(cuts, many)))
    found: list[str] = []
    for place, now in enumerate(moments(what, calls)):
        if place in chosen:
            found += lost_at(what, now, scratch, chance if place % 2 else None)
    return found, len(now.answered)
