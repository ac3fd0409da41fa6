"""A template is filled in LibreOffice and comes back digit for digit, as the guide says."""

import csv
from io import StringIO
from pathlib import Path

import pytest

from batchqc.actions.templates import Wanted, template_csv
from tests.actions.versions import STAGED, lot_of_stages
from tests.intake.files import HEADER
from tests.records.house import ANA, House, adopt
from tests.system.libreoffice import Calc

LOT = "MSC-26-0042"
MEASURED = {
    "viability": ("%", "96.90", "96.9"),
    "density": ("cells/mL", "2.45E6", "2.45E+06"),
    "exact_density": ("cells/mL", "2.456789E6", "2.46E+06"),
    "endotoxin": ("EU/mL", "<0.05", "<0.05"),
    "residual": ("%", "0.30000000000000004", "0.3"),
    "counted": ("1", "1200", "1200"),
}
"""Unit, what is typed, and what is left of it in a cell that is not text, by analyte."""
CRITERION = """
[criteria.{name}]
title = "{name}"
category = "quantity"
test = "THAW"
analyte = "{name}"
method = "SOP-QC-014"
unit = "{unit}"
accept = ">= 0.01"
"""
PERCENT = 'plausible = "0 to 100"'

MEASURED_AT = "2026-03-21T16:56:00-05:00"
TYPED = {
    "started_at": "2026-03-21T16:40:00-05:00",
    "measured_at": MEASURED_AT,
    "analyst": ANA,
    "instrument_id": "VCB-001",
    "run_id": "VCB-260321-01",
    "comment": "-5 drops, µL",
}
UNCHANGED = (
    "lot_id", "sample_id", "test_code", "analyte", "replicate", "unit", "method_id", "result_type",
    *TYPED,
)  # fmt: skip


@pytest.fixture(scope="session")
def calc(tmp_path_factory: pytest.TempPathFactory) -> Calc:
    return Calc(tmp_path_factory.mktemp("libreoffice"))


@pytest.fixture
def template(house: House) -> bytes:
    """The template of a lot of which six things are measured after thawing."""
    head = STAGED.partition(b"[criteria")[0].decode()
    plan = head + "".join(
        CRITERION.format(name=name, unit=unit) + PERCENT * (unit == "%")
        for name, (unit, _, _) in MEASURED.items()
    )
    adopt(house, plan.encode())
    lot_of_stages(house, "post-thaw")
    with house.reading() as session:
        wanted = Wanted((LOT,), test="THAW")
        return template_csv(session, house.archive, wanted=wanted)


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))


def typed(template: bytes) -> dict[str, str]:
    """What somebody types, by cell."""
    keys = {}
    for number, row in enumerate(rows_of(template), start=2):
        for name, text in (("value", MEASURED[row["analyte"]][1]), *TYPED.items()):
            keys[f"{chr(ord('A') + HEADER.index(name))}{number}"] = text
    return keys


@pytest.mark.requirement("11.05")
def test_every_digit_comes_back_from_cells_that_are_text(
    house: House, template: bytes, calc: Calc, tmp_path: Path
):
    saved = calc.fill(template, typed(template), opened_as_text=True, cells_are_text=True)
    report = house.upload(saved)
    assert report.reading.problems == ()
    values = {one.analyte: (one.unit, one.text) for one in report.reading.measurements}
    assert values == {name: (unit, text) for name, (unit, text, _) in MEASURED.items()}
    assert {one.comment for one in report.reading.measurements} == {"-5 drops, µL"}


@pytest.mark.parametrize("opened_as_text", [True, False])
def test_cells_that_are_not_text_lose_digits_and_nothing_else(
    house: House, template: bytes, calc: Calc, opened_as_text: bool
):
    saved = calc.fill(
        template, typed(template), opened_as_text=opened_as_text, cells_are_text=False
    )
    report = house.upload(saved)
    assert report.reading.problems == ()
    texts = {one.analyte: one.text for one in report.reading.measurements}
    for name, (_, whole, left) in MEASURED.items():  # newer versions may keep a column of text
        assert texts[name] in ({whole, left} if opened_as_text else {left})
    for before, after in zip(rows_of(template), rows_of(saved), strict=True):
        assert {name: after[name] for name in UNCHANGED} == {
            name: TYPED.get(name, before[name]) for name in UNCHANGED
        }
