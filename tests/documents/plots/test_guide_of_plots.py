"""What the guide shows of plots is so, and it names every plot."""

import doctest
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "batchqc" / "guide" / "statistics" / "plots.md"
PLOTS = Path(__file__).parents[3] / "batchqc" / "documents" / "plots"


def test_every_example_gives_what_the_page_says():
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 5
    assert found.failed == 0


def test_the_page_names_every_plot():
    made = {
        f"{path.stem}.{name}"
        for path in PLOTS.glob("*.py")
        for name in re.findall(r"^def (\w+)\([^)]*\) -> Picture:", path.read_text(), re.MULTILINE)
    } - {"panels.under"}
    assert len(made) == 9
    assert made <= set(re.findall(r"`(\w+\.\w+)`", PAGE.read_text()))
