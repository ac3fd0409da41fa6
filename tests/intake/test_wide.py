"""The wide contract says the same as the long one, cell by cell, at the place of each cell."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.core.assays import Cell, Measurement
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured
from batchqc.intake.contract import Reading
from tests.cast import specification
from tests.intake.files import DENSITY, ENDOTOXIN, STERILITY, VIABILITY, file, found, read

SHARED = ("lot_id", "sample_id", "aliquot", "replicate", "measured_at", "analyst", "run_id")
FLOW = {"test_code": "FLOW", "analyte": "CD73", "method_id": "SOP-QC-021"}
COLUMNS = {
    "VIAB.viability [%]": VIABILITY | {"method_id": ""},
    "VCD.viable_cell_density [cells/mL]": DENSITY,
    "ENDO.endotoxin [EU/mL]": ENDOTOXIN,
    "STER.growth_14d": STERILITY,
    "CD73 [%]": FLOW,
}


def wide(*rows: dict[str, str], columns: tuple[str, ...] = tuple(COLUMNS), **more: str) -> bytes:
    """A wide file; ``more`` are columns beside the shared ones, with the same cell in each row."""
    header = [*SHARED, *more, *columns]
    shared = {name: VIABILITY[name] for name in SHARED}
    lines = [",".join(header)]
    lines += [",".join((shared | more | row).get(name, "") for name in header) for row in rows]
    return "\n".join([*lines, ""]).encode()


def one(name: str, cell: str, **shared: str) -> Reading:
    return read(wide({name: cell, **shared}, columns=(name,)))


def without_place(reading: Reading) -> set[Measurement]:
    return {replace(one, cell=Cell(0, 0, "", one.text)) for one in reading.measurements}


CELLS = {
    "VIAB.viability [%]": ["96.90", "<95", "100"],
    "VCD.viable_cell_density [cells/mL]": ["2.45E6", ">1E5"],
    "ENDO.endotoxin [EU/mL]": ["<0.05", "0.30000000000000004"],
    "STER.growth_14d": ["No growth", "negative"],
    "CD73 [%]": ["99.1", "97.5%"],
}
ROWS = st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()})


@given(st.lists(ROWS, min_size=1, max_size=3))
@settings(deadline=None, max_examples=60)
def test_a_wide_file_says_what_the_long_one_says(rows: list[dict[str, str]]):
    numbered = [row | {"replicate": str(n)} for n, row in enumerate(rows, start=1)]
    long = [
        {"method_id": ""} | COLUMNS[name] | {"method_id": "", "instrument_id": ""}
        | {"replicate": row["replicate"], "value": row[name]}
        for row in numbered
        for name in COLUMNS
    ]  # fmt: skip
    found = read(wide(*numbered))
    assert found.accepted
    assert (found.contract, found.rows_read) == ("batchqc wide v1", len(rows))
    assert without_place(found) == without_place(read(file(*long)))
    for measurement in found.measurements:
        row = numbered[measurement.cell.row - 2]
        assert row[measurement.cell.column] == measurement.text


@pytest.mark.parametrize(
    ("name", "cell", "code"),
    [
        ("VIAB.viability [%]", '"96,90"', "E205"),
        ("VIAB.viability [%]", "#N/A", "E201"),
        ("VIAB.viability [%]", "ND", "E206"),
        ("VIAB.viability [%]", "=1+1", "E501"),
        ("VIAB.viability [%]", "0.969", "E207"),
        ("VIAB.viability [g/L]", "96.9", "E208"),
        ("VIAB.viability", "96.9", "E208"),
        ("VIAB.viabilty [%]", "96.9", "E404"),
        ("VIABB.viability [%]", "96.9", "E404"),
        ("STER.growth_14d", "perhaps", "E206"),
    ],
)
def test_a_problem_points_at_the_cell_of_the_wide_table(name: str, cell: str, code: str):
    (problem,) = one(name, cell).problems
    assert (problem.code, problem.row, problem.column) == (code, 2, name)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (("CD999 [%]",), ("E110", 1, "CD999 [%]")),
        (("FLOW.CD73 [%]", "CD73 [%]"), ("E107", 1, "CD73 [%]")),
        (("CD73 [%]", "CD73 [%]"), ("E107", 1, "CD73 [%]")),
    ],
)
def test_a_column_without_one_meaning_is_refused(columns: tuple[str, ...], told: object):
    reading = read(wide(dict.fromkeys(columns, "99"), columns=columns))
    assert told in found(reading.problems)
    assert not reading.accepted


def test_what_is_wrong_with_a_shared_cell_is_said_once():
    cells = {name: texts[0] for name, texts in CELLS.items()}
    reading = read(wide(cells | {"analyst": "nobody"}))
    assert found(reading.problems) == [("E401", 2, "analyst")]
    spoiled = read(wide(cells | {"analyst": "jd\0oe"}))
    assert found(spoiled.problems) == [("E104", 2, "analyst")]


def test_more_columns_are_listed_and_not_read():
    reading = read(wide({"VIAB.viability [%]": "96.9"}, columns=("VIAB.viability [%]",),
                        Colour="red", **{"Vol.used": "3"}))  # fmt: skip
    assert reading.accepted
    assert reading.columns_unused == ("Colour", "Vol.used")
    assert "VIAB.viability [%]" in reading.columns_used


def test_a_row_may_not_repeat_the_replicate_of_another():
    twice = read(wide({"CD73 [%]": "99"}, {"CD73 [%]": "99"}, columns=("CD73 [%]",)))
    assert found(twice.problems) == [("E405", 3, "replicate")]


def test_a_table_without_any_result_is_refused():
    empty = read(wide({}, columns=("CD73 [%]",)))
    assert [one.code for one in empty.problems] == ["E109", "W605"]
    header = read(wide(columns=("CD73 [%]",)))
    assert [one.code for one in header.problems] == ["E109"]


def test_a_second_header_row_and_a_missing_column_are_told():
    text = wide({"CD73 [%]": "99"}, columns=("CD73 [%]",)).decode()
    again = text + text.splitlines()[0] + "\n"
    assert found(read(again.encode()).problems) == [("E112", 3, "")]
    short = text.replace(",replicate", "", 1).replace(",1,", ",", 1)
    (problem,) = read(short.encode()).problems
    assert (problem.code, "replicate" in problem.message) == ("E110", True)


@pytest.mark.parametrize(
    "name", ["ster.growth_14d", "STERI.growth_14d", "growth_14d", "Growth 14d", "CD90 (%)"]
)
def test_a_column_that_is_only_like_one_of_results_is_not_left_out(name: str):
    cells = {"FLOW.CD73 [%]": "99", name: "growth"}
    reading = read(wide(cells, columns=tuple(cells)))
    assert ("E110", 1, name) in found(reading.problems)
    assert not reading.accepted


def renamed(test: str, analyte: str, unit: str) -> Specification:
    """The plan with other codes in place of those of endotoxin."""
    plan = specification()
    criteria = [
        replace(one, subject=replace(one.subject, test=test, analyte=analyte, unit=unit))
        if isinstance(one.subject, Measured) and one.subject.test == "ENDO"
        else one
        for one in plan.criteria
    ]
    return replace(plan, criteria=tuple(criteria))


@pytest.mark.parametrize(
    ("test", "analyte", "unit"),
    [
        ("PH", "ph", "[pH]"),
        ("BIO", "burden", "[CFU]/mL"),
        ("QC.7", "endotoxin", "EU/mL"),
        ("QC/7", "endotoxin", "EU/mL"),
        ("QC+7", "endo.toxin", "EU/mL"),
    ],
)
def test_every_code_and_unit_of_a_plan_can_be_a_column(test: str, analyte: str, unit: str):
    name = f"{test}.{analyte} [{unit}]"
    plan = renamed(test, analyte, unit)
    reading = read(wide({name: "0.1"}, columns=(name,)), plan)
    assert [(one.run.test, one.analyte, one.unit) for one in reading.measurements] == [
        (test, analyte, unit)
    ]
    bare = f"{analyte} [{unit}]"
    alone = read(wide({bare: "0.1"}, columns=(bare,)), plan)
    assert [one.run.test for one in alone.measurements] == [test]
