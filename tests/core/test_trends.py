"""What a lot shows of a criterion, and which lots may be compared."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from batchqc.core.acceptance import AtLeast, Band, Bands, ReportOnly
from batchqc.core.assays import INVESTIGATIONAL, Measurement
from batchqc.core.criteria import Category
from batchqc.core.entries import SecondEntry
from batchqc.core.formulas import parse_formula
from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding
from batchqc.core.subjects import Derived, Group, Input
from batchqc.core.trend_phases import TrendLot, in_order, phases, quarter
from batchqc.core.trends import (
    Attribute,
    Observed,
    definition_of,
    is_near_100,
    is_numeric,
    is_ratio,
    observe,
    observe_each,
)
from batchqc.core.verdicts import Outcome
from tests.core.world import DONOR, TISSUE, criterion, limits, measured, specification

VIABILITY = criterion()
REL = specification(VIABILITY)
DOUBLE = replace(
    VIABILITY,
    id="double",
    subject=Derived(parse_formula("v / 3"), (Input("v", "viability"),), "%"),
)
GROUP = replace(VIABILITY, id="any", subject=Group(("viability",)), accept=AtLeast(1, 1))
BANDS = replace(VIABILITY, accept=Bands((Band("high", limits("> 95")),), ("high",)))


def seen(*found: Measurement, of=VIABILITY, by=REL) -> Observed:
    return observe(by, of, found, (DONOR,))


@pytest.mark.requirement("9.02")
def test_a_lot_shows_the_value_of_its_verdict_and_what_it_was_measured_with():
    one = seen(measured("<85"))
    assert (one.outcome, one.text, one.amount and one.amount.qualifier) == (
        Outcome.FAIL, "<85", "<",
    )  # fmt: skip
    assert (one.methods, one.analysts, one.instruments) == (("SOP-1 v1",), ("ana",), ("I",))
    assert seen(replace(measured("93"), version="")).methods == ("SOP-1",)
    ((run, amount),) = one.readings
    assert (run, amount) == (str(measured("<85").run), one.amount)


def test_what_does_not_count_stands_beside_with_its_reason():
    first, second = measured("91"), measured("95", run="R-2")
    both = seen(first, second)
    assert (both.text, both.amount, both.methods) == ("", None, ())
    assert [one.value for one in both.aside] == ["91", "95"]
    asides = {
        "hypothesis": replace(first, result_type=INVESTIGATIONAL),
        "superseded by U-9": replace(first, superseded_by="U-9"),
        "waits": replace(first, second=SecondEntry.WAITS),
        "differently": replace(first, second=SecondEntry.MISMATCH),
        "of OOS-1": replace(first, retest_of="OOS-1"),
    }
    for why, other in asides.items():
        (told, *_) = [one for one in seen(second, other).aside if why in one.why]
        assert told.why
    waits = seen(replace(first, second=SecondEntry.WAITS)).aside[0]
    assert waits.value != "91"  # hidden until the second person typed it


def test_a_lot_that_is_judged_once_shows_the_same_of_each_criterion():
    all_of_them = specification(VIABILITY, DOUBLE, GROUP, replace(BANDS, id="bands"))
    one, other = measured("93", replicate=2), measured("91", run="R-2")
    found: tuple[tuple[Measurement, ...], ...] = (
        (measured("93"),),
        (measured("<85"),),
        (measured("91"), other),
        (measured("93"), one),
        (measured("93"), replace(other, result_type=INVESTIGATIONAL)),
        (replace(measured("93"), second=SecondEntry.WAITS), other),
        (),
    )
    for own in found:
        each = observe_each(all_of_them, own, (DONOR,), {})
        assert each == {of.id: seen(*own, of=of, by=all_of_them) for of in all_of_them.criteria}


def test_what_is_computed_shows_what_it_was_computed_from():
    both = specification(VIABILITY, DOUBLE)
    one = seen(measured("95"), of=DOUBLE, by=both)
    assert one.amount is not None
    assert str(one.amount.number).startswith("31.666")
    assert one.methods == ("SOP-1 v1",)
    assert one.readings == ()  # of what it was computed from, not of itself


def test_words_groups_and_donors_are_not_numbers():
    assert [is_numeric(one) for one in (VIABILITY, DOUBLE, BANDS)] == [True, True, True]
    words = criterion("no growth", unit="")
    assert [is_numeric(one) for one in (words, GROUP, TISSUE)] == [False, False, False]
    assert observe(specification(TISSUE), TISSUE, (), (DONOR,)).amount is None


def test_the_kind_of_an_attribute_says_its_scale():
    percents = (criterion("> 90"), criterion("<= 60"), criterion(">= 20"), BANDS)
    assert [is_near_100(one) for one in percents] == [True, False, False, False]
    assert not is_near_100(criterion("> 90", unit="ng/mL"))
    potency = replace(criterion(">= 20"), category=Category.POTENCY)
    kinds = (potency, criterion("> 90", unit="ng/mL"), VIABILITY)
    assert [is_ratio(one) for one in kinds] == [True, True, False]


def test_what_may_be_above_100_percent_is_a_proportion_and_does_not_end_there():
    relative = replace(criterion("70 to 130"), category=Category.POTENCY)
    recovery = criterion(">= 70")
    recovery = replace(recovery, subject=replace(recovery.subject, plausible=up_to(150)))
    change = criterion(">= 70")
    change = replace(change, subject=replace(change.subject, plausible=up_to(150, low=-100)))
    whole = criterion(">= 70")
    whole = replace(whole, subject=replace(whole.subject, plausible=up_to(100)))
    inhibition = replace(criterion(">= 50"), category=Category.POTENCY)
    kinds = (relative, criterion("70 to 130"), recovery, inhibition, change, whole)
    assert [is_near_100(one) for one in kinds] == [False, False, False, False, False, True]
    assert [is_ratio(one) for one in kinds] == [True, True, True, True, False, False]


def up_to(high: int, *, low: int = 0) -> Interval:
    return Interval(Fraction(low), Fraction(high), low_closed=True, high_closed=True)


def test_a_definition_is_what_is_measured_and_accepted_and_nothing_else():
    def of(one):
        return definition_of(specification(VIABILITY, one), one)

    own = replace(VIABILITY, id="own")
    assert of(own) == of(replace(own, title="Other", note="said", alert=limits("> 95")))
    every = [own, replace(own, accept=limits("> 80")), replace(own, accept=ReportOnly()),
             replace(own, rounding=Rounding.USP),
             replace(own, accept=BANDS.accept), replace(own, guard=Decimal(1)),
             replace(DOUBLE, id="own"), replace(GROUP, id="own"),
             replace(TISSUE, id="own")]  # fmt: skip
    assert len({of(one) for one in every}) == len(every)


def lot(place: int, method: str = "SOP-1 v1", **changes) -> TrendLot:
    shown = Observed(Outcome.PASS, "95", None, "", (method,) if method else ())
    one = TrendLot(
        f"L-{place}", f"2026-01-{place:02d}", "COA", "REL v1", "> 90 %", "d1", "released", (), (),
        shown,
    )  # fmt: skip
    return replace(one, **changes)


def test_a_change_of_method_site_criterion_or_by_qa_starts_a_phase():
    lots = [
        lot(1), lot(2, ""), lot(3), lot(4, "SOP-1 v2"), lot(5, "SOP-1 v2", site="COB"),
        lot(6, "SOP-1 v2", site="COB", definition="d2", acceptance="> 80 %"),
        lot(7, "SOP-1 v2", site="COB", definition="d2", acceptance="> 80 %"),
    ]  # fmt: skip
    found = phases(in_order(reversed(lots)), {"L-7": "New medium"})
    assert [[one.lot for one in phase.lots] for phase in found] == [
        ["L-1", "L-2", "L-3"], ["L-4"], ["L-5"], ["L-6"], ["L-7"],
    ]  # fmt: skip
    assert [one.because for one in found] == [
        "", "method SOP-1 v1 became SOP-1 v2", "site COA became COB",
        "criterion > 90 % became > 80 %", "New medium",
    ]  # fmt: skip
    assert found[0].has("L-2")
    assert not found[0].has("L-4")
    assert phases((), {}) == ()


def test_names_and_quarters():
    assert Attribute("MSC", "release", "", "viability").name == "MSC/release/viability"
    assert Attribute("MSC", "release", "US", "viability").name == "MSC/release/US/viability"
    assert [quarter(f"2026-{month}-01") for month in ("01", "03", "04", "12")] == [
        "2026-Q1", "2026-Q1", "2026-Q2", "2026-Q4",
    ]  # fmt: skip
