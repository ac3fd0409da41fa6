"""A copy of a database while others write to it, and the way back.

SQLite is copied by its online backup, in one step; PostgreSQL by ``pg_dump`` in its custom format,
of a snapshot that is read at the same time. Either is the state between two commits.
"""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from sqlalchemy import URL, Engine, func, select, text
from sqlalchemy.orm import Session

from batchqc.core.backups import Contents
from batchqc.errors import StoreUnavailable
from batchqc.records.audit import newest_link
from batchqc.records.database import open_database, password_of, revision_of, without_password
from batchqc.records.registers import the_site
from batchqc.records.schema import METADATA
from batchqc.records.transaction import reading

_OF_EXTENSION: Final = re.compile(r"\d+; \d+ \d+ (COMMENT - )?EXTENSION ")
"""How a line of ``pg_restore --list`` begins that is of an extension."""
FILES: Final = {"sqlite": "database.sqlite", "postgresql": "database.dump"}


@contextmanager
def copied(engine: Engine, folder: Path) -> Iterator[Session]:
    """Copy a database into a folder; a session that reads exactly what was copied.

    Raises:
        StoreUnavailable: BQC-BAK-005 ``pg_dump`` is not there; BQC-BAK-006 it did not do it.
        OSError: SQLite's copy cannot be written.
    """
    file = folder.joinpath(FILES[engine.dialect.name])
    if engine.dialect.name == "postgresql":
        with reading(engine) as session:
            snapshot = str(session.scalar(text("SELECT pg_export_snapshot()")))
            _run("pg_dump", engine.url, "--format=custom", "--snapshot", snapshot, "--file", file)
            yield session
        return
    source, to = (sqlite3.connect(str(one)) for one in (engine.url.database, file))
    with closing(source), closing(to):
        try:
            source.backup(to)
            to.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
    copy = open_database(f"sqlite:///{file}")
    try:
        with reading(copy) as session:
            yield session
    finally:
        copy.dispose()


def copy_back(backup: Path, engine: Engine) -> None:
    """Restore a copy into an empty database, without the extensions that a site added to its own.

    Nothing of batchqc needs one, and the owner of a database may not make those of the server's.

    Raises:
        StoreUnavailable: BQC-BAK-005 ``pg_restore`` is not there; BQC-BAK-006 it did not do it.
    """
    file = backup.joinpath(FILES[engine.dialect.name])
    if engine.dialect.name == "postgresql":
        whole = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
        parts = _run("pg_restore", None, "--list", file).splitlines(keepends=True)
        with NamedTemporaryFile("w", prefix="batchqc-", encoding="utf-8") as wanted:
            wanted.writelines(one for one in parts if not _OF_EXTENSION.match(one))
            wanted.flush()
            _run("pg_restore", engine.url, *whole, "--use-list", wanted.name, file)
        return
    to = Path(str(engine.url.database))
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


def contents_of(session: Session) -> Contents:
    """What a database holds: every row counted."""
    site, link = the_site(session), newest_link(session)
    return Contents(
        site.name if site else "",
        revision_of(session.get_bind().engine),
        {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in sorted(METADATA.tables.items())
        },
        link.sequence if link else 0,
        link.sha256 if link else "",
    )


def _run(program: str, url: URL | None, *options: str | Path) -> str:
    """What a program of PostgreSQL says; a password goes by the environment, where nobody lists it.

    ``url`` is the database that it connects to, if it does.
    """
    path = shutil.which(program)
    if path is None:
        raise StoreUnavailable(
            "BQC-BAK-005",
            f"{program} is not there",
            hint="Put PostgreSQL's client programs of the server's version on PATH.",
        )
    secret = password_of(url) if url else ""
    to = ["--no-password", "--dbname", without_password(url)] if url else []
    done = subprocess.run(  # noqa: S603 - the path of the program, and options of our own
        [path, *to, *map(str, options)],
        env=os.environ | ({"PGPASSWORD": secret} if secret else {}),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise StoreUnavailable(
            "BQC-BAK-006",
            f"{program} failed",
            reasons=done.stderr.strip().splitlines()[-5:],
            hint="Run it as the owner of the database, with programs of the server's version.",
        )
    return done.stdout
