"""Capability of a process against its specification, with intervals."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import scipy
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput
from batchqc.statistics import capability_limits as limits
from batchqc.statistics.anova import one_way_anova
from batchqc.statistics.figures import Figure
from batchqc.statistics.levels import Labels
from batchqc.statistics.tolerance import Summary
from batchqc.statistics.univariate import mean
from batchqc.statistics.values import positive, values_of

_ASSUMED: Final = ("normal values", "a stable process", "independent lots")
_FEW: Final = "fewer than 30 values: read the tolerance interval against the specification instead"


@dataclass(frozen=True, slots=True)
class SpecLimits:
    """What is asked for: at least one limit; the target is the middle unless told.

    Raises:
        InvalidInput: there is no limit, or the lower is not below the upper.
    """

    lsl: float | None = None
    usl: float | None = None
    target: float | None = None

    def __post_init__(self) -> None:
        if self.lsl is None and self.usl is None:
            raise InvalidInput("BQC-STA-003", "there is no specification limit")
        if any(one is not None and not math.isfinite(one) for one in (self.lsl, self.usl)):
            raise InvalidInput("BQC-STA-003", "a specification limit is not finite")
        if self.lsl is not None and self.usl is not None and self.lsl >= self.usl:
            raise InvalidInput(
                "BQC-STA-003", f"lower limit {self.lsl:g} is not below the upper {self.usl:g}"
            )

    @property
    def middle(self) -> float | None:
        """Halfway between two limits."""
        if self.lsl is None or self.usl is None:
            return None
        return (self.lsl + self.usl) / 2

    def logged(self) -> "SpecLimits":
        """The same limits on the ln scale.

        Raises:
            InvalidInput: a limit is not above 0.
        """
        lsl, usl, target = (
            None if one is None else math.log(positive(one, "a limit on the ln scale"))
            for one in (self.lsl, self.usl, self.target)
        )
        return SpecLimits(lsl, usl, target)


@dataclass(frozen=True, slots=True)
class Capability:
    """Indices and expected fractions; those that need a limit that is not there are missing.

    Args:
        indices: Pp, Ppu, Ppl, Ppk, Ppm (Cp ... Cpm where the standard deviation is within
            subgroups) and k, the part of the half width by which the mean is off the middle.
        beyond: expected fraction ``below``, ``above`` and ``total`` of normal values.
    """

    indices: Mapping[str, Figure]
    beyond: Mapping[str, Figure]


def within_summary(data: ArrayLike, subgroups: Labels) -> Summary:
    """Mean of all values, and the standard deviation pooled within rational subgroups.

    Source: Montgomery 2013, section 8.2; ISO 22514-2, estimation within subgroups.

    Args:
        data: of shape (n,).
        subgroups: n labels; its df is n less the number of subgroups.

    Raises:
        NotEstimable: one subgroup only, none with two values, or no variation within them.
        InvalidInput: a value or a label is missing.
    """
    found = values_of(data)
    table = one_way_anova(found, subgroups)
    centre = mean(found).value
    return Summary(centre, table.resid_sd.value, found.size, table.df_within)


def capability(
    data: ArrayLike | Summary,
    spec: SpecLimits,
    *,
    conf: float = 0.95,
    within: bool = False,
    scale: Literal["raw", "ln"] = "raw",
    method: Literal["exact", "bissell"] = "exact",
) -> Capability:
    """Capability indices with two-sided intervals.

    Pp and Ppk use the overall standard deviation, which is the right one where lots are the
    subgroups. Cp and Cpk are for a standard deviation within rational subgroups, given as a
    `Summary` with its df and ``within=True``.

    Source: ISO 22514-2:2017; Montgomery 2013, sections 8.3.2 to 8.3.5; intervals as in
    `batchqc.statistics.capability_limits`.

    Args:
        data: of shape (n,), or a `Summary` on the scale.
        spec: limits in the unit of the data.
        conf: two-sided.
        within: names the indices C instead of P.
        scale: ``ln`` for lognormal values: limits and values are taken to logarithms.
        method: of the interval of the one-sided indices and the Ppk.

    Raises:
        NotEstimable: fewer than 2 values, or all are equal.
        InvalidInput: a value is missing, or has no logarithm; limits are swapped or missing.
    """
    found = data if isinstance(data, Summary) else Summary.of(data, scale)
    positive(found.sd, "standard deviation")
    asked = spec.logged() if scale == "ln" else spec
    made = _Maker(found, conf, "C" if within else "P", method)
    return Capability(made.indices(asked), _beyond(found, asked, conf))


@dataclass(frozen=True, slots=True)
class _Maker:
    found: Summary
    conf: float
    letter: str
    method: str

    def indices(self, spec: SpecLimits) -> dict[str, Figure]:
        mean, sd, p = self.found.mean, self.found.sd, self.letter
        made: dict[str, Figure] = {}
        if spec.usl is not None:
            made[f"{p}pu"] = self.one_sided(f"{p}pu", (spec.usl - mean) / (3 * sd))
        if spec.lsl is not None:
            made[f"{p}pl"] = self.one_sided(f"{p}pl", (mean - spec.lsl) / (3 * sd))
        least = min(one.value for one in made.values())
        made[f"{p}pk"] = self.least(least, two=len(made) == 2)
        if spec.lsl is not None and spec.usl is not None:
            made |= self.two_sided(spec.usl - spec.lsl, spec)
        return made

    def two_sided(self, width: float, spec: SpecLimits) -> dict[str, Figure]:
        mean, sd, p, found = self.found.mean, self.found.sd, self.letter, self.found
        middle = mean if spec.middle is None else spec.middle
        target = middle if spec.target is None else spec.target
        cp = width / (6 * sd)
        off = (mean - target) / sd
        cpm = cp / math.sqrt(1 + off**2)
        ends = limits.cp_interval(cp, found.df, conf=self.conf)
        around = limits.cpm_interval(cpm, found.n, off_target=off, conf=self.conf)
        k = abs(middle - mean) / (width / 2)
        return {
            f"{p}p": self.figure(f"{p}p", cp, limits.CHI_SQUARE, ends),
            f"{p}pm": self.figure(f"{p}pm", cpm, limits.BOYLES, around),
            "k": Figure("k", k, "Montgomery 2013, section 8.3", round(found.n)),
        }

    def one_sided(self, name: str, value: float) -> Figure:
        n, df, conf = self.found.n, self.found.df, self.conf
        if self.method == "bissell":
            ends = limits.bissell_interval(value, n, conf=conf, df=df)
            return self.figure(name, value, limits.BISSELL, ends)
        levels = ((1 + conf) / 2, (1 - conf) / 2)
        low, high = (limits.one_sided_bound(value, n, conf=one, df=df) for one in levels)
        return self.figure(name, value, limits.NONCENTRAL, (low, high))

    def least(self, value: float, *, two: bool) -> Figure:
        name = f"{self.letter}pk"
        if not two or self.method == "bissell" or value <= 0:
            return self.one_sided(name, value)
        ends = limits.cpk_interval(value, self.found.n, conf=self.conf, df=self.found.df)
        return self.figure(name, value, limits.BOTH, ends)

    def figure(self, name: str, value: float, method: str, ends: tuple[float, float]) -> Figure:
        found = self.found
        told = (_FEW,) if found.n < 30 else ()
        return Figure(
            name, value, method, round(found.n), *ends, self.conf, found.df, _ASSUMED, told
        )


def _beyond(found: Summary, spec: SpecLimits, conf: float) -> dict[str, Figure]:
    """Expected fractions; each side with its exact interval (Owen and Hua 1977)."""
    made = {}
    for name, limit, sign in (("below", spec.lsl, 1), ("above", spec.usl, -1)):
        if limit is not None:
            index = sign * (found.mean - limit) / (3 * found.sd)
            low, high = (
                float(
                    scipy.special.ndtr(
                        -3 * limits.one_sided_bound(index, found.n, conf=one, df=found.df)
                    )
                )
                for one in ((1 - conf) / 2, (1 + conf) / 2)
            )
            value = float(scipy.special.ndtr(-3 * index))
            told = f"normal; {limits.NONCENTRAL}"
            made[name] = Figure(
                f"fraction {name}", value, told, round(found.n), low, high, conf, found.df, _ASSUMED
            )
    total = sum(one.value for one in made.values())
    made["total"] = Figure("fraction beyond", total, "normal", round(found.n), assumptions=_ASSUMED)
    return made
