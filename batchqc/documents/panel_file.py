"""Donor panel files: TOML that says which tests of a donation are asked for.

As in specifications, every problem is told at once with its line, unknown keys are refused, and a
panel comes out only where there is no problem at all. Each rule states its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from batchqc.core.donors import TISSUE_SOURCES
from batchqc.core.identifiers import code_problem
from batchqc.core.panels import (
    MARKERS,
    MarkerRule,
    Needed,
    Panel,
    Reactive,
    Repeat,
    Source,
    Status,
    TissueRule,
    Window,
)
from batchqc.documents.spec_keys import Keys, Path, SpecProblem
from batchqc.documents.spec_toml import read_effective, read_toml

SCHEMA: Final = "batchqc/donor-panel/1"
_KEYS: Final = (
    "schema", "id", "version", "title", "jurisdiction", "markets", "effective", "sources",
    "window", "windows", "markers", "tissues", "repeat",
)  # fmt: skip
_MOST_DAYS: Final = 3660
_SOURCE: Final = ("basis", "status")


@dataclass(frozen=True, slots=True)
class PanelReading:
    """What a file says: a panel, or every problem in it."""

    panel: Panel | None
    problems: tuple[SpecProblem, ...]


def read_panel(data: bytes, *, file: str) -> PanelReading:
    """Read the bytes of a panel file; ``file`` is the name to show in problems."""
    content = read_toml(data, file=file)
    if isinstance(content, SpecProblem):
        return PanelReading(None, (content,))
    keys = Keys(data.decode("utf-8"), file)
    keys.refuse_unknown((), content, _KEYS)
    if content.get("schema") != SCHEMA:
        keys.problem(("schema",), f'expected schema = "{SCHEMA}"')
    panel = Panel(
        id=_code(keys, content),
        version=_days(keys, (), content, "version", least=1),
        title=keys.text((), content, "title"),
        jurisdiction=keys.text((), content, "jurisdiction"),
        markets=tuple(one.strip().upper() for one in keys.texts((), content, "markets")),
        effective=read_effective(keys, content),
        window=_window(keys, ("window",), _table(keys, content, "window")),
        markers=tuple(
            _marker(keys, name, table)
            for name, table in keys.tables((), content, "markers", required=True).items()
        ),
        tissues={
            name: _tissue(keys, name, table)
            for name, table in keys.tables((), content, "tissues", required=True).items()
        },
        windows={
            _known(keys, ("windows", name), name, TISSUE_SOURCES): _window(
                keys, ("windows", name), table
            )
            for name, table in keys.tables((), content, "windows", required=False).items()
        },
        repeat=_repeat(keys, content) if "repeat" in content else None,
        sources=keys.texts((), content, "sources"),
    )
    if not panel.markets:
        keys.problem(("markets",), 'expected the markets that it is for, such as markets = ["US"]')
    problems = tuple(sorted(keys.problems, key=lambda one: one.line))
    return PanelReading(None if problems else panel, problems)


def _code(keys: Keys, content: Mapping[str, Any]) -> str:
    code = keys.text((), content, "id")
    if code and (code_problem(code) or "/" in code):
        keys.problem(("id",), code_problem(code) or 'without a "/"')
    return code


def _table(keys: Keys, content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = content.get(key)
    if isinstance(table, dict):
        return table
    keys.problem((key,), f"expected a table [{key}]")
    return {}


def _window(keys: Keys, path: Path, table: Mapping[str, Any]) -> Window:
    keys.refuse_unknown(path, table, ("before", "after", *_SOURCE))
    before, after = (_days(keys, path, table, side) for side in ("before", "after"))
    return Window(before, after, _source(keys, path, table))


def _marker(keys: Keys, name: str, table: Mapping[str, Any]) -> MarkerRule:
    path = ("markers", name)
    keys.refuse_unknown(path, table, ("needed", "reactive", *_SOURCE))
    words = {"needed": "always", "reactive": "ineligible"} | dict(table)
    return MarkerRule(
        marker=_known(keys, path, name, MARKERS),
        needed=keys.choice(path, words, "needed", Needed) or Needed.ALWAYS,
        reactive=keys.choice(path, words, "reactive", Reactive) or Reactive.INELIGIBLE,
        source=_source(keys, path, table),
    )


def _tissue(keys: Keys, name: str, table: Mapping[str, Any]) -> TissueRule:
    path = ("tissues", name)
    _known(keys, path, name, TISSUE_SOURCES)
    keys.refuse_unknown(path, table, ("leukocyte_rich", "birth_mother", *_SOURCE))
    rich, mother = (_flag(keys, path, table, key) for key in ("leukocyte_rich", "birth_mother"))
    return TissueRule(rich, mother, _source(keys, path, table))


def _repeat(keys: Keys, content: Mapping[str, Any]) -> Repeat:
    path, table = ("repeat",), _table(keys, content, "repeat")
    keys.refuse_unknown(path, table, ("after", "markers", "unless", *_SOURCE))
    lists = {}
    for key in ("markers", "unless"):
        lists[key] = keys.texts(path, table, key)
        for name in lists[key]:
            _known(keys, (*path, key), name, MARKERS)
        if not lists[key]:
            keys.problem((*path, key), "expected at least one marker")
    after = _days(keys, path, table, "after", least=1)
    return Repeat(after, lists["markers"], lists["unless"], _source(keys, path, table))


def _source(keys: Keys, path: Path, table: Mapping[str, Any]) -> Source:
    status = keys.choice(path, table, "status", Status)
    return Source(keys.text(path, table, "basis"), status or Status.RECALLED)


def _known(keys: Keys, path: Path, name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        keys.problem(path, f'"{name}" is not known; known are: {", ".join(known)}')
    return name


def _flag(keys: Keys, path: Path, table: Mapping[str, Any], key: str) -> bool:
    """True or false; absent is a problem, for nobody may guess it."""
    value = table.get(key)
    if not isinstance(value, bool):
        keys.problem((*path, key), "expected true or false")
    return value is True


def _days(keys: Keys, path: Path, table: Mapping[str, Any], key: str, *, least: int = 0) -> int:
    value = table.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST_DAYS:
        return value
    keys.problem((*path, key), f"expected a whole number from {least} to {_MOST_DAYS}")
    return 0
