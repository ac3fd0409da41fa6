"""Pages of series that cannot be charted: each says why, and none holds a number that is none."""

import json
import re
from dataclasses import replace

import pytest

from batchqc.actions.trend_page import page_csv, page_json
from batchqc.actions.trend_parts import parts_json, plot_file
from batchqc.documents.trend_pages.folder import folder
from batchqc.documents.trend_pages.of_lots import overview_of, page_of
from batchqc.errors import NotFound
from batchqc.statistics.control_history import control_history
from batchqc.statistics.lot_series import Trend
from tests.core.world import criterion
from tests.statistics.test_lot_charts import FIRST, froze, look, series

PLAIN, CONCENTRATION = criterion("<= 60"), criterion("> 1", unit="ng/mL")
#: What is said of a series, and what must be read there.
BAD = {
    "no value": (look(series("")), "0 measured lots: below 8"),
    "one lot": (look(series("95")), "1 measured lot: below 8"),
    "two lots": (look(series("95", "96")), "2 measured lots: below 3"),
    "all equal": (look(series(*["95"] * 9)), "equal"),
    "all censored": (look(series(*["<95"] * 9)), "9 lots are censored: this needs numbers"),
    "at the whole": (look(series(*["100"] * 9)), "equal"),
    "one donor": (look([replace(one, donors=("D",)) for one in series(*FIRST)]), "one donor"),
    "huge": (look(series(*FIRST, "1E29"), of=PLAIN), "9 measured"),
    "tiny": (look(series(*(f"{one}E-29" for one in FIRST)), of=CONCENTRATION), "8 measured"),
    "far apart": (look(series("1E-29", "1E29", "3", "4", "5", "6", "7", "8"), of=PLAIN), "8 mea"),
    "zero on ln": (look(series(*FIRST, "0"), of=CONCENTRATION), "not above 0"),
    "above the whole": (look(series(*FIRST, "250")), "is not in 0 to 100"),
    "above a bound": (look(series(*FIRST[:6], ">99", "<90")), "no rank among the others"),
    "beyond reading": (look(series(*FIRST, "1E290"), of=PLAIN), "1 results are no numbers"),
    "text": (look(series("growth", "none", "97")), "not charted: L-01 (growth), L-02 (none)"),
}


def pages(trend: Trend) -> dict[str, bytes]:
    controls = [control_history("PC", "%", [("R1", "2026-01-01", "growth")])]
    return dict(
        folder(overview_of("UC-MSC", [trend], ["one"]), [("one", page_of(trend, "one", controls))])
    )


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_estimated_is_said_and_no_page_holds_a_number_that_is_none(name: str):
    trend, said = BAD[name]
    found = pages(trend)
    page = found["one.html"].decode()
    assert said in page
    assert "results that are no number" in page
    for file, data in found.items():
        told = re.sub(r"<style.*?</style>", "", data.decode("utf-8-sig"), flags=re.DOTALL)
        assert not re.search(r"\b(nan|inf|infinity|None)\b", told.replace("none", "")), file
    for data in (page_json(trend), parts_json(trend)):
        assert json.loads(data)["criterion"] == "viability"
    assert page_csv(trend)
    for plot in ("ewma", "cusum", "histogram", "probability", "donors"):
        assert b"</svg>" in plot_file(trend, plot, "svg")
        assert plot_file(trend, plot, "csv")


def test_a_page_shows_distribution_normality_and_donors_with_words_and_numbers():
    lots = [
        replace(one, donors=(f"D{place // 3}",))
        for place, one in enumerate(series(*FIRST, "95.3", "<94"))
    ]
    trend = look(lots, froze(1, lots[:8]))
    found = pages(trend)
    for plot in ("ewma", "cusum", "histogram", "probability", "donors"):
        assert {f"one-{plot}.svg", f"one-{plot}.csv"} <= set(found)
        assert "<desc" in found[f"one-{plot}.svg"].decode()
    assert "D0,L-01" in found["one-donors.csv"].decode()
    page = found["one.html"].decode()
    assert "limit set 1, Nelson 1, 2, 3, 5" in page
    assert "one false alarm in 117 lots" in page
    assert "one false alarm in 117 lots" in found["index.html"].decode()
    rules = json.loads(page_json(trend))["rules"]
    assert rules["rules"] == ["1", "2", "3", "5"]
    assert rules["false_alarms"]["value"] == pytest.approx(117.4, abs=0.1)


def test_results_in_words_have_no_further_plots():
    words = look(series("Negative"), of=criterion("no growth", unit=""))
    with pytest.raises(NotFound, match="its results are words"):
        plot_file(words, "histogram", "svg")
    assert json.loads(parts_json(words))["parts"] == []
