"""What of rows no hash of theirs holds: in which order they stand, and how moments are spelt.

What holds now is folded from rows in the order of their ids, and an entry names no id: who swaps
two corrections makes the older one count. Moments are compared as text by who searches, and one
that is spelt otherwise is the same moment to whoever reads it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache, reduce
from itertools import pairwise
from operator import add, attrgetter
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Table,
    Text,
    UniqueConstraint,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from batchqc.records.base import Instant, Row
from batchqc.records.schema import METADATA, WITNESSED
from batchqc.records.uploads import AssayRun, MeasurementRow

_MOVED: Final = "{} does not stand where its number says: ids were changed"
#: What stands where in a moment, such as 2026-06-01T12:00:00.000000Z.
_SPELT: Final = {5: "-", 8: "-", 11: "T", 14: ":", 17: ":", 20: ".", 27: "Z"}


def row_check_problems(session: Session) -> Iterator[str]:
    """What is wrong, in words."""
    for kind in WITNESSED:
        moved = _moved(kind)
        for one in session.scalars(moved).all() if moved is not None else ():
            yield _MOVED.format(session.get_one(kind, one).key)
    yield from _misdated(session)


@cache
def _moved(kind: type[Row]) -> Select[int] | None:
    """What asks a table for rows out of their order, built once; ``None`` where there is none."""
    series = _series(kind)
    if series is None:
        return None
    columns: Any = kind.__table__.columns
    last = func.lag(columns.number).over(
        partition_by=[columns[one] for one in series], order_by=columns.id
    )
    placed = select(columns.id, columns.number, last.label("last")).subquery()
    return select(placed.c.id).where(placed.c.last >= placed.c.number).order_by(placed.c.id)


def misplaced(rows: Iterable[Row]) -> Iterator[str]:
    """Which of some rows stand in another order than their numbers, in words."""
    found: dict[object, list[Any]] = {}
    for row in rows:
        series = _series(type(row))
        if series is not None:
            found.setdefault((type(row), *(getattr(row, one) for one in series)), []).append(row)
    for some in found.values():
        for one, other in pairwise(sorted(some, key=attrgetter("id"))):
            if one.number >= other.number:
                yield _MOVED.format(other.key)


@cache
def _series(kind: type[Row]) -> tuple[str, ...] | None:
    """Within what the rows of a table are numbered as they come; ``None`` where they are not."""
    table: Any = kind.__table__
    for one in table.constraints:
        if isinstance(one, UniqueConstraint) and "number" in one.columns:
            return tuple(column.name for column in one.columns if column.name != "number")
    return None


def misspelt(session: Session) -> Iterator[str]:
    """Which rows hold a moment that is not spelt as moments are, or is none."""
    for table, _ in _with_moments():
        for one in session.scalars(_wrongly_spelt(table)):
            yield f"a moment in {table.name} #{one} is spelt in another way: searches can miss it"


def unreadable(session: Session) -> Iterator[str]:
    """Which rows hold a moment that is spelt as moments are and never was, as of a month 13."""
    for table, moments in _with_moments():
        texts = (type_coerce(one, Text) for one in moments)
        rows = session.execute(select(table.c.id, *texts).order_by(table.c.id))
        for number, *said in rows.yield_per(1000):
            if not all(one is None or _is_read(one) for one in said):
                yield f"a moment in {table.name} #{number} never was: nobody can read it"


def _with_moments() -> Iterator[tuple[Table, tuple[Column[Any], ...]]]:
    for _, table in sorted(METADATA.tables.items()):
        if moments := _moments_of(table):
            yield table, moments


@cache
def _moments_of(table: Table) -> tuple[Column[Any], ...]:
    return tuple(one for one in table.columns if isinstance(one.type, Instant))


@cache
def _wrongly_spelt(table: Table) -> Select[int]:
    """What asks a table for such rows, built once."""
    wrong = or_(*map(_is_misspelt, _moments_of(table)))
    return select(table.c.id).where(wrong).order_by(table.c.id)


def _is_read(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_misspelt(column: Column[Any]) -> ColumnElement[bool]:
    """The signs of all places at once; nobody builds a condition for each."""
    text = type_coerce(column, Text)
    signs = reduce(add, (func.substr(text, place, 1, type_=Text) for place in _SPELT))
    return or_(func.length(text) != max(_SPELT), signs != "".join(_SPELT.values()))


def _misdated(session: Session) -> Iterator[str]:
    """The moment of a measurement, by which it is sorted, is that of its text."""
    run = MeasurementRow.assay_run_id
    query = select(run, MeasurementRow.measured_text, MeasurementRow.measured_at).distinct()
    rows = session.execute(query.execution_options(yield_per=1000))
    for number in sorted({one for one, said, at in rows if not _is_moment(said, at)}):
        yield f"results of {session.get_one(AssayRun, number).key} are sorted by another moment"


def _is_moment(said: str, at: datetime) -> bool:
    try:
        return datetime.fromisoformat(said) == at
    except (ValueError, TypeError):
        return True  # told with the measurements of the run
