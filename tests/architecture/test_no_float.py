"""No float on the way from a cell to a decision: decimals decide, floats describe."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECIDES = ("core", "intake", "records", "actions")
MODULES = sorted(path for name in DECIDES for path in (ROOT / "batchqc" / name).rglob("*.py"))
#: True division is exact between Fractions; these modules divide nothing else.
DIVIDES = {f"batchqc/core/{name}.py" for name in ("arithmetic", "quantities", "rounding")}
#: How alike two names of columns are, for a hint; how many bytes are text. No value is touched.
DESCRIBES = {"batchqc/intake/header.py": 1, "batchqc/intake/decoding.py": 4}


def floats_in(source: str, *, may_divide: bool) -> list[str]:
    """Every place that makes a float, or could."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float()):
                found.append(f"line {node.lineno}: {node.value}")
            case ast.Call(func=ast.Name(id="float" | "round")) if not may_divide:
                found.append(f"line {node.lineno}: {node.func.id}()")
            case ast.Call(func=ast.Name(id="float")):
                found.append(f"line {node.lineno}: float()")
            case ast.Import(names=names):
                found += [f"import {one.name}" for one in names if one.name in {"math", "numpy"}]
            case ast.BinOp(op=ast.Div()) if not may_divide and not _is_path(node):
                found.append(f"line {node.lineno}: division")
            case ast.Name(id="float") if isinstance(node.ctx, ast.Load):
                found.append(f"line {node.lineno}: float")
            case _:
                pass
    return found


def _is_path(node: ast.BinOp) -> bool:
    """Whether ``/`` joins a path: one side is text, or is called a folder, root, path or parent."""
    text = f"{ast.unparse(node.left)} {ast.unparse(node.right)}"
    return "'" in text or any(word in text for word in ("folder", "root", "path", "parent"))


@pytest.mark.requirement("4.03")
@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_float_is_made_where_decisions_are(path: Path):
    name = str(path.relative_to(ROOT))
    found = floats_in(path.read_text(), may_divide=name in DIVIDES)
    assert len(found) <= DESCRIBES.get(name, 0), found


@pytest.mark.parametrize(
    "planted",
    [
        "limit = 90.0", "float(text)", "import math", "share = a / b", "round(x, 1)",
        "values: list[float] = []", "mean = sum(x) / len(x)",
    ],
)  # fmt: skip
def test_a_planted_float_is_found(planted: str):
    assert floats_in(planted, may_divide=False)
