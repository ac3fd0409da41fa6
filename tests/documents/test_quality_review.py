"""The document of a quality review: every page says what it is of, and nothing is lost in it."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from batchqc.core.canonical import canonical_bytes
from batchqc.documents.certificate_pages import without_spaces
from batchqc.documents.quality_review import CONTENT_TYPE, review_document
from batchqc.errors import InvalidInput
from batchqc.settings import bundled

FONTS: Path = bundled("reports") / "fonts"
LONG = "A name without any space that goes on and on, as-long-as-" + "X" * 90


def table(name: str, rows: list[list[str]], numbers: int = 1) -> dict[str, Any]:
    return {
        "name": name, "title": f"Table {name}", "note": "Of the lots.",
        "columns": ["Lot", "What it was", "Number"], "numbers": numbers, "rows": rows,
    }  # fmt: skip


def chart(n: int, **more: object) -> dict[str, Any]:
    values = [f"{90 + number % 7}.{number % 10}" for number in range(n)]
    return {
        "title": "Viability (release)", "unit": "%", "acceptance": "> 90 %",
        "specification": "UC-MSC-REL v1", "method": "SOP-QC-014 v3", "site": "Lakeside",
        "scale": "identity", "n": n, "censored": 0, "centre": "93.1", "lower": "88.2",
        "upper": "98.4", "specification_lower": "90", "specification_upper": "",
        "lots": [f"LOT-{number}" for number in range(n)], "values": values,
        "signals": [["Nelson 1", "LOT-0", 1, "1", "93.1", "1.7"]] * min(n, 30),
        "figures": [{
            "name": "Ppk", "value": "1.2", "lower": "0.9", "upper": "1.5", "confidence": "0.95",
            "n": n, "method": "exact", "assumptions": ["normal values"], "limitations": ["few"],
        }],
        "limitations": ["donors: one donor"],
    } | more  # fmt: skip


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
    for words in ("Trend: Viability", "LOT-0", "Ppk", "Assumed: normal values", "one donor", "few"):
        assert words in text, words
    assert ("more: all 30" in text) == (n > 20)


@pytest.mark.parametrize(
    "odd",
    [
        {"values": ["95"] * 3, "centre": "", "lower": "", "upper": "", "specification_lower": ""},
        {"values": ["0"] * 3, "centre": "", "lower": "", "upper": "", "specification_lower": ""},
        {"values": ["<0.05", "≥2", "1"], "censored": 2, "specification_upper": "1000"},
        {"values": ["1E-12", "2E-12", ""], "centre": "", "lower": "", "upper": ""},
        {"values": ["1E30", "2E30", "3E30"], "signals": [], "specification_lower": "-5"},
        {"lots": [LONG, "L2", LONG], "values": ["1", "2", "3"], "figures": []},
    ],
)
def test_odd_values_have_a_chart_too(odd: dict[str, Any]):
    assert "Trend" in "".join(pages(content(charts=[chart(3, **odd)])))


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
