"""A file read in portions is read as any file is: the same rows, the same problems."""

from dataclasses import replace
from io import BytesIO
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.core.blocks import Block, block_of
from batchqc.core.identifiers import fold
from batchqc.core.laboratory import Laboratory, Rule
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured
from batchqc.documents.profile_file import read_profile
from batchqc.intake import answers
from batchqc.intake.contract import Asked, Reading, read_bytes
from batchqc.intake.large import PortionReader
from batchqc.intake.portions import LONGEST_LINE, Portion, portions
from batchqc.intake.problems import Problem, Wrong
from batchqc.intake.register import Register
from tests.cast import DECIDED, MSC, RUN_ON_RECORD, register, sample, specification
from tests.intake.files import DENSITY, ENDOTOXIN, HEADER, STERILITY, UPLOAD, file, read
from tests.intake.nasty import NASTY
from tests.intake.test_properties import mutated_bytes, mutated_cells

#: What a portion cannot say of the whole file, or says in other words.
TOLD_OTHERWISE = {"E100", "E101", "E103", "E104", "E105", "E108", "E112", "E113", "E205", "E407"}
KINDS = (
    {},
    {"replicate": "2", "value": "95.10", "comment": "re-read after 5 min, with µ"},
    {"replicate": "3", "value": "+97.0", "comment": ""},
    {"test_code": "FLOW", "analyte": "CD73", "value": ">98.0", "method_id": "SOP-QC-021 v5"},
    {"test_code": "FLOW", "analyte": "CD90", "value": "99", "method_id": ""},
    DENSITY | {"started_at": "2026-03-21T15:00:00-05:00"},
    ENDOTOXIN | {"measured_at": "2025-05-20T09:00:00-05:00", "run_id": "", "aliquot": ""},
    STERILITY | {"measured_at": "2026-03-21T16:56:00.5Z", "unit": "CFU", "instrument_id": ""},
    {"result_type": "control", "analyte": "bead", "value": "n/d", "unit": "", "aliquot": "PC"},
)


def many(count: int = 40, **kind: str) -> list[dict[str, str]]:
    """Rows of every kind, each of a replicate of its own."""
    rows = zip(range(1, count + 1), cycle(KINDS), strict=False)
    return [one | kind | {"replicate": str(number)} for number, one in rows]


def read_large(
    data: bytes, *, size: int = 900, known: Register | None = None, **how: object
) -> tuple[Reading, list[Block]]:
    """A file in portions of ``size`` bytes, in the world of ``tests.cast``."""
    reader = PortionReader(known or register(), lambda _: None, UPLOAD, **how)  # type: ignore[arg-type]
    blocks = [block for _, block in reader.blocks(BytesIO(data), size=size)]
    return reader.reading(), blocks


def rows_of(blocks: list[Block]) -> list[tuple[object, ...]]:
    return [row for one in blocks for row in zip(*one[:-1], strict=True)]


def placed(reading: Reading) -> set[Problem]:
    """Problems, but that the last row stands in an earlier portion where blank rows follow it."""
    return {replace(one, row=0, line=0) if one.code == "W603" else one for one in reading.problems}


def is_same(data: bytes, size: int) -> None:
    """Accepted alike, with the same rows; refused for the same cells."""
    whole, (large, blocks) = read(data), read_large(data, size=size)
    is_other = {"E113"} & {one.code for one in large.problems}
    if is_other:  # UTF-16, or the wide contract
        assert not large.accepted
        return
    assert large.accepted == whole.accepted
    if whole.accepted:
        assert placed(large) == placed(whole)
        assert rows_of(blocks) == rows_of([block_of(whole.measurements)])
        assert large.rows_read == whole.rows_read
        assert large.columns_used == whole.columns_used
        assert large.assumed == whole.assumed
        return
    codes = {one.code for one in (*whole.problems, *large.problems)}
    if not codes & (TOLD_OTHERWISE | {"E110", "E107"}):
        assert placed(large) == placed(whole)


@pytest.mark.parametrize("size", [150, 400, 2000, 1_000_000])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_every_kind_of_row_is_read_as_in_a_small_file(size, end):
    data = file(*many()).replace(b"\r\n", end)
    is_same(data, size)
    _, blocks = read_large(data, size=size)
    assert any(block.is_plain for block in blocks) == (size < 2000)


def test_what_is_plain_is_read_by_columns_and_what_is_not_by_rows():
    rows = many(30)
    rows[20]["comment"] = 'said "again"'
    reading, blocks = read_large(file(*rows), size=600)
    assert reading.accepted
    assert reading.results == 30
    assert {block.is_plain for block in blocks[1:]} == {True, False}
    assert rows_of(blocks) == rows_of([block_of(read(file(*rows)).measurements)])


WRONG = (
    {"lot_id": "MSC-26-9999"}, {"lot_id": DECIDED, "sample_id": f"{DECIDED}-S01"}, {"lot_id": " "},
    {"lot_id": DECIDED}, {"sample_id": f"{MSC}-S09"}, {"test_code": "VIAB2"}, {"analyte": "CD7"},
    {"replicate": "0"}, {"replicate": "1.0"}, {"replicate": "1"}, {"value": "96,90"},
    {"value": "101"}, {"value": "0.9"}, {"value": ""}, {"value": "-0.0"}, {"value": "#DIV/0!"},
    {"unit": "x"}, {"unit": ""}, {"measured_at": ""}, {"measured_at": "2026-03-21"},
    {"measured_at": "2027-01-01T00:00:00Z"}, {"measured_at": "2025-05-20T07:59:59-05:00"},
    {"started_at": "2026-03-21T16:57:00-05:00"}, {"analyst": "nobody"}, {"analyst": ""},
    {"run_id": "2.31E+13"}, {"aliquot": "3-Jan"},
    {"instrument_id": "n/a"}, {"run_id": "-"}, {"run_id": RUN_ON_RECORD}, {"run_id": "VСB-1"},
    {"method_id": "SOP-QC-099"}, {"method_id": "n/a"}, {"result_type": "sample"},
    {"aliquot": "=A1"}, {"aliquot": "@A1"}, {"comment": "x" * 501}, {"instrument_id": "x" * 101},
    {"comment": "=1+1"}, {"aliquot": "'=A1"}, {"comment": "a\x07b"}, {"comment": "a\ufffdb"},
)  # fmt: skip


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_one_wrong_cell_far_down_is_told_as_in_a_small_file(change):
    rows = many(36, result_type="reportable")
    rows = [row for row in rows if row.get("analyte") != "bead"]
    rows[27] |= {"test_code": "VIAB", "analyte": "viability", "value": "96.1", "unit": "%",
                 "method_id": "SOP-QC-014 v3"} | change  # fmt: skip
    data = file(*rows)
    whole, (large, _) = read(data), read_large(data, size=500)
    assert large.accepted == whole.accepted
    if not TOLD_OTHERWISE & {one.code for one in (*whole.problems, *large.problems)}:
        assert large.problems == whole.problems
    else:
        assert (28 + 1, *change) in {(one.row, one.column) for one in large.problems}


@given(mutated_bytes(), st.integers(60, 1200))
@settings(deadline=None, max_examples=300)
def test_changed_bytes_come_out_alike(data, size):
    is_same(data, size)


@given(mutated_cells(), st.integers(60, 1200))
@settings(deadline=None, max_examples=300)
def test_changed_cells_come_out_alike(data, size):
    is_same(data, size)


@pytest.mark.parametrize("nasty", NASTY, ids=lambda nasty: nasty.name)
def test_nasty_files_come_out_alike(nasty):
    for size in (60, 200, 1000):
        is_same(nasty.data, size)


@given(st.lists(st.tuples(st.integers(0, 29), st.sampled_from(WRONG)), max_size=3))
@settings(deadline=None, max_examples=100)
def test_any_wrong_cells_come_out_alike(changes):
    rows = many(30)
    for at, change in changes:
        rows[at] |= change
    is_same(file(*rows), 700)


@pytest.mark.requirement("3.07")
@pytest.mark.parametrize("stray", [0, 20, 39])
def test_an_investigational_result_far_down_is_held_against_its_investigation(stray):
    rows = many(40, test_code="FLOW", analyte="CD73", method_id="SOP-QC-021 v5", unit="%")
    rows = [row | {"result_type": "raw", "value": "97"} for row in rows]
    rows[stray] |= {"result_type": "investigational"}
    asked = replace(register(), investigations={})
    large, _ = read_large(file(*rows), known=asked)
    (problem,) = [one for one in large.problems if one.code == "E411"]
    assert (problem.row, problem.column, large.accepted) == (stray + 2, "result_type", False)
    assert placed(large) == placed(read_bytes(file(*rows), lambda _: asked, upload=UPLOAD))
    again, blocks = read_large(file(*rows))
    assert again.accepted
    assert [kind for one in blocks for kind in one.result_type].count("investigational") == 1


@pytest.mark.parametrize("size", [60, 150, 700])
def test_a_stray_quotation_mark_is_text_for_the_portions_too(size):
    rows = many(9)
    rows[1]["comment"] = 'bubble seen,\r\n"re-read" ok'
    data = file(*rows)
    for stray in (b'VC"B-001', b'VCB-001"', b'V"CB"-0"01'):
        is_same(data.replace(b"VCB-001", stray), size)
        is_same(data.replace(b"VCB-001", stray, 2), size)
        is_same(data.replace(b"aliquot", b'aliq"t').replace(b"VCB-001", stray, 1), size)


def test_a_repeated_key_is_found_across_portions():
    rows = many(30)
    rows[25] = rows[2]
    large, _ = read_large(file(*rows), size=500)
    assert [(one.code, one.row) for one in large.problems] == [("E405", 27)]
    assert "repeats row 4" in large.problems[0].message


def test_a_cell_too_many_in_the_last_row_of_a_portion_is_told():
    lines = file(*({"replicate": str(number)} for number in range(1, 31))).splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b"\r\n", b",x\r\n")
    large, _ = read_large(b"".join(lines), size=900)
    assert [(one.code, one.row) for one in large.problems] == [("E106", 31)]


def test_a_repeated_key_is_found_within_a_portion():
    rows = many(30)
    rows[25] = rows[24] | {"comment": "once more"}
    for size in range(1000, 2000, 100):
        large, _ = read_large(file(*rows), size=size)
        assert [(one.code, one.row) for one in large.problems] == [("E405", 27)]


def another_plan() -> Specification:
    """A plan with another unit for density, no plausible range, and the time of each culture."""
    plan = specification()
    criteria = []
    for one in plan.criteria:
        subject = one.subject
        assert isinstance(subject, Measured)
        changes: dict[str, object] = {"plausible": None}
        if subject.analyte == "viable_cell_density":
            changes["unit"] = "10*6/mL"
        if subject.analyte == "growth_14d":
            changes["planned_days"] = 14
        criteria.append(replace(one, subject=replace(subject, **changes)))  # type: ignore[arg-type]
    return replace(plan, id="OTHER-REL", criteria=tuple(criteria))


def two_lots() -> Register:
    """The lot of the tests, and another one that has another plan."""
    known, other = register(), "MSC-26-0050"
    lot = replace(known.lots[fold(MSC)], id=other, specification=another_plan())
    own = sample(other, 1)
    return replace(
        known,
        lots={**known.lots, fold(other): lot},
        samples={**known.samples, fold(own.id): own},
    )


def of_lot(lot: str, *rows: dict[str, str]) -> list[dict[str, str]]:
    return [row | {"lot_id": lot, "sample_id": f"{lot}-S01"} for row in rows]


IN_MILLIONS = DENSITY | {"value": "2.45", "unit": "10*6/mL"}
BOTH_LOTS = [
    *of_lot(MSC, *({**DENSITY, "replicate": str(n)} for n in range(1, 12))),
    *of_lot("MSC-26-0050", *({**IN_MILLIONS, "replicate": str(n)} for n in range(1, 12))),
]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({}, ""),
        ({"lot_id": MSC}, "E401"),
        ({"sample_id": f"{MSC}-S01"}, "E401"),
        ({"unit": "cells/mL"}, "E208"),
        (STERILITY | {"unit": "CFU", "started_at": ""}, "E202"),
        (STERILITY | {"unit": "CFU", "started_at": "2026-03-01T16:56:00-05:00"}, ""),
        ({"value": "0.05"}, ""),
    ],
)
def test_what_is_known_of_one_lot_is_not_taken_for_another(wrong: dict[str, str], code: str):
    rows = [*BOTH_LOTS, BOTH_LOTS[-1] | {"replicate": "40"} | wrong]
    data = file(*rows)
    whole = read_bytes(data, lambda _: two_lots(), upload=UPLOAD)
    large, blocks = read_large(data, size=600, known=two_lots())
    assert bool(large.problems) == bool(code)
    assert not code or code in {one.code for one in large.problems}
    assert large.problems == whole.problems
    assert any(block.is_plain for block in blocks)
    if not code:
        assert rows_of(blocks) == rows_of([block_of(whole.measurements)])


@pytest.mark.parametrize(
    "odd",
    [
        {"sample_id": f" {MSC}-S01 "}, {"lot_id": f"{MSC} "}, {"analyst": "jdoe "},
        {"aliquot": " A1"},
        {"run_id": "VCB-260321-01 "}, {"test_code": " VIAB"}, {"lot_id": MSC.lower()},
        {"analyst": "JDOE"}, {"run_id": "vcb-260321-01"}, {"unit": "% "}, {"comment": " spaces "},
        {"instrument_id": "Größe 7"}, {"comment": "tab\there"}, {"comment": "back\\slash"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_odd_and_right_is_read_as_in_a_small_file(odd: dict[str, str]):
    rows = [{"replicate": str(number)} for number in range(1, 31)]
    rows[20] |= odd
    is_same(file(*rows), 700)


def test_answers_that_are_forgotten_are_asked_for_again(monkeypatch):
    monkeypatch.setattr(answers, "_MOST_REMEMBERED", 2)
    for size in (500, 900):
        is_same(file(*many()), size)


def test_what_is_stated_beside_the_file_is_read_in_every_portion():
    header = [name for name in HEADER if name != "run_id"]
    data = file(*many(), header=header)
    large, blocks = read_large(data, asked=Asked({"run_id": " R-7 "}))
    assert large.accepted
    assert {run for block in blocks for run in block.run} == {"R-7"}
    assert any(block.is_plain for block in blocks)


def test_registers_of_the_laboratory_are_asked_row_by_row():
    rules = replace(register(), laboratory=Laboratory(rules={"instruments": Rule.REFUSE}))
    large, _ = read_large(file(*many()), known=rules)
    assert large.problems == read_bytes(file(*many()), lambda _: rules, upload=UPLOAD).problems
    assert {one.code for one in large.problems} == {"E701"}
    assert len({one.row for one in large.problems}) == 40


def test_the_run_of_another_file_is_refused_at_its_first_row_of_each_portion():
    rows = many(30)
    for row in rows[20:]:
        row |= {"test_code": "VIAB", "analyte": "viability", "value": "96", "unit": "%",
                "method_id": "", "run_id": RUN_ON_RECORD, "result_type": ""}  # fmt: skip
    large, _ = read_large(file(*rows), size=500)
    assert {one.code for one in large.problems} == {"E407"}
    assert "supersedes nothing" in large.problems[0].message


@pytest.mark.parametrize(
    "data",
    [
        file(*many()).decode().encode("utf-16"),
        b"lot_id,sample_id,replicate,measured_at,analyst,FLOW.CD73 [%]\n" + b"x\n" * 50,
    ],
)
def test_only_the_long_contract_in_bytes_of_ascii_is_read_in_portions(data):
    large, _ = read_large(data)
    assert "E113" in {one.code for one in large.problems}


def test_a_profile_says_how_a_large_file_is_written():
    text = """
schema = "batchqc/profile/1"
id = "OLD-LIMS"
version = 1
title = "Old system"
[file]
layout = "long"
encoding = "cp1252"
decimal = ","
"""
    profile = read_profile(text.encode(), file="old.toml").profile
    assert profile is not None
    rows = [row | {"value": row.get("value", "96.90").replace(".", ",")} for row in many(30)]
    data = file(*rows).decode().encode("cp1252")
    large, blocks = read_large(data, profile=profile)
    assert large.accepted, large.problems
    assert rows_of(blocks)[0][7] == "96.90"
    assert rows_of(blocks)[0][-1] == "96,90"


def test_blank_rows_are_counted_and_line_ends_compared_over_the_whole_file():
    lines = file(*many(30)).splitlines(keepends=True)
    lines[20:20] = [b"\r\n", b",,,,,,,,,,,,,,,\n"]
    data = b"".join(lines)
    large, _ = read_large(data, size=400)
    assert {*large.problems} == {*read(data).problems}
    assert {one.code for one in large.problems} == {"W602", "W606"}


def cut(data: bytes, size: int) -> list[bytes]:
    return [one.rows for one in portions(BytesIO(data), first=size, size=size) if one]  # type: ignore[union-attr]


def test_a_portion_ends_behind_a_row_and_begins_with_the_header():
    data = b'\xef\xbb\xbfsep=;\r\na;"b\nc"\r\n1;"x\r\ny"\r\n2;3\r\n4;5'
    for size in range(1, len(data) + 2):
        found = list(portions(BytesIO(data), first=size, size=size))
        assert {one.head for one in found if isinstance(one, Portion)} == {data[:19]}
        assert b"".join(one.rows for one in found if isinstance(one, Portion)) == data[19:]
        assert all(one.rows.count(b'"') % 2 == 0 for one in found if isinstance(one, Portion))


def test_a_lone_cr_ends_a_row_and_half_a_line_end_does_not():
    assert cut(b"a,b\r1,2\r3,4\r", 6) == [b"1,2\r", b"3,4\r"]
    assert all(not one.startswith(b"\n") for one in cut(b"a,b\r\n1,2\r\n3,4\r\n", 6))


def test_a_file_of_one_line_without_end_is_not_kept_in_memory():
    reads = []

    class Endless(BytesIO):
        def read(self, size=-1):
            reads.append(size)
            return b"x" * (size or 0)

    found = list(portions(Endless(), first=50_000))
    assert [type(one) for one in found] == [Wrong]
    assert len(reads) < 20  # all that is kept is looked through after each
    assert f"{LONGEST_LINE:,}" in found[0].message  # type: ignore[union-attr]


def test_a_header_alone_and_an_empty_file_are_told():
    for data, code in ((b"", "E100"), (file()[: file().index(b"\r\n") + 2], "E109")):
        large, blocks = read_large(data)
        assert [one.code for one in large.problems] == [code]
        assert rows_of(blocks) == []
