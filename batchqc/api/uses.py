"""When each session was last used, and from where, as this server knows since it began.

That is no record: an entry for each request would hide the others. What was not used for longest is
forgotten first; the database knows it to the minute.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Annotated, Final

from fastapi import Depends, Request

MOST: Final = 10_000
"""How many sessions are remembered."""


def client_of(request: Request) -> str:
    """The address and the program that a request came from, for the record."""
    host = request.client.host if request.client else "unknown"
    agent = request.headers.get("user-agent", "unknown")[:200]
    return f"{host} {agent}"


Client = Annotated[str, Depends(client_of)]


@dataclass(frozen=True, slots=True)
class Use:
    """A request of a session: when, and from which address and program."""

    at: datetime
    client: str


@dataclass(slots=True)
class Uses:
    """The newest use of each session, by the hash of its token."""

    most: int = MOST
    _newest: OrderedDict[str, Use] = field(default_factory=OrderedDict)
    _kept: dict[str, datetime] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def note(self, sign_in: str, use: Use) -> None:
        """Somebody asked for something in a session."""
        with self._lock:
            self._newest[sign_in] = use
            self._newest.move_to_end(sign_in)
            while len(self._newest) > self.most:
                forgotten, _ = self._newest.popitem(last=False)
                self._kept.pop(forgotten, None)

    def of(self, sign_in: str) -> Use | None:
        """The newest one, where this server knows of any."""
        return self._newest.get(sign_in)

    def is_due(self, sign_in: str, now: datetime, *, began_at: datetime, each: timedelta) -> bool:
        """Whether the other servers are to be told: each time at most, and to one who asks."""
        with self._lock:
            if now - self._kept.get(sign_in, began_at) < each:
                return False
            self._kept[sign_in] = now
            return True
