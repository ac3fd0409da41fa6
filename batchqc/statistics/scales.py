"""Scales on which an attribute is nearly normal, and limits carried back to its own unit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput
from batchqc.statistics.control_charts import ControlChart, one_or_more
from batchqc.statistics.values import Floats, with_gaps

Kind: TypeAlias = Literal["identity", "ln", "complement cube root", "logit", "power"]

#: Kinds that are bounded by the whole, and those that need values above 0.
_OF_THE_WHOLE: Final = ("complement cube root", "logit")


@dataclass(frozen=True, slots=True)
class Scaled:
    """Values on a scale.

    Args:
        values: on the scale; NaN where missing.
        shifted: values that lay on a bound and were moved by half the resolution, from 1.
        shift: by how much each of them was moved, in the unit of the attribute.
    """

    values: Floats
    shifted: tuple[int, ...] = ()
    shift: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """A strictly monotone scale.

    ``identity``; ``ln`` for potencies, counts and concentrations; ``complement cube root``,
    (whole - x)^(1/3), the default for percentages near 100 (Wilson and Hilferty 1931 for a gamma
    complement); ``logit``, ln(x / (whole - x)); ``power``, x^(1/exponent) (Nelson 1994: 3.6 for
    times between events). It is declared for an attribute from its science, never chosen by a test.

    Args:
        kind: of the scale.
        whole: upper bound of the attribute, such as 100 %.
        exponent: of ``power``.
    """

    kind: Kind = "identity"
    whole: float = 100.0
    exponent: float = 3.6

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise InvalidInput(
                "BQC-STA-003", f"there is no scale {self.kind!r}: {', '.join(get_args(Kind))}"
            )
        if not (0 < self.whole < np.inf and 0 < self.exponent < np.inf):
            raise InvalidInput("BQC-STA-003", "whole and exponent of a scale are above 0")

    @property
    def flips(self) -> bool:
        """Whether a larger value is smaller on the scale, so that limits change sides."""
        return self.kind == "complement cube root"

    def forward(self, data: ArrayLike, *, resolution: ArrayLike | None = None) -> Scaled:
        """Values on the scale.

        Args:
            data: values of the attribute; None or NaN where missing.
            resolution: smallest step that counting can tell, as 100 / cells counted, of all or of
                each value. A value that lies exactly on a bound is moved inside by half of it.

        Raises:
            InvalidInput: a value is outside what the scale takes, or on a bound without resolution.
        """
        found = with_gaps(data)
        if self.kind in _OF_THE_WHOLE:
            inside = _inside(found, self, resolution)
            left = self.whole - inside.values
            on = np.cbrt(left) if self.flips else np.log(inside.values / left)
            return replace(inside, values=on)
        if self.kind == "identity":
            return Scaled(found)
        if np.any(found < 0) or (self.kind == "ln" and np.any(found == 0)):
            raise InvalidInput(
                "BQC-STA-003",
                f"{self.kind}: a value is not above 0",
                hint="A value below the limit of detection is censored, not 0.",
            )
        return Scaled(np.log(found) if self.kind == "ln" else found ** (1 / self.exponent))

    def back(self, on_scale: ArrayLike) -> Floats:
        """Values of the attribute; what lies beyond its bound is put on the bound.

        Raises:
            InvalidInput: a value is no number, or too large for the attribute.
        """
        y = with_gaps(on_scale, "values on the scale")
        kept = np.maximum(y, 0.0)
        backs: dict[Kind, Callable[[], Floats]] = {
            "identity": lambda: y,
            "ln": lambda: np.exp(y),
            "complement cube root": lambda: self.whole - kept**3,
            "logit": lambda: self.whole * scipy.special.expit(y),
            "power": lambda: kept**self.exponent,
        }
        with np.errstate(over="ignore"):
            found = np.asarray(backs[self.kind](), dtype=np.float64)
        return with_gaps(found, f"values carried back from {self.kind}")


@dataclass(frozen=True, slots=True)
class ScaledChart:
    """A chart computed on a scale, with its lines in the unit of the attribute.

    Args:
        points: as they were measured.
        centre: back-transformed: a median, not a mean.
        lower: limit in the unit of the attribute; None where there is none.
        upper: limit in the unit of the attribute; None where there is none.
        scale: on which it was computed.
        scaled: the values there, and which were shifted.
        chart: there; z, signals and figures are read on it.
    """

    points: Floats
    centre: Floats
    lower: Floats | None
    upper: Floats | None
    scale: Scale
    scaled: Scaled
    chart: ControlChart

    @property
    def beyond(self) -> tuple[int, ...]:
        """Points outside the limits, counted from 1."""
        return self.chart.beyond


def on_scale(
    data: ArrayLike,
    scale: Scale,
    chart: Callable[[Floats], ControlChart],
    *,
    resolution: ArrayLike | None = None,
) -> ScaledChart:
    """A chart of values on a scale, with limits carried back.

    A monotone scale carries limits over as they are; the complement changes their sides.

    Args:
        data: values of the attribute in order; None or NaN where missing.
        scale: on which they are charted.
        chart: of values on the scale, such as ``individuals`` or ``prediction``.
        resolution: as of :meth:`Scale.forward`.

    Raises:
        InvalidInput: the values are not of the scale.
        NotEstimable: the chart cannot be computed.
    """
    scaled = scale.forward(data, resolution=resolution)
    made = chart(scaled.values)
    lower, upper = (None if one is None else scale.back(one) for one in (made.lower, made.upper))
    if scale.flips:
        lower, upper = upper, lower
    return ScaledChart(with_gaps(data), scale.back(made.centre), lower, upper, scale, scaled, made)


def _inside(found: Floats, scale: Scale, resolution: ArrayLike | None) -> Scaled:
    if np.any((found < 0) | (found > scale.whole)):
        raise InvalidInput("BQC-STA-003", f"{scale.kind}: a value is not in 0 to {scale.whole:g}")
    on_bound = found == scale.whole
    if not scale.flips:
        on_bound |= found == 0
    places = np.flatnonzero(on_bound)
    if not places.size:
        return Scaled(found)
    if resolution is None:
        raise InvalidInput(
            "BQC-STA-003",
            f"{places.size} values lie on a bound, and the counting resolution is not given",
            hint="It is the smallest step that could be counted: 100 / cells counted.",
        )
    given = one_or_more(resolution, "resolution")
    if given.size not in (1, found.size):
        raise InvalidInput("BQC-STA-003", f"{found.size} values have {given.size} resolutions")
    steps = np.broadcast_to(given, found.shape)[places]
    if not np.all((steps > 0) & (steps < scale.whole)):
        raise InvalidInput("BQC-STA-003", "the counting resolution is above 0 and below the whole")
    moved = found.copy()
    shift = np.where(found[places] == 0, steps / 2, -steps / 2)
    moved[places] += shift
    return Scaled(moved, tuple(int(at) + 1 for at in places), tuple(float(one) for one in shift))
