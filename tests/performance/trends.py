"""The page data of an attribute with 10,000 lots, and what one more lot costs.

    python tests/performance/trends.py [lots]

Generated lots with the ten measured criteria of the shipped specification, on SQLite; the attribute
is viability. In one process: the page for the first time, again, and after one more lot has been
registered and its results uploaded, of which the other attribute that is held has none. Prints each
figure with its limit and whether it holds, and writes it into the guide.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from peer_workload import ROOT, Figure, set_up
from specification_impact import SHIPPED, fill

from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.people import principal
from batchqc.actions.received import ReceivedFile
from batchqc.actions.trends import Trends
from batchqc.actions.uploads import upload_results
from batchqc.cli.workplace import Workplace
from batchqc.clock import now
from batchqc.core.permissions import Permission
from batchqc.core.trends import Attribute
from batchqc.records.transaction import Actor, reading, transaction
from batchqc.settings import Settings

LOTS, TIMES = 10_000, 20
OF = Attribute("UC-MSC", "release", "", "viability")
CD90 = OF._replace(criterion="cd90")
WARM_MS, ONE_MORE = 100.0, 0.5


def add_a_lot(place: Workplace) -> str:
    """Register a lot through its action, and upload its viability."""

    def acting(permission: Permission) -> Actor:
        with reading(place.engine) as session:
            person = principal(session, user_id="ana", time_zone="UTC", now=place.now())
            return person.acting(permission)

    lot, at = "ONE-MORE", now().replace(microsecond=0) - timedelta(hours=2)
    with transaction(place.engine, acting(Permission.REGISTER_LOT), now()) as tx:
        sample = NewSample(f"{lot}-S01", "release", "cryovial", at.isoformat())
        register_lot(
            tx, NewLot(lot, "UC-MSC", at.date(), date(2030, 1, 1), ("DNR-0001",), (sample,))
        )
    header = (
        "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,measured_at,analyst,"
        "instrument_id,run_id,method_id,result_type,comment"
    )
    row = (
        f"{lot},{lot}-S01,,VIAB,viability,1,95.5,%,{(at + timedelta(hours=1)).isoformat()},ana,I,"
        "V-1,SOP-QC-014,reportable,"
    )
    data = f"{header}\n{row}\n".encode()
    with transaction(place.engine, acting(Permission.UPLOAD_RESULTS), now()) as tx:
        file = ReceivedFile(name="one.csv", size=len(data), data=data, client="benchmark")
        report = upload_results(tx, place.archive, file=file)
        assert report.accepted, report.reading.problems
    return lot


def seconds_of(place: Workplace, trends: Trends, attribute: Attribute) -> tuple[float, bytes]:
    began = time.perf_counter()
    with reading(place.engine) as session:
        data = trends.page(session, place.archive, attribute, kind="json")
    return time.perf_counter() - began, data


def measure(settings: Settings, lots: int) -> tuple[list[Figure], list[str]]:
    place, trends = Workplace.at(settings), Trends()
    cold, data = seconds_of(place, trends, OF)
    assert len(json.loads(data)["points"]) == lots
    seconds_of(place, trends, CD90)
    warm = sorted(seconds_of(place, trends, OF)[0] for _ in range(TIMES))[TIMES // 2]
    before = trends.read
    lot = add_a_lot(place)
    more, data = seconds_of(place, trends, OF)
    assert json.loads(data)["points"][-1]["lot"] == lot
    read = trends.read - before
    figures = [
        Figure("page data, again", warm * 1000, WARM_MS, "ms"),
        Figure("lots read for one more", read, 2.0, "lots"),  # one in each of two series
        Figure("one more lot, to all", more / cold, ONE_MORE, "times"),
    ]
    told = (
        f"{lots:,} lots: page data for the first time {cold:.2f} s, {len(data) / 1e6:.1f} MB;"
        f" after one more lot {more:.2f} s, again {warm * 1000:.1f} ms"
    )
    return figures, [told]


def main() -> None:
    lots = int(sys.argv[1]) if len(sys.argv) > 1 else LOTS
    with tempfile.TemporaryDirectory() as folder:
        settings = set_up(Path(folder), SHIPPED.read_bytes(), "UC-MSC-REL", "UC-MSC")
        fill(settings, lots)
        figures, told = measure(settings, lots)
    lines = [*map(str, figures), *told]
    print("\n".join(lines))
    if lots == LOTS:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        ).stdout.strip()  # fmt: skip
        title = "# The page of an attribute with 10,000 lots"
        when = (
            f"Measured {now():%Y-%m-%d} at commit {commit}, {os.cpu_count()} cores, by `make long`."
        )
        measured = ROOT / "batchqc" / "guide" / "measured" / "trends.md"
        measured.write_text("\n".join([title, "", when, "", "```", *lines, "```", ""]))
    if any(figure.value > figure.limit for figure in figures):
        raise SystemExit("a limit does not hold")


if __name__ == "__main__":
    main()
