"""A control chart of one attribute: its points, lines and figures, and the signals on them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.figures import Figure
from batchqc.statistics.run_rules import Rule, Signal, signals
from batchqc.statistics.values import Floats, with_gaps

#: With fewer plotted points than this there is no limit line, only data.
LIMITS_FROM: Final = 8
#: How far rounding may carry a point from a line that it lies on, in units of the last place.
_NOISE: Final = 8 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True)
class Known:
    """Centre and standard deviation that were fixed before: a phase I set, or a target.

    Args:
        centre: of the attribute.
        sigma: standard deviation of one value; None where the chart derives it from the centre.
    """

    centre: float
    sigma: float | None = None

    def __post_init__(self) -> None:
        if not np.isfinite(self.centre) or (self.sigma is not None and not 0 < self.sigma < np.inf):
            raise InvalidInput(
                "BQC-STA-003",
                f"a known centre of {self.centre!r} and sigma of {self.sigma!r} make no chart",
            )


@dataclass(frozen=True, slots=True)
class ControlChart:
    """A chart. Statistics describe lots; no line here is a limit of a specification.

    Args:
        name: of the chart: ``individuals``.
        points: what is plotted, in the order of the lots; NaN where a lot has no value.
        centre: the centre line at each point.
        sigma: standard deviation of what is plotted, at each point.
        lower: limit at each point; None where there is no such limit line.
        upper: limit at each point; None where there is no such limit line.
        figures: what was estimated, by name: ``centre``, ``sigma``, ...
        limits: how the limits were made.
        df: degrees of freedom, for prediction limits.
        limitations: what these data do not allow to be said.
        skewed: whether its limits are quantiles of a skewed distribution: run rules, which count
            in sigma, do not apply, and only what lies beyond the limits is a signal.
    """

    name: str
    points: Floats
    centre: Floats
    sigma: Floats
    lower: Floats | None
    upper: Floats | None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    limits: str = "centre ± 3 sigma"
    df: float | None = None
    limitations: tuple[str, ...] = ()
    skewed: bool = False

    @property
    def z(self) -> Floats:
        """Distance of each point from its centre, in sigma; 0, 1, 2 and 3 exactly where it is so.

        With prediction limits it is the normal score of the same probability, so that a new lot
        lies beyond any number of sigma as rarely as if mean and s were known. New lots share their
        error: rules over several of them alarm oftener than with known limits.

        Raises:
            NotEstimable: there is no variation to measure distances by.
        """
        if not np.all(self.sigma[np.isfinite(self.points)] > 0):
            raise NotEstimable("BQC-STA-001", f"{self.name}: sigma is 0, there is no scale")
        off = self.points - self.centre
        noise = _NOISE * (np.abs(self.points) + np.abs(self.centre))
        score = off / self.sigma
        step = np.round(score)
        exact = np.abs(score - step) <= noise / self.sigma + _NOISE * np.abs(score)
        score = np.where(exact, step, score)
        if self.df is not None:
            tail = np.maximum(scipy.special.stdtr(self.df, -np.abs(score)), 1e-300)
            score = -np.sign(score) * scipy.special.ndtri(tail)
        return np.asarray(score, dtype=np.float64)

    @property
    def beyond(self) -> tuple[int, ...]:
        """Points outside the limits, counted from 1; a point on a limit is inside."""
        out = np.zeros(self.points.shape, dtype=np.bool_)
        for line, side in ((self.upper, 1), (self.lower, -1)):
            if line is not None:
                noise = _NOISE * (np.abs(self.points) + np.abs(line) + np.abs(self.centre))
                out |= side * (self.points - line) > noise
        return tuple(int(at) + 1 for at in np.flatnonzero(out))

    def signals(self, rules: Sequence[Rule]) -> tuple[Signal, ...]:
        """What the rules find, each with the centre and sigma at its point.

        Raises:
            NotEstimable: the chart has no limits, no variation, or is skewed.
        """
        if self.skewed:
            raise NotEstimable(
                "BQC-STA-001",
                f"{self.name}: run rules do not apply to quantiles of a skewed distribution",
                hint="Look at the points beyond its limits.",
            )
        if self.lower is None and self.upper is None:
            raise NotEstimable(
                "BQC-STA-001",
                f"{self.name}: a chart without limits has no signals",
                reasons=self.limitations,
            )
        return signals(self.z, rules, centre=self.centre, sigma=self.sigma)

    def rows(self) -> Iterator[Mapping[str, float | int | None]]:
        """As rows of a table, for pandas and CSV; None where there is nothing."""
        lines = {
            "value": self.points,
            "centre": self.centre,
            "sigma": self.sigma,
            "lower": self.lower,
            "upper": self.upper,
        }
        for at in range(self.points.size):
            yield {
                "point": at + 1,
                **{
                    name: float(line[at]) if line is not None and np.isfinite(line[at]) else None
                    for name, line in lines.items()
                },
            }

    def applied_to(self, data: ArrayLike) -> "ControlChart":
        """The same lines for other lots: limits of phase I, applied in phase II.

        Raises:
            InvalidInput: the lines differ from point to point, as with unequal sample sizes; chart
                the new lots with the centre (and sigma) of these as known.
        """
        found = with_gaps(data)
        lines = (self.centre, self.sigma, self.lower, self.upper)
        if not self.points.size or any(one is not None and np.ptp(one) > 0 for one in lines):
            raise InvalidInput("BQC-STA-003", f"{self.name}: its limits differ from lot to lot")
        centre, sigma, lower, upper = (
            None if one is None else level(one[0], found) for one in lines
        )
        if centre is None or sigma is None:
            raise InvalidInput("BQC-STA-003", f"{self.name} has no centre line")
        return replace(self, points=found, centre=centre, sigma=sigma, lower=lower, upper=upper)


def level(value: float | np.float64, points: Floats) -> Floats:
    """The same value at every point, without a copy."""
    return np.broadcast_to(np.float64(value), points.shape)


def one_or_more(data: ArrayLike, what: str) -> Floats:
    """One number, or one for each lot, as a list.

    Raises:
        InvalidInput: it is neither.
    """
    return with_gaps(np.atleast_1d(np.asarray(data, dtype=object)), what)


def too_few(count: int, limits_from: int, what: str) -> tuple[str, ...]:
    """Why there is no limit line, where there are too few values for one."""
    if count >= limits_from:
        return ()
    return (f"{count} {what}: below {limits_from} there is no limit line, only data",)
