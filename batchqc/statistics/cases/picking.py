"""Keys of cases: one question has many names."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.cases.check import NAMED, WANTED
from batchqc.statistics.figures import Figure


def pick(given: Mapping[str, Any], *names: str, default: Any = None) -> Any:
    """What stands under the first of the names that is there, whatever its capitals."""
    lower = {key.casefold(): value for key, value in given.items()}
    for name in names:
        if lower.get(name.casefold()) is not None:
            return lower[name.casefold()]
    return default


def needed(given: Mapping[str, Any], *names: str) -> Any:
    """The same, where the method cannot do without.

    Raises:
        InvalidInput: none of the names is there.
    """
    found = pick(given, *names)
    if found is None:
        raise InvalidInput("BQC-STA-003", f"the case gives no {names[0]}")
    return found


def says(given: Mapping[str, Any], *words: str) -> bool:
    """Whether the method of the case says one of the words."""
    return any(word in str(given.get(NAMED, "")).casefold() for word in words)


def alpha_of(given: Mapping[str, Any], default: float = 0.05) -> float:
    """The level of a test."""
    return float(pick(given, "alpha", "significance", "level", default=default))


def confidence_in(given: Mapping[str, Any], default: float) -> float:
    """The confidence of a case: under a key of its own, or in the name of an answer (``ci90``)."""
    found = pick(given, "conf", "confidence", "conf_level", "conf.level", "ci_level")
    if found is not None:
        return float(found)
    return next((level for _, level in levels(given, r"(?:.*_)?ci")), default)


def levels(given: Mapping[str, Any], stem: str) -> Iterator[tuple[str, float]]:
    """Wanted keys such as ``pred95``, with the confidence that they name."""
    for key in given.get(WANTED, ()):
        found = re.fullmatch(rf"{stem}_?(\d\d(?:\.\d)?)(?:_.*)?", key)
        if found:
            yield key, float(f"{found[1]}e-2")


def ends(figure: Figure) -> list[float | None]:
    """Both limits."""
    return [figure.lower, figure.upper]


def whole(figure: Figure) -> list[float | None]:
    """Estimate and both limits."""
    return [figure.value, figure.lower, figure.upper]


def if_estimable(compute: Callable[[], Any]) -> Any:
    """What is computed; None where it is not estimable."""
    try:
        return compute()
    except NotEstimable:
        return None


def under(value: object, *names: str) -> dict[str, object]:
    """One answer under all of its names."""
    return dict.fromkeys(names, value)


def gapless(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same, without the places at which a value of a row is missing (null)."""
    lists = {key: value for key, value in given.items() if isinstance(value, list)}
    gaps = {
        len(value): {place for other in lists.values() if len(other) == len(value)
                     for place, one in enumerate(other) if one is None}
        for value in lists.values()
    }  # fmt: skip
    kept = {
        key: [one for place, one in enumerate(value) if place not in gaps[len(value)]]
        for key, value in lists.items()
    }
    return {**given, **kept}


def present(values: Any) -> Any:
    """A list without its missing values."""
    return [one for one in values if one is not None] if isinstance(values, list) else values
