"""Quantal assays: how many respond at each dose; probit, logit and other links.

Maximum likelihood by iterated reweighted least squares. The limits use the quantile of Gauss while
the model fits; a heterogeneity factor with Student's t is applied only where it is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.bioassay import Assay, assay, factor_of
from batchqc.statistics.fieller import FIELLER, UNBOUNDED, Pair, Ratio, ratio
from batchqc.statistics.figures import Figure
from batchqc.statistics.quantal_links import LINKS, Link, Tolerances, maximum
from batchqc.statistics.values import Floats, values_of

_ASSUMED: Final = ("units respond independently", "tolerances are distributed as the link says")


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of units: their wells (of which the response is the share that responded), and n."""

    wells: Assay
    n: Floats
    responders: Floats


@dataclass(frozen=True, slots=True)
class QuantalAssay:
    """A quantal assay.

    Args:
        coefficients: an intercept for each preparation (standard first), then the common slope per
            unit of ln dose.
        covariance: of the coefficients, with the heterogeneity factor where it was used.
        deviance: likelihood ratio against the saturated model, with ``df``.
        pearson: Pearson's chi-square.
        p_deviance: its upper tail; None without degrees of freedom.
        p_pearson: of Pearson's.
        parallelism: chi-square of separate slopes, its degrees of freedom and p.
        linearity: deviance of separate lines, its degrees of freedom and p.
        heterogeneity: factor by which the variances were multiplied; 1 where none.
        potency: relative potency by sample.
        ed50: median effective dose by preparation, in the unit of the dose.
        ratios: the ratios on the scale of ln, by sample and by preparation ("ED50 S").
        natural: share that responds without a dose.
        fitted: probability of response in each group.
    """

    coefficients: Floats
    covariance: Floats
    deviance: float
    df: int
    pearson: float
    p_deviance: float | None
    p_pearson: float | None
    parallelism: tuple[float, int, float | None]
    linearity: tuple[float, int, float | None]
    heterogeneity: float
    potency: Mapping[str, Figure]
    ed50: Mapping[str, Figure]
    ratios: Mapping[str, Ratio]
    natural: float
    fitted: Floats


@dataclass(frozen=True, slots=True)
class QuantalOptions:
    """How a quantal assay is analysed.

    Args:
        link: probit, logit, cloglog (gompit), loglog or cauchit.
        confidence: of the two-sided intervals.
        heterogeneity: multiply variances by Pearson's chi-square / df (where above 1) and use t.
        natural: share that responds without a dose (Abbott), known; 0 for none.
        response: at which the effective dose is told: 0.5 for the ED50.
    """

    link: str = "probit"
    confidence: float = 0.95
    heterogeneity: bool = False
    natural: float = 0.0
    response: float = 0.5


def groups(
    preparation: Sequence[object],
    dose: ArrayLike,
    n: ArrayLike,
    responders: ArrayLike,
    *,
    standard: str = "S",
) -> Groups:
    """Groups of units, checked.

    Raises:
        InvalidInput: a number is missing, a dose is not positive, or more responded than there
            are; the standard is not there.
    """
    doses, sizes = values_of(dose, "doses"), values_of(n, "group sizes")
    found = values_of(responders, "responders")
    if not doses.size == sizes.size == found.size:
        raise InvalidInput("BQC-STA-003", "doses, group sizes and responders differ in number")
    if np.any(doses <= 0):
        raise InvalidInput(
            "BQC-STA-003",
            "a dose is not positive: it has no logarithm",
            hint="State what responds without a dose as natural response.",
        )
    if np.any(sizes <= 0) or np.any(found < 0) or np.any(found > sizes):
        raise InvalidInput("BQC-STA-003", "responders are not between 0 and the size of the group")
    return Groups(assay(preparation, doses, found / sizes, standard=standard), sizes, found)


def quantal(
    given: Groups,
    options: QuantalOptions | None = None,
    *,
    potency_factor: float | Mapping[str, float] = 1.0,
) -> QuantalAssay:
    """Relative potency and median effective doses from responders.

    Args:
        given: the groups; one preparation alone gives its ED50.
        options: link, confidence, heterogeneity, natural response.
        potency_factor: assumed potency; one for all, or by sample.

    Raises:
        InvalidInput: the link is unknown, or the natural response is not from 0 to below 1.
        NotEstimable: nobody or everybody responds, the responses are separated by the dose, the
            iteration does not converge, or the response does not depend on the dose.

    Source: Ph. Eur. 5.3 section 4; Finney 1971, Probit Analysis; McCullagh & Nelder 1989, 2.5.
    """
    how = options or QuantalOptions()
    _check(given, how)
    x = np.log(given.wells.dose)
    preparations = (given.wells.of[:, None] == np.arange(len(given.wells.names))).astype(float)
    tolerances = Tolerances(given.responders, given.n, how.natural)
    link = LINKS[how.link]
    common = maximum(np.column_stack([preparations, x]), tolerances, link)
    df = x.size - common.coefficients.size
    factor = max(common.pearson / df, 1.0) if how.heterogeneity and df > 0 else 1.0
    between, within = _validity(given, preparations, x, (tolerances, link, common.deviance))
    found = (common.coefficients, common.covariance * factor)
    ratios = _ratios(given, found, how, float(df) if factor > 1 else None)
    return QuantalAssay(
        *found,
        common.deviance,
        df,
        common.pearson,
        _tail(common.deviance, df),
        _tail(common.pearson, df),
        between,
        within,
        factor,
        _potencies(given, ratios, how, potency_factor),
        {
            name: _figure(f"ED{100 * how.response:g} of {name}", given, ratios[f"ED50 {name}"], how)
            for name in given.wells.names
        },
        ratios,
        how.natural,
        common.fitted,
    )


def _check(given: Groups, how: QuantalOptions) -> None:
    if how.link not in LINKS:
        raise InvalidInput("BQC-STA-003", f"link {how.link!r} is none of {', '.join(LINKS)}")
    if not (0 <= how.natural < 1 and 0 < how.response < 1):
        raise InvalidInput("BQC-STA-003", "natural response and response are shares below 1")
    for place, name in enumerate(given.wells.names):
        own = given.wells.of == place
        if np.unique(given.wells.dose[own]).size < 2:
            raise NotEstimable("BQC-STA-001", f"{name!r} has fewer than two doses: no line")
        share = given.responders[own].sum() / given.n[own].sum()
        if share in {0.0, 1.0}:
            who = "nobody" if share == 0 else "every unit"
            raise NotEstimable("BQC-STA-001", f"{who} of {name!r} responded: no dose can be told")


def _validity(
    given: Groups, preparations: Floats, x: Floats, how: tuple[Tolerances, Link, float]
) -> tuple[tuple[float, int, float | None], tuple[float, int, float | None]]:
    """Chi-squares of non-parallelism and of non-linearity, by differences of deviance."""
    tolerances, link, deviance = how
    extra = len(given.wells.names) - 1
    df = int(x.size) - 2 * (extra + 1)
    try:
        own = maximum(np.hstack([preparations, preparations * x[:, None]]), tolerances, link)
    except NotEstimable:
        return (0.0, 0, None), (0.0, 0, None)
    parallel = max(deviance - own.deviance, 0.0)
    return (parallel, extra, _tail(parallel, extra)), (own.deviance, df, _tail(own.deviance, df))


def _tail(square: float, df: int) -> float | None:
    return float(stats.chi2.sf(square, df)) if df > 0 else None


def _ratios(
    given: Groups, found: tuple[Floats, Floats], how: QuantalOptions, df: float | None
) -> dict[str, Ratio]:
    coefficients, covariance = found
    target = LINKS[how.link].quantile(how.response)
    contrasts = {
        f"ED50 {name}": (np.eye(coefficients.size)[place] * -1.0, target)
        for place, name in enumerate(given.wells.names)
    }
    for place, name in enumerate(given.wells.samples, 1):
        one = np.zeros(coefficients.size)
        one[[0, place]] = -1.0, 1.0
        contrasts[name] = (one, 0.0)
    return {
        name: ratio(
            Pair(
                float(one @ coefficients + plus),
                float(coefficients[-1]),
                float(one @ covariance @ one),
                float(one @ covariance[:, -1]),
                float(covariance[-1, -1]),
            ),
            confidence=how.confidence,
            df=df,
        )
        for name, (one, plus) in contrasts.items()
    }


def _potencies(
    given: Groups,
    ratios: Mapping[str, Ratio],
    how: QuantalOptions,
    factors: float | Mapping[str, float],
) -> dict[str, Figure]:
    return {
        name: _figure(
            f"relative potency of {name}", given, ratios[name], how, factor_of(name, factors)
        )
        for name in given.wells.samples
    }


def _figure(
    name: str, given: Groups, found: Ratio, how: QuantalOptions, factor: float = 1.0
) -> Figure:
    if max(abs(one) for one in (found.estimate, found.lower or 0.0, found.upper or 0.0)) > 500:
        raise NotEstimable("BQC-STA-001", f"{name} is beyond every scale: the slope is about 0")
    low, high = (
        None if one is None else float(factor * np.exp(one)) for one in (found.lower, found.upper)
    )
    return Figure(
        name,
        float(factor * np.exp(found.estimate)),
        f"{how.link}, maximum likelihood (Ph. Eur. 5.3, 4); interval: {FIELLER}",
        int(given.n.sum()),
        low,
        high,
        how.confidence,
        found.df,
        _ASSUMED,
        () if found.shape == "bounded" else (UNBOUNDED,),
    )
