"""All methods by which cases are computed."""

from typing import Final

from batchqc.statistics.cases import (
    of_censored,
    of_description,
    of_equivalence,
    of_regression,
    of_stability,
    of_univariate,
)
from batchqc.statistics.cases.check import CaseMethod

METHODS: Final[tuple[CaseMethod, ...]] = (
    *of_univariate.METHODS,
    *of_censored.METHODS,
    *of_description.METHODS,
    *of_equivalence.METHODS,
    *of_regression.METHODS,
    *of_stability.METHODS,
)
