"""Numbers as the methods take them: checked once, at the door of each method."""

import math
from collections.abc import Iterable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchqc.errors import InvalidInput, NotEstimable

Floats: TypeAlias = NDArray[np.float64]

#: Beyond this, squares of deviations leave the range of a float.
LARGEST: Final = 1e150


def values_of(data: ArrayLike, what: str = "values", *, at_least: int = 1) -> Floats:
    """One-dimensional finite numbers.

    Args:
        data: the numbers, in their order.
        what: their name in messages.
        at_least: how many the method needs.

    Raises:
        InvalidInput: one is missing, infinite, absurdly large, or no number.
        NotEstimable: there are too few.
    """
    found = with_gaps(data, what)
    missing = np.flatnonzero(np.isnan(found)) + 1
    if missing.size:
        raise InvalidInput(
            "BQC-STA-003",
            f"{what}: {missing.size} of {found.size} are missing",
            reasons=[f"value {place} is missing" for place in missing[:20]],
            hint="Leave a missing value out, or use a method that knows gaps.",
        )
    return enough(found, what, at_least=at_least)


def with_gaps(data: ArrayLike | Iterable[float | None], what: str = "values") -> Floats:
    """One-dimensional numbers of which some may be missing (None or NaN, told as NaN).

    Raises:
        InvalidInput: one is infinite, absurdly large, or no number.
    """
    try:
        found = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput("BQC-STA-003", f"{what} are not all numbers") from None
    if found.ndim != 1:
        raise InvalidInput("BQC-STA-003", f"{what} have {found.ndim} dimensions, not one")
    wild = np.flatnonzero(np.abs(found) > LARGEST) + 1
    if wild.size:
        raise InvalidInput(
            "BQC-STA-003",
            f"{what}: {wild.size} of {found.size} are infinite, or beyond ±{LARGEST:g}",
            reasons=[f"value {place} is {found[place - 1]:g}" for place in wild[:20]],
            hint="Check the unit and the data; nothing that is measured is of this size.",
        )
    return found


def enough(found: Floats, what: str, *, at_least: int) -> Floats:
    """The same numbers, where the method has as many as it needs.

    Raises:
        NotEstimable: it has not.
    """
    if found.size < at_least:
        raise NotEstimable(
            "BQC-STA-001", f"{what}: {found.size} of at least {at_least} that the method needs"
        )
    return found


def spread(found: Floats, what: str) -> Floats:
    """The same numbers, where they are not all equal as far as a float can tell.

    Raises:
        NotEstimable: they are.
    """
    if found.size and np.ptp(found) <= 8 * np.finfo(np.float64).eps * np.max(np.abs(found)):
        raise NotEstimable(
            "BQC-STA-001",
            f"{what} are all equal ({found[0]:g}): there is no variation to measure",
            hint="Look whether the values were rounded or copied.",
        )
    return found


def fraction_of(value: float, what: str) -> float:
    """A number strictly between 0 and 1: a confidence, a content, a level.

    Raises:
        InvalidInput: it is not.
    """
    if not 0 < value < 1:
        raise InvalidInput(
            "BQC-STA-003",
            f"{what} is {value:g}: it must lie between 0 and 1",
            hint="95 % is 0.95.",
        )
    return float(value)


def positive(value: float, what: str) -> float:
    """A finite number above 0.

    Raises:
        InvalidInput: it is not.
    """
    if not 0 < value < LARGEST:
        raise InvalidInput("BQC-STA-003", f"{what} is {value:g}: it must be above 0 and finite")
    return float(value)


def antilog(logarithm: float) -> float:
    """The number of a natural logarithm.

    Raises:
        NotEstimable: it is beyond what a float holds: the interval says nothing any more.
    """
    if logarithm > math.log(LARGEST):
        raise NotEstimable(
            "BQC-STA-001",
            f"exp({logarithm:.4g}) is absurdly large: these few values bound nothing on this scale",
        )
    return math.exp(logarithm)


def measurable(found: Floats, what: str) -> Floats:
    """The same numbers, where they vary by an amount whose fourth power is a float.

    Raises:
        NotEstimable: they are all equal.
        InvalidInput: they vary by an absurdly small or large amount.
    """
    if found.size and not 1e-70 < np.ptp(spread(found, what)) < 1e70:
        raise InvalidInput(
            "BQC-STA-003",
            f"{what} vary by {np.ptp(found):g}: nothing that is measured is of this size",
            hint="Check the unit and the data.",
        )
    return found


def text_of(number: float | None) -> str:
    """The shortest text that is this number; "" where there is none that is finite."""
    if number is None or not math.isfinite(number):
        return ""
    return repr(float(number))
