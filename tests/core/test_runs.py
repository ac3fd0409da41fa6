"""Runs: valid, invalid or not known to be valid, before any result of them is judged."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from batchqc.core.acceptance import Words
from batchqc.core.assays import CONTROL, Measurement, RunKey
from batchqc.core.entries import SecondEntry
from batchqc.core.impact import Comparison, Evidence, grouped
from batchqc.core.impact_runs import usable_evidence
from batchqc.core.judging import judge
from batchqc.core.methods import Method, ValidityCriterion
from batchqc.core.runs import RunValidity, Validity, assess_runs, runs_that_count
from batchqc.core.superseding import unnamed
from batchqc.core.verdicts import Outcome, Verdict
from tests.core.world import AT, GROWTH, criterion, limits, measured, specification

CONTROL_LIMITS = ValidityCriterion(
    "positive-control", "viability", limits("50 to 200"), result_type=CONTROL, aliquot="PC",
    unit="%",
)  # fmt: skip
SPREAD = ValidityCriterion("replicates", "viability", max_cv=Decimal(10))
VALID, INVALID, NOT_KNOWN = Validity
LATER, LATEST = ({"measured_at": AT + timedelta(hours=hours)} for hours in (1, 2))


def method(*validity: ValidityCriterion, **changes: Any) -> Method:
    said = {"id": "SOP-1", "version": "1", "title": "T", "effective": date(2026, 1, 1)}
    return Method(**(said | {"validity": validity, "sha256": "0" * 64} | changes))


def control(text: str, **changes: Any) -> Measurement:
    return measured(text, **({"result_type": CONTROL, "aliquot": "PC", "replicate": 9} | changes))


def validity(*rows: Measurement, methods: tuple[Method, ...]) -> dict[RunKey, RunValidity]:
    return assess_runs(rows, methods, UTC)


def assessed(*rows: Measurement, methods: tuple[Method, ...]) -> tuple[Validity, str]:
    (found,) = validity(*rows, methods=methods).values()
    return found.validity, "; ".join(found.reasons)


def verdict(*rows: Measurement, methods: tuple[Method, ...], accept: str = "> 90") -> Verdict:
    known = validity(*rows, methods=methods)
    (found,) = judge(specification(criterion(accept)), rows, [], validity=known)
    return found


@pytest.mark.requirement("3.15")
@pytest.mark.parametrize(
    ("text", "changes", "expected", "said"),
    [
        ("50", {}, VALID, ""),
        ("200.0", {}, VALID, ""),
        ("49.999", {}, INVALID, "49.999 % (row 10) does not meet 50 to 200 %"),
        ("200.001", {}, INVALID, "does not meet"),
        (">200", {}, INVALID, "does not meet"),
        (">100", {}, NOT_KNOWN, "neither meets nor misses"),
        ("<60", {}, NOT_KNOWN, "neither meets nor misses"),
        ("n/a", {}, NOT_KNOWN, "cannot be read"),
        ("-0.0", {}, NOT_KNOWN, "cannot be read"),
        ("100", {"unit": "1"}, NOT_KNOWN, 'not in the unit "%"'),
        ("40", {"unit": "ng/mL"}, NOT_KNOWN, "not in the unit"),
        ("100", {"aliquot": "NC"}, NOT_KNOWN, "no control result viability of PC"),
        ("100", {"result_type": "standard"}, NOT_KNOWN, "no control result"),
        ("100", {"analyte": "other"}, NOT_KNOWN, "no control result"),
        ("100", {"method": "SOP-2"}, NOT_KNOWN, "no control result"),
        ("100", {"run": "R-2"}, NOT_KNOWN, "no control result"),
    ],
)
def test_a_run_is_what_its_control_is(
    text: str, changes: dict[str, Any], expected: Validity, said: str
):
    rows = (measured("95"), control(text, **changes))
    found = validity(*rows, methods=(method(CONTROL_LIMITS),))[rows[0].run]
    assert found.validity is expected
    assert said in "; ".join(found.reasons)
    assert bool(found.reasons) is (expected is not VALID)


def test_one_value_that_misses_outweighs_what_is_not_known():
    rows = (measured("95"), control("20"), control("odd", replicate=10))
    assert assessed(*rows, methods=(method(CONTROL_LIMITS),))[0] is INVALID


def test_what_is_not_required_may_be_absent_and_may_not_miss():
    lax = ValidityCriterion(
        "blank", "viability", limits("< 5"), result_type="blank", unit="%", required=False
    )
    assert assessed(measured("95"), methods=(method(lax),)) == (VALID, "")
    blank = control("6", result_type="blank")
    assert assessed(measured("95"), blank, methods=(method(lax),))[0] is INVALID


@pytest.mark.requirement("3.15")
def test_a_control_is_the_same_whatever_case_its_aliquot_is_written_in():
    rows = (measured("95"), control("100"), control("20", replicate=10, aliquot="pc"))
    assert assessed(*rows, methods=(method(CONTROL_LIMITS),)) == (
        INVALID,
        "positive-control: 20 % (row 11) does not meet 50 to 200 %",
    )
    assert verdict(*rows, methods=(method(CONTROL_LIMITS),)).outcome is Outcome.CANNOT_JUDGE
    lax = replace(CONTROL_LIMITS, required=False)
    assert assessed(*rows[:1], rows[2], methods=(method(lax),))[0] is INVALID


@pytest.mark.requirement("3.15")
@pytest.mark.parametrize("required", [True, False])
def test_a_control_is_the_same_whatever_case_its_analyte_is_written_in(required: bool):
    criterion = replace(CONTROL_LIMITS, required=required)
    rows = [measured("95"), control("20", replicate=10, analyte="Viability")]
    for good in ([], [control("100")]):
        assert assessed(*rows, *good, methods=(method(criterion),)) == (
            INVALID,
            "positive-control: 20 % (row 11) does not meet 50 to 200 %",
        )


def test_a_word_of_the_vocabulary_is_read_and_no_other():

    positive = ValidityCriterion(
        "pc", "viability", Words(("growth",), GROWTH), result_type=CONTROL, aliquot="PC"
    )
    nothing = ValidityCriterion("pc", "viability", Words(("growth",)), result_type=CONTROL)
    for text, expected in (("TNTC", VALID), ("sterile", INVALID), ("maybe", NOT_KNOWN)):
        found = assessed(measured("95"), control(text, unit=""), methods=(method(positive),))
        assert found[0] is expected, text
    unread = assessed(measured("95"), control("growth"), methods=(method(nothing),))
    assert unread[0] is NOT_KNOWN


def test_a_criterion_that_says_nothing_lets_no_run_be_valid():
    empty = ValidityCriterion("x", "viability", result_type=CONTROL)
    assert assessed(measured("95"), control("95"), methods=(method(empty),))[0] is NOT_KNOWN


@pytest.mark.requirement("3.09")
@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("100", "100"), VALID),
        (("91", "104"), VALID),
        (("80", "104"), INVALID),
        (("100",), NOT_KNOWN),
        (("100", ">100"), NOT_KNOWN),
        (("100", "odd"), NOT_KNOWN),
        (("0", "0"), NOT_KNOWN),
    ],
)
def test_the_replicates_of_an_aliquot_lie_no_further_apart(
    texts: tuple[str, ...], expected: Validity
):
    rows = [measured(text, n) for n, text in enumerate(texts, 1)]
    assert assessed(*rows, methods=(method(SPREAD),))[0] is expected
    apart = [measured("10", 7, aliquot="B"), measured("10", 8, aliquot="B")]
    assert assessed(*rows, *apart, methods=(method(SPREAD),))[0] is expected


@pytest.mark.requirement("3.09")
def test_an_aliquot_that_is_written_in_another_case_is_no_other_one():
    """Who writes it in two ways would have two spreads, each of replicates that agree."""
    rows = [measured(text, n) for n, text in enumerate(("91", "92"), 1)]
    more = [measured(text, n, aliquot="a1") for n, text in enumerate(("150", "151"), 3)]
    found, said = assessed(*rows, *more, methods=(method(SPREAD),))
    assert found is INVALID
    assert said.endswith("the %CV of 91 %, 92 %, 150 %, 151 % (MSC-1-S01 A1) is above 10 %")


def test_replicates_in_two_units_have_no_spread():
    rows = (measured("100"), measured("100", 2, unit="1"))
    assert assessed(*rows, methods=(method(SPREAD),))[0] is NOT_KNOWN


def test_what_holds_is_told_in_words():
    assert CONTROL_LIMITS.acceptance == "50 to 200 %"
    assert SPREAD.acceptance == "%CV of at most 10 %"


@pytest.mark.parametrize(
    ("stated", "day", "expected", "said"),
    [
        ("1", 15, VALID, ""),
        ("", 15, VALID, ""),
        ("2", 20, VALID, ""),
        ("", 20, VALID, ""),
        ("2", 19, NOT_KNOWN, "SOP-1 v2 was not in force on 2026-03-19; SOP-1 v1 was"),
        ("1", 20, NOT_KNOWN, "SOP-1 v1 was not in force on 2026-03-20; SOP-1 v2 was"),
        ("3", 20, NOT_KNOWN, "SOP-1 v3 is not approved"),
        ("01", 15, NOT_KNOWN, "SOP-1 v01 is not approved"),
        ("1", 9, NOT_KNOWN, "SOP-1 v1 was not in force on 2026-03-09"),
        ("", 9, NOT_KNOWN, "SOP-1 was not in force on 2026-03-09"),
    ],
)
def test_the_version_is_the_stated_one_where_it_was_in_force(
    stated: str, day: int, expected: Validity, said: str
):
    versions = (
        method(effective=date(2026, 3, 10)),
        method(version="2", effective=date(2026, 3, 20)),
    )
    row = measured("95", version=stated, measured_at=datetime(2026, 3, day, 12, tzinfo=UTC))
    assert assessed(row, methods=versions) == (expected, said)


def test_the_day_is_that_of_the_site():
    row = measured("95", version="", measured_at=datetime(2026, 3, 10, 3, tzinfo=UTC))
    versions = (method(effective=date(2026, 3, 10)),)
    here, there = (
        assess_runs([row], versions, zone)[row.run].validity
        for zone in (UTC, ZoneInfo("America/Chicago"))
    )
    assert (here, there) == (VALID, NOT_KNOWN)


def test_a_method_without_a_document_has_no_criteria_and_a_damaged_one_lets_nothing_be_valid():
    assert validity(measured("95"), methods=(method(id="SOP-2"),)) == {}
    damaged = method(damage="SOP-1 v1 cannot be read")
    assert assessed(measured("95"), methods=(damaged,)) == (NOT_KNOWN, "SOP-1 v1 cannot be read")


def test_a_run_of_controls_alone_is_judged_as_well():
    assert assessed(control("10"), methods=(method(CONTROL_LIMITS),))[0] is INVALID


@pytest.mark.requirement("3.15")
@pytest.mark.parametrize("text", ["95", "12", ">80"])
def test_an_invalid_run_neither_fails_nor_passes(text: str):
    found = verdict(measured(text), control("40"), methods=(method(CONTROL_LIMITS),))
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert found.blocks
    assert not found.missing
    assert (
        "run R-1 (VIAB) of U-2026-000001 is invalid by SOP-1 v1: positive-control: 40 % (row 10)"
        " does not meet 50 to 200 %"
    ) in found.sentence


def test_a_run_that_is_not_known_to_be_valid_is_not_judged():
    found = verdict(measured("12"), methods=(method(CONTROL_LIMITS),))
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "not known to be valid by SOP-1 v1: positive-control: there is no" in found.sentence


@pytest.mark.requirement("3.15")
@pytest.mark.parametrize(("text", "outcome"), [("95", Outcome.PASS), ("12", Outcome.FAIL)])
def test_the_one_valid_run_counts_beside_invalid_ones_that_are_named(text: str, outcome: Outcome):
    rows = (
        measured("10"), control("40"),
        measured("97", run="R-3", **LATEST), control("10", run="R-3", **LATEST),
        measured(text, run="R-2", **LATER), control("100", run="R-2", **LATER),
    )  # fmt: skip
    found = verdict(*rows, methods=(method(CONTROL_LIMITS),))
    assert found.outcome is outcome
    assert [one.text for one in found.measurements] == [text]
    assert len(found.derivation.set_aside) == 2
    assert "not counted: run R-1 (VIAB) of U-2026-000001 is invalid" in found.sentence


@pytest.mark.parametrize("other", ["100", None])
def test_nobody_chooses_between_two_runs_beside_an_invalid_one_or_with_one_not_known(
    other: str | None,
):
    rows = [
        measured("10"),
        control("40"),
        measured("95", run="R-2", **LATER),
        control("100", run="R-2", **LATER),
    ]
    rows.append(measured("96", run="R-3", **LATEST))
    if other is not None:
        rows.append(control(other, run="R-3", **LATEST))
    found = verdict(*rows, methods=(method(CONTROL_LIMITS),))
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "beside it: run R-2" in found.sentence


def test_two_valid_runs_stay_two_results():
    rows = [
        measured("95"),
        control("99"),
        measured("95", run="R-2", **LATER),
        control("99", run="R-2", **LATER),
    ]
    found = verdict(*rows, methods=(method(CONTROL_LIMITS),))
    assert "two results, no authorised retest" in found.sentence


def test_other_content_for_the_same_run_makes_an_invalid_run_no_better():
    other = {"upload": "U-2026-000002", "run": "r-1", **LATER}
    rows = [measured("95"), control("40"), measured("95", **other), control("100", **other)]
    found = verdict(*rows, methods=(method(CONTROL_LIMITS),))
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "another content of run r-1 (VIAB) of U-2026-000002 is invalid" in found.sentence
    newer = [replace(one, superseded_by="U-2026-000002") for one in rows[:2]] + rows[2:]
    again = verdict(*newer, methods=(method(CONTROL_LIMITS),))
    assert again.outcome is Outcome.CANNOT_JUDGE
    assert "another content of run r-1" in again.sentence
    failed = [replace(measured("10"), superseded_by="U-2026-000002"), *newer[1:]]
    stands = verdict(*failed, methods=(method(CONTROL_LIMITS),))
    assert "a version of the run does not meet > 90" in stands.sentence


def test_rows_without_a_run_id_are_a_run_of_their_own_in_each_file():
    first, second = {"run": unnamed("VIAB")}, {"run": "viab (no run_id)", "upload": "U-2026-000002"}
    rows = [
        measured("10", **first), control("40", **first),
        measured("95", **second, **LATER), control("100", **second, **LATER),
    ]  # fmt: skip
    found = verdict(*rows, methods=(method(CONTROL_LIMITS),))
    assert found.outcome is Outcome.PASS
    assert [one.text for one in found.measurements] == ["95"]
    assert "not counted: run VIAB (no run_id) (VIAB) of U-2026-000001 is invalid" in found.sentence
    both = [replace(one, run=rows[0].run) for one in rows]
    alike = verdict(*both, methods=(method(CONTROL_LIMITS),))
    assert alike.outcome is Outcome.CANNOT_JUDGE  # in one file they are one run


@pytest.mark.requirement("3.15")
@pytest.mark.parametrize("run", [unnamed("VIAB"), "R-2"])
def test_what_was_measured_at_the_moment_of_an_invalid_run_is_that_run_whatever_its_id(run: str):
    first, other = {"run": unnamed("VIAB")}, {"run": run, "upload": "U-2026-000002"}
    rows = [measured("95", **first), control("40", **first)]
    rows += [measured("95", **other), control("100", **other, **LATER)]
    found = verdict(*rows, methods=(method(CONTROL_LIMITS),))
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert f"another content of run {run} (VIAB) of U-2026-000002 is invalid" in found.sentence
    other_replicate = [*rows[:2], replace(rows[2], replicate=2), rows[3]]
    assert verdict(*other_replicate, methods=(method(CONTROL_LIMITS),)).outcome is Outcome.PASS


def test_a_run_without_criteria_does_not_stand_for_an_invalid_one():
    assert runs_that_count({1: INVALID, 2: None}) is None
    assert runs_that_count({1: INVALID, 2: VALID}) == {2}
    assert runs_that_count({1: NOT_KNOWN, 2: VALID}) is None
    assert runs_that_count({1: INVALID}) is None
    assert runs_that_count({1: None, 2: VALID}) == {1, 2}
    assert runs_that_count({}) == frozenset()


def evidence(run: int, value: str, result_type: str = "reportable") -> Evidence:
    return Evidence(
        1, run, "VIAB", "viability", result_type, "A1", value, "%", "SOP-1", "", "", AT.isoformat()
    )


def test_impact_reads_the_run_that_counts_and_marks_what_nobody_may_read():
    rows = [evidence(1, "10"), evidence(2, "95"), evidence(1, "5", CONTROL)]
    own = grouped(rows)
    pair = ("VIAB", "viability")
    assert usable_evidence(own, {}) is own
    assert usable_evidence(own, {1: VALID, 2: VALID}) is own
    assert usable_evidence(own, {1: INVALID, 2: VALID})[pair] == rows[1:]
    for known in ({1: INVALID, 2: INVALID}, {1: NOT_KNOWN, 2: VALID}, {2: INVALID}):
        marked = usable_evidence(own, known)[pair]
        assert [one.method for one in marked] == ["", "", ""]


def test_what_waits_for_its_second_entry_is_not_told_by_the_validity_of_its_run():
    typed = [replace(one, second=SecondEntry.WAITS) for one in (measured("95.125"), measured("1"))]
    found = verdict(*typed, methods=(method(SPREAD),))
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "not verified by a second person" in found.sentence
    assert "95.125" not in found.sentence


def test_rows_whose_second_entry_did_not_match_are_no_part_of_a_run():
    void = replace(measured("95"), second=SecondEntry.MISMATCH)
    assert validity(void, methods=(method(CONTROL_LIMITS),)) == {}


def test_a_run_whose_part_of_another_lot_is_superseded_is_not_known_to_be_valid():
    other = replace(measured("96", 2), lot="MSC-2", superseded_by="U-2026-000009")
    found = assessed(measured("95"), other, control("100"), methods=(method(CONTROL_LIMITS),))
    assert found == (NOT_KNOWN, "the part of the run that is of another lot is superseded")


def test_impact_judges_a_lot_with_a_superseded_run_by_all_its_measurements():
    old, new = (specification(criterion(accept)) for accept in ("> 90", "> 97"))
    compared = Comparison(old, new)
    rows = grouped([evidence(1, "95")])
    flipped = compared.impact(rows, ())
    assert flipped is not None
    assert (flipped.before, flipped.after) == (Outcome.PASS, Outcome.FAIL)
    again = measured("99", upload="U-2026-000002")
    assert compared.impact(rows, (), [again]) is None
