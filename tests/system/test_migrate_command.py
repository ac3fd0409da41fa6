"""``batchqc migrate``: a site of an earlier version, with its certificates, goes on."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from batchqc.errors import Conflict
from batchqc.records.database import open_database
from batchqc.settings import bundled
from tests.system.test_laboratory_commands import batchqc, done

BEFORE = "0029"
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def columns(database: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA {schema}.table_info({table})")]


def older(home: Path) -> None:
    """Give the site a database of the earlier version, with every row that this can hold."""
    newest, file = home / "newest.db", home / "batchqc.db"
    file.rename(newest)
    engine = open_database(f"sqlite:///{file}")
    config = Config()
    config.set_main_option("script_location", str(bundled("migrations")))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    engine.dispose()
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("ATTACH ? AS newest", (str(newest),))
        for (table,) in database.execute(TABLES).fetchall():
            if table != "alembic_version":
                known = columns(database, "newest", table)
                names = ", ".join(one for one in columns(database, "main", table) if one in known)
                rows = f"SELECT {names} FROM newest.{table}"  # noqa: S608 - names of our own
                database.execute(f"INSERT INTO main.{table} ({names}) {rows}")
    newest.unlink()


@pytest.fixture(scope="module")
def home(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    site = shutil.copytree(demo, tmp_path_factory.mktemp("earlier") / "site")
    older(site)
    for gone in ("log.key", "root.crl", "root.pem"):
        (site / "keys" / gone).rename(site / gone)
    return site


def test_an_earlier_site_is_told_what_to_type_and_goes_on(home: Path):
    stopped = batchqc(home, "certificate", "list").exception
    assert isinstance(stopped, Conflict)
    assert stopped.code == "BQC-SYS-007"
    assert "certificate_term" in stopped.message
    assert "batchqc migrate" in stopped.hint
    told = done(home, "migrate")
    for owed in ("batchqc log key", "copy root.pem", "copy root.crl", "batchqc certificate index"):
        assert f"To be done once: {owed}" in told
    for back in ("log.key", "root.crl", "root.pem"):
        (home / back).rename(home / "keys" / back)
    assert "holds every certificate" in done(home, "certificate", "index")
    assert "certificate index" not in done(home, "migrate")
    assert "UCM-P1-T1" in done(home, "certificate", "search", "wharton")
    assert "entries verified" in done(home, "audit", "verify")
    number = done(home, "certificate", "list").split("COA-")[1].split()[0]
    issued = home / "issued.pdf"
    done(home, "certificate", "get", f"COA-{number}", "--to", issued)
    root = ("--root", home / "trust" / "root.pem", "--status")
    assert "is genuine" in done(home, "certificate", "verify", issued, *root)
