"""Very many certificates without their history: their rows, and what the index holds of them.

They are put there as the owner of a database can, with references unchecked: signatures and
people do not exist. What each one is, is told beside it, so that a search can be compared with it.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from sqlalchemy import Engine, Table, text

from batchqc.core.canonical import utc_text
from batchqc.core.certificate_terms import Kind, Term, words_of
from batchqc.records.base import Instant
from batchqc.records.schema import METADATA

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
PRODUCTS = 20
COMMON = "certificate of analysis viability post thaw identity purity potency decision rule " + (
    " ".join(f"commonword{number:03}" for number in range(180))
)
SIGNERS = ("anh.nguyen", "bao.tran", "chi.pham", "dung.le", "em.ngo", "giang.do")
ANALYTES = ("viability", "cd73", "cd90", "cd105", "negative_panel", "kynurenine", "endotoxin",
            "growth_14d", "mycoplasma")  # fmt: skip
_BATCH = 2000
_GUARDS = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'certificate%_no_replace'"


@dataclass(frozen=True, slots=True)
class Made:
    """A certificate that was put there."""

    id: int
    terms: frozenset[Term]
    words: frozenset[str]
    status: str
    superseded: bool
    reserved_at: datetime


def is_newest(number: int) -> bool:
    """Whether none supersedes the ``number``-th certificate, where another one follows."""
    return number % 50 != 49


def made(number: int, of: int) -> Made:
    """The ``number``-th certificate, from 1; of every 50 one is superseded, the last is pending."""
    product = f"p-{number % PRODUCTS:02}"
    terms = {
        Term(Kind.LOT, lot_of(number).lower()),
        Term(Kind.PRODUCT, product),
        Term(Kind.DONOR, f"dnr-{number // 4:06}"),
        Term(Kind.DISPOSITION, "rejected" if number % 400 == 7 else "released"),
        *(Term(Kind.SIGNER, SIGNERS[(number + step) % len(SIGNERS)]) for step in range(2)),
        *(Term(Kind.ANALYTE, one) for one in ANALYTES),
        *([Term(Kind.ANALYTE, "karyotype")] if number % 700 == 3 else []),
    }
    said = f"{COMMON} {lot_of(number)} {product} dnr {number // 4:06} value{number * 7919 % 9973}"
    superseded = not is_newest(number) and number < of
    return Made(
        number,
        frozenset(terms),
        frozenset(words_of(said)),
        "pending" if number == of else "issued",
        superseded,
        SINCE + timedelta(minutes=20 * number),
    )


def lot_of(number: int) -> str:
    return f"MSC-{number:06}"


def fill(
    engine: Engine,
    many: int,
    *,
    issued: bool = True,
    content_sha: Callable[[int], str] = lambda _: "",
) -> None:
    """Put the certificates into a migrated database without rows.

    Args:
        engine: of the database.
        many: how many.
        issued: whether all but the last have documents, else none has.
        content_sha: the hash of the content of each.
    """
    with _unchecked(engine) as put:
        put("site", [{"id": 1, "series": "COA", "time_zone": "UTC"}])
        codes = [f"P-{number:02}" for number in range(PRODUCTS)]
        put(
            "product",
            [{"id": n, "code": one, "folded": one.lower()} for n, one in enumerate(codes, 1)],
        )
        for first in range(1, many + 1, _BATCH):
            some = [
                made(number, many) for number in range(first, min(many, first + _BATCH - 1) + 1)
            ]
            for table, rows in _rows(some, content_sha):
                if issued or table != "certificate_issue":
                    put(table, rows)


def _rows(
    some: list[Made], content_sha: Callable[[int], str]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    yield "lot", [
        {
            "id": one.id, "site_id": 1, "product_id": one.id % PRODUCTS + 1, "lot": lot_of(one.id),
            "folded": lot_of(one.id).lower(),
        }
        for one in some
    ]  # fmt: skip
    disposed = {
        one.id: term.value for one in some for term in one.terms if term.kind == "disposition"
    }
    yield (
        "disposition",
        [
            {"id": one.id, "lot_id": one.id, "number": 1, "disposition": disposed[one.id]}
            for one in some
        ],
    )
    yield "certificate", [
        {
            "id": one.id, "site_id": 1, "year": 2026, "number": one.id, "lot_id": one.id,
            "disposition_id": one.id, "reserved_at": utc_text(one.reserved_at),
            "content_sha": content_sha(one.id),
            "supersedes_id": one.id - 1 if one.id % 50 == 0 else None,
        }
        for one in some
    ]  # fmt: skip
    yield (
        "certificate_issue",
        [
            {"certificate_id": one.id, "document_sha": f"{one.id:064x}"}
            for one in some
            if one.status == "issued"
        ],
    )
    yield (
        "certificate_term",
        [
            {"certificate_id": one.id, "kind": str(kind), "value": value}
            for one in some
            for kind, value in one.terms
        ],
    )
    yield (
        "certificate_text",
        [{"certificate_id": one.id, "words": " ".join(sorted(one.words))} for one in some],
    )


class _unchecked:  # noqa: N801 - reads as a function where it is used
    """A connection on which rows of tables are put, what they refer to unchecked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        if self._engine.dialect.name == "sqlite":
            self._own: Any = sqlite3.connect(str(self._engine.url.database))
            self._own.execute("PRAGMA synchronous=OFF")
            self._own.execute("PRAGMA cache_size=-200000")
            self._guards = self._own.execute(_GUARDS).fetchall()
            for name, _ in self._guards:
                self._own.execute(f"DROP TRIGGER {name}")
        else:
            self._connection = self._engine.connect()
            self._connection.execute(text("SET session_replication_role = replica"))
            self._own = self._connection.connection.driver_connection
        return self

    def __call__(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        columns = [one for one in METADATA.tables[table].columns if one.name != "id"]
        found = list(rows)
        names = [*(["id"] if found and "id" in found[0] else []), *(one.name for one in columns)]
        values = [
            tuple(_value(row, METADATA.tables[table], name) for name in names) for row in found
        ]
        into = f"{table} ({', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)})"
        if self._engine.dialect.name == "sqlite":
            marks = ", ".join("?" * len(names))
            self._own.executemany(f"INSERT INTO {into} VALUES ({marks})", values)  # noqa: S608
            return
        with self._own.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for one in values:
                copy.write_row(one)

    def __exit__(self, *failed: object) -> None:
        if self._engine.dialect.name == "sqlite":
            for _, guard in self._guards:
                self._own.execute(guard)
            self._own.commit()
            self._own.execute("ANALYZE")
            self._own.close()
            return
        self._own.commit()
        self._connection.execute(text("SET session_replication_role = DEFAULT"))
        self._connection.execute(text("ANALYZE"))
        self._connection.commit()
        self._connection.close()


def _value(row: dict[str, Any], table: Table, name: str) -> Any:
    """What a row says of a column; where it says nothing, nothing of the column's kind."""
    if name in row:
        return row[name]
    column = table.columns[name]
    if column.nullable:
        return None
    if isinstance(column.type, Instant):
        return utc_text(SINCE)
    return 1 if column.foreign_keys else 0 if column.type.compile() == "INTEGER" else ""
