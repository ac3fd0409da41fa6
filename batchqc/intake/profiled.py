"""The file of a profile, turned into rows of the long contract.

Each filled cell under a column of results becomes a row, read by the rules of the contract at its
own place. What the table does not say comes from a line of names and values, from the profile, or
from who uploads; a lot is that of its sample. Cells that the profile calls absent are listed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from batchqc.core.identifiers import fold
from batchqc.core.profiles import Layout, Profile, ResultColumn, Source
from batchqc.intake.header import Header, header_place
from batchqc.intake.plates import WELL, wells
from batchqc.intake.problems import Place, Report, Wrong, shown
from batchqc.intake.register import Register
from batchqc.intake.scan import Record
from batchqc.intake.table import Table
from batchqc.intake.times import local_time, zone_of

LONG: Final = (
    "lot_id", "sample_id", "aliquot", "replicate", "started_at", "measured_at", "analyst",
    "instrument_id", "run_id", "method_id", "comment", "test_code", "analyte", "unit",
    "result_type", "value",
)  # fmt: skip
_SHARED: Final = LONG[:11]
_KEY: Final = ("lot_id", "sample_id", "aliquot", "run_id", "replicate")
_HINT: Final = "Check that this is the export for which the profile is."
_LISTED: Final = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What who uploads states beside the file.

    Args:
        cells: text by column of the contract, such as ``analyst``; the same for every row.
        samples: registered sample ids by the name that the file gives them.
    """

    cells: Mapping[str, str] = field(default_factory=dict)
    samples: Mapping[str, str] = field(default_factory=dict)


class Unfolded(NamedTuple):
    """Rows of the long contract, and how the columns of the file are used."""

    header: Header
    table: Table
    shown: Mapping[str, str]


def sample_ids(table: Table, profile: Profile, asked: Asked) -> frozenset[str]:
    """The folded ids of all samples that a file names."""
    return _Unfolding(table, profile, asked, Report()).samples()


def unfold_profile(
    table: Table, profile: Profile, asked: Asked, register: Register, report: Report
) -> Unfolded:
    """Rows of the long contract from a table or page that a profile describes."""
    work = _Unfolding(table, profile, asked, report)
    is_complete = work.check()
    records = tuple(work.records(register)) if is_complete else ()
    work.report_rest()
    columns = {name: index for index, name in enumerate(LONG)}
    header = Header(LONG, columns, work.used(), work.unused(), is_complete)
    shown = {
        name: source.column or source.label or f"{'stated' if source.asked else 'profile'}: {name}"
        for name, source in profile.columns.items()
    }
    lotless = frozenset((row, LONG.index("lot_id")) for row in work.lotless)
    return Unfolded(header, replace(table, records=records, spoiled=lotless), shown)


class _Unfolding:
    """One file of one profile."""

    def __init__(self, table: Table, profile: Profile, asked: Asked, report: Report) -> None:
        self.table, self.profile, self.asked, self.report = table, profile, asked, report
        self.labels = _labels(table)
        self.absent: dict[str, list[Place]] = {}
        self.lotless: set[int] = set()  # rows whose sample, and so whose lot, is not known
        self.at = {name: index for index, name in enumerate(_names(table))}
        self.stated: dict[tuple[str, ...], str] = {}  # where a replicate stands in a line
        self.wells: Mapping[str, Mapping[str, Record]] = {}
        if profile.layout is Layout.PAGE:
            self.at = {}
        elif profile.layout is Layout.PLATE:
            self.wells = wells(table, {one.name for one in profile.results}, report)
            self.at = {WELL: 0} | {name: 0 for one in self.wells.values() for name in one}

    def check(self) -> bool:
        """Whether everything that the profile names is there, once; else say what is not."""
        wanted = [one.name for one in self.profile.results]
        sources = self.profile.columns.values()
        names = list(self.at) if self.wells else _names(self.table)
        columns = [*(one.column for one in sources), *(wanted if self.at else ())]
        labels = [
            *(one.label for one in sources),
            *(one.offset for one in sources),
            *(() if self.at else wanted),
        ]
        wrong = [
            *(self._absent_column(name) for name in columns if name and name not in self.at),
            *(self._twice(name) for name in columns if name and names.count(name) > 1),
            *(self._absent_label(name) for name in labels if name and name not in self.labels),
            *(self._twice(name) for name in labels if len(self.labels.get(name, ())) > 1),
            *(self._not_asked(name) for name in self.asked.cells if name not in self._may_ask()),
            *(self._unstated(name) for name in self.profile.asked if name not in self.asked.cells),
            *(self._no_such_sample(name) for name in self.asked.samples.keys() - self._named()),
        ]
        for one in dict.fromkeys(wrong):
            self.report.add(one, place=header_place(self.table))
        return not wrong

    def samples(self) -> frozenset[str]:
        source = self.profile.columns["sample_id"]
        texts = {self._text(source, record) for record in self._rows()}
        return frozenset(fold(self._sample(text)) for text in texts if text)

    def _named(self) -> set[str]:
        """What the file calls its samples."""
        source = self.profile.columns["sample_id"]
        return set(self.wells) or {self._text(source, record) for record in self._rows()}

    def records(self, register: Register) -> Iterator[Record]:
        """The rows of the long contract."""
        zone = next((lot.time_zone for lot in register.lots.values()), "UTC")
        for row in self._rows():
            shared = {
                name: self._shared(name, source, row, zone)
                for name, source in self.profile.columns.items()
            }
            shared["sample_id"] = self._sample(shared["sample_id"])
            sample = register.samples.get(fold(shared["sample_id"]))
            if "lot_id" not in shared and sample is not None:
                shared["lot_id"] = sample.lot
            for column in self.profile.results:
                cell = self._cell(column, row)
                if cell is not None:
                    if "lot_id" not in shared:
                        self.lotless.add(cell.row)
                    self._check_line(column, cell, shared)
                    said = (column.test, column.analyte, column.unit, column.result_type)
                    shown = (shared.get(name, "") for name in _SHARED)
                    yield cell._replace(cells=[*shown, *said, *cell.cells])

    def _check_line(self, of: ResultColumn, cell: Record, shared: Mapping[str, str]) -> None:
        """Two wells of one line are not the same replicate, as no two rows are (``rows``)."""
        key = (str(cell.row), of.name, *(fold(shared.get(name, "")) for name in _KEY))
        first = self.stated.setdefault(key, cell.column)
        if first != cell.column:
            said = f'"{shown(cell.column)}" and "{shown(first)}" are the same replicate'
            message = f"{said} of sample {shown(shared['sample_id'])}"
            hint = "State a sample for one of them; or have the profile tell wells apart: aliquot."
            place = Place(cell.row, cell.line, cell.column)
            self.report.add(Wrong("E405", message, hint), place=place, text=cell.typed)

    def used(self) -> tuple[str, ...]:
        """Every column and label that is read."""
        sources, elements = self.profile.columns.values(), self.profile.elements
        names = (
            *(one.column or one.label for one in sources),
            *(r.name for r in self.profile.results),
            *elements.skip, *elements.require, *elements.refuse,
        )  # fmt: skip
        return tuple(dict.fromkeys(name for name in names if name))

    def unused(self) -> tuple[str, ...]:
        """Columns that are not read."""
        used = set(self.used())
        return tuple(name for name in self.at if name not in used)

    def report_rest(self) -> None:
        """List what the profile leaves out."""
        nameless = [well for well in self.wells if well not in self.asked.samples]
        if nameless:
            message = f"wells without a stated sample are not read: {', '.join(nameless)}"
            self.report.add(
                Wrong("W607", message, "State A1=<sample id> for each well to be read.")
            )
        for name, at in self.absent.items():
            listed = ", ".join(str(one.row) for one in at[:_LISTED])
            listed += ", …" if len(at) > _LISTED else ""
            message = f'{len(at)} cells of "{name}" say that nothing is reported (rows {listed})'
            hint = "Nothing needs to be done if it was not measured."
            self.report.add(Wrong("W605", message, hint), place=at[0])

    def _rows(self) -> Iterator[Record]:
        """The rows of the table; a page is one row, and so is each well whose sample is known."""
        if self.profile.layout is Layout.PAGE:
            yield from (one._replace(cells=()) for one in self.table.outside[:1])
        elif self.wells:
            for well, reads in self.wells.items():
                first = next(iter(reads.values()))
                if well in self.asked.samples:
                    yield first._replace(cells=(well,))
        else:
            yield from self.table.records

    def _cell(self, column: ResultColumn, row: Record) -> Record | None:
        """The cell of a result without its suffix; ``None`` where nothing is reported."""
        if self.wells:
            read = self.wells[row.cells[0]].get(column.name)
            found = row._replace(cells=("",)) if read is None else read
        elif self.at:
            at = self.at[column.name]
            place = self.table.lines.get((row.row, at), row.line)
            found = row._replace(line=place, cells=(row.cells[at],))
        else:
            line = self.labels[column.name][0]
            found = line._replace(cells=line.cells[1:])
        typed = found.cells[0]
        text = typed.strip()
        if not text or text in column.absent:
            here = Place(found.row, found.line, found.column or column.name)
            self.absent.setdefault(column.name, []).append(here)
            return None
        if column.suffix and text.endswith(column.suffix):
            text = text[: -len(column.suffix)].rstrip()
        name = found.column or column.name
        return found._replace(cells=(text,), column=name, typed=typed)

    def _shared(self, name: str, source: Source, row: Record, zone: str) -> str:
        if source.asked:
            return self.asked.cells.get(name, "")
        text = self._text(source, row)
        if not source.formats or not text:
            return text
        hours = self._text(Source(label=source.offset), row) if source.offset else ""
        place = zone_of(hours) if source.offset else ZoneInfo(zone)
        return local_time(text, source.formats, place) if place else f"{text} {hours}"

    def _text(self, source: Source, row: Record) -> str:
        """What a source says in a row, cut as the profile says."""
        if source.fixed:
            return source.fixed
        if source.column:
            index = self.at.get(source.column)
            text = "" if index is None else row.cells[index].strip()
        else:
            lines = self.labels.get(source.label, ())
            text = lines[0].cells[1].strip() if lines else ""
        if source.after and source.after in text:
            text = text.partition(source.after)[2].strip()
        if source.before and source.before in text:
            text = text.rpartition(source.before)[0].strip()
        return text

    def _sample(self, text: str) -> str:
        return self.asked.samples.get(text, text)

    def _may_ask(self) -> tuple[str, ...]:
        return self.profile.asked

    def _absent_column(self, name: str) -> Wrong:
        if self.profile.layout is Layout.XML:
            return Wrong("E110", f'no row of the document has the place "{shown(name)}"', _HINT)
        return Wrong("E110", f'the table has no column "{shown(name)}"', _HINT)

    def _absent_label(self, name: str) -> Wrong:
        return Wrong("E110", f'no line begins with "{shown(name)}"', _HINT)

    def _twice(self, name: str) -> Wrong:
        return Wrong("E107", f'"{shown(name)}" stands in the file more than once', _HINT)

    def _not_asked(self, name: str) -> Wrong:
        message = f"{name} was stated, and {self.profile.reference} does not ask for it"
        return Wrong("E110", message, "Leave it out: the file or the profile says it.")

    def _no_such_sample(self, name: str) -> Wrong:
        message = f'sample "{shown(name)}" was stated, and the file names none so'
        return Wrong("E110", message, "Write the name as the file has it, before the =.")

    def _unstated(self, name: str) -> Wrong:
        message = f"{self.profile.reference} does not find {name} in the file"
        return Wrong("E202", message, f"State it with the upload: {name}=…")


def _labels(table: Table) -> dict[str, list[Record]]:
    """Lines of a name and a value by their name, which is the first cell; a value may be cut."""
    mark = table.dialect.delimiter if table.dialect else ","
    found: dict[str, list[Record]] = {}
    for record in table.outside:
        first, *rest = record.cells or ("",)
        name, value = first.strip(), mark.join(rest).strip(" \t").rstrip(f"{mark} \t")
        if name and rest:
            found.setdefault(name, []).append(record._replace(cells=(name, value)))
    return found


def _names(table: Table) -> list[str]:
    """The columns by which a profile names them: as they are shown, but never cut."""
    return [
        name if (name := typed.strip()).isprintable() and name else table.column_name(index)
        for index, typed in enumerate(table.header)
    ]
