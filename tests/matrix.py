"""Requirements and their tests, from the marks: what the guide shows, and what impact rests on.

``python -m tests.matrix`` writes both files anew; a test of ``make test`` tells where they are old.
Marks are read from the source: nothing is run for it.
"""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from batchqc.cli.qualification.protocol import protocol
from batchqc.settings import requirements

ROOT: Final = Path(__file__).parents[1]
GUIDE: Final = ROOT / "batchqc" / "guide"
MATRIX: Final = GUIDE / "requirements-matrix.md"
MODULES: Final = GUIDE / "requirements-modules.json"

_HEAD: Final = """# Requirements and their tests

Made from the marks of the tests by `python -m tests.matrix`; a test tells where it is old. What is
asked stands in [requirements.toml](requirements.toml); a check that a site runs itself, with
`batchqc validate`, stands beside the tests ([validation](validation.md)).

"""


def tests_of(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Each test of a file with the numbers that it, its class and its file are marked with."""
    tree = _tree(path)
    common = {
        number
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for number in _numbers([node.value])
    }
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        own = _numbers(node.decorator_list) if isinstance(node, ast.ClassDef) else set()
        for test in inner:
            if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                yield test.name, common | own | _numbers(test.decorator_list)


@cache
def modules_of(path: Path) -> set[str]:
    """The modules of batchqc that a file imports itself."""
    found = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return {one for one in found if one.startswith("batchqc") and _is_module(one)}


@cache
def proofs(folder: Path = ROOT / "tests") -> dict[str, dict[str, list[str]]]:
    """Tests by file, by requirement."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        if "mark.requirement(" not in path.read_text(encoding="utf-8"):
            continue  # reading is faster than parsing
        for test, numbers in tests_of(path):
            for number in numbers:
                name = path.relative_to(folder.parent).as_posix()
                found.setdefault(number, {}).setdefault(name, []).append(test)
    return found


def untested(known: dict[str, dict[str, str]], found: dict[str, object]) -> list[str]:
    """What shall be done, is not said to be unmet, and has no test."""
    return [
        number
        for number, one in known.items()
        if one["kind"] == "shall" and "not_met" not in one and number not in found
    ]


def matrix() -> str:
    """The page of the guide."""
    known, found = requirements(), proofs()
    checks: dict[str, list[str]] = {}
    for check in protocol():
        for number in check.requirements:
            checks.setdefault(number, []).append(check.id)
    rows, parts = [], []
    for number, one in known.items():
        files = found.get(number, {})
        count = sum(map(len, files.values()))
        state = "**not met**" if "not_met" in one else one["kind"]
        tests = str(count) if count else ""
        done = ", ".join(checks.get(number, []))
        rows.append(f"| {number} | {state} | {one['title']} | {tests} | {done} |")
        if files or "not_met" in one:
            parts.append(f"\n### {number} {one['title']}\n")
        if "not_met" in one:
            parts.append(f"Not met: {one['not_met']}\n")
        for file, names in files.items():
            said = "; ".join(dict.fromkeys(_sentence(name) for name in names))
            parts.append(f"- `{file}`: {said}")
    unmet = [number for number, one in known.items() if "not_met" in one]
    shall = [number for number, one in known.items() if one["kind"] == "shall"]
    not_met = f"{len(unmet)} are not met: {', '.join(unmet)}" if unmet else "all are met"
    told = f"Of {len(shall)} that shall be done {not_met}.\n\n"
    table = "| Number | Kind | What is asked | Tests | Checks |\n|---|---|---|---|---|\n"
    return "\n".join([_HEAD + told + table + "\n".join(rows), "\n## Tests of each", *parts]) + "\n"


def modules() -> str:
    """Which modules the tests of each requirement import, as one JSON object."""
    found = {
        number: sorted({module for file in files for module in modules_of(ROOT / file)})
        for number, files in sorted(proofs().items())
    }
    return json.dumps(found, indent=0, sort_keys=True) + "\n"


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _numbers(nodes: list[ast.expr]) -> set[str]:
    return {
        str(ast.literal_eval(argument))
        for node in nodes
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.requirement"
        for argument in call.args
    }


def _is_module(name: str) -> bool:
    return ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file()


def _sentence(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    MATRIX.write_text(matrix(), encoding="utf-8")
    MODULES.write_text(modules(), encoding="utf-8")
