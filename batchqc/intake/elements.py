"""XML documents of instruments -> rows of text cells, each with its line, as a profile declares.

- The element that the profile calls the row gives one row; the first is row 2, below the names of
  the places. A place that no row has is not in the header.
- Rows that the profile skips are listed. A row that does not say what the profile requires, or
  says what it refuses, refuses the file: an instrument writes so where it did not measure.
- The text of a result must stand in the file as it is read: not as character references, not cut
  by comments or elements.
"""

from typing import Final

from batchqc.core.profiles import Layout, Profile
from batchqc.intake.decoding import CONTROL, UNDECODED, decode
from batchqc.intake.problems import Place, Report, Wrong, shown
from batchqc.intake.scan import Record
from batchqc.intake.table import Dialect, Table, read_table
from batchqc.intake.xml_document import Found, XmlDocument, XmlRow

_HINT: Final = "Export it again from the program of the instrument."


def read_export(data: bytes, profile: Profile | None = None) -> Table:
    """Read a file as its profile declares it, XML too. Every input has an outcome."""
    if profile is None or profile.layout is not Layout.XML:
        return read_table(data, profile)
    report = Report()
    decoded = decode(data, declared=profile.encoding)
    if isinstance(decoded, Wrong):
        report.add(decoded)
        return Table(problems=report.problems)
    lost = UNDECODED.search(decoded.text)
    if lost is not None:
        line = decoded.text.count("\n", 0, lost.start()) + 1
        message = f"line {line} holds {shown(lost[0])}, which is not text in {decoded.encoding}"
        report.add(Wrong("E102", message, _HINT), place=Place(line=line))
        return Table(problems=report.problems)
    document = XmlDocument(decoded.text.encode(), profile.elements, profile.encoding, report)
    is_read = document.is_read()
    if is_read and not document.rows:
        way = "".join(f"/{step.tag}" for step in profile.elements.row.steps)
        message = f"there is no element {way}, which the profile reads as a row"
        report.add(Wrong("E110", message, "Check that this is the export of the profile."))
    if not is_read or not document.rows:
        return Table(problems=report.problems)
    rows = _Rows(document, profile, report)
    return rows.table(Dialect(decoded.encoding, "", "none", has_sep_line=False))


class _Rows:
    """The rows of a document: which are left out, and which are not sound."""

    def __init__(self, document: XmlDocument, profile: Profile, report: Report) -> None:
        self.document, self.elements, self.report = document, profile.elements, report
        self.results = {one.name for one in profile.results}
        self.rows: list[XmlRow] = []
        self.left_out: list[tuple[XmlRow, str]] = []

    def table(self, dialect: Dialect) -> Table:
        """What was read, as a table."""
        for row in self.document.rows:
            if self.report.is_full:
                self.report.stop_at(Place(row.number, row.line))
                break
            self._take(row)
        self._report_rows()
        every = [*self.rows, *(row for row, _ in self.left_out)]
        filled = {name for row in every for name in row.cells}
        header = tuple(name for name in self.elements.places if name in filled)
        labels = enumerate(self.document.labels, start=len(self.document.rows) + 2)
        return Table(
            header=header,
            records=tuple(_record(row, header) for row in self.rows),
            dialect=dialect,
            problems=self.report.problems,
            rows=len(self.rows),
            outside=tuple(Record(n, found.line, (name, found.text)) for n, (name, found) in labels),
            left_out=tuple(_record(row, header) for row, _ in self.left_out),
            lines={
                (row.number, index): row.cells[name].line
                for row in every
                for index, name in enumerate(header)
                if name in row.cells
            },
        )

    def _take(self, row: XmlRow) -> None:
        """Keep a row, or leave it out; report what makes it unsound."""
        for name, texts in self.elements.skip.items():
            if row.text(name) in texts:
                self.left_out.append((row, name))
                return
        self.rows.append(row)
        for name, texts in self.elements.require.items():
            if row.text(name) not in texts:
                self._unsound(row, name, f"{' or '.join(texts)} was expected")
        for name, texts in self.elements.refuse.items():
            if row.text(name) in texts:
                self._unsound(row, name, "it was not measured or not computed")
        for name, found in row.cells.items():
            self._check_text(Place(row.number, found.line, name), found)

    def _unsound(self, row: XmlRow, name: str, said: str) -> None:
        text = row.text(name)
        message = f'row {row.number} says "{shown(text)}" for "{name}": {said}'
        hint = "Compute it in the program of the instrument, or take the sample out of the export."
        line = row.cells[name].line if name in row.cells else row.line
        place = Place(row.number, line, name)
        self.report.add(Wrong("E118", message, hint), place=place, text=text)

    def _check_text(self, place: Place, found: Found) -> None:
        text = found.text
        if CONTROL.search(text):
            message = f"control character in row {place.row}, column {place.column}: {shown(text)}"
            self.report.add(Wrong("E104", message, _HINT), place=place, text=text)
        if place.column in self.results and not found.is_literal:
            message = f'"{shown(text)}" does not stand in the bytes of the file as it is read'
            hint = "Export it again; a value is written plainly, without references or comments."
            self.report.add(Wrong("E117", message, hint), place=place, text=text)

    def _report_rows(self) -> None:
        """Report what concerns all rows."""
        if not self.rows:
            message = "no data rows: every one is left out, as the profile says"
            self.report.add(Wrong("E109", message, "Check that the samples are in the export."))
        if self.left_out:
            texts = (f"{shown(row.text(name))} (row {row.number})" for row, name in self.left_out)
            message = f"rows that the profile leaves out: {', '.join(texts)}"
            self.report.add(Wrong("W607", message, "Nothing in them counts."))


def _record(row: XmlRow, header: tuple[str, ...]) -> Record:
    return Record(row.number, row.line, [row.text(name) for name in header])
