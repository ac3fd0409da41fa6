"""``batchqc upload``: one assay CSV in, whole or not at all."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.uploads import ReceivedFile, UploadReport, preview_upload, upload_results
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import User, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.errors import InvalidInput
from batchqc.records.transaction import reading, transaction


def upload(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An assay CSV.")],
    user: User,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be read; change nothing.")
    ] = False,
) -> None:
    """Upload the results of a CSV in the long contract, and see what was read and what is wrong.

    A file with one problem is refused whole, with every problem of it, by row and column.
    """
    place = workplace(context)
    keyboard = at_keyboard(place, user)
    actor = keyboard.acting(Permission.UPLOAD_RESULTS)
    size, data = read_within(file, place.settings.upload_limit)
    received = ReceivedFile(file.name, size, data, "batchqc upload")
    if dry_run:
        with reading(place.engine) as session:
            report = preview_upload(session, place.archive, file=received, now=place.now())
    else:
        with transaction(place.engine, actor, place.now()) as tx:
            report = upload_results(tx, place.archive, file=received)
    print_report(report)
    if not report.accepted:
        raise InvalidInput(
            "BQC-UPL-001", f"{file.name} is refused; nothing of it is used", hint="See above."
        )


def read_within(file: Path, limit: int) -> tuple[int, bytes | None]:
    """Size and bytes of a file; never more is read than the limit, whatever its size claims.

    A pipe or a device says that it is empty, and may have no end: of what is larger than the limit
    the size is what is known of it.
    """
    with file.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) <= limit:
        return len(data), data
    return max(file.stat().st_size, len(data)), None


def print_report(report: UploadReport) -> None:
    """Print what became of a file, with every problem of it."""
    read = report.reading
    facts(
        [
            ("Upload", report.number + (" (these bytes came before)" * report.answered_before)),
            ("SHA-256", report.sha256),
            ("Rows read", read.rows_read),
            ("Results", len(read.measurements)),
            ("Columns used", ", ".join(read.columns_used)),
            ("Columns not used", ", ".join(read.columns_unused) or "none"),
        ]
    )
    rows = [
        (one.code, one.row, one.column, one.text, one.message, one.hint) for one in read.problems
    ]
    table(("Code", "Row", "Column", "Text", "Problem", "What to do"), rows, empty="No problem.")
    if report.accepted:
        say("The file is accepted.")
