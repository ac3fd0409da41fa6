"""The period of a quality review, and the scale that an attribute is charted on."""

from dataclasses import replace
from datetime import date

import pytest

from batchqc.core.acceptance import Words
from batchqc.core.criteria import Category
from batchqc.core.quality_reviews import Period, scale_of
from tests.core.world import criterion

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


@pytest.mark.parametrize(
    ("accept", "unit", "category", "scale"),
    [
        ("> 90", "%", Category.QUANTITY, "complement cube root"),
        (">= 50", "%", Category.POTENCY, "complement cube root"),
        (">= 20", "%", Category.POTENCY, "identity"),
        ("<= 2", "%", Category.PURITY, "identity"),
        (">= 10", "µmol/L", Category.POTENCY, "ln"),
        (">= 1E6", "cells/mL", Category.QUANTITY, "identity"),
    ],
)
def test_the_scale_follows_from_what_the_attribute_is(
    accept: str, unit: str, category: Category, scale: str
):
    one = replace(criterion(accept, unit=unit), category=category)
    assert scale_of(one) == scale


def test_what_accepts_no_range_is_charted_as_reported():
    assert scale_of(replace(criterion("> 90"), accept=Words(("clear",)))) == "identity"
