"""The guide's page on relative potency: its examples run, and it tells every public function."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import batchqc

PAGE = Path(batchqc.__file__).parent / "guide" / "statistics" / "potency.md"
MODULES = (
    "assay_format", "bioassay", "combination", "cross_over", "dose_response", "effective_dose",
    "fieller", "msc_assays", "normalisation", "parallel_lines", "parallelism", "quantal",
    "relative_potency", "residual_outliers", "run_validity", "slope_ratio", "standard_curve",
)  # fmt: skip
#: Shared by modules of the package; not for a notebook.
INNER = {"log_of", "tie", "variance_of", "lack_of_fit", "limitations"}


def test_the_examples_run():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_stands_in_the_page(name):
    module = importlib.import_module(f"batchqc.statistics.{name}")
    text = PAGE.read_text(encoding="utf-8")
    public = {
        key
        for key, one in vars(module).items()
        if inspect.isfunction(one) and one.__module__ == module.__name__ and key[0] != "_"
    }
    assert {key for key in public - INNER if key not in text} == set()
