"""What the page of sequential and multivariate charts says is run, and names every function."""

import ast
import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "batchqc" / "guide" / "statistics" / "sequential.md"
MODULES = (
    *("cusum", "cusum_run_length", "decomposition", "ewma", "ewma_run_length", "mewma"),
    *("mewma_run_length", "multivariate", "references", "rule_run_length", "rule_sets"),
    *("rule_simulation", "self_starting", "t2_limits"),
)
INNER = {"checked", "checked_baseline", "too_wide"}


def test_the_examples_of_the_page_come_out_as_they_are_printed():
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 30
    assert found.failed == 0


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_stands_in_the_page(module):
    tree = ast.parse((ROOT / "batchqc" / "statistics" / f"{module}.py").read_text())
    names = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    public = {name for name in names if not name.startswith("_")} - INNER
    assert {name for name in public if f"`{name}`" not in PAGE.read_text()} == set()
