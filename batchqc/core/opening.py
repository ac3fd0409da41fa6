"""Who opened a gate of a lot by what they recorded, within the life of the lot.

- A row of a register that came after earlier ones, or states days before it was recorded, may let
  pass what the register refused; one that lies within every earlier row lets nothing more pass.
- The end of a bank's quarantine lets pass what was made of it.

That is work on the lot, and who did it does not sign its release; undoing it changes nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from batchqc.core.laboratory import Span


class Opened(NamedTuple):
    """Who opened something, and what they did, in words."""

    by: str
    what: str


class Kept(NamedTuple):
    """A row of a register: of what, by whom, on which day of the site, and which days it states.

    The days of a row that states no first one begin on the day on which it was recorded.
    """

    of: str
    by: str
    on: date
    states: Span


class Ended(NamedTuple):
    """Whose quarantine was ended by whom on which day of the site."""

    of: str
    by: str
    on: date


def opened(
    series: Iterable[Sequence[Kept]], ended: Iterable[Ended], *, since: date
) -> Iterator[Opened]:
    """Everything on or after a day that may have opened a gate.

    Args:
        series: the rows of each thing of a register that the lot rests on, oldest first.
        ended: of the banks that the lot comes from.
        since: the first day of the lot: its manufacture or registration, whichever came first.
    """
    for rows in series:
        for at, row in enumerate(rows):
            if row.on >= since and _widens(row, rows[:at]):
                yield Opened(row.by, f"recorded {row.of} until {row.states.until} on {row.on}")
    for one in ended:
        if one.on >= since:
            yield Opened(one.by, f"ended the quarantine of {one.of} on {one.on}")


def _widens(row: Kept, earlier: Sequence[Kept]) -> bool:
    """Whether a row may let pass what none before it did."""
    if not earlier:
        return row.states.since < row.on
    return not all(
        one.states.since <= row.states.since and row.states.until <= one.states.until
        for one in earlier
    )
