"""The criterion language: each form written as a QA person writes it, and judged."""

from datetime import timedelta

import pytest

from batchqc.core.judging import judge
from batchqc.core.verdicts import Outcome
from tests.core.world import AT
from tests.documents.language import (
    computed,
    group,
    outcomes,
    results,
    specification,
    table,
    told,
    verdicts,
)

PASS, FAIL, CANNOT = "PASS", "FAIL", "CANNOT_JUDGE"
INFORMATION = "for information"


class TestReplicates:
    @pytest.mark.requirement("3.09")
    @pytest.mark.parametrize(
        ("plan", "texts", "outcome", "said"),
        [
            ('aggregate = "median"', ("89", "91", "99"), PASS, "91 % meets"),
            ('aggregate = "median"', ("89", "<95", "99"), CANNOT, "neither"),
            ('aggregate = "geometric mean"', ("81", "90", "100"), FAIL, "90 % does not meet"),
            ('aggregate = "geometric mean"', ("81", "90.1", "100.1"), PASS, "90.0633221041… %"),
            ('aggregate = "geometric mean"', ("0", "90", "100"), CANNOT, "zero or less"),
            ('aggregate = "mean", max_cv = "10"', ("90.1", "100.1", "110.1"), PASS, "meets"),
            ('aggregate = "mean", max_cv = "9.9"', ("90", "100", "110"), CANNOT, "above 9.9 %"),
            ('aggregate = "mean", max_cv = "10"', (">90", "100", "110"), CANNOT, "not defined"),
            ('aggregate = "mean", max_range = "20"', ("91", "100", "111"), PASS, "meets"),
            ('aggregate = "mean", max_range = "20"', ("91", "100", "112"), CANNOT, "within 20 %"),
            ('aggregate = "mean", max_range = "20"', ("91", "100", ">112"), CANNOT, "within 20 %"),
            ('aggregate = "mean", individual = "> 85"', ("86", "95", "95"), PASS, "meets"),
            (
                'aggregate = "mean", individual = "> 85"',
                ("85", "99", "99"),
                FAIL,
                "% meets > 90 %; replicate 1, 85 %, does not meet > 85 %",
            ),
            (
                'aggregate = "mean", individual = "> 85"',
                (">84", "99", "99"),
                CANNOT,
                "; replicate 1, >84 %, neither meets nor misses > 85 %",
            ),
            (
                'aggregate = "mean", individual = "> 85"',
                ("85", "86", "99"),
                FAIL,
                "90 % does not meet > 90 %; replicate 1, 85 %, does not meet > 85 %",
            ),
        ],
    )
    def test_the_plan_says_how_replicates_become_a_result(
        self, plan: str, texts: tuple[str, ...], outcome: str, said: str
    ):
        text = table("a", replicates=f"{{ n = 3, {plan} }}")
        found = verdicts(text, {"a": texts})["a"]
        assert found.outcome == outcome
        assert said in found.sentence
        assert found.blocks is (outcome != PASS)

    @pytest.mark.parametrize(
        ("plan", "said"),
        [
            ('{ n = 3, aggregate = "mean", max_cv = 10 }', "above 0 as text"),
            ('{ n = 3, aggregate = "mean", max_cv = "-1" }', "above 0 as text"),
            ('{ n = 3, aggregate = "mean", individual = "good" }', "limits of each"),
            ('{ n = 1, aggregate = "single", max_cv = "10" }', "two or more"),
            ("{ }", "expected a table"),
        ],
    )
    def test_a_plan_that_cannot_be_is_told(self, plan: str, said: str):
        assert any(said in one for one in told(table("a", replicates=plan)))


class TestPlausible:
    TEXT = table("a", "> -1", plausible='"0 to 100"')

    @pytest.mark.parametrize(
        ("value", "outcome", "said"),
        [
            ("0", PASS, "meets"),
            (">50", PASS, "meets"),
            ("100.1", CANNOT, "100.1 (row 2) is outside the plausible 0 (included)"),
            (">100", CANNOT, "outside the plausible"),
            ("-0.0", CANNOT, '"-0.0" (row 2) is a negative zero'),
            ("<-0.0", CANNOT, "negative zero"),
            ("strong", CANNOT, "cannot be read"),
        ],
    )
    def test_what_is_not_plausible_is_not_judged(self, value: str, outcome: str, said: str):
        found = verdicts(self.TEXT, {"a": value})["a"]
        assert found.outcome == outcome
        assert said in found.sentence


class TestBands:
    #: Kaplan et al. 2025, World J Stem Cells 17:101675, Table 3: classes of gene expression by Ct.
    BANDS = '{ strong = "< 29", positive = "30 to 37", poor = "38 to 40" }'

    @pytest.mark.parametrize(
        ("value", "outcome", "said"),
        [
            ("28.9", PASS, "28.9 Ct is strong and meets"),
            ("30", PASS, "is positive"),
            ("<29", PASS, "is strong"),
            ("39", FAIL, "is poor and does not meet"),
            ("29", CANNOT, "no one class"),
            ("29.5", CANNOT, "no one class"),
            ("41", CANNOT, "no one class"),
            ("<30", CANNOT, "no one class"),
        ],
    )
    def test_a_class_is_accepted_or_not_and_a_gap_cannot_be_judged(
        self, value: str, outcome: str, said: str
    ):
        accept = '["strong", "positive"]'
        text = table("a", unit="Ct", bands=self.BANDS).replace('"> 90"', accept)
        found = verdicts(text, {"a": value})["a"]
        assert (found.outcome, found.blocks) == (outcome, outcome != PASS)
        assert said in found.sentence

    @pytest.mark.parametrize(
        ("texts", "outcome"), [(("28", "31"), PASS), (("28", "29.5"), CANNOT), (("28", "39"), FAIL)]
    )
    def test_each_replicate_has_its_class(self, texts: tuple[str, str], outcome: str):
        plan = '{ n = 2, aggregate = "each" }'
        text = table("a", unit="Ct", bands=self.BANDS, replicates=plan)
        text = text.replace('"> 90"', '["strong", "positive"]')
        assert outcomes(text, {"a": texts}) == {"a": outcome}

    def test_a_class_for_information_has_no_verdict_but_a_gap_has(self):
        text = table("a", INFORMATION, "Ct", bands=self.BANDS) + table("b")
        assert outcomes(text, {"a": "31", "b": "91"})["a"] == INFORMATION
        assert verdicts(text, {"a": "31"})["a"].sentence.startswith("for information: 31 Ct is pos")
        assert outcomes(text, {"a": "29.5"})["a"] == CANNOT

    @pytest.mark.parametrize(
        ("bands", "said"),
        [
            ('{ low = "< 30", high = "29 to 40" }', "overlap"),
            ('{ low = "about 30", high = "> 30" }', '"low": expected limits'),
            ('{ low = "30 to 29", high = "> 30" }', '"low": expected limits'),
            ("{ }", "expected a table"),
            ("5", "expected a table"),
        ],
    )
    def test_classes_that_cannot_be_are_told(self, bands: str, said: str):
        text = table("a", "high", "Ct", bands=bands)
        assert any(said in one for one in told(text))


class TestControl:
    TEXT = table("a", "< 0.5 * control", "1", control='"PC"')

    @pytest.mark.parametrize(
        ("values", "outcome", "said"),
        [
            ({"a": "4.9", "a@PC": "10"}, PASS, "4.9 1 meets < 0.5 * control (10 1)"),
            ({"a": "5", "a@PC": "10"}, FAIL, "does not meet"),
            ({"a": "<5", "a@PC": "10"}, PASS, "meets"),
            ({"a": "4.9", "a@PC": ">10"}, PASS, "meets"),
            ({"a": "4.9", "a@PC": "<10"}, CANNOT, "neither"),
            ({"a": "4.9"}, CANNOT, "control PC of run R-1 (T) of U-2026-000001 cannot be used"),
            ({"a": "4.9", "a@NC": "10"}, CANNOT, "cannot be used: no result"),
            ({"a": "4.9", "a@PC": ("10", "11")}, CANNOT, "surplus replicates"),
            ({"a@PC": "10"}, CANNOT, "no result"),
        ],
    )
    def test_a_result_is_compared_with_the_control_of_its_run(
        self, values: dict[str, tuple[str, ...] | str], outcome: str, said: str
    ):
        found = verdicts(self.TEXT, values)["a"]
        assert found.outcome == outcome
        assert said in found.sentence

    def test_a_control_of_another_run_is_no_control(self):
        one = specification(self.TEXT)
        (criterion,) = one.criteria
        other = results(criterion, "10", result_type="control", aliquot="PC", run="R-2")
        (found,) = judge(one, [*results(criterion, "4.9"), *other], [])
        assert found.outcome is Outcome.CANNOT_JUDGE

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (table("a", "< control"), "needs both"),
            (table("a", "> 90", control='"PC"'), "needs both"),
            (table("a", "< 0 * control", control='"PC"'), "expected limits"),
            (
                table("a", "< control", control='"P"', replicates='{ n = 2, aggregate = "each" }'),
                "compared with one result",
            ),
            (computed("b", "a", 'a = "a"', "< control", "%") + table("a"), "has no control"),
        ],
    )
    def test_a_control_that_cannot_be_is_told(self, text: str, said: str):
        assert any(said in one for one in told(text))


class TestDerived:
    COUNTS = table("viable", INFORMATION, "cells/mL") + table("total", INFORMATION, "cells/mL")
    VIABILITY = COUNTS + computed(
        "viability", "viable / total", 'viable = "viable", total = "total"', "> 90", "%"
    )

    @pytest.mark.requirement("6.08")
    @pytest.mark.parametrize(
        ("viable", "total", "outcome", "said"),
        [
            ("9.1E6", "1.0E7", PASS, "91 % meets > 90 %"),
            ("9.0E6", "1.0E7", FAIL, "90 % does not meet"),
            ("2", "3", FAIL, "66.6666666666… %"),
            (">9.0E6", "1.0E7", PASS, ">90 %"),
            ("<9.5E6", "1.0E7", CANNOT, "<95 %"),
            ("9.1E6", "0", CANNOT, "not defined"),
            ("9.1E6", "<1.0E7", CANNOT, "not defined"),
        ],
    )
    def test_viability_is_viable_over_total(self, viable: str, total: str, outcome: str, said: str):
        found = verdicts(self.VIABILITY, {"viable": viable, "total": total})["viability"]
        assert found.outcome == outcome
        assert said in found.sentence

    def test_the_derivation_shows_inputs_and_factors(self):
        text = table("viable", INFORMATION, "cells/mL") + table(
            "total", INFORMATION, "10*6.{cells}/mL"
        )
        text += computed("v", "viable / total", 'viable = "viable", total = "total"', "> 90", "%")
        found = verdicts(text, {"viable": "9.1E6", "total": "10"})["v"]
        assert found.outcome is Outcome.PASS
        assert found.derivation.aggregate == (
            "viable / total; viable = 9.1E6 cells/mL; total = 10 10*6.{cells}/mL;"
            " 1 10*6.{cells}/mL = 1000000 cells/cm3; 1 % = 0.01 1"
        )

    @pytest.mark.parametrize(
        ("formula", "accept", "unit", "values", "outcome", "result"),
        [
            # ABCB5+ MSC, Stem Cell Res Ther 2020;11:482: deviation from the expected count <= 30 %
            ("abs(a - b) / b", "<= 30", "%", ("7", "10"), PASS, "30"),
            ("abs(a - b) / b", "<= 30", "%", ("13.1", "10"), FAIL, "31"),
            ("a / b", "> 1", "ratio", ("126", "125"), PASS, "1.008"),
            ("a / b", "> 1", "ratio", (">1500", "125"), PASS, ">12"),
            ("a / b", "> 1", "ratio", ("125", "125"), FAIL, "1"),
            # cumulative population doublings, requirement 6.09
            ("log2(a / b) + log2(a / b)", "<= 6", "1", ("8E6", "1E6"), PASS, "6"),
            ("log2(a / b) + log2(a / b)", "<= 6", "1", ("8.1E6", "1E6"), FAIL, "6.0358438159…"),
            ("log2(a / b)", "<= 3", "1", ("10", "1"), FAIL, "3.3219280948…"),
        ],
    )
    def test_formulas_of_published_specifications(
        self, formula: str, accept: str, unit: str, values: tuple[str, str], outcome: str,
        result: str,
    ):  # fmt: skip
        text = table("a", INFORMATION, "cells") + table("b", INFORMATION, "cells")
        text += computed("d", formula, 'a = "a", b = "b"', accept, unit)
        found = verdicts(text, dict(zip("ab", values, strict=True)))["d"]
        assert (found.outcome, found.derivation.result) == (outcome, result)

    def test_a_constant_has_a_unit_and_a_result_may_go_into_the_next(self):
        text = table("conc", INFORMATION, "pg/mL")
        text += computed("amount", "c * v", 'c = "conc", v = "2 mL"', INFORMATION, "pg")
        text += computed("share", "a / t", 'a = "amount", t = "1 ng"', "<= 50", "%")
        found = verdicts(text, {"conc": "250"})
        assert found["amount"].derivation.result == "500"
        assert found["share"].derivation.result == "50"
        assert found["share"].outcome is Outcome.PASS

    def test_what_is_missing_is_named_and_blocks_where_required(self):
        none = verdicts(self.VIABILITY, {})["viability"]
        assert none.missing
        assert none.blocks
        assert "viable: no result for viable" in none.sentence
        one = verdicts(self.VIABILITY, {"viable": "9E6"})["viability"]
        assert not one.missing
        assert one.blocks
        optional = self.VIABILITY.replace("inputs = {", "required = false\ninputs = {", 1)
        optional += table("z")
        assert not verdicts(optional, {})["viability"].blocks
        assert verdicts(optional, {"viable": "9E6"})["viability"].blocks

    def test_an_input_by_words_for_information_is_no_number(self):
        text = table("a", INFORMATION, "%") + computed("b", "a", 'a = "a"', "> 1", "%")
        found = verdicts(text, {"a": "strong"})["b"]
        assert found.outcome is Outcome.CANNOT_JUDGE
        assert "not one number (strong)" in found.sentence

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (computed("d", "a +", 'a = "v"', "> 1", "1"), "formula: "),
            (computed("d", "a / b", 'a = "v"', "> 1", "1"), "the formula uses b"),
            (computed("d", "a", 'a = "v", b = "v"', "> 1", "%"), "does not use b"),
            (computed("d", "a", 'a = "w"', "> 1", "%"), 'there is no criterion "w"'),
            (computed("d", "a", 'a = "words"', "> 1", "%"), "is not a number with a unit"),
            (computed("d", "a", 'a = "each"', "> 1", "%"), "result for each replicate"),
            (computed("d", "a + b", 'a = "v", b = "1 mL"', "> 1", "%"), "do not measure the same"),
            (computed("d", "a * b", 'a = "v", b = "1 mL"', "> 1", "%"), "the formula computes cm3"),
            (computed("d", "a * b", 'a = "v", b = "1 furlong"', "> 1", "%"), "no unit known"),
            (computed("d", "a", 'a = "1 %"', "> 1", "%"), "no criterion is computed with"),
            (computed("d", "a", "a = 5", "> 1", "%"), "expected a criterion, or a quantity"),
            (computed("d", "a", 'a = "d"', "> 1", "%"), "circle: d <- d"),
            (
                computed("d", "a", 'a = "e"', "> 1", "%")
                + computed("e", "a", 'a = "d"', "> 1", "%"),
                "goes round in a circle",
            ),
            (computed("d", "a", 'a = "v"', "> 1", "%", 'test = "T"'), "a derived result is not"),
            (computed("d", "", 'a = "v"', "> 1", "%"), "expected text"),
            (computed("d", "a", 'a = "v"', "> 1", ""), "expected a unit"),
            (table("d", inputs='{ a = "v" }'), 'belongs to "formula"'),
        ],
    )
    def test_a_formula_that_cannot_be_is_told(self, text: str, said: str):
        others = table("v") + table("words", "no growth", "", vocabulary='"growth"')
        others += table("each", replicates='{ n = 2, aggregate = "each" }')
        found = told(others + text)
        assert any(said in one for one in found), found


class TestGroups:
    MARKERS = "".join(table(name, "<= 2") for name in "abc")

    @pytest.mark.requirement("6.01")
    @pytest.mark.parametrize(
        ("members", "values", "outcome"),
        [
            ('any_of = ["a", "b"]', {"a": "3", "b": "1"}, PASS),
            ('any_of = ["a", "b"]', {"a": "3", "b": "3"}, FAIL),
            ('any_of = ["a", "b"]', {"a": "1"}, PASS),
            ('any_of = ["a", "b"]', {"a": "3"}, CANNOT),
            ('any_of = ["a", "b"]', {}, CANNOT),
            ('all_of = ["a", "b"]', {"a": "1", "b": "2"}, PASS),
            ('all_of = ["a", "b"]', {"a": "3"}, FAIL),
            ('all_of = ["a", "b"]', {"a": "1", "b": "<9"}, CANNOT),
            ('at_least = 2\nof = ["a", "b", "c"]', {"a": "1", "b": "3", "c": "1"}, PASS),
            ('at_least = 2\nof = ["a", "b", "c"]', {"a": "1", "b": "3", "c": "3"}, FAIL),
            ('at_least = 2\nof = ["a", "b", "c"]', {"a": "1", "b": "3"}, CANNOT),
            ('at_least = 2\nof = ["a", "b", "c"]', {"a": "3", "b": "3"}, FAIL),
        ],
    )
    def test_enough_members_pass_or_cannot_any_more(
        self, members: str, values: dict[str, tuple[str, ...] | str], outcome: str
    ):
        found = verdicts(self.MARKERS + group("g", members), values)
        assert found["g"].outcome == outcome
        assert found["g"].blocks is (outcome != PASS)
        inside = [name for name in "abc" if f'"{name}"' in members]
        assert all(found[name].counted_in == "g" and not found[name].blocks for name in inside)
        outside = [name for name in "abc" if name not in inside]
        assert all(found[name].blocks for name in outside if name not in values)

    def test_a_group_says_how_each_member_stands(self):
        found = verdicts(self.MARKERS + group("g", 'any_of = ["a", "b"]'), {"a": "3", "b": "1"})
        assert found["g"].sentence == (
            "PASS: 1 of 2 pass (a FAIL, b PASS): meets at least 1 of 2 pass; X-REL v1, g"
        )
        both = verdicts(self.MARKERS + group("g", 'all_of = ["a", "b"]'), {"a": "1", "b": "1"})
        assert "meets all 2 pass" in both["g"].sentence

    def test_groups_stand_in_groups(self):
        text = self.MARKERS + group("inner", 'any_of = ["a", "b"]')
        text += group("outer", 'all_of = ["inner", "c"]')
        assert outcomes(text, {"a": "3", "b": "1", "c": "1"})["outer"] == PASS
        assert verdicts(text, {})["outer"].missing

    def test_an_optional_group_without_any_result_does_not_block(self):
        text = table("v") + self.MARKERS + group("g", 'any_of = ["a", "b"]', "required = false")
        assert not verdicts(text, {})["g"].blocks
        assert verdicts(text, {"a": "3"})["g"].blocks

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (group("g", "any_of = []"), "an empty group"),
            (group("g", 'any_of = ["a", "a"]'), "listed twice"),
            (group("g", 'any_of = ["a", "z"]'), '"z" is not another criterion'),
            (group("g", 'any_of = ["a", "g"]'), '"g" is not another criterion'),
            (group("g", 'any_of = ["a", "info"]'), '"info" is not another criterion'),
            (group("g", 'at_least = 4\nof = ["a", "b", "c"]'), "from 1 to 3"),
            (group("g", 'at_least = 0\nof = ["a", "b", "c"]'), "from 1 to 3"),
            (group("g", 'any_of = ["a"]\nall_of = ["b"]'), "remove one"),
            (group("g", 'any_of = ["a"]\nof = ["b"]'), 'belongs to "at_least"'),
            (group("g", 'any_of = ["a"]\naccept = "> 5"'), "a group is not measured"),
            (group("g", 'any_of = ["h"]') + group("h", 'any_of = ["g"]'), "in a circle"),
        ],
    )
    def test_a_group_that_cannot_be_is_told(self, text: str, said: str):
        found = told(self.MARKERS + table("info", INFORMATION) + text)
        assert any(said in one for one in found), found


EARLY_BANDS = table("a", "low", "CFU", planned_days=14, bands='{ low = "< 10", high = ">= 10" }')


class TestTooEarly:
    """What was read before its planned day may fail and never passes (requirement 4.26)."""

    @pytest.mark.requirement("4.26")
    @pytest.mark.parametrize(
        ("text", "values", "name"),
        [
            (table("a", "<= 0", "CFU", planned_days=14), {"a": "0"}, "a"),
            (EARLY_BANDS, {"a": "5"}, "a"),
            (
                table("a", "< control", "1", control='"PC"', planned_days=14),
                {"a": "1", "a@PC": "10"}, "a",
            ),
            (
                table("a", "for information", "CFU", planned_days=14)
                + computed("d", "a / 1", 'a = "a"', "<= 0", "CFU"),
                {"a": "0"}, "d",
            ),
            (
                table("a", "<= 0", "CFU", planned_days=14)
                + computed("d", "a * 1", 'a = "a"', "<= 0", "CFU")
                + group("g", 'any_of = ["a", "d"]'),
                {"a": "0"}, "g",
            ),
        ],
    )  # fmt: skip
    def test_it_never_passes(self, text: str, values: dict[str, tuple[str, ...] | str], name: str):
        found = verdicts(text, values)[name]
        assert found.outcome is Outcome.CANNOT_JUDGE
        assert found.blocks

    def test_a_control_that_was_read_too_early_lets_nothing_pass(self):
        one = specification(table("a", "< control", "1", control='"PC"', planned_days=14))
        (criterion,) = one.criteria
        late = {"started_at": AT - timedelta(days=14)}
        own = results(criterion, "1", **late)
        control = {"result_type": "control", "aliquot": "PC"}
        (early,) = judge(one, [*own, *results(criterion, "10", **control)], [])
        assert early.outcome is Outcome.CANNOT_JUDGE
        (fine,) = judge(one, [*own, *results(criterion, "10", **control, **late)], [])
        assert fine.outcome is Outcome.PASS

    def test_it_fails_all_the_same(self):
        assert outcomes(EARLY_BANDS, {"a": "50"}) == {"a": FAIL}


def test_each_line_says_where_its_result_comes_from():
    text = TestDerived.VIABILITY + group("g", 'any_of = ["viability"]')
    text += '[criteria.d]\ntitle = "d"\ncategory = "donor"\ndonor = "eligibility"\n'
    one = specification(text + 'accept = "eligible"\n')
    assert {each.id: each.method for each in one.criteria} == {
        "viable": "SOP-1", "total": "SOP-1", "viability": "computed", "g": "group",
        "d": "register",
    }  # fmt: skip
