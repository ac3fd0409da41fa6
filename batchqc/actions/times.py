"""Times and days as people state them: with an offset, not in the future."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_A_CLOCK_APART = timedelta(minutes=1)
_FIRST = 1900
_FIRST_DAY: Final = date(1, 1, 2)


def time_problem(what: str, text: str, *, now: datetime) -> str | None:
    """Why a text is not the time of something that has happened, or ``None``."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return f'{what}: "{text}" is not an ISO 8601 time'
    if told.tzinfo is None:
        return f"{what}: the time needs its offset, such as +07:00"
    if is_long_ago(told):
        return f"{what} lies before {_FIRST}"
    return f"{what} lies in the future" if told > now + _A_CLOCK_APART else None


def is_long_ago(told: datetime) -> bool:
    """Whether a time is a slip: nothing here is so old, and calendars end there."""
    return told.year < _FIRST


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day of a site begins; the first of all calendars, which no zone east has, a day later.

    Args:
        day: a date of the site.
        zone: of the site.
    """
    return datetime.combine(max(day, _FIRST_DAY), time.min, zone)


def moments(
    since: date | None, until: date | None, zone: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """The first moment of some days of a site and the first behind them; ``None`` has no end."""
    behind = until + timedelta(days=1) if until is not None and until < date.max else None
    return (
        midnight(since, zone) if since is not None else None,
        midnight(behind, zone) if behind is not None else None,
    )


def day_problem(what: str, day: date, *, since: date, today: date) -> str | None:
    """Why a day cannot be that of something between two others, both included, or ``None``."""
    if day > today:
        return f"{what} {day} lies in the future"
    return f"{what} {day} lies before {since}" if day < since else None
