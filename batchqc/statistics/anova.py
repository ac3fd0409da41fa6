"""One-way analysis of variance, to the digits of the NIST certified data sets."""

import math
from dataclasses import dataclass
from typing import Final

import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.exact_sums import sequential_squares
from batchqc.statistics.figures import Figure
from batchqc.statistics.levels import Labels, factor
from batchqc.statistics.values import (
    LARGEST,
    fraction_of,
    measurable,
    positive,
    values_of,
)

_METHOD: Final = "one-way ANOVA, exact sums of squares (Montgomery 2017, section 3.3)"
_ASSUMED: Final = ("normal errors", "equal variance in all groups", "independent values")


@dataclass(frozen=True, slots=True)
class OneWay:
    """A one-way table; sums of squares in squared units of the values.

    Args:
        df_between: groups less one.
        df_within: values less groups.
        ss_between: sum of squares between groups.
        ss_within: within groups.
        f: the ratio of mean squares, with its p-value in ``p``.
        p: probability of a ratio at least as large if all groups had one mean.
        r2: part of the total sum of squares that lies between groups.
        resid_sd: standard deviation within groups with its 95 % chi-square interval.
    """

    df_between: int
    df_within: int
    ss_between: float
    ss_within: float
    f: Figure
    p: float
    r2: float
    resid_sd: Figure

    @property
    def ms_between(self) -> float:
        """Mean square between groups."""
        return self.ss_between / self.df_between

    @property
    def ms_within(self) -> float:
        """Mean square within groups."""
        return self.ss_within / self.df_within


def one_way_anova(data: ArrayLike, groups: Labels, *, conf: float = 0.95) -> OneWay:
    """One-way analysis of variance.

    Source: Montgomery, Design and Analysis of Experiments, 2017, section 3.3.

    Args:
        data: of shape (n,).
        groups: n labels.
        conf: confidence of the interval of the standard deviation within groups.

    Raises:
        NotEstimable: there is one group, no group with two values, or no variation in groups.
        InvalidInput: a value or a label is missing, or their numbers differ.
    """
    found = measurable(values_of(data, at_least=3), "values")
    group = factor("group", groups, found.size)
    between, within = len(group.names) - 1, found.size - len(group.names)
    if between < 1 or within < 1:
        raise NotEstimable(
            "BQC-STA-001",
            f"{len(group.names)} groups of {found.size} values: at least two groups are needed, "
            "and one group with two values",
        )
    exact_between, exact_within = sequential_squares(found, [group.codes])
    if not exact_within or not float(exact_within):
        raise NotEstimable(
            "BQC-STA-001", "the values of each group are all equal: F would be infinite"
        )
    ratio = float(exact_between / exact_within * within / between)
    error = float(exact_within) / within
    return OneWay(
        between,
        within,
        float(exact_between),
        float(exact_within),
        Figure("F", ratio, _METHOD, found.size, df=within, assumptions=_ASSUMED),
        float(scipy.stats.f.sf(ratio, between, within)),
        float(exact_between / (exact_between + exact_within)),
        _sd_within(error, within, found.size, conf),
    )


def _sd_within(error: float, df: int, n: int, conf: float) -> Figure:
    lower, upper = variance_interval(error, df, conf)
    sd = math.sqrt(error)
    ends = (math.sqrt(lower), math.sqrt(upper))
    return Figure("SD within groups", sd, _METHOD, n, *ends, conf, df, _ASSUMED)


def variance_interval(variance: float, df: float, conf: float) -> tuple[float, float]:
    """Two-sided chi-square interval of a variance with df degrees of freedom.

    Raises:
        InvalidInput: the variance is negative, df is not above 0, or conf is not within 0 and 1.
        NotEstimable: so few degrees of freedom bound nothing.
    """
    if not 0 <= variance <= LARGEST:
        raise InvalidInput("BQC-STA-003", f"a variance of {variance:g}")
    tail = (1 - fraction_of(conf, "confidence")) / 2
    positive(df, "degrees of freedom")
    low, high = scipy.stats.chi2.isf(tail, df), scipy.stats.chi2.ppf(tail, df)
    if not high > 1 / LARGEST:
        raise NotEstimable("BQC-STA-001", f"{df:g} degrees of freedom bound no variance")
    return df * variance / float(low), df * variance / float(high)
