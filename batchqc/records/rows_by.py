"""The rows of a table by the values of one column: a statement is made once, and asked often."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import set_committed_value

from batchqc.records.absent import there
from batchqc.records.among import among
from batchqc.records.base import Row

Found = TypeVar("Found", bound=Row)
Column = InstrumentedAttribute[Any]


def rows_by(
    session: Session, kind: type[Found], column: Column, values: Iterable[object], *order: Column
) -> Sequence[Found]:
    """The rows whose column is one of some values, in an order, by their ids where it names none.

    Nothing is asked where there is no value, or none of which anything is on record.
    """
    wanted = there(session, column, values)
    if not wanted:
        return []
    if len(wanted) == 1:
        return session.scalars(_query(kind, column, order, is_one=True), {"value": wanted[0]}).all()
    return session.scalars(_query(kind, column, order), {"values": wanted}).all()


def load_their(session: Session, rows: Iterable[Row | None], reference: Column) -> None:
    """Load what rows refer to by one statement for all: none of them asks by itself then.

    What the session has read already is not asked for again; rows do not change. What somebody
    removed is ``None``, as where it is asked for one by one.
    """
    mapper, name = reference.property.mapper, f"{reference.key}_id"
    refers = {row: getattr(row, name) for row in rows if row is not None}
    keys = {one: mapper.identity_key_from_primary_key((one,)) for one in refers.values()}
    found = {one: row for one, key in keys.items() if (row := session.identity_map.get(key))}
    kind = mapper.class_
    asked = [one for one in keys if one not in found]
    found |= {one.id: one for one in rows_by(session, kind, kind.id, asked)}
    for row, other in refers.items():
        set_committed_value(row, reference.key, found.get(other))


@cache
def _query(
    kind: type[Row], column: Column, order: tuple[Column, ...], *, is_one: bool = False
) -> Select[Any]:
    """A single value is compared, which costs less than a list of one."""
    fits = column == bindparam("value") if is_one else among(column, "values")
    return select(kind).where(fits).order_by(*(order or (kind.id,)))
