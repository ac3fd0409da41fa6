"""Rows of a text, one after the other, by the strict rules of RFC 4180.

Rows that cannot be read and cells that are damaged are problems; what is sound is kept, so that
one reading finds all problems. Used by ``table`` only.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Final, NamedTuple

from batchqc.core.spreadsheets import APOSTROPHE, unguarded
from batchqc.intake.decoding import CONTROL, UNDECODED
from batchqc.intake.problems import WHOLE_FILE, Place, Report, Wrong, shown
from batchqc.intake.sections import Finder, Part, joined

MOST_COLUMNS: Final = 1000
LINE_ENDS: Final = {"\r\n": "CRLF", "\n": "LF", "\r": "CR"}


class Record(NamedTuple):
    """One row of cells.

    ``column`` is the header of its value where that is not ``value``, ``typed`` its text in the
    file where a profile made another of it.
    """

    row: int
    line: int
    cells: Sequence[str]
    column: str = ""
    typed: str = ""


class Before(NamedTuple):
    """What of a file was read already: rows, the header not counted, and their lines."""

    rows: int = 0
    lines: int = 0


NOTHING_BEFORE: Final = Before()


def column_name(header: Sequence[str], index: int) -> str:
    """The header of a column as it can be shown, or ``column 3`` where it has none."""
    name = shown(header[index]).strip() if index < len(header) else ""
    return name or f"column {index + 1}"


@dataclass(slots=True)
class Scan:
    """Reads records and remembers what was odd; ``is_readable`` says that there is a header.

    ``is_damaged`` says that some cell holds a control character or an undecoded byte, so that
    each is looked at. ``ends`` are the line ends of rows with the first place of each. A ``finder``
    says which rows are the table; the others are ``outside``. ``left_out`` are rows of the table
    that are not records, blank ones too: what could be read of them. ``before`` is what came
    before the text, ``taken`` what it holds, once all of it is read.
    """

    report: Report
    is_damaged: bool
    finder: Finder | None = None
    before: Before = NOTHING_BEFORE
    outside: list[Record] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    left_out: list[Record] = field(default_factory=list)
    spoiled: set[tuple[int, int]] = field(default_factory=set)
    ends: dict[str, Place] = field(default_factory=dict)
    rows: int = 0
    blank_rows: int = 0
    last: Place = WHOLE_FILE
    last_is_short: bool = False
    is_readable: bool = True
    taken: Before | None = None
    _header_lines: int = 0

    def read(self, text: str, *, delimiter: str, skipped_lines: int) -> None:
        """Read every record of ``text``, which begins after ``skipped_lines`` of the file."""
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        is_guarded = APOSTROPHE in text
        row = 0
        while self.is_readable and not self.report.is_full:
            row += 1
            place = Place(row, reader.line_num + 1 + skipped_lines)
            if row > 1:
                place = Place(row + self.before.rows, place.line + self.before.lines)
            try:
                cells = next(reader, None)
            except csv.Error as error:
                if self._unreadable(str(error), place, text=text, line=lines.last):
                    continue
                return
            if cells is None:
                self.taken = Before(row - 2, reader.line_num - self._header_lines)
                return
            if row == 1:
                self._header_lines = reader.line_num
            self.ends.setdefault(lines.end, place)
            self._take(place, [unguarded(cell) for cell in cells] if is_guarded else cells)

    def blank_columns(self) -> frozenset[int]:
        """Indexes of nameless columns without content."""
        nameless = {index for index, name in enumerate(self.header) if not name.strip()}
        for record in self.records if nameless else ():
            nameless -= {index for index in nameless if record.cells[index].strip()}
        return frozenset(nameless)

    def _unreadable(self, error: str, place: Place, *, text: str, line: str) -> bool:
        """Report a record that breaks the rules; say whether the next line begins another."""
        hint = 'Put the cell in quotation marks, and write each one inside it twice ("").'
        self.rows += place.row > 1
        self.last, self.last_is_short = place, "unexpected end" in error
        self.is_readable = place.row > 1 or self.finder is not None
        self.left_out.append(Record(place.row, place.line, [line.rstrip("\r\n")]))
        if "field larger" in error and text.count('"') % 2 == 0:
            message = f"a cell of row {place.row} has more than 131,072 characters"
            self.report.add(Wrong("E114", message, "Shorten it."), place=place)
            return False
        if self.last_is_short or "field larger" in error:
            message = f"row {place.row} opens a quotation mark that is never closed"
            self.report.add(Wrong("E105", message, hint), place=place)
            return False
        message = f"row {place.row} has text after a closing quotation mark: {shown(line.strip())}"
        self.report.add(Wrong("E105", message, hint), place=place)
        return line.count('"') % 2 == 0

    def _take(self, place: Place, cells: list[str]) -> None:
        match self._part(place, cells):
            case Part.HEADER:
                self._take_header(place, cells)
            case Part.ROW if "".join(cells).strip():
                self.rows += 1
                self._take_row(place, cells)
            case Part.ROW:
                self.blank_rows += 1
                self.left_out.append(Record(place.row, place.line, cells))
            case Part.OUTSIDE | Part.AGAIN as part:
                self._look_below_end(place, cells, part)
                self.outside.append(Record(place.row, place.line, cells))
            case Part.SKIPPED:
                self.left_out.append(Record(place.row, place.line, cells))
        if self.is_damaged and self.is_readable:
            for index, cell in enumerate(cells):
                self._find_damage(place, index, cell)

    def _part(self, place: Place, cells: list[str]) -> Part:
        if self.finder is not None:
            return self.finder.part(place.row, cells)
        return Part.HEADER if place.row == 1 else Part.ROW

    def _look_below_end(self, place: Place, cells: list[str], part: Part) -> None:
        """Tell of a second table, and of a row below the end that looks like one of it.

        Below a blank row other blocks follow: there a row is told that is as full as those above.
        Below what a profile names as the end any row is that says something of something.
        """
        if self.finder is None:
            return
        if part is Part.AGAIN:
            message = f"row {place.row} begins a second table, and one is read"
            hint = "Export each table alone, as a file of its own."
            self.report.add(Wrong("E112", message, hint), place=place)
            self.finder.has_just_ended = False
        first = next((cell for cell in map(str.strip, cells) if cell), "")
        if not self.finder.has_just_ended or not first:
            return
        if first == self.finder.header.until:
            return
        above = self.records[-1].cells if self.records else self.header
        pairs = zip(above, cells, strict=False)
        is_full = len(cells) >= len(above) and all(
            cell.strip() for one, cell in pairs if one.strip()
        )
        until = shown(self.finder.header.until)
        is_like = is_full or (bool(until) and sum(bool(cell.strip()) for cell in cells) > 1)
        self.finder.has_just_ended = bool(until) and not is_like
        if is_like:
            end = f'"{until}"' if until else "a blank row"
            message = f"row {place.row} and what follows stand below {end}, and are not read"
            hint = "Where they belong to the table, remove the blank row, or move them above it."
            self.report.add(Wrong("W607", message, hint), place=place)

    def _take_header(self, place: Place, cells: list[str]) -> None:
        names = joined(self.header, cells) if self.header else cells
        if self.finder is not None and self.finder.is_plate:
            names = [*names, "read"]  # the header of a plate ends before what was read
        self.header = names[:MOST_COLUMNS]
        self.is_readable = len(cells) <= MOST_COLUMNS
        if not self.is_readable:
            message = f"the header has {len(cells):,} columns; at most {MOST_COLUMNS:,} are read"
            hint = "Export only the columns of the template."
            self.report.add(Wrong("E116", message, hint), place=place)

    def _take_row(self, place: Place, cells: list[str]) -> None:
        if self.finder is not None and not "".join(cells[len(self.header) :]).strip():
            cells = cells[: len(self.header)]
        found, expected = len(cells), len(self.header)
        self.last, self.last_is_short = place, found < expected
        if found == expected:
            self.records.append(Record(place.row, place.line, cells))
            return
        self.left_out.append(Record(place.row, place.line, cells))
        message = f"row {place.row} has {found} cells, the header has {expected}"
        hint = "Give each row as many cells as the header; quote a cell that holds a separator."
        self.report.add(Wrong("E106", message, hint), place=place)

    def _find_damage(self, place: Place, index: int, cell: str) -> None:
        controls, lost = "".join(CONTROL.findall(cell)), UNDECODED.findall(cell)
        if not controls and not lost:
            return
        self.spoiled.add((place.row, index))
        name = column_name(self.header, index)
        where = f"row {place.row}" if place.row > 1 else "the header"
        where = f"{where}, column {index + 1} ({name})"
        at = place._replace(column=name)
        if controls:
            what = "NUL byte" if controls[0] == "\0" else f"control character {shown(controls[0])}"
            message = f"{what} in {where}{_more(controls)}"
            hint = "Export the file again; no cell may hold such a character."
            self.report.add(Wrong("E104", message, hint), place=at, text=cell)
        if lost:
            message = f"{_undecoded(lost[0])} in {where}{_more(lost)}"
            hint = "Save the file as UTF-8, or declare its encoding in an instrument profile."
            self.report.add(Wrong("E102", message, hint), place=at, text=cell)


class _Lines:
    """The physical lines of a text with their ends; remembers the last one."""

    def __init__(self, text: str) -> None:
        self._lines = StringIO(text, newline="")
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.last = line
            yield line

    @property
    def end(self) -> str:
        """How the last line ends."""
        return next((end for end in LINE_ENDS if self.last.endswith(end)), "")


def _undecoded(character: str) -> str:
    """What a character that is not text stands for."""
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:
        return f"not in the encoding of the file: byte 0x{number - 0xDC00:02X}"
    if number == 0xFFFD:
        return "a character that an earlier conversion lost (U+FFFD)"
    return f"half of a character (U+{number:04X})"


def _more(found: Sequence[str]) -> str:
    return f", and {len(found) - 1} more" if len(found) > 1 else ""
