"""What is typed makes a file that says exactly that."""

import csv
from dataclasses import fields, replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.entries import TypedAnalyte
from batchqc.intake.header import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from batchqc.intake.table import read_table
from batchqc.intake.typed import COLUMNS, TypedResult, long_csv
from tests.cast import MSC
from tests.intake.files import read

RESULT = TypedResult(
    lot=MSC, sample=f"{MSC}-S01", test="ENDO", analyte="endotoxin", values=("<0.050",),
    unit="EU/mL", measured_at="2026-03-21T16:56:00-05:00", analyst="jdoe",
)  # fmt: skip
TEXTS = [one.name for one in fields(TypedResult) if one.name not in {"values", "also"}]
NASTY = [
    "\r\n",
    "\n",
    "\r",
    '"',
    '""',
    ",",
    ";",
    "\t",
    "\0",
    "a\0b",
    " x ",
    "=1+1",
    "µ\u0301",
    "\x85",
]
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def cells(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(data.decode(), newline=""), strict=True))


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("text", NASTY)
def test_every_field_comes_back_character_by_character(field: str, text: str):
    (row,) = cells(long_csv(replace(RESULT, **{field: text})))
    assert text in row.values()
    assert tuple(row) == COLUMNS


@given(st.builds(TypedResult, values=st.lists(ANY, min_size=1, max_size=4).map(tuple),
                 **dict.fromkeys(TEXTS, ANY)))  # fmt: skip
def test_any_text_comes_back_and_nothing_else_does(result: TypedResult):
    rows = cells(long_csv(result))
    assert [row["value"] for row in rows] == list(result.values)
    assert [row["replicate"] for row in rows] == [str(n + 1) for n in range(len(rows))]
    for row in rows:
        assert (row["lot_id"], row["comment"], row["unit"]) == (
            result.lot, result.comment, result.unit,
        )  # fmt: skip
        assert (row["run_id"], row["method_id"]) == (result.run, result.method)
    table = read_table(long_csv(result))
    if table.dialect is not None:
        assert table.dialect.delimiter == ","
        assert tuple(table.header) == COLUMNS
        assert [tuple(one.cells) for one in table.records] == [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("field", TEXTS)
def test_a_nul_is_refused_at_its_place(field: str):
    reading = read(long_csv(replace(RESULT, **{field: "a\0b"})))
    assert not reading.accepted
    assert "E104" in {one.code for one in reading.problems}


@given(st.lists(st.tuples(ANY, st.lists(ANY, min_size=1, max_size=3), ANY), max_size=3))
def test_each_analyte_has_its_own_values_unit_and_replicates(
    also: list[tuple[str, list[str], str]],
):
    further = tuple(TypedAnalyte(analyte, tuple(own), unit) for analyte, own, unit in also)
    rows = cells(long_csv(replace(RESULT, also=further)))
    told = [(row["analyte"], row["replicate"], row["value"], row["unit"]) for row in rows]
    assert told == [
        (one.analyte, str(number), value, one.unit)
        for one in (TypedAnalyte("endotoxin", ("<0.050",), "EU/mL"), *further)
        for number, value in enumerate(one.values, start=1)
    ]
    names = {"analyte", "replicate", "value", "unit"}
    assert (
        len({tuple(text for name, text in row.items() if name not in names) for row in rows}) == 1
    )


def test_the_same_result_makes_the_same_bytes_of_the_long_contract():
    assert set(COLUMNS) == {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS}
    assert long_csv(RESULT) == long_csv(replace(RESULT))
    reading = read(long_csv(RESULT))
    assert [one.text for one in reading.measurements] == ["<0.050"]
    assert reading.problems == ()
