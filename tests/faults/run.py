"""One run: people work, faults come, and after each all of it is examined."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.faults.injections import CLOCK, FAULTS, STAMPS
from tests.faults.load import Laboratory
from tests.faults.losses import losses
from tests.faults.nursery import Nursery
from tests.faults.site import Site

_PATIENCE: Final = 30.0
"""Seconds after which a fault comes though nothing more was acknowledged."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a run showed."""

    database: str
    seed: int
    faults: Counter[str]
    acknowledged: int
    resent: int
    lots: int
    pending: int
    losses: tuple[str, ...]

    def __str__(self) -> str:
        """For people."""
        lines = [
            f"{self.database}, seed {self.seed}",
            *(f"  {count:4} x {name}" for name, count in sorted(self.faults.items())),
            f"faults injected   {sum(self.faults.values())}",
            f"acts acknowledged {self.acknowledged}, of {self.lots} whole lots",
            f"requests resent   {self.resent}",
            f"sealed later      {self.pending} certificates that were told to be pending",
            f"losses found      {len(self.losses)}",
            *(f"  {one}" for one in self.losses[:20]),
        ]
        return "\n".join(lines)


def run(
    database: str,
    *,
    seed: int,
    faults: int,
    workers: int = 3,
    only: tuple[str, ...] = (),
    planted: str = "",
    every: int = 10,
    nursery: Nursery | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Told:
    """Inject faults into an installation at work; it is examined after so many, and at the end.

    The first faults are one of each kind, the rest is drawn; people go on working meanwhile. With
    ``only`` there are no others than those that it names.
    """
    chance = random.Random(seed)  # noqa: S311 - the same faults each time, nothing secret
    kinds = {name: FAULTS[database].get(name) or CLOCK[name] for name in only or FAULTS[database]}
    drawn = [*kinds, *chance.choices(list(kinds), k=faults)][:faults]
    sets_clock = kinds.keys() <= CLOCK.keys()
    stamps = not kinds.keys().isdisjoint(STAMPS)
    site = Site(database, planted=planted, sets_clock=sets_clock, stamps=stamps, nursery=nursery)
    counted: Counter[str] = Counter()
    acknowledged = resent = lots = pending = 0
    found: list[str] = []
    try:
        site.start()
        for first in range(0, len(drawn), every):
            with Laboratory(site.address, seed=seed * 1000 + first, workers=workers) as laboratory:
                for name in drawn[first : first + every]:
                    _until_at_work(laboratory, chance.randint(1, 4))
                    time.sleep(chance.uniform(0, 0.3))
                    say(f"{sum(counted.values()) + 1:4} {name}")
                    kinds[name](site, chance)
                    counted[name] += 1
            ledger = laboratory.ledger
            found += losses(site, ledger)
            acknowledged += len(ledger.acts)
            resent, lots = resent + ledger.resent, lots + len(ledger.lots)
            pending += ledger.pending
            if found:
                break
    finally:
        site.close()
    return Told(database, seed, counted, acknowledged, resent, lots, pending, tuple(found))


def _until_at_work(laboratory: Laboratory, acts: int) -> None:
    """Wait until so many more acts are acknowledged."""
    wanted = len(laboratory.ledger.acts) + acts
    deadline = time.monotonic() + _PATIENCE
    while len(laboratory.ledger.acts) < wanted and time.monotonic() < deadline:
        time.sleep(0.02)
