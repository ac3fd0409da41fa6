"""``batchqc upload trace``, ``batchqc lot trace``: from a cell forward, and from a verdict back."""

from typing import Annotated

import typer

from batchqc.actions.evaluation import study
from batchqc.actions.lots import the_lot
from batchqc.actions.sources import Source, sources_of_criterion
from batchqc.actions.tracing import CellTrace, result_columns, trace_cell
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import workplace
from batchqc.records.transaction import reading

_COLUMNS = (
    "Used as", "Upload", "Row", "Line", "Column", "Text", "Run", "Analyst", "Instrument", "Method",
    "Reviewed",
)  # fmt: skip


def trace(
    context: typer.Context,
    upload: Annotated[str, typer.Argument(help="Its number, such as U-2026-000001.")],
    row: Annotated[int, typer.Option(help="As a spreadsheet counts: the header is row 1.")],
    column: Annotated[
        str, typer.Option(help="Its name; without it, every column that holds results.")
    ] = "",
) -> None:
    """What became of a cell: verdicts, decisions and certificates that used it; or why none."""
    place = workplace(context)
    with reading(place.engine) as session:
        columns = [column] if column else result_columns(session, number=upload, row=row)
        now = place.now()
        for name in columns:
            found = trace_cell(session, place.archive, number=upload, place=(row, name), now=now)
            _print(found)


def trace_lot(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(help="Its id.")],
    criterion: Annotated[str, typer.Argument(help="Its id in the specification.")],
) -> None:
    """From a verdict back: every measurement behind a criterion, with its cell and its reviews."""
    place = workplace(context)
    with reading(place.engine) as session:
        case = study(session, place.archive, lot=the_lot(session, lot), now=place.now())
        for one in sources_of_criterion(case, criterion):
            say(one.verdict.sentence)
            table(_COLUMNS, map(_source, one.sources), empty="Nothing was measured.")
            files = {each.measurement.run.upload: each for each in one.sources}
            for upload, each in files.items():
                say(f"{upload}: {each.file}, SHA-256 {each.sha256}")


def _source(source: Source) -> tuple[object, ...]:
    one = source.measurement
    method = f"{one.method} v{one.version}" if one.version else one.method
    return (
        source.use, one.run.upload, one.cell.row, one.cell.line, one.cell.column,
        one.text, one.run.run, one.analyst, one.instrument, method,
        "\n".join(source.reviews) or "not reviewed",
    )  # fmt: skip


def _print(found: CellTrace) -> None:
    facts(
        [
            ("Cell", f"{found.upload}, row {found.row} (line {found.line}), {found.column}"),
            ("Text", found.text),
            ("File", f"{found.file}, {'accepted' if found.accepted else 'refused'}"),
            ("SHA-256", found.sha256),
            *((("Not used", found.not_used),) if found.not_used else ()),
        ]
    )
    for one in () if found.accepted else found.problems:
        say(f"{one['code']} row {one['row']}, {one['column']}: {one['message']}")
    for source in found.sources:
        measured = source.measurement
        reviews = ", ".join(source.reviews) or "not reviewed"
        say(
            f"Measured: {measured.analyte} {measured.text} {measured.unit}, sample"
            f" {measured.sample}, {measured.run}, {measured.analyst}, {measured.instrument},"
            f" {measured.method}; {reviews}"
        )
    rows = [
        (one.decision or "now", one.lot, one.criterion, one.verdict, one.sentence)
        for one in found.verdicts
    ]
    if rows:
        table(("As of", "Lot", "Criterion", "Verdict", "Sentence"), rows, empty="")
    for decision in found.decisions:
        say(f"Decision: {decision.key} {decision.disposition}, signed {decision.signature}")
    for number, state in found.certificates:
        say(f"Certificate: {number}, {state}")
