"""Whatever bytes come in: no exception, no half-read file, and every problem has its place."""

import csv
from io import StringIO

from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.core.assays import Measurement
from batchqc.core.identifiers import fold
from batchqc.core.profiles import Profile
from batchqc.core.spreadsheets import unguarded
from batchqc.documents.profile_file import read_profile
from batchqc.intake.contract import Asked, Reading, read_bytes
from batchqc.intake.header import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from batchqc.intake.problems import CODES
from batchqc.intake.table import Dialect, read_table
from batchqc.settings import shipped_profiles
from tests.cast import MSC, register
from tests.intake.cytometry import EXPERIMENT, WORKSPACE
from tests.intake.files import DENSITY, ENDOTOXIN, HEADER, STERILITY, UPLOAD, VIABILITY, file, read
from tests.intake.nasty import NASTY
from tests.intake.test_profiles import PLATE, STATED, VI_CELL

CODECS = {
    "UTF-8": "utf-8",
    "UTF-8 with byte order mark": "utf-8-sig",
    "UTF-16 LE": "utf-16",
    "UTF-16 BE": "utf-16",
}
VALID = (
    file({}, {"replicate": "2", "value": "95.10"}, DENSITY, ENDOTOXIN, STERILITY),
    file(DENSITY, {"comment": 'bubble,\r\n"re-read"'}, delimiter=";"),
    *(one.data for one in NASTY if one.problems == ()),
)
FRAGMENTS = (
    *(b'",;\t\r\n\0=+-@%#\xb5\xe9\xa0'[i : i + 1] for i in range(17)),
    *(b'""', b"\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\x8b", b"\xc2\xa0", b"sep=;\n"),
    *(b"96,9", b"1e5", b"NaN", b"#N/A", b"lot_id", b"value", b"2026-03-21", b"TNTC", b"<"),
)
CELLS = st.one_of(
    st.sampled_from([fragment.decode("latin-1") for fragment in FRAGMENTS]),
    st.sampled_from(
        sorted({text for row in (VIABILITY, DENSITY, STERILITY) for text in row.values()})
    ),
    st.text(max_size=12),
    st.decimals(allow_nan=True).map(str),
    st.datetimes().map(str),
)

st_examples = settings(deadline=None, max_examples=250)


@st.composite
def mutated_bytes(draw: st.DrawFn) -> bytes:
    """A valid file after a few cuts, insertions and replacements of bytes."""
    data = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.sampled_from([0, 0, 1, 1, 2, 10, len(data)]))
        new = draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=4))
        data = data[:at] + new + data[at + gone :]
    return data


@st.composite
def mutated_cells(draw: st.DrawFn) -> bytes:
    """A well-formed file, a few cells of which hold anything, in any delimiter and encoding."""
    rows = [{}, {"replicate": "2"}, DENSITY, ENDOTOXIN, STERILITY]
    changes: list[dict[str, str]] = [dict(row) for row in rows]
    for _ in range(draw(st.integers(0, 3))):
        changes[draw(st.integers(0, 4))][draw(st.sampled_from(HEADER))] = draw(CELLS)
    dropped = draw(st.sets(st.sampled_from(OPTIONAL_COLUMNS), max_size=3))
    header = draw(st.permutations([name for name in HEADER if name not in dropped]))
    text = file(*changes, header=header, delimiter=draw(st.sampled_from(",;\t"))).decode()
    codec = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"]))
    return text.encode(codec, errors="replace")


def check(data: bytes) -> None:
    reading = read(data)
    check_places(data, reading)
    assert reading.accepted == all(one.severity == "warning" for one in reading.problems)
    if not reading.accepted:
        assert reading.measurements == ()
        return
    assert reading.dialect is not None
    assert len(reading.measurements) == reading.rows_read > 0
    again = read_again(data, reading.dialect)
    for measurement in reading.measurements:
        check_measurement(measurement, again)


def check_places(data: bytes, reading: Reading) -> None:
    table = read_table(data)
    columns = {table.column_name(index) for index in range(len(table.header) + 1000)}
    columns |= {"", *REQUIRED_COLUMNS, *OPTIONAL_COLUMNS}
    most = data.count(b"\n") + data.count(b"\r") + 1
    for problem in reading.problems:
        assert problem.code in CODES
        assert 0 <= problem.row <= most
        assert problem.row <= problem.line <= most
        assert problem.column in columns
        assert problem.message
        assert problem.hint
        assert problem.text.isprintable()


def read_again(data: bytes, dialect: Dialect) -> list[list[str]]:
    text = data.decode(CODECS[dialect.encoding])
    if dialect.has_sep_line:
        _, end, text = text.partition(text.splitlines(keepends=True)[0])
        assert end
    return list(csv.reader(StringIO(text, newline=""), delimiter=dialect.delimiter))


def check_measurement(measurement: Measurement, records: list[list[str]]) -> None:
    header, record = records[0], records[measurement.cell.row - 1]
    cells = dict(zip(header, map(unguarded, record), strict=True))
    assert measurement.text == cells["value"]
    assert measurement.comment == cells.get("comment", "")
    assert measurement.unit == cells["unit"].strip()
    assert str(measurement.replicate) == cells["replicate"].strip()
    assert (measurement.run.test, measurement.analyte) == (
        cells["test_code"].strip(),
        cells["analyte"].strip(),
    )
    for found, column in (
        (measurement.lot, "lot_id"),
        (measurement.sample, "sample_id"),
        (measurement.analyst, "analyst"),
    ):
        assert fold(found) == fold(cells[column])


@given(mutated_bytes())
@st_examples
def test_changed_bytes_are_read_whole_or_refused(data):
    check(data)


@given(mutated_cells())
@st_examples
def test_changed_cells_are_read_whole_or_refused(data):
    check(data)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
@st_examples
def test_any_bytes_have_an_outcome(data):
    check(data)
    assert not read(data).accepted


@given(st.sampled_from(VALID))
@settings(deadline=None, max_examples=len(VALID))
def test_valid_files_are_read(data):
    check(data)
    assert read(data).accepted


PROFILES = tuple(
    found
    for path in sorted(shipped_profiles().glob("*.toml"))
    for found in (read_profile(path.read_bytes(), file=path.name).profile,)
    if found is not None
)
EXPORTS = (
    VI_CELL.encode(),
    PLATE.encode(),
    WORKSPACE.encode(),
    EXPERIMENT.encode(),
    b"Image;20260321-0012-c-MSC-26-0012-S01;\nViability (%);93.4;\nDate time;20260321 163016;\n",
    *VALID,
)


@given(
    st.sampled_from(PROFILES),
    st.sampled_from(EXPORTS),
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(FRAGMENTS)), max_size=4),
)
@st_examples
def test_whatever_a_profile_is_given_is_read_or_refused(
    profile: Profile, data: bytes, cuts: list[tuple[int, bytes]]
):
    """No exception, and every value that is read stands in the file at the row that it names."""
    for at, new in cuts:
        data = data[:at] + new + data[at + len(new) :]
    asked = Asked({name: STATED.get(name, "x") for name in profile.asked}, {"A2": f"{MSC}-S01"})
    reading = read_bytes(data, lambda _: register(), upload=UPLOAD, profile=profile, asked=asked)
    assert reading.accepted == all(one.severity == "warning" for one in reading.problems)
    text = data.replace(b"\0", b"").decode("latin-1")
    for one in reading.measurements:
        typed = one.cell.original or one.text
        assert typed.encode().decode("latin-1") in text or not typed.isascii()
        assert one.cell.row >= 1
    for problem in reading.problems:
        assert problem.code in CODES
        assert problem.hint
