"""Potency analyses as methods declare them.

A method that has an analysis reports its analyte by no other way: see ``runs``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from batchqc.core.acceptance import Limits

COMPUTED: Final = "computed"  # how what a fit declares came in, as an upload says it


class Model(StrEnum):
    """What is fitted. A standard curve gives a concentration, all others a relative potency."""

    FOUR = "4PL"
    FIVE = "5PL"
    PARALLEL_LINE = "parallel line"
    SLOPE_RATIO = "slope ratio"
    QUANTAL = "quantal"
    STANDARD_CURVE = "standard curve"


class Weights(StrEnum):
    """The weight of a response, as the inverse of what its variance is proportional to."""

    EQUAL = "equal"
    RESPONSE = "1/response"
    RESPONSE_SQUARED = "1/response^2"
    FITTED = "1/fitted"
    FITTED_SQUARED = "1/fitted^2"


class Combination(StrEnum):
    """How independent runs become one reportable value."""

    ONE_RUN = "one run"
    GEOMETRIC_MEAN = "geometric mean"
    WEIGHTED = "weighted"
    SEMI_WEIGHTED = "semi-weighted"


class Parallelism(StrEnum):
    """How it is shown that sample and reference are similar."""

    EQUIVALENCE = "equivalence"
    F_TEST = "F test"


#: What each model computes of a run, by the name under which a method sets limits to it.
FACTS: Final[Mapping[Model, tuple[str, ...]]] = {
    Model.FOUR: (
        "r squared", "fold response", "interval fold", "lack of fit p", "non-parallelism p",
        "measures not equivalent", "reference ed50", "control potency", "flagged wells",
        "largest cv", "relative potency",
    ),
    Model.FIVE: (
        "r squared", "fold response", "interval fold", "lack of fit p", "non-parallelism p",
        "measures not equivalent", "reference ed50", "control potency", "flagged wells",
        "largest cv", "relative potency",
    ),
    Model.PARALLEL_LINE: (
        "r squared", "interval fold", "regression p", "non-linearity p", "non-parallelism p",
        "measures not equivalent", "control potency", "flagged wells", "largest cv",
        "relative potency",
    ),
    Model.SLOPE_RATIO: (
        "r squared", "interval fold", "regression p", "non-linearity p", "non-parallelism p",
        "control potency", "flagged wells", "largest cv", "relative potency",
    ),
    Model.QUANTAL: (
        "interval fold", "deviance p", "non-parallelism p", "reference ed50", "control potency",
        "relative potency",
    ),
    Model.STANDARD_CURVE: (
        "r squared", "lack of fit p", "recoveries within 20 %", "interval fold",
        "control concentration", "flagged wells", "largest cv",
    ),
}  # fmt: skip

#: Of the models whose curves or lines can be compared by equivalence.
MEASURES: Final[Mapping[Model, tuple[str, ...]]] = {
    **dict.fromkeys(
        (Model.FOUR, Model.FIVE),
        tuple(
            f"{how} of {what}"
            for what in ("slope", "lower asymptote", "upper asymptote", "span")
            for how in ("ratio", "difference")
        ),
    ),
    Model.PARALLEL_LINE: ("ratio of slope", "difference of slope"),
}

#: Facts that every fit must have: their limits stand here, and no method widens them.
ALWAYS: Final = ("interval is bounded", "doses overlap", "response depends on dose")


@dataclass(frozen=True, slots=True)
class Suitability:
    """A limit to something that is computed of a run."""

    fact: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which a measure of two curves is equivalent; both ends included."""

    measure: str
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class PotencyAnalysis:
    """How the wells of a run become one measurement.

    Args:
        model: what is fitted.
        readout: the analyte of the rows that hold wells.
        readout_unit: their unit.
        analyte: what is declared.
        unit: its unit.
        decimals: decimal places of the declared value.
        reference: the preparation of the standard wells.
        assigned: the potency of the reference, in ``unit``; 1 of a standard curve.
        doses: each dose that every preparation must have; of a standard curve, of the standards.
        replicates: the fewest wells of each preparation and dose.
        suitability: limits to what is computed.
        parallelism: how similarity is shown; ``None`` for a standard curve.
        bounds: of an equivalence.
        weights: of the responses.
        transformation: of the responses: identity, log10, ln or sqrt.
        link: of a quantal assay.
        confidence: of the intervals.
        runs: how many independent runs make one reportable value.
        combination: how.
        quantitation: lowest and highest concentration of a standard curve.
        per_million_cells: whether a concentration is told per 10^6 viable cells.
        tolerance: the largest relative difference of a refit.
    """

    model: Model
    readout: str
    readout_unit: str
    analyte: str
    unit: str
    decimals: int
    reference: str
    assigned: Decimal
    doses: tuple[Decimal, ...]
    replicates: int
    suitability: tuple[Suitability, ...]
    parallelism: Parallelism | None = None
    bounds: tuple[Bounds, ...] = ()
    weights: Weights = Weights.EQUAL
    transformation: str = "identity"
    link: str = "probit"
    confidence: Decimal = Decimal("0.95")
    runs: int = 1
    combination: Combination = Combination.ONE_RUN
    quantitation: tuple[Decimal, Decimal] | None = None
    per_million_cells: bool = False
    tolerance: Decimal = Decimal("1E-6")

    @property
    def is_relative(self) -> bool:
        """Whether it compares a sample with a reference."""
        return self.model is not Model.STANDARD_CURVE
