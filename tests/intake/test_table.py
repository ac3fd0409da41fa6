"""Bytes and what they hold: encodings, delimiters, line ends, quotes, and files that are none."""

import gzip
import json

import pytest

from batchqc.intake.problems import CODES, MOST_PROBLEMS, Problem
from batchqc.intake.table import read_table
from tests.intake.files import HEADER, file, found, read

PLAIN = file({}, {"replicate": "2", "value": "95.10"})
TEXT = PLAIN.decode()
SEP_IN_UTF16 = b"\xff\xfe" + ("sep=;\n" + TEXT.replace(",", ";")).encode("utf-16-le")


def codes(data: bytes) -> list[str]:
    return [one.code for one in read_table(data).problems]


def only_problem(data: bytes) -> Problem:
    (problem,) = read_table(data).problems
    return problem


@pytest.mark.parametrize(
    ("data", "encoding", "delimiter", "line_end"),
    [
        (PLAIN, "UTF-8", ",", "CRLF"),
        (PLAIN.replace(b"\r\n", b"\n"), "UTF-8", ",", "LF"),
        (PLAIN.replace(b"\r\n", b"\r"), "UTF-8", ",", "CR"),
        (PLAIN.replace(b",", b";"), "UTF-8", ";", "CRLF"),
        (PLAIN.replace(b",", b"\t"), "UTF-8", "\t", "CRLF"),
        (b"\xef\xbb\xbf" + PLAIN, "UTF-8 with byte order mark", ",", "CRLF"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "UTF-16 LE", ",", "CRLF"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16 BE", ",", "CRLF"),
        (b"sep=;\r\n" + PLAIN.replace(b",", b";"), "UTF-8", ";", "CRLF"),
        (b'"SEP=\t"\n' + PLAIN.replace(b",", b"\t"), "UTF-8", "\t", "CRLF"),
        (SEP_IN_UTF16, "UTF-16 LE", ";", "CRLF"),
    ],
)
def test_a_table_reads_the_same_in_every_dialect(data, encoding, delimiter, line_end):
    table = read_table(data)
    plain = read_table(PLAIN)
    assert table.problems == ()
    assert table.dialect is not None
    dialect = table.dialect
    assert (dialect.encoding, dialect.delimiter, dialect.line_end) == (
        encoding,
        delimiter,
        line_end,
    )
    assert table.header == plain.header == HEADER
    assert [(x.row, x.cells) for x in table.records] == [(x.row, x.cells) for x in plain.records]
    assert read(data).accepted


def test_row_is_the_record_and_line_is_the_physical_line():
    data = b'sep=,\r\na,b\r\n"1\r\n1",2\r\n\r\n3,4\r\n'
    assert [(x.row, x.line, x.cells) for x in read_table(data).records] == [
        (2, 3, ["1\r\n1", "2"]),
        (4, 6, ["3", "4"]),
    ]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04" + b"\0" * 30 + b"xl/workbook.xml", "an Excel workbook (zip)"),
        (b"PK\x03\x04" + b"\0" * 30 + b"photo.jpg", "an archive (zip)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "an old Excel workbook (xls)"),
        (b"%PDF-1.7\n", "a PDF"),
        (gzip.compress(PLAIN), "a compressed file (gzip)"),
        (b"<!DOCTYPE html><html><table>", "a web page (HTML)"),
        (b"\n  <table><tr><td>lot_id", "a web page (HTML)"),
        (b'<?xml version="1.0"?><Workbook>', "an XML document"),
        (json.dumps([{"lot_id": "MSC-26-0012"}]).encode(), "JSON"),
        (b"\xef\xbb\xbf" + b'{"lot_id": 1}', "JSON"),
        (b"ID;PWXL;N;E\r\n", "a SYLK spreadsheet"),
        (b"{\\rtf1 lot_id", "a text document (rtf)"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
    ],
)
def test_another_kind_of_file_is_named(data, kind):
    problem = only_problem(data)
    assert (problem.code, problem.message) == ("E101", f"this is {kind}, not CSV")


@pytest.mark.parametrize(
    "data", [b"", b"\n\n\r\n", b"  \n", b"\xef\xbb\xbf", b"\xff\xfe", b"sep=", b"sep=;\n\n"]
)
def test_an_empty_file_is_empty(data):
    assert only_problem(data).code == "E100"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-32"])
def test_two_byte_encodings_need_their_mark(codec):
    assert only_problem(TEXT.encode(codec)).code == "E103"


def test_a_byte_that_is_not_utf8_is_named_with_its_cell():
    problem = only_problem(file({"comment": "37 #C"}).replace(b"#", b"\xb0"))
    assert (problem.code, problem.row, problem.column) == ("E102", 2, "comment")
    assert "byte 0xB0" in problem.message
    assert problem.text == "37 [0xB0]C"


def test_other_problems_beside_an_undecodable_byte_are_still_found():
    data = file({"comment": "37 #C"}, {"replicate": "2", "analyst": "nobody"})
    problems = read(data.replace(b"#", b"\xb0")).problems
    assert found(problems) == [("E102", 2, "comment"), ("E401", 3, "analyst")]


def test_a_lost_or_halved_character_is_refused():
    assert codes(file({"comment": "37 \N{REPLACEMENT CHARACTER}C"})) == ["E102"]
    halved = b"\xff\xfe" + file({"comment": "#"}).decode().encode("utf-16-le")
    assert codes(halved.replace(b"#\0", b"\x3d\xd8")) == ["E102"]
    assert "E102" in codes(b"\xff\xfe" + TEXT.encode("utf-16-le") + b"\xff")


@pytest.mark.parametrize("character", ["\x01", "\x07", "\x0b", "\x1b", "\x7f", "\x85", "\u202e"])
def test_a_control_character_is_refused_in_every_cell(character):
    for column in ("comment", "value", "lot_id", "more"):
        data = file({column: f"a{character}b"}, header=[*HEADER, "more"])
        assert ("E104", 2, column) in found(read(data).problems)


def test_a_comment_may_have_lines_and_tabs():
    assert read(file({"comment": "first\r\nsecond\tthird\nfourth"})).accepted


@pytest.mark.parametrize("data", [bytes(5_000_000), PLAIN + bytes(5_000_000), b"a\0\0\n" * 500_000])
def test_a_long_run_of_zero_bytes_is_one_problem_with_a_count(data):
    problem = only_problem(data)
    assert problem.code == "E104"
    assert f"{data.count(0):,} NUL bytes" in problem.message


def test_a_quotation_mark_that_is_never_closed_is_reported_where_it_opens():
    data = file({"comment": "#"}, {"replicate": "2"}).replace(b"#", b'"open')
    assert found(read_table(data).problems) == [("E105", 2, "")]
    long = file({"comment": "#"}, *({"replicate": str(i)} for i in range(2, 2000)))
    assert found(read_table(long.replace(b"#", b'"open')).problems) == [("E105", 2, "")]
    assert codes(PLAIN + b'"open') == ["E105", "E108"]
    assert codes(b'"lot_id,sample_id\r\n1,2\r\n') == ["E105"]


def test_text_after_a_closing_quotation_mark_is_reported_and_reading_goes_on():
    rows = ({"comment": "#"}, {"value": "96,90", "replicate": "2"}, {"comment": "#"})
    data = file(*rows).replace(b"#", b'"quoted" more')
    assert found(read(data).problems) == [("E105", 2, ""), ("E205", 3, "value"), ("E105", 4, "")]


def test_ragged_rows_are_reported_and_the_others_are_read():
    lines = file({}, {"replicate": "2"}, {"replicate": "3", "value": "1,5"}).splitlines()
    data = b"\n".join([lines[0], lines[1] + b",", lines[2].rsplit(b",", 3)[0], lines[3], b""])
    assert found(read(data).problems) == [("E106", 2, ""), ("E106", 3, ""), ("E205", 4, "value")]


def test_a_missing_line_end_is_an_error_only_where_the_row_is_cut():
    assert found(read(PLAIN[:-2]).problems) == [("W603", 3, "")]
    assert read(PLAIN[:-2]).accepted
    cut = PLAIN[: PLAIN.rindex(b"jdoe")]
    assert found(read(cut).problems) == [("E106", 3, ""), ("E108", 3, "")]


def test_mixed_line_ends_are_shown():
    data = PLAIN.replace(b"\r\n", b"\n", 1)
    assert found(read(data).problems) == [("W606", 0, "")]
    assert "CRLF (row 2) and LF (row 1)" in read(data).problems[0].message


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.replace(b",", b"|"),
        b"sep=|\r\n" + PLAIN.replace(b",", b"|"),
        b"sep=;\r\n" + PLAIN,
        b"sep=\r\n" + PLAIN,
        b"lot_id;sample_id,value\r\n1;2,3\r\n",
    ],
)
def test_columns_are_separated_by_comma_semicolon_or_tab(data):
    assert only_problem(data).code == "E111"


def test_blank_rows_and_columns_are_counted():
    data = PLAIN.replace(b"\r\n", b",\r\n") + b"\r\n" + b"," * 16 + b"\r\n" + b" \r\n"
    (problem,) = read(data).problems
    assert (problem.code, problem.message) == ("W602", "1 empty column and 3 empty rows ignored")


def test_a_cell_or_a_header_that_no_table_has_is_refused():
    long = file({"comment": "#"}).replace(b"#", b"a" * 200_000)
    assert codes(long) == ["E114"]
    assert codes(b"," * 100_000 + b"\n" + b"," * 100_000 + b"\n") == ["E116"]


def test_a_file_of_nothing_but_problems_is_read_up_to_a_limit():
    problems = read(PLAIN + b"a\n" * 3 * MOST_PROBLEMS).problems
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[-1].code == "E115"
    bad = file(*({"value": "x", "replicate": str(i)} for i in range(1, MOST_PROBLEMS + 100)))
    problems = read(bad).problems
    assert [one.code for one in problems].count("E203") == MOST_PROBLEMS
    assert problems[-1].code == "E115"


def test_every_code_says_what_it_means():
    assert all(len(code) == 4 and meaning for code, meaning in CODES.items())
    assert list(CODES) == sorted(CODES)
