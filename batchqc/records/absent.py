"""Of which records nothing is on record: asked of many tables by one statement.

Most tables say nothing of most lots. Who is about to look at all of them asks first in which there
is anything; the others are not asked until the look ends, as what is marked ``once`` is not.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.records.once import remembered

Column = InstrumentedAttribute[Any]
Value = TypeVar("Value")
_ABSENT: Final = "absent"


def look_for(session: Session, wanted: Mapping[Column, Iterable[object]]) -> None:
    """Remember which columns hold none of some values; without a look, do nothing."""
    answers = remembered(session)
    given = {column: list(values) for column, values in wanted.items()}
    columns = tuple(column for column, values in given.items() if values)
    if answers is None or not columns:
        return
    asked = {f"of_{number}": given[column] for number, column in enumerate(columns)}
    absent = answers.setdefault(_ABSENT, set())
    for column, is_there in zip(
        columns, session.execute(_query(columns), asked).one(), strict=True
    ):
        if not is_there:
            absent |= {(column, value) for value in given[column]}


def there(session: Session, column: Column, values: Iterable[Value]) -> list[Value]:
    """The values, each once, but those of which is known that the column holds them nowhere."""
    wanted = list(dict.fromkeys(values))
    absent = (remembered(session) or {}).get(_ABSENT, ())
    return [one for one in wanted if (column, one) not in absent]


@cache
def _query(columns: tuple[Column, ...]) -> Select[*tuple[Any, ...]]:
    return select(
        *(
            exists().where(column.in_(bindparam(f"of_{number}", expanding=True)))
            for number, column in enumerate(columns)
        )
    )
