"""Mixed models of random intercepts: donor, lot, run; nested or crossed, balanced or not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.figures import Figure
from batchqc.statistics.levels import Factor, Labels, factor
from batchqc.statistics.reml_likelihood import Likelihood
from batchqc.statistics.reml_profile import Profile, effect_interval, sd_interval
from batchqc.statistics.reml_search import best
from batchqc.statistics.reml_state import FitState
from batchqc.statistics.values import Floats, fraction_of, measurable, values_of

_REML: Final = "REML (Patterson and Thompson 1971; criterion of Bates et al. 2015)"
_ML: Final = "maximum likelihood (Searle, Casella and McCulloch 1992, chapter 6)"
_PROFILE: Final = "profile of the likelihood (ML deviance, as lme4)"
#: From so many levels on, limits of the profile hold about as often as they say.
_PROFILE_FROM: Final = 15
_ASSUMED: Final = ("normal effects on this scale", "independent effects", "levels drawn at random")


@dataclass(frozen=True, slots=True)
class MixedFit:
    """A fitted mixed model.

    Args:
        fixed: estimates of intercept and covariates; the interval is t with Satterthwaite df.
        fixed_se: their standard errors, by name.
        components: variance of each factor and of the error, with intervals where asked for.
        sds: the same as standard deviations.
        blups: predicted effect of each level, by factor and level.
        criterion: minus twice the (restricted) log-likelihood, constants included.
        singular: factors whose variance is estimated as 0.
        state: what predictions need: see `batchqc.statistics.donor_limits`.
    """

    fixed: Mapping[str, Figure]
    fixed_se: Mapping[str, float]
    components: Mapping[str, Figure]
    sds: Mapping[str, Figure]
    blups: Mapping[str, Mapping[str, float]]
    criterion: float
    singular: tuple[str, ...]
    state: FitState


def fit_mixed(
    data: ArrayLike,
    groups: Mapping[str, Labels],
    *,
    covariates: Mapping[str, ArrayLike] | None = None,
    criterion: Literal["REML", "ML"] = "REML",
    conf: float = 0.95,
    intervals: bool = True,
) -> MixedFit:
    """Fit random intercepts for each factor, an intercept, and covariates with fixed effects.

    A level is one label: for lots nested in donors give lots labels of their own, or use
    `batchqc.statistics.levels.nested`. The intervals of the components come from the profile of the
    ML deviance (as lme4 does for a REML fit); the covariance of the components for Satterthwaite
    df is the inverse of half the Hessian of the restricted deviance.

    Source: Bates, Maechler, Bolker and Walker 2015 (J Stat Softw 67); Searle, Casella and
    McCulloch 1992, chapter 6.

    Args:
        data: of shape (n,).
        groups: n labels by name of the factor.
        covariates: n numbers by name.
        criterion: REML, or ML for comparing fixed effects.
        conf: of all intervals.
        intervals: whether to compute the profiles, which takes most of the time: seconds for 100
            levels in all, minutes for 400.

    Raises:
        NotEstimable: a factor has one level, factors cannot be told apart from each other or from
            the error, the model fits perfectly (BQC-STA-001), or the search ends nowhere (-002).
        InvalidInput: a value or label is missing, or covariates depend on each other.
    """
    found = measurable(values_of(data, at_least=3), "values")
    fraction_of(conf, "confidence")
    factors = tuple(factor(name, one, found.size) for name, one in groups.items())
    names, x = _design(found.size, covariates or {})
    shift = float(found.mean())
    scale = float(np.std(found - shift))
    model = Likelihood((found - shift) / scale, x, _indicators(factors))
    _estimable(model, factors)
    restricted = criterion == "REML"
    variances, slope = best(model, restricted=restricted)
    state = FitState(model, variances, _covariance(variances, slope.hessian), factors, shift, scale)
    free = found.size - (x.shape[1] if restricted else 0)
    told = Profile(model, conf) if intervals else None
    beta = state.fixed_covariance @ (x.T @ state.inverse_times(model.y[:, np.newaxis]))[:, 0]
    sds = _sds(state, told, _REML if restricted else _ML)
    return MixedFit(
        _fixed(state, names, beta, conf),
        {
            name: scale * float(np.sqrt(state.fixed_covariance[at, at]))
            for at, name in enumerate(names)
        },
        {name: _squared(one) for name, one in sds.items()},
        sds,
        _blups(state, beta),
        slope.value + 2 * free * float(np.log(scale)),
        tuple(one.name for one, size in zip(factors, variances[:-1], strict=True) if size < 1e-10),
        state,
    )


def profile_fixed(fit: MixedFit, name: str = "intercept", *, conf: float = 0.95) -> Figure:
    """A fixed effect with the interval of its likelihood profile (ML deviance).

    Raises:
        InvalidInput: the model has no such fixed effect.
    """
    if name not in fit.fixed:
        raise InvalidInput("BQC-STA-003", f"the model has no fixed effect {name}")
    place, state = list(fit.fixed).index(name), fit.state
    lower, upper = (
        end * state.scale + (state.shift if name == "intercept" else 0.0)
        for end in effect_interval(state.likelihood, place, fraction_of(conf, "confidence"))
    )
    one = fit.fixed[name]
    return Figure(name, one.value, _PROFILE, one.n, lower, upper, conf, None, _ASSUMED)


def _design(n: int, covariates: Mapping[str, ArrayLike]) -> tuple[list[str], Floats]:
    columns = [np.ones(n)]
    for name, one in covariates.items():
        columns.append(values_of(one, name))
        if columns[-1].size != n:
            raise InvalidInput("BQC-STA-003", f"{name}: {columns[-1].size} for {n} values")
    x = np.column_stack(columns)
    sizes = np.linalg.norm(x, axis=0)
    if np.any(sizes == 0) or np.linalg.matrix_rank(x / sizes, tol=1e-9) < x.shape[1]:
        raise InvalidInput("BQC-STA-003", "covariates depend on each other or do not vary")
    return ["intercept", *covariates], x


def _indicators(factors: tuple[Factor, ...]) -> list[Floats]:
    if not factors:
        raise InvalidInput("BQC-STA-003", "no factor was named: there is nothing to take apart")
    for one in factors:
        if len(one.names) < 2:
            raise NotEstimable(
                "BQC-STA-001", f"{one.name} has one level: its variance cannot be estimated"
            )
    return [one.indicator for one in factors]


def _estimable(model: Likelihood, factors: tuple[Factor, ...]) -> None:
    """Whether variances differ in what they do to the data, and the data are not fitted exactly."""
    last = np.array([np.trace(model.within[one, one]) for one in model.blocks])
    core = model.sums_both(model.within**2)
    gram = np.block([[core, last[:, None]], [last[None, :], np.array([[model.n - model.p]])]])
    size = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    if np.linalg.eigvalsh(gram / np.outer(size, size))[0] < 1e-9:
        names = ", ".join(one.name for one in factors)
        raise NotEstimable(
            "BQC-STA-001",
            f"{names} and the error cannot be told apart by this design",
            hint="Repeat values within the smallest factor, or leave a factor out.",
        )
    answer = np.linalg.lstsq(model.within, model.cross, rcond=1e-11)[0]
    if model.left - float(answer @ model.cross) < 1e-12 * model.n:
        raise NotEstimable(
            "BQC-STA-001", "the model fits every value exactly: there is no error to measure"
        )


def _covariance(variances: Floats, hessian: Floats) -> Floats:
    """Of the estimated variances; one that is at 0 counts as known."""
    found = np.zeros_like(hessian)
    free = np.flatnonzero(variances > 1e-10)
    found[np.ix_(free, free)] = 2 * np.linalg.pinv(hessian[np.ix_(free, free)])
    return found


def _fixed(state: FitState, names: list[str], beta: Floats, conf: float) -> dict[str, Figure]:
    found = {}
    for at, name in enumerate(names):
        weights = np.eye(len(names))[at]
        variance = float(state.fixed_covariance[at, at])
        df = state.freedom(variance, state.fixed_gradient(weights))
        reach = float(stats.t.ppf((1 + conf) / 2, df) * np.sqrt(variance)) * state.scale
        value = float(beta[at]) * state.scale + (state.shift if at == 0 else 0.0)
        n = state.likelihood.n
        method = f"{_REML}; t with Satterthwaite df (Fai and Cornelius 1996)"
        found[name] = Figure(
            name, value, method, n, value - reach, value + reach, conf, df, _ASSUMED
        )
    return found


def _sds(state: FitState, told: Profile | None, method: str) -> dict[str, Figure]:
    found = {}
    names = [*(one.name for one in state.factors), "error"]
    for at, name in enumerate(names):
        ends = (None, None) if told is None else sd_interval(told, at)
        lower, upper = (None if end is None else end * state.scale for end in ends)
        levels = len(state.factors[at].names) if at < len(state.factors) else None
        found[name] = Figure(
            f"SD of {name}",
            float(np.sqrt(state.variances[at])) * state.scale,
            method if told is None else f"{method}; {_PROFILE}",
            state.likelihood.n,
            lower,
            upper,
            0.0 if told is None else told.conf,
            None,
            _ASSUMED,
            () if levels is None else tuple(_few(name, levels, profiled=told is not None)),
        )
    return found


def _few(name: str, levels: int, *, profiled: bool) -> Iterator[str]:
    if levels < 5:
        yield f"fewer than 5 levels of {name}: hardly estimable"
    if profiled and levels < _PROFILE_FROM:
        yield (
            f"{levels} levels of {name}: the upper limit of the profile is too low oftener than"
            " stated (with 5 levels 8 times in 100 in place of 2.5); nested ANOVA has limits (MLS)"
            " that hold"
        )


def _squared(one: Figure) -> Figure:
    lower, upper = (None if end is None else end**2 for end in (one.lower, one.upper))
    name = one.name.replace("SD", "variance")
    return Figure(
        name, one.value**2, one.method, one.n, lower, upper, one.confidence, None,
        one.assumptions, one.limitations,
    )  # fmt: skip


def _blups(state: FitState, beta: Floats) -> dict[str, dict[str, float]]:
    effects = state.effects(beta) * state.scale
    pairs = zip(state.factors, state.likelihood.blocks, strict=True)
    return {
        one.name: dict(zip(one.names, effects[block].tolist(), strict=True)) for one, block in pairs
    }
