"""What is read is what a careful person reads, or is refused."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from batchqc.core.acceptance import ReportOnly
from batchqc.core.assays import amount_of
from batchqc.core.criteria import Category, Criterion
from batchqc.core.profiles import Marks
from batchqc.core.subjects import Measured
from batchqc.intake.marks import plain_number
from batchqc.intake.problems import Wrong
from batchqc.intake.times import local_time, zone_of
from tests.cast import specification
from tests.intake.files import HEADER, file, found, read_one
from tests.intake.files import read as read_contract
from tests.intake.test_large import read_large
from tests.intake.test_profiles import PLATE, S01, S02, read, shipped


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("0.975", Marks(",", ".")),
        ("<0.050", Marks(",", ".")),
        ("-0.500", Marks(",", ".")),
        ("0,975", Marks(".", ",")),
        ("00,975", Marks(".", ",")),
        ("0'975", Marks(",", "'")),
        ("2.450E6", Marks(",", ".")),
        ("2,450E+06", Marks(".", ",")),
        ("1.5E3  %", Marks(",")),
    ],
)
def test_a_decimal_mark_is_not_taken_for_one_between_thousands(text: str, marks: Marks):
    said = plain_number(text, marks)
    assert isinstance(said, Wrong), (said, amount_of(said, "%"))
    assert said.code == "E205"


@pytest.mark.parametrize(
    ("text", "plain"),
    [("2.450", "2450"), ("<10.250.000", "<10250000"), ("2,450E6", "2.450E6"), ("0,975", "0.975")],
)
def test_marks_between_thousands_are_read_where_they_are_meant(text: str, plain: str):
    assert plain_number(text, Marks(",", ".")) == plain


NAMES = (
    ("Lymphocytes/Single Cells/Live/CD73+", "Live/CD73+"),
    ("Lymphocytes/Single Cells/Live/CD90+ | Freq. of Parent (%)", "Live/CD73+ | Median"),
)
ROW = 'row  = 1\nskip = ["Mean", "SD"]'
ASKED = ("measured_at", "analyst", "instrument_id", "run_id")


@pytest.mark.parametrize(
    "header",
    ['row = 1\nuntil = "Mean"', 'holds = ["Live/CD73+ | Median"]\nuntil = "Mean"'],
)
def test_a_second_table_below_the_end_of_the_first_is_told(header: str):
    profile = shipped("flowjo-table", (ROW, header), *NAMES)
    names = ",Live/CD73+ | Freq. of Parent (%),Live/CD73+ | Median\n"
    one = f"{names}{S01}_001.fcs,98.0,99.0\nMean,98.0,99.0\nSD,0,0\n"
    assert read(one.encode(), profile, ASKED).accepted
    two = read(f"{one}\n{names}{S02}_001.fcs,12.0,13.0\nMean,12.0,13.0\n".encode(), profile, ASKED)
    assert found(two.problems) == [("W607", 4, ""), ("E112", 6, "")]
    footer = f"{one}Live/CD73+ | Median,56,geometric\n"
    assert read(footer.encode(), profile, ASKED).accepted


def test_rows_below_what_ends_a_table_are_told():
    """As where somebody sorted the rows, and the footer with them."""
    profile = shipped("flowjo-table", (ROW, 'row = 1\nuntil = "Mean"'), *NAMES)
    names = ",Live/CD73+ | Freq. of Parent (%),Live/CD73+ | Median\n"
    end = "Mean,55,56\n\nCRC 0x12,,\n"
    text = f"{names}{S01}_001.fcs,98.0,99.0\n{end}"
    assert read(text.encode(), profile, ASKED).problems == ()
    below = read(f"{text}{S02}_001.fcs,12.0,13.0\n".encode(), profile, ASKED)
    (told,) = below.problems
    assert (told.code, told.row, '"Mean"' in told.message) == ("W607", 6, True)


@pytest.mark.parametrize(
    ("names", "row", "told"),
    [
        (",Live/CD73+ | Freq. of Parent (%)", "{},12.0", [("W607", 5, "")]),
        ("Live/CD73+ | Median,Live/CD73+ | Freq. of Parent (%)", "13.0,12.0", [("E112", 4, "")]),
        (
            ",Live/CD73+ | Freq. of Parent (%),Live/CD73+ | Median,Remark",
            "{},12.0,13.0,",
            [("E112", 4, "")],
        ),
        ("Sample,CD73+", "{},12.0", [("W607", 4, "")]),
        ("Repeats", "{},12.0,", [("W607", 5, "")]),
        ("Repeats", "{},,positive", [("W607", 5, "")]),
    ],
)
def test_a_second_table_of_rows_that_are_less_full_is_told(
    names: str, row: str, told: list[tuple[str, int, str]]
):
    profile = shipped("flowjo-table", (ROW, 'row = 1\nuntil = "Mean"'), *NAMES)
    first = ",Live/CD73+ | Freq. of Parent (%),Live/CD73+ | Median\n"
    one = f"{first}{S01}_001.fcs,98.0,99.0\nMean,98.0,99.0\n"
    two = f"{one}{names}\n{row.format(f'{S02}_001.fcs')}\n"
    assert found(read(two.encode(), profile, ASKED).problems) == told


def test_a_second_block_of_the_same_kind_is_told_and_one_of_another_kind_is_not():
    header = ROW, 'after = ["Block", "Median"]\nholds = ["Live/CD73+ | Median"]'
    profile = shipped("flowjo-table", header, *NAMES)
    names = ",Live/CD73+ | Freq. of Parent (%),Live/CD73+ | Median\n"

    def block(kind: str, sample: str) -> str:
        return f"Block,{kind},\n{names}{sample}_001.fcs,98.0,99.0\n,,\n"

    other = read((block("Median", S01) + block("Count", S02)).encode(), profile, ASKED)
    assert [one.sample for one in other.measurements] == [S01, S01]
    again = read((block("Median", S01) + block("Median", S02)).encode(), profile, ASKED)
    assert found(again.problems) == [("E112", 6, "")]


def test_a_row_below_a_blank_one_is_told_also_where_it_leaves_cells_blank_as_those_above_do():
    header = ROW, 'after = ["Results"]\nholds = ["Live/CD73+ | Median", "Remark"]'
    profile = shipped("flowjo-table", header, *NAMES)
    names = ",Live/CD73+ | Freq. of Parent (%),Live/CD73+ | Median,Remark\n"
    table = f"Results,,,\n{names}{S01}_001.fcs,98.0,99.0,\n,,,\n"
    told = read(f"{table}{S02}_001.fcs,12.0,13.0,\n".encode(), profile, ASKED)
    assert found(told.problems) == [("W607", 5, "")]
    footer = read(f"{table}Program,FlowJo,,\n".encode(), profile, ASKED)
    assert (footer.accepted, footer.problems) == (True, ())


def test_a_column_of_a_long_name_is_found():
    """As FlowJo writes a population: by its whole path."""
    path = "Cells/Single Cells/Live/CD45-/CD34-/CD11b-/CD19-/HLA-DR-/CD73+CD90+CD105+"
    names = f"{path} | Freq. of Parent (%)", f"{path} | Median"
    profile = shipped(
        "flowjo-table",
        ("Lymphocytes/Single Cells/Live/CD73+ | Freq. of Parent (%)", names[0]),
        ("Lymphocytes/Single Cells/Live/CD90+ | Freq. of Parent (%)", names[1]),
    )
    text = f",{names[0]},{names[1]}\n{S01}_001.fcs,98.0,99.0\n"
    reading = read(text.encode(), profile, ASKED)
    assert [(one.text, one.cell.column) for one in reading.measurements] == [
        ("98.0", names[0]), ("99.0", names[1]),
    ]  # fmt: skip
    assert reading.columns_unused == ()


def test_a_cell_that_reports_nothing_is_told_at_its_line():
    profile = shipped("msd-workbench", ("raw", "control"))
    names = "Sample,Assay,Well,Spot,Detection Range,Calc. Concentration"
    profile = replace(profile, results=(replace(profile.results[0], test="VIAB"),))
    text = f'"Plate\n2",,,,,\n{names}\n{S01},a,A1,1,"In\nrange",5\n{S01},a,A2,1,,NaN\n'
    reading = read(text.encode(), profile, ASKED)
    told = [(one.row, one.line) for one in reading.problems if one.code == "W605"]
    assert told == [(4, 6)]


def test_a_file_of_a_profile_that_yields_no_result_is_refused():
    names = "Sample ID,Viability (%),Analysis date/time\n"
    profile = shipped("vi-cell-blu")
    profile = replace(profile, results=profile.results[:1])
    for cell, told in (("", ["E109", "W605"]), ("n/a", ["E202"])):
        text = f"{names}{S01},{cell},3/21/2026 16:56\n"
        reading = read(text.encode(), profile, ("analyst", "instrument_id", "run_id"))
        assert [one.code for one in reading.problems] == told
    plate = shipped("gen5-plate", ('"ELISA_IDO"', '"FLOW"'), ('"kynurenine"', '"CD73"'),
                    ('"umol/L"', '"%"'), ('result_type = "raw"\n', ""))  # fmt: skip
    nobody = read(PLATE.encode(), plate, ("measured_at", "analyst"))
    assert {one.code for one in nobody.problems} == {"E109", "W607"}
    absent = replace(profile, results=(replace(profile.results[0], absent=("Undetermined",)),))
    text = f"{names}{S01},Undetermined,3/21/2026 16:56\n"
    nothing = read(text.encode(), absent, ("analyst", "instrument_id", "run_id"))
    assert [one.code for one in nothing.problems] == ["W605"]


REPORTED = Criterion(
    "karyotype", "Karyotype", Category.IDENTITY,
    Measured("KARYO", "karyotype", "SOP-QC-050"), ReportOnly("for information"),
)  # fmt: skip


@pytest.mark.parametrize("text", ["\u200b", "\ufeff", "\u00ad", "N/A\u200b", "n\u00ada", "-\u200e"])
def test_what_shows_nothing_is_no_result(text: str):
    """Pages and spreadsheets leave characters in blank cells that nobody sees."""
    plan = specification()
    plan = replace(plan, criteria=(*plan.criteria, REPORTED))
    row = {"test_code": "KARYO", "analyte": "karyotype", "unit": "", "method_id": ""}
    assert [one.code for one in read_one(plan, **row, value=text).problems] == ["E202"]
    assert read_one(plan, **row, value="46,XY").accepted
    control = read_one(result_type="control", value="\u200b")
    assert [one.code for one in control.problems] == ["E202"]


def test_an_apostrophe_before_a_number_is_called_so():
    (problem,) = read_one(value="'96.90").problems
    assert (problem.code, "apostrophe" in problem.message) == ("E203", True)
    (problem,) = read_one(value="96'900").problems
    assert problem.code == "E205"


def test_what_rows_without_a_run_id_are_shown_under_is_no_run_id():
    """Else one run held a replicate twice, and was no version of itself in another file."""
    rows = {"run_id": ""}, {"run_id": "viab (no run_id)", "value": "91.0"}
    assert read_contract(file(*rows)).problems[0].code == "E202"
    assert found(read_one(run_id="VIAB (no run_id)").problems) == [("E202", 2, "run_id")]
    large, _ = read_large(file(*({"replicate": str(n), "run_id": "VIAB (no run_id)"}
                                 for n in range(1, 20))))  # fmt: skip
    assert {one.code for one in large.problems} == {"E202"}


def test_a_space_in_the_name_of_a_column_is_shown():
    data = file({}).replace(b"replicate,", b" replicate ,")
    near = [one.message for one in read_contract(data).problems if "where" in one.message]
    assert near == ['the header has " replicate " where "replicate" is read']


@pytest.mark.parametrize(
    ("text", "form", "meant"),
    [
        ("20260321 163016", "%Y%m%d %H%M%S", "2026-03-21T16:30:16+00:00"),
        ("20260321 1630", "%Y%m%d %H%M%S", None),
        ("2026111 163016", "%Y%m%d %H%M%S", None),
        ("3/1/2026 6:30", "%m/%d/%Y %H:%M", "2026-03-01T06:30:00+00:00"),
        ("3/1/2026 1630", "%m/%d/%Y %H%M", "2026-03-01T16:30:00+00:00"),
        ("3/1/2026 630", "%m/%d/%Y %H%M", None),
        ("21MAR2026 16:30", "%d%b%Y %H:%M", "2026-03-21T16:30:00+00:00"),
    ],
)
def test_numbers_of_a_time_that_nothing_parts_have_all_their_digits(
    text: str, form: str, meant: str | None
):
    assert local_time(text, [form], UTC) == (meant or text)


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [("2", 120), ("+5.5", 330), ("-3.50", -210), ("5.75", 345), ("5.30", None), ("5.499", None)],
)
def test_hours_from_utc_are_those_of_some_place(hours: str, minutes: int | None):
    zone = zone_of(hours)
    assert zone == (None if minutes is None else timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("said", "column"),
    [("type", "result_type"), ("Run", "run_id"), ("run no.", "run_id"), ("method", "method_id"),
     ("Instrument", "instrument_id"), ("aliquots", "aliquot"), ("Comments", "comment")],
)  # fmt: skip
def test_a_column_that_a_file_names_in_short_is_not_left_out(said: str, column: str):
    """A control under ``type`` was read as a result."""
    control = {"replicate": "2", "value": "12", "result_type": "control"}
    data = file({}, control)
    reading = read_contract(data.replace(column.encode(), said.encode(), 1))
    assert found(reading.problems)[-1] == ("E110", 1, said)
    beside = file({}, header=(*HEADER, said))
    assert [one.code for one in read_contract(beside).problems] == ["W604"]


def test_hours_from_utc_that_cannot_be_read_are_shown_beside_the_time():
    text = (
        f"Image;20260321-0012-c-{S01};\nViability (%);96.9;\nLive (cells/ml);2.45E6;\n"
        "Instrument s/n;s/n 9000;\nDate time;20260321 163016\nTime zone offset;5:30\n"
    )
    reading = read(text.encode(), shipped("nucleoview-nc200"), ("analyst",))
    assert {one.code for one in reading.problems} == {"E301"}
    assert '"20260321 163016 5:30" is not a time' in reading.problems[0].message
