"""What portions see of a file that no first portion shows."""

import pickle
from dataclasses import replace
from io import BytesIO

import pytest

from batchqc.actions.large_reading import Ids, Piece, received
from batchqc.core.blocks import block_of
from batchqc.errors import IntegrityFailure
from batchqc.intake import large as large_module
from batchqc.intake.contract import Asked, read_bytes
from batchqc.intake.large import table_with
from batchqc.intake.portions import portions
from batchqc.intake.table import read_table
from tests.cast import register
from tests.intake.files import HEADER, UPLOAD, file, read
from tests.intake.test_large import is_same, many, read_large, rows_of
from tests.plates import method_of_plates, plate


def nameless(*, filled: int) -> bytes:
    """A file with a column without a name, blank but in one row."""
    lines = file(*many(40, comment="")).decode().splitlines()
    lines = [f"{line}," for line in lines]
    lines[filled] += "99.9"
    return ("\r\n".join(lines) + "\r\n").encode()


@pytest.mark.parametrize("filled", [2, 20, 30, 37])
def test_a_column_without_a_name_that_is_filled_later_is_an_error(filled):
    data = nameless(filled=filled)
    assert not read(data).accepted
    assert not read_large(data, size=400)[0].accepted


def test_a_second_header_far_down():
    rows = many(36)
    rows[28] |= {"aliquot": "value", "instrument_id": "unit", "comment": "comment"}
    is_same(file(*rows), 500)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("ended", [True, False])
def test_rows_are_found_again(end, ended, monkeypatch):
    data = end.join(file(*many(40, comment="")).decode().splitlines()).encode() + (
        end.encode() if ended else b""
    )
    monkeypatch.setattr(
        large_module, "portions", lambda stream, **_: portions(stream, first=500, size=500)
    )
    whole = read_table(data)
    for record in whole.records:
        found = table_with(BytesIO(data), None, record.row)
        assert record in found.records, record.row


def test_rows_are_found_again_where_line_ends_are_mixed(monkeypatch):
    monkeypatch.setattr(
        large_module, "portions", lambda stream, **_: portions(stream, first=500, size=500)
    )
    lines = file(*many(40)).decode().splitlines()
    data = "".join(line + ("\r" if n % 3 == 1 else "\n") for n, line in enumerate(lines)).encode()
    is_same(data, 500)
    for record in read_table(data).records:
        assert record in table_with(BytesIO(data), None, record.row).records, record.row


def test_names_of_samples_are_refused_beside_a_contract():
    large, _ = read_large(file(*many()), asked=Asked(samples={"a": "b"}))
    assert not large.accepted


def test_what_is_stated_is_checked_where_the_first_portion_is_blank():
    header = [name for name in HEADER if name != "run_id"]
    data = file(*many(), header=header)
    head, rest = data.split(b"\r\n", 1)
    data = head + b"\r\n" + b"\r\n" * 600 + rest
    large, _ = read_large(data, asked=Asked({"run_id": "=V-1"}))
    assert not large.accepted
    large, _ = read_large(data, asked=Asked({"run_id": "VСB-1"}))
    assert not large.accepted


@pytest.mark.parametrize("size", [300, 900, 5000])
def test_an_inch_mark_in_a_cell_is_no_quotation(size):
    rows = many(40)
    data = file(*rows).replace(b"\r\n", b"\n")
    lines = data.split(b"\n")
    lines[20] += b'5" tube'
    data = b"\n".join(lines)
    whole = read(data)
    large, blocks = read_large(data, size=size)
    assert large.accepted == whole.accepted
    if whole.accepted:
        assert rows_of(blocks) == rows_of([block_of(whole.measurements)])


def test_truncated_answers():
    _, blocks = read_large(file(*many()), size=400)
    out = BytesIO()
    for block in blocks:
        pickle.dump(Piece(1, block, Ids({"A": 1}, {}), is_sound=True), out, pickle.HIGHEST_PROTOCOL)
    for size in range(0, len(out.getvalue()), 7):
        with pytest.raises(IntegrityFailure):
            list(received(BytesIO(out.getvalue()[:size])))


@pytest.mark.parametrize("sep", ["sep=\t\n", '"sep=\t"\n', '"sep=\t"\r', "sep=\t\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("size", [150, 400, 2000])
def test_a_line_that_says_tab_in_quotation_marks_is_no_header(sep, mark, size):
    body = file(*many(40, comment=""), delimiter="\t").decode().replace("\r\n", "\n")
    is_same(f"{mark}{sep}{body}".encode(), size)
    assert read_large(f"{mark}{sep}{body}".encode(), size=size)[0].accepted


@pytest.mark.parametrize("sep", [b"", b"sep=,\n"])
@pytest.mark.parametrize("size", [300, 900, 100_000])
def test_where_a_damaged_file_is_damaged_is_told_as_in_a_small_file(size, sep):
    data = sep + file(*many()) + b"\7" * 1001 + b"\r\n"
    large, _ = read_large(data, size=size)
    (told,) = [one.message for one in large.problems if one.code == "E104"]
    assert told in {one.message for one in read(data).problems}
    assert f"the first in line {43 if sep else 42}" in told


@pytest.mark.parametrize("size", [*range(60, 2600, 97), 81, 144, 431])
@pytest.mark.parametrize("mark", [";", "\t", "|", ":"])
def test_a_quotation_mark_behind_what_separates_nothing_opens_no_cell(size, mark):
    rows = many(12, comment="plain")
    rows[3]["comment"] = f'see{mark}"x'
    rows[7]["comment"] = "two\r\nlines, here"
    data = file(*rows).replace(f'"see{mark}""x"'.encode(), f'see{mark}"x'.encode())
    whole, (large, blocks) = read(data), read_large(data, size=size)
    assert large.accepted == whole.accepted
    if whole.accepted:
        assert rows_of(blocks) == rows_of([block_of(whole.measurements)])


@pytest.mark.parametrize("size", [300, 900, 100_000])
@pytest.mark.parametrize("at", [None, 0, 17, 35])
def test_wells_are_held_against_their_method_across_portions(size, at):
    of_run = {"test_code": "VIAB", "method_id": "SOP-QC-014 v3", "run_id": "P-1"}
    rows = [one | of_run for one in plate(1.0)]
    if at is not None:
        rows[at]["aliquot"] = rows[at]["aliquot"].replace("dose=", "dosis=")
    data = file(*rows, *(one | {"replicate": str(n)} for n, one in enumerate(many(9), 100)))
    known = replace(register(), analysed=(method_of_plates("SOP-QC-014", "3"),))
    whole = read_bytes(data, lambda _: known, upload=UPLOAD)
    large, blocks = read_large(data, size=size, known=known)
    assert whole.accepted == (at is None), whole.problems
    assert large.problems == whole.problems
    if at is None:
        assert rows_of(blocks) == rows_of([block_of(whole.measurements)])
