"""The order of a list, and where a page of it goes on: by columns that an index serves.

The last column tells every row from another, so that no row is left out or told twice between two
pages. Where no index serves them, the table is small by nature, which its list says.
"""

from typing import Any, TypeVarTuple

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from batchqc.records.base import Row

Listed = TypeVarTuple("Listed")
Column = InstrumentedAttribute[Any]


def in_order(
    query: Select[*Listed], *columns: Column, behind: Row | None, is_back: bool
) -> Select[*Listed]:
    """The rows of a query from the first on or (``is_back``) from the last on.

    ``behind`` is the row with which the page before ended, of the table of the columns, or none.
    """
    if behind is not None:
        key, end = tuple_(*columns), tuple_(*(getattr(behind, one.key) for one in columns))
        query = query.where(key < end if is_back else key > end)
    return query.order_by(*(one.desc() if is_back else one for one in columns))
