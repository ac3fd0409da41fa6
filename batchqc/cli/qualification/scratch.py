"""A scratch installation beside the one that is qualified: what is done there leaves no trace."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import URL, Engine, create_engine, inspect
from sqlalchemy.exc import DBAPIError

from batchqc import clock
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_story import Story
from batchqc.cli.qualification.protocol import Doing, Finding, failed, held, not_tested
from batchqc.cli.workplace import Workplace
from batchqc.errors import Conflict
from batchqc.records.database import address_of, open_database
from batchqc.settings import Settings


@dataclass(frozen=True, slots=True)
class Scratch:
    """The installation in which operation is tried, and why it is of another kind, if it is.

    ``empty`` is the address of a second database, to restore into; blank where that is a file, or
    where there is none, and then ``lacking`` says why.
    """

    story: Story
    wanted: str
    hindrance: str = ""
    empty: str = ""
    lacking: str = ""

    def doings(self) -> dict[str, Doing]:
        """The one check of it."""
        return {"IQ-IN-09": self._made}

    def _made(self) -> Finding:
        got = self.story.place.engine.dialect.name
        if self.hindrance:
            return not_tested(
                f"Operation is tested on {got}, not on {self.wanted}: {self.hindrance}. Let the"
                " role create databases (ALTER ROLE … CREATEDB), or name two empty ones with"
                " --scratch."
            )
        if not self.story.folder.is_dir():
            return failed("There is no scratch folder.")
        return held(got == self.wanted, f"A scratch installation on {got}.", {"database": got})


@contextmanager
def scratch(place: Workplace, *, databases: Sequence[str] = ()) -> Iterator[Scratch]:
    """A scratch installation of the same kind; it is removed at the end.

    Args:
        place: the installation that is qualified; nothing of it is touched.
        databases: addresses of empty databases to use, where the role may not make any: one to
            work in, one to restore into.

    Raises:
        Conflict: BQC-VAL-002 such a database is not empty.
    """
    wanted = place.engine.dialect.name
    first, second, *_ = (*databases, "", "")
    made, hindrance = _database(place, first)
    empty, lacking = _database(place, second) if made else (None, "")
    folder = Path(tempfile.mkdtemp(prefix="batchqc-oq-"))
    try:
        settings = Settings.in_folder(folder, alone=True).model_copy(
            update={"seal_passphrase": SecretStr(cast.PASSWORD)}
            | ({"database": _address(made)} if made else {})
        )
        time = cast.StoryClock()
        story = Story(folder, Workplace.at(settings, now=time), time)
        try:
            yield Scratch(story, wanted, hindrance, _address(empty), lacking)
        finally:
            story.place.engine.dispose()
    finally:
        shutil.rmtree(folder)
        for one, given in ((made, first), (empty, second)):
            if one and not given:
                _run(place.engine, f'DROP DATABASE "{one.database}"')


def _address(url: URL | None) -> str:
    return url.render_as_string(hide_password=False) if url else ""


def _database(place: Workplace, given: str) -> tuple[URL | None, str]:
    """Address of a scratch database that is no file, and why there is none of the same kind."""
    if given:
        _expect_empty(given)
        return address_of(given), ""
    if place.engine.dialect.name == "sqlite":
        return None, ""
    name = f"batchqc_oq_{clock.now():%Y%m%d%H%M%S%f}"
    try:
        _run(place.engine, f'CREATE DATABASE "{name}" TEMPLATE template0')
    except DBAPIError as problem:
        return None, str(problem.orig).strip().splitlines()[0]
    return place.engine.url.set(database=name), ""


def _expect_empty(address: str) -> None:
    engine = open_database(address)
    try:
        tables = inspect(engine).get_table_names()
    finally:
        engine.dispose()
    if tables:
        raise Conflict(
            "BQC-VAL-002",
            f"the scratch database {engine.url.database} is not empty: it has {len(tables)} tables",
            hint="Operation is never tested among records: name an empty database.",
        )


def _run(engine: Engine, statement: str) -> None:
    """One statement that PostgreSQL does outside of transactions."""
    own = create_engine(engine.url, isolation_level="AUTOCOMMIT")
    try:
        with own.connect() as connection:
            connection.exec_driver_sql(statement)
    finally:
        own.dispose()
