"""Throughput of a served site at 1, 8 and 32 users beside each other, by locust.

    uv sync --frozen --inexact --group long
    python tests/performance/load.py [--lots N] [--seconds N] [--waiting N] [--kind SQLite]

``batchqc serve`` over a simulated site: one process on SQLite, two on PostgreSQL, with analysts,
QA and auditors who never wait; only 127.0.0.1 is spoken to. Lots are registered, uploaded, reviewed
and released meanwhile, each signature with its password, and certificates are fetched; when users
begin, some lots wait for their reviews and as many for their release. Beside it, in the same run:
empty answers of the bare framework; what one question reads, as raw SQL; and the rows that a whole
life of a lot writes, as raw SQL with a commit for each life. Eight acts are a life: so what users
do is compared with it. Prints requests a second, median and 95th percentile by kind, whether every
request was answered well and lots were released, and whether writers of the audit log wait for each
other: on PostgreSQL eight and 32 users write no less than one; of the backends that are busy
meanwhile, what they wait for.
"""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Self

import httpx
from peer_workload import ROOT
from sqlalchemy import text

sys.path.insert(0, str(ROOT))

from batchqc.actions.lot_review import review_whole_lot
from batchqc.actions.reviews import review_lot
from batchqc.actions.signing import Credentials
from batchqc.cli import simulate_cast as cast
from batchqc.cli.simulate import Extent, Simulated
from batchqc.cli.simulate_cast import SimulatedLot, drawn, token_of
from batchqc.cli.simulate_copies import Copies, Counters, go_on_counting
from batchqc.cli.simulate_life import Ending, Scene, live
from batchqc.cli.workplace import Workplace
from batchqc.core.permissions import Permission
from batchqc.records.database import open_database
from batchqc.records.transaction import reading
from batchqc.settings import Settings
from tests.performance.sites import KINDS, YEARS, place
from tests.ports import free_ports

LOTS, SECONDS, USERS = 500, 20, (1, 8, 32)
WHO = (cast.OFFICER, cast.ANALYST, cast.REVIEWER, cast.READER, cast.RELEASER, cast.AUDITOR)
MIXED, WRITERS = ["Everyone"], ["Writer"]
#: What is done of a lot, from its donor to its certificate.
LIFE = (
    "register donor", "eligibility", "register lot", "upload", "review", "QC review",
    "audit trail review", "release",
)  # fmt: skip
WAITING = 20
PROCESSES = {"SQLite": 1, "PostgreSQL": 2}
_RUNS, _LOTS = count(1), count()
HERE = Path(__file__).parent
BARE = """
import fastapi, uvicorn
app = fastapi.FastAPI()
app.get("/api/v1/health")(lambda: {{}})
uvicorn.run(app, port={port}, log_level="error")
"""


def serving(settings: Settings, port: int) -> subprocess.Popen[bytes]:
    named = {
        "DATABASE": settings.database, "STORE": settings.store, "SEAL": settings.seal,
        "LOG_KEY": settings.log_key, "COMPONENT_KEY": settings.component_key,
        "WEBHOOK_KEY": settings.webhook_key, "SEAL_PASSPHRASE": cast.PASSWORD,
    }  # fmt: skip
    return started(
        [str(Path(sys.executable).with_name("batchqc")), "serve", "--port", str(port)],
        port, {f"BATCHQC_{name}": str(value) for name, value in named.items()},
    )  # fmt: skip


def started(command: list[str], port: int, more: dict[str, str]) -> subprocess.Popen[bytes]:
    """A server that answers."""
    process = subprocess.Popen(
        command, env=os.environ | more, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(600):
        try:
            httpx.get(f"http://127.0.0.1:{port}/api/v1/health", timeout=1).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return process
    raise RuntimeError("the server did not start")


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for one in processes:
        one.send_signal(signal.SIGTERM)
        one.wait(timeout=30)


@dataclass(frozen=True)
class Waiting:
    """Lots that wait for their reviews, and lots that QC has reviewed."""

    uploaded: tuple[str, ...] = ()
    reviewed: tuple[str, ...] = ()


def waiting(site: Simulated, many: int) -> Waiting:
    """New lots of a site that has ended: so many for each of the two steps."""
    scene = Scene(Workplace.at(site.scene.place.settings, now=site.scene.clock), site.scene.clock)
    lots = []
    for number in range(2 * many):
        at = scene.clock()
        token = token_of(900_000 + next(_LOTS), at)
        one = SimulatedLot(token, at, drawn(site.chance, fails=False), cast.BEGUN)
        live(scene, one, Ending.OPEN)
        lots.append(one.lot)
        if number >= many:
            reviewed(scene, one.lot)
    return Waiting(tuple(lots[:many]), tuple(lots[many:]))


def reviewed(scene: Scene, lot: str) -> None:
    archive, who = scene.place.archive, cast.REVIEWER
    why = Credentials(who, cast.PASSWORD, "Compared with the raw data (simulated)")
    for review in (review_lot, review_whole_lot):
        scene.do(
            who,
            Permission.REVIEW_RESULTS,
            partial(review, archive=archive, lot=lot, credentials=why),
        )


def run(
    kinds: list[str],
    users: int,
    seconds: int,
    hosts: list[str],
    lots: list[str],
    found: Waiting = Waiting(),
) -> list[dict[str, str]]:
    """What locust measured of some kinds of users, by kind of request."""
    tokens = []
    for who in WHO:
        signed = {"user_id": who, "password": cast.PASSWORD}
        answer = httpx.post(f"{hosts[0]}/api/v1/session", json=signed, timeout=60).json()
        tokens.append(f"{who}={answer['token']}")
        for host in hosts:  # nobody waits for what a server does once
            said = {"Authorization": f"Bearer {answer['token']}"}
            httpx.get(f"{host}/api/v1/lots/{lots[0]}", headers=said, timeout=60)
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [sys.executable, "-m", "locust", "-f", str(HERE / "load_users.py"), "--headless",
             "-u", str(users), "-r", str(users), "-t", f"{seconds}s", "--csv", f"{folder}/of",
             "--only-summary", "--host", hosts[0], *kinds],
            env=os.environ | {"LOAD_HOSTS": " ".join(hosts), "LOAD_TOKENS": " ".join(tokens),
                              "LOAD_LOTS": " ".join(lots), "LOAD_FIRST": f"{next(_RUNS)}000000",
                              "LOAD_UPLOADED": " ".join(found.uploaded),
                              "LOAD_REVIEWED": " ".join(found.reviewed)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        told = Path(folder) / "of_stats.csv"
        if not told.exists():
            raise SystemExit(f"locust did not run: {ended.stderr}")
        with told.open() as file:
            return list(csv.DictReader(file))


def raw(settings: Settings, lots: list[str]) -> float:
    """Reads of the entries of a lot a second, as raw SQL through one connection."""
    engine = open_database(settings.database)
    query = text(
        "SELECT l.sequence, e.text FROM audit_subject s JOIN audit_entry e ON e.id = s.entry_id"
        " JOIN audit_link l ON l.entry_sha256 = e.sha256 WHERE s.subject = :lot ORDER BY l.sequence"
    )
    with engine.connect() as connection:
        began = time.perf_counter()
        for number in range(500):
            connection.execute(query, {"lot": f"lot:{lots[number % len(lots)]}"}).all()
        took = time.perf_counter() - began
    engine.dispose()
    return 500 / took


def raw_lives(site: Simulated, many: int = 20) -> float:
    """Whole lives of lots a second, as raw SQL: the rows that all acts write, one commit a life."""
    settings, took = site.scene.place.settings, 0.0
    engine = open_database(settings.database)  # one that waits for the disk
    for number in range(many):
        one, _ = site.planned(number)
        with reading(engine) as session:
            counters = Counters.read(session)
        copies = Copies(settings.store, counters)
        copies.add(
            site.patterns[Ending.RELEASED], replace(one, token=f"{one.token[:3]}{800_000 + number}")
        )
        began = time.perf_counter()
        with engine.begin() as connection:
            copies.write(connection)
        took += time.perf_counter() - began
        with engine.begin() as connection:
            go_on_counting(connection)
    engine.dispose()
    return many / took


class Waits:
    """What busy backends of PostgreSQL wait for, looked at twenty times a second."""

    def __init__(self, settings: Settings) -> None:
        self.found: Counter[str] = Counter()
        self._engine = open_database(settings.database)
        self._end = Event()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._engine.dispose()

    def _look(self) -> None:
        query = text(
            "SELECT coalesce(wait_event_type || ' ' || wait_event, 'nothing') FROM pg_stat_activity"
            " WHERE state <> 'idle' AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        with self._engine.connect() as connection:
            while not self._end.wait(0.05):
                self.found.update(connection.scalars(query))
                connection.rollback()

    def __str__(self) -> str:
        return ", ".join(
            f"{what} {100 * many / self.found.total():.0f} %"
            for what, many in self.found.most_common(5)
        )


def bare(port: int, seconds: int) -> float:
    """Empty answers of the framework a second, to one client."""
    process = started([sys.executable, "-c", BARE.format(port=port)], port, {})
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        began, many = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            client.get("/api/v1/health")
            many += 1
    stop([process])
    return many / seconds


def measured(kind: str, lots: int, seconds: int, many: int) -> tuple[list[str], bool]:
    ports = free_ports(PROCESSES[kind])
    with place(kind) as settings:
        site = Simulated.begun(settings, Extent(lots, YEARS, 20, 1))
        site.copy(lots)
        lives = raw_lives(site)
        site.end()
        found = [waiting(site, many) for _ in USERS]
        names = [site.planned(number)[0].lot for number in range(min(lots, 200))]
        empty, sql = bare(ports[0], 3), raw(settings, names)
        lines = [
            f"{kind}, {lots} lots, {len(ports)} processes",
            f"  the bare framework answers {empty:.0f} empty requests/s to one client",
            f"  raw SQL reads the entries of {sql:.0f} lots/s, and writes {lives:.1f} lives/s",
        ]
        servers = [serving(settings, port) for port in ports]
        hosts = [f"http://127.0.0.1:{port}" for port in ports]
        try:
            more, failures, released = mixed(hosts, names, seconds, empty, lives, found)
            lines += more
            told, writes, failed = alone(settings, hosts, names, seconds, empty)
            lines += told
        finally:
            stop(servers)
    failures += failed
    verdict = [
        ("failed requests are 0", failures == 0, str(failures)),
        ("lots are released by one, 8 and 32 users", all(released), _rates(released)),
    ]
    if kind == "PostgreSQL":
        least = min(writes[1:])
        verdict.append(("more users write no less than one", least >= writes[0], _rates(writes)))
    lines += [
        f"  {name}: {value}: {'holds' if ok else 'DOES NOT HOLD'}" for name, ok, value in verdict
    ]
    return [*lines, ""], all(ok for _, ok, _ in verdict)


def mixed(
    hosts: list[str],
    names: list[str],
    seconds: int,
    empty: float,
    lives: float,
    found: list[Waiting],
) -> tuple[list[str], int, list[float]]:
    """What all kinds of users do beside each other, how often it failed, and releases a second."""
    lines, failures, released = [], 0, []
    run(MIXED, USERS[-1], seconds, hosts, names)  # not counted: servers do some things once
    for users, lots in zip(USERS, found, strict=True):
        rows = run(MIXED, users, seconds, hosts, names, lots)
        lines += [of_kind(users, row, empty) for row in rows]
        failures += int(rows[-1]["Failure Count"])
        rates = {row["Name"]: float(row["Requests/s"]) for row in rows}
        released.append(rates.get("write: release", 0))
        acts = sum(rates.get(f"write: {one}", 0) for one in LIFE)
        lines.append(
            f"      {released[-1]:.2f} lots released/s; {acts:.1f} acts on lots/s are"
            f" {acts / len(LIFE):.2f} lives/s, {acts / len(LIFE) / lives:.3f} of raw SQL"
        )
    return lines, failures, released


def alone(
    settings: Settings, hosts: list[str], names: list[str], seconds: int, empty: float
) -> tuple[list[str], list[float], int]:
    """What those write who do nothing else, a second, and how often it failed."""
    lines, writes, failures = [], [], 0
    for users in USERS:
        is_looked_at = settings.database.startswith("postgresql")
        with Waits(settings) if is_looked_at else nullcontext() as waits:
            rows = run(WRITERS, users, seconds, hosts, names)
        writes.append(float(rows[-1]["Requests/s"]))
        failures += int(rows[-1]["Failure Count"])
        lines += [of_kind(users, rows[0], empty)]
        lines += [f"      backends wait for: {waits}"] if waits else []
    return lines, writes, failures


def _rates(one_second: list[float]) -> str:
    return ", ".join(f"{one:.2f}" for one in one_second) + "/s"


def of_kind(users: int, row: dict[str, str], empty: float) -> str:
    rate = float(row["Requests/s"])
    return (
        f"  {users:3} users  {row['Name']:38} {rate:8.1f}/s  p50 {row['50%']:>6} ms  p95"
        f" {row['95%']:>6} ms  {rate / empty:6.3f} of bare"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lots", type=int, default=LOTS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--waiting", type=int, default=WAITING)
    parser.add_argument("--kind", choices=KINDS, action="append")
    chosen = parser.parse_args()
    told, holds = [], True
    for kind in chosen.kind or KINDS:
        lines, ok = measured(kind, chosen.lots, chosen.seconds, chosen.waiting)
        print("\n".join(lines), flush=True)
        told += lines
        holds &= ok
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.strip()  # fmt: skip
    when = f"{time.strftime('%Y-%m-%d')} at commit {commit}, {os.cpu_count()} cores"
    (ROOT / "batchqc" / "guide" / "measured" / "load.md").write_text(
        f"# Users beside each other\n\nMeasured {when} with a load of {os.getloadavg()[0]:.0f}"
        f" beside, by `tests/performance/load.py --lots {chosen.lots} --seconds {chosen.seconds}"
        f" --waiting {chosen.waiting}`: users who do the work of analysts, QA and auditors by"
        " turns, and never wait.\n\n"
        "```\n" + "\n".join(told) + "```\n"
    )
    if not holds:
        raise SystemExit("a limit does not hold")


if __name__ == "__main__":
    main()
