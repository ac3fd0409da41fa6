"""Files that somebody made to break the reader: each has an outcome, and none is unpacked."""

import bz2
import gzip
import lzma
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchqc.actions.received import ReceivedFile
from batchqc.actions.uploads import preview_upload
from tests.actions.state import counts, grown
from tests.intake.files import ENDOTOXIN, HEADER, STERILITY, VIABILITY, read
from tests.intake.test_properties import CELLS, check, check_places
from tests.records.house import GOOD, LOT, SAMPLES, House, good

FLOW = {"test_code": "FLOW", "analyte": "CD73", "value": "97.90", "method_id": "SOP-QC-021 v5"}
LONG = [
    list(HEADER),
    *(
        [(VIABILITY | row).get(name, "") for name in HEADER]
        for row in ({}, {"replicate": "2", "value": "95.1"}, ENDOTOXIN, STERILITY, FLOW)
    ),
]
SHARED = ["lot_id", "sample_id", "aliquot", "replicate", "measured_at", "analyst", "run_id"]
WIDE = [
    [*SHARED, "VIAB.viability [%]", "ENDO.endotoxin [EU/mL]", "STER.growth_14d", "CD73 [%]"],
    *(
        [*((VIABILITY | {"replicate": str(n)})[name] for name in SHARED), *values]
        for n, values in (
            (1, ["96.90", "<0.05", "No growth", "99.1"]),
            (2, ["95.10", "0.10", "Negative", "98"]),
        )
    ),
]
HOUSE = [
    list(HEADER),
    *(
        [
            ({"lot_id": LOT, "sample_id": SAMPLES[0]} | good(name)).get(column, "")
            for column in HEADER
        ]
        for name in GOOD
    ),
]
SAME = {"96.90": "97.10", "95.1": "94.0", "<0.05": "<0.10", "99.1": "98.7", "No growth": "negative"}
ENDS = ["\r\n", "\n", "\r"]


def written(cell: str, delimiter: str, *, quoted: bool) -> str:
    is_plain = not quoted and not any(c in cell for c in (delimiter, '"', "\r", "\n"))
    return cell if is_plain else '"' + cell.replace('"', '""') + '"'


@st.composite
def mutants(draw: st.DrawFn, *tables: list[list[str]]) -> bytes:
    """A valid file, changed a little: by cell, quote, delimiter, line end, encoding and byte."""
    rows = [list(row) for row in draw(st.sampled_from(tables))]
    kind = draw(st.sampled_from(["sound", "odd", "cell", "cell", "row", "byte"]))
    if kind == "sound":
        rows = [[SAME.get(cell, cell) for cell in row] for row in rows]
    if kind == "odd":
        _odd(draw, rows)
    if kind == "cell":
        row = draw(st.integers(0, len(rows) - 1))
        rows[row][draw(st.integers(0, len(rows[row]) - 1))] = draw(CELLS)
    if kind == "row":
        _break_a_row(draw, rows)
    delimiter, quoted = draw(st.sampled_from(",;\t")), draw(st.booleans())
    end = draw(st.sampled_from(ENDS))
    text = end.join(delimiter.join(written(c, delimiter, quoted=quoted) for c in r) for r in rows)
    text += "" if kind == "odd" and draw(st.booleans()) else end
    codec = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    data = text.encode(codec, errors="replace")
    for _ in range(draw(st.integers(1, 3)) if kind == "byte" else 0):
        at = draw(st.integers(0, len(data)))
        new = draw(
            st.sampled_from([b'"', b",", b"\0", b"\xff", b"\r", b";"]) | st.binary(max_size=3)
        )
        data = data[:at] + new + data[at + draw(st.integers(0, 3)) :]
    return data


def _odd(draw: st.DrawFn, rows: list[list[str]]) -> None:
    """What is accepted, and shown: columns that are not read, blank rows and columns."""
    match draw(st.sampled_from(["column", "blank column", "blank row"])):
        case "column":
            for n, row in enumerate(rows):
                row.append("Vol.used" if n == 0 else str(n))
        case "blank column":
            for row in rows:
                row.append("")
        case _:
            rows.append([""] * len(rows[0]))


def _break_a_row(draw: st.DrawFn, rows: list[list[str]]) -> None:
    n = draw(st.integers(0, len(rows) - 1))
    match draw(st.sampled_from(["twice", "short", "long", "gone"])):
        case "twice":
            rows.append(list(rows[n]))
        case "short":
            rows[n].pop()
        case "long":
            rows[n].append("x")
        case _:
            del rows[n]


def kind_of(problems: tuple[object, ...], *, accepted: bool) -> str:
    return "refused" if not accepted else "warned" if problems else "accepted"


@pytest.mark.requirement("1.30")
@pytest.mark.parametrize("tables", [(LONG,), (WIDE,)], ids=["long", "wide"])
def test_every_mutant_has_an_outcome_and_each_outcome_is_met(tables: tuple[list[list[str]], ...]):
    met: Counter[str] = Counter()

    @given(mutants(*tables))
    @settings(deadline=None, max_examples=500, derandomize=True)
    def fuzz(data: bytes) -> None:
        reading = read(data)
        check_places(data, reading)
        met[kind_of(reading.problems, accepted=reading.accepted)] += 1
        if reading.contract == "batchqc long v1":
            check(data)
        for one in reading.problems:
            assert one.code.startswith("W") or not reading.measurements

    fuzz()
    assert set(met) == {"accepted", "warned", "refused"}
    assert min(met.values()) > met.total() / 20, met


@pytest.mark.requirement("1.30")
def test_no_mutant_changes_a_real_database(house: House):
    met: Counter[str] = Counter()
    before, stored = counts(house.engine), sorted(house.archive._root.rglob("*"))

    @given(mutants(HOUSE))
    @settings(deadline=None, max_examples=150, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def fuzz(data: bytes) -> None:
        file = ReceivedFile("fuzz.csv", len(data), data, "tests")
        with house.reading() as session:
            report = preview_upload(session, house.archive, file=file, now=house.now())
        met[kind_of(report.reading.problems, accepted=report.accepted)] += 1
        check_places(data, report.reading)

    fuzz()
    assert grown(house.engine, before) == {}
    assert sorted(house.archive._root.rglob("*")) == stored
    assert set(met) == {"accepted", "warned", "refused"}
    assert min(met.values()) > met.total() / 20, met


def zipped(name: str, data: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


ZEROS = bytes(200_000_000)
PART = bytes(10_000_000)


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """200 MB of zeros, packed to a few kilobytes in every way; a bomb in a bomb; a workbook."""
    one = zipped("results.csv", ZEROS)
    return {
        "zip": one,
        "zip in zip": zipped("results.zip", one),
        "workbook": zipped("xl/workbook.xml", ZEROS),
        "empty zip": zipped("results.csv", b"")[-22:],
        "gzip": 20 * gzip.compress(PART, 6),  # parts in a row unpack to the same zeros
        "bzip2": 20 * bz2.compress(PART),
        "xz": 20 * lzma.compress(PART, preset=0),
    }


@pytest.mark.parametrize(
    "name", ["zip", "zip in zip", "workbook", "empty zip", "gzip", "bzip2", "xz"]
)
def test_a_bomb_is_refused_by_its_kind_and_never_unpacked(bombs: dict[str, bytes], name: str):
    data = bombs[name]
    before = resident()
    reading = read(data)
    assert resident() - before < 50
    assert [one.code for one in reading.problems] == ["E101"]
    hidden = read(b"lot_id,sample_id\r\n" + data)
    assert not hidden.accepted
    assert resident() - before < 50


def resident() -> int:
    """Megabytes of memory in use by this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // 1_000_000


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("filling", [b"x", b"x,", b'"', b"\t", b"\xc3\xa9", b"=", b"1"])
def test_one_line_of_megabytes_is_refused_at_once(filling: bytes, end: bytes):
    reading = read(filling * (5_000_000 // len(filling)) + end)
    assert not reading.accepted
    assert 0 < len(reading.problems) <= 1_000
    assert sum(len(one.text) + len(one.message) for one in reading.problems) < 100_000


@given(st.binary(max_size=3_000))
@settings(deadline=None, max_examples=200)
def test_random_bytes_are_refused_with_their_place(data: bytes):
    check(data)
    assert not read(data).accepted
