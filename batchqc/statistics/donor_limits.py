"""Is this lot odd for this donor? Limits for lots of known and of new donors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.figures import Figure
from batchqc.statistics.levels import Labels, factor
from batchqc.statistics.reml import MixedFit, fit_mixed
from batchqc.statistics.reml_state import FitState
from batchqc.statistics.values import Floats, fraction_of, measurable, values_of

_KNOWN: Final = "BLUP of the donor and its prediction error variance (Henderson 1975), t"
_NEW: Final = "total variance and that of the mean, t with Satterthwaite df"
_WITHIN: Final = "donor mean ± t s sqrt(1 + 1/n), s pooled within donors"
_ASSUMED: Final = (
    "normal donors and lots on this scale",
    "donors drawn at random",
    "one lot variance for all donors",
)


@dataclass(frozen=True, slots=True)
class DonorLimits:
    """Where the next lot will lie.

    Args:
        known: by donor: the predicted value of its next lot, with limits.
        new: the same for a donor who gave no lot yet.
        icc: part of the variance that lies between donors.
        fit: the mixed model.
    """

    known: Mapping[str, Figure]
    new: Figure
    icc: float
    fit: MixedFit


def donor_limits(data: ArrayLike, donors: Labels, *, conf: float = 0.95) -> DonorLimits:
    """Prediction limits for one lot of each known donor, and of a new donor.

    A donor with few lots is drawn towards the mean of all donors, as far as lots vary more than
    donors. The degrees of freedom count the uncertainty of the variance components.

    Source: Henderson 1975 (Biometrics 31:423) for the prediction error variance; Satterthwaite df
    by Fai and Cornelius 1996.

    Args:
        data: one value per lot, of shape (n,), on the scale that is declared for the attribute.
        donors: n labels.
        conf: that the next lot lies within.

    Raises:
        NotEstimable: fewer than 5 donors, or no donor with two lots, or lots do not vary within
            donors.
        InvalidInput: a value or a label is missing.
    """
    found = measurable(values_of(data, at_least=6), "values")
    fraction_of(conf, "confidence")
    donor = factor("donor", donors, found.size)
    if len(donor.names) < 5:
        raise NotEstimable(
            "BQC-STA-001",
            f"{len(donor.names)} donors: their variation is not estimable below 5",
            hint="Use within_donor_limits, which looks at each donor's own lots only.",
        )
    fit = fit_mixed(found, {"donor": donors}, conf=conf, intervals=False)
    made = _Maker(fit.state, fit.fixed["intercept"].value, conf)
    between, error = (one.value for one in fit.components.values())
    return DonorLimits(
        {
            name: made.known(name, at, fit.blups["donor"][name])
            for at, name in enumerate(donor.names)
        },
        made.new(),
        between / (between + error),
        fit,
    )


def within_donor_limits(
    data: ArrayLike, donors: Labels, *, conf: float = 0.95
) -> dict[str, Figure]:
    """Prediction limits for the next lot of each donor from its own mean; any number of donors.

    Source: two-sided t prediction of a one-way fixed model with pooled variance (Hahn and Meeker
    1991, section 4.7, with the df of the pooled variance).

    Raises:
        NotEstimable: no donor has two lots, or lots do not vary within donors.
        InvalidInput: a value or a label is missing.
    """
    found = measurable(values_of(data, at_least=2), "values")
    donor = factor("donor", donors, found.size)
    df = found.size - len(donor.names)
    if df < 1:
        raise NotEstimable("BQC-STA-001", "no donor has two lots: nothing to compare a lot with")
    means = np.bincount(donor.codes, weights=found) / donor.counts
    off = found - means[donor.codes]
    sd = math.sqrt(math.fsum(off * off) / df)
    if sd <= 1e-14 * float(np.abs(found).max()):
        raise NotEstimable("BQC-STA-001", "lots do not vary within donors")
    reach = float(stats.t.ppf((1 + fraction_of(conf, "confidence")) / 2, df)) * sd
    made = {}
    for name, mean, n in zip(donor.names, means.tolist(), donor.counts.tolist(), strict=True):
        half = reach * math.sqrt(1 + 1 / n)
        made[name] = Figure(
            f"next lot of {name}", mean, _WITHIN, n, mean - half, mean + half, conf, df, _ASSUMED
        )
    return made


def lot_deviation(value: float, limits: Figure) -> float:
    """How far a lot lies off its donor, in half widths of the limits: beyond ±1 is odd.

    Raises:
        InvalidInput: the figure has no limits, or the value is not finite.
    """
    if limits.lower is None or limits.upper is None or not math.isfinite(value):
        raise InvalidInput("BQC-STA-003", "a finite value and two limits are needed")
    return (value - limits.value) / ((limits.upper - limits.lower) / 2)


@dataclass(frozen=True, slots=True)
class _Maker:
    state: FitState
    mean: float
    conf: float

    def known(self, name: str, at: int, blup: float) -> Figure:
        variance = self.next_of(self.state, at)
        gradient = self._slope(at)
        limitations = () if self.state.variances[0] > 1e-10 else (
            "donors do not differ as far as these data tell: every donor has the mean of all",
        )  # fmt: skip
        df = self.state.freedom(variance, gradient)
        told = f"next lot of {name}"
        n = int(self.state.factors[0].counts[at])
        return self._figure(told, self.mean + blup, (variance, df, _KNOWN, n), limitations)

    def new(self) -> Figure:
        weights = np.ones(1)
        fixed = float(self.state.fixed_covariance[0, 0])
        variance = fixed + float(self.state.variances.sum())
        gradient = self.state.fixed_gradient(weights) + 1
        df = self.state.freedom(variance, gradient)
        sizes = (variance, df, _NEW, self.state.likelihood.n)
        return self._figure("lot of a new donor", self.mean, sizes, ())

    @staticmethod
    def next_of(state: FitState, at: int) -> float:
        """Variance of a next lot about its prediction, on the inner scale."""
        between, error = (float(one) for one in state.variances)
        n = float(state.factors[0].counts[at])
        shrunk = n * between / (n * between + error)
        fixed = float(state.fixed_covariance[0, 0])
        return error + between * (1 - shrunk) + fixed * (1 - shrunk) ** 2

    def _slope(self, at: int) -> Floats:
        """Derivative in each variance of the variance of a next lot, by central differences."""
        found = np.zeros(2)
        for place in range(2):
            step = 1e-5 * max(float(self.state.variances[place]), 1e-6)
            ends = []
            for sign in (1, -1):
                moved = self.state.variances.copy()
                moved[place] = max(moved[place] + sign * step, 0.0)
                ends.append((self.next_of(self.state.moved(moved), at), float(moved[place])))
            found[place] = (ends[0][0] - ends[1][0]) / (ends[0][1] - ends[1][1])
        return found

    def _figure(
        self, name: str, value: float, sizes: tuple[float, float, str, int], told: tuple[str, ...]
    ) -> Figure:
        variance, df, method, n = sizes
        half = float(stats.t.ppf((1 + self.conf) / 2, df)) * math.sqrt(variance) * self.state.scale
        ends = (value - half, value + half)
        return Figure(name, value, method, n, *ends, self.conf, df, _ASSUMED, told)
