"""How the work of every question and act grows with the records of a site.

    python tests/performance/growth.py [--lots N ...] [--kept FOLDER] [--kind SQLite]

Simulated sites (``batchqc simulate``) of 1 %, 10 % and 100 % of the lots, on SQLite and on
PostgreSQL, each after ANALYZE; the application answers in this process. Each question is asked of
all sizes in turn, so that what else the machine does falls on all alike. Of each question and act:
median and 95th percentile of the processors' time in milliseconds at each size, which is that of
this process and of the backends of PostgreSQL; the median by the clock at the largest; and the
exponent of growth, the slope of the logarithm of the median over that of the lots: 0 is flat, 1 is
as the records. What would take longer than twenty seconds is not asked, and told. Of the middle
size the plans of all that was said to the database are read. Writes all of it into the guide.
"""

import argparse
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from peer_workload import ROOT
from sqlalchemy import Engine, text

sys.path.insert(0, str(ROOT))

from batchqc.records.database import open_database
from batchqc.settings import Settings
from tests.performance.asked import Act, Site, acts, new_number, opened, questions
from tests.performance.plans import scans
from tests.performance.sites import KINDS, sites

LOTS = (20, 200, 2_000)
TIMES = 5
FLAT = 0.3
"""Exponent up to which a question keeps its latency: three times the records, 1.4 times as long."""
SMALL_MS = 50.0
"""What is as fast as this at full size holds, however it grew."""
PATIENCE_MS = 20_000
ENOUGH_MS = 5_000
Took = tuple[float, float]


class Meter:
    """What an act takes, in milliseconds: of the processors, and by the clock."""

    def __init__(self, settings: Settings) -> None:
        self._engine: Engine | None = None
        if not settings.database.startswith("sqlite"):
            self._engine = open_database(settings.database)

    def __call__(self, act: Act) -> Took:
        backends = self._backends()
        before, of_process = self._spent(backends), time.process_time()
        began = time.perf_counter()
        act()
        took, of_process = time.perf_counter() - began, time.process_time() - of_process
        backends |= self._backends()  # one that was begun for it has spent all of its time on it
        return (of_process + self._spent(backends) - before) * 1000, took * 1000

    def _backends(self) -> set[int]:
        if self._engine is None:
            return set()
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        with self._engine.connect() as connection:
            own = connection.scalar(text("SELECT pg_backend_pid()"))
            return set(connection.scalars(text(query))) - {own}

    def _spent(self, backends: set[int]) -> float:
        """Seconds; of one that has ended nothing is known any more."""
        files = [Path(f"/proc/{one}/schedstat") for one in backends]
        return sum(int(one.read_text().split()[0]) for one in files if one.exists()) / 1e9


@dataclass
class Size:
    """A site of so many lots, open, and what each question took at it."""

    lots: int
    site: Site
    meter: Meter
    found: dict[str, list[Took]] = field(default_factory=dict)
    said: dict[str, list[tuple[str, object]]] = field(default_factory=dict)

    def spent(self, name: str) -> float:
        """The median of the processors' time."""
        return middle([cpu for cpu, _ in self.found[name]])

    def take(self, name: str, act: Act) -> None:
        """Do it once, and keep what it took and what it said."""
        self.found.setdefault(name, []).append(self.meter(act))
        self.said[name] = list(self.site.said)


def middle(many: Sequence[float]) -> float:
    return sorted(many)[len(many) // 2]


def late(many: Sequence[float]) -> float:
    """The 95th percentile."""
    return sorted(many)[min(len(many) - 1, len(many) * 95 // 100)]


def slope(sizes: Sequence[Size], name: str) -> float:
    asked = [one for one in sizes if name in one.found]
    if len(asked) < 2:
        return math.nan
    first, last = asked[0], asked[-1]
    return math.log(last.spent(name) / first.spent(name)) / math.log(last.lots / first.lots)


def ask(sizes: Sequence[Size], name: str) -> str:
    """Ask all sizes in turn; why one was not asked, or ""."""
    for size in sizes:
        if expected := too_long(sizes, size, name):
            return f"not asked of {size.lots} lots: about {expected / 1000:.0f} s"
        if (status := size.site.get(name)) != 200:  # it also fills what is kept in memory
            return f"answered {status} at {size.lots} lots"
        size.take(name, lambda site=size.site: site.get(name))  # type: ignore[misc]
    for _ in range(TIMES - 1):
        if sum(wall for one in sizes for _, wall in one.found[name]) > ENOUGH_MS:
            break
        for size in sizes:
            size.take(name, lambda site=size.site: site.get(name))  # type: ignore[misc]
    return ""


def too_long(sizes: Sequence[Size], next_one: Size, name: str) -> float:
    """How long a question will take, going by smaller sizes, or 0 where that is no matter."""
    asked = [one for one in sizes if name in one.found]
    if not asked:
        return 0.0
    grows = slope(asked, name) if len(asked) > 1 else 1.0
    expected = asked[-1].spent(name) * (next_one.lots / asked[-1].lots) ** grows
    return expected if expected > PATIENCE_MS else 0.0


def measure(sizes: Sequence[Size]) -> dict[str, str]:
    """Ask and do everything; what was not asked, with the reason."""
    unasked = {}
    for name in questions():
        if why := ask(sizes, name):
            unasked[name] = why
        print(name, *(f"{one.spent(name):.1f}" for one in sizes if name in one.found), flush=True)
    first = new_number()
    for number in range(first, first + 3):
        for together in zip(*(acts(one.site, number) for one in sizes), strict=True):
            for size, (name, act) in zip(sizes, together, strict=True):
                size.take(name, act)
    return unasked


def figures(kind: str, lots: Sequence[int], kept: Path | None) -> tuple[list[str], list[str], int]:
    """The table of a database, what is read from end to end at the middle size, what fails."""
    with sites(kind, lots, kept) as found, ExitStack() as stack:
        sizes = [
            Size(many, stack.enter_context(opened(settings)), Meter(settings))
            for many, settings in found.items()
        ]
        unasked = measure(sizes)
        read = plans(sizes[len(sizes) // 2], found)
    each = "".join(f"{one:>9}{'p95':>8}" for one in lots)
    told = [f"{kind}", f"{'p50 and p95 of ms, at lots:':54}{each}{'exp.':>7}{'clock':>9}"]
    wrong = 0
    for name in dict.fromkeys(name for one in sizes for name in one.found):
        line, holds = judged(sizes, name, unasked.get(name, ""))
        told.append(line)
        wrong += not holds
    told += [f"{name}: {why}" for name, why in unasked.items() if name not in sizes[0].found]
    return [*told, ""], [f"{kind}: {one}" for one in read], wrong


def judged(sizes: Sequence[Size], name: str, unasked: str) -> tuple[str, bool]:
    asked = [one for one in sizes if name in one.found]
    cells = "".join(
        f"{one.spent(name):9.1f}{late([cpu for cpu, _ in one.found[name]]):8.1f}" for one in asked
    )
    clock = middle([wall for _, wall in asked[-1].found[name]])
    grows = slope(sizes, name)
    holds = not unasked and (grows <= FLAT or asked[-1].spent(name) <= SMALL_MS)
    verdict = "holds" if holds else "DOES NOT HOLD"
    told = f"{verdict}: {unasked}" if unasked else verdict
    wide = 17 * len(sizes)
    return f"{name:54}{cells:{wide}}{grows:7.2f}{clock:9.1f}  {told}", holds


def plans(size: Size, found: dict[int, Settings]) -> list[str]:
    """Questions and acts of a size, with the large tables that they read from end to end."""
    engine = open_database(found[size.lots].database)
    read = []
    with engine.connect() as connection:
        for name, statements in size.said.items():
            large = sorted({table for table, _ in scans(connection, statements)})
            read += [f"{name}: {table}" for table in large]
    engine.dispose()
    return read


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lots", type=int, nargs="+", default=LOTS)
    parser.add_argument("--kept", type=Path, help="where the sites are, or are made and kept")
    parser.add_argument("--kind", choices=KINDS, action="append")
    chosen = parser.parse_args()
    told, read, wrong = [], [], 0
    for kind in chosen.kind or KINDS:
        lines, large, bad = figures(kind, chosen.lots, chosen.kept)
        print("\n".join(lines), flush=True)
        told += lines
        read += large
        wrong += bad
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.strip()  # fmt: skip
    (ROOT / "batchqc" / "guide" / "measured" / "growth.md").write_text(
        "# How questions and acts grow\n\n"
        f"Measured {time.strftime('%Y-%m-%d')} at commit {commit}, {os.cpu_count()} cores with a"
        f" load of {os.getloadavg()[0]:.0f} beside, by `tests/performance/growth.py --lots"
        f" {' '.join(map(str, chosen.lots))}`: simulated sites of ten years, 40 results and about"
        " 200 audit entries a lot.\n\nMilliseconds are the processors' time, of the application"
        " and of the backends of PostgreSQL, since the clock of a shared machine measures its other"
        " work; the last column is the median by the clock at the largest size. Sizes are asked in"
        f" turn. It holds where the exponent is at most {FLAT} or the median at most"
        f" {SMALL_MS:.0f} ms.\n\n"
        "```\n" + "\n".join(told) + "```\n\n"
        "Large tables read from end to end at the middle size, after ANALYZE:\n\n```\n"
        + "\n".join(read or ["none"])
        + "\n```\n"
    )
    if wrong:
        raise SystemExit(f"{wrong} do not hold")


if __name__ == "__main__":
    main()
