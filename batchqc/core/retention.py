"""How long raw objects are kept, and every reason why one is not disposed of (requirement 10.03).

Nothing is due while QA has set no rule. The date is the latest of what the rule says of each lot
that an object concerns: years after the last usable day, years after manufacture. A legal hold on
one of these lots keeps it, whatever the date. Only raw data is ever disposed of; what records of
decisions, certificates and specifications are made of stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

#: 21 CFR 211.180(a): at least one year after the lot expires (requirement 10.01).
LEAST_YEARS: Final = 1
MOST_YEARS: Final = 200
#: As far as calendars go, in every time zone: an expiry such as 9999-12-31 means no end.
_LAST: Final = date(9999, 12, 30)


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """For how many whole years after the last usable day, and after manufacture."""

    after_expiry: int
    after_manufacture: int

    def until(self, made_on: date, expires_on: date) -> date:
        """The last day on which what concerns a lot is kept."""
        return max(
            _years_later(expires_on, self.after_expiry),
            _years_later(made_on, self.after_manufacture),
        )

    def problems(self) -> Iterator[str]:
        """Why it cannot be the rule of a site."""
        if self.after_expiry < LEAST_YEARS:
            yield f"raw data is kept for {LEAST_YEARS} year after the lot expires at the least"
        if self.after_manufacture < 0:
            yield "years after manufacture are no fewer than 0"
        if max(self.after_expiry, self.after_manufacture) > MOST_YEARS:
            yield f"no rule keeps for more than {MOST_YEARS} years"


@dataclass(frozen=True, slots=True)
class KeptLot:
    """A lot that an object concerns, its dates as corrected, and the legal holds on it."""

    lot: str
    made_on: date
    expires_on: date
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawObject:
    """Bytes in the store, with what names them.

    Args:
        sha256: of the bytes.
        named_by: the keys of the raw data that they are, such as ``upload:U-2026-000001``.
        kept_by: the keys of records that are never disposed of and name the same bytes.
        lots: every lot that they concern.
        received_on: the site-local day on which they came last.
    """

    sha256: str
    named_by: tuple[str, ...]
    kept_by: tuple[str, ...]
    lots: tuple[KeptLot, ...]
    received_on: date


def kept_until(one: RawObject, rule: RetentionRule) -> date:
    """The last day on which an object is kept; of what concerns no lot, it counts from receipt."""
    dates = [rule.until(lot.made_on, lot.expires_on) for lot in one.lots]
    return max(dates, default=rule.until(one.received_on, one.received_on))


def why_kept(one: RawObject, rule: RetentionRule | None, today: date) -> Iterator[str]:
    """Every reason why an object is not disposed of today.

    Args:
        one: the object.
        rule: the newest of the site; ``None`` where QA has set none.
        today: the site-local day.
    """
    for key in one.kept_by:
        yield f"{key} names the same bytes, and is never disposed of"
    if rule is None:
        yield "the site has no rule of retention"
    elif today <= (until := kept_until(one, rule)):
        yield f"it is kept until {until}"
    for lot in one.lots:
        yield from (f"legal hold {hold} lies on lot {lot.lot}" for hold in lot.holds)


def may_approve(requested_by: str, approver: str) -> bool:
    """Whether somebody may be the second person of a disposal (requirement 1.68)."""
    return requested_by.casefold() != approver.casefold()


def _years_later(day: date, years: int) -> date:
    if day.year + years > _LAST.year or day > _LAST:
        return _LAST
    try:
        return min(day.replace(year=day.year + years), _LAST)
    except ValueError:  # 29 February: the day after
        return date(day.year + years, 3, 1)
