"""What the acts of one life have written: its rows, and the bytes in the store."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import ClassVar, Final, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from batchqc.actions.run_facts import reviewed_runs
from batchqc.cli.simulate_cast import SITE
from batchqc.core.audit import link_body
from batchqc.core.canonical import Json, canonical_bytes, utc_text
from batchqc.documents.archive import Archive
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.base import Numbered, Row
from batchqc.records.decisions import Certificate
from batchqc.records.donors import EligibilityRow
from batchqc.records.investigations import InvestigationRow
from batchqc.records.log import CheckpointRow
from batchqc.records.lot_reviews import LotReview
from batchqc.records.people import Person
from batchqc.records.schema import METADATA, WITNESSED
from batchqc.records.signatures import SignatureRow
from batchqc.records.uploads import (
    AssayRun,
    Review,
    Upload,
    measurement_content,
    measurements_of,
)

CHECKPOINT: Final = "checkpoint of the log signed"
_OF_THE_LOG: Final = {"checkpoint", "log_subtree", "log_key", "checkpoint_timestamp"}
#: What public numbers begin with, and whose they are.
SERIES: Final[dict[str, type[Numbered]]] = {
    "U": Upload, "S": SignatureRow, "OOS": InvestigationRow, SITE.series: Certificate,
}  # fmt: skip
Rows = dict[str, list[dict[str, object]]]
_Row = TypeVar("_Row", bound=Row)


def newest_ids(session: Session) -> dict[str, int]:
    """The largest id of each table."""
    return {
        table.name: session.scalar(select(func.max(table.c.id))) or 0
        for table in METADATA.sorted_tables
    }


@dataclass
class Lived:
    """One life: every row after ``before``, without those of the log, and every new object.

    ``log`` are root and size of the newest checkpoint before it.
    ``hashed`` are the texts under the hashes; of a row's content its table and id.
    """

    before: Mapping[str, int]
    rows: Rows
    objects: dict[str, bytes]
    people: dict[int, str]
    log: tuple[str, int]
    hashed: list[tuple[str, str, int]]

    PLACES: ClassVar[set[tuple[str, str]]] = {
        ("audit_link", "sequence"), ("event", "sequence"),
        ("audit_review", "first"), ("audit_review", "last"),
    }  # fmt: skip

    @classmethod
    def read(
        cls, session: Session, archive: Archive, before: Mapping[str, int], stored: set[str]
    ) -> "Lived":
        """Read back what was written after ``before`` and beside what was ``stored``."""
        rows: Rows = {}
        for table in METADATA.sorted_tables:
            query = select(table).where(table.c.id > before[table.name]).order_by(table.c.id)
            found = [_as_stored(dict(row)) for row in session.execute(query).mappings()]
            if found and table.name not in _OF_THE_LOG:
                rows[table.name] = found
        _without_checkpoint(rows)
        people = {row.id: row.user_id for row in session.scalars(select(Person))}
        new = {sha: archive.get(sha) for sha in set(archive.names()) - stored}
        newest = session.get(CheckpointRow, before["checkpoint"])
        log = (newest.checkpoint.root.hex(), newest.size) if newest else ("", 0)
        return cls(before, rows, new, people, log, list(_hashed(session, archive, before)))

    @cached_property
    def document(self) -> str:
        """The hash of the sealed document, or ""."""
        issues = self.rows.get("certificate_issue", [])
        return str(issues[0]["document_sha"]) if issues else ""

    @property
    def first_sequence(self) -> int:
        """Of its first entry."""
        return int(str(self.rows["audit_link"][0]["sequence"]))

    @property
    def last_sequence(self) -> int:
        """Of its last entry."""
        return int(str(self.rows["audit_link"][-1]["sequence"]))

    @property
    def first_event(self) -> int:
        """The number of its first event."""
        return int(str(self.rows["event"][0]["number"]))

    def first_attempts(self) -> dict[str, int]:
        """The number of each person's first attempt in it."""
        found: dict[str, int] = {}
        for row in self.rows.get("attempt", ()):
            found.setdefault(self.people[int(str(row["person_id"]))], int(str(row["number"])))
        return found

    def many(self, table: str) -> int:
        """How many rows of a table."""
        return len(self.rows.get(table, ()))

    def counts(self) -> dict[str, int]:
        """How many ids and numbers of each kind it takes."""
        found = {f"i:{table}": len(rows) for table, rows in self.rows.items()}
        found |= {
            f"n:{kind.__tablename__}": self.many(kind.__tablename__) for kind in SERIES.values()
        }
        for row in self.rows.get("attempt", ()):
            key = f"a:{self.people[int(str(row['person_id']))]}"
            found[key] = found.get(key, 0) + 1
        return found | {"q": self.many("audit_link"), "e": self.many("event")}

    @staticmethod
    def referred(table: str, column: str) -> str:
        """The table that a column refers to, or ""."""
        return next(
            (one.column.table.name for one in METADATA.tables[table].c[column].foreign_keys), ""
        )

    def texts(self) -> dict[str, tuple[str, Mapping[str, object] | None, str]]:
        """Every text by its hash; of a row's content the row as stored, and its table."""
        found: dict[str, tuple[str, Mapping[str, object] | None, str]] = {}
        for sha, data in self.objects.items():
            if sha != self.document:
                found[sha] = (data.decode(), None, "")
        for text, table, number in self.hashed:
            rows = [row for row in self.rows.get(table, ()) if row["id"] == number]
            sha = hashlib.sha256(text.encode()).hexdigest()
            found[sha] = (text, rows[0] if rows else None, table)
        return found


def _as_stored(row: dict[str, object]) -> dict[str, object]:
    """Values as the driver stores them: moments as text."""
    return {
        name: utc_text(value) if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _without_checkpoint(rows: Rows) -> None:
    """Leave out what a checkpoint wrote; checkpoints are signed apart."""
    entries = [row for row in rows["audit_entry"] if row["what"] == CHECKPOINT]
    ids, hashes = {row["id"] for row in entries}, {row["sha256"] for row in entries}
    for table, column, gone in (
        ("audit_entry", "id", ids), ("audit_subject", "entry_id", ids),
        ("audit_link", "entry_sha256", hashes), ("event", "entry_sha256", hashes),
    ):  # fmt: skip
        rows[table] = [row for row in rows[table] if row[column] not in gone]


def _hashed(
    session: Session, archive: Archive, before: Mapping[str, int]
) -> Iterable[tuple[str, str, int]]:
    """Every text under a hash that the rows of a life hold; of a row's content table and id."""
    for table in WITNESSED:
        kind = table.__tablename__
        for row in session.scalars(select(table).where(table.id > before[kind])):
            content: dict[str, Json] = {"type": f"batchqc/row/{kind}/1", **row.content()}
            yield _text(content), kind, row.id
    for body in (*_signed(session, archive, before), *_chained(session, before)):
        yield _text(body), "", 0


def _signed(session: Session, archive: Archive, before: Mapping[str, int]) -> Iterable[Json]:
    """What signatures are, and what they bind."""
    yield from (one.signing.body for one in session.scalars(_new(SignatureRow, before)))
    yield from (one.signed_content for one in session.scalars(_new(EligibilityRow, before)))
    reviews = session.scalars(_new(Review, before)).all()
    for number in {one.signature_id for one in reviews}:
        yield reviewed_runs(one.assay_run for one in reviews if one.signature_id == number)
    for review in session.scalars(_new(LotReview, before)):
        content = json.loads(archive.get(review.content_sha))
        del content["exceptions"]  # what is left is its basis
        yield content


def _chained(session: Session, before: Mapping[str, int]) -> Iterable[Json]:
    """Measurements of runs, entries, and the chain over them."""
    for run in session.scalars(_new(AssayRun, before)):
        yield measurement_content(measurements_of(session, [run]))
    for link in session.scalars(_new(AuditLink, before)):
        yield link_body(link.sequence, link.entry_sha256, link.previous)
    yield from (json.loads(one.text) for one in session.scalars(_new(AuditEntry, before)))


def _new(table: type[_Row], before: Mapping[str, int]) -> Select[_Row]:
    return select(table).where(table.id > before[table.__tablename__]).order_by(table.id)


def _text(content: Json) -> str:
    return canonical_bytes(content).decode()
