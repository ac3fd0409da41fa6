"""Checks that many methods share: of confidence, of lengths, of choices and of known groups."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.values import LARGEST, Floats


def confidence_of(value: float, what: str = "confidence") -> float:
    """A share strictly between 0 and 1.

    Raises:
        InvalidInput: it is not; 95 is no share.
    """
    if not 0 < value < 1:
        raise InvalidInput(
            "BQC-STA-003", f"{what} is {value}: it must lie between 0 and 1", hint="95 % is 0.95."
        )
    return float(value)


def positive(value: float, what: str) -> float:
    """A finite number above zero.

    Raises:
        InvalidInput: it is not.
    """
    if not 0 < value < np.inf:
        raise InvalidInput("BQC-STA-003", f"{what} is {value}: it must be above zero")
    return float(value)


def all_positive(found: Floats, what: str) -> Floats:
    """The same numbers, where every one is above zero and so has a logarithm.

    Raises:
        InvalidInput: one is not.
    """
    low = np.flatnonzero(found <= 0)
    if low.size:
        raise InvalidInput(
            "BQC-STA-003",
            f"{what}: {low.size} of {found.size} are not above zero, and have no logarithm",
            reasons=[f"value {place + 1} is {found[place]:g}" for place in low[:20]],
        )
    return found


def sd_of(found: Floats) -> float:
    """Standard deviation, where it is large enough to divide by.

    Raises:
        NotEstimable: it is not.
    """
    value = float(found.std(ddof=1))
    if value < 1 / LARGEST:
        raise NotEstimable("BQC-STA-001", "there is no variation that a float could measure")
    return value


def same_length(left: Floats, right: Floats, one: str, other: str) -> None:
    """Refuses two lists that do not belong together.

    Raises:
        InvalidInput: they differ in length.
    """
    if left.size != right.size:
        raise InvalidInput("BQC-STA-003", f"{left.size} {one}, but {right.size} {other}")


def one_of(value: str, allowed: Sequence[str], what: str) -> str:
    """A word out of a list.

    Raises:
        InvalidInput: it is another.
    """
    if value not in allowed:
        raise InvalidInput(
            "BQC-STA-003", f"{what} is {value!r}", hint=f"One of: {', '.join(allowed)}."
        )
    return value


def flags(
    data: ArrayLike, n: int, what: str = "censored"
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """One yes or no for each value.

    Raises:
        InvalidInput: another number of them, or something that is neither.
    """
    found = np.asarray(data)
    if found.shape != (n,) or not np.all(np.isin(found, (0, 1))):
        raise InvalidInput("BQC-STA-003", f"{what} is not one true or false for each of {n} values")
    return found.astype(bool)
