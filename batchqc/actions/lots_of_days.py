"""Which lots are looked at for patterns: those of which results came in within some days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.setup import own_site
from batchqc.errors import InvalidInput
from batchqc.records.investigation_lines import lots_tested
from batchqc.records.registers import LotRow

#: Each lot is judged anew for it.
MOST_LOTS: Final = 500
DAYS: Final = 30
_FIRST_DAY: Final = date(1, 1, 2)
_LAST_DAY: Final = date(9998, 12, 31)
"""Beyond these no moment in time is one of UTC as well."""


@dataclass(frozen=True, slots=True)
class Tested:
    """The lots of which results came in from a site-local day to another, the last one included."""

    since: date
    until: date
    lots: Sequence[LotRow]


def lots_of_days(
    session: Session, *, now: datetime, since: date | None = None, until: date | None = None
) -> Tested:
    """The lots of some days; without any, of the last ``DAYS``.

    Raises:
        InvalidInput: they are more than ``MOST_LOTS``.
    """
    zone = ZoneInfo(own_site(session).time_zone)
    last = min(until or now.astimezone(zone).date(), _LAST_DAY)
    first = max(since or _FIRST_DAY, _FIRST_DAY)
    if since is None and last - _FIRST_DAY > timedelta(days=DAYS):
        first = last - timedelta(days=DAYS)
    begins, ends = (datetime.combine(day, time.min, zone) for day in (first, last))
    lots = lots_tested(session, begins, ends + timedelta(days=1), limit=MOST_LOTS + 1)
    if len(lots) > MOST_LOTS:
        raise InvalidInput(
            "BQC-OOS-015",
            f"a look takes {MOST_LOTS} lots at the most: from {first} to {last} there are more",
            hint="Name fewer days, or one lot; the command looks at the whole history.",
        )
    return Tested(first, last, lots)
