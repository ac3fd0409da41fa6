"""Robust location and scale: what most lots say, whatever a few of them do.

Huber 1981 (Robust Statistics, 6.4: proposal 2); ISO 13528:2015 annex C (algorithm A, Q method);
Rousseeuw and Croux 1993 (JASA 88:1273: Sn and Qn); Hampel 1974 (MAD). Every scale carries the
factor that makes it estimate sigma of normal data; small-sample factors are named.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import NotEstimable
from batchqc.statistics.checks import one_of, positive
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import Floats, spread, values_of

_ASSUMED: Final = ("most values come from one symmetric, about normal population",)
#: Makes the median absolute deviation estimate sigma: 1.4826.
MAD_FACTOR: Final = 1 / NormalDist().inv_cdf(0.75)
_QN_FACTOR: Final = 1 / (math.sqrt(2) * NormalDist().inv_cdf(0.625))
#: ISO 13528:2015 C.5.4 (Croux and Rousseeuw; robustbase) for 2 to 12 values.
_QN_SMALL: Final = (0.399356, 0.99365, 0.51321, 0.84401, 0.6122, 0.85877, 0.66993, 0.87344,
                    0.72014, 0.88906, 0.75743)  # fmt: skip
#: Croux and Rousseeuw 1992 for 2 to 9 values.
_QN_1992: Final = (0.399, 0.994, 0.512, 0.844, 0.611, 0.857, 0.669, 0.872)
_SN_SMALL: Final = (0.743, 1.851, 0.954, 1.351, 0.993, 1.198, 1.005, 1.131)


@dataclass(frozen=True, slots=True)
class Robust:
    """Location and scale.

    Args:
        location: of the population.
        scale: that estimates sigma.
        steps: iterations until nothing changed.
        standard_uncertainty: of the location, 1.25 scale / sqrt(n) (ISO 13528:2015, 7.7.3).
    """

    location: Figure
    scale: Figure
    steps: int
    standard_uncertainty: float


def huber_proposal_2(values: ArrayLike, *, k: float = 1.5) -> Robust:
    """Location and scale together; deviations beyond ``k`` scales are pulled in.

    Args:
        values: at least 3, of which more than half differ.
        k: in scales; 1.5.

    Raises:
        NotEstimable: too few values, or half of them equal; the iteration did not converge.
    """
    inside = 2 * float(scipy.special.ndtr(positive(k, "k"))) - 1
    density = math.exp(-k * k / 2) / math.sqrt(2 * math.pi)
    beta = inside + k * k * (1 - inside) - 2 * k * density
    return _winsorised(values, k, 1 / math.sqrt(beta), f"Huber proposal 2, k = {k:g} (Huber 1981)")


def algorithm_a(values: ArrayLike) -> Robust:
    """Location and scale of ISO 13528:2015 C.3: k = 1.5 and the factor 1.134 of the standard.

    Raises:
        NotEstimable: too few values, or half of them equal; the iteration did not converge.
    """
    return _winsorised(values, 1.5, 1.134, "algorithm A (ISO 13528:2015, C.3.1)")


def huber_location(values: ArrayLike, *, k: float = 1.5) -> Figure:
    """Location with the scale held at the scaled MAD (Huber 1981, 6.4).

    Raises:
        NotEstimable: too few values, or half of them equal.
    """
    found = values_of(values, at_least=3)
    at, scale, width = float(np.median(found)), _mad(found), positive(k, "k")
    for _ in range(10_000):
        new = float(np.clip(found, at - width * scale, at + width * scale).mean())
        if abs(new - at) <= 1e-14 * scale:
            break
        at = new
    name = f"Huber M-estimate, k = {k:g}, scale MAD (Huber 1981)"
    return Figure("location", at, name, found.size, assumptions=_ASSUMED)


def mad(values: ArrayLike, *, scaled: bool = True) -> Figure:
    """Median absolute deviation from the median, times 1.4826 if scaled.

    Raises:
        NotEstimable: fewer than 2 values, or half of them equal.
    """
    found = values_of(values, at_least=2)
    value = _mad(found) / (1 if scaled else MAD_FACTOR)
    return _scale("MAD, scaled" if scaled else "MAD", value, "MAD (Hampel 1974)", found.size)


def iqr(values: ArrayLike, *, scaled: bool = True, quartiles: str = "linear") -> Figure:
    """Interquartile range, divided by 1.349 if scaled.

    Args:
        values: at least 4.
        scaled: whether it is to estimate sigma.
        quartiles: rule of :func:`numpy.quantile`; ``linear`` is R's type 7.

    Raises:
        NotEstimable: too few values.
    """
    found = values_of(values, at_least=4)
    one_of(quartiles, ("linear", "weibull", "median_unbiased", "hazen"), "quartiles")
    q1, q3 = np.quantile(found, [0.25, 0.75], method=quartiles)  # type: ignore[call-overload]  # the names are those of NumPy
    value = float(q3 - q1) / (2 * float(scipy.special.ndtri(0.75)) if scaled else 1)
    return _scale("IQR, scaled" if scaled else "IQR", value, f"quartiles {quartiles}", found.size)


def qn(values: ArrayLike, *, correction: str = "iso13528") -> Figure:
    """Qn: an early quantile of the distances between all pairs; no location is needed.

    Args:
        values: at least 2, up to 5000.
        correction: for small samples: ``iso13528`` (2015, C.5.4), ``1992`` (Croux and Rousseeuw,
            with factor 2.2219) or ``none``.

    Raises:
        NotEstimable: too few values or too many.
    """
    found = _limited(values)
    one_of(correction, ("iso13528", "1992", "none"), "correction")
    n = found.size
    half = n // 2 + 1
    apart = np.abs(found[:, None] - found[None, :])[np.triu_indices(n, 1)]
    k = half * (half - 1) // 2 - 1
    raw = float(np.partition(apart, k)[k])
    factor = {"iso13528": _QN_FACTOR * _qn_iso(n), "1992": 2.2219 * _qn_1992(n),
              "none": _QN_FACTOR}[correction]  # fmt: skip
    method = f"Qn (Rousseeuw and Croux 1993), small samples: {correction}"
    return _scale("Qn", factor * raw, method, n)


def sn(values: ArrayLike, *, corrected: bool = True) -> Figure:
    """Sn: low median of the high medians of the distances from each value.

    Args:
        values: at least 2, up to 5000.
        corrected: for small samples (Croux and Rousseeuw 1992).

    Raises:
        NotEstimable: too few values or too many.
    """
    found = _limited(values)
    n = found.size
    high = np.sort(np.abs(found[:, None] - found[None, :]), axis=1)[:, n // 2]
    raw = float(np.sort(high)[(n + 1) // 2 - 1])
    small = _SN_SMALL[n - 2] if n <= 9 else n / (n - 0.9) if n % 2 else 1.0
    method = "Sn (Rousseeuw and Croux 1993)"
    return _scale("Sn", 1.1926 * raw * (small if corrected else 1.0), method, n)


def _winsorised(values: ArrayLike, k: float, factor: float, method: str) -> Robust:
    found = spread(values_of(values, at_least=3), "values")
    n, at, scale = found.size, float(np.median(found)), _mad(found)
    for step in range(1, 100_001):
        pulled = np.clip(found, at - k * scale, at + k * scale)
        new = float(pulled.mean())
        wide = factor * math.sqrt(float(np.sum((pulled - new) ** 2)) / (n - 1))
        done = max(abs(new - at), abs(wide - scale)) <= 1e-13 * scale
        at, scale = new, wide
        if done:
            uncertainty = 1.25 * scale / math.sqrt(n)
            return Robust(Figure("location", at, method, n, assumptions=_ASSUMED),
                          _scale("scale", scale, method, n), step, uncertainty)  # fmt: skip
        if scale <= 1e-12 * np.ptp(found):
            break
    raise NotEstimable("BQC-STA-002", "the robust scale did not settle: the values clump")


def _mad(found: Floats) -> float:
    value = MAD_FACTOR * float(np.median(np.abs(found - np.median(found))))
    if value <= 16 * np.finfo(np.float64).eps * np.max(np.abs(found)):
        raise NotEstimable(
            "BQC-STA-001", "half of the values or more are equal: their robust scale is zero"
        )
    return value


def _limited(values: ArrayLike) -> Floats:
    found = values_of(values, at_least=2)
    if found.size > 5000:
        raise NotEstimable("BQC-STA-001", f"{found.size} values: all pairs of at most 5000")
    return found


def _qn_iso(n: int) -> float:
    if n <= 12:
        return _QN_SMALL[n - 2]
    odd = 1.60188 + (-2.1284 - 5.172 / n) / n
    even = 3.67561 + (1.9654 + (6.987 - 77 / n) / n) / n
    return 1 / (1 + (odd if n % 2 else even) / n)


def _qn_1992(n: int) -> float:
    return _QN_1992[n - 2] if n <= 9 else n / (n + (1.4 if n % 2 else 3.8))


def _scale(name: str, value: float, method: str, n: int) -> Figure:
    return Figure(name, value, method, n, assumptions=_ASSUMED)
