"""Runs that are on record already: another file for one of them is refused, or supersedes it.

A run is what a file names by ``run_id`` for one lot and one test; ids are compared without case.
Rows without a run id are a run of their own in each file. Each row says what differs from the run
on record, so that nobody supersedes what they have not seen.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final

from batchqc.core.assays import Measurement
from batchqc.core.entries import SecondEntry
from batchqc.core.identifiers import fold
from batchqc.core.superseding import is_named, run_name
from batchqc.intake.after_decision import rests_on
from batchqc.intake.problems import WHOLE_FILE, Place, Report, Wrong, shown

_FIELDS: Final = (
    ("result_type", "result_type"),
    ("value", "text"),
    ("unit", "unit"),
    ("started_at", "started_at"),
    ("measured_at", "measured_at"),
    ("analyst", "analyst"),
    ("instrument_id", "instrument"),
    ("method_id", "method"),
    ("version of the method", "version"),
    ("comment", "comment"),
)
_HINT: Final = (
    "Take these rows out if they are on record; if this file corrects them, upload it with the"
    " reason for which it supersedes them."
)
_ROWS_NAMED: Final = 5

#: Folded lot, test, and folded run id.
KnownName = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class KnownRuns:
    """The newest version of each run on record; ``superseding`` is what the uploader states.

    ``decided`` are the runs on which a final decision rests, each with the lots so decided.
    """

    runs: Mapping[KnownName, tuple[Measurement, ...]] = field(default_factory=dict)
    superseding: bool = False
    decided: Mapping[KnownName, Sequence[str]] = field(default_factory=dict)


def known_name(one: Measurement) -> KnownName:
    """What two versions of one run have in common."""
    return (fold(one.lot), *run_name(one.run.test, one.run.run))


def superseded_by(
    parsed: Iterable[Measurement], known: KnownRuns
) -> dict[KnownName, tuple[Measurement, ...]]:
    """The runs on record that a file holds too."""
    names = {known_name(one) for one in parsed if is_named(one.run.test, one.run.run)}
    return {name: known.runs[name] for name in sorted(names) if name in known.runs}


def check_known_runs(parsed: Sequence[Measurement], known: KnownRuns, report: Report) -> None:
    """Report runs that are on record, unless the file is to supersede them; and if it cannot."""
    found = superseded_by(parsed, known)
    if known.superseding:
        for name, recorded in found.items():
            if any(one.second is SecondEntry.WAITS for one in recorded):
                message = f"run {recorded[0].run.run} ({name[1]}) waits for its second entry"
                hint = "Have it typed by the second person; what does not match is typed anew."
                report.add(Wrong("E407", message, hint), place=WHOLE_FILE)
            if name in known.decided:
                wrong = rests_on(recorded, known.decided[name])
                report.add(wrong, place=_first(parsed, name))
        if not found and not report.errors:
            message = "the file is to supersede, and no run of it is on record"
            hint = "Check its run ids; or upload it without a reason to supersede."
            report.add(Wrong("E407", message, hint), place=WHOLE_FILE)
        return
    ordered = sorted((one for one in parsed if known_name(one) in found), key=known_name)
    for name, rows in groupby(ordered, key=known_name):
        for one, said in _said(list(rows), found[name]):
            place = Place(one.cell.row, one.cell.line, "run_id")
            report.add(Wrong("E407", said, _HINT), place=place, text=one.run.run)


def _first(parsed: Iterable[Measurement], name: KnownName) -> Place:
    """The first row of a run."""
    cell = next(one.cell for one in parsed if known_name(one) == name)
    return Place(cell.row, cell.line, "run_id")


def _said(
    rows: Sequence[Measurement], recorded: Sequence[Measurement]
) -> Iterator[tuple[Measurement, str]]:
    """What each row of a run says beside the run on record; what it lacks stands at its first."""
    there = {_key(one): one for one in recorded}
    on_record = f"{recorded[0].run} is on record"
    for one in rows:
        other = there.get(_key(one))
        yield one, f"{on_record}; {_difference(one, other)}"
    own = {_key(one) for one in rows}
    gone = [one for one in recorded if _key(one) not in own]
    if gone:
        texts = [f"row {one.cell.row} ({one.analyte} {shown(one.text)})" for one in gone]
        more = f" and {len(gone) - _ROWS_NAMED} more" if len(gone) > _ROWS_NAMED else ""
        yield rows[0], f"{on_record}; not in this file: {', '.join(texts[:_ROWS_NAMED])}{more}"


def _difference(one: Measurement, other: Measurement | None) -> str:
    if other is None:
        return f"{one.analyte} of this row is not in it"
    differing = [
        f'{name} is "{_text(other, member)}" there and "{_text(one, member)}" here'
        for name, member in _FIELDS
        if getattr(one, member) != getattr(other, member)
    ]
    where = f"row {other.cell.row} there, {one.analyte}"
    return f"{where}: {'; '.join(differing) or 'the same'}"


def _text(one: Measurement, member: str) -> str:
    value = getattr(one, member)
    return value.isoformat() if isinstance(value, datetime) else shown(value or "")


def _key(one: Measurement) -> tuple[str, str, str, int]:
    return (fold(one.sample), fold(one.aliquot), one.analyte, one.replicate)
