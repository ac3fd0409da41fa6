"""Very many lives written from patterns: rows by the driver, bytes straight into the store."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from batchqc.actions.views import VIEWED
from batchqc.cli.simulate_cast import AUDITOR, SimulatedLot
from batchqc.cli.simulate_lived import SERIES, newest_ids
from batchqc.cli.simulate_pattern import DOCUMENT, LOG_ROOT, LOG_SIZE, Env, Pattern, Template
from batchqc.core.audit import Entry, link_body
from batchqc.core.canonical import canonical_bytes, utc_text
from batchqc.core.certificate_terms import words_of, words_said
from batchqc.core.certificates import CertificateContent
from batchqc.core.permissions import Role
from batchqc.records.audit import newest_link
from batchqc.records.bulk import insert_rows
from batchqc.records.events import newest_event
from batchqc.records.log import newest_checkpoint
from batchqc.records.people import Attempt, Person
from batchqc.records.schema import METADATA

_SERIES: Final = {kind.__tablename__: series for series, kind in SERIES.items()}
_ENTRY: Final = ("id", "sha256", "text", "who", "at", "what")
_LINK: Final = ("id", "sequence", "entry_sha256", "previous", "sha256")
_LINK_TEXT: Final = (
    canonical_bytes(link_body(0, "%(entry)s", "%(previous)s"))
    .decode()
    .replace(":0,", ":%(place)d,")
)
_SECOND: Final = timedelta(seconds=1)


@dataclass(slots=True)
class Counters:
    """The newest id and number of each kind, head of the chain, root and size of the log."""

    newest: dict[str, int]
    head: str
    log: tuple[str, int]

    @classmethod
    def read(cls, session: Session) -> "Counters":
        """As the records are."""
        found = {f"i:{table}": newest for table, newest in newest_ids(session).items()}
        for kind in SERIES.values():
            query = select(kind.year, func.max(kind.number)).group_by(kind.year)
            for of, number in session.execute(query):
                found[f"n:{kind.__tablename__}:{of}"] = number
        tried = (
            select(Person.user_id, func.max(Attempt.number)).join(Person).group_by(Person.user_id)
        )
        found |= {f"a:{who}": number for who, number in session.execute(tried)}
        link = newest_link(session)
        found |= {"q": link.sequence if link else 0, "e": newest_event(session)}
        newest = newest_checkpoint(session)
        log = (newest.checkpoint.root.hex(), newest.size) if newest else ("", 0)
        return cls(found, link.sha256 if link else "", log)

    def env(self, pattern: Pattern, year: int) -> Env:
        """The numbers that a life takes; they are taken."""
        found: Env = {
            "head": self.head, "#year": year, LOG_ROOT: self.log[0], LOG_SIZE: self.log[1],
        }  # fmt: skip
        for kind, many in pattern.counts.items():
            counted = f"{kind}:{year}" if kind.startswith("n:") else kind
            first = self.newest.get(counted, 0) + 1
            self.newest[counted] = first + many - 1
            shift = 1 if kind.startswith("i:") else 0  # ids count from 1 behind what was there
            for nth in range(many):
                found[f"#{kind}:{nth + shift}"] = first + nth
            name = kind[2:]
            if kind.startswith("n:"):
                for nth in range(many):
                    found[f"p:{_SERIES[name]}:{nth}"] = f"{_SERIES[name]}-{year}-{first + nth:06d}"
        return found


@lru_cache(maxsize=5_000)
def _words_of(text: str) -> tuple[str, ...]:
    """Nearly all that certificates say, all of them say."""
    return tuple(words_of(text))


def stand_in(one: SimulatedLot) -> bytes:
    """What lies in the store in place of a sealed document."""
    return f"Lot {one.lot} is simulated: no certificate was rendered or sealed for it.\n".encode()


def written(pattern: Pattern, env: Env, one: SimulatedLot, document: bytes) -> Env:
    """Every key of a life with its value."""
    env |= {DOCUMENT: hashlib.sha256(document).hexdigest(), f"#{DOCUMENT} size": len(document)}
    pattern.written(env, one)
    if pattern.content:
        env["words"] = words_said(json.loads(str(env[pattern.content])), _words_of)
    return env


def rows_of(
    pattern: Pattern, env: Env
) -> Iterator[tuple[str, tuple[str, ...], tuple[object, ...]]]:
    """Table, columns and values of each row."""
    for table, (columns, pickers) in pattern.rows.items():
        for pick in pickers:
            yield table, columns, pick(env)


@dataclass(slots=True)
class Copies:
    """Lives that are written together; ``store`` is the folder of the store.

    ``seal`` makes the document of a certificate, where it is not to be a line of text.
    """

    store: Path
    counters: Counters
    seal: Callable[[CertificateContent], bytes] | None = None
    rows: dict[tuple[str, tuple[str, ...]], list[tuple[object, ...]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, pattern: Pattern, one: SimulatedLot) -> None:
        """A life, by its pattern."""
        numbers, document = self.counters.env(pattern, one.begins.year), stand_in(one)
        env = written(pattern, dict(numbers), one, document)
        if self.seal and pattern.content:
            document = self.seal(json.loads(str(env[pattern.content])))
            env = written(pattern, numbers, one, document)
        self.counters.head = str(env[pattern.head])
        for table, columns, values in rows_of(pattern, env):
            self.rows[table, columns].append(values)
        for key in pattern.objects:
            self._keep(str(env["h" + key[1:]]), str(env[key]).encode())
        if pattern.content:
            self._keep(str(env[DOCUMENT]), document)

    def add_views(self, one: SimulatedLot, since: datetime, many: int) -> None:
        """An auditor asks for a lot, once a second."""
        template, newest = _view(since), self.counters.newest
        entries = self.rows["audit_entry", _ENTRY]
        links = self.rows["audit_link", _LINK]
        for nth in range(many):
            at = utc_text(since + nth * _SECOND)
            told = template.filled({"lot": one.lot, "at": at})
            sha256 = hashlib.sha256(told.encode()).hexdigest()
            for kind in ("i:audit_entry", "i:audit_link", "q"):
                newest[kind] += 1
            place, before = newest["q"], self.counters.head
            link = _LINK_TEXT % {"entry": sha256, "previous": before, "place": place}
            self.counters.head = hashlib.sha256(link.encode()).hexdigest()
            entries.append((newest["i:audit_entry"], sha256, told, AUDITOR, at, VIEWED))
            links.append((newest["i:audit_link"], place, sha256, before, self.counters.head))

    def write(self, connection: Connection) -> None:
        """Write what was added, and begin anew."""
        for table in METADATA.sorted_tables:
            for (name, columns), rows in self.rows.items():
                if name == table.name:
                    insert_rows(connection, table, columns, rows)
        self.rows.clear()

    def _keep(self, sha256: str, data: bytes) -> None:
        """As the store keeps it, but for waiting until it is on the disk."""
        path = self.store / sha256[:2] / sha256
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o444)


def go_on_counting(connection: Connection) -> None:
    """Let PostgreSQL give ids behind those that were written."""
    if connection.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        newest = connection.scalar(select(func.max(table.c.id)))
        if newest is not None:
            query = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :newest)")
            connection.execute(query, {"name": table.name, "newest": newest})


def _view(at: datetime) -> Template:
    """The entry of a request, with marks."""
    lot = "\ue000lot\ue001"
    entry = Entry(
        user_id=AUDITOR, role=Role.AUDITOR.value, at=at, offset_minutes=0, action=VIEWED, reason="",
        subjects=(), before={}, records={},
        after={
            "request": f"GET /api/v1/lots/{lot}",
            "route": "GET /api/v1/lots/{lot}",
            "records": {"lot": lot},
        },
    )  # fmt: skip
    return Template.of(entry.text.replace(utc_text(at), "\ue000at\ue001"))
