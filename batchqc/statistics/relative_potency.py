"""Relative potency from curves: one joint fit, each sample the standard shifted in ln(dose).

``y = c + (d - c) S(b (ln x + rho - ln e))`` with rho = 0 for the standard; the relative potency is
``exp(rho)``. The interval is by profile likelihood (default) and by the delta method beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.bioassay import Assay, extrapolated, factor_of
from batchqc.statistics.curve_fit import Minimum, Tied
from batchqc.statistics.curve_models import PARAMETERS, Model, model_of
from batchqc.statistics.curve_starts import starts
from batchqc.statistics.curve_weights import iterated
from batchqc.statistics.dose_response import (
    CurveOptions,
    lack_of_fit,
    limitations,
    log_of,
    tie,
    variance_of,
)
from batchqc.statistics.fieller import two_sided
from batchqc.statistics.figures import Figure
from batchqc.statistics.profile_likelihood import profile
from batchqc.statistics.separate_curves import Separate, nonparallel, separate_curves
from batchqc.statistics.values import Floats, spread

_JOINT: Final = "curves with common parameters, one joint fit (Ph. Eur. 5.3, 3.4; USP <1034>)"

_OPEN: Final = (
    "an end of the profile interval is not told: it lies beyond a factor of a million, or the "
    "curve is not determined there; see the interval by the delta method"
)

_ASSUMED: Final = (
    "wells independent",
    "residuals normal; variance equal, or as the weights say",
    "curves of the same shape: the sample behaves as a dilution of the standard",
)


@dataclass(frozen=True, slots=True)
class RelativePotency:
    """Relative potencies of the samples of an assay.

    Args:
        potency: by sample, with the profile-likelihood interval.
        delta: by sample, with the interval exp(rho -+ t SE), SE of Gauss-Newton.
        delta_hessian: the same with the SE of the second derivatives.
        parameters: b, c, d, e, f of the standard, as far as they are estimated.
        rho: ln of the potency ratio, by sample.
        se: of rho, by Gauss-Newton.
        rss: of the joint fit, weighted.
        df: of its residual.
        residual_sd: root of rss / df.
        nonparallel: F of curves of their own against common ones, its degrees of freedom and p;
            None where the separate curves cannot be fitted.
        lack_of_fit: F of the joint fit against pure error; None without replicates.
        separate: the separate curves; None where they cannot be fitted.
        fitted: n.
        residuals: n.
        weights: n.
        leverages: n, by Gauss-Newton.
    """

    model: Model
    potency: Mapping[str, Figure]
    delta: Mapping[str, Figure]
    delta_hessian: Mapping[str, Figure]
    parameters: Mapping[str, Figure]
    rho: Mapping[str, float]
    se: Mapping[str, float]
    rss: float
    df: int
    residual_sd: float
    nonparallel: tuple[float, int, int, float] | None
    lack_of_fit: tuple[float, int, int, float] | None
    separate: Separate | None
    fitted: Floats
    residuals: Floats
    weights: Floats
    leverages: Floats


def relative_potency(
    wells: Assay,
    options: CurveOptions | None = None,
    *,
    potency_factor: float | Mapping[str, float] = 1.0,
) -> RelativePotency:
    """Relative potency of each sample by one constrained fit.

    Args:
        wells: doses of 0 or more; block factors are refused.
        options: model, fixed parameters, weights, confidence.
        potency_factor: what a potency ratio of 1 means; one for all, or by sample.

    Raises:
        InvalidInput: there is no sample, the wells have blocks, or the middle dose is fixed.
        NotEstimable: too few wells or doses, equal responses, responses that run in opposite
            directions, no convergence, or a perfect fit.

    Source: Ph. Eur. 5.3 section 3.4; USP <1034>; Bates & Watts 1988 section 6.1 (profile).
    """
    how = options or CurveOptions()
    model = model_of(how.model, how.fixed)
    _check(wells, model)
    tied, found = iterated(_joint(wells, model), how.weighting, _starts(wells, model))
    df, variance = variance_of(tied, found)
    told = tuple(wells.limitations) + limitations(
        tied, tied.maps[0] @ found.p + tied.offsets[0], found
    )
    separate = separate_curves(wells, tied, found)
    told += () if separate else ("separate curves could not be fitted: parallelism is not shown",)
    q = len(model.free)
    rho = {name: float(found.p[q + n]) for n, name in enumerate(wells.samples)}
    root = {
        "gauss-newton": np.sqrt(np.maximum(np.diag(found.gauss_newton) * variance, 0.0)),
        "hessian": np.sqrt(np.maximum(np.diag(found.hessian) * variance, 0.0)),
    }
    scale = _Scale(wells, told, how.confidence, df, potency_factor)
    t = two_sided(how.confidence, df)
    by = {
        kind: {
            name: scale.figure(name, rho[name], (rho[name] - t * one, rho[name] + t * one), kind)
            for name, one in zip(wells.samples, roots[q:], strict=True)
        }
        for kind, roots in root.items()
    }
    profiled = {
        name: scale.figure(
            name, rho[name], profile(tied, found, q + n, t * t * variance), "profile likelihood"
        )
        for n, name in enumerate(wells.samples)
    }
    return RelativePotency(
        model, profiled, by["gauss-newton"], by["hessian"],
        _parameters(model, found, t * root["gauss-newton"], scale), rho,
        dict(zip(wells.samples, (float(one) for one in root["gauss-newton"][q:]), strict=True)),
        found.rss, df, float(np.sqrt(variance)), nonparallel(found, df, separate),
        lack_of_fit(tied, found), separate, found.fitted, tied.y - found.fitted, tied.weight,
        found.leverages,
    )  # fmt: skip


def _check(wells: Assay, model: Model) -> None:
    if not wells.samples:
        raise InvalidInput("BQC-STA-003", "there is a standard, but no sample beside it")
    if wells.blocks:
        raise InvalidInput("BQC-STA-003", "curves with blocks are not offered: fit one plate each")
    if "e" in model.fixed:
        raise InvalidInput("BQC-STA-003", "the middle dose is fixed: there is nothing to compare")
    spread(wells.response, "responses")
    trends = []
    for place, name in enumerate(wells.names):
        own = wells.of == place
        doses, y = wells.dose[own], wells.response[own]
        if np.unique(doses[doses > 0]).size < 2:
            raise NotEstimable("BQC-STA-001", f"{name!r} has fewer than two doses above 0")
        spread(y, f"responses of {name!r}")
        trends.append(float(stats.spearmanr(doses, y).statistic))
    for name, trend in zip(wells.samples, trends[1:], strict=True):
        if trend * trends[0] < 0 and min(abs(trend), abs(trends[0])) > 0.7:
            raise NotEstimable(
                "BQC-STA-001",
                f"{name!r} and the standard respond in opposite directions: they are not similar",
                hint="Look whether controls, standard and sample were exchanged.",
            )


def _joint(wells: Assay, model: Model) -> Tied:
    own, offsets = tie(model)
    samples = len(wells.samples)
    maps = np.zeros((samples + 1, 5, own.shape[1] + samples))
    maps[:, :, : own.shape[1]] = own
    for n in range(samples):
        maps[n + 1, PARAMETERS.index("e"), own.shape[1] + n] = -1.0
    return Tied(
        model, log_of(wells.dose), wells.response, np.ones(wells.n), wells.of, maps,
        np.tile(offsets, (samples + 1, 1)),
    )  # fmt: skip


def _starts(wells: Assay, model: Model) -> list[Floats]:
    x, e = log_of(wells.dose), PARAMETERS.index("e")
    own = tie(model)[0]
    middles = [
        starts(model, x[wells.of == place], wells.response[wells.of == place])[0][e]
        for place in range(len(wells.names))
    ]
    shift = np.array([middles[0] - one for one in middles[1:]])
    standard = wells.of == 0
    first = starts(model, x[standard], wells.response[standard])
    both = starts(model, x, wells.response)
    return [
        np.concatenate([own.T @ one, move])
        for pair in zip(first[:8], both[:8], strict=True)
        for one, move in ((pair[0], shift), (pair[1], shift * 0))
    ]


@dataclass(frozen=True, slots=True)
class _Scale:
    """What all figures of an assay share."""

    wells: Assay
    told: tuple[str, ...]
    confidence: float
    df: int
    factors: float | Mapping[str, float]

    def figure(
        self, name: str, rho: float, ends: tuple[float | None, float | None], kind: str
    ) -> Figure:
        factor = factor_of(name, self.factors)
        low, high = (
            None if one is None else float(factor * np.exp(min(one, 700.0))) for one in ends
        )
        place = self.wells.names.index(name)
        told = (*self.told, *extrapolated(self.wells, place, rho))
        if None in ends:
            told = (*told, _OPEN)
        return Figure(
            f"relative potency of {name}", float(factor * np.exp(rho)), f"{_JOINT}; {kind}",
            self.wells.n, low, high, self.confidence, self.df, _ASSUMED, told,
        )  # fmt: skip


def _parameters(model: Model, found: Minimum, half: Floats, scale: _Scale) -> dict[str, Figure]:
    figures = {}
    for place, name in enumerate(model.free):
        ends = found.p[place] + half[place] * np.array([0.0, -1.0, 1.0])
        value, low, high = np.exp(np.clip(ends, -700, 700)) if name in {"e", "f"} else ends
        figures[name] = Figure(
            name, float(value), f"{_JOINT}; delta method", scale.wells.n, float(low), float(high),
            scale.confidence, scale.df, _ASSUMED, scale.told,
        )  # fmt: skip
    return figures
