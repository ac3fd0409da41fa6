"""The contracts, version 1: from a file to measurements, whole or not at all.

- The long contract has a row for each replicate, the wide one a row for each sample.
- Header names are exact: nothing is matched by likeness. Columns that the contract does not know
  are not read, and are listed.
- What is neither is read under a declared profile, which turns it into rows of the long contract.
- All problems are reported at once. A file with an error yields no measurement.
- Preview and commit read by the same function, ``read_bytes``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from batchqc.core.assays import Measurement, amount_of
from batchqc.core.identifiers import fold, id_problem
from batchqc.core.profiles import Layout, Profile
from batchqc.intake.elements import read_export
from batchqc.intake.header import (
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    is_second_header,
    read_header,
    with_stated,
)
from batchqc.intake.hypotheses import check_hypotheses
from batchqc.intake.known_runs import check_known_runs, superseded_by
from batchqc.intake.marks import POINT
from batchqc.intake.plate_wells import check_plates
from batchqc.intake.problems import Place, Problem, Report, Wrong
from batchqc.intake.profiled import Asked, Unfolded, sample_ids, unfold_profile
from batchqc.intake.register import Named, Register, RegisteredLot
from batchqc.intake.retests import check_retests
from batchqc.intake.rows import RowReader
from batchqc.intake.table import Dialect, Table
from batchqc.intake.wide import WIDE_CONTRACT, is_wide, unfold

__all__ = [
    "CONTRACT",
    "OPTIONAL_COLUMNS",
    "REQUIRED_COLUMNS",
    "Asked",
    "Named",
    "Reading",
    "Register",
    "RegisteredLot",
    "lot_ids",
    "read_bytes",
    "read_contract",
]

CONTRACT: Final = "batchqc long v1"

_WITHOUT: Final = {
    "method_id": "no column method_id: the method is that of the plan, its version is not stated",
    "run_id": "no column run_id: the rows of each test are one run",
    "result_type": "no column result_type: all rows are reportable",
}
_NOTHING: Final = Wrong(
    "E109",
    "no result: each cell of results that is read is blank",
    "Check that this is the export with the results; state the sample of each well to be read.",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says, and what is wrong with it.

    ``measurements`` is empty where there is an error. ``parsed`` are the rows that could be read,
    for a preview only. ``assumed`` says what the file leaves to the plan. ``supersedes`` names the
    runs on record of which it has the next version. ``counted`` is how many measurements a
    file yields that is too large to hold them; ``None`` where it is not.
    """

    measurements: tuple[Measurement, ...] = ()
    problems: tuple[Problem, ...] = ()
    columns_used: tuple[str, ...] = ()
    columns_unused: tuple[str, ...] = ()
    contract: str = CONTRACT
    rows_read: int = 0
    parsed: tuple[Measurement, ...] = ()
    assumed: tuple[str, ...] = ()
    dialect: Dialect | None = None
    supersedes: tuple[str, ...] = ()
    counted: int | None = None

    @property
    def results(self) -> int:
        """How many measurements it yields."""
        return len(self.measurements) if self.counted is None else self.counted

    @property
    def accepted(self) -> bool:
        """Whether there is no error; warnings do not refuse a file."""
        return all(problem.severity != "error" for problem in self.problems)


def read_bytes(
    data: bytes,
    register_for: Callable[[Named], Register],
    *,
    upload: str,
    profile: Profile | None = None,
    asked: Asked | None = None,
) -> Reading:
    """Read a file of a contract, or as a profile declares it.

    Args:
        data: the bytes of the file.
        register_for: what is registered about the lots and samples that a file names; asked once,
            and not at all where the file holds no table.
        upload: the number of the upload, which names its runs.
        profile: how the file is read; ``None`` is by a contract.
        asked: what who uploads states beside the file.
    """
    asked = asked or Asked()
    table = read_export(data, profile)
    if table.dialect is None:
        return Reading(problems=table.problems)
    if profile is not None and profile.layout not in {Layout.LONG, Layout.WIDE}:
        register = register_for(Named(samples=sample_ids(table, profile, asked)))
        report = Report()
        unfolded = unfold_profile(table, profile, asked, register, report)
        may_be_none = any(one.absent for one in profile.results)  # as where nothing is detected
        is_empty = unfolded.header.is_complete and not unfolded.table.records
        if is_empty and not (may_be_none or _is_told(table)):
            report.add(_NOTHING)
        reading = _read(unfolded, register, report, upload=upload, profile=profile)
        return replace(reading, contract=f"profile {profile.reference}", assumed=())
    register = register_for(Named(lots=lot_ids(table)))
    return read_contract(table, register, upload=upload, profile=profile, asked=asked)


def _is_told(table: Table) -> bool:
    """Whether it is told already that a file has no rows, or which of them cannot be read."""
    return any(one.severity == "error" for one in table.problems)


def lot_ids(table: Table) -> frozenset[str]:
    """The folded ids of all lots that a table names; what cannot be an id is left out."""
    if "lot_id" not in table.header:
        return frozenset()
    index = table.header.index("lot_id")
    texts = {record.cells[index].strip() for record in table.records}
    return frozenset(fold(text) for text in texts if id_problem(text) is None)


def read_contract(
    table: Table,
    register: Register,
    *,
    upload: str,
    profile: Profile | None = None,
    asked: Asked | None = None,
) -> Reading:
    """Read a table of the long contract, or of the wide one as if it were long."""
    report = Report()
    table, shown = with_stated(table, asked.cells if asked else {}, report)
    report_sample_names(asked or Asked(), report)
    is_wanted = profile is None or profile.layout is (
        Layout.WIDE if is_wide(table.header) else Layout.LONG
    )
    if not is_wanted and profile is not None:
        message = f"{profile.reference} is for the {profile.layout} contract, and this is the other"
        report.add(Wrong("E110", message, "Choose the profile of this file."))
    if is_wide(table.header):
        contract, (header, table) = WIDE_CONTRACT, unfold(table, register, report)
    else:
        contract, header = CONTRACT, read_header(table, report)
    reading = _read(
        Unfolded(header, table, shown), register, report, upload=upload, profile=profile
    )
    return replace(reading, contract=contract)


def _read(
    unfolded: Unfolded,
    register: Register,
    report: Report,
    *,
    upload: str,
    profile: Profile | None,
) -> Reading:
    """Read rows that have the columns of the long contract."""
    header, table, shown = unfolded
    parsed: list[Measurement] = []
    if header.is_complete:
        marks = profile.marks if profile else POINT
        reader = RowReader(
            register, upload, header.names, header.columns, table.spoiled, report, shown, marks
        )
        parsed = read_rows(table, reader)
        if profile is None:
            report_mixed_marks(table, header.columns["value"], report)
    check_known_runs(parsed, register.known, report)
    check_retests(parsed, register.retest, report)
    check_hypotheses(parsed, register, report)
    check_plates(parsed, register, report)
    of_form = [one for one in table.problems if header.columns or one.code != "E106"]
    problems = sorted([*of_form, *report.problems], key=lambda one: one.row)
    reading = Reading(
        problems=tuple(problems),
        columns_used=header.used,
        columns_unused=header.unused,
        rows_read=table.rows,
        parsed=tuple(parsed),
        assumed=assumed(header.columns),
        dialect=table.dialect,
        supersedes=_supersedes(parsed, register),
    )
    return replace(reading, measurements=reading.parsed) if reading.accepted else reading


def _supersedes(parsed: list[Measurement], register: Register) -> tuple[str, ...]:
    found = superseded_by(parsed, register.known) if register.known.superseding else {}
    return tuple(f"{rows[0].run} for lot {rows[0].lot}" for rows in found.values())


def read_rows(table: Table, reader: RowReader) -> list[Measurement]:
    """Every measurement of a table that can be read."""
    parsed = []
    for record in table.records:
        place = Place(record.row, record.line)
        if reader.report.is_full:
            reader.report.stop_at(place)
            break
        if is_second_header(record, reader.report):
            continue
        measurement = reader.read(record)
        if measurement is not None:
            parsed.append(measurement)
    return parsed


def report_sample_names(asked: Asked, report: Report) -> None:
    """Report names of samples that are stated, where none can be."""
    if asked.samples:
        message = "names of samples were stated; a contract names samples by their ids"
        report.add(Wrong("E110", message, "Leave them out, and put the ids into the file."))


def report_mixed_marks(table: Table, value: int, report: Report) -> None:
    """Point at the other kind of decimal mark too: either may be the slip."""
    commas = [one for one in report.problems if one.code == "E205"]
    comma = next((one for one in commas if one.text.count(",") == 1 and "." not in one.text), None)
    points = (one for one in table.records if "." in one.cells[value])
    point = next((one for one in points if amount_of(one.cells[value], "%")), None)
    if comma is None or point is None:
        return
    rows = " and ".join(str(row) for row in sorted([comma.row, point.row]))
    message = f'column value mixes "." and "," as decimal mark (rows {rows})'
    hint = "Set the export to a decimal point, and export the file again."
    place = Place(point.row, point.line, point.column or "value")
    report.add(Wrong("E205", message, hint), place=place, text=point.cells[value])


def assumed(columns: Mapping[str, int]) -> tuple[str, ...]:
    """What a file leaves to the plan, by the columns that it has."""
    return tuple(said for column, said in _WITHOUT.items() if column not in columns)


def too_large(size: int) -> Reading:
    """What is told of a file whose bytes are more than the limit."""
    message = f"the file has {size:,} bytes, more than are read"
    problem = Problem("E113", "error", 0, 0, "", "", message, "Split it into several files.")
    return Reading(problems=(problem,))
