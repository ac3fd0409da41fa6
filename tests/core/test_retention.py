"""How long raw data is kept, and why it is."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.retention import (
    KeptLot,
    RawObject,
    RetentionRule,
    kept_until,
    may_approve,
    why_kept,
)

RULE = RetentionRule(after_expiry=5, after_manufacture=10)
LOT = KeptLot("MSC-1", date(2025, 5, 1), date(2027, 5, 31))
OTHER = KeptLot("MSC-2", date(2026, 1, 1), date(2040, 2, 29))
RECEIVED = date(2025, 6, 1)


def raw(*lots: KeptLot, kept_by: tuple[str, ...] = ()) -> RawObject:
    return RawObject("0" * 64, ("upload:U-2025-000001",), kept_by, lots, RECEIVED)


@pytest.mark.requirement("10.03")
def test_the_latest_date_of_every_rule_and_lot_counts():
    assert kept_until(raw(LOT), RULE) == date(2035, 5, 1)  # ten years after manufacture
    assert kept_until(raw(LOT), RetentionRule(30, 10)) == date(2057, 5, 31)
    assert kept_until(raw(LOT, OTHER), RULE) == date(2045, 3, 1)  # 29 February: the day after
    assert kept_until(raw(), RULE) == date(2035, 6, 1)  # of no lot: from its receipt


@pytest.mark.requirement("10.03")
def test_nothing_is_due_before_its_date_and_everything_after_it():
    last = date(2035, 5, 1)
    assert list(why_kept(raw(LOT), RULE, last)) == ["it is kept until 2035-05-01"]
    assert list(why_kept(raw(LOT), RULE, last + timedelta(days=1))) == []


@pytest.mark.requirement("10.03")
def test_without_a_rule_under_a_hold_and_named_by_a_record_it_is_kept_and_all_is_said():
    late = date(2999, 1, 1)
    held = KeptLot(LOT.lot, LOT.made_on, LOT.expires_on, ("LH-2026-000001", "LH-2027-000001"))
    assert list(why_kept(raw(held, kept_by=("method_version:M/1",)), None, late)) == [
        "method_version:M/1 names the same bytes, and is never disposed of",
        "the site has no rule of retention",
        "legal hold LH-2026-000001 lies on lot MSC-1",
        "legal hold LH-2027-000001 lies on lot MSC-1",
    ]
    assert len(list(why_kept(raw(held, LOT), RULE, late))) == 2


@given(st.dates(max_value=date(2100, 1, 1)), st.integers(1, 200), st.integers(0, 200))
def test_more_years_never_end_sooner(day: date, after_expiry: int, after_manufacture: int):
    lot = KeptLot("L", day, day)
    until = kept_until(raw(lot), RetentionRule(after_expiry, after_manufacture))
    assert until.year - day.year == max(after_expiry, after_manufacture)
    assert kept_until(raw(lot), RetentionRule(after_expiry + 1, after_manufacture)) >= until


@pytest.mark.requirement("10.01")
def test_a_rule_below_the_law_or_beyond_all_sense_is_refused_with_every_reason():
    assert list(RULE.problems()) == []
    assert list(RetentionRule(1, 0).problems()) == []
    assert len(list(RetentionRule(0, -1).problems())) == 2
    assert len(list(RetentionRule(201, 0).problems())) == 1


@pytest.mark.requirement("1.68")
def test_nobody_approves_what_they_asked_for():
    assert may_approve("qa1", "qa2")
    assert not may_approve("qa1", "QA1")


def test_what_never_expires_is_kept_as_long_as_calendars_go():
    """A year that no calendar has broke the list of everything that is due."""
    rule = RetentionRule(30, 50)
    until = rule.until(date(2026, 1, 1), date(9999, 12, 31))
    assert until == date(9999, 12, 30)
    assert rule.until(date(2026, 1, 1), date(9969, 12, 31)) == until
    assert datetime.combine(until, time(23, 59, 59), ZoneInfo("Pacific/Pago_Pago")).astimezone(UTC)
