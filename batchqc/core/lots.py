"""Lots, their samples, and what a correction of their registration changes."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

LOT_DATES: Final = ("manufactured_on", "expires_on")
SAMPLE_FIELDS: Final = ("container",)


@dataclass(frozen=True, slots=True)
class Sample:
    """Drawn from a lot for testing; ``taken_at`` carries its offset."""

    id: str
    lot: str
    stage: str
    container: str
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Lot:
    """The quantity released or rejected as one.

    Dates are site-local; ``expires_on`` is the last usable day.
    """

    id: str
    product: str
    manufactured_on: date
    expires_on: date

    def corrected(self, field: str, after: str) -> "Lot":
        """This lot with one corrected date.

        Raises:
            ValueError: for a field that cannot be corrected, or text that is not a date.
        """
        day = date.fromisoformat(after)
        match field:
            case "manufactured_on":
                changed = replace(self, manufactured_on=day)
            case "expires_on":
                changed = replace(self, expires_on=day)
            case _:
                raise ValueError(f'"{field}" of a lot cannot be corrected')
        if changed.expires_on < changed.manufactured_on:
            raise ValueError("a lot cannot expire before it was made")
        return changed
