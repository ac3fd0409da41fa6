"""From when to when each version judges: the same on every day as the rule that binds lots."""

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.effective_spans import Span, spans
from batchqc.core.effectivity import in_force

FIRST = date(2026, 1, 1)


@dataclass(frozen=True)
class Dated:
    effective: date
    withdrawn_from: date | None = None


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def test_each_version_ends_where_the_next_begins_and_a_withdrawal_leaves_a_gap():
    old, new = Dated(day(0)), Dated(day(10), withdrawn_from=day(20))
    never, last = Dated(day(15), withdrawn_from=day(12)), Dated(day(30))
    assert spans([last, never, new, old]) == (
        Span(old, day(0), day(10)),
        Span(new, day(10), day(20)),
        Span(None, day(20), day(30)),
        Span(last, day(30), None),
    )


def test_what_is_withdrawn_last_leaves_a_gap_without_end():
    one = Dated(day(0), withdrawn_from=day(5))
    assert spans([one]) == (Span(one, day(0), day(5)), Span(None, day(5), None))
    assert spans([]) == ()


@given(
    st.dictionaries(st.integers(0, 40), st.none() | st.integers(0, 60), max_size=5),
    st.integers(-5, 70),
)
def test_on_every_day_the_span_names_the_version_that_is_in_force(
    drawn: dict[int, int | None], number: int
):
    approved = [
        Dated(day(begins), None if ends is None else day(ends)) for begins, ends in drawn.items()
    ]
    looked = day(number)
    covering = [
        one.version
        for one in spans(approved)
        if one.begins <= looked and (one.ends is None or looked < one.ends)
    ]
    assert len(covering) <= 1
    assert in_force(approved, looked) == (covering[0] if covering else None)
