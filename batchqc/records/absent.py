"""Of which records nothing is on record: asked of many tables by one statement.

Most tables say nothing of most lots. Who is about to look at all of them asks first in which there
is anything; the others are not asked until the look ends, as what is marked ``once`` is not.
Some tables are empty at most sites, or at a young one: these are not asked for anything then.
"""

from collections.abc import Container, Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.records.among import among
from batchqc.records.base import Row
from batchqc.records.once import remembered

Column = InstrumentedAttribute[Any]
Value = TypeVar("Value")
_ABSENT: Final = "absent"


def look_for(
    session: Session, wanted: Mapping[Column, Iterable[object]], tables: Iterable[type[Row]] = ()
) -> None:
    """Remember which columns hold none of some values, and which tables nothing at all.

    Without a look, do nothing.
    """
    answers, whole = remembered(session), tuple(tables)
    given = {column: list(values) for column, values in wanted.items()}
    columns = tuple(column for column, values in given.items() if values)
    if answers is None or not (columns or whole):
        return
    asked = {f"of_{number}": given[column] for number, column in enumerate(columns)}
    absent = answers.setdefault(_ABSENT, set())
    found = session.execute(_query(columns, whole), asked).one()
    for column, is_there in zip(columns, found[: len(columns)], strict=True):
        if not is_there:
            absent |= {(column, value) for value in given[column]}
    absent |= {
        one for one, is_there in zip(whole, found[len(columns) :], strict=True) if not is_there
    }


def there(session: Session, column: Column, values: Iterable[Value]) -> list[Value]:
    """The values, each once, but those of which is known that the column holds them nowhere."""
    if is_empty(session, column.class_):
        return []
    absent = _absent(session)
    return [one for one in dict.fromkeys(values) if (column, one) not in absent]


def is_empty(session: Session, table: object) -> bool:
    """Whether it is known that a table holds nothing."""
    return table in _absent(session)


def _absent(session: Session) -> Container[object]:
    found: Container[object] = (remembered(session) or {}).get(_ABSENT, ())
    return found


@cache
def _query(columns: tuple[Column, ...], tables: tuple[type[Row], ...]) -> Select[*tuple[Any, ...]]:
    return select(
        *(exists().where(among(column, f"of_{number}")) for number, column in enumerate(columns)),
        *(exists().select_from(table) for table in tables),
    )
