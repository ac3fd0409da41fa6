"""All methods by which cases are computed."""

from typing import Final

from batchqc.statistics.cases import of_capability, of_tolerance, of_univariate, of_variation
from batchqc.statistics.cases.check import CaseMethod

METHODS: Final[tuple[CaseMethod, ...]] = (
    *of_univariate.METHODS,
    *of_variation.METHODS,
    *of_capability.METHODS,
    *of_tolerance.METHODS,
)
