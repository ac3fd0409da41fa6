"""Constants of control charts from their definitions: no table, every subgroup size."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import numpy as np
import scipy

from batchqc.errors import InvalidInput
from batchqc.statistics.quadrature import legendre
from batchqc.statistics.values import Floats

#: Exact, or rounded as printed tables and programs that use them have it (d2 of 2 as 1.128).
Constants: TypeAlias = Literal["exact", "table"]

#: Larger subgroups are no case for a range.
LARGEST_SUBGROUP: Final = 1000


@dataclass(frozen=True, slots=True)
class ChartConstants:
    """Factors of one subgroup size, as Montgomery's appendix VI and ASTM E2587 name them.

    ``A``, ``A2``, ``A3`` and ``E2``, ``E3`` are halves of the width of a chart of means and of
    individuals, in units of sigma, mean range and mean s; ``B3`` to ``B6`` and ``D1`` to ``D4`` are
    limits of s and R. All but d2, d3, d4, c4 and c5 depend on the width (3 sigma where not said).
    """

    n: int
    width: float
    d2: float
    d3: float
    d4: float
    c4: float

    @property
    def c5(self) -> float:
        """Standard deviation of s, in units of sigma."""
        return float(np.sqrt(1.0 - self.c4**2))

    @property
    def A(self) -> float:
        """Of sigma, for means."""
        return float(self.width / np.sqrt(self.n))

    @property
    def A2(self) -> float:
        """Of the mean range, for means."""
        return self.A / self.d2

    @property
    def A3(self) -> float:
        """Of the mean s, for means."""
        return self.A / self.c4

    @property
    def B3(self) -> float:
        """Of the mean s, lower limit of s."""
        return self.B5 / self.c4

    @property
    def B4(self) -> float:
        """Of the mean s, upper limit of s."""
        return self.B6 / self.c4

    @property
    def B5(self) -> float:
        """Of sigma, lower limit of s."""
        return max(0.0, self.c4 - self.width * self.c5)

    @property
    def B6(self) -> float:
        """Of sigma, upper limit of s."""
        return self.c4 + self.width * self.c5

    @property
    def D1(self) -> float:
        """Of sigma, lower limit of R."""
        return max(0.0, self.d2 - self.width * self.d3)

    @property
    def D2(self) -> float:
        """Of sigma, upper limit of R."""
        return self.d2 + self.width * self.d3

    @property
    def D3(self) -> float:
        """Of the mean range, lower limit of R."""
        return self.D1 / self.d2

    @property
    def D4(self) -> float:
        """Of the mean range, upper limit of R."""
        return self.D2 / self.d2

    @property
    def E2(self) -> float:
        """Of the mean range, for individuals."""
        return self.width / self.d2

    @property
    def E3(self) -> float:
        """Of the mean s, for individuals."""
        return self.width / self.c4


def chart_constants(
    n: int, *, width: float = 3.0, constants: Constants = "exact"
) -> ChartConstants:
    """All constants of a subgroup size.

    Args:
        n: values in the subgroup, 2 to 1000.
        width: of the limits, in sigma.
        constants: ``table`` rounds d2, d3 and d4 to 3 and c4 to 4 decimals, to reproduce charts
            that were drawn with a printed table.

    Raises:
        InvalidInput: n or the width is out of range, or the kind of constants is unknown.
    """
    if constants not in ("exact", "table"):
        raise InvalidInput("BQC-STA-003", f"constants are 'exact' or 'table', not {constants!r}")
    if not 0 < width < 1e6:
        raise InvalidInput("BQC-STA-003", f"a width of {width:g} sigma makes no limits")
    exact = ChartConstants(_size(n), float(width), d2(n), d3(n), d4(n), c4(n))
    if constants == "exact":
        return exact
    return replace(
        exact,
        d2=round(exact.d2, 3),
        d3=round(exact.d3, 3),
        d4=round(exact.d4, 3),
        c4=round(exact.c4, 4),
    )


def d2(n: int) -> float:
    """Mean range of n standard normal values (Tippett 1925; Montgomery, appendix VI)."""
    return _moments(_size(n))[0]


def d3(n: int) -> float:
    """Standard deviation of the range of n standard normal values (Tippett 1925)."""
    return _moments(_size(n))[1]


def d4(n: int) -> float:
    """Median range of n standard normal values; of 2 it is 0.953873 (David 1981, section 8.1)."""
    return _median(_size(n))


def c4(n: float) -> float:
    """Mean standard deviation of n standard normal values, n - 1 in its denominator.

    The square root of 2 / (n - 1) times Gamma(n / 2) / Gamma((n - 1) / 2) (Holtzman 1950).

    Raises:
        InvalidInput: n is not above 1.
    """
    if not 1 < n < 1e12:
        raise InvalidInput("BQC-STA-003", f"c4 is defined for n above 1, not for {n!r}")
    half = (n - 1) / 2
    if half > 50:
        # The expansion of the ratio of gamma functions (Abramowitz and Stegun 6.1.47).
        u = 1 / half
        terms = (1, -1 / 8, 1 / 128, 5 / 1024, -21 / 32768, -399 / 262144, 869 / 4194304)
        return float(np.polynomial.polynomial.polyval(u, terms))
    return float(scipy.special.poch(half, 0.5) / np.sqrt(half))


def range_below(w: float, n: int) -> float:
    """Probability that the range of n standard normal values is at most w (Hartley 1942)."""
    return float(1 - _tail(np.array([max(0.0, float(w))]), _size(n))[0])


def _size(n: object) -> int:
    counted = isinstance(n, int | np.integer) and not isinstance(n, bool)
    whole = counted or (isinstance(n, float) and n.is_integer())
    size = int(n) if whole else 0  # type: ignore[call-overload]  # a number where it is whole
    if not 2 <= size <= LARGEST_SUBGROUP:
        raise InvalidInput(
            "BQC-STA-003",
            f"a subgroup of {n!r} values has no range to chart (2 to {LARGEST_SUBGROUP})",
        )
    return size


@lru_cache(maxsize=2048)
def _moments(n: int) -> tuple[float, float]:
    mean = _mean_range(n)
    w, weight = _of_ranges()
    square = float(2 * np.dot(weight, w * _tail(w, n)))
    return mean, float(np.sqrt(square - mean**2))


def _mean_range(n: int) -> float:
    x, weight = _of_values()
    inside = -np.expm1(n * scipy.special.log_ndtr(x)) - np.exp(n * scipy.special.log_ndtr(-x))
    return float(np.dot(weight, inside))


@lru_cache(maxsize=2048)
def _median(n: int) -> float:
    if n == 2:
        return float(np.sqrt(2) * scipy.special.ndtri(0.75))
    return float(scipy.optimize.brentq(lambda w: range_below(w, n) - 0.5, 0.0, 15.0, xtol=1e-14))


def _tail(w: Floats, n: int) -> Floats:
    """Probability of a range above w: 1 less n times the integral over its smallest value.

    The two are subtracted inside the integral, so that a small tail keeps its digits.
    """
    x, weight = _of_values()
    above = scipy.special.ndtr(-x)[None, :]
    within = above - scipy.special.ndtr(-x[None, :] - w[:, None])
    inside = above ** (n - 1) - np.maximum(within, 0.0) ** (n - 1)
    found: Floats = np.clip(
        n * inside @ (np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi) * weight), 0.0, 1.0
    )
    return found


def _of_values() -> tuple[Floats, Floats]:
    """Places and weights of values, in units of sigma."""
    places, weights = legendre(400)
    return 10.0 * places, 10.0 * weights


def _of_ranges() -> tuple[Floats, Floats]:
    """Places and weights of ranges, in units of sigma."""
    places, weights = legendre(200)
    return 7.5 * (places + 1.0), 7.5 * weights
