"""The period of a quality review."""

from datetime import date

import pytest

from batchqc.core.quality_reviews import Period

YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


def test_a_period_that_is_not_over_or_ends_before_it_begins_is_not_reviewed():
    assert YEAR.problem(date(2026, 12, 31)) is None
    assert "what is to come" in (YEAR.problem(date(2026, 12, 30)) or "")
    backwards = Period(date(2026, 2, 1), date(2026, 1, 31))
    assert "before it begins" in (backwards.problem(date(2027, 1, 1)) or "")


@pytest.mark.parametrize(
    ("begins", "ends", "lies"),
    [
        (date(2020, 1, 1), None, True),
        (date(2026, 12, 31), None, True),
        (date(2027, 1, 1), None, False),
        (date(2020, 1, 1), date(2026, 1, 1), False),
        (date(2020, 1, 1), date(2026, 1, 2), True),
    ],
)
def test_a_version_was_in_force_where_one_of_its_days_lies_in_the_period(
    begins: date, ends: date | None, lies: object
):
    assert YEAR.covers(begins, ends) is lies
