"""Shapes that several nouns share: pages of lists, and the address parameters for them."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select
from sqlalchemy.orm import Session

from batchqc.api.sent import COUNTED
from batchqc.errors import InvalidInput
from batchqc.records.base import Row

Item = TypeVar("Item", bound=BaseModel)
Found = TypeVar("Found", bound=Row)
Listed = TypeVar("Listed")

LARGEST: Final = 2**31 - 1  # the largest whole number that both databases compare
#: Which of them make sense, the action says.
Whole = Annotated[int, Field(ge=-LARGEST, le=LARGEST), COUNTED]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at the most.")]
After = Annotated[str, Query(description="`next` of the page before; empty for the first.")]


class Paging(BaseModel):
    """The parameters of a list with filters; a filter that there is not is refused."""

    model_config = ConfigDict(extra="forbid")

    after: str = Field(default="", description="`next` of the page before; empty for the first.")
    limit: int = Field(default=50, ge=1, le=200, description="How many at the most.")


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(description="Give it as `after` for the next page; null at the end.")


def page(
    session: Session,
    query: Select[Found],
    kind: type[Found],
    *,
    after: Found | None,
    limit: int,
    show: Callable[[Found], Item],
) -> Page[Item]:
    """One page of a query, in the order in which the rows were written."""

    def each(rows: Sequence[Found]) -> list[Item]:
        return [show(row) for row in rows]

    return page_together(session, query, kind, after=after, limit=limit, show=each)


def page_together(
    session: Session,
    query: Select[Found],
    kind: type[Found],
    *,
    after: Found | None,
    limit: int,
    show: Callable[[Sequence[Found]], list[Item]],
) -> Page[Item]:
    """The same, where what is shown of its rows is read for all of them at once."""
    if after is not None:
        query = query.where(kind.id > after.id)
    rows: Sequence[Found] = session.scalars(query.order_by(kind.id).limit(limit + 1)).all()
    shown = rows[:limit]
    more = shown[-1].natural_key if len(rows) > limit else None
    return Page(items=show(shown), next=more)


def rest_of(rows: Sequence[Listed], names: Sequence[str], after: str) -> list[Listed]:
    """What stands behind the row with which a page ended; ``names`` are those of the rows.

    Raises:
        InvalidInput: there is none of this name.
    """
    if after and after not in names:
        raise not_next(after)
    return list(rows[names.index(after) + 1 if after else 0 :])


def number_of(after: str) -> int:
    """The number with which a page ended; 0 before the first.

    Raises:
        InvalidInput: it is none.
    """
    if after and not (after.isdecimal() and after.isascii() and len(after) < 10):
        raise not_next(after)
    return int(after or 0)


def not_next(after: str) -> InvalidInput:
    """No page ended with this."""
    return InvalidInput("BQC-API-007", f'"{after}" is not the `next` of a page')


def row_of(session: Session, query: Select[Found], name: str) -> Found:
    """The row with which a page ended.

    Raises:
        InvalidInput: there is none.
    """
    row = session.scalar(query)
    if row is None:
        raise not_next(name)
    return row


def id_and_version(text: str) -> tuple[str, int] | None:
    """Id and number of a version written as ``UC-MSC-REL/2``, or ``None``."""
    specification, _, version = text.rpartition("/")
    is_number = version.isdecimal() and len(version) < len(str(LARGEST))
    return (specification, int(version)) if is_number else None
