"""The words under which sources give the same input."""

from collections.abc import Mapping
from typing import Any

from batchqc.errors import InvalidInput


def first(given: Mapping[str, Any], *names: str, default: Any = ...) -> Any:
    """The input under the first of the names that is there.

    Raises:
        InvalidInput: none is, and there is no default.
    """
    for name in names:
        if given.get(name) is not None:
            return given[name]
    if default is ...:
        raise InvalidInput("BQC-STA-003", f"the case gives no {' or '.join(names)}")
    return default


def confidence(given: Mapping[str, Any], default: float = 0.95) -> float:
    """Confidence, also where the source tells its complement or a percentage."""
    names = ("conf", "confidence", "conf_level", "confidence_level", "conf.level", "gamma")
    found = float(first(given, *names, default=0.0))
    if not found:
        alpha = float(first(given, "alpha", default=0.0))
        found = 1 - alpha if alpha else default
    return found / 100 if found > 1 else found


def percent(level: float) -> str:
    """A level as it stands in the name of a key: 0.95 is ``95``."""
    return f"{100 * level:g}"


def content(given: Mapping[str, Any], default: float = 0.95) -> float:
    """Part of the population."""
    names = ("P", "p", "content", "coverage", "proportion", "population")
    found = float(first(given, *names, default=default))
    return found / 100 if found > 1 else found
