"""All methods by which cases are computed."""

from typing import Final

from batchqc.statistics.cases import (
    of_capability,
    of_censored,
    of_charts,
    of_counts,
    of_description,
    of_equivalence,
    of_gauge,
    of_mixed,
    of_multivariate,
    of_potency,
    of_regression,
    of_rule_run_length,
    of_rules,
    of_sequential,
    of_sequential_run_length,
    of_stability,
    of_subgroups,
    of_tolerance,
    of_univariate,
    of_variation,
)
from batchqc.statistics.cases.check import CaseMethod

METHODS: Final[tuple[CaseMethod, ...]] = (
    *of_capability.METHODS,
    *of_censored.METHODS,
    *of_charts.METHODS,
    *of_counts.METHODS,
    *of_description.METHODS,
    *of_equivalence.METHODS,
    *of_gauge.METHODS,
    *of_mixed.METHODS,
    *of_multivariate.METHODS,
    *of_potency.METHODS,
    *of_regression.METHODS,
    *of_rule_run_length.METHODS,
    *of_rules.METHODS,
    *of_sequential.METHODS,
    *of_sequential_run_length.METHODS,
    *of_stability.METHODS,
    *of_subgroups.METHODS,
    *of_tolerance.METHODS,
    *of_univariate.METHODS,
    *of_variation.METHODS,
)
