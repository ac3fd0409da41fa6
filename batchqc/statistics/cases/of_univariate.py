"""Cases of mean, standard deviation and autocorrelation."""

from typing import Final

from scipy import stats

from batchqc.statistics.anova import variance_interval
from batchqc.statistics.attribute_charts import rate_figure, share_figure
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.picking import (
    alpha_of,
    confidence_in,
    ends,
    if_estimable,
    needed,
    pick,
    present,
    says,
    under,
)
from batchqc.statistics.univariate import lag1, mean, standard_deviation


def _univariate(given: Given) -> Answer:
    data = present(needed(given, "y", "x", "values", "data"))
    level = confidence_in(given, 0.95)
    middle, sd = mean(data, confidence=level), standard_deviation(data, confidence=level)
    answer = under(middle, "mean", "xbar", "average") | under(sd, "sd", "s", "stdev", "std")
    answer |= under(ends(middle), "mean_ci", "mean_ci95", "mean_ci90", "mean_ci99")
    answer |= under(ends(sd), "sd_ci", "sd_ci95", "sd_ci90", "sd_ci99")
    r1 = if_estimable(lambda: lag1(data))
    return answer | under(r1, "r1", "lag1", "autocorrelation", "acf1") | {"n": middle.n}


def _interval(given: Given) -> Answer:
    """Of a mean, or of a variance or standard deviation, from values or from what they gave."""
    data = pick(given, "y", "x", "values", "data")
    level = confidence_in(given, 1 - alpha_of(given))
    spread = says(given, "variance", "standard deviation", "sigma", " sd", "chi-square", "chi2")
    if isinstance(data, list):
        data = present(data)
        one = (standard_deviation if spread else mean)(data, confidence=level)
        low, high, value = one.lower, one.upper, one.value
    else:
        n = float(needed(given, "n", "N"))
        variance = pick(given, "variance", "var", "s2")
        sd = float(variance) ** 0.5 if variance is not None else float(needed(given, "sd", "s"))
        low, high = (end**0.5 for end in variance_interval(sd * sd, n - 1, level))
        value = sd
        if not spread:
            value = float(needed(given, "mean", "xbar"))
            half = float(stats.t.isf((1 - level) / 2, n - 1)) * sd / n**0.5
            low, high = value - half, value + half
    if says(given, "variance") and low is not None and high is not None:
        low, high, value = low**2, high**2, value**2
    answer = under([low, high], "ci", "ci95", "ci90", "ci99", "interval", "limits")
    return answer | {"lower": low, "upper": high} | under(value, "estimate", "mean", "sd", "s")


def _exact(given: Given) -> Answer:
    """Of a share, or of a rate, of events."""
    events = float(needed(given, "x", "events", "k", "count", "c", "d", "D"))
    level = confidence_in(given, 1 - alpha_of(given))
    if says(given, "poisson", "rate", "garwood"):
        units = float(pick(given, "units", "n", "t", "exposure", default=1.0))
        found = rate_figure(events, units, n=1, confidence=level)
        one_sided = rate_figure(events, units, n=1, confidence=2 * level - 1)
    else:
        items = float(needed(given, "n", "N", "trials"))
        found = share_figure(events, items, confidence=level)
        one_sided = share_figure(events, items, confidence=2 * level - 1)
    answer = under(ends(found), "ci", "ci95", "ci90", "ci99", "interval")
    answer |= under(one_sided.upper, "upper_one_sided", "upper_bound")
    answer |= under(one_sided.lower, "lower_one_sided", "lower_bound")
    return answer | {"lower": found.lower, "upper": found.upper, "estimate": found.value,
                     "p": found.value, "rate": found.value}  # fmt: skip


METHODS: Final = (
    CaseMethod(("univariate",), _univariate),
    *(CaseMethod(("confidence", word), _interval) for word in (
        "mean", "variance", "standard deviation", "sigma")),
    *(CaseMethod(words, _exact) for words in (
        ("clopper",), ("binomial", "confidence"), ("binomial", "interval"), ("poisson", "interval"),
        ("poisson", "confidence"), ("garwood",))),
)  # fmt: skip
