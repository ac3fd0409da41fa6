"""What the time between thaw, inoculation or plating and a measurement means."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from batchqc.core.assays import Measurement
from batchqc.core.subjects import Measured


class Timing(StrEnum):
    """How a measurement stands to its window or planned days; ``EARLY`` can still fail."""

    FINE = "fine"
    EARLY = "early"
    LATE = "late"
    UNKNOWN = "unknown"


def timing(subject: Measured, elapsed: timedelta | None) -> Timing:
    """What the time from thaw, inoculation or plating means (requirement 4.26)."""
    if not subject.needs_start:
        return Timing.FINE
    if elapsed is None or elapsed < timedelta():
        return Timing.UNKNOWN
    if subject.window is not None and elapsed > subject.window:
        return Timing.LATE
    if subject.planned_days is not None and elapsed < timedelta(days=subject.planned_days):
        return Timing.EARLY
    return Timing.FINE


def day_read(subject: object, replicates: Sequence[Measurement]) -> str:
    """On which day an incubation was read, and of how many planned (requirement 4.26); or ""."""
    if not isinstance(subject, Measured) or subject.planned_days is None:
        return ""
    days = sorted({one.elapsed.days for one in replicates if one.elapsed is not None})
    read = " and ".join(str(day) for day in days)
    return f"day {read} of {subject.planned_days}" if days else ""
