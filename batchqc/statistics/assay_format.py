"""Format of an assay: how many runs, and how many replicates in each, for the width wanted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.fieller import two_sided


@dataclass(frozen=True, slots=True)
class Format:
    """What a number of runs and replicates gives.

    Args:
        runs: independent runs.
        replicates: in each run.
        variance: of the mean ln potency.
        gsd: geometric standard deviation of the reportable value, exp(sqrt(variance)).
        gcv: geometric coefficient of variation, %: 100 (gsd - 1).
        fold: the interval is from value / fold to value * fold.
        half_width: %, 100 (fold - 1).
    """

    runs: int
    replicates: int
    variance: float
    gsd: float
    gcv: float
    fold: float
    half_width: float


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of ln potency between runs and between replicates of a run.

    ``df`` are those with which they were estimated (Student's t); None where they are known.
    """

    between_runs: float
    within_run: float
    df: float | None = None


def assay_format(
    components: Components, runs: int, replicates: int, *, confidence: float = 0.95
) -> Format:
    """Variation of a reportable value that is the geometric mean of runs and replicates.

    Args:
        components: variances of ln potency.
        runs: 1 or more.
        replicates: 1 or more, in each run.
        confidence: of the two-sided interval.

    Raises:
        InvalidInput: a variance is negative, both are 0, or a number is below 1.

    Source: USP <1033>, format variability; Ph. Eur. 5.3 section 6.
    """
    a, b = components.between_runs, components.within_run
    if not (math.isfinite(a) and math.isfinite(b) and a >= 0 and b >= 0 and a + b > 0):
        raise InvalidInput("BQC-STA-003", f"variances {a:g} and {b:g} are not those of an assay")
    if runs < 1 or replicates < 1:
        raise InvalidInput("BQC-STA-003", "runs and replicates are 1 or more")
    variance = a / runs + b / (runs * replicates)
    root = math.sqrt(variance)
    fold = math.exp(two_sided(confidence, components.df) * root)
    gsd = math.exp(root)
    return Format(runs, replicates, variance, gsd, 100 * (gsd - 1), fold, 100 * (fold - 1))


def format_table(
    components: Components,
    runs: Sequence[int] = (1, 2, 3, 4, 6),
    replicates: Sequence[int] = (1, 2, 3, 4, 6),
    *,
    confidence: float = 0.95,
) -> list[Format]:
    """Every combination of runs and replicates, by runs."""
    return [assay_format(components, r, k, confidence=confidence) for r in runs for k in replicates]


def recommended_format(
    components: Components,
    *,
    fold: float,
    most_runs: int = 12,
    most_replicates: int = 6,
    confidence: float = 0.95,
) -> Format:
    """The format with the fewest wells whose interval is within the fold wanted; then fewest runs.

    Args:
        components: variances of ln potency.
        fold: above 1: 1.25 wants value / 1.25 to value * 1.25.
        most_runs: that the laboratory can make for a lot.
        most_replicates: that fit in a run.
        confidence: of the two-sided interval.

    Raises:
        InvalidInput: the fold is not above 1.
        NotEstimable: no such format is narrow enough; the message tells the best.
    """
    if not fold > 1:
        raise InvalidInput("BQC-STA-003", f"a fold of {fold:g} is not above 1")
    every = format_table(
        components, range(1, most_runs + 1), range(1, most_replicates + 1), confidence=confidence
    )
    good = [one for one in every if one.fold <= fold]
    if not good:
        best = min(every, key=lambda one: one.fold)
        raise NotEstimable(
            "BQC-STA-001",
            f"{best.runs} runs of {best.replicates} replicates give a fold of {best.fold:.3f}, "
            f"not {fold:g}",
            hint="Replicates do not lower the variation between runs: allow more runs.",
        )
    return min(good, key=lambda one: (one.runs * one.replicates, one.runs))


def probability_outside(found: Format, potency: float, lower: float, upper: float) -> float:
    """Probability that a lot of a true potency is reported outside limits.

    Raises:
        InvalidInput: not 0 < lower < upper, or the potency is not positive.

    Source: normal distribution of ln potency (USP <1033>).
    """
    if not (0 < lower < upper and potency > 0):
        raise InvalidInput("BQC-STA-003", "limits are 0 < lower < upper, and the potency positive")
    root = math.sqrt(found.variance)
    return float(
        stats.norm.cdf(math.log(lower / potency) / root)
        + stats.norm.sf(math.log(upper / potency) / root)
    )
