"""What is wrong with ids and times of a row, in words."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from batchqc.core.identifiers import looks_like_a_date
from batchqc.core.lots import Sample
from batchqc.intake.problems import Wrong, shown
from batchqc.intake.register import RegisteredLot


def site_day(moment: datetime, lot: RegisteredLot) -> date:
    """The date at the site."""
    return moment.astimezone(ZoneInfo(lot.time_zone)).date()


def unknown(text: str, column: str, noun: str) -> Wrong:
    """The problem of an id that is not registered."""
    if looks_like_a_date(text):
        message = f'{column} "{shown(text)}" looks like a spreadsheet date'
        return Wrong("E402", message, f"Format the column as text, and enter the {noun} id again.")
    message = f'{column} "{shown(text)}" is not registered'
    return Wrong("E401", message, f"Check the {noun} id, or register the {noun} first.")


def too_early(
    measured_at: datetime | None, lot: RegisteredLot | None, sample: Sample | None
) -> list[str]:
    """What must come before the measurement and does not."""
    if measured_at is None:
        return []
    found = []
    if sample is not None and measured_at < sample.taken_at:
        taken = sample.taken_at.isoformat()
        found.append(f"measured_at is before sample {sample.id} was taken ({taken})")
    if lot is not None:
        day = site_day(measured_at, lot)
        if day < lot.manufactured_on:
            found.append(f"measured_at is before lot {lot.id} was made ({lot.manufactured_on})")
    return found
