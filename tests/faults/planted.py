"""Defects of a server that lose records: the harness must see each of them."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from batchqc.documents import archive
from batchqc.documents.archive import FolderArchive
from batchqc.records import database

LATE: Final = 0.4
"""Seconds after the answer."""


def _answer_before_commit() -> None:
    """Each commit is left to a thread, and comes when the answer has long gone out."""
    commit = Session.commit

    def later(session: Session) -> None:
        session.close = lambda: None  # type: ignore[method-assign]

        def do() -> None:
            time.sleep(LATE)
            commit(session)
            Session.close(session)

        threading.Thread(target=do, daemon=True).start()

    Session.commit = later  # type: ignore[method-assign]


def _store_after_commit() -> None:
    """A file gets its name only when its record has long been committed."""
    name: Any = FolderArchive._name

    def later(store: FolderArchive, path: Any, sha256: str) -> None:
        kept = path.with_name(path.name.replace(".incoming-", ".late-"))
        kept.hardlink_to(path)

        def do() -> None:
            time.sleep(LATE)
            name(store, kept, sha256)
            kept.unlink()

        threading.Thread(target=do, daemon=True).start()

    FolderArchive._name = later  # type: ignore[assignment,method-assign]


def _no_sync() -> None:
    """The database does not wait for its disk."""
    database._PRAGMAS = tuple(
        one.replace("synchronous=FULL", "synchronous=OFF") for one in database._PRAGMAS
    )

    @event.listens_for(Engine, "connect", insert=False)
    def connected(connection: Any, _: object) -> None:
        if type(connection).__module__ != "sqlite3":
            connection.execute("SET synchronous_commit = off")
            connection.commit()


def _store_without_sync() -> None:
    """What is put into the store does not wait for the disk."""
    archive._sync = lambda *_: None


DEFECTS: Final[Mapping[str, Callable[[], None]]] = {
    "answer before commit": _answer_before_commit,
    "store after commit": _store_after_commit,
    "no sync": _no_sync,
    "store without sync": _store_without_sync,
}
"""Each by its name."""
