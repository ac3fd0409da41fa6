"""Turns at the one writer of SQLite: whoever came first writes first.

SQLite lets one write, and all others ask again after a pause that grows: who has waited long asks
seldom, and is passed by. Here they stand in line, and hold no connection meanwhile. The lock itself
stays SQLite's: another process is not in the line, nor is who has stood there for too long.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Final

from sqlalchemy import Engine

_LONGEST: Final = 15
"""Seconds in the line, as long as SQLite itself waits for its lock."""
_GUARD: Final = Lock()
_LINES: Final[dict[str, deque[Event]]] = {}


@contextmanager
def in_turn(engine: Engine) -> Iterator[None]:
    """Wait until nobody in this process writes who came before; PostgreSQL has many writers."""
    if engine.dialect.name == "postgresql":
        yield
        return
    name, own = str(engine.url.database), Event()
    with _GUARD:
        line = _LINES.setdefault(name, deque())
        line.append(own)
        line[0].set()
    try:
        own.wait(_LONGEST)
        yield
    finally:
        with _GUARD:
            line.remove(own)
            if line:
                line[0].set()
            else:
                del _LINES[name]
