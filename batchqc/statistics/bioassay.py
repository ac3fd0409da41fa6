"""Wells of an assay: preparation, dose, response and blocks, checked once.

The standard is named, never guessed. A missing response is left out and counted; a missing dose
or preparation is refused.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.values import Floats, values_of, with_gaps

Transformation: TypeAlias = Literal["identity", "log10", "ln", "sqrt"]

_TRANSFORMED: Final[Mapping[str, Callable[[Floats], Floats]]] = {
    "identity": lambda y: y,
    "log10": np.log10,
    "ln": np.log,
    "sqrt": np.sqrt,
}


@dataclass(frozen=True, slots=True)
class Assay:
    """The wells that have a response.

    Args:
        names: of the preparations, the standard first.
        of: n indices into ``names``.
        dose: n doses, 0 or more, in the unit of the assumed potency.
        response: n responses, transformed.
        blocks: for each block factor (rows, columns, plates, animals ...), n indices.
        missing: how many wells had no response.
        transformation: of the response.
    """

    names: tuple[str, ...]
    of: NDArray[np.intp]
    dose: Floats
    response: Floats
    blocks: tuple[NDArray[np.intp], ...] = ()
    missing: int = 0
    transformation: str = "identity"

    @property
    def n(self) -> int:
        """How many wells have a response."""
        return int(self.response.size)

    @property
    def samples(self) -> tuple[str, ...]:
        """All preparations but the standard."""
        return self.names[1:]

    @property
    def treatment(self) -> NDArray[np.intp]:
        """An index per well of its preparation and dose."""
        return np.unique(np.column_stack([self.of, self.dose]), axis=0, return_inverse=True)[
            1
        ].ravel()

    @property
    def limitations(self) -> tuple[str, ...]:
        """What the wells do not allow."""
        return (f"{self.missing} wells without a response were left out",) if self.missing else ()


def assay(
    preparation: Sequence[object],
    dose: ArrayLike,
    response: ArrayLike,
    *,
    standard: str = "S",
    blocks: Sequence[Sequence[object]] = (),
    transformation: Transformation = "identity",
) -> Assay:
    """The wells of an assay.

    Args:
        preparation: n labels.
        dose: n doses, 0 or more.
        response: n responses; None or NaN where a well has none.
        standard: the label of the reference preparation.
        blocks: factors other than the treatment, each of n labels.
        transformation: identity, log10, ln or sqrt of the response.

    Raises:
        InvalidInput: the lengths differ, a dose is missing or negative, the standard is not there,
            or a response cannot be transformed.
        NotEstimable: no well has a response.
    """
    doses, responses = values_of(dose, "doses"), with_gaps(response, "responses")
    labels = [str(one) for one in preparation]
    lengths = {len(labels), doses.size, responses.size, *(len(one) for one in blocks)}
    if len(lengths) > 1:
        raise InvalidInput(
            "BQC-STA-003", f"preparations, doses, responses, blocks differ: {lengths}"
        )
    if np.any(doses < 0):
        raise InvalidInput("BQC-STA-003", "a dose is negative")
    there = ~np.isnan(responses)
    kept = [label for label, here in zip(labels, there, strict=True) if here]
    if not kept:
        raise NotEstimable("BQC-STA-001", "no well has a response")
    if standard not in kept:
        raise InvalidInput(
            "BQC-STA-003",
            f"no well of the standard {standard!r} has a response: there are {sorted(set(kept))}",
            hint="Name the reference preparation with standard=.",
        )
    names = (standard, *(one for one in dict.fromkeys(kept) if one != standard))
    return Assay(
        names=names,
        of=np.array([names.index(one) for one in kept], dtype=np.intp),
        dose=doses[there],
        response=transformed(responses[there], transformation),
        blocks=tuple(codes(one)[there] for one in blocks),
        missing=int(np.sum(~there)),
        transformation=transformation,
    )


def codes(labels: Sequence[object]) -> NDArray[np.intp]:
    """Whole numbers for labels, by first appearance."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(str(one), len(seen)) for one in labels], dtype=np.intp)


def transformed(response: Floats, transformation: str) -> Floats:
    """The responses on the scale on which they are analysed.

    Raises:
        InvalidInput: the transformation is unknown, or a response is not of its domain.
    """
    if transformation not in _TRANSFORMED:
        raise InvalidInput(
            "BQC-STA-003", f"transformation {transformation!r} is none of {', '.join(_TRANSFORMED)}"
        )
    bad = response <= 0 if transformation in {"log10", "ln"} else response < 0
    if transformation != "identity" and np.any(bad):
        raise InvalidInput(
            "BQC-STA-003",
            f"{int(np.sum(bad))} responses have no {transformation}: they are too low",
        )
    return _TRANSFORMED[transformation](response)


def factor_of(name: str, factors: float | Mapping[str, float]) -> float:
    """The potency that a relative potency of 1 means for a preparation.

    Raises:
        InvalidInput: it is missing or not positive.
    """
    found = factors if isinstance(factors, int | float) else factors.get(name)
    if found is None or not (math.isfinite(found) and found > 0):
        raise InvalidInput("BQC-STA-003", f"potency factor of {name!r} is {found}, not positive")
    return float(found)


def extrapolated(wells: Assay, place: int, shift: float) -> tuple[str, ...]:
    """What to say of a sample whose doses, moved by ln potency, miss those of the standard."""
    own, standard = wells.dose[wells.of == place], wells.dose[wells.of == 0]
    moved, fixed = np.log(own[own > 0]) + shift, np.log(standard[standard > 0])
    if moved.max() >= fixed.min() and moved.min() <= fixed.max():
        return ()
    told = (
        "the equivalent doses of sample and standard do not overlap: the potency is extrapolated; "
        "look whether standard and sample were swapped"
    )
    return (told,)
