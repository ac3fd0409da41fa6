"""The examples of the guide are computed, and name every public function."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import batchqc

GUIDE = Path(batchqc.__file__).parent / "guide" / "statistics" / "comparison.md"
MODULES = [
    "equivalence", "equivalence_power", "mean_ratio", "precision_ratio", "quality_range",
    "stability", "stability_lines", "out_of_trend", "censored", "censored_likelihood",
    "censored_ranks",
    "normality", "outliers", "dixon", "robust", "trend", "regression", "nonlinear", "model_text",
    "exact_least_squares",
]  # fmt: skip


def test_the_examples_hold():
    assert doctest.testfile(str(GUIDE), module_relative=False).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_is_named(name):
    module, text = importlib.import_module(f"batchqc.statistics.{name}"), GUIDE.read_text()
    own = [one for one, function in inspect.getmembers(module, inspect.isfunction)
           if function.__module__ == module.__name__ and not one.startswith("_")]  # fmt: skip
    assert [one for one in own if one not in text] == []
