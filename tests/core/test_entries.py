"""Typed results: two people type the same, or there is no result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.entries import (
    SecondEntry,
    Typed,
    TypedAnalyte,
    entries_match,
    second_entry,
    shape_problems,
)
from batchqc.core.verdicts import Outcome
from tests.core.world import EACH_OF_2, criterion, measured, verdict_of

WAITS, VERIFIED, MISMATCH = SecondEntry.WAITS, SecondEntry.VERIFIED, SecondEntry.MISMATCH


@pytest.mark.requirement("1.31")
@pytest.mark.parametrize(
    ("first", "second", "unit", "other"),
    [
        ("93.40", "93.40", "%", "%"),
        ("93.40", " 93.40 ", "%", " %"),
        ("<0.05", "<0.05", "EU/mL", "EU/mL"),
        ("12.4", "12.4", "ug/mL", "µg/mL"),
        ("No growth", "no  growth", "", ""),
        ("46,XY[20]", "46,xy[20]", "", ""),
    ],
)
def test_the_same_typed_twice_matches(first: str, second: str, unit: str, other: str):
    assert entries_match([Typed(first, unit)], [Typed(second, other)])


@pytest.mark.requirement("1.31")
@pytest.mark.parametrize(
    ("first", "second", "unit", "other"),
    [
        ("93.40", "93.4", "%", "%"),
        ("93.4", "94.3", "%", "%"),
        ("<0.05", "0.05", "EU/mL", "EU/mL"),
        ("<0.05", "<=0.05", "EU/mL", "EU/mL"),
        ("<0.05", ">0.05", "EU/mL", "EU/mL"),
        ("2.45E6", "2450000", "cells/mL", "cells/mL"),
        ("2.45E6", "2.45e6", "cells/mL", "cells/mL"),
        ("93.4%", "93.4", "%", "%"),
        ("93.4", "93.4", "%", ""),
        ("12.4", "12.4", "mg/mL", "µg/mL"),
        ("No growth", "growth", "", ""),
        ("", "", "", ""),
        ("  ", "  ", "", ""),
        ("93.4", "", "%", "%"),
    ],
)
def test_what_differs_in_anything_that_counts_does_not_match(
    first: str, second: str, unit: str, other: str
):
    assert not entries_match([Typed(first, unit)], [Typed(second, other)])
    assert not entries_match([Typed(second, other)], [Typed(first, unit)])


def test_replicates_are_compared_one_by_one_in_their_order():
    a, b = Typed("91", "%"), Typed("92", "%")
    assert entries_match([a, b], [a, b])
    assert not entries_match([a, b], [b, a])
    assert not entries_match([a, b], [a])
    assert not entries_match([a], [a, b])
    assert not entries_match([], [])


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False))
def test_numbers_match_only_as_the_same_text(one: object, other: object):
    assert entries_match([Typed(str(one), "%")], [Typed(str(other), "%")]) == (
        str(one) == str(other)
    )


def test_how_an_entry_stands():
    assert second_entry(by_hand=False, matches=None) is SecondEntry.NOT_NEEDED
    assert second_entry(by_hand=False, matches=False) is SecondEntry.NOT_NEEDED
    assert second_entry(by_hand=True, matches=None) is WAITS
    assert second_entry(by_hand=True, matches=True) is VERIFIED
    assert second_entry(by_hand=True, matches=False) is MISMATCH


@pytest.mark.requirement("1.31")
@pytest.mark.parametrize("second", [WAITS, MISMATCH])
@pytest.mark.parametrize("value", ["95", "1"])
def test_what_is_not_verified_has_no_verdict_and_its_value_is_not_told(
    second: SecondEntry, value: str
):
    found = verdict_of(criterion("> 90"), measured(value, second=second))
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert found.blocks
    assert not found.missing
    assert found.derivation.replicates == ()
    assert f"{value} %" not in found.sentence
    assert "U-2026-000001" in found.sentence


@pytest.mark.requirement("1.31")
def test_what_is_not_required_blocks_once_it_is_typed_and_not_verified():
    one = criterion("> 90", required=False)
    assert not verdict_of(one).blocks
    assert verdict_of(one, measured("95", second=WAITS)).blocks
    assert verdict_of(one, measured("95", second=MISMATCH)).blocks


def test_what_is_verified_is_judged_like_any_other():
    assert verdict_of(criterion(), measured("95", second=VERIFIED)).outcome is Outcome.PASS
    assert verdict_of(criterion(), measured("89", second=VERIFIED)).outcome is Outcome.FAIL


def test_an_entry_beside_a_file_waits_and_then_makes_two_results():
    file = measured("95")
    typed = measured("96", upload="U-2026-000002", second=WAITS)
    waits = verdict_of(criterion(), file, typed)
    assert (waits.outcome, waits.measurements) == (Outcome.CANNOT_JUDGE, ())
    assert "96" not in waits.sentence
    both = verdict_of(criterion(), file, measured("96", upload="U-2", second=VERIFIED))
    assert "no authorised retest" in both.sentence
    assert both.outcome is Outcome.CANNOT_JUDGE


@pytest.mark.requirement("1.31")
def test_a_new_entry_counts_beside_one_that_did_not_match():
    old = measured("89", second=MISMATCH)
    new = measured("95", upload="U-2026-000002", second=VERIFIED)
    found = verdict_of(criterion(), old, new)
    assert (found.outcome, found.measurements) == (Outcome.PASS, (new,))
    waiting = verdict_of(criterion(), old, measured("95", upload="U-2026-000002", second=WAITS))
    assert waiting.outcome is Outcome.CANNOT_JUDGE


def test_one_replicate_that_waits_keeps_the_others_from_counting():
    rows = [measured("no growth"), measured("no growth", 2, second=WAITS)]
    found = verdict_of(criterion("no growth", plan=EACH_OF_2, unit=""), *rows)
    assert found.outcome is Outcome.CANNOT_JUDGE


def test_what_is_typed_again_has_the_analytes_and_replicates_of_the_entry():
    one, two = TypedAnalyte("CD73", ("97.9",), "%"), TypedAnalyte("CD90", ("1", "2"), "%")
    assert shape_problems([one, two], [two._replace(unit="", values=("", "9")), one]) == []
    assert shape_problems([one, two], [one]) == ["it has 2 values of CD90, not 0"]
    assert shape_problems([one], [one, two]) == ["it has 0 values of CD90, not 2"]
    halves = [one, two._replace(values=("1",)), two._replace(values=("2",))]
    assert shape_problems([one, two], halves) == ["it has each analyte once"]
