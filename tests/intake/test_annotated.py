"""The problems of a file beside its rows; and apostrophes that keep spreadsheets from formulas."""

import csv
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.documents.csv_file import csv_bytes
from batchqc.intake.annotated import annotated_rows
from batchqc.intake.header import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from batchqc.intake.template import TEMPLATE_COLUMNS
from tests.intake.files import HEADER, VIABILITY, file, found, read, read_one
from tests.intake.test_properties import mutated_bytes, mutated_cells


def annotated(data: bytes) -> list[list[str]]:
    return annotated_rows(data, read(data).problems)


def test_the_template_has_the_columns_of_the_contract():
    assert TEMPLATE_COLUMNS == HEADER
    assert set(TEMPLATE_COLUMNS) == {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS}


def test_rows_stand_in_the_order_of_the_file_with_every_problem_of_theirs():
    data = file(
        {"value": "93,40", "analyst": "stranger"},
        {"replicate": "2", "value": "95"},
        {"value": "NaN"},
    )
    header, first, second, third = annotated(data)
    assert header == [*HEADER, "problems", "what to do"]
    assert first[6] == "93,40"
    assert "value: E205" in first[-2]
    assert "analyst: E401" in first[-2]
    assert "decimal point" in first[-1]
    assert second[-2:] == ["", ""]
    assert "value: E202" in third[-2]


def test_problems_of_the_file_and_of_the_header_come_first():
    data = file({"value": "NaN"}, header=[*HEADER, "more"]) + b"\r\n"
    header, *of_file, row, blank = annotated(data)
    assert header == [*HEADER, "more", "problems", "what to do"]
    assert [line[-2].partition(": ")[0] for line in of_file] == ["the file", "the header"]
    assert [line[-2].split()[2] for line in of_file] == ["W602", "W604"]
    assert all(line[:-2] == [""] * 17 and line[-1] for line in of_file)
    assert "E202" in row[-2]
    assert blank == [""] * 19


def test_a_row_with_a_cell_too_many_keeps_it():
    data = file({}) + b"MSC-26-0012,1,2" + b"," * 20 + b"last\r\n"
    header, sound, ragged = annotated(data)
    assert len(header) == len(sound) == len(ragged) == 25
    assert ragged[:3] == ["MSC-26-0012", "1", "2"]
    assert ragged[22] == "last"
    assert "E106" in ragged[-2]


def test_a_row_that_cannot_be_read_is_shown_and_the_next_one_is_in_its_place():
    first, second = file({}, {"value": "NaN"}).splitlines(keepends=True)[1:]
    data = file({}).splitlines(keepends=True)[0] + b'"a"b,c\r\n' + first + second
    _, broken, sound, wrong = annotated(data)
    assert broken[0] == '"a"b,c'
    assert "E105" in broken[-2]
    assert sound[-2:] == ["", ""]
    assert "E202" in wrong[-2]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"a|b|c\n"])
def test_what_is_no_table_has_its_problems_and_no_row(data: bytes):
    header, problem = annotated(data)
    assert header == ["problems", "what to do"]
    assert problem[0].startswith(("the file: E1", "the header: E1"))


def test_a_byte_of_another_encoding_is_not_mistaken_for_a_character_when_it_comes_back():
    data = file({"comment": "5 #g"}).replace(b"#", b"\xb5")
    back = csv_bytes(annotated(data))
    assert "5 \ufffdg" in back.decode()
    assert [code for code, *_ in found(read(back).problems)] == ["W604", "E102"]


@given(mutated_bytes() | mutated_cells())
@settings(deadline=None, max_examples=150)
def test_every_problem_of_any_file_stands_in_its_annotated_copy(data: bytes):
    reading = read(data)
    rows = annotated_rows(data, reading.problems)
    text = csv_bytes(rows).decode("utf-8-sig")
    again = list(csv.reader(StringIO(text, newline="")))
    assert len({len(row) for row in again}) == 1
    said = "\n".join(row[-2] for row in again[1:])
    assert all(f"{one.code} {one.message}" in said for one in reading.problems)


def test_a_corrected_annotated_copy_is_accepted_with_its_columns_not_read():
    rows = annotated(file({"value": "93,40"}, {"replicate": "2"}))
    assert rows[1][6] == "93,40"
    rows[1][6] = "93.40"
    reading = read(csv_bytes(rows))
    assert reading.accepted
    assert [one.code for one in reading.problems] == ["W604"]
    assert [one.text for one in reading.measurements] == ["93.40", "96.90"]


def test_a_copy_of_a_copy_has_the_two_columns_once_with_what_is_wrong_now():
    rows = annotated(file({"value": "93,40"}, {"replicate": "2", "value": "9S"}))
    rows[1][6] = "93.40"
    header, *top, first, second = annotated(csv_bytes(rows))
    assert header == [*HEADER, "problems", "what to do"]
    assert [line[-2].split()[2] for line in top] == ["W604"]
    assert first == [*rows[1][:-2], "", ""]
    assert "E203" in second[-2]


@pytest.mark.requirement("11.03")
def test_an_apostrophe_before_a_formula_is_taken_off_before_the_cell_is_read():
    assert found(read_one(comment="'=1+1").problems) == [("E501", 2, "comment")]
    assert found(read_one(run_id="'@x").problems) == [("E501", 2, "run_id")]
    (kept,) = read_one(comment="'-5 drops").measurements
    assert kept.comment == "-5 drops"
    (quoted,) = read_one(comment="'quoted'").measurements
    assert quoted.comment == "'quoted'"
    header = file(header=[*HEADER, "'=more"])
    assert "E501" in {code for code, *_ in found(read(header).problems)}


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
    | st.from_regex(r"'{0,2}[+\-=@][a-z0-9 ]{0,9}", fullmatch=True)
)
@settings(deadline=None)
def test_a_comment_that_leaves_comes_back_as_it_was_or_is_refused(comment: str):
    first = read_one(comment=comment)
    cells = VIABILITY | {"comment": comment}
    data = csv_bytes([HEADER, [cells.get(name, "") for name in HEADER]])
    back = read(data)
    assert len(data.splitlines()) >= 2
    if first.accepted and not comment.startswith("'"):
        assert [one.comment for one in back.measurements] == [comment]
    assert {one.comment for one in back.measurements} <= {comment}
