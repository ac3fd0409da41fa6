"""Who opened a gate of a lot by what they recorded within its life."""

from datetime import date, timedelta

import pytest

from batchqc.core.laboratory import Span
from batchqc.core.opening import Ended, Kept, opened

SINCE = date(2026, 1, 5)
FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)
DAY = timedelta(days=1)


def row(by: str, since: date, until: date, *, on: date = SINCE) -> Kept:
    return Kept("instrument I-1", by, on, Span(since, until))


def by(*rows: Kept) -> list[str]:
    return [one.by for one in opened([rows], [], since=SINCE)]


@pytest.mark.requirement("1.54")
@pytest.mark.parametrize(
    ("since", "until", "widens"),
    [
        (FIRST, LAST, False),
        (FIRST, LAST + DAY, True),
        (FIRST - DAY, LAST, True),
        (FIRST + DAY, LAST - DAY, False),
        (LAST + DAY, LAST + DAY, True),
    ],
)
def test_a_row_that_lets_more_pass_than_those_before_it_opens(
    since: date, until: date, widens: bool
):
    first = row("qa2", FIRST, LAST, on=SINCE - DAY)
    assert by(first, row("qa1", since, until)) == (["qa1"] if widens else [])


def test_what_was_narrowed_and_widened_again_was_opened_by_who_widened_it():
    whole, half = (FIRST, LAST), (FIRST, LAST - DAY)
    assert by(row("qa3", SINCE, LAST), row("qa2", SINCE, SINCE), row("qa1", SINCE, LAST)) == ["qa1"]
    assert by(row("qa3", *whole), row("qa2", *half), row("qa1", *half)) == ["qa3"]


def test_a_first_row_opens_only_where_it_is_dated_back():
    assert by(row("qa1", SINCE - DAY, LAST)) == ["qa1"]
    assert by(row("qa1", SINCE, LAST)) == by(row("qa1", SINCE + DAY, LAST)) == []


def test_what_was_recorded_before_the_first_day_of_the_lot_is_no_work_on_it():
    early = SINCE - DAY
    rows = (row("qa1", FIRST, FIRST, on=early), row("qa1", FIRST, LAST, on=early))
    assert by(*rows) == []
    assert [*opened([], [Ended("bank B", "qa1", early)], since=SINCE)] == []


def test_each_says_who_did_what_and_when():
    rows = (row("qa2", SINCE, SINCE), row("qa1", SINCE, LAST))
    found = opened([rows], [Ended("bank MCB-1", "qa2", SINCE)], since=SINCE)
    assert [*found] == [
        ("qa1", "recorded instrument I-1 until 2026-06-30 on 2026-01-05"),
        ("qa2", "ended the quarantine of bank MCB-1 on 2026-01-05"),
    ]
