"""The impact report as a document: the same text, the same bytes; every page with its number."""

from pathlib import Path

from batchqc.documents.impact_report import impact_document
from batchqc.settings import bundled
from tests.documents.external import pages_of

FONTS = bundled("reports") / "fonts"
TABLES = [
    ("UC-MSC-REL v2: what it would do", [("Lots", "Flips"), ("200", "150")]),
    ("By donor", [("Donor", "Lots")]),
    (
        "Lots",
        [
            ("Lot", "Made", "Disposition", "Judged by", "Was", "Would be", "Because"),
            *(
                (
                    f"MSC-26-{n:04d}",
                    "2026-01-05",
                    "released",
                    "v1",
                    "PASS",
                    "FAIL",
                    "µ < 5 & \N{GREEK SMALL LETTER MU}",
                )
                for n in range(150)
            ),
        ],
    ),
]


def test_the_report_has_every_lot_and_every_page_its_number(tmp_path: Path):
    path = tmp_path / "report.pdf"
    path.write_bytes(impact_document(TABLES, FONTS, "a" * 64))
    found = pages_of(path)
    text = "\n".join(found)
    assert all(f"MSC-26-{n:04d}" in text for n in range(150))
    pages = len(found)
    assert pages > 3
    assert all("SHA-256 of its data " + "a" * 64 in one for one in found)
    assert all(f"page {n} of {pages}" in text for n in range(1, pages + 1))
    assert "µ < 5 & \N{GREEK SMALL LETTER MU}" in text
    assert "none" in text
    assert text.count("Because") == pages


def test_the_same_report_has_the_same_bytes():
    assert impact_document(TABLES, FONTS, "a" * 64) == impact_document(TABLES, FONTS, "a" * 64)


def test_a_row_taller_than_a_page_goes_on_and_loses_nothing(tmp_path: Path):
    """A lot is judged anew by very many criteria: no report of it could be kept."""
    because = "; ".join(f"criterion-{n}: PASS to FAIL" for n in range(400))
    *others, (title, (header, *_)) = TABLES
    row = ("MSC-26-0001", "2026-01-05", "released", "v1", "PASS", "FAIL", because)
    short = ("MSC-26-0002", "2026-01-05", "released", "v1", "PASS", "FAIL", "short")
    path = tmp_path / "report.pdf"
    tables = [*others, (title, [header, short, row, short])]
    path.write_bytes(impact_document(tables, FONTS, "a" * 64))
    found = pages_of(path)
    text = "".join(found)
    assert all(f"criterion-{n}:" in text for n in range(400))
    assert all(f"page {n} of {len(found)}" in text for n in range(1, len(found) + 1))
    assert text.count("MSC-26-0002") == 2


def test_what_no_font_draws_is_told_by_its_number_and_not_by_an_empty_box(tmp_path: Path):
    path = tmp_path / "report.pdf"
    path.write_bytes(impact_document([("Lots", [("Because",), ("判定",)])], FONTS, "a" * 64))
    assert "[U+5224][U+5B9A]" in "".join(pages_of(path))
