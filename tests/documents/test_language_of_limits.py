"""What stands beside a limit, and limits that come from a dose."""

from datetime import timedelta

import pytest

from batchqc.core.judging import judge
from batchqc.core.verdicts import Outcome, Trend
from tests.core.world import AT
from tests.documents.language import outcomes, results, specification, table, told, verdicts
from tests.documents.test_language import CANNOT, FAIL, INFORMATION, PASS


class TestBesideTheLimit:
    @pytest.mark.requirement("4.07")
    @pytest.mark.parametrize(
        ("accept", "value", "outcome"),
        [
            ("> 90", "91.0", FAIL), ("> 90", "91.1", PASS), ("<= 2", "1", PASS),
            ("<= 2", "1.1", FAIL), ("20 to 30", "21", PASS), ("20 to 30", "29.1", FAIL),
            ("> 90", ">90", CANNOT),
        ],
    )  # fmt: skip
    def test_a_guard_band_shrinks_what_passes(self, accept: str, value: str, outcome: str):
        text = table("a", accept, guard='"1"')
        found = verdicts(text, {"a": value})["a"]
        assert found.outcome == outcome
        assert "(guard band 1 %)" in found.sentence
        assert outcomes(table("a", accept, guard='"1"', rounding='"usp"'), {"a": "95"})

    @pytest.mark.requirement("3.11")
    @pytest.mark.parametrize(
        ("value", "outcome", "trend"),
        [
            ("97", PASS, Trend.WITHIN), ("94", PASS, Trend.ALERT), ("91", PASS, Trend.ACTION),
            ("90", FAIL, Trend.WITHIN), (">93", PASS, Trend.ALERT), (">90", PASS, Trend.ACTION),
        ],
    )  # fmt: skip
    def test_alert_and_action_limits_raise_a_trend_and_never_block(
        self, value: str, outcome: str, trend: Trend
    ):
        text = table("a", alert='"> 95"', action='"> 92"')
        found = verdicts(text, {"a": value})["a"]
        assert (found.outcome, found.trend, found.blocks) == (outcome, trend, outcome == FAIL)
        assert (f"beyond the {trend} limit" in found.sentence) is bool(trend)

    @pytest.mark.requirement("2.26")
    def test_a_pending_result_names_what_stands_in_and_still_cannot_be_judged(self):
        text = table("gram", "no growth", "", vocabulary='"growth"') + table(
            "sterility", "no growth", "", vocabulary='"growth"', planned_days=14,
            interim='["gram"]',
        )  # fmt: skip
        found = verdicts(text, {"gram": "negative"})["sterility"]
        assert (found.outcome, found.missing, found.blocks) == (CANNOT, True, True)
        assert "may stay pending for a conditional release while gram pass" in found.sentence
        early = verdicts(text, {"gram": "negative", "sterility": "negative"})["sterility"]
        assert early.outcome is Outcome.CANNOT_JUDGE
        assert "negative (no growth), read on day 0 of 14, was read too early" in early.sentence
        assert "too early for no growth; it may stay pending" in early.sentence

    @pytest.mark.requirement("4.26")
    def test_no_growth_says_on_which_day_it_was_read(self):
        one = specification(
            table("a", "no growth", "", vocabulary='"growth"', planned_days=14) + table("b")
        )
        start = {"started_at": AT - timedelta(days=14, hours=5)}
        (found, _) = judge(one, results(one.criteria[0], "no growth", **start), [])
        assert "no growth, read on day 14 of 14, meets no growth" in found.sentence

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"guard": '"0"'}, "above 0 as text"),
            ({"guard": '"<1"'}, "above 0 as text"),
            ({"guard": "1"}, "above 0 as text"),
            ({"accept": "90 to 92", "guard": '"2"'}, "is impossible"),
            ({"alert": '"95"'}, "expected limits as text"),
            ({"alert": "95"}, "expected limits as text"),
            ({"alert": '"95 to 92"'}, "is impossible"),
            ({"resolution": '"none"'}, "above 0 as text"),
            ({"interim": '["a"]'}, "is not another criterion"),
            ({"interim": '["nobody"]'}, "is not another criterion"),
            ({"interim": '"gram"'}, "list of texts"),
            ({"acknowledge": "{ dead-band = true }"}, "a reason in words"),
            ({"acknowledge": '{ dead-band = "ok" }'}, "a reason in words"),
            ({"accept": INFORMATION, "guard": '"1"'}, "belongs to numeric limits"),
            ({"unit": "furlong"}, "no unit known here"),
            ({"vocabulary": '"growth"', "unit": "", "accept": "growth", "bands": "{}"}, "numbers"),
        ],
    )
    def test_what_cannot_stand_beside_a_limit_is_told(self, more: dict[str, str], said: str):
        found = told(table("a", **more))
        assert any(said in one for one in found), found


class TestPerDose:
    """Endotoxin K/M, USP <85>; vectors of requirements section 12 and 6.05."""

    @pytest.mark.requirement("6.05")
    @pytest.mark.parametrize(
        ("per_dose", "limit"),
        [
            ('{ k = "5 EU/kg/h", dose = "2 mL/h", weight = "70 kg" }', "175"),
            ('{ k = "5 EU/kg/h", dose = "3 mL/h", weight = "60 kg" }', "100"),
            ('{ k = "0.2 EU/kg/h", dose = "3 mL/h", weight = "60 kg" }', "4"),
            ('{ k = "5 EU/kg/h", dose = "10E6 cells/kg/h", concentration = "10E6 cells/mL" }', "5"),
            (
                '{ k = "5 EU/kg/h", dose = "10E6 cells/kg/h", concentration = "5E6 cells/mL" }',
                "2.5",
            ),
            ('{ k = "5 EU/kg/h", dose = "7 mL/h", weight = "60 kg" }', "42.8571"),
            ('{ k = "5 EU/kg/h", dose = "0.6 mL/h", weight = "70 kg" }', "583.333"),
            ('{ k = "5 EU/kg/h", dose = "0.0001 mL/h", weight = "70 kg" }', "3500000"),
        ],
    )
    def test_the_limit_comes_from_dose_weight_and_concentration(self, per_dose: str, limit: str):
        text = table("a", "<= K/M", "EU/mL", per_dose=per_dose)
        (one,) = specification(text).criteria
        assert one.acceptance == f"<= {limit} EU/mL"
        assert one.basis.startswith("K/M = ")
        assert outcomes(text, {"a": limit}) == {"a": PASS}
        assert outcomes(text, {"a": f"{limit}{'' if '.' in limit else '.'}01"}) == {"a": FAIL}

    def test_a_stricter_limit_stands_and_a_looser_one_is_told(self):
        per_dose = '{ k = "5 EU/kg/h", dose = "2 mL/h", weight = "70 kg" }'
        (one,) = specification(table("a", "< 20", "EU/mL", per_dose=per_dose)).criteria
        assert one.acceptance == "< 20 EU/mL"
        assert any(
            "is above K/M = 175" in one
            for one in told(table("a", "<= 176", "EU/mL", per_dose=per_dose))
        )
        assert any(
            "expected an upper limit" in one
            for one in told(table("a", ">= 5", "EU/mL", per_dose=per_dose))
        )

    @pytest.mark.parametrize(
        ("per_dose", "more", "said"),
        [
            ('{ k = "5 EU/kg/h", dose = "2 mL/h" }', {}, "is weight or concentration due"),
            ('{ k = "5 EU/kg/h", dose = "2 mL", weight = "70 kg" }', {}, "K/M is in EU/cm3/s"),
            ('{ k = "5 EU/kg/h" }', {}, "expected k and dose"),
            ('{ k = "5", dose = "2 mL/h" }', {}, "expected k and dose"),
            ('{ k = "5 EU/kg/h", dose = "0 mL/h" }', {}, "expected k and dose"),
            ('{ k = "5 EU/kg/h", dose = "<2 mL/h" }', {}, "expected k and dose"),
            ('{ k = 5, dose = "2 mL/h" }', {}, "expected k and dose"),
            ('{ k = "5 EU/kg/h", dose = "2 mL/h", height = "2 m" }', {}, "unknown key"),
            (
                '{ k = "5 EU/kg/h", dose = "2 mL/h", weight = "70 kg" }',
                {"rounding": '"usp"'},
                "compared as reported",
            ),
        ],
    )
    def test_a_dose_that_gives_no_limit_is_told(
        self, per_dose: str, more: dict[str, str], said: str
    ):
        found = told(table("a", "<= K/M", "EU/mL", per_dose=per_dose, **more))
        assert any(said in one for one in found), found
