"""The page on variation: its examples run, and it names every public function."""

import ast
import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "batchqc" / "guide" / "statistics" / "variation.md"
MODULES = (
    "anova",
    "capability",
    "capability_limits",
    "donor_limits",
    "gauge",
    "gauge_ranges",
    "johnson",
    "levels",
    "mls_limits",
    "nested_anova",
    "nonnormal_capability",
    "nonparametric_tolerance",
    "pearson",
    "precision",
    "prediction",
    "reml",
    "tolerance",
    "tolerance_factors",
)


def test_the_examples_say_what_they_show():
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 50
    assert not found.failed


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_is_on_the_page(module):
    tree = ast.parse((ROOT / "batchqc" / "statistics" / f"{module}.py").read_text())
    names = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
    text = PAGE.read_text()
    missing = [one for one in names if not one.startswith("_") and f"`{module}.{one}" not in text]
    assert missing == []
