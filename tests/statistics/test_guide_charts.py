"""What the guide says of control charts is so."""

import doctest
from pathlib import Path

import pytest

from batchqc.statistics import (
    attribute_charts,
    chart_constants,
    few_lots,
    individuals,
    laney,
    moving_ranges,
    rare_events,
    run_rules,
    scales,
    short_runs,
    subgroup_charts,
    subgroups,
    westgard,
)

PAGE = Path(__file__).parents[2] / "batchqc" / "guide" / "statistics" / "charts.md"
MODULES = [
    attribute_charts, chart_constants, few_lots, individuals, laney, moving_ranges, rare_events,
    run_rules, scales, short_runs, subgroup_charts, subgroups, westgard,
]  # fmt: skip


def test_every_example_gives_what_it_shows():
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 50
    assert found.failed == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_every_function_stands_in_the_guide_with_an_example(module):
    own = [
        name
        for name, one in vars(module).items()
        if callable(one)
        and not name.startswith("_")
        and not isinstance(one, type)
        and getattr(one, "__module__", "") == module.__name__
    ]
    examples = "\n".join(
        line for line in PAGE.read_text().splitlines() if line.startswith((">>>", "..."))
    )
    assert [name for name in own if f"{name}(" not in examples and f" {name}" not in examples] == []
