"""Slope ratio and cross-over assays, by a second route."""

import numpy as np
import pytest
import statsmodels.api as sm

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.bioassay import assay
from batchqc.statistics.cross_over import cross_over
from batchqc.statistics.slope_ratio import slope_ratio


def wells(seed=1, potency=0.8, *, blocks=False):
    rng = np.random.default_rng(seed)
    names, doses = ["blank"] * 3, [0.0] * 3
    for name in "ST":
        for dose in (1.0, 2.0, 3.0):
            names += [name] * 3
            doses += [dose] * 3
    slope = np.array([potency if one == "T" else 1.0 for one in names])
    y = 0.5 + slope * np.array(doses) + rng.normal(0, 0.1, len(names))
    return assay(names, doses, y, blocks=[[n % 3 for n in range(len(names))]] if blocks else ())


def rss(y, *columns):  # noqa: ANN002
    fit = sm.OLS(y, np.column_stack([np.ones(y.size), *columns])).fit()
    return float(fit.ssr), fit


def test_the_table_is_that_of_nested_models():
    found, given = slope_ratio(wells()), wells()
    s, t, blank = (given.of == given.names.index(one) for one in ("S", "T", "blank"))
    xs, xt = given.dose * s, given.dose * t
    y = given.response
    steps = [rss(y)[0], rss(y, xs, xt)[0], rss(y, xs, xt, blank)[0], rss(y, xs, xt, blank, s)[0]]
    cells = [given.treatment == one for one in np.unique(given.treatment)[1:]]
    steps.append(rss(y, *cells)[0])
    lines = ("regression", "blanks", "intersection", "non-linearity")
    for name, before, after, df in zip(lines, steps, steps[1:], (2, 1, 1, 2), strict=False):
        assert (found.anova[name].df, found.anova[name].ss) == (
            df, pytest.approx(before - after, abs=1e-10),
        )  # fmt: skip
    assert found.anova["residual"].ss == pytest.approx(steps[-1])
    assert found.df == 14


def test_the_limits_satisfy_fiellers_equation():
    given = wells(2)
    found = slope_ratio(given, potency_factor={"T": 10.0})
    s, t = given.of == 0, given.of == given.names.index("T")
    _, fit = rss(given.response, given.dose * s, given.dose * t)
    assert found.potency["T"].figure.value == pytest.approx(10 * fit.params[2] / fit.params[1])
    covariance = fit.cov_params() / fit.mse_resid * found.residual_sd**2
    for end in (found.potency["T"].figure.lower, found.potency["T"].figure.upper):
        off = np.array([0, -end / 10, 1])
        t_value = off @ fit.params / np.sqrt(off @ covariance @ off)
        assert abs(t_value) == pytest.approx(2.1447866879, rel=1e-8)


def test_exchanged_preparations_give_the_reciprocal_and_units_do_not_matter():
    given = wells(3)
    names = [given.names[one] for one in given.of]
    one = slope_ratio(given).potency["T"].figure
    other = slope_ratio(assay(names, given.dose * 7, given.response * 3 + 2, standard="T"))
    assert other.potency["S"].figure.value == pytest.approx(1 / one.value)
    assert other.potency["S"].figure.upper == pytest.approx(1 / one.lower)


def test_blocks_are_taken_off():
    found = slope_ratio(wells(4, blocks=True))
    assert found.anova["blocks"].df == 2
    assert found.df == 12


def test_what_cannot_be_a_slope_ratio_is_refused():
    with pytest.raises(InvalidInput, match="no sample"):
        slope_ratio(assay(["S"] * 4, [0, 1, 1, 0], [1, 2, 3, 4]))
    with pytest.raises(NotEstimable, match="no dose above 0"):
        slope_ratio(assay(["S", "T", "T", "T"], [0, 1, 2, 2], [1, 2, 3, 4]))
    with pytest.raises(NotEstimable, match="degree of freedom"):
        slope_ratio(assay(["S", "T", "S", "T"], [1, 1, 2, 2], [1, 2, 3, 5]))


def crossed(seed=1):
    """Twin cross-over: eight subjects in each of four groups, two days."""
    rng = np.random.default_rng(seed)
    groups = [
        (("S", 1), ("T", 2)),
        (("S", 2), ("T", 1)),
        (("T", 1), ("S", 2)),
        (("T", 2), ("S", 1)),
    ]
    rows = []
    for group in groups:
        for _ in range(8):
            subject = rng.normal(0, 5)
            who = len(rows) // 2
            for day, (name, dose) in enumerate(group):
                mean = 100 - 30 * np.log(dose * (1.1 if name == "T" else 1.0)) + 3 * day
                rows.append((name, float(dose), mean + subject + rng.normal(0, 2), who, day))
    names, doses, y, subject, day = zip(*rows, strict=True)
    return list(names), list(doses), list(y), [list(subject), list(day)]


def test_a_cross_over_splits_its_errors():
    """The rows and degrees of freedom of Ph. Eur. 5.3, 5.1.5: 28 between and 28 within."""
    names, doses, y, blocks = crossed()
    found = cross_over(assay(names, doses, y, blocks=blocks))
    df = {name: line.df for name, line in found.anova.items()}
    assert df["residual between subjects"] == df["residual within subjects"] == 28
    assert (df["subjects"], df["total"]) == (31, 63)
    inner = ("preparations", "regression", "periods", "periods x non-parallelism")
    outer = ("non-parallelism", "periods x preparations", "periods x regression")
    assert [df[one] for one in inner] == [1] * 4
    assert [df[f"{one} (between)"] for one in outer] == [1] * 3
    whole = sum(found.anova[one].ss for one in (*inner, "residual within subjects", "subjects"))
    assert whole == pytest.approx(found.anova["total"].ss)
    between = sum(found.anova[f"{one} (between)"].ss for one in outer)
    assert between + found.anova["residual between subjects"].ss == pytest.approx(
        found.anova["subjects"].ss
    )
    one = found.potency["T"].figure
    assert (one.df, found.df) == (28, 28)
    assert 0.9 < one.lower < 1.1 < one.upper * 1.05


def test_a_cross_over_needs_subject_and_period():
    names, doses, y, blocks = crossed()
    with pytest.raises(InvalidInput, match="subject and period"):
        cross_over(assay(names, doses, y, blocks=blocks[:1]))
