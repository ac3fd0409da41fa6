"""Times as text: ISO 8601 with an offset, ``2026-03-21T16:56:00-05:00``, and nothing else.

No date is guessed: ``03/04/2026`` is two dates, and a time without offset is a different moment in
every zone. ``-00:00`` says that the offset is not known (RFC 3339), and so is none.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

from batchqc.core.quantities import parse_amount
from batchqc.intake.problems import Wrong, shown

EXPECTED: Final = "2026-03-21T16:56:00-05:00"

_EPOCH: Final = "1970-01-01"
_MOST_HOURS: Final = 14
_LARGEST_OFFSET: Final = _MOST_HOURS * 3600
_YEARS: Final = range(1950, 2200)
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_TIME: Final = re.compile(rf"({_DAY})[T ]({_CLOCK})(Z|[+-][0-9]{{2}}:[0-5][0-9])")
_NO_OFFSET: Final = re.compile(rf"{_DAY}(?:[T ]{_CLOCK}(?:-00:00)?)?")
_SERIAL: Final = re.compile(r"[0-9]{4,6}(?:[.,][0-9]*)?")
_UNPARTED: Final = re.compile(r"(?:%[YymdHIMS]){2,}")
_SHORT_DATE: Final = re.compile(r"([0-9]{1,4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,4})(?:[ T].*)?")


def read_time(text: str) -> datetime | Wrong:
    """The moment that ``text`` states, with its offset, or what is wrong with it."""
    hint = f"Write it with its offset from UTC, such as {EXPECTED}."
    if _NO_OFFSET.fullmatch(text):
        return Wrong("E302", f'"{text}" does not say the time and its offset from UTC', hint)
    found = _TIME.fullmatch(text)
    if found is None:
        return Wrong("E301", f'"{shown(text)}" {_why_not(text)}', hint)
    day, clock, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset.replace('Z', '+00:00')}")
        seconds = 0 if (away := moment.utcoffset()) is None else abs(away.total_seconds())
    except ValueError:
        return Wrong("E301", f'"{text}" does not exist', hint)
    if seconds > _LARGEST_OFFSET:
        return Wrong("E301", f'"{text}" has an offset that no place has', hint)
    if day == _EPOCH or moment.year not in _YEARS:
        why = (
            'the day that computers write for "unknown"' if day == _EPOCH else "long ago or to come"
        )
        return Wrong("E301", f'"{text}" is no time of a measurement: it is {why}', hint)
    return moment


def _why_not(text: str) -> str:
    if _SERIAL.fullmatch(text):
        return "is the number of a day as a spreadsheet counts it, not a time"
    date = _SHORT_DATE.fullmatch(text)
    if date and len(date[1]) < 4 and int(date[1]) <= 12 and int(date[2]) <= 12:
        return f"is ambiguous: {date[1]} may be the day or the month"
    return "is not a time in the one form that is read"


def local_time(text: str, formats: Sequence[str], zone: tzinfo) -> str:
    """A time of a zone in the one form that is read; as it stands where it is in no form.

    Where two forms read two times in it, none is taken: it is refused as it stands. A time that the
    clocks of the zone show twice or never (daylight saving) comes out without its offset, and is
    refused for that.
    """
    found = {moment for form in formats if (moment := _in_form(text, form)) is not None}
    if len(found) != 1:
        return text
    naive = found.pop()
    if naive.tzinfo is not None:
        return naive.isoformat()
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive
    is_one = exists and first.utcoffset() == second.utcoffset()
    return first.isoformat() if is_one else naive.isoformat()


def _in_form(text: str, form: str) -> datetime | None:
    """The time; ``None`` too where numbers that nothing parts lack digits: 1630 is not 16:03:0."""
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is that of the site
    except ValueError:
        return None
    runs = (moment.strftime(run[0]) for run in _UNPARTED.finditer(form))
    return moment if all(run in text for run in runs) else None


def zone_of(hours: str) -> timezone | None:
    """A zone of some hours from UTC, such as ``2`` or ``-5.5``; ``5.30`` is half past to people."""
    amount = parse_amount(hours.removeprefix("+"))
    if amount is None or amount.is_censored or abs(amount.number) > _MOST_HOURS:
        return None
    quarters = amount.number * 4
    if quarters != quarters.to_integral_value():
        return None
    return timezone(timedelta(minutes=int(quarters) * 15))
