"""What all rows share: how they are named, and what of them an audit entry witnesses.

Every table is append-only; what holds now is folded from its rows. Columns are text or integers:
text is the record, so that digits, zones and spellings come back as they went in.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from sqlalchemy import (
    BindParameter,
    ForeignKey,
    Index,
    Text,
    TypeDecorator,
    bindparam,
    inspect,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from batchqc.core.canonical import Json, sha256_of, utc_text

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


Value = TypeVar("Value")
_MANY: Final = 1024
AUDITED: Final = {"audited": True}  # on a bulk statement: its rows' common hash is in an entry


class Instant(TypeDecorator[datetime]):
    """A moment, stored as RFC 3339 text in UTC with six digits; sorts as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: "Dialect") -> str | None:  # noqa: ARG002
        """To text; a moment without a zone is refused."""
        return None if value is None else utc_text(value)

    def process_result_value(self, value: str | None, dialect: "Dialect") -> datetime | None:  # noqa: ARG002
        """From text."""
        return None if value is None else datetime.fromisoformat(value)


class Row(DeclarativeBase):
    """A regulated row: it has a natural key, and an audit entry holds the hash of its content."""

    type_annotation_map: ClassVar = {str: Text, datetime: Instant}

    id: Mapped[int] = mapped_column(primary_key=True)

    @property
    def natural_key(self) -> str:
        """What people and records call the row; never the surrogate id."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """The natural key with the kind of record before it, such as ``lot:UCM-P1-T1``.

        Where somebody removed what the key is made of, the surrogate id stands in for it: such a
        row can still be named, and its content has another hash than its audit entry says.
        """
        try:
            return f"{self.__tablename__}:{self.natural_key}"
        except AttributeError:
            return f"{self.__tablename__}:#{self.id}"

    def content(self) -> dict[str, Json]:
        """Every column but the surrogate id; references by the key of what they refer to.

        A column that was added later is left out where it says nothing, so that rows of before
        keep the hash that their audit entry holds.
        """
        content: dict[str, Json] = {}
        loaded = self.__dict__
        for name, refers, is_later in _members(type(self)):
            value = loaded[name] if name in loaded else getattr(self, name)
            if is_later and not value:
                continue
            if refers:
                content[name] = None if value is None else value.key
            else:
                content[name] = utc_text(value) if isinstance(value, datetime) else value
        return content

    @property
    def content_sha256(self) -> str:
        """The hash that the audit entry of the row holds."""
        return sha256_of({"type": f"batchqc/row/{self.__tablename__}/1", **self.content()})


@cache
def _members(table: type[Row]) -> tuple[tuple[str, bool, bool], ...]:
    """Name of each member of a row's content, whether it refers to a row, and was added later."""
    return tuple(
        (
            column.key.removesuffix("_id") if column.foreign_keys else column.key,
            bool(column.foreign_keys),
            column.info.get("later", False),
        )
        for column in inspect(table).columns
        if column.key != "id"
    )


class Numbered(Row):
    """A row with a public number in a series by year, without gaps and never reused."""

    __abstract__ = True

    year: Mapped[int]
    number: Mapped[int]


def listed(values: Iterable[Value]) -> list[Value]:
    """Values for an ``IN``, the last one repeated until they are a power of two.

    So few statements differ, and a database that keeps them prepared meets them again. Very many
    are let alone: the number of what a statement is given has an end.
    """
    found = list(values)
    size = 1 << max(len(found) - 1, 0).bit_length()
    return found + found[-1:] * (size - len(found)) if size <= _MANY else found


def constants(values: Iterable[str]) -> BindParameter[list[str]]:
    """Values that the code fixes, for an ``IN``: they stand in the statement as they are.

    PostgreSQL makes one plan for a statement that is asked again and again, whatever it is given
    with it. Which rows are not of some values it then cannot know, and takes them for none.
    """
    fixed = sorted(map(str, values))
    return bindparam(None, fixed, expanding=True, literal_execute=True)


def refers_to(table: str, *, nullable: bool = False) -> Mapped[int]:
    """A column that refers to a row of ``table``."""
    return mapped_column(ForeignKey(f"{table}.id"), nullable=nullable, index=True)


def added_later() -> Mapped[str]:
    """A text column that a later migration added; blank in rows of before."""
    return mapped_column(default="", server_default="", info={"later": True})


def few_among_many(name: str, column: str, which: str) -> Index:
    """An index over the few rows of which ``which`` holds, for who looks for only these."""
    return Index(name, column, sqlite_where=text(which), postgresql_where=text(which))
