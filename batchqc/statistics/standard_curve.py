"""Concentrations from a standard curve (ELISA, kynurenine ...): inverse prediction with interval.

A response that lies outside the range of quantitation gives no number but a qualifier: ``<`` or
``>`` with the limit; nothing is substituted for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.curve_models import Numbers
from batchqc.statistics.dose_response import CurveFit
from batchqc.statistics.effective_dose import delta
from batchqc.statistics.fieller import two_sided
from batchqc.statistics.figures import Figure
from batchqc.statistics.values import values_of

Qualifier: TypeAlias = Literal["=", "<", ">"]


@dataclass(frozen=True, slots=True)
class Quantitation:
    """Lowest and highest concentration that may be reported, in the unit of the standards."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A concentration of a sample.

    Args:
        qualifier: "=" with a figure; "<" or ">" without one.
        limit: of quantitation times dilution, where the qualifier is "<" or ">".
        figure: concentration in the undiluted sample, with its interval.
    """

    qualifier: Qualifier
    limit: float | None
    figure: Figure | None


def read_concentration(
    curve: CurveFit,
    responses: Sequence[float],
    quantitation: Quantitation,
    *,
    dilution: float = 1.0,
    variance_power: float = 0.0,
) -> Reading:
    """The concentration at which the curve has the mean of the responses.

    Args:
        curve: of the standards.
        responses: replicates of one sample at one dilution.
        quantitation: range that the validation showed; not wider than the standards.
        dilution: 1 or more: what the concentration is multiplied by.
        variance_power: of the mean to which the variance is proportional, if the curve was
            weighted by a power of it.

    Raises:
        InvalidInput: the dilution is below 1, or the range is none.
        NotEstimable: there is no response.

    Returns:
        The interval is the inverse prediction on the ln scale: variance of the replicates' mean
        and of the curve (delta method).

    Source: USP <1034>; Findlay & Dillard 2007, AAPS J 9:E260; O'Connell, Belanger & Haaland 1993.
    """
    y = values_of(responses, "responses", at_least=1)
    if not (math.isfinite(dilution) and dilution >= 1):
        raise InvalidInput("BQC-STA-003", f"a dilution of {dilution:g} is not 1 or more")
    if not 0 < quantitation.lower < quantitation.upper:
        raise InvalidInput("BQC-STA-003", "the range of quantitation is 0 < lower < upper")
    mean = float(y.mean())
    log, slope = _inverse(curve, mean)
    if isinstance(slope, str) or not quantitation.lower <= math.exp(log) <= quantitation.upper:
        return _beyond(log, quantitation, dilution)
    of_curve = delta(curve, lambda p: _log_dose(curve, p, mean))[1]
    scatter = curve.residual_sd**2 * abs(mean) ** variance_power / y.size
    half = two_sided(curve.confidence, curve.df) * math.sqrt(of_curve**2 + scatter * slope**2)
    value = dilution * math.exp(log)
    single = ("a single well: its scatter is that of the standards",) if y.size == 1 else ()
    figure = Figure(
        "concentration", value, f"{curve.model.name} standard curve, inverse prediction",
        y.size, value * math.exp(-half), value * math.exp(min(half, 700.0)), curve.confidence,
        curve.df, ("sample and standard have the same matrix and scatter",),
        (*curve.limitations, *single),
    )  # fmt: skip
    return Reading("=", None, figure)


def _beyond(log: float, quantitation: Quantitation, dilution: float) -> Reading:
    if log < math.log(quantitation.lower):
        return Reading("<", quantitation.lower * dilution, None)
    return Reading(">", quantitation.upper * dilution, None)


def _inverse(curve: CurveFit, response: float) -> tuple[float, float | str]:
    """Ln of the dose and its derivative by the response; a word where there is no such dose."""
    b, c, d = (float(one) for one in curve.inner[:3])
    share = (response - c) / (d - c)
    if not 0 < share < 1:
        high_dose_share = 0.0 if (b > 0) == curve.model.shape.falls else 1.0
        beyond = (share <= 0) == (high_dose_share == 0.0)
        return (math.inf if beyond else -math.inf), "outside the asymptotes"
    step = 1e-150j
    at = _log_dose(curve, curve.inner.astype(np.complex128), response + step)
    return float(np.real(at)), float(np.imag(at) / 1e-150)


def _log_dose(curve: CurveFit, p: Numbers, response: complex) -> Numbers:
    share = (response - p[1]) / (p[2] - p[1])
    found: Numbers = p[3] + curve.model.shape.inverse(share, np.exp(p[4])) / p[0]
    return found


def back_calculated(
    curve: CurveFit, dose: Sequence[float], responses: Sequence[float]
) -> list[tuple[float, float | None]]:
    """Each standard read from its own curve: nominal dose, and recovery in %; None beyond it.

    Raises:
        InvalidInput: the lengths differ.

    Source: ICH M10, section 4.2 (back-calculated concentrations).
    """
    x, y = values_of(dose, "doses"), values_of(responses, "responses")
    if x.size != y.size:
        raise InvalidInput("BQC-STA-003", f"{x.size} doses and {y.size} responses")
    if not x.size:
        raise NotEstimable("BQC-STA-001", "there is no standard")
    told: list[tuple[float, float | None]] = []
    for nominal, response in zip(x.tolist(), y.tolist(), strict=True):
        log, slope = _inverse(curve, response)
        known = nominal > 0 and not isinstance(slope, str)
        told.append((nominal, 100 * math.exp(log) / nominal if known else None))
    return told
