"""Tables of lots x attributes, as the multivariate methods take them: checked once."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchqc.errors import InvalidInput
from batchqc.statistics.values import LARGEST, Floats

Subgroups: TypeAlias = NDArray[np.float64]
#: Fewer lots than attributes and this many more are told.
FEW: Final = 10


def lots_of(data: ArrayLike, *, keep: bool = False) -> tuple[Floats, tuple[str, ...]]:
    """A table of lots, and what was left out of it.

    Args:
        data: (m, p) numbers; None or NaN where one is missing.
        keep: lots that miss attributes; else they are left out.

    Raises:
        InvalidInput: no such table, or a number is infinite or absurdly large.
    """
    found = _numbers(data, 2, "(lots, attributes)")
    if keep:
        return found, ()
    whole = ~np.isnan(found).any(axis=1)
    gone = np.flatnonzero(~whole) + 1
    said = (f"left out, as attributes are missing: lots {listed(gone)}",) if gone.size else ()
    return found[whole], said


def subgroups_of(data: ArrayLike) -> Subgroups:
    """A table of (subgroups, values, attributes) without gaps.

    Raises:
        InvalidInput: no such table, or a number is missing, infinite or absurdly large.
    """
    found = _numbers(data, 3, "(subgroups, values, attributes)")
    if np.isnan(found).any():
        raise InvalidInput(
            "BQC-STA-003",
            "a value of a subgroup is missing",
            hint="Leave the subgroup out, or chart the means as individual lots.",
        )
    return found


def listed(places: NDArray[np.intp]) -> str:
    """Places for a message; not more than a reader reads."""
    more = f" and {places.size - 20} more" if places.size > 20 else ""
    return ", ".join(map(str, places[:20].tolist())) + more


def _numbers(data: ArrayLike, dimensions: int, shape: str) -> Floats:
    try:
        found = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput("BQC-STA-003", f"not all numbers, in a table {shape}") from None
    if found.ndim != dimensions or 0 in found.shape[1:]:
        raise InvalidInput("BQC-STA-003", f"{found.ndim} dimensions: wanted is a table {shape}")
    if (np.abs(found) > LARGEST).any():
        raise InvalidInput("BQC-STA-003", f"a number is infinite, or beyond ±{LARGEST:g}")
    return found
