"""Strict table reader: bytes -> a header and records of text cells, each with its place.

- A cell stays the text that the file holds: no trimming, no numbers, no dates. Only an apostrophe
  that keeps a spreadsheet from running the text behind it is not read (``core.spreadsheets``).
- Row is the record as a spreadsheet counts it (the header is 1, a ``sep=`` line is not counted);
  line is the physical line on which the record begins.
- Columns are separated by comma, semicolon or TAB: by what ``sep=`` says, else by what the header
  uses. Rows end in CRLF, LF or CR.
- A row with more or fewer cells than the header is a problem and is left out. A cell with a
  control character or an undecodable byte is a problem and is marked as spoiled.
- Blank rows and nameless blank columns are ignored and counted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from batchqc.core.profiles import Header, Layout, Profile
from batchqc.intake.decoding import CONTROL, UNDECODED, decode
from batchqc.intake.problems import Place, Problem, Report, Wrong, shown
from batchqc.intake.scan import LINE_ENDS, NOTHING_BEFORE, Before, Record, Scan, column_name
from batchqc.intake.sections import Finder

__all__ = ["DELIMITERS", "Dialect", "Record", "Table", "read_table"]

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "TAB"}

NO_ROWS: Final = Wrong(
    "E109",
    "no data rows: the file holds a header and nothing else",
    "Add one row for each replicate.",
)
_OTHER_DELIMITERS: Final = "|^~:"
_SEP_LINE: Final = re.compile(r'"?sep=([^\r\n"]?)"?(?:\r\n|\r|\n|\Z)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written: ``line_end`` is CRLF, LF, CR, mixed, or none.

    An XML document has no delimiter: "".
    """

    encoding: str
    delimiter: str
    line_end: str
    has_sep_line: bool


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds, and every problem of its form.

    ``dialect`` is ``None`` where no table could be read at all. ``records`` are the sound rows;
    ``outside`` are rows above and below the table that a profile describes, ``left_out`` the other
    rows, as far as they can be read. ``rows`` counts all of the table that are not blank.
    ``spoiled`` are (row, column index) of cells that already have a problem; ``blank_columns`` are
    indexes of nameless columns without content. ``taken`` counts all rows below the first
    and their lines; ``None`` where reading stopped before the end. ``ends`` are
    the line ends of rows with the first row of each.
    ``lines`` are physical lines of cells by (row,
    column index), where the cells of a row stand on several.
    """

    header: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    dialect: Dialect | None = None
    problems: tuple[Problem, ...] = ()
    rows: int = 0
    spoiled: frozenset[tuple[int, int]] = frozenset()
    blank_columns: frozenset[int] = frozenset()
    outside: tuple[Record, ...] = ()
    left_out: tuple[Record, ...] = ()
    taken: Before | None = None
    blank_rows: int = 0
    ends: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def column_name(self, index: int) -> str:
        """The header of a column as it can be shown, or ``column 3`` where it has none."""
        return column_name(self.header, index)


def read_table(
    data: bytes, profile: Profile | None = None, before: Before = NOTHING_BEFORE
) -> Table:
    """Read a file, as a profile declares it or as a contract. Every input has an outcome.

    ``before`` is what was read of it in portions that came before.
    """
    report = Report()
    declared = profile.encoding if profile else ""
    decoded = decode(data, declared=declared, lines_before=before.lines)
    if isinstance(decoded, Wrong):
        report.add(decoded)
        return Table(problems=report.problems)
    sep_line = _SEP_LINE.match(decoded.text)
    text = decoded.text[sep_line.end() :] if sep_line else decoded.text
    skipped = 1 if sep_line else 0
    if not text.strip():
        report.add(Wrong("E100", "the file holds a sep= line and nothing else", "Export it again."))
        return Table(problems=report.problems)
    stated = sep_line[1] if sep_line else None
    of_profile = profile.delimiter if profile and stated is None else ""
    delimiter = of_profile or _delimiter(text, stated=stated)
    if isinstance(delimiter, Wrong):
        report.add(delimiter, place=Place(row=1, line=1 + skipped))
        return Table(problems=report.problems)
    is_damaged = bool(CONTROL.search(text) or UNDECODED.search(text))
    scan = Scan(report, is_damaged=is_damaged, finder=_finder(profile), before=before)
    scan.read(text, delimiter=delimiter, skipped_lines=skipped)
    if scan.is_readable and not scan.header and not _is_page(profile):
        report.add(_no_header(profile))
        scan.is_readable = False
    if not scan.is_readable:
        return Table(problems=report.problems)
    blank_columns = scan.blank_columns()
    _report_the_rest(scan, blank_columns=len(blank_columns), is_ended=text.endswith(("\r", "\n")))
    return Table(
        header=tuple(scan.header),
        records=tuple(scan.records),
        dialect=Dialect(decoded.encoding, delimiter, _line_end(scan), sep_line is not None),
        problems=report.problems,
        rows=scan.rows,
        spoiled=frozenset(scan.spoiled),
        blank_columns=blank_columns,
        outside=tuple(scan.outside),
        left_out=tuple(scan.left_out),
        taken=scan.taken,
        blank_rows=scan.blank_rows,
        ends={end: scan.ends[end].row for end in LINE_ENDS if end in scan.ends},
    )


def _finder(profile: Profile | None) -> Finder | None:
    """What finds the table of a profile; a contract begins in row 1."""
    if profile is None or profile.layout in {Layout.LONG, Layout.WIDE}:
        return None
    return Finder(profile.header, is_plate=profile.layout is Layout.PLATE)


def _is_page(profile: Profile | None) -> bool:
    return profile is not None and profile.layout is Layout.PAGE


def _no_header(profile: Profile | None) -> Wrong:
    wanted = profile.header if profile else Header()
    names = ", ".join(f'"{name}"' for name in wanted.holds) or f"row {wanted.row}"
    below = f" below {' '.join(wanted.after)}" if wanted.after else ""
    message = f"header row not found{below}: the profile looks for {names}"
    return Wrong("E110", message, "Check that this is the export for which the profile is.")


def _delimiter(text: str, *, stated: str | None) -> str | Wrong:
    """The delimiter that ``sep=`` states, else the one that the header line uses most."""
    first_line = re.split(r"[\r\n]", text, maxsplit=1)[0]
    outside_quotes = re.sub(r'"[^"]*"', "", first_line)
    counts = {one: outside_quotes.count(one) for one in DELIMITERS}
    most = max(counts.values())
    used = [one for one in DELIMITERS if counts[one] == most]
    if stated is not None:
        return _stated_delimiter(stated, used="" if counts.get(stated) or not most else used[0])
    if most:
        names = " and ".join(DELIMITERS[one] for one in used)
        return used[0] if len(used) == 1 else _bad_delimiter(f"the header uses both {names}")
    other = next((one for one in _OTHER_DELIMITERS if outside_quotes.count(one) > 1), None)
    return _bad_delimiter(f'the header separates columns by "{other}"') if other else ","


def _stated_delimiter(stated: str, *, used: str) -> str | Wrong:
    """What ``sep=`` says, unless the header uses another."""
    if stated not in DELIMITERS:
        return _bad_delimiter(f'the first line says "sep={shown(stated)}"')
    if used:
        said = f"the first line says {DELIMITERS[stated]}, the header uses {DELIMITERS[used]}"
        return _bad_delimiter(said)
    return stated


def _bad_delimiter(said: str) -> Wrong:
    hint = "Separate the columns by comma, semicolon or TAB, the same in every row."
    return Wrong("E111", f"{said}; one of comma, semicolon or TAB was expected", hint)


def _line_end(scan: Scan) -> str:
    ends = [name for end, name in LINE_ENDS.items() if end in scan.ends]
    return ends[0] if len(ends) == 1 else "mixed" if ends else "none"


def _report_the_rest(scan: Scan, *, blank_columns: int, is_ended: bool) -> None:
    """Report what concerns the whole file."""
    report = scan.report
    if report.is_full:
        report.stop_at(scan.last)
        return
    if blank_columns or scan.blank_rows:
        report.add(ignored(blank_columns, scan.blank_rows))
    if scan.finder is not None and scan.finder.skipped:
        rows = ", ".join(f"{first} (row {row})" for row, first in scan.finder.skipped)
        message = f"rows that the profile leaves out: {rows}"
        report.add(Wrong("W607", message, "Nothing in them counts."))
    if _line_end(scan) == "mixed":
        report.add(mixed({end: scan.ends[end].row for end in LINE_ENDS if end in scan.ends}))
    if not is_ended:
        report.add(_not_ended(scan), place=scan.last)
    if not scan.rows and (scan.header or scan.finder is None):
        report.add(NO_ROWS)


def ignored(columns: int, rows: int) -> Wrong:
    """The warning that blank columns and rows are ignored."""
    counts = [_count(columns, "column"), _count(rows, "row")]
    message = f"{' and '.join(filter(None, counts))} ignored"
    return Wrong("W602", message, "They are blank; nothing needs to be done.")


def mixed(ends: Mapping[str, int]) -> Wrong:
    """The warning that rows end in different ways; each line end has the first row of it."""
    where = [f"{LINE_ENDS[end]} (row {row})" for end, row in ends.items()]
    message = f"rows end in {' and '.join(where)}"
    return Wrong("W606", message, "Check that no row was cut in two.")


def _not_ended(scan: Scan) -> Wrong:
    hint = "Compare the last row with its source; end the file with a line end."
    if scan.last_is_short:
        return Wrong("E108", "no line end at the end of the file, and the last row is cut", hint)
    return Wrong("W603", "no line end at the end of the file: its last cell may be cut", hint)


def _count(number: int, noun: str) -> str:
    return f"{number} empty {noun}{'' if number == 1 else 's'}" if number else ""
