"""Fifty rows: how long an analyst waits for what was read and the verdicts that would result.

    python tests/performance/fifty_rows.py

A real server process on SQLite with 200 lots on record; the same file of 50 rows of four lots is
previewed and, once, uploaded. The time is that of the whole request on this machine. Prints each
figure with its limit and whether it holds, and writes it into the guide.
"""

import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from peer_workload import ROOT, Client, Figure, csv_of, serve, set_up, work

LOTS, ROWS, TIMES = 200, 50, 40
LIMIT_MS = 100.0


def register(client: Client, lot: str, at: datetime) -> None:
    client.send("ana", "POST", "/lots", json={
        "id": lot, "product": "PEER", "manufactured_on": at.date().isoformat(),
        "expires_on": (at.date() + timedelta(days=700)).isoformat(), "donors": ["DNR-0001"],
        "samples": [{"id": f"{lot}-S01", "stage": "release", "container": "vial",
                     "taken_at": at.isoformat()}],
    })  # fmt: skip


def fifty(lots: list[tuple[str, dict[str, str]]], at: datetime) -> bytes:
    """The first 50 rows of some lots, as one file."""
    header, *_ = csv_of(*lots[0], at).splitlines()
    rows = [row for lot, results in lots for row in csv_of(lot, results, at).splitlines()[1:]]
    return b"\n".join([header, *rows[:ROWS]]) + b"\n"


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        process, address, _ = serve(set_up(Path(folder)))
        try:
            client = Client(address)
            client.sign_in("ana")
            at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # noqa: TID251
            lots = work(LOTS)
            for lot, results in lots[4:]:
                register(client, lot, at)
                client.send(
                    "ana", "POST", f"/uploads?file={lot}.csv", content=csv_of(lot, results, at)
                )
            for lot, _ in lots[:4]:
                register(client, lot, at)
            data = fifty(lots[:4], at)
            seconds = []
            for _ in range(TIMES):
                began = time.perf_counter()
                seen = client.send("ana", "POST", "/uploads?file=f.csv&dry_run=true", content=data)
                seconds.append(time.perf_counter() - began)
            began = time.perf_counter()
            client.send("ana", "POST", "/uploads?file=f.csv", content=data)
            stored = time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(timeout=30)
    if len(seen.json()["verdicts"]) != ROWS:
        raise RuntimeError(f"{len(seen.json()['verdicts'])} verdicts of {ROWS} rows")
    ordered = sorted(seconds)
    return [
        Figure("preview of 50 rows, median", ordered[TIMES // 2] * 1000, LIMIT_MS, "ms"),
        Figure("preview of 50 rows, 95 %", ordered[TIMES * 95 // 100] * 1000, LIMIT_MS, "ms"),
        Figure("upload of 50 rows, once", stored * 1000, LIMIT_MS, "ms"),
    ]


def main() -> None:
    figures = measure()
    print("\n".join(map(str, figures)))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    day = datetime.now(UTC).date()  # noqa: TID251
    lines = "\n".join(map(str, figures))
    title = f"# Fifty rows, seen and judged\n\nRun {day} at commit {commit}, by `make long`."
    page = f"{title}\n\n```\n{lines}\n```\n"
    (ROOT / "batchqc" / "guide" / "measured" / "fifty_rows.md").write_text(page)
    sys.exit(any(one.value > one.limit for one in figures))


if __name__ == "__main__":
    main()
