"""The long contract: header, ids, codes, keys, runs, and what is stored of a row."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from batchqc.core.assays import RunKey
from batchqc.core.specifications import Stage
from batchqc.core.subjects import Measured
from batchqc.intake.contract import CONTRACT, Named, lot_ids, read_bytes
from batchqc.intake.table import read_table
from tests.cast import DECIDED, MSC, register, specification
from tests.intake.files import (
    HEADER,
    STERILITY,
    UPLOAD,
    file,
    found,
    read,
    read_one,
)


def test_a_row_becomes_a_measurement_with_all_that_it_says():
    reading = read_one(comment="first, second", started_at="2026-03-21T16:40:00-05:00")
    (one,) = reading.measurements
    assert one.run == RunKey(UPLOAD, "VIAB", "VCB-260321-01")
    assert (one.lot, one.sample, one.stage, one.aliquot) == (MSC, f"{MSC}-S01", "release", "A1")
    assert (one.analyte, one.replicate, one.text, one.unit) == ("viability", 1, "96.90", "%")
    assert one.measured_at == datetime.fromisoformat("2026-03-21T16:56:00-05:00")
    assert one.elapsed == timedelta(minutes=16)
    assert (one.analyst, one.instrument) == ("jdoe", "VCB-001")
    assert (one.method, one.version) == ("SOP-QC-014", "3")
    assert (one.result_type, one.comment) == ("reportable", "first, second")
    assert (one.cell.row, one.cell.line, one.cell.column) == (2, 2, "value")
    assert (reading.rows_read, reading.columns_used, reading.columns_unused) == (
        1,
        tuple(HEADER),
        (),
    )
    assert CONTRACT == "batchqc long v1"


def test_columns_may_stand_in_any_order():
    assert read(file(header=HEADER[::-1])).measurements[0].text == "96.90"


@pytest.mark.parametrize(
    ("column", "message"),
    [(name, f"the header does not have: {name}") for name in ("lot_id", "unit", "analyst")],
)
def test_a_missing_column_is_named(column, message):
    reading = read(file(header=[name for name in HEADER if name != column]))
    assert [(one.code, one.message) for one in reading.problems] == [("E110", message)]


@pytest.mark.parametrize(
    "name", ["Value", "VALUE", " value", "value ", "Val-ue", "valuе", "value\N{ZERO WIDTH SPACE}"]
)
def test_a_name_that_is_only_like_a_column_is_refused_and_shown(name):
    data = file().replace(b",value,", f",{name},".encode())
    assert [one.code for one in read(data).problems] == ["E110", "E110"]


def test_an_optional_column_with_a_name_like_it_is_not_ignored():
    data = file().replace(b"result_type", b"Result Type").replace(b"reportable", b"raw")
    reading = read(data)
    assert found(reading.problems) == [("E110", 1, "Result Type")]


def test_columns_that_are_not_read_are_listed():
    reading = read(file({}, header=[*HEADER, "operator", "remark"]))
    assert found(reading.problems) == [("W604", 1, "")]
    assert '"operator", "remark"' in reading.problems[0].message
    assert reading.columns_unused == ("operator", "remark")
    assert len(reading.measurements) == 1


def test_a_column_with_cells_but_no_name_is_refused():
    data = file().replace(b"\r\n", b",\r\n", 1).replace(b"reportable,\r\n", b"reportable,,more\r\n")
    assert found(read(data).problems) == [("E110", 1, "column 17")]


def test_a_duplicate_column_is_refused_with_both_places():
    reading = read(file({"remark": "x"}, header=[*HEADER, "remark", "remark"]))
    assert ("E107", 1, "remark") in found(reading.problems)
    assert "(columns 17 and 18)" in reading.problems[0].message + reading.problems[1].message


def test_a_second_header_row_is_refused():
    data = file({}, {"replicate": "2"})
    header = data.split(b"\r\n")[0]
    assert found(read(data + header + b"\r\n").problems) == [("E112", 4, "")]
    assert found(read(header + b"\r\n" + data).problems) == [("E112", 2, "")]
    assert found(read(header + b"\r\n" + header.upper() + b"\r\n").problems) == [("E112", 2, "")]


def test_a_header_further_down_is_pointed_at():
    data = b"Operator" + b"," * 15 + b"\r\n" + file()
    (problem,) = read(data).problems
    assert (problem.code, problem.row) == ("E110", 1)
    assert problem.hint == "Row 2 looks like the header: remove what is above it."


def test_ids_are_compared_without_case_and_come_out_as_registered():
    row = {"lot_id": MSC.lower(), "sample_id": f" {MSC.lower()}-s02 ", "analyst": "JDoe"}
    (one,) = read_one(**row).measurements
    assert (one.lot, one.sample, one.analyst) == (MSC, f"{MSC}-S02", "jdoe")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lot_id": "MSC-26-0099"}, "E401"),
        ({"lot_id": ""}, "E202"),
        ({"lot_id": "MSC-26-0012\N{NO-BREAK SPACE}"}, "E403"),
        ({"lot_id": "\N{GREEK CAPITAL LETTER MU}SC-26-0012"}, "E403"),
        ({"lot_id": "12-Mar"}, "E402"),
        ({"sample_id": "MSC-26-0012-S99"}, "E401"),
        ({"sample_id": f"{DECIDED}-S01"}, "E401"),
        ({"sample_id": "MAR1"}, "E402"),
        ({"sample_id": "SEP2"}, "E402"),
        ({"sample_id": "1.3.2026"}, "E402"),
        ({"sample_id": "45017"}, "E401"),
        ({"sample_id": "2.31E+13"}, "E401"),
        ({"sample_id": "#REF!"}, "E201"),
        ({"sample_id": ""}, "E202"),
        ({"analyst": "nobody"}, "E401"),
        ({"analyst": "J. Doe"}, "E401"),
        ({"analyst": ""}, "E202"),
        ({"analyst": "ｊdoe"}, "E403"),
        ({"test_code": "PCR"}, "E404"),
        ({"test_code": "viab"}, "E404"),
        ({"test_code": ""}, "E202"),
        ({"test_code": "VІAB"}, "E403"),
        ({"analyte": "CD73"}, "E404"),
        ({"analyte": "Viability"}, "E404"),
        ({"analyte": ""}, "E202"),
        ({"method_id": "SOP-QC-015 v3"}, "E404"),
        ({"method_id": "SOP-QC-014v3"}, "E404"),
        ({"method_id": "SOP-QC-014 v3 draft"}, "E404"),
        ({"method_id": "sop-qc-014"}, "E404"),
        ({"method_id": "SOP\N{NON-BREAKING HYPHEN}QC-014"}, "E403"),
        ({"method_id": "N/A"}, "E202"),
        ({"replicate": ""}, "E202"),
        ({"replicate": "0"}, "E203"),
        ({"replicate": "01"}, "E203"),
        ({"replicate": "1.0"}, "E203"),
        ({"replicate": "+1"}, "E203"),
        ({"replicate": "one"}, "E203"),
        ({"replicate": "١"}, "E203"),
        ({"replicate": "1000000"}, "E203"),
        ({"result_type": "Reportable"}, "E206"),
        ({"result_type": "final"}, "E206"),
        ({"aliquot": "A\N{CYRILLIC SMALL LETTER A}"}, "E403"),
        ({"aliquot": "A\n1"}, "E403"),
        ({"run_id": "n/a"}, "E202"),
        ({"instrument_id": "-"}, "E501"),
        ({"instrument_id": "x" * 101}, "E406"),
        ({"comment": "x" * 501}, "E406"),
        ({"comment": "=1+1"}, "E501"),
        ({"comment": " @SUM(A1)"}, "E501"),
        ({"comment": "\tx"}, "E501"),
        ({"comment": "\rx"}, "E501"),
        ({"aliquot": "+A1"}, "E501"),
        ({"run_id": "-R1"}, "E501"),
        ({"unit": "=A1"}, "E501"),
        ({"value": "=1+1"}, "E501"),
        ({"value": "@96.9"}, "E501"),
    ],
)
def test_a_cell_that_refers_to_nothing_known_is_refused(change, code):
    (column,) = change
    reading = read_one(**change)
    assert found(reading.problems) == [(code, 2, column)]
    assert reading.measurements == ()
    assert reading.problems[0].hint


def test_a_comment_may_begin_with_a_sign_and_be_500_characters_long():
    for comment in ("- below the limit", "+ repeated", "x" * 500, "37 °C, µ"):
        assert read_one(comment=comment).measurements[0].comment == comment


def test_signed_numbers_are_no_formulas_even_where_they_are_not_read():
    assert read(file({"delta": "-0.5"}, header=[*HEADER, "delta"])).accepted
    for text in ("-x", "=1", "@x"):
        reading = read(file({"delta": text}, header=[*HEADER, "delta"]))
        assert ("E501", 2, "delta") in found(reading.problems)
    assert ("E501", 1, "=delta") in found(read(file(header=[*HEADER, "=delta"])).problems)


def test_results_of_a_decided_lot_stand_beside_its_decision_and_that_is_told_once():
    later = {"lot_id": DECIDED, "sample_id": f"{DECIDED}-S01"}
    reading = read(file(later, later | {"replicate": "2"}))
    assert found(reading.problems) == [("W401", 2, "lot_id")]
    assert "released" in reading.problems[0].message
    assert reading.accepted
    assert len(reading.measurements) == 2


def test_a_code_that_differs_in_case_is_shown_how_to_write_it():
    assert read_one(test_code="viab").problems[0].hint == 'Write "VIAB".'


def test_an_absent_method_is_that_of_the_plan_and_shown_as_such():
    assert read_one(method_id="").measurements[0].method == "SOP-QC-014"
    assert read_one(method_id="").measurements[0].version == ""
    assert read_one(method_id="SOP-QC-014").measurements[0].version == ""
    without = read(file(header=[name for name in HEADER if name != "method_id"]))
    assert without.accepted
    assert any("method_id" in said for said in without.assumed)


def test_a_control_of_a_test_with_two_methods_must_name_one():
    plan = specification()
    other = Measured("VIAB", "apoptosis", "SOP-QC-099", "%")
    plan = replace(plan, criteria=(*plan.criteria, replace(plan.criteria[0], subject=other)))
    control = {"analyte": "beads", "result_type": "control"}
    problems = read_one(plan, **control, method_id="").problems
    assert found(problems) == [("E202", 2, "method_id")]
    assert read_one(plan, **control, method_id="SOP-QC-099 v1").accepted


def test_an_absent_run_makes_one_run_for_each_test_and_file():
    rows = ({"run_id": ""}, {"run_id": "", "replicate": "2"}, STERILITY | {"run_id": ""})
    runs = [one.run for one in read(file(*rows)).measurements]
    assert runs[0] == runs[1] == RunKey(UPLOAD, "VIAB", "VIAB (no run_id)")
    assert runs[2] == RunKey(UPLOAD, "STER", "STER (no run_id)")


def test_a_run_has_one_spelling_in_a_file():
    rows = ({"run_id": "R-1"}, {"run_id": "r-1", "replicate": "2"})
    assert {one.run.run for one in read(file(*rows)).measurements} == {"R-1"}


def test_the_stage_is_that_of_the_sample():
    world = register()
    samples = {key: replace(one, stage="in process") for key, one in world.samples.items()}
    nothing = replace(world, samples=samples)
    refused = read_bytes(file(), lambda _: nothing, upload=UPLOAD)
    assert [one.code for one in refused.problems] == ["E404"]
    assert "judges results of stage in process" in refused.problems[0].message
    lots = {
        key: replace(one, beside=(replace(one.specification, stage=Stage.IN_PROCESS),))
        for key, one in world.lots.items()
    }
    planned = replace(world, samples=samples, lots=lots)
    reading = read_bytes(file(), lambda _: planned, upload=UPLOAD)
    assert reading.measurements[0].stage == "in process"


@pytest.mark.parametrize("result_type", ["raw", "control", "standard", "blank"])
def test_a_row_that_is_not_reportable_is_kept_as_it_is(result_type):
    row = {"analyte": "spike_recovery", "value": "46,XY", "unit": "?", "result_type": result_type}
    (one,) = read_one(**row).measurements
    assert (one.result_type, one.analyte, one.text, one.unit) == (
        result_type,
        "spike_recovery",
        "46,XY",
        "?",
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lot_id": "MSC-26-0099"}, "E401"),
        ({"sample_id": "MSC-26-0099-S01"}, "E401"),
        ({"test_code": "PCR"}, "E404"),
        ({"replicate": "x"}, "E203"),
        ({"measured_at": "2026-03-21"}, "E302"),
        ({"analyst": "nobody"}, "E401"),
        ({"value": ""}, "E202"),
        ({"value": "#REF!"}, "E201"),
        ({"method_id": "SOP-QC-015"}, "E404"),
    ],
)
def test_a_row_that_is_not_reportable_needs_its_references_all_the_same(change, code):
    (column,) = change
    assert found(read_one(**change, result_type="raw").problems) == [(code, 2, column)]


def test_a_key_stands_once_in_a_file():
    same = {"run_id": "vcb-260321-01 ", "lot_id": MSC.lower(), "value": "95.10"}
    reading = read(file({}, {"replicate": "2"}, same, {"aliquot": "A2"}, {"run_id": "R-2"}))
    assert found(reading.problems) == [("E405", 4, "replicate")]
    assert "row 4 repeats row 2" in reading.problems[0].message
    both_without_run = read(file({"run_id": ""}, {"run_id": ""}))
    assert found(both_without_run.problems) == [("E405", 3, "replicate")]


def test_the_number_of_replicates_is_a_matter_for_the_verdict():
    assert read_one().accepted
    assert read(file(*({"replicate": str(number)} for number in range(1, 9)))).accepted


def test_all_problems_of_a_row_and_of_a_file_are_reported_at_once():
    bad = {
        "sample_id": "x",
        "analyte": "CD73",
        "replicate": "x",
        "measured_at": "x",
        "analyst": "x",
        "method_id": "x",
        "result_type": "x",
    }
    reading = read(file(bad, {"value": "ND", "unit": "x", "replicate": "2"}, {"lot_id": "x"}))
    assert sorted(found(reading.problems)) == [
        ("E203", 2, "replicate"),
        ("E206", 2, "result_type"),
        ("E206", 3, "value"),
        ("E208", 3, "unit"),
        ("E301", 2, "measured_at"),
        ("E401", 2, "analyst"),
        ("E401", 2, "sample_id"),
        ("E401", 4, "lot_id"),
        ("E404", 2, "analyte"),
    ]


def test_a_file_is_stored_whole_or_not_at_all_and_its_good_rows_are_shown():
    reading = read(file({}, {"replicate": "2", "value": "ND"}))
    assert not reading.accepted
    assert reading.measurements == ()
    assert [one.text for one in reading.parsed] == ["96.90"]
    assert reading.rows_read == 2


def test_the_register_is_asked_once_for_the_lots_of_the_file_and_not_for_other_files():
    asked = []
    data = file({}, {"lot_id": "msc-26-0011"}, {"lot_id": "x" * 60}, {"lot_id": "Кот-1"})
    read_bytes(data, lambda lots: asked.append(lots) or register(), upload=UPLOAD)  # type: ignore[func-returns-value]
    assert asked == [Named(lots=frozenset({"msc-26-0012", "msc-26-0011"}))]
    read_bytes(b"%PDF", lambda lots: asked.append(lots) or register(), upload=UPLOAD)  # type: ignore[func-returns-value]
    assert len(asked) == 1
    assert lot_ids(read_table(b"a,b\n1,2\n")) == frozenset()


def test_a_problem_quotes_the_cell_in_at_most_80_characters():
    problem = read_one(value="x" * 200).problems[0]
    assert len(problem.text) == 80
    assert problem.text.endswith("…")
    assert "[U+200B]" in read_one(analyte="CD90\N{ZERO WIDTH SPACE}").problems[0].message


@pytest.mark.parametrize("column", ["run_id", "aliquot", "instrument_id"])
@pytest.mark.parametrize("text", ["2.31E+13", "1E+12", "3-Jan", "03-Jan", "Mar-26"])
def test_an_id_that_nothing_registers_is_not_taken_as_a_spreadsheet_left_it(column, text):
    assert found(read(file({column: text})).problems) == [("E402", 2, column)]
    assert read(file({column: f"R{text}"})).accepted
