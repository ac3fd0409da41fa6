"""The one writer of CSV: what it writes is read back, and no text of it is a formula."""

import csv
import re
from io import StringIO
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import batchqc
from batchqc.core.quantities import parse_amount
from batchqc.core.spreadsheets import unguarded
from batchqc.documents.csv_file import csv_bytes
from batchqc.intake.table import read_table

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.from_regex(
    r"'{0,2}[=+\-@\t\r][-+=0-9a-zA-Z., ]{0,8}", fullmatch=True
)
ROWS = st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=4)


@given(ROWS)
def test_what_is_written_is_read_back_and_nothing_of_it_runs(rows: list[list[str]]):
    text = csv_bytes(rows).decode("utf-8-sig")
    again = list(csv.reader(StringIO(text, newline="")))
    assert [[unguarded(cell) for cell in row] for row in again] == rows
    for cell in (cell for row in again for cell in row):
        assert cell[:1] not in set("=+-@\t\r") or parse_amount(cell) is not None


@given(st.lists(st.from_regex(r"'{0,2}[=+\-@][-+=0-9a-zA-Z., ]{1,8}", fullmatch=True), min_size=2))
def test_the_table_reader_reads_what_the_writer_wrote(cells: list[str]):
    table = read_table(csv_bytes([[f"column {n}" for n, _ in enumerate(cells)], cells]))
    assert [list(record.cells) for record in table.records] == [cells]


def test_rows_end_in_crlf_after_a_byte_order_mark():
    assert csv_bytes([["a", "µ"], ["-5", "-x"]]) == "\ufeffa,µ\r\n-5,'-x\r\n".encode()


def test_no_other_module_writes_csv():
    package = Path(batchqc.__file__).parent
    writes = re.compile(r"csv\.(?:writer|DictWriter)|to_csv\(")
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if writes.search(path.read_text(encoding="utf-8"))
    }
    # What was typed becomes the bytes on record, which are read again as they are: never guarded.
    assert found == {str(Path("documents/csv_file.py")), str(Path("intake/typed.py"))}


def test_nothing_else_writes_csv():
    """But what people typed, which is then read as any file: a formula in it is refused (E501)."""
    package = Path(batchqc.__file__).parent
    writers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"csv\.writer|DictWriter|to_csv", path.read_text())
    }
    assert writers == {"documents/csv_file.py", "intake/typed.py"}
