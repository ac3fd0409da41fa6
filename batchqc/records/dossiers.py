"""The rows of a lot dossier: what belongs to a lot, and all that these refer to.

A row is carried as the canonical bytes that its audit entry holds the hash of: its columns without
surrogate ids, references by the key of what they refer to.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Column, func, inspect, select
from sqlalchemy.orm import Session

from batchqc.core.canonical import Json, canonical_bytes
from batchqc.records.base import Instant, Row
from batchqc.records.components import (
    AuthenticatorChange,
    LinkChange,
    ProofUse,
    ProviderReturn,
    ProviderVisit,
)
from batchqc.records.decisions import Answer
from batchqc.records.events import Delivery, Webhook, WebhookEnd
from batchqc.records.imports import DossierImport
from batchqc.records.log import CheckpointRow, CheckpointTimestamp, LogKeyRow
from batchqc.records.people import Attempt, Password, SignIn, SignOut
from batchqc.records.registers import LotRow, LotSpecification
from batchqc.records.schema import METADATA, WITNESSED
from batchqc.records.uploads import AssayRun, MeasurementRow

_AT_ONCE: Final = 500
#: What opens accounts or signs, and what is of this instance alone: it never leaves in a dossier.
STAYS: Final = frozenset(
    {
        Password, SignIn, SignOut, Attempt, AuthenticatorChange, LinkChange, ProviderVisit,
        ProviderReturn, ProofUse, Answer, Webhook, WebhookEnd, Delivery, LogKeyRow, CheckpointRow,
        CheckpointTimestamp, DossierImport,
    }
)  # fmt: skip
_ALL: Final[tuple[type[Row], ...]] = (*WITNESSED, MeasurementRow)
_CARRIED: Final = tuple(one for one in _ALL if one not in STAYS)
_CLASSES: Final[Mapping[str, type[Row]]] = {one.__tablename__: one for one in _CARRIED}
_ORDER: Final = {table.name: place for place, table in enumerate(METADATA.sorted_tables)}


def belonging_to(session: Session, lot: LotRow, also: Iterable[Row]) -> list[Row]:
    """Everything that belongs to a lot, and what it refers to, in an order to add them in.

    Args:
        session: only read.
        lot: whose.
        also: further rows that a decision on it rests on.
    """
    found: dict[tuple[str, int], Row] = {}
    own = _take(found, [lot])
    while own:
        uploads = [one.upload for one in own if isinstance(one, AssayRun)]
        own = _take(found, [*uploads, *_children(session, own)])
    _take(found, (one for one in also if type(one) in _CARRIED))
    while above := _take(found, (one for row in found.values() for one in _above(row))):
        siblings = [one.id for one in above if isinstance(one, LotRow)]
        query = select(LotSpecification).where(LotSpecification.lot_id.in_(siblings))
        _take(found, session.scalars(query))
    return sorted(found.values(), key=lambda row: (_ORDER[row.__tablename__], row.id))


def as_line(row: Row) -> bytes:
    """The canonical bytes of a row, whose SHA-256 its audit entry holds."""
    return canonical_bytes({"type": f"batchqc/row/{row.__tablename__}/1", **row.content()})


def row_of(content: Mapping[str, Json], known: Mapping[str, Row]) -> Row:
    """A new row of its content; ``known`` are those that it may refer to, by key.

    Raises:
        ValueError: it is of no table, has other columns, or refers to what is not known.
    """
    kind = str(content["type"]).removeprefix("batchqc/row/").removesuffix("/1")
    table = _CLASSES.get(kind)
    if table is None:
        raise ValueError(f"there is no table {kind} here")
    columns = _columns(table)
    unknown = content.keys() - columns.keys() - {"type"}
    if unknown:
        raise ValueError(f"{kind} has no {', '.join(sorted(unknown))} here")
    given = {name: one for name, one in content.items() if name != "type"}
    return table(**{name: _value(columns[name], one, known) for name, one in given.items()})


def values_of(row: Row) -> dict[str, Any]:
    """The columns of a row that was made here, as a statement takes them."""
    values = {}
    for name, column in _columns(type(row)).items():
        value = getattr(row, name)
        refers = bool(column.foreign_keys)
        later = "" if value is None and column.info.get("later") else value
        values[column.name] = value.id if refers and value is not None else later
    return values


def occupied(session: Session) -> list[str]:
    """The tables that hold a row."""
    return [
        name
        for name, table in METADATA.tables.items()
        if session.scalar(select(func.count()).select_from(table))
    ]


def _take(found: dict[tuple[str, int], Row], rows: Iterable[Row]) -> list[Row]:
    """Those of some rows that are new, once they are among what was found."""
    new = []
    for row in list(rows):
        key = (row.__tablename__, row.id)
        if key not in found:
            found[key] = row
            new.append(row)
    return new


def _children(session: Session, owners: Sequence[Row]) -> Iterator[Row]:
    """What refers to some rows that belong to a lot."""
    ids: dict[str, list[int]] = {}
    for one in owners:
        ids.setdefault(one.__tablename__, []).append(one.id)
    for table in _CARRIED:
        for column in inspect(table).columns:
            for key in column.foreign_keys:
                own = ids.get(key.column.table.name, [])
                for at in range(0, len(own), _AT_ONCE):
                    yield from session.scalars(
                        select(table).where(column.in_(own[at : at + _AT_ONCE]))
                    )


def _above(row: Row) -> Iterator[Row]:
    """What a row refers to."""
    for name, column in _columns(type(row)).items():
        if column.foreign_keys and (one := getattr(row, name)) is not None:
            yield one


@cache
def _columns(table: type[Row]) -> dict[str, Column[Any]]:
    """The columns of a row's content, by their names in it."""
    return {
        column.key.removesuffix("_id") if column.foreign_keys else column.key: column
        for column in inspect(table).columns
        if column.key != "id"
    }


def _value(column: Column[Any], value: Json, known: Mapping[str, Row]) -> object:
    if column.foreign_keys and value is not None:
        if value not in known:
            raise ValueError(f"{value} is referred to, and is not there")
        return known[str(value)]
    if isinstance(column.type, Instant) and value is not None:
        return datetime.fromisoformat(str(value))
    return value
