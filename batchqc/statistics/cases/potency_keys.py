"""Names under which the cases of relative potency give the same thing."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from batchqc.errors import InvalidInput
from batchqc.statistics.bioassay import Transformation
from batchqc.statistics.figures import Figure

_STANDARDS: Final = ("s", "std", "standard", "ref", "reference", "reference standard", "0")

_TRANSFORMATIONS: Final[Mapping[str, Transformation]] = {
    "identity": "identity",
    "none": "identity",
    "linear": "identity",
    "y": "identity",
    "log10": "log10",
    "lg": "log10",
    "ln": "ln",
    "log": "ln",
    "loge": "ln",
    "sqrt": "sqrt",
    "square root": "sqrt",
}

_SAMPLES: Final = ("sample", "preparation", "prep", "product", "group", "curve", "T", "trt")
_BLOCKS: Final = ("row", "rows", "column", "columns", "col", "block", "plate", "animal", "subject",
                  "rabbit", "period", "day", "days", "litter")  # fmt: skip


def first(given: Mapping[str, Any], *names: str, default: Any = None) -> Any:
    """What stands under the first of the names that is there and not null."""
    return next((given[one] for one in names if given.get(one) is not None), default)


def labels(given: Mapping[str, Any], n: int) -> list[str]:
    """The preparation of each well; all the same where none is given."""
    found = first(given, *_SAMPLES, default=["S"] * n)
    return [str(one) for one in found]


def standard_of(given: Mapping[str, Any], found: Sequence[str], dose: Sequence[float]) -> str:
    """The standard: as named, by a usual name, or the first that has a dose."""
    named = first(given, "standard", "reference", "ref")
    if isinstance(named, str):
        return named
    usual = [one for one in dict.fromkeys(found) if one.casefold() in _STANDARDS]
    dosed = [one for one, x in zip(found, dose, strict=False) if x]
    return (usual or dosed or [*found, ""])[0]


def transformation_of(given: Mapping[str, Any]) -> Transformation:
    """Of the response.

    Raises:
        InvalidInput: it has an unknown name.
    """
    name = str(first(given, "transform", "transformation", default="identity")).casefold()
    if name not in _TRANSFORMATIONS:
        raise InvalidInput("BQC-STA-003", f"transformation {name!r} is not known")
    return _TRANSFORMATIONS[name]


def blocks_of(given: Mapping[str, Any], n: int) -> list[list[object]]:
    """The block factors, each of n labels."""
    found = given.get("blocks")
    if isinstance(found, Mapping):
        return [list(one) for one in found.values()]
    if not found:
        return [list(given[one]) for one in _BLOCKS if given.get(one)]
    if not isinstance(found[0], list):
        return [list(found)]
    if len(found) == n and len(found[0]) != n:
        return [list(one) for one in zip(*found, strict=True)]
    return [list(one) for one in found]


def confidence_of(given: Mapping[str, Any], *, usual: float = 0.95) -> float:
    """Of the two-sided intervals."""
    found = first(given, "confidence", "conf", "level", "conf_level", "ci_level")
    if found is not None:
        return float(found) if found < 1 else float(found) / 100
    alpha = first(given, "alpha")
    return usual if alpha is None else 1 - float(alpha)


def factor(given: Mapping[str, Any]) -> float | dict[str, float]:
    """What a potency ratio of 1 means."""
    found = first(given, "potency_factor", "assumed_potency", "factor", default=1.0)
    if isinstance(found, Mapping):
        return {str(name): float(one) for name, one in found.items()}
    return float(found)


def between(figure: Figure) -> list[float | None]:
    """Lower limit, estimate, upper limit."""
    return [figure.lower, figure.value, figure.upper]


def before(figure: Figure) -> list[float | None]:
    """Estimate, lower limit, upper limit."""
    return [figure.value, figure.lower, figure.upper]
