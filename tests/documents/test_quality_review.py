"""The document of a quality review: every page says what it is of, and nothing is lost in it."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from batchqc.core.canonical import canonical_bytes
from batchqc.documents.certificate_pages import without_spaces
from batchqc.documents.plots.series import (
    LINES,
    ControlSeries,
    Phase,
    Point,
    Signal,
    SpecificationLimits,
)
from batchqc.documents.quality_review import CONTENT_TYPE, review_document
from batchqc.documents.review_chart import series_content, series_of
from batchqc.errors import InvalidInput
from batchqc.settings import bundled

FONTS: Path = bundled("reports") / "fonts"
LONG = "A name without any space that goes on and on, as-long-as-" + "X" * 90


def table(name: str, rows: list[list[str]], numbers: int = 1) -> dict[str, Any]:
    return {
        "name": name, "title": f"Table {name}", "note": "Of the lots.",
        "columns": ["Lot", "What it was", "Number"], "numbers": numbers, "rows": rows,
    }  # fmt: skip


def chart(n: int, **series: object) -> dict[str, Any]:
    values = [f"{90 + number % 7}.{number % 10}" for number in range(n)]
    drawn: dict[str, Any] = {
        "attribute": "Viability", "unit": "%", "chart": "individuals",
        "points": [
            [f"LOT-{number}", one, "2025-05-18", one, "", "D1", ""]
            for number, one in enumerate(values)
        ],
        "phases": [{"name": "Phase 1", "last": n, "method": "limit set 1", "centre": "93.1",
                    "lower": "88.2", "upper": ["98.4"] * n}],
        "signals": [[1, "limit set 1: Nelson 1"]],
        "specification": ["90.0", "", "> 90 %"],
    }  # fmt: skip
    return {
        "title": "Viability (release)", "attribute": "UC-MSC/release/viability", "unit": "%",
        "acceptance": "> 90 %", "scale": "identity", "n": n, "censored": 0,
        "chart": drawn | series,
        "phases": [["Phase 1", "", "SOP-QC-014 v3", "Lakeside", "> 90 %", "LOT-0 to LOT-9", str(n),
                    "limit set 1"]],
        "signals": [
            ["Nelson 1", "limit set 1", "LOT-0", "LOT-0", "identity", "93.1", "1.7"]
        ] * min(n, 30),
        "figures": [{
            "phase": "Phase 1", "name": "Ppk", "value": "1.2", "lower": "0.9", "upper": "1.5",
            "confidence": "0.95", "n": n, "method": "exact", "assumptions": ["normal values"],
            "limitations": ["few"],
        }],
        "limitations": ["donors: one donor"],
    }  # fmt: skip


def content(**more: object) -> dict[str, Any]:
    return {
        "type": CONTENT_TYPE,
        "site": {"name": "Lakeside", "address": ["1 Pier", "Chicago"], "time_zone": "UTC"},
        "specimen": "",
        "product": {"code": "UC-MSC", "name": "Cord MSC", "form": "Suspension", "storage": "-150"},
        "period": {"first": "2025-01-01", "last": "2025-12-31"},
        "software": "1", "damaged": [], "tables": [], "charts": [], "annex": [],
    } | more  # fmt: skip


def pages(found: dict[str, Any]) -> list[str]:
    reader = PdfReader(io.BytesIO(review_document(found, fonts=FONTS)))
    return [page.extract_text() for page in reader.pages]


def test_every_page_carries_product_period_number_and_the_hash_of_the_data():
    found = content(tables=[table("lots", [[f"L{n}", LONG, str(n)] for n in range(120)])])
    sha256 = hashlib.sha256(canonical_bytes(found)).hexdigest()
    told = pages(found)
    assert len(told) > 3
    for number, text in enumerate(told, 1):
        assert f"Page {number} of {len(told)}" in text
        assert f"Content SHA-256 {sha256}" in text
        assert "2025-01-01 to 2025-12-31" in text
        assert "UC-MSC" in text
    with_rows = [text for text in told if "L5" in text or "L11" in text]
    assert all("What it was" in text for text in with_rows)  # the header repeats
    assert "1 Pier, Chicago" in told[0]
    whole = without_spaces("".join(told))
    assert whole.count("X" * 90) == 120


def test_the_same_content_gives_the_same_bytes():
    found = content(charts=[chart(12)], tables=[table("lots", [])])
    assert review_document(found, fonts=FONTS) == review_document(found, fonts=FONTS)


def test_an_empty_table_says_none_and_no_chart_says_so():
    (text,) = pages(content(tables=[table("lots", [])]))
    assert "None." in text
    assert "No numeric results." in text


@pytest.mark.parametrize("n", [1, 2, 149, 1005])
def test_a_chart_of_any_number_of_lots_is_drawn_with_its_figures_and_limitations(n: int):
    text = "".join(pages(content(charts=[chart(n)])))
    for words in (
        "Trend: Viability", "LOT-0", "Ppk", "Assumed: normal values", "one donor", "few",
        "LCL 88.2", "UCL 98.4", "LSL 90", "limit set 1: Nelson 1", "SOP-QC-014 v3",
    ):  # fmt: skip
        assert words in text, words
    assert ("more: all 30" in text) == (n > 20)


ODD: dict[str, list[list[str]]] = {
    "equal": [["L", "95.0", "", "95", "", "D", ""]] * 3,
    "zero": [["L", "0.0", "", "0", "", "", ""]] * 3,
    "censored": [["L", "0.05", "", "<0.05", "<", "D", ""], ["M", "2.0", "", "≥2", ">=", "E", ""]],
    "tiny": [["L", "1e-12", "", "1E-12", "", "", ""], ["M", "", "", "", "", "", ""]],
    "huge": [["L", "1e+30", "", "1E30", "", "", "dropped"], ["M", "2e+30", "", "2E30", "", "", ""]],
    "long names": [[LONG, "1.0", "", "1", "", LONG, ""], ["L2", "2.0", "", "2", "", "D", LONG]],
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("phases", ["none", "no lines"])
def test_odd_values_have_a_chart_too(odd: str, phases: str):
    points, empty = ODD[odd], {"method": "", "centre": "", "lower": "", "upper": ""}
    found = [] if phases == "none" else [{"name": "Phase 1", "last": len(points), **empty}]
    drawn = chart(3, points=points, phases=found, signals=[])
    assert "Trend" in "".join(pages(content(charts=[drawn])))


def test_a_chart_reads_back_as_it_was_written():
    levels = [None, 1 / 3, 1 / 3]
    series = ControlSeries(
        "Potency", "µmol/L", "individuals",
        [Point("L1", 0.1, "2025-05-01", "<0.1", "<", "D1", "spilt"), Point("L2", None),
         Point("L3", 1e300), Point("L4", -0.0)],
        [Phase("Phase 1", 1, None, None, 2.5), Phase("Phase 2", 4, levels, levels, 7.0)],
        [Signal(3, "self-starting: beyond 3")],
        SpecificationLimits(None, 0.2, "<= 0.2"),
    )  # fmt: skip
    kept = json.loads(canonical_bytes(series_content(series)))
    assert series_content(series_of(kept)) == series_content(series) == kept
    read = series_of(kept)
    assert (read.points, read.signals, read.specification) == (
        series.points, series.signals, series.specification,
    )  # fmt: skip
    for name in LINES:
        assert read.levels(name) == series.levels(name)


def test_of_very_many_missing_results_the_pages_say_where_the_others_are():
    found = content(tables=[table("missing", [[f"LOT-{n}", "x", "1"] for n in range(90)])])
    text = "".join(pages(found))
    assert "LOT-59" in text
    assert "LOT-60" not in text
    assert "And 30 more: all 90 are in missing.csv." in text


def test_damage_stands_before_every_table_and_a_specimen_says_so_on_each_page():
    found = content(
        damaged=["UC-MSC-REL v1 cannot be read"],
        specimen="Not for people",
        tables=[table("lots", [[f"L{n}", "x", "1"] for n in range(80)])],
    )
    told = pages(found)
    assert told[0].index("not complete") < told[0].index("Table lots")
    assert all("Not for people" in text for text in told)


def test_potency_is_printed_and_the_annex_named():
    text = "".join(pages(content(annex=[table("potency", [["L1", "IDO", "12"]])])))
    assert "Table potency" in text
    assert "potency.csv" in text


def test_content_of_another_type_is_refused():
    with pytest.raises(InvalidInput, match="draws"):
        review_document(content(type="batchqc/quality-review/2"), fonts=FONTS)
