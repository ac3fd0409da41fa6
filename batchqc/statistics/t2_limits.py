"""Limits of T² and their inverse, the p-value: beta, F or chi-square, as it was estimated."""

from typing import Final, Literal, TypeAlias

import scipy

from batchqc.errors import InvalidInput, NotEstimable

Phase: TypeAlias = Literal[1, 2]
ALPHA: Final = 0.0027


def t2_limit(
    p: int, m: int | None, *, size: int = 1, phase: Phase = 2, alpha: float = ALPHA
) -> float:
    """Upper limit of T², as `t2_phase1` and `t2_phase2` use it.

    Args:
        p: attributes.
        m: lots or subgroups in phase I; None: known parameters.
        size: of subgroups; 1 for individual lots.
        phase: 1 or 2.
        alpha: chance of a false alarm at each.

    Raises:
        InvalidInput: alpha is not between 0 and 1.
        NotEstimable: m is too small for p.

    Source:
        Tracy, Young and Mason 1992; Ryan 2011, chapter 9.
    """
    if not 0 < alpha < 1:
        raise InvalidInput("BQC-STA-003", f"alpha {alpha:g} is not between 0 and 1")
    _attributes(p)
    if m is None:
        return float(scipy.special.chdtri(p, alpha))
    if size > 1:
        df = m * size - m - p + 1
        _positive_df(df, m, p)
        factor = p * (m - 1 if phase == 1 else m + 1) * (size - 1) / df
        return float(factor * _f_upper(p, df, alpha))
    _positive_df(m - p - 1, m, p)
    if phase == 1:
        share = scipy.special.betaincinv((m - p - 1) / 2, p / 2, alpha)
        return float((m - 1) ** 2 / m * (1.0 - share))
    return float(p * (m + 1) * (m - 1) / (m * (m - p)) * _f_upper(p, m - p, alpha))


def t2_p_value(t2: float, p: int, m: int | None, *, size: int = 1, phase: Phase = 2) -> float:
    """Chance of so large a T² in control: the alpha whose limit it is.

    Args:
        t2: found.
        p: attributes.
        m: lots or subgroups in phase I; None: known parameters.
        size: of subgroups; 1 for individual lots.
        phase: 1 or 2.

    Raises:
        InvalidInput: t2 is negative or no number.
        NotEstimable: m is too small for p.

    Source:
        As `t2_limit`, the other way round.
    """
    if not t2 >= 0:
        raise InvalidInput("BQC-STA-003", f"T² is {t2:g}: it is never below 0")
    _attributes(p)
    if m is None:
        return float(scipy.special.chdtrc(p, t2))
    _positive_df(m * size - m - p + 1 if size > 1 else m - p - (phase == 1), m, p)
    if size > 1:
        df = m * size - m - p + 1
        factor = p * (m - 1 if phase == 1 else m + 1) * (size - 1) / df
        return float(scipy.special.fdtrc(p, df, t2 / factor))
    if phase == 1:
        left = max(1.0 - t2 * m / (m - 1) ** 2, 0.0)
        return float(scipy.special.betainc((m - p - 1) / 2, p / 2, left))
    return float(scipy.special.fdtrc(p, m - p, t2 * m * (m - p) / (p * (m + 1) * (m - 1))))


def _attributes(p: int) -> None:
    if p < 1:
        raise InvalidInput("BQC-STA-003", f"{p} attributes: T² is of one at least")


def _f_upper(p: int, df: int, alpha: float) -> float:
    """Upper quantile of F, from its own tail."""
    share = scipy.special.betaincinv(df / 2, p / 2, alpha)
    return float((1.0 - share) * df / (share * p))


def _positive_df(df: int, m: int, p: int) -> None:
    if df < 1:
        raise NotEstimable("BQC-STA-001", f"{m} lots are too few for {p} attributes")
