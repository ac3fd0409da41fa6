"""Labels of a factor (donor, lot, run), as counts and codes."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from batchqc.errors import InvalidInput

Labels: TypeAlias = Sequence[Hashable] | NDArray[np.generic]
Codes: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Factor:
    """One grouping of the values.

    Args:
        name: of the factor.
        names: of its levels, in order: by number where all are numbers, else by text.
        codes: of shape (n,), the place in ``names`` of each value's level.
    """

    name: str
    names: tuple[str, ...]
    codes: Codes

    @property
    def counts(self) -> NDArray[np.intp]:
        """How many values each level has."""
        return np.bincount(self.codes, minlength=len(self.names))

    @property
    def indicator(self) -> NDArray[np.float64]:
        """Of shape (n, levels): 1 where a value has the level."""
        return np.eye(len(self.names))[self.codes]


def factor(name: str, labels: Labels, n: int) -> Factor:
    """A factor of n values from one label for each.

    Raises:
        InvalidInput: labels and values differ in number, or a label is missing.
    """
    given = list(labels)
    if len(given) != n:
        raise InvalidInput("BQC-STA-003", f"{name}: {len(given)} labels for {n} values")
    missing = [place for place, one in enumerate(given, 1) if _is_missing(one)]
    if missing:
        raise InvalidInput(
            "BQC-STA-003",
            f"{name}: {len(missing)} of {n} labels are missing",
            reasons=[f"label {place} is missing" for place in missing[:20]],
        )
    texts = [str(one) for one in given]
    names = tuple(sorted(set(texts), key=_order))
    place = {one: code for code, one in enumerate(names)}
    return Factor(name, names, np.array([place[one] for one in texts], dtype=np.intp))


def nested(factors: Mapping[str, Labels], n: int) -> tuple[Factor, ...]:
    """Each factor within the ones before it: lot 1 of donor A is not lot 1 of donor B."""
    found: list[Factor] = []
    for name, labels in factors.items():
        inner = factor(name, labels, n)
        found.append(_within(found[-1], inner) if found else inner)
    return tuple(found)


def _within(outer: Factor, inner: Factor) -> Factor:
    pairs = outer.codes * len(inner.names) + inner.codes
    kept, codes = np.unique(pairs, return_inverse=True)
    names = tuple(
        f"{outer.names[one // len(inner.names)]}:{inner.names[one % len(inner.names)]}"
        for one in kept
    )
    return Factor(inner.name, names, codes)


def _is_missing(label: Hashable) -> bool:
    return label is None or label != label or label == ""  # noqa: PLR0124 - NaN alone differs


def _order(text: str) -> tuple[bool, float, str]:
    try:
        value = float(text)
    except ValueError:
        return (True, 0.0, text)
    return (False, value, text) if np.isfinite(value) else (True, 0.0, text)
