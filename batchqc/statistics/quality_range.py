"""Quality range: how many new lots lie within ``mean +- k SD`` of the old ones, and what that says.

FDA draft guidance on comparative analytical assessment (2019) and EMA/CHMP/138502/2017. The
operating characteristic is exact for normal data: the chance that new lots lie inside limits from
n old lots is an integral over their mean and standard deviation. It shows that a range is easier
to pass the fewer new lots there are.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.checks import positive
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, spread, values_of

_METHOD: Final = "quality range, mean ± k SD of reference lots"
_OC: Final = "operating characteristic of a quality range, exact normal integral"
_ASSUMED: Final = ("lots are independent", "reference lots are normal")


@dataclass(frozen=True, slots=True)
class QualityRange:
    """Of reference lots, and the new lots against it.

    Args:
        centre: mean of the reference lots, with the limits as its lower and upper end.
        sd: of the reference lots.
        inside: whether each new lot lies within.
        share: of new lots within, with its exact binomial interval of confidence 95 %.
    """

    centre: Figure
    sd: float
    inside: tuple[bool, ...]
    share: Figure

    @property
    def outside(self) -> tuple[int, ...]:
        """Places of the new lots outside, from 1."""
        return tuple(place for place, one in enumerate(self.inside, 1) if not one)


def quality_range(
    reference: ArrayLike, new: ArrayLike, *, k: float = 3.0, required: float = 0.9
) -> QualityRange:
    """Lots of a new process against the range of those of the old one.

    Args:
        reference: values of the old lots; at least 2, better 10.
        new: values of the new lots.
        k: width of the range in standard deviations.
        required: share of new lots that somebody wants inside; used in the limitation only.

    Raises:
        NotEstimable: fewer than 2 reference lots, or all equal; no new lot.
    """
    old = spread(values_of(reference, "reference", at_least=2), "reference")
    lots = values_of(new, "new", at_least=1)
    mean, sd = float(old.mean()), float(old.std(ddof=1))
    half = positive(k, "k") * sd
    inside = (np.abs(lots - mean) <= half).tolist()
    count, m = sum(inside), lots.size
    low = float(stats.beta.ppf(0.025, count, m - count + 1)) if count else 0.0
    high = float(stats.beta.ppf(0.975, count + 1, m - count)) if count < m else 1.0
    same = pass_probability(old.size, m, k=k, required=required).value
    worse = pass_probability(old.size, m, k=k, required=required, shift=1.0).value
    said = f"lots of the same process pass with probability {same:.2f}; 1 SD away {worse:.2f}"
    return QualityRange(
        Figure("quality range", mean, _METHOD, old.size, mean - half, mean + half,
               assumptions=_ASSUMED, limitations=("limits are no interval of the mean",)),
        sd,
        tuple(inside),
        Figure("share inside", count / m, "exact binomial (Clopper and Pearson 1934)", m, low,
               high, 0.95, assumptions=("lots are independent",), limitations=(said,)),
    )  # fmt: skip


def pass_probability(
    n: int,
    m: int,
    *,
    k: float = 3.0,
    required: float = 1.0,
    shift: float = 0.0,
    sd_ratio: float = 1.0,
) -> Figure:
    """Probability that at least the required share of m new lots lies inside.

    Args:
        n: reference lots, at least 2.
        m: new lots.
        k: width of the range in standard deviations.
        required: share of the new lots that must lie inside.
        shift: of the mean of the new process, in SD of the old one.
        sd_ratio: SD of the new process over that of the old one.

    Raises:
        NotEstimable: n below 2 or m below 1.
        InvalidInput: k or sd_ratio not above zero; a share beyond 0 to 1.
    """
    if n < 2 or m < 1:
        raise NotEstimable("BQC-STA-001", f"{n} reference and {m} new lots: 2 and 1 are needed")
    if not (0 <= required <= 1 and math.isfinite(shift)):
        raise InvalidInput("BQC-STA-003", f"share {required} or shift {shift} is none")
    width, ratio = positive(k, "k"), positive(sd_ratio, "sd_ratio")
    least = math.ceil(required * m - 1e-9)
    nodes, weights = special.roots_hermitenorm(60)
    centre = nodes / math.sqrt(n)
    s, by_s = _scale_nodes(n - 1)
    reach = width * s[:, None]
    p = special.ndtr((centre + reach - shift) / ratio) - special.ndtr(
        (centre - reach - shift) / ratio
    )
    passing = stats.binom.sf(least - 1, m, np.clip(p, 0.0, 1.0))
    value = float(by_s @ passing @ weights / math.sqrt(2 * math.pi))
    return Figure("probability to pass", min(max(value, 0.0), 1.0), _OC, n, assumptions=_ASSUMED)


def _scale_nodes(df: int) -> tuple[Floats, Floats]:
    """Places and weights of s / sigma."""
    first, last = np.sqrt(stats.chi2.ppf([1e-17, 1 - 1e-16], df) / df)
    nodes, weights = special.roots_legendre(200)
    u = first + (last - first) * (nodes + 1) / 2
    return u, weights * 2 * df * u * stats.chi2.pdf(df * u * u, df) * (last - first) / 2
