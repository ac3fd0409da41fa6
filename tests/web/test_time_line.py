"""The time line of specifications, whatever dates their files state."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from batchqc.core.effective_spans import Span
from batchqc.web.specifications import _drawn

TODAY = date(2026, 6, 1)


def line(effective: date) -> Any:
    return SimpleNamespace(effective=effective, version=SimpleNamespace(reference="X v2"))


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_a_draft_for_the_first_or_last_day_of_the_calendar_is_drawn(day: date):
    bars, (awaited,), today = _drawn([], [line(day)], TODAY)
    assert bars == []
    assert 0 < today < 100
    assert 0 < awaited.left < 100


def test_a_period_is_drawn_from_its_first_day_to_its_last():
    begins, ends = date(2026, 5, 1), date(2026, 7, 1)
    (bar, after), _, today = _drawn(
        [Span(line(begins), begins, ends), Span(None, ends, None)], [], TODAY
    )
    assert bar.is_now
    assert not after.is_now
    assert bar.left < today < bar.left + bar.width == after.left
    assert after.left + after.width == 100
