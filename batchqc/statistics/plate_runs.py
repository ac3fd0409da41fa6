"""Independent runs of a plate assay, combined to one value by the rule that a method declares."""

from collections.abc import Mapping, Sequence
from typing import Final

from batchqc.core.potency import Combination, PotencyAnalysis
from batchqc.errors import NotEstimable
from batchqc.statistics.combination import CombineOptions, Mean, Run, combine
from batchqc.statistics.plate_fit import standard_error, text_of

_MEANS: Final[Mapping[Combination, Mean]] = {
    Combination.GEOMETRIC_MEAN: "unweighted",
    Combination.WEIGHTED: "weighted",
    Combination.SEMI_WEIGHTED: "semi-weighted",
}


def combine_fits(analysis: PotencyAnalysis, fits: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """Value, lower, upper, se_log, df and n (runs) of the reportable value, as texts.

    Args:
        analysis: of the method.
        fits: value, lower, upper, se_log and df of each run; of one run they are told as they are.

    Raises:
        NotEstimable: a run has no standard error.
    """
    if analysis.combination is Combination.ONE_RUN:
        (only,) = fits
        return {name: only[name] for name in ("value", "lower", "upper", "se_log", "df")} | {
            "n": "1"
        }
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
