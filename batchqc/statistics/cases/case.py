"""A case: what goes in, what a source says must come out, and how close it must be."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchqc.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A number passes within ``max(abs, rel * |expected|)``; a key may have its own."""

    rel: float = 0.0
    abs: float = 0.0

    def allows(self, computed: float, expected: float) -> bool:
        """Whether a computed number is close enough; what is no number never is."""
        return abs(computed - expected) <= max(self.abs, self.rel * abs(expected))


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a folder."""

    id: str
    method: str
    source: str
    given: Mapping[str, Any]
    expected: Mapping[str, Any]
    tolerance: Tolerance
    per_key: Mapping[str, Tolerance]

    def tolerance_at(self, path: str) -> Tolerance:
        """The tolerance of a value, by the longest of the keys that begin its path."""
        found = [key for key in self.per_key if path.startswith(key)]
        return self.per_key[max(found, key=len)] if found else self.tolerance


def cases_in(folder: Path) -> Iterator[Case]:
    """Every case of a folder, by name of its file.

    Raises:
        InvalidInput: the folder holds no case, or one that is not of the format.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise InvalidInput("BQC-STA-004", f"{folder} holds no case (*.json)")
    for file in files:
        yield _case(file)


def _case(file: Path) -> Case:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        wanted = found["tolerance"]
        given, expected = dict(found["input"]), dict(found["expected"])
        name, method, source = (str(found[key]) for key in ("id", "method", "source"))
        general = Tolerance(wanted.get("rel", 0.0), wanted.get("abs", 0.0))
        per_key = {
            key: Tolerance(one.get("rel", 0.0), one.get("abs", 0.0))
            for key, one in wanted.get("per_key", {}).items()
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidInput(
            "BQC-STA-004",
            f"{file} is no case: {error}",
            hint="A case is a JSON object: id, method, source, input, expected, tolerance.",
        ) from None
    return Case(name, method, source, given, expected, general, per_key)
