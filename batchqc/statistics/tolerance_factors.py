"""Factors of normal tolerance intervals: mean ± k standard deviations."""

from typing import Final, Literal

import numpy as np
import scipy

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.noncentral_t import noncentral_t_quantile
from batchqc.statistics.quadrature import legendre
from batchqc.statistics.values import Floats, fraction_of, positive

#: Ways to a two-sided factor, by name and source; only the first is not approximate.
TWO_SIDED: Final = {
    "exact": "exact (Odeh and Owen 1980; ISO 16269-6:2014, annex B)",
    "howe": "approximate (Howe 1969; NIST e-Handbook 7.2.6.3)",
    "guenther": "approximate (Howe 1969 with the correction of Guenther 1977)",
    "weissberg-beatty": "approximate (Weissberg and Beatty 1960)",
}
ONE_SIDED: Final = {
    "exact": "exact, noncentral t (ISO 16269-6:2014, annex A)",
    "natrella": "approximate (Natrella 1963; NIST e-Handbook 7.2.6.3)",
}
TwoSided = Literal["exact", "howe", "guenther", "weissberg-beatty"]
OneSided = Literal["exact", "natrella"]


def one_sided_factor(
    n: float, *, content: float, conf: float, df: float | None = None, method: OneSided = "exact"
) -> float:
    """K such that mean + k s is above a part ``content`` of the population, with confidence.

    Args:
        n: values behind the mean; an effective number need not be whole.
        content: part of the population, between 0 and 1.
        conf: confidence.
        df: degrees of freedom of s; n - 1 unless told (pooled or combined variance).
        method: the exact one unless an old report must be reproduced.

    Raises:
        NotEstimable: n - 1 or df is not above 0, or the approximation does not exist there.
        InvalidInput: content or confidence is not between 0 and 1.
    """
    size, f = _sizes(n, content, conf, df)
    z = float(scipy.special.ndtri(content))
    if method == "natrella":
        reach = float(scipy.special.ndtri(conf))
        a = 1 - reach**2 / (2 * f)
        b = z**2 - reach**2 / size
        if a <= 0 or z**2 < a * b:
            raise NotEstimable("BQC-STA-001", "the approximation of Natrella needs more values")
        return float((z + np.sqrt(z**2 - a * b)) / a)
    root = float(np.sqrt(size))
    return noncentral_t_quantile(conf, f, root * z) / root


def two_sided_factor(
    n: float, *, content: float, conf: float, df: float | None = None, method: TwoSided = "exact"
) -> float:
    """K such that mean ± k s covers a part ``content`` of the population, with confidence.

    Arguments and errors as in `one_sided_factor`.
    """
    size, f = _sizes(n, content, conf, df)
    howe = float(
        scipy.special.ndtri((1 + content) / 2)
        * np.sqrt(f * (1 + 1 / size) / scipy.stats.chi2.ppf(1 - conf, f))
    )
    if method == "howe":
        return howe
    if method == "guenther":
        grown = 1 + (size - 3 - scipy.stats.chi2.ppf(1 - conf, f)) / (2 * (size + 1) ** 2)
        return float(howe * np.sqrt(grown))
    if method == "weissberg-beatty":
        reach = _half_width(np.array([1 / np.sqrt(size)]), content)[0]
        return float(reach * np.sqrt(f / scipy.stats.chi2.ppf(1 - conf, f)))
    return _exact(size, f, content, conf, howe)


def _sizes(n: float, content: float, conf: float, df: float | None) -> tuple[float, float]:
    for share, what in ((content, "content"), (conf, "confidence")):
        if not 1e-9 <= fraction_of(share, what) <= 1 - 1e-9:
            raise InvalidInput("BQC-STA-003", f"{what} is {share:g}: too near to 0 or 1")
    size = positive(n, "n")
    f = size - 1 if df is None else df
    if not f > 0:
        raise NotEstimable("BQC-STA-001", f"{n:g} values: a tolerance interval needs at least 2")
    return size, positive(f, "degrees of freedom")


def _exact(size: float, f: float, content: float, conf: float, start: float) -> float:
    """Root in k of the confidence, an integral over where the mean lies."""
    nodes, weights = legendre(240)
    u = 5 * (nodes + 1)
    mass = 5 * weights * 2 * np.exp(-u * u / 2) / np.sqrt(2 * np.pi)
    squares = f * _half_width(u / np.sqrt(size), content) ** 2

    def short(log_k: float) -> float:
        return float(mass @ scipy.stats.chi2.sf(squares / np.exp(2 * log_k), f)) - conf

    low = high = float(np.log(start))
    for _ in range(200):
        if short(low) < 0:
            break
        low -= 0.1
    for _ in range(200):
        if short(high) > 0:
            return float(np.exp(scipy.optimize.brentq(short, low, high, xtol=1e-14)))
        high += 0.1
    raise NotEstimable("BQC-STA-002", "the tolerance factor was not found")


def _half_width(z: Floats, content: float) -> Floats:
    """R such that a normal value lies within z ± r with probability ``content``."""
    low, high = np.zeros_like(z), z + float(scipy.special.ndtri((1 + content) / 2))
    for _ in range(90):
        middle = (low + high) / 2
        outside = scipy.special.ndtr(-middle - z) + scipy.special.ndtr(z - middle)
        wide = outside < 1 - content
        low, high = np.where(wide, low, middle), np.where(wide, middle, high)
    return np.asarray(high)


def sides_of(side: str) -> tuple[bool, bool]:
    """Whether an interval has a lower and an upper end: ``two-sided``, ``lower`` or ``upper``.

    Raises:
        InvalidInput: it is none of these.
    """
    found = {"two-sided": (True, True), "lower": (True, False), "upper": (False, True)}.get(side)
    if found is None:
        raise InvalidInput("BQC-STA-003", f"side is {side}: two-sided, lower or upper")
    return found
