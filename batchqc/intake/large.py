"""A file of the long contract that is too large for memory, read in portions.

The same rules and problems as for any file, with these differences, since no portion sees another:

- It holds no run that is on record; so it supersedes none.
- A decimal point and a decimal comma are held against each other within a portion only.
- Wells of plates are kept to the end, where each run is held against the analysis of its method.
- Where the header is wrong, or a quotation mark is never closed, reading stops there.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final

from batchqc.core.assays import Measurement
from batchqc.core.blocks import Block, block_of
from batchqc.core.profiles import Layout, Profile
from batchqc.intake.columns import ColumnReader
from batchqc.intake.contract import (
    Reading,
    assumed,
    lot_ids,
    read_rows,
    report_mixed_marks,
    report_sample_names,
)
from batchqc.intake.header import Header, read_header, with_stated
from batchqc.intake.hypotheses import check_hypotheses
from batchqc.intake.known_runs import known_name
from batchqc.intake.marks import POINT
from batchqc.intake.plain import is_plain_id
from batchqc.intake.plate_wells import check_plates, wells_among
from batchqc.intake.portions import PORTION, Portion, portions
from batchqc.intake.problems import Place, Report, Wrong
from batchqc.intake.profiled import Asked
from batchqc.intake.register import Register
from batchqc.intake.rows import RowReader, Seen
from batchqc.intake.scan import LINE_ENDS, NOTHING_BEFORE, Before
from batchqc.intake.table import NO_ROWS, Dialect, Table, ignored, mixed, read_table
from batchqc.intake.wide import is_wide

UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FIRST: Final = 50_000  # bytes: enough to see how a file is written
_OF_PORTIONS: Final = frozenset({"E109", "W602", "W606"})  # told once, of the whole file


@dataclass(slots=True)
class PortionReader:
    """Reads one file, portion by portion.

    Args:
        register: what is registered, to which ``need`` adds.
        need: asked for the lots of a portion, by folded id, before they are looked up.
        upload: the number of the upload, which names its runs.
        profile: how the file is read; ``None`` is by the contract.
        asked: what who uploads states for every row.
    """

    register: Register
    need: Callable[[frozenset[str]], None]
    upload: str
    profile: Profile | None = None
    asked: Asked = field(default_factory=Asked)
    report: Report = field(default_factory=Report)
    _seen: Seen = field(default_factory=Seen)
    _before: Before = NOTHING_BEFORE
    _rows: int = 0
    _counted: int = 0
    _blank_rows: int = 0
    _blank_columns: frozenset[int] = frozenset()
    _ends: dict[str, int] = field(default_factory=dict)
    _header: Header | None = None
    _dialect: Dialect | None = None
    _plain: ColumnReader | None = None
    _wells: list[Measurement] = field(default_factory=list)

    def blocks(self, stream: BinaryIO, *, size: int = PORTION) -> Iterator[tuple[int, Block]]:
        """The bytes read so far with what they say, until all is read or cannot be.

        Problems are collected; where there is an error, what is read still comes.
        """
        for portion in portions(stream, first=min(_FIRST, size), size=size):
            if isinstance(portion, Wrong):
                self.report.add(portion, place=Place(self._before.rows + 1))
                return
            block = self._block(portion)
            if block is None:
                return
            self._counted += len(block.row)
            yield portion.end, block

    def reading(self) -> Reading:
        """What was read, after the last block."""
        header = self._header
        check_plates(self._wells, self.register, self.report)
        if self._dialect is not None and not self._rows:
            self.report.add(NO_ROWS)
        if self._blank_rows or self._blank_columns:
            self.report.add(ignored(len(self._blank_columns), self._blank_rows))
        if len(self._ends) > 1:
            self.report.add(mixed({end: self._ends[end] for end in LINE_ENDS if end in self._ends}))
        return Reading(
            problems=self.report.problems,
            columns_used=header.used if header else (),
            columns_unused=header.unused if header else (),
            rows_read=self._rows,
            assumed=assumed(header.columns) if header else (),
            dialect=self._dialect,
            counted=0 if self.report.errors else self._counted,
        )

    def _block(self, portion: Portion) -> Block | None:
        """What a portion says; ``None`` where nothing can be read any more."""
        if self._plain is not None:
            lines = _lines(portion.head) + self._before.lines
            block = self._plain.read(portion.rows, self._before, lines + 1)
            if block is not None:
                count = len(block.row)
                self._rows += count
                self._note_end("\r\n" if b"\r" in portion.rows else "\n", block.row[0])
                self._before = Before(self._before.rows + count, self._before.lines + count)
                return block
        return self._by_rows(portion)

    def _by_rows(self, portion: Portion) -> Block | None:
        if self._dialect is None and portion.head.startswith(UTF16):
            self.report.add(_TOO_LARGE)
            return None
        table = read_table(portion.data, self.profile, self._before)
        for problem in table.problems:
            if problem.code not in _OF_PORTIONS:
                self.report.include(problem)
        if table.dialect is None or not self._is_long(table):
            return None
        parsed = self._parsed(table)
        is_first = self._dialect is None
        self._dialect = self._dialect or table.dialect
        self._rows += table.rows
        self._blank_rows += table.blank_rows
        blank = table.blank_columns
        self._blank_columns = blank if is_first else blank & self._blank_columns
        for end, row in table.ends.items():
            self._note_end(end, row)
        stops = parsed is None or table.taken is None or self.report.is_full
        if table.taken is not None:
            self._before = Before(
                self._before.rows + table.taken.rows, self._before.lines + table.taken.lines
            )
        return None if stops else parsed

    def _parsed(self, table: Table) -> Block | None:
        """The rows of a portion read one by one; ``None`` where the header is not complete."""
        widened, shown = with_stated(table, self.asked.cells, self.report)
        report_sample_names(self.asked, self.report)
        header = read_header(widened, self.report)
        self._header = self._header or header
        if not header.is_complete:
            return None
        self.need(lot_ids(widened))
        marks = self.profile.marks if self.profile else POINT
        reader = RowReader(
            self.register, self.upload, header.names, header.columns, table.spoiled, self.report,
            shown, marks, self._seen,
        )  # fmt: skip
        parsed = read_rows(widened, reader)
        if self.profile is None:
            report_mixed_marks(widened, header.columns["value"], self.report)
        for one in parsed:
            if known_name(one) in self.register.known.runs:
                place = Place(one.cell.row, one.cell.line, "run_id")
                self.report.add(_on_record(one.run.run), place=place, text=one.run.run)
        check_hypotheses(parsed, self.register, self.report)
        self._wells += wells_among(parsed, self.register)
        is_stated_plain = all(is_plain_id(text.strip(" ")) for text in self.asked.cells.values())
        if self._plain is None and marks == POINT and is_stated_plain and table.dialect:
            self._plain = self._column_reader(table, table.dialect)
        return block_of(parsed)

    def _column_reader(self, table: Table, dialect: Dialect) -> ColumnReader:
        header = read_header(table, Report())
        named = zip(header.names, table.header, strict=True)
        names = tuple(name if typed.strip() else "" for name, typed in named)
        return ColumnReader(
            register=self.register,
            need=self.need,
            header=replace(header, names=names),
            stated={name: text.strip() for name, text in self.asked.cells.items()},
            encoding=(self.profile.encoding if self.profile else "") or "utf-8",
            delimiter=dialect.delimiter,
            seen=self._seen,
        )

    def _is_long(self, table: Table) -> bool:
        """Whether a file can be read in portions at all; else that is a problem."""
        is_other = self.profile is not None and self.profile.layout is not Layout.LONG
        if not (is_other or is_wide(table.header)):
            return True
        self.report.add(_TOO_LARGE)
        return False

    def _note_end(self, end: str, row: int) -> None:
        self._ends.setdefault(end, row)


def table_with(stream: BinaryIO, profile: Profile | None, row: int) -> Table:
    """The portion of an accepted file that holds a row, or the last one."""
    before, table = NOTHING_BEFORE, Table()
    for portion in portions(stream):
        if isinstance(portion, Wrong):
            break
        lines = portion.rows.count(b"\n")
        is_mixed = portion.rows.count(b"\r") != portion.rows.count(b"\r\n")
        is_plain = b'"' not in portion.rows and not is_mixed
        if is_plain and lines and before.rows + 1 + lines < row:
            before = Before(before.rows + lines, before.lines + lines)
            continue
        table = read_table(portion.data, profile, before)
        if table.taken is None or before.rows + 1 + table.taken.rows >= row:
            break
        before = Before(before.rows + table.taken.rows, before.lines + table.taken.lines)
    return table


_TOO_LARGE: Final = Wrong(
    "E113",
    "only a file of the long contract, in UTF-8, may be this large",
    "Split it into several files, or export it in the long contract as UTF-8.",
)


def _on_record(run: str) -> Wrong:
    message = f"run {run} is on record, and a file of this size supersedes nothing"
    return Wrong("E407", message, "Take its rows out; upload what corrects them as a small file.")


def _lines(head: bytes) -> int:
    """How many physical lines the header has, with what stands before it."""
    return len(re.findall(rb"\r\n|\r|\n", head))
