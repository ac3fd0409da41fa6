"""The blank form is one page that says which lot it is for, what was open, and who signs."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from batchqc.documents.lot_form import LotForm, form_document

GATES = [(f"Gate {n}", n % 2 == 0, [f"reason {n} of <this> & that"] * (n % 2)) for n in range(18)]
FORM = LotForm("Blank form: lot MSC-1", [("Site", "Lakeside"), ("Lot", "MSC-1")], GATES)


def pages(form: LotForm, fonts: Path) -> list[str]:
    data = form_document(form, fonts=fonts)
    assert data == form_document(form, fonts=fonts)
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(data)).pages]


@pytest.mark.requirement("1.40")
def test_the_form_tells_the_lot_its_gates_and_who_signs(fonts: Path):
    (text,) = pages(FORM, fonts)
    for said in (
        "Blank form: lot MSC-1", "Number of this form", "Lakeside", ("Gate 17 CLOSED reason 17 of"
        " <this> & that"), "Gate 16 open", "QC's review of the lot as a whole",
        "☐ released ☐ rejected ☐ on hold", "Time, offset from UTC",
    ):  # fmt: skip
        assert said in text


@pytest.mark.parametrize(("each", "told"), [(3, "3 of"), (30, "more"), (2000, "more")])
def test_it_stays_one_page_and_counts_what_it_leaves_out(fonts: Path, each: int, told: str):
    gates = [(name, False, [f"{n} of a reason" for n in range(each + 1)]) for name, _, _ in GATES]
    (text,) = pages(replace(FORM, gates=gates), fonts)
    assert told in text


def test_reasons_that_are_too_long_are_counted_only(fonts: Path):
    gates = [(name, False, ["word " * 200] * 2) for name, _, _ in GATES]
    (text,) = pages(replace(FORM, gates=gates), fonts)
    assert text.count("2 reasons") == len(GATES)


def test_one_gate_with_more_reasons_than_a_page_holds_is_counted(fonts: Path):
    """Of a new lot that many results are still lacking of, no form was made at all."""
    said = "CANNOT JUDGE: no result on record for this surface marker of the extended panel"
    reasons = [f"criterion-{n}: {said}" for n in range(90)]
    (text,) = pages(replace(FORM, gates=[("Results", False, reasons), *GATES]), fonts)
    assert "criterion-2:" in text
    assert "87 more" in text


def test_what_no_font_draws_stands_by_its_number(fonts: Path):
    (text,) = pages(replace(FORM, gates=[("Results", False, ["判 is no result"])]), fonts)
    assert "[U+5224] is no result" in text
