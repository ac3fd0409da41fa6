"""A fitted mixed model, as predictions need it."""

from dataclasses import dataclass, replace

import numpy as np

from batchqc.statistics.levels import Factor
from batchqc.statistics.reml_likelihood import Likelihood
from batchqc.statistics.values import Floats


@dataclass(frozen=True, slots=True)
class FitState:
    """The model and its variances on the inner scale: (values - shift) / scale."""

    likelihood: Likelihood
    variances: Floats
    covariance: Floats
    factors: tuple[Factor, ...]
    shift: float
    scale: float

    def moved(self, variances: Floats) -> "FitState":
        """The same model at other variances."""
        return replace(self, variances=variances)

    @property
    def fixed_covariance(self) -> Floats:
        """Of the fixed effects, shape (p, p)."""
        model = self.likelihood
        return np.asarray(np.linalg.inv(model.x.T @ self.inverse_times(model.x)))

    @property
    def crossed_with_effects(self) -> Floats:
        """X' V^-1 Z, of shape (p, levels of all factors)."""
        return self.inverse_times(self.likelihood.x).T @ self.likelihood.z

    def effects(self, beta: Floats) -> Floats:
        """Best linear unbiased predictions of all levels, one factor after the other."""
        model = self.likelihood
        left = self.inverse_times((model.y - model.x @ beta)[:, np.newaxis])[:, 0]
        return self.spread * (model.z.T @ left)

    @property
    def spread(self) -> Floats:
        """Variance of each level's effect, one factor after the other."""
        return np.repeat(self.variances[:-1], [len(one.names) for one in self.factors])

    def inverse_times(self, right: Floats) -> Floats:
        """V^-1 times columns, without forming V."""
        model, error = self.likelihood, self.variances[-1]
        scales = model.scales(self.variances)
        inner = np.eye(scales.size) + scales[:, np.newaxis] * model.whole * scales
        inside = scales[:, np.newaxis] * (model.z.T @ right)
        taken = model.z @ (scales[:, np.newaxis] * np.linalg.solve(inner, inside))
        return np.asarray((right - taken) / error)

    def freedom(self, variance: float, gradient: Floats) -> float:
        """Satterthwaite df of a variance that depends on the components.

        Source: Fai and Cornelius 1996 (J Stat Comput Simul 54:363), as SAS and lmerTest use it.
        """
        below = float(gradient @ self.covariance @ gradient)
        return 2 * variance**2 / below if below > 0 else float(self.likelihood.n)

    def fixed_gradient(self, weights: Floats) -> Floats:
        """Derivative in each variance of the variance of weights' (fixed effects)."""
        solved = self.fixed_covariance @ weights
        parts = (solved @ self.crossed_with_effects) ** 2
        inner = np.array([parts[one].sum() for one in self.likelihood.blocks])
        value = float(weights @ solved)
        last = (value - float(inner @ self.variances[:-1])) / self.variances[-1]
        return np.append(inner, last)
