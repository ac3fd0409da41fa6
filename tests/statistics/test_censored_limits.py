"""Control limits of lots of which some are censored: maximum likelihood, and what is refused."""

import numpy as np
import pytest
from scipy import optimize, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.censored_likelihood import Censored, maximise
from batchqc.statistics.censored_limits import censored_phase_one, further_lot
from batchqc.statistics.trend_limits import ALPHA
from tests.core.world import criterion
from tests.statistics.test_lot_charts import froze, look, series

ENDOTOXIN = criterion("<= 0.5", unit="EU/mL")
VALUES = ("0.11", "<0.05", "0.08", "0.06", "<0.05", "0.21", "0.07", "0.13", "0.09", "0.16", "<0.1")
LOGS = np.log([0.11, 0.05, 0.08, 0.06, 0.05, 0.21, 0.07, 0.13, 0.09, 0.16, 0.1])
BELOW = np.array([one.startswith("<") for one in VALUES])


def by_hand() -> tuple[float, float]:
    """Mean and sigma where the likelihood of numbers and bounds is highest, found without it."""

    def worse(at: np.ndarray) -> float:
        mu, sigma = at[0], np.exp(at[1])
        seen = stats.norm.logpdf(LOGS[~BELOW], mu, sigma).sum()
        return -float(seen + stats.norm.logcdf(LOGS[BELOW], mu, sigma).sum())

    found = optimize.minimize(worse, [LOGS.mean(), 0.0], method="Nelder-Mead",
                              options={"xatol": 1e-10, "fatol": 1e-12})  # fmt: skip
    return float(found.x[0]), float(np.exp(found.x[1]))


@pytest.mark.requirement("9.04")
def test_limits_of_censored_lots_are_those_of_the_likelihood_and_the_set_says_so():
    lots = series(*VALUES)
    own = froze(1, lots, of=ENDOTOXIN)
    mu, sigma = by_hand()
    assert own.lines.centre == pytest.approx(mu, rel=1e-6)
    found = {one["name"]: one for one in own.content["figures"]}
    assert float(found["sigma"]["value"]) == pytest.approx(sigma, rel=1e-6)
    assert own.content["method"] == "censored prediction"
    assert (own.content["n"], own.content["censored"]) == (11, 3)
    assert "3 of 11 lots are censored" in found["centre"]["limitations"]
    assert "in the place of sigma from moving ranges" in found["s"]["method"]
    assert "3 of 11 lots censored" in own.content["limits"]
    assert "normal" in found["centre"]["assumptions"]
    put_in_place = np.mean(LOGS)  # of bounds as if they were numbers
    assert own.lines.centre < put_in_place - 0.05


def test_later_lots_are_judged_by_limits_of_censored_lots():
    lots = series(*VALUES, "2.5", "<0.05", "<90", "0.1")
    trend = look(lots, froze(1, lots[:11], of=ENDOTOXIN), of=ENDOTOXIN)
    odd, low, wide, plain = trend.lots[11:]
    assert [one.rule for one in odd.signals] == ["Nelson 1"]
    assert [len(one.signals) for one in (low, wide, plain)] == [0, 0, 0]
    assert plain.lower < 0.1 < plain.upper < 2.5


@pytest.mark.parametrize("kind", ["identity", "complement cube root"])
def test_limits_are_those_of_prediction_where_no_lot_is_censored(kind: str):
    lots = series("95.1", "96.2", "94.8", "95.9", "96.4", "95.0", "95.7", "96.0", "94.1")
    whole = froze(1, lots, scale=kind)
    found = censored_phase_one(
        [float(one.observed.text) for one in lots], [""] * 9, whole.lines.scale,
        resolution=[0.1] * 9, rules=["1", "2", "3", "5"],
    )  # fmt: skip
    for name in ("centre", "sigma", "lower", "upper", "df"):
        assert getattr(found.lines, name) == pytest.approx(getattr(whole.lines, name), rel=1e-7)


@pytest.mark.parametrize("scale", ["identity", "complement cube root"])
def test_a_bound_turns_over_with_its_scale(scale: str):
    values = ("91", "92", "90.5", "93", "91.5", "92.5", "90", "91.2")
    plain, more = series(*values), series(*values, ">93.5")
    moved = froze(2, more, scale=scale).lines.back[1] - froze(1, plain, scale=scale).lines.back[1]
    assert moved > 0.1  # one lot is above all others


@pytest.mark.parametrize(
    ("values", "how", "said"),
    [
        (("<1",) * 12, {}, "12 of 12 lots with a value are censored, 0 are measured"),
        (("<1",) * 3 + ("2", "3", "4", "5", "6", "7", "8"), {}, "below 8 measured"),
        (("<1",) * 9 + ("2", "3", "4", "5", "6", "7", "8", "9"), {}, "the centre itself is only"),
        (("<1", *("2",) * 9), {}, "two different"),
        (("<1", "2", "3", "4", "5", "6", "7", "8", "9"), {"method": "individuals"}, "need numbers"),
    ],
)
def test_too_many_censored_lots_are_refused_with_the_reason(values, how, said):
    with pytest.raises((NotEstimable, InvalidInput), match=said):
        froze(1, series(*values), of=ENDOTOXIN, **how)


@pytest.mark.parametrize(("n", "cut"), [(20, -0.5), (40, -0.2)])
def test_one_further_lot_lies_beyond_limits_of_censored_lots_about_as_rarely_as_is_said(n, cut):
    """600 draws; within a quarter of alpha, as the limits are approximate."""
    random, rates, narrow = np.random.default_rng(20261122), [], []
    for _ in range(600):
        lots = random.normal(size=n)
        hidden = lots < cut
        if n - hidden.sum() < 8 or hidden.sum() > n / 2:
            continue
        ends = np.where(hidden, cut, lots)
        best = maximise(Censored(np.where(hidden, -np.inf, ends), ends), np.ones((n, 1)))
        mu, error = float(best.coefficients[0]), float(np.sqrt(best.covariance[0, 0]))
        _, reach = further_lot(best.sigma, error, int(n - hidden.sum()))
        rates.append(stats.norm.cdf(mu - reach) + stats.norm.sf(mu + reach))
        narrow.append(stats.norm.cdf(mu - 3 * best.sigma) + stats.norm.sf(mu + 3 * best.sigma))
    error = np.std(rates) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - ALPHA) < ALPHA / 4 + 3 * error
    assert np.mean(narrow) > 1.5 * ALPHA  # three sigma of the likelihood alone
