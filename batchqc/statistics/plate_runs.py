"""Independent runs of a plate assay, combined to one value by the rule that a method declares."""

from collections.abc import Mapping, Sequence
from statistics import geometric_mean
from typing import Final

from batchqc.core.potency import Combination, PotencyAnalysis
from batchqc.errors import NotEstimable
from batchqc.statistics.combination import CombineOptions, Mean, Run, combine
from batchqc.statistics.plate_fit import standard_error
from batchqc.statistics.values import text_of

_MEANS: Final[Mapping[Combination, Mean]] = {
    Combination.GEOMETRIC_MEAN: "unweighted",
    Combination.WEIGHTED: "weighted",
    Combination.SEMI_WEIGHTED: "semi-weighted",
}


def combine_fits(analysis: PotencyAnalysis, fits: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """Value, lower, upper, se_log, df and n (runs) of the reportable value, as texts.

    Where runs have bounds in place of values, so has what they combine to. A geometric mean lies
    below that of the values and upper bounds; a mean with weights that nobody knows lies below the
    largest of them. Nothing is put in the place of what is behind a bound.

    Args:
        analysis: of the method.
        fits: value, lower, upper, se_log and df of each run; of one run they are told as they are.

    Raises:
        NotEstimable: a run has no standard error, or bounds do not lie on one side.
    """
    if analysis.combination is Combination.ONE_RUN:
        (only,) = fits
        return {name: only[name] for name in ("value", "lower", "upper", "se_log", "df")} | {
            "n": "1"
        }
    if signs := {one["value"][:1] for one in fits} & {"<", ">"}:
        return _bounded(analysis, [one["value"] for one in fits], signs)
    if any(not one["se_log"] for one in fits):
        raise NotEstimable("BQC-STA-001", "a run has no standard error: it has no weight")
    runs = [
        Run(float(one["value"]), float(one["se_log"]) ** 2, float(one["df"]) if one["df"] else None)
        for one in fits
    ]
    how = CombineOptions(_MEANS[analysis.combination], confidence=float(analysis.confidence))
    found = combine(runs, how)
    figure = found.reported
    return {
        "value": text_of(figure.value),
        "lower": text_of(figure.lower),
        "upper": text_of(figure.upper),
        "se_log": text_of(standard_error(figure, figure.df)),
        "df": text_of(figure.df),
        "n": str(len(runs)),
        "homogeneity p": text_of(found.p),
    }


def _bounded(
    analysis: PotencyAnalysis, values: Sequence[str], signs: set[str]
) -> Mapping[str, str]:
    if len(signs) > 1:
        said = f"one run is above the range of quantitation and one below: {', '.join(values)}"
        raise NotEstimable("BQC-STA-001", said, hint="Look for samples that were exchanged.")
    (sign,) = signs
    numbers = [float(one.lstrip("<>")) for one in values]
    if analysis.combination is Combination.GEOMETRIC_MEAN:
        bound = geometric_mean(numbers)
    else:
        bound = max(numbers) if sign == "<" else min(numbers)
    return dict.fromkeys(("lower", "upper", "se_log", "df"), "") | {
        "value": sign + text_of(bound),
        "n": str(len(values)),
    }
