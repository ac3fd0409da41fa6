"""Throughput of a served site at 1, 8 and 32 users beside each other, by locust.

    python tests/performance/load.py [lots] [seconds]

``batchqc serve`` over a simulated site: one process on SQLite, two on PostgreSQL, with analysts,
QA and auditors who never wait; only 127.0.0.1 is spoken to. Beside it, in the same run, an empty
answer of the bare framework, and the same reads as raw SQL. Prints requests a second, median and
95th percentile by kind, whether every request was answered well, and whether writers of the audit
log wait for each other: on PostgreSQL eight users write no less than one.
"""

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from growth import place
from peer_workload import ROOT
from sqlalchemy import text

sys.path.insert(0, str(ROOT))

from batchqc.cli import simulate_cast as cast
from batchqc.cli.simulate import Extent, fill
from batchqc.records.database import open_database
from batchqc.settings import Settings

LOTS, SECONDS, USERS = 500, 20, (1, 8, 32)
MIXED, WRITERS = ["Analyst", "Quality", "Auditor"], ["Writer"]
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


def run(
    kinds: list[str], users: int, seconds: int, hosts: list[str], lots: list[str], run: str
) -> list[dict[str, str]]:
    """What locust measured of some kinds of users, by kind of request."""
    tokens = []
    for who in (cast.OFFICER, cast.RELEASER, cast.AUDITOR):
        signed = {"user_id": who, "password": cast.PASSWORD}
        answer = httpx.post(f"{hosts[0]}/api/v1/session", json=signed, timeout=60).json()
        tokens.append(f"{who}={answer['token']}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "locust", "-f", str(HERE / "load_users.py"), "--headless",
             "-u", str(users), "-r", str(users), "-t", f"{seconds}s", "--csv", f"{folder}/of",
             "--only-summary", "--host", hosts[0], *kinds],
            env=os.environ | {"LOAD_HOSTS": " ".join(hosts), "LOAD_TOKENS": " ".join(tokens),
                              "LOAD_LOTS": " ".join(lots), "LOAD_RUN": run},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        with (Path(folder) / "of_stats.csv").open() as file:
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


def bare(seconds: int) -> float:
    """Empty answers of the framework a second, to one client."""
    port = 8790
    process = started([sys.executable, "-c", BARE.format(port=port)], port, {})
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        began, many = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            client.get("/api/v1/health")
            many += 1
    stop([process])
    return many / seconds


def measured(kind: str, lots: int, seconds: int) -> tuple[list[str], bool]:
    ports = [8791] if kind == "SQLite" else [8791, 8792]
    with place(kind) as settings:
        fill(settings, Extent(lots, 10, 186, 1))
        engine = open_database(settings.database)
        with engine.connect() as connection:
            names = list(connection.scalars(text("SELECT lot FROM lot ORDER BY id LIMIT 200")))
        engine.dispose()
        empty, sql = bare(3), raw(settings, names)
        head = (
            f"{kind}, {lots} lots, {len(ports)} processes; the bare framework answers {empty:.0f}"
            f" empty requests/s to one client; raw SQL reads the entries of {sql:.0f} lots/s"
        )
        lines = [head]
        servers = [serving(settings, port) for port in ports]
        hosts = [f"http://127.0.0.1:{port}" for port in ports]
        writes, failures = {}, 0
        runs = [*((MIXED, users) for users in USERS), (WRITERS, 1), (WRITERS, 8)]
        for kinds, users in runs:
            for row in run(kinds, users, seconds, hosts, names, f"{kind[0]}{users}"):
                rate, name = float(row["Requests/s"]), row["Name"]
                failures += int(row["Failure Count"]) if name != "Aggregated" else 0
                if kinds == WRITERS:
                    writes[users] = rate
                lines.append(
                    f"  {users:3} users  {name:32} {rate:8.1f}/s  p50 {row['50%']:>6} ms  p95"
                    f" {row['95%']:>6} ms  {rate / empty:6.3f} of bare"
                )
        stop(servers)
    alone, eight = writes.get(1, 0.0), writes.get(8, 0.0)
    verdict = [("failed requests are 0", failures == 0, failures)]
    if kind == "PostgreSQL":
        verdict.append(
            ("eight users write no less than one", eight >= alone, f"{alone:.1f}, {eight:.1f}/s")
        )
    lines += [
        f"  {name}: {value}: {'holds' if ok else 'DOES NOT HOLD'}" for name, ok, value in verdict
    ]
    return [*lines, ""], all(ok for _, ok, _ in verdict)


def main() -> None:
    lots = int(sys.argv[1]) if len(sys.argv) > 1 else LOTS
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    told, holds = [], True
    for kind in ("SQLite", "PostgreSQL"):
        lines, ok = measured(kind, lots, seconds)
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
        f" beside, by `tests/performance/load.py` {lots} lots {seconds} s: analysts, QA and"
        " auditors 3 : 3 : 2, who never wait.\n\n```\n" + "\n".join(told) + "```\n"
    )
    if not holds:
        raise SystemExit("a limit does not hold")


if __name__ == "__main__":
    main()
