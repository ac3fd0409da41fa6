"""Cases of parallel-line, slope-ratio and cross-over assays, and of Fieller's interval."""

from typing import Final

from batchqc.statistics.assay_anova import Source
from batchqc.statistics.bioassay import Assay, assay
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.potency_keys import (
    before,
    between,
    blocks_of,
    confidence_of,
    factor,
    first,
    labels,
    standard_of,
    transformation_of,
)
from batchqc.statistics.cross_over import cross_over
from batchqc.statistics.fieller import Pair, ratio
from batchqc.statistics.parallel_lines import LineAssay, parallel_lines
from batchqc.statistics.parallelism import line_parallelism
from batchqc.statistics.slope_ratio import slope_ratio

#: Names of the lines of the table, by our own.
_LINES: Final = {
    "preparations": ("prep", "preparation"),
    "regression": ("regr", "reg", "slope"),
    "non-parallelism": ("nonpar", "non_parallelism", "nonparallelism", "parallelism", "par"),
    "non-linearity": ("nonlin", "non_linearity", "nonlinearity", "linearity", "lin"),
    "quadratic": ("quad", "quadratic_curvature", "curvature"),
    "lack of quadratic fit": ("lack", "lack_quad", "lack_of_quadratic_fit"),
    "intersection": ("inter", "intersect", "common_intercept"),
    "blanks": ("blank",),
    "treatments": ("treat", "treatment", "trt"),
    "blocks": ("all_blocks",),
    "block 1": ("block", "row", "rows", "plate", "plates"),
    "block 2": ("col", "cols", "column", "columns"),
    "residual": ("resid", "res", "error", "residual_error", "resid_within"),
    "residual within subjects": ("resid", "residual", "resid_within", "within"),
    "residual between subjects": ("resid_between", "between"),
    "subjects": ("subject", "rabbits", "block", "blocks"),
    "periods": ("period", "days", "day"),
    "periods x preparations": ("days_x_prep", "day_prep", "period_prep"),
    "periods x regression": ("days_x_regr", "day_regr", "period_regr"),
    "periods x non-parallelism": ("days_x_nonpar", "day_nonpar", "period_nonpar"),
    "total": (),
}


def _parallel(given: Given) -> Answer:
    wells = _wells(given)
    how = {"confidence": confidence_of(given)}
    crossed = "cross" in str(given.get("design", "")).casefold() and len(wells.blocks) == 2
    method = cross_over if crossed else parallel_lines
    return _told(method(wells, potency_factor=factor(given), **how))


def _slope_ratio(given: Given) -> Answer:
    found = slope_ratio(
        _wells(given), confidence=confidence_of(given), potency_factor=factor(given)
    )
    return _told(found)


def _wells(given: Given) -> Assay:
    dose, y = first(given, "dose", "x", "conc"), first(given, "y", "response", "responses")
    own = labels(given, len(dose))
    return assay(
        own,
        dose,
        y,
        standard=standard_of(given, own, dose),
        blocks=blocks_of(given, len(dose)),
        transformation=transformation_of(given),
    )


def _told(found: LineAssay) -> Answer:
    potency = {name: between(one.figure) for name, one in found.potency.items()}
    limits = [before(one.figure) for one in found.potency.values()]
    g = {name: one.ratio.g for name, one in found.potency.items()}
    tests = _named({name: one for name, one in found.anova.items() if one.f is not None})
    residual = found.residual_sd**2
    return {
        "relative_potency": potency,
        "rp": potency,
        "potency": limits[0] if len(limits) == 1 else dict(zip(potency, limits, strict=True)),
        "anova": {name: [one.df, one.ss] for name, one in _named(found.anova).items()},
        "F": {name: one.f for name, one in tests.items()},
        "f": {name: one.f for name, one in tests.items()},
        "p": {name: one.p for name, one in tests.items()},
        "slope": found.slope,
        "common_slope": found.slope,
        "g": next(iter(g.values())) if len(g) == 1 else g,
        "df": found.df,
        "s2": residual,
        "ms": residual,
        "resid_ms": residual,
        "rse": found.residual_sd,
        "s": found.residual_sd,
        "correlation": found.correlation,
        "r": found.correlation,
    }


def _named(anova: "Answer | dict[str, Source]") -> dict[str, Source]:
    lines: dict[str, Source] = {}
    for name, line in anova.items():
        if isinstance(line, Source):
            lines |= dict.fromkeys((name, name.replace(" ", "_"), *_LINES.get(name, ())), line)
    return lines


def _parallelism(given: Given) -> Answer:
    bounds = first(given, "bounds", "limits", "margin", "equivalence_bounds")
    wanted = {"ratio of slope": (bounds[0], bounds[1])} if isinstance(bounds, list) else None
    found = line_parallelism(_wells(given), wanted, confidence=confidence_of(given, usual=0.9))
    slope, difference = found[0], found[1]
    return {
        **_parallel(given),
        "slope_ratio": before(slope.figure),
        "ratio": before(slope.figure),
        "ci90": [slope.figure.lower, slope.figure.upper],
        "slope_difference": before(difference.figure),
        "difference": before(difference.figure),
        "equivalent": slope.equivalent,
        "parallel": slope.equivalent,
    }


def _fieller(given: Given) -> Answer:
    a, b = first(given, "a", "m1", "num"), first(given, "b", "m2", "den")
    df = first(given, "df")
    v11, v12, v22 = (given.get(one, 0.0) for one in ("v11", "v12", "v22"))
    t = first(given, "t", "quantile", "z")
    found = ratio(Pair(a, b, v11, v12, v22), confidence=confidence_of(given), df=df, quantile=t)
    return {
        "estimate": found.estimate,
        "ratio": found.estimate,
        "lower": found.lower,
        "upper": found.upper,
        "ci": [found.lower, found.upper],
        "g": found.g,
        "bounded": found.shape == "bounded",
        "unbounded": found.shape != "bounded",
        "shape": found.shape,
        "kind": found.shape,
        "type": found.shape,
        "excluded": None if found.excluded is None else list(found.excluded),
    }


_WELLS: Final = frozenset({"dose", "y"})

METHODS: Final = (
    CaseMethod(("parallel-line",), _parallel, _WELLS),
    CaseMethod(("parallel line",), _parallel, _WELLS),
    CaseMethod(("cross-over", "assay"), _parallel, _WELLS),
    CaseMethod(("parallel", "line", "equivalence"), _parallelism, _WELLS),
    CaseMethod(("slope-ratio",), _slope_ratio, _WELLS),
    CaseMethod(("slope ratio",), _slope_ratio, _WELLS),
    CaseMethod(("slope-ratio", "assay"), _slope_ratio, _WELLS),
    CaseMethod(("slope ratio", "assay"), _slope_ratio, _WELLS),
    CaseMethod(("fieller",), _fieller, frozenset({"a", "b"})),
)
