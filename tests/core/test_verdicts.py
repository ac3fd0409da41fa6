"""What passes, what fails, and what nobody can judge. Unknown is never a pass."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.core.acceptance import ReportOnly, Words
from batchqc.core.criteria import Category, Criterion
from batchqc.core.donors import ELIGIBLE, EXCEPTION, INELIGIBLE, Donor
from batchqc.core.judging import judge
from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding
from batchqc.core.subjects import Aggregate, Measured, ReplicatePlan
from batchqc.core.verdicts import Outcome, compare
from tests.cast import GROWTH
from tests.core.world import (
    AT,
    DONOR,
    EACH_OF_2,
    ELIGIBILITY,
    MEAN_OF_3,
    TISSUE,
    criterion,
    measured,
    outcome_of,
    specification,
    verdict_of,
)

USP, ABSOLUTE = Rounding.USP, Rounding.ABSOLUTE
PASS, FAIL, CANNOT = Outcome.PASS, Outcome.FAIL, Outcome.CANNOT_JUDGE

CENSORED = [
    ("< 0.5", "<0.05", "PASS"),
    ("< 0.5", "<1.0", "CANNOT_JUDGE"),
    ("> 46.9", ">1500", "PASS"),
    ("> 46.9", "<46.9", "FAIL"),
    ("<= 1200", ">1000", "CANNOT_JUDGE"),
    ("<= 1", "<1", "PASS"),
    ("< 1", "<=1", "CANNOT_JUDGE"),
    ("< 1", "<1", "PASS"),
    ("> 90", ">90", "PASS"),
    ("> 90", ">=90", "CANNOT_JUDGE"),
    ("> 90", "<=90", "FAIL"),
    (">= 95", "<95", "FAIL"),
    ("50 to 150", ">60", "CANNOT_JUDGE"),
    ("50 to 150", ">150", "FAIL"),
    ("50 to 150", "<50", "FAIL"),
]


@pytest.mark.requirement("4.22")
@pytest.mark.parametrize(("limit", "result", "verdict"), CENSORED)
def test_a_censored_result_is_the_set_of_values_that_it_allows(
    limit: str, result: str, verdict: str
):
    assert outcome_of(limit, result) == verdict


@pytest.mark.parametrize(
    ("limit", "result", "verdict"),
    [
        ("> 90", ">90", "CANNOT_JUDGE"),  # 90.4 is allowed and rounds to 90
        (">= 95", "<95", "CANNOT_JUDGE"),  # 94.9 is allowed and rounds to 95
        ("> 90", ">=90.5", "PASS"),
        (">= 95", "<94.5", "FAIL"),
        (">= 95", "<=94.5", "CANNOT_JUDGE"),
    ],
)
def test_a_censored_result_under_a_rounding_rule(limit: str, result: str, verdict: str):
    assert outcome_of(limit, result, USP) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("49.9", "FAIL"), ("50", "PASS"), ("150", "PASS"), ("150.1", "FAIL"), ("1E2", "PASS"),
    ],
)  # fmt: skip
def test_a_range_includes_its_ends(text: str, verdict: str):
    assert outcome_of("50 to 150", text) == verdict


@pytest.mark.requirement("4.25")
@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        ("No growth", "PASS", "No growth meets no growth"),
        ("Negative", "PASS", "Negative (no growth) meets no growth"),
        ("STERILE", "PASS", "STERILE (no growth) meets no growth"),
        ("TNTC", "FAIL", "TNTC (growth) does not meet no growth"),
        ("not tested", "CANNOT_JUDGE", '"not tested" (row 2) cannot be read as one of'),
        ("", "CANNOT_JUDGE", "cannot be read"),
        ("no  growth", "PASS", "meets no growth"),
    ],
)
def test_words_are_read_by_the_vocabulary_only(text: str, verdict: str, said: str):
    found = verdict_of(criterion("no growth", unit=""), measured(text, unit=""))
    assert found.outcome is not None
    assert found.outcome.value == verdict
    assert said in found.sentence


@pytest.mark.parametrize(
    "text", ["", " ", "n/a", "ND", "#DIV/0!", "96,9", " 96.9", "1e999", "NaN", "inf", "0x1F", "٩٥"]
)
def test_what_is_not_a_number_is_never_a_pass(text: str):
    assert outcome_of("> 90", text) == "CANNOT_JUDGE"


@settings(max_examples=300)
@given(text=st.text(max_size=12), accept=st.sampled_from(["> 90", "<= 1", "no growth"]))
def test_any_text_gets_a_verdict_and_only_read_text_passes(text: str, accept: str):
    one = criterion(accept)
    verdict = verdict_of(one, measured(text))
    assert verdict.outcome in {PASS, FAIL, CANNOT}
    assert verdict.sentence
    known = measured(text).amount if accept != "no growth" else GROWTH.read(text)
    if known is None:
        assert verdict.outcome is CANNOT


class TestReplicates:
    """From replicates to one result, or to none."""

    @pytest.mark.requirement("4.12")
    @pytest.mark.parametrize(
        ("texts", "aggregate", "result", "outcome"),
        [
            (("90", "90.1", "90.2"), Aggregate.MEAN, "90.1", PASS),
            (("90", "90", "90"), Aggregate.MEAN, "90", FAIL),
            (("90", "90", "90.1"), Aggregate.MEAN, "90.0333333333…", PASS),
            (("89", "95", "99"), Aggregate.MINIMUM, "89", FAIL),
            (("89", "95", "99"), Aggregate.MAXIMUM, "99", PASS),
            (("91", "95", "99"), Aggregate.EACH, "91; 95; 99", PASS),
            (("91", "89", "99"), Aggregate.EACH, "91; 89; 99", FAIL),
            (("91", ">80", "99"), Aggregate.EACH, "91; >80; 99", CANNOT),
            ((">95", "91", "93"), Aggregate.MEAN, ">93", PASS),
            (("<95", "91", "93"), Aggregate.MEAN, "<93", CANNOT),
            ((">95", "<91", "93"), Aggregate.MEAN, "any number", CANNOT),
            ((">=91", "95", "99"), Aggregate.MINIMUM, "91 (included) to 95 (included)", PASS),
            (("<=89", "95", "99"), Aggregate.MAXIMUM, "99", PASS),
            ((">95", "<89", "99"), Aggregate.MINIMUM, "<89", FAIL),
        ],
    )
    def test_replicates_become_the_result_that_the_plan_says(
        self, texts: tuple[str, ...], aggregate: Aggregate, result: str, outcome: Outcome
    ):
        one = criterion("> 90", plan=ReplicatePlan(3, aggregate))
        for order in permutations(range(3)):
            found = verdict_of(one, *(measured(texts[n], n + 1) for n in order))
            assert found.derivation.result == result
            assert found.outcome is outcome

    def test_a_mean_is_exact_and_rounded_once_in_the_comparison(self):
        one = criterion(">= 98.0", rounding=USP, plan=MEAN_OF_3)
        texts = ("97.9", "97.95", "97.9999")  # 97.94996…: rounds to 97.9, never by way of 97.95
        found = verdict_of(one, *(measured(text, n) for n, text in enumerate(texts, 1)))
        assert found.outcome is FAIL
        assert found.derivation.rounded == "97.9"

    @pytest.mark.requirement("4.11")
    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_missing_and_surplus_replicates_are_no_result(self, count: int):
        one = criterion("> 90", plan=MEAN_OF_3)
        found = verdict_of(one, *(measured("99", n) for n in range(1, count + 1)))
        assert found.outcome is CANNOT
        assert f"the plan asks for 3, the run has {count}" in found.sentence

    def test_any_growth_is_growth(self):
        one = criterion("no growth", unit="", plan=EACH_OF_2)
        for texts in (("No growth", "Growth"), ("Growth", "No growth")):
            found = verdict_of(one, *(measured(text, n, unit="") for n, text in enumerate(texts)))
            assert found.outcome is FAIL

    @settings(max_examples=150)
    @given(
        texts=st.lists(
            st.builds(
                "{}{}".format,
                st.sampled_from(["", "<", "<=", ">", ">="]),
                st.decimals(min_value=Decimal(80), max_value=Decimal(100), places=1),
            ),
            min_size=3,
            max_size=3,
        ),
        order=st.permutations(range(3)),
        aggregate=st.sampled_from([x for x in Aggregate if x is not Aggregate.SINGLE]),
        rounding=st.sampled_from(list(Rounding)),
    )
    def test_the_order_of_replicates_is_irrelevant(
        self, texts: list[str], order: list[int], aggregate: Aggregate, rounding: Rounding
    ):
        one = criterion("> 90", plan=ReplicatePlan(3, aggregate), rounding=rounding)
        rows = [measured(text, n) for n, text in enumerate(texts, 1)]
        assert verdict_of(one, *rows) == verdict_of(one, *(rows[n] for n in order))

    @settings(max_examples=200)
    @given(
        bounds=st.lists(st.integers(80, 100), min_size=2, max_size=2),
        signs=st.lists(st.sampled_from(["", "<", "<=", ">", ">="]), min_size=2, max_size=2),
        steps=st.lists(st.integers(0, 60), min_size=2, max_size=2),
        aggregate=st.sampled_from([Aggregate.MEAN, Aggregate.MINIMUM, Aggregate.MAXIMUM]),
    )
    def test_a_verdict_over_censored_replicates_holds_for_every_value_that_they_allow(
        self, bounds: list[int], signs: list[str], steps: list[int], aggregate: Aggregate
    ):
        one = criterion("> 90", plan=ReplicatePlan(2, aggregate))
        censored = verdict_of(
            one,
            *(measured(f"{s}{b}", n) for n, (s, b) in enumerate(zip(signs, bounds, strict=True))),
        ).outcome
        possible = []
        for sign, bound, step in zip(signs, bounds, steps, strict=True):
            strict = Decimal("0.25") * step + (0 if "=" in sign else Decimal("0.125"))
            possible.append(bound + (0 if not sign else strict if ">" in sign else -strict))
        exact = verdict_of(one, *(measured(str(v), n) for n, v in enumerate(possible))).outcome
        assert censored in {CANNOT, exact}


class TestWhatIsNoResult:
    """Reasons why there is nothing to compare."""

    @pytest.mark.requirement("4.01", "2.05")
    def test_a_missing_result_blocks_where_it_is_required_and_only_there(self):
        found = verdict_of(criterion())
        assert (found.outcome, found.blocks, found.missing) == (CANNOT, True, True)
        assert "no result for Viability (VIAB)" in found.sentence
        assert not verdict_of(criterion(required=False)).blocks

    def test_a_failed_or_undecidable_result_blocks_even_where_none_is_required(self):
        one = criterion(required=False)
        assert verdict_of(one, measured("89")).blocks
        assert verdict_of(one, measured("n/a")).blocks
        assert not verdict_of(one, measured("91")).blocks

    @pytest.mark.requirement("2.07")
    def test_a_second_result_is_shown_and_decides_nothing(self):
        found = verdict_of(criterion(), measured("89"), measured("92", run="R-2"))
        assert found.outcome is CANNOT
        assert "two results, no authorised retest: 89 in run R-1" in found.sentence
        assert "92 in run R-2" in found.sentence

    @pytest.mark.parametrize("count", [3, 4, 5])
    def test_more_results_are_counted_in_words(self, count: int):
        rows = [measured("95", run=f"R-{n}") for n in range(count)]
        word = {3: "three", 4: "four", 5: "5"}[count]
        assert f"{word} results, no authorised retest" in verdict_of(criterion(), *rows).sentence

    @pytest.mark.requirement("3.06")
    def test_a_fail_stays_in_whatever_order_the_files_come(self):
        files = {
            "first": measured("89", upload="U-2026-000001"),
            "new run": measured("92", upload="U-2026-000002", run="R-2"),
            "corrected": measured("92", upload="U-2026-000003"),
        }
        for order in permutations(files.values()):
            for seen in range(1, 4):
                outcome = verdict_of(criterion(), *order[:seen]).outcome
                assert outcome is not PASS or (order[0].text == "92" and seen == 1)
            assert verdict_of(criterion(), *order).outcome is CANNOT

    @pytest.mark.requirement("4.24")
    @pytest.mark.parametrize("unit", ["", "1", "ratio", "percent", "% "])
    def test_another_unit_is_never_converted(self, unit: str):
        found = verdict_of(criterion(), measured("95", unit=unit))
        assert (found.outcome is PASS) == (unit.strip() == "%")

    def test_both_micro_signs_and_u_are_one_unit_and_that_is_all(self):
        one = criterion("> 10", unit="µg/mL")
        for unit in ("µg/mL", "μg/mL", "ug/mL"):
            assert verdict_of(one, measured("12", unit=unit)).outcome is PASS
        assert verdict_of(one, measured("12", unit="mg/mL")).outcome is CANNOT

    @pytest.mark.requirement("6.07")
    def test_another_method_is_no_result(self):
        found = verdict_of(criterion(), measured("95", method="SOP-9"))
        assert found.outcome is CANNOT
        assert "measured by SOP-9; the specification asks for SOP-1" in found.sentence

    def test_results_of_another_stage_or_for_control_are_not_used(self):
        for other in ({"stage": "in process"}, {"result_type": "control"}, {"analyte": "x"}):
            assert verdict_of(criterion(), measured("95", **other)).missing
        assert verdict_of(criterion(), measured("95", test="OTHER")).missing

    @pytest.mark.requirement("4.26", "2.08")
    @pytest.mark.parametrize(
        ("days", "text", "outcome"),
        [(14, "No growth", PASS), (13, "No growth", CANNOT), (3, "Growth", FAIL)],
    )
    def test_an_incubation_that_was_read_too_early_cannot_pass_but_can_fail(
        self, days: int, text: str, outcome: Outcome
    ):
        subject = Measured("VIAB", "viability", "SOP-1", planned_days=14)
        one = Criterion("s", "S", Category.SAFETY, subject, Words(("no growth",), GROWTH))
        row = measured(text, unit="", started_at=AT - timedelta(days=days))
        found = verdict_of(one, row)
        assert found.outcome is outcome
        assert ("too early" in found.sentence) == (outcome is CANNOT)

    def test_a_window_or_an_incubation_needs_its_start(self):
        subject = Measured("VIAB", "viability", "SOP-1", "%", window=timedelta(minutes=30))
        one = Criterion("v", "V", Category.QUANTITY, subject, criterion().accept)
        assert verdict_of(one, measured("95")).outcome is PASS
        for start in (None, AT + timedelta(minutes=1), AT - timedelta(minutes=31)):
            assert verdict_of(one, measured("95", started_at=start)).outcome is CANNOT


class TestWhatIsNotJudgedByNumbers:
    """Lines for information, donors, and shapes that do not fit."""

    @pytest.mark.parametrize("text", ["46,XY[20]", "12.5", "<3"])
    def test_a_line_for_information_has_no_verdict_and_prints_its_result(self, text: str):
        subject = Measured("VIAB", "viability", "SOP-1", "%")
        one = Criterion("k", "Karyotype", Category.IDENTITY, subject, ReportOnly())
        found = verdict_of(one, measured(text))
        assert (found.outcome, found.blocks) == (None, False)
        assert f"for information: {text}" in found.sentence
        assert found.derivation.passing == ""

    def test_a_required_line_for_information_without_a_result_blocks(self):
        subject = Measured("VIAB", "viability", "SOP-1", "%")
        one = Criterion("k", "Karyotype", Category.IDENTITY, subject, ReportOnly())
        assert verdict_of(one).blocks
        assert verdict_of(one, measured("a"), measured("b", run="R-2")).blocks

    @pytest.mark.requirement("8.01")
    def test_a_pooled_lot_passes_where_the_source_of_every_donor_is_accepted(self):
        jelly = Donor("DNR-02", "Wharton's jelly", ELIGIBLE)
        pooled = verdict_of(TISSUE, donors=(DONOR, jelly, Donor("DNR-03", "umbilical cord")))
        assert pooled.outcome is PASS
        for donor in (DONOR, jelly):
            assert f"{donor.tissue_source} (donor {donor.code})" in pooled.sentence

    @pytest.mark.requirement("6.20")
    def test_donors_are_judged_from_the_register_each_one(self):
        marrow = Donor("DNR-02", "bone marrow", ELIGIBLE)
        assert verdict_of(TISSUE, donors=(DONOR,)).outcome is PASS
        pooled = verdict_of(TISSUE, donors=(DONOR, marrow))
        assert pooled.outcome is FAIL
        assert "bone marrow (donor DNR-02)" in pooled.sentence
        none = verdict_of(TISSUE)
        assert (none.outcome, none.missing, none.blocks) == (CANNOT, True, True)

    @pytest.mark.parametrize(
        ("eligibility", "outcome"),
        [(ELIGIBLE, PASS), ("", CANNOT), (INELIGIBLE, FAIL), (EXCEPTION, FAIL)],
    )
    def test_eligibility_is_never_assumed(self, eligibility: str, outcome: Outcome):
        donor = Donor("DNR-03", "umbilical cord", eligibility)
        assert verdict_of(ELIGIBILITY, donors=(donor,)).outcome is outcome
        both = verdict_of(ELIGIBILITY, donors=(DONOR, donor)).outcome
        assert both is outcome

    def test_an_unknown_eligibility_does_not_hide_a_known_one(self):
        donors = (Donor("DNR-03", "cord", ""), Donor("DNR-04", "cord", INELIGIBLE))
        assert verdict_of(ELIGIBILITY, donors=donors).outcome is FAIL

    def test_words_and_numbers_are_never_compared(self):
        ninety = Interval(low=Interval.exactly(Decimal(90)).low)
        assert compare(ninety, ["no growth"]) is CANNOT
        assert compare(frozenset({"x"}), [ninety]) is CANNOT
        assert compare(ninety, []) is CANNOT
        empty = Interval.exactly(Decimal(1)).intersection(Interval.exactly(Decimal(2)))
        assert compare(ninety, [empty]) is CANNOT

    def test_words_without_a_vocabulary_are_not_read(self):
        one = criterion("no growth", unit="")
        bare = Criterion(one.id, one.title, one.category, one.subject, Words(("no growth",)))
        assert verdict_of(bare, measured("no growth", unit="")).outcome is CANNOT


def test_a_verdict_tells_its_derivation_as_data_and_in_one_sentence():
    one = criterion(">= 20", rounding=USP, name="viability")
    found = verdict_of(one, measured("19.5"))
    assert found.sentence == "PASS: 19.5 % rounds to 20 % and meets >= 20 %; REL v1, viability"
    derivation = found.derivation
    assert derivation.acceptance == ">= 20 %"
    assert derivation.passing == "19.5 and up"
    assert (derivation.result, derivation.rounded) == ("19.5", "20")
    assert derivation.replicates == ("19.5",)
    assert "USP" in derivation.rounding


def test_a_range_under_rounding_shows_the_value_at_both_precisions():
    found = verdict_of(criterion("1.0 to 20", rounding=USP), measured("1.04"))
    assert found.derivation.rounded == "1.0; 1"
    assert (
        verdict_of(criterion("10 to 20", rounding=USP), measured("12.4")).derivation.rounded == "12"
    )
    assert (
        verdict_of(criterion("1.0 to 20", rounding=USP), measured(">2")).derivation.rounded is None
    )


def test_every_criterion_gets_its_verdict_in_the_order_of_the_specification():
    criteria = (TISSUE, criterion(), criterion("no growth", name="growth"), ELIGIBILITY)
    verdicts = judge(specification(*criteria), [measured("95")], (DONOR,))
    assert [verdict.criterion for verdict in verdicts] == list(criteria)
    assert [verdict.outcome for verdict in verdicts] == [PASS, PASS, CANNOT, PASS]
