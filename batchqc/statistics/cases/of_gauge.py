"""Cases of gauge studies."""

from typing import Any, Final

import numpy as np

from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.keys import confidence, first
from batchqc.statistics.gauge import gauge_study, gauge_values
from batchqc.statistics.gauge_ranges import gauge_ranges

_VALUES: Final = ("y", "x", "values", "data", "response")
_AXES: Final = (
    (0, {"part", "parts", "lot", "lots", "sample", "item", "wafer"}),
    (1, {"operator", "operators", "appraiser", "appraisers", "analyst", "inspector", "oper"}),
)


def _gauge(given: Given) -> Answer:
    data = first(given, *_VALUES)
    if not isinstance(data[0], list):
        operators = first(given, "operator", "appraiser", "oper", "inspector", "analyst")
        data = gauge_values(data, first(given, "part", "parts", "sample", "lot"), operators)
    data = _in_order(data, given.get("axes"))
    pools = first(given, "pool_interaction", "pooled", default=None)
    found = gauge_study(
        data,
        interaction="auto" if pools is None else "pool" if pools else "keep",
        conf=confidence(given),
        tolerance=first(given, "tolerance", "tol", default=None),
        sigmas=first(given, "sigmas", "sigma_multiplier", "studyvar", "k", default=6.0),
    )
    lines = {name: (one.sd.lower, one.sd.value, one.sd.upper) for name, one in found.lines.items()}
    names = {"part": "part", "operator": "operator", "interaction": "interaction",
             "repeatability": "repeat"}  # fmt: skip
    table = {
        f"{what}_{short}": getattr(found.table[name], what)
        for name, short in names.items()
        for what in ("ms", "df", "ss", "f", "p")
    }
    table |= {name.replace("f_", "F_"): one for name, one in table.items() if name[:2] == "f_"}
    variances = {f"vc_{name}": one for name, one in found.variances.items()}
    return {
        **lines,
        **{f"{name}_sd": one.sd for name, one in found.lines.items()},
        **{f"pct_{name}": one.study for name, one in found.lines.items()},
        **{f"pct_contribution_{name}": one.contribution for name, one in found.lines.items()},
        **{f"pct_tolerance_{name}": one.of_tolerance for name, one in found.lines.items()},
        **table,
        **variances,
        "vc_repeat": found.variances["repeatability"],
        "vc": tuple(found.variances[one] for one in names if one in found.variances),
        "df": tuple(found.table[one].df for one in names),
        "ss": tuple(found.table[one].ss for one in names),
        "ms": tuple(found.table[one].ms for one in names),
        "ms_error": found.table["repeatability"].ms,
        "ms_pooled": found.pooled_ms,
        "ndc": found.distinct,
        "ndc_raw": found.ndc,
    }


def _in_order(data: Any, axes: Any) -> Any:
    """Parts first, then operators, then trials, where a source names its axes in another order."""
    if not axes:
        return data
    kinds = [next((kind for kind, names in _AXES if one.casefold() in names), 2) for one in axes]
    return np.moveaxis(np.asarray(data, dtype=np.float64), range(3), kinds)


def _ranges(given: Given) -> Answer:
    found = gauge_ranges(_in_order(first(given, *_VALUES), given.get("axes")))
    sds = {"EV": found.ev, "AV": found.av, "GRR": found.grr, "PV": found.pv, "TV": found.tv}
    return sds | {f"pct_{name}": found.percent(sd) for name, sd in sds.items()} | {"ndc": found.ndc}


METHODS: Final = (
    CaseMethod(("gauge",), _gauge, frozenset({"y"})),
    CaseMethod(("r&r",), _gauge, frozenset({"y"})),
    CaseMethod(("gauge", "range"), _ranges, frozenset({"y"})),
)
