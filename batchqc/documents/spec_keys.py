"""Reading typed keys of a TOML table, with the line and the reason of everything wrong."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from batchqc.core.identifiers import code_problem
from batchqc.core.quantities import parse_amount
from batchqc.core.units import unit_problem

Path = tuple[str, ...]
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class SpecProblem:
    """One thing wrong with a specification file: where, and what was expected."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class Keys:
    """Reads typed keys of tables, and remembers every problem with its line.

    What ``is_stored`` was imported and may be approved: it is read as it was then, whatever is
    refused of new files since.
    """

    def __init__(self, text: str, file: str, *, is_stored: bool = False) -> None:
        self.file, self.is_stored = file, is_stored
        self.problems: list[SpecProblem] = []
        self._lines = _lines_of_keys(text)

    def problem(self, path: Path, message: str) -> None:
        """Remember a problem at a key."""
        self.problems.append(SpecProblem(self.file, self.line(path), ".".join(path), message))

    def line(self, path: Path) -> int:
        """The line of a key; an absent key is shown at the line of its table."""
        known = (path[:n] for n in range(len(path), 0, -1))
        return next((self._lines[part] for part in known if part in self._lines), 1)

    def refuse_unknown(self, path: Path, table: Mapping[str, Any], known: Iterable[str]) -> None:
        """Remember every key that nobody reads."""
        for key in table:
            if key not in known:
                self.problem((*path, key), f"unknown key; known are: {', '.join(known)}")

    def text(
        self, path: Path, table: Mapping[str, Any], key: str, *, default: str | None = None
    ) -> str:
        """A text that is not blank; U+0000 is in none, for PostgreSQL keeps no such text."""
        value = table.get(key, default)
        if isinstance(value, str) and "\0" not in value and (value.strip() or value == default):
            return value
        self.problem((*path, key), f'expected text, such as {key} = "…"')
        return ""

    def texts(self, path: Path, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """A list of texts; absent is empty."""
        value = table.get(key, [])
        if isinstance(value, list) and all(
            isinstance(x, str) and x.strip() and "\0" not in x for x in value
        ):
            return tuple(value)
        self.problem((*path, key), 'expected a list of texts, such as ["…", "…"]')
        return ()

    def choice(
        self, path: Path, table: Mapping[str, Any], key: str, kind: type[Choice]
    ) -> Choice | None:
        """One of a fixed list of words."""
        value = table.get(key)
        if isinstance(value, str) and value in set(kind):
            return kind(value)
        words = ", ".join(f'"{word}"' for word in kind)
        self.problem((*path, key), f"expected one of {words}")
        return None

    def tables(
        self, path: Path, table: Mapping[str, Any], key: str, *, required: bool
    ) -> dict[str, Mapping[str, Any]]:
        """A table of tables."""
        value = table.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(x, dict) for x in value.values()):
            self.problem((*path, key), f"expected tables [{key}.name]")
            return {}
        if required and not value:
            self.problem((*path, key), f"expected at least one table [{key}.name]")
        return value


class CriterionKeys:
    """The keys of one ``[criteria.name]`` table, or of one in another ``group``."""

    def __init__(
        self, keys: Keys, name: str, table: Mapping[str, Any], *, group: str = "criteria"
    ) -> None:
        self.keys, self.name, self.table = keys, name, table
        self.path = (group, name)

    def problem(self, key: str, message: str) -> None:
        """Remember a problem at one of the keys."""
        self.keys.problem((*self.path, key), message)

    def text(self, key: str, *, default: str | None = None) -> str:
        """A text that is not blank."""
        return self.keys.text(self.path, self.table, key, default=default)

    def code(self, key: str) -> str:
        """A code as it stands in results."""
        code = self.text(key)
        if code and code_problem(code):
            self.problem(key, code_problem(code) or "")
        return code

    def unit(self) -> str:
        """A unit that results can have; absent is blank."""
        unit = self.text("unit", default="")
        if unit and unit_problem(unit):
            self.problem("unit", unit_problem(unit) or "")
        return unit

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            self.problem(key, "expected true or false")
            return default
        return value

    def whole(self, key: str, *, most: int, what: str) -> int | None:
        """A whole number from 1; absent is ``None``."""
        value = self.table.get(key)
        if value is None or (
            isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
        ):
            return value
        self.problem(key, f"expected a whole number {what} from 1 to {most}")
        return None

    def positive(self, key: str, table: Mapping[str, Any] | None = None) -> Decimal | None:
        """A number above 0 as text; absent is ``None``."""
        value = (self.table if table is None else table).get(key)
        amount = parse_amount(value) if isinstance(value, str) else None
        if value is None or (amount and not amount.is_censored and amount.number > 0):
            return amount.number if amount else None
        self.problem(key, f'expected a number above 0 as text, such as {key} = "0.5"')
        return None

    def subtable(self, key: str, *, known: Sequence[str] | None = None) -> Mapping[str, Any]:
        """An inline table, with unknown keys refused where they are listed."""
        value = self.table.get(key, {})
        if not isinstance(value, dict) or (key in self.table and not value):
            self.problem(key, f"expected a table, such as {key} = {{ … }}")
            return {}
        if known is not None:
            self.keys.refuse_unknown((*self.path, key), value, known)
        return value


_HEADER: Final = re.compile(r"[ \t]*\[([^\[\]]*)\][ \t]*(?:#.*)?")
_ITEM: Final = re.compile(r"[ \t]*\[\[([^\[\]]*)\]\][ \t]*(?:#.*)?")
_KEY: Final = re.compile(
    r"\s*((?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+))*)\s*="
)
_PART: Final = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")


def _lines_of_keys(text: str) -> dict[Path, int]:
    """The line of every table header and key, by its path. For messages only.

    The tables of a list are numbered: ``results.1`` is the first ``[[results]]``.
    """
    lines: dict[Path, int] = {}
    table: Path = ()
    counts: Counter[Path] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if item := _ITEM.fullmatch(line):
            path = _path(item[1])
            counts[path] += 1
            table = (*path, str(counts[path]))
            lines.setdefault(table, number)
        elif header := _HEADER.fullmatch(line):
            table = _path(header[1])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_path(key[1])), number)
    return lines


def _path(text: str) -> Path:
    return tuple("".join(groups) for groups in _PART.findall(text))
