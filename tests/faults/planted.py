"""A server with a defect that loses records: the harness must see each of them.

python -m tests.faults.planted "answer before commit" serve --port 8000
"""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from batchqc.documents.archive import FolderArchive

_LATE: Final = 0.4
"""Seconds after the answer."""


def _answer_before_commit() -> None:
    """Each commit is left to a thread, and comes when the answer has long gone out."""
    commit = Session.commit

    def later(session: Session) -> None:
        session.close = lambda: None  # type: ignore[method-assign]

        def do() -> None:
            time.sleep(_LATE)
            commit(session)
            Session.close(session)

        threading.Thread(target=do, daemon=True).start()

    Session.commit = later  # type: ignore[method-assign]


def _store_after_commit() -> None:
    """A file gets its name only when its record has long been committed."""
    name: Any = FolderArchive._name

    def later(archive: FolderArchive, path: Any, sha256: str) -> None:
        kept = path.with_name(path.name.replace(".incoming-", ".late-"))
        kept.hardlink_to(path)

        def do() -> None:
            time.sleep(_LATE)
            name(archive, kept, sha256)
            kept.unlink()

        threading.Thread(target=do, daemon=True).start()

    FolderArchive._name = later  # type: ignore[assignment,method-assign]


def _no_sync() -> None:
    """The database does not wait for its disk."""

    @event.listens_for(Engine, "connect", insert=False)
    def connected(connection: Any, _: object) -> None:
        if type(connection).__module__ == "sqlite3":
            connection.execute("PRAGMA synchronous=OFF")
        else:
            connection.execute("SET synchronous_commit = off")
            connection.commit()


DEFECTS: Final[Mapping[str, Callable[[], None]]] = {
    "answer before commit": _answer_before_commit,
    "store after commit": _store_after_commit,
    "no sync": _no_sync,
}
"""Each by its name."""


def main() -> None:
    """Plant the defect, then do what the rest of the command line says."""
    _, name, *rest = sys.argv
    DEFECTS[name]()
    from batchqc.cli.main import app  # noqa: PLC0415 - after the defect

    app(rest)


if __name__ == "__main__":
    main()
