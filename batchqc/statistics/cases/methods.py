"""All methods by which cases are computed."""

from typing import Final

from batchqc.statistics.cases import of_potency, of_univariate
from batchqc.statistics.cases.check import CaseMethod

METHODS: Final[tuple[CaseMethod, ...]] = (
    *of_univariate.METHODS,
    *of_potency.METHODS,
)
