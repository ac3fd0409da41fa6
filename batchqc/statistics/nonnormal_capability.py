"""Capability without normality: by percentiles of a fitted distribution (ISO 22514-2)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.capability import SpecLimits
from batchqc.statistics.figures import Figure
from batchqc.statistics.johnson import fit_johnson
from batchqc.statistics.pearson import Pearson
from batchqc.statistics.values import Floats, measurable, positive, values_of

#: The ends of a normal spread of ± 3 standard deviations.
LOW, HIGH = 0.0013498980316301035, 0.9986501019683699


class Distribution(Protocol):
    """What the percentile method needs of a distribution."""

    def quantile(self, p: float) -> float:
        """Value below which a part p lies."""
        ...

    def below(self, value: float) -> float:
        """Part that lies below a value."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """A distribution of SciPy with its parameters."""

    frozen: Any  # SciPy has no types

    def quantile(self, p: float) -> float:
        """Value below which a part p lies."""
        return float(self.frozen.ppf(p))

    def below(self, value: float) -> float:
        """Part that lies below a value."""
        return float(self.frozen.cdf(value))


@dataclass(frozen=True, slots=True)
class PercentileCapability:
    """Indices by percentiles: Pp, Ppu, Ppl, Ppk; quantiles they rest on; fractions beyond."""

    indices: Mapping[str, Figure]
    quantiles: tuple[float, float, float]
    beyond: Mapping[str, float]


def known(name: str, **parameters: float) -> Known:
    """A distribution by name: normal(mean, sd), lognormal(mu, sigma), weibull and gamma(shape,
    scale), exponential(scale).

    Raises:
        InvalidInput: the name or a parameter is unknown, or a scale is not above 0.
    """  # noqa: D205 - a list of signatures
    makers: dict[str, Callable[..., object]] = {
        "normal": lambda mean, sd: stats.norm(mean, positive(sd, "sd")),
        "lognormal": lambda mu, sigma: stats.lognorm(positive(sigma, "sigma"), scale=math.exp(mu)),
        "weibull": lambda shape, scale: stats.weibull_min(
            positive(shape, "shape"), scale=positive(scale, "scale")
        ),
        "gamma": lambda shape, scale: stats.gamma(
            positive(shape, "shape"), scale=positive(scale, "scale")
        ),
        "exponential": lambda scale: stats.expon(scale=positive(scale, "scale")),
    }
    if name not in makers:
        raise InvalidInput("BQC-STA-003", f"unknown distribution: {name}")
    try:
        return Known(makers[name](**parameters))
    except TypeError:
        raise InvalidInput("BQC-STA-003", f"{name} has other parameters than given") from None


def fit(data: ArrayLike, name: str) -> Distribution:
    """Fit a distribution by name: those of `known` by maximum likelihood (normal and lognormal with
    n - 1), ``pearson`` by moments (Clements), ``johnson`` by percentiles, ``empirical``.

    Raises:
        NotEstimable: too few values, or none of this family fits.
        InvalidInput: the name is unknown, or a value is missing or not above 0.
    """  # noqa: D205 - one list of names
    found = measurable(values_of(data, at_least=3), "values")
    if name not in _FITS:
        raise InvalidInput("BQC-STA-003", f"unknown distribution: {name}")
    if name in {"lognormal", "weibull", "gamma", "exponential"} and np.any(found <= 0):
        raise InvalidInput("BQC-STA-003", f"a {name} distribution has values above 0 only")
    return _FITS[name](found)


def percentile_capability(
    data: ArrayLike | None,
    spec: SpecLimits,
    *,
    distribution: str | Distribution = "lognormal",
) -> PercentileCapability:
    """Pp, Ppu, Ppl and Ppk by the percentiles 0.135 %, 50 % and 99.865 % of a distribution.

    No interval is given: fitted tails are known worse than any formula tells. For lognormal values
    `batchqc.statistics.capability.capability` on the ln scale has exact intervals.

    Source: ISO 22514-2:2017, section 6 (percentile method); Clements 1989 for Pearson curves.

    Args:
        data: of shape (n,); None where the distribution is given with its parameters.
        spec: limits.
        distribution: a name as `fit` knows it, or a distribution.

    Raises:
        NotEstimable: too few values, or none of this family fits.
        InvalidInput: data are missing where a name was given, or not of this family.
    """
    if isinstance(distribution, str):
        if data is None:
            raise InvalidInput("BQC-STA-003", "data are needed to fit a distribution")
        curve, told = fit(data, distribution), distribution
    else:
        curve, told = distribution, "given distribution"
    n = 0 if data is None else values_of(data).size
    low, middle, high = (curve.quantile(one) for one in (LOW, 0.5, HIGH))
    method = f"percentiles of the {told} (ISO 22514-2)"
    indices = _indices(spec, (low, middle, high))
    return PercentileCapability(
        {
            name: Figure(
                name, value, method, n, assumptions=(f"values follow the {told}", "stable process"),
                limitations=("no interval: the fitted tails are the least certain part",),
            )
            for name, value in indices.items()
        },
        (low, middle, high),
        _fractions(curve, spec),
    )  # fmt: skip


def _indices(spec: SpecLimits, ends: tuple[float, float, float]) -> dict[str, float]:
    low, middle, high = ends
    made = {}
    if spec.lsl is not None and spec.usl is not None:
        made["Pp"] = (spec.usl - spec.lsl) / (high - low)
    if spec.usl is not None:
        made["Ppu"] = (spec.usl - middle) / (high - middle)
    if spec.lsl is not None:
        made["Ppl"] = (middle - spec.lsl) / (middle - low)
    made["Ppk"] = min(made[name] for name in ("Ppu", "Ppl") if name in made)
    return made


def _fractions(curve: Distribution, spec: SpecLimits) -> dict[str, float]:
    made = {}
    if spec.lsl is not None:
        made["below"] = curve.below(spec.lsl)
    if spec.usl is not None:
        made["above"] = 1 - curve.below(spec.usl)
    return made | {"total": sum(made.values())}


class _Empirical:
    def __init__(self, found: Floats) -> None:
        if found.size < 100:
            raise NotEstimable(
                "BQC-STA-001",
                f"{found.size} values: their own extreme percentiles need at least 100",
            )
        self._found = np.sort(found)

    def quantile(self, p: float) -> float:
        return float(np.quantile(self._found, p, method="weibull"))

    def below(self, value: float) -> float:
        return float(np.mean(self._found < value))


def _normal(found: Floats) -> Distribution:
    return known("normal", mean=float(found.mean()), sd=float(found.std(ddof=1)))


def _lognormal(found: Floats) -> Distribution:
    logs = np.log(found)
    return known("lognormal", mu=float(logs.mean()), sigma=float(logs.std(ddof=1)))


def _weibull(found: Floats) -> Distribution:
    top = float(found.max())
    logs = np.log(found / top)

    def slope(shape: float) -> float:
        powers = np.exp(shape * logs)
        return float(powers @ logs / powers.sum() - 1 / shape - logs.mean())

    shape = _root(slope)
    scale = top * float(np.mean(np.exp(shape * logs))) ** (1 / shape)
    return known("weibull", shape=shape, scale=scale)


def _gamma(found: Floats) -> Distribution:
    gap = float(np.log(found.mean()) - np.log(found).mean())
    shape = _root(lambda a: gap - float(np.log(a) - special.digamma(a)))
    return known("gamma", shape=shape, scale=float(found.mean()) / shape)


def _root(slope: Callable[[float], float]) -> float:
    if slope(1e-3) >= 0 or slope(1e6) <= 0:
        raise NotEstimable("BQC-STA-002", "the likelihood of the distribution has no maximum")
    return float(optimize.brentq(slope, 1e-3, 1e6, xtol=1e-12, rtol=1e-13))


def _exponential(found: Floats) -> Distribution:
    return known("exponential", scale=float(found.mean()))


def _pearson(found: Floats) -> Distribution:
    sd = float(found.std(ddof=1))
    if found.size < 4:
        raise NotEstimable("BQC-STA-001", "four moments need at least 4 values")
    n, centre = found.size, float(found.mean())
    z = (found - centre) / float(found.std())
    skew = math.sqrt(n * (n - 1)) / (n - 2) * float(np.mean(z**3))
    excess = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (float(np.mean(z**4)) - 3) + 6)
    return Pearson(centre, sd, skew, excess + 3)


_FITS: Final[Mapping[str, Callable[[Floats], Distribution]]] = {
    "normal": _normal,
    "lognormal": _lognormal,
    "weibull": _weibull,
    "gamma": _gamma,
    "exponential": _exponential,
    "pearson": _pearson,
    "johnson": fit_johnson,
    "empirical": _Empirical,
}
