"""Cases of quantal assays."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

import numpy as np

from batchqc.errors import InvalidInput
from batchqc.statistics.cases.check import NAMED, Answer, CaseMethod, Given
from batchqc.statistics.cases.potency_keys import (
    before,
    confidence_of,
    factor,
    first,
    labels,
    standard_of,
)
from batchqc.statistics.figures import Figure
from batchqc.statistics.quantal import QuantalOptions, groups, quantal

_LINKS: Final = {
    "normit": "probit",
    "normal": "probit",
    "logistic": "logit",
    "complementary log-log": "cloglog",
    "c-log-log": "cloglog",
}


def _quantal(given: Given, link: str = "probit") -> Answer:
    if re.search("spearman|k.rber|reed|muench|moving average", str(given[NAMED]).casefold()):
        raise InvalidInput("BQC-STA-003", "quantal assays are computed by a curve of response only")
    link = str(first(given, "link", "model", default=link)).casefold()
    dose = first(given, "dose", "x", "dilution")
    own = labels(given, len(dose))
    options = QuantalOptions(
        link=_LINKS.get(link, link),
        confidence=confidence_of(given),
        heterogeneity=bool(first(given, "heterogeneity", "use_heterogeneity", default=False)),
        natural=float(first(given, "natural", "natural_response", "background", default=0.0)),
    )
    counts = first(given, "n", "total", "subjects", "N")
    responders = first(given, "responders", "r", "events", "positive", "dead", "y")
    given_groups = groups(own, dose, counts, responders, standard=standard_of(given, own, dose))
    found = quantal(given_groups, options, potency_factor=factor(given))
    slope_test, line_test = found.parallelism, found.linearity
    name = next(iter(found.potency), f"ED50 {own[0]}")
    return {
        "potency": _one(found.potency),
        "relative_potency": {key: _reversed(one) for key, one in found.potency.items()},
        "ed50": _one(found.ed50),
        "ld50": _one(found.ed50),
        "log10_ed50": _one_log(found.ed50),
        "coef": found.coefficients,
        "coefficients": found.coefficients,
        "se": np.sqrt(np.diag(found.covariance)),
        "slope": found.coefficients[-1],
        "deviance": found.deviance,
        "df": found.df,
        "p": found.p_deviance,
        "p_deviance": found.p_deviance,
        "pearson": found.pearson,
        "chi2": found.pearson,
        "p_pearson": found.p_pearson,
        "nonpar": [slope_test[1], slope_test[0]],
        "p_nonpar": slope_test[2],
        "nonlin": [line_test[1], line_test[0]],
        "p_nonlin": line_test[2],
        "heterogeneity": found.heterogeneity,
        "g": found.ratios[name].g,
        "fitted": found.fitted,
    }


def _one(figures: Mapping[str, Figure]) -> object:
    found = {name: before(one) for name, one in figures.items()}
    return next(iter(found.values())) if len(found) == 1 else found


def _one_log(figures: Mapping[str, Figure]) -> object:
    found = {
        name: [None if one is None else float(np.log10(one)) for one in before(figure)]
        for name, figure in figures.items()
    }
    return next(iter(found.values())) if len(found) == 1 else found


def _reversed(figure: Figure) -> list[float | None]:
    return [figure.lower, figure.value, figure.upper]


def _methods(link: str) -> tuple[CaseMethod, CaseMethod]:
    run = partial(_quantal, link=link)
    return (
        CaseMethod(("quantal", link), run, frozenset({"dose"})),
        CaseMethod((link,), run, frozenset({"dose", "n"})),
    )


METHODS: Final = (
    CaseMethod(("quantal",), _quantal, frozenset({"dose"})),
    *(method for link in ("probit", "logit", "gompit", "cloglog", "cauchit", "loglog")
      for method in _methods(link)),
)  # fmt: skip
