"""Frozen limits applied to later lots: scales, censored lots, gaps; and what is refused."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from batchqc.core.assays import amount_of
from batchqc.core.canonical import canonical_bytes
from batchqc.core.criteria import Category
from batchqc.core.trend_phases import TrendLot, in_order, phases
from batchqc.core.trends import Attribute, Observed
from batchqc.core.verdicts import Outcome
from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.false_alarms import alarms_of_limits, false_alarms
from batchqc.statistics.frozen_limits import Frozen, frozen, limit_content, limits_of_lots
from batchqc.statistics.lot_charts import trend_of
from batchqc.statistics.lot_figures import rules_in_force
from batchqc.statistics.lot_series import Trend, default_scale
from batchqc.statistics.trend_limits import ALPHA, robust_scores, self_starting
from tests.core.world import criterion

OF = Attribute("UC-MSC", "release", "", "viability")
VIABILITY = criterion("> 90")
PLAIN = criterion("<= 60")
FIRST = ("95.1", "96.2", "94.8", "95.9", "96.4", "95.0", "95.7", "96.0")
RAW = np.array([float(one) for one in FIRST])


def series(*values: str, first: int = 1) -> list[TrendLot]:
    return [
        TrendLot(
            f"L-{place:02d}", f"2026-01-{place:02d}", "COA", "REL v1", "> 90 %", "d1", "released",
            (), (), Observed(Outcome.PASS, one, amount_of(one, "%"), "", ("SOP-1 v1",)),
        )
        for place, one in enumerate(values, first)
    ]  # fmt: skip


def froze(number: int, lots: list[TrendLot], *, of=VIABILITY, **how) -> Frozen:
    found = limits_of_lots(of, lots, **how)
    (phase,) = phases(in_order(lots), {})
    content = limit_content(OF, phase, found, chosen=lots, excluded={})
    made = frozen(number, canonical_bytes(content))
    assert made.lines == found.lines  # every digit of them
    return made


def look(lots: list[TrendLot], *sets: Frozen, of=VIABILITY) -> Trend:
    return trend_of(OF, of, lots, starts={}, sets=sets)


def expected(on_scale: np.ndarray) -> tuple[float, float, float]:
    """Limits for one further value (Hahn and Meeker 1991, 4.7): lower, centre, upper."""
    n, mean = on_scale.size, float(on_scale.mean())
    half = stats.t.ppf(1 - ALPHA / 2, n - 1) * on_scale.std(ddof=1) * np.sqrt(1 + 1 / n)
    return mean - half, mean, mean + half


def as_normal(t: float, df: int) -> float:
    """The normal score of the same probability: what a distance by prediction limits is told as."""
    return float(stats.norm.ppf(stats.t.cdf(t, df)))


@pytest.mark.requirement("9.04")
def test_each_lot_is_judged_by_the_lines_and_the_scale_of_the_set_that_holds_for_it():
    lots = series(*FIRST, "93.0", "97.5", "95.5", "95.4", "93.0", "97.5")
    by_raw = froze(1, lots[:8], scale="identity")
    by_root = froze(2, lots[:12])
    judged = look(lots, by_raw, by_root).lots
    by = ["", "", *["self-starting"] * 6, *["limit set 1"] * 4, *["limit set 2"] * 2]
    assert [one.by for one in judged] == by
    assert [one.lower for one in judged[:8]] == [None] * 8
    low, centre, high = expected(RAW)
    assert (judged[8].lower, judged[8].centre, judged[8].upper) == pytest.approx(
        (low, centre, high)
    )
    assert judged[8].score == pytest.approx(as_normal((93.0 - centre) / by_raw.lines.sigma, 7))
    roots = np.cbrt(100 - np.array([one.value for one in judged[:12]]))
    ends = [100 - one**3 for one in expected(roots)]
    assert (judged[12].upper, judged[12].centre, judged[12].lower) == pytest.approx(ends)
    far = (np.cbrt(100 - 93.0) - roots.mean()) / by_root.lines.sigma
    assert judged[12].score == pytest.approx(
        -as_normal(far, 11)
    )  # below is below on a scale that turns over
    assert judged[12].score < 0 < judged[13].score


@pytest.mark.requirement("9.04")
@pytest.mark.parametrize("scale", ["identity", "complement cube root"])
def test_a_censored_lot_signals_where_all_that_it_may_be_lies_beyond_and_has_no_score(scale: str):
    lots = series(*FIRST, "<80", "<99", ">80", ">99.9", "80")
    own = froze(1, lots[:8], scale=scale)
    below, inside, any_higher, above, exact = look(lots, own).lots[8:]
    assert [one.score for one in (below, inside, any_higher, above)] == [None] * 4
    assert [len(one.signals) for one in (below, inside, any_higher, above)] == [1, 0, 0, 1]
    assert "censored, below" in below.signals[0].said
    assert "censored, above" in above.signals[0].said
    assert below.signals[0].score is None
    assert exact.score == pytest.approx(exact.signals[0].score)
    assert below.value == exact.value  # drawn at its bound


def test_a_censored_lot_without_limits_is_left_out_of_what_later_lots_are_compared_with():
    bare, beside = look(series(*FIRST)), look(series(*FIRST[:4], "<50", *FIRST[4:]))
    assert [one.score for one in beside.lots[5:]] == [one.score for one in bare.lots[4:]]
    assert beside.lots[4].score is None
    assert beside.limitations == (
        "phase 1: 1 of 9 lots are censored; they are drawn, and have no score",
    )


def test_a_rule_over_several_lots_names_its_pattern_which_a_lot_without_a_value_breaks():
    high = ("96.0", "96.1", "95.9", "96.0", "96.2")
    lots = series(*FIRST, *high, "", *high, *high[:4])
    trend = look(lots, froze(1, lots[:8], scale="identity", rules=["2"]))
    assert [one.rule for one in trend.signals] == ["Nelson 2"]
    (signal,) = trend.signals
    assert len(signal.lots) == 9
    assert (signal.lots[0], signal.lots[-1]) == ("L-15", "L-23")
    assert "(9 lots)" in signal.said
    assert signal.said.endswith("lots on average, limits taken as known")


@pytest.mark.requirement("9.04")
def test_a_pattern_never_crosses_from_one_limit_set_into_the_next():
    high = ("96.2", "96.3", "96.1", "96.2", "96.4")
    lots = series(*FIRST, *high, "97.0", "97.1", "96.9", "97.2")
    old = froze(1, lots[:8], scale="identity", rules=["2", "3", "5"])
    new = froze(2, lots[:13], scale="identity", rules=["2", "3", "5"])
    one = look(lots, old)
    assert [each.rule for each in one.signals] == ["Nelson 2"]  # nine above one centre
    both = look(lots, old, new)
    assert {each.by for each in both.lots[8:]} == {"limit set 1", "limit set 2"}
    assert all(each.score > 0 for each in both.lots[8:])  # each above the centre of its own set
    assert list(both.signals) == []


def test_lots_that_the_limits_came_from_are_not_judged_by_them_and_still_signal_by_themselves():
    lots = series(*FIRST[:7], "60")
    alone = list(look(lots).signals)
    assert [(one.lot, one.by) for one in alone] == [("L-08", "self-starting")]
    assert list(look(lots, froze(1, lots, scale="identity")).signals) == alone


def test_a_change_of_a_value_that_limits_were_computed_from_is_told():
    lots = series(*FIRST)
    own = froze(1, lots)
    changed = [*series("91", *FIRST[1:]), *series("95", first=9)]
    assert look([*lots, *series("95", first=9)], own).limitations == ()
    assert "values of its lots have changed" in look(changed, own).limitations[0]


def test_a_value_that_the_scale_does_not_take_has_no_score_and_is_named():
    told = look(series(*FIRST, "101"))
    assert told.lots[-1].score is None
    assert told.lots[-1].value == 101
    assert told.limitations == ("complement cube root takes no value of L-09: they have no score",)


def test_an_exact_hundred_is_moved_by_half_its_resolution_and_the_set_says_so():
    lots = series(*FIRST, "100.0")
    found = froze(1, lots)
    assert found.content["shifted"] == [["L-09", "-0.05"]]
    method = replace(VIABILITY, resolution=Decimal("0.5"))
    assert froze(1, lots, of=method).content["shifted"] == [["L-09", "-0.25"]]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"rules": ["9"]}, "no such rule: 9"),
        ({"method": "guess"}, "not 'guess'"),
        ({"scale": "root"}, "there is no scale 'root'"),
        ({"scale": "ln"}, None),
    ],
)
def test_a_choice_that_is_not_known_is_refused(how: dict, said: str | None):
    lots = series(*FIRST[:7], "0")
    with pytest.raises(InvalidInput, match=said):
        limits_of_lots(PLAIN, lots, **how)


def test_too_few_lots_and_equal_ones_have_no_limit_line():
    for values in (FIRST[:7], (*FIRST[:7], "", ""), ("95.0",) * 9):
        with pytest.raises(NotEstimable):
            limits_of_lots(VIABILITY, series(*values))
    assert limits_of_lots(VIABILITY, series(*FIRST)).n == 8


def test_from_fifty_lots_limits_are_by_moving_ranges():
    values = [f"{one:.2f}" for one in np.random.default_rng(3).normal(50, 2, 50)]
    lots = [replace(one, manufactured_on="2026-01-01") for one in series(*values)]
    data = np.array([float(one) for one in values])
    found = limits_of_lots(PLAIN, lots)
    assert found.method == "individuals"
    sigma = np.abs(np.diff(data)).mean() / 1.128379167
    assert (found.lines.lower, found.lines.upper) == pytest.approx(
        (data.mean() - 3 * sigma, data.mean() + 3 * sigma)
    )
    assert limits_of_lots(PLAIN, lots[:49]).method == "prediction"
    assert limits_of_lots(PLAIN, lots, method="prediction").lines.df == 49


def test_a_score_does_not_change_with_the_unit():
    moved = [f"{float(one) * 3 - 250:.1f}" for one in (*FIRST, "93.3")]
    found = [
        look(lots, froze(1, lots[:8], of=PLAIN), of=PLAIN).lots[-1].score
        for lots in (series(*FIRST, "93.3"), series(*moved))
    ]
    assert found[0] == pytest.approx(found[1])


def test_the_self_starting_chart_compares_each_lot_with_those_before_it():
    q, mean, sigma = self_starting(np.array([*RAW[:4], np.nan, RAW[4]]))
    assert np.isnan(q[:2]).all()
    assert np.isnan(q[4])
    before = RAW[:4]
    t = (RAW[4] - before.mean()) / (before.std(ddof=1) * np.sqrt(5 / 4))
    assert q[5] == pytest.approx(stats.norm.ppf(stats.t.cdf(t, 3)))
    assert (mean[5], sigma[5]) == pytest.approx((before.mean(), before.std(ddof=1)))


def test_a_robust_distance_is_by_the_median_and_needs_three_values_that_differ():
    found = robust_scores(np.array([1.0, 2.0, 3.0, 4.0, 100.0, np.nan]))
    assert found[4] == pytest.approx(97 / 1.4826, rel=1e-4)
    assert np.isnan(found[5])
    assert np.isnan(robust_scores(np.array([1.0, 2.0]))).all()
    assert np.isnan(robust_scores(np.array([7.0, 7.0, 7.0, 9.0]))).all()


def test_the_false_alarms_of_rules_are_told_together():
    assert false_alarms(("1",)).value == pytest.approx(370.4, abs=0.1)
    both = false_alarms(("1", "2"))
    assert both.value < 370.4
    assert both.method


@pytest.mark.requirement("9.04")
def test_how_much_oftener_limits_of_few_lots_alarm_is_told_beside_the_rate_of_known_ones():
    lots = series(*FIRST)
    few = froze(1, lots, scale="identity").run_length
    assert few.value == false_alarms(("1", "2", "3", "5")).value
    (said,) = [one for one in few.limitations if "next 20 lots" in one]
    assert said == (
        "limits are taken as known: from 8 lots the chance of a false alarm in the next 20 lots is"
        " 20 %, not 14 % (simulation)"
    )
    assert alarms_of_limits(("1",), 201, "mr") == false_alarms(("1",))
    by_ranges = alarms_of_limits(("1",), 50, "mr")
    assert "from 50 lots" in by_ranges.limitations[-1]
    own = rules_in_force(look(lots))[2]
    assert (own.value, own.assumptions) == (
        false_alarms(("1",)).value,
        ("lots are independent and normally distributed",),
    )  # scores of the self-starting chart need no known mean


def test_the_kind_of_an_attribute_says_its_scale_and_words_have_no_scores():
    kinds = (VIABILITY, PLAIN, criterion("> 90", unit="ng/mL"))
    assert [default_scale(one).kind for one in kinds] == ["complement cube root", "identity", "ln"]
    told = look(series(*FIRST), of=criterion("no growth", unit=""))
    assert {one.value for one in told.lots} == {None}


def test_a_set_whose_first_lot_is_in_its_phase_no_more_is_told_to_hold_for_no_lot():
    lots = series(*FIRST, "95")
    own = froze(1, lots[:8])
    assert look(lots, own).limitations == ()
    moved = [replace(lots[0], definition="d0"), *lots[1:]]
    for changed in (moved, lots[1:]):
        trend = look(changed, own)
        assert trend.lots[-1].by == "self-starting"
        (told,) = trend.limitations
        assert told == (
            "limit set 1 holds for no lot: its phase began with L-01, and no phase of its"
            " criterion has that lot any more; propose a new set"
        )


def test_a_relative_potency_in_percent_is_charted_above_100_too():
    potency = replace(criterion("70 to 130"), category=Category.POTENCY)
    trend = look(series("98", "104", "95", "110", "101", "89", "107", "96", "140"), of=potency)
    assert trend.limitations == ()
    assert [one.lot for one in trend.signals] == ["L-09"]
    assert trend.lots[-1].score > 3


def test_a_temperature_is_charted_below_zero_and_no_logarithm_is_taken_twice():
    storage = criterion("<= -130", unit="Cel")
    trend = look(series("-151", "-152", "-150", "-151", "-152", "-149", "-151"), of=storage)
    assert trend.limitations == ()
    assert all(one.score is not None for one in trend.lots[2:])
    others = (criterion("6 to 8", unit=unit) for unit in ("pH", "[pH]", "Ct", "mg/L"))
    assert [default_scale(one).kind for one in others] == [*["identity"] * 3, "ln"]


def test_limits_of_fewer_than_twenty_measured_lots_are_told_to_be_provisional():
    values = [f"{one:.2f}" for one in np.random.default_rng(8).normal(95, 1, 20)]
    said = "19 measured lots: provisional below 20; propose anew from then on"
    assert froze(1, series(*values[:19])).content["limitations"] == [said]
    assert froze(1, series(*values)).content["limitations"] == []
    hidden = froze(1, series(*values[:19], ">99.9"), scale="identity")
    assert hidden.content["limitations"][0] == said


def test_lots_that_follow_each_other_by_donor_have_no_limits_by_moving_ranges():
    random = np.random.default_rng(3)
    data = 50 + np.repeat(random.normal(0, 2, 20), 3) + random.normal(0, 1, 60)
    values = [f"{one:.2f}" for one in data]
    lots = [replace(one, manufactured_on="2026-01-01") for one in series(*values)]

    def by(size: int):
        owned = [replace(one, donors=(f"D{at // size}",)) for at, one in enumerate(lots)]
        return limits_of_lots(PLAIN, owned)

    assert [by(size).method for size in (1, 2, 3, 60)] == [
        "individuals", "prediction", "prediction", "individuals",
    ]  # fmt: skip
    s = np.array([float(one) for one in values]).std(ddof=1)
    assert by(3).lines.sigma == pytest.approx(s * np.sqrt(1 + 1 / 60))
    assert by(1).lines.sigma < 0.8 * s
    chosen = limits_of_lots(PLAIN, lots, method="individuals")
    assert chosen.method == "individuals"
