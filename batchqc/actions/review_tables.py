"""Tables of a quality review: titled rows of text, as pages, CSV files and data have them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from batchqc.actions.times import midnight
from batchqc.core.canonical import Json
from batchqc.core.quality_reviews import Period

Rows: TypeAlias = Iterable[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Days:
    """The moments of a period at the site: ``begins`` is in it, ``ends`` is the first after it."""

    period: Period
    zone: ZoneInfo
    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, period: Period, zone: ZoneInfo) -> "Days":
        """The days from midnight to midnight."""
        begins = midnight(period.first, zone)
        ends = midnight(period.last + timedelta(days=1), zone)
        return cls(period, zone, begins, ends)

    def day(self, moment: datetime) -> date:
        """The day at the site."""
        return moment.astimezone(self.zone).date()

    def hold(self, moment: datetime) -> bool:
        """Whether a moment lies in them."""
        return self.begins <= moment < self.ends


def table(
    name: str, title: str, columns: Sequence[str], rows: Rows, *, note: str = "", numbers: int = 0
) -> dict[str, Json]:
    """A table.

    Args:
        name: of its CSV file.
        title: as people read it.
        columns: their titles.
        rows: of anything that has a text.
        note: which lots and days it is of.
        numbers: how many of its last columns hold numbers.
    """
    return {
        "name": name,
        "title": title,
        "note": note,
        "columns": list(columns),
        "numbers": numbers,
        "rows": [[str(cell) for cell in row] for row in rows],
    }
