"""Times and days as people state them: with an offset, not in the future."""

from datetime import date, datetime, timedelta

_A_CLOCK_APART = timedelta(minutes=1)
_FIRST = 1900


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


def day_problem(what: str, day: date, *, since: date, today: date) -> str | None:
    """Why a day cannot be that of something between two others, both included, or ``None``."""
    if day > today:
        return f"{what} {day} lies in the future"
    return f"{what} {day} lies before {since}" if day < since else None
