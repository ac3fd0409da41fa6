"""``batchqc upload``: one assay CSV in, whole or not at all; and the template to fill before."""

import stat
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from batchqc.actions.annotations import annotated_file
from batchqc.actions.received import ReceivedFile
from batchqc.actions.templates import Wanted, template_csv
from batchqc.actions.uploads import UploadReport, preview_upload, upload_results
from batchqc.cli.csv_out import expect_new, write_new
from batchqc.cli.large_upload import upload_in_portions
from batchqc.cli.show import say
from batchqc.cli.upload_seen import print_report
from batchqc.cli.workplace import User, Workplace, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.malware import check_harmless, check_harmless_file
from batchqc.errors import BatchqcError, InvalidInput
from batchqc.intake.contract import Asked
from batchqc.intake.stated import pairs
from batchqc.records.transaction import reading, transaction

FILE = "file"


class FileOrCommand(TyperGroup):
    """``upload results.csv`` is ``upload file results.csv``, unless a command is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the command that takes a file, where none is named."""
        is_named = not args or args[0] in {*self.commands, *self.get_help_option_names(ctx)}
        return super().parse_args(ctx, args if is_named else [FILE, *args])


app = typer.Typer(
    cls=FileOrCommand,
    no_args_is_help=True,
    help="Upload the results of a CSV: batchqc upload results.csv (options: upload file --help).",
)


@app.command(FILE)
def upload(  # noqa: PLR0913 - what is stated beside a file
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An assay CSV.")],
    user: User,
    *,
    profile: Annotated[
        str, typer.Option(help="By which it is read; without it, by a contract.")
    ] = "",
    stated: Annotated[
        list[str] | None,
        typer.Option("--set", help="analyst=jdoe: what the file does not say, for every row."),
    ] = None,
    sample: Annotated[
        list[str] | None,
        typer.Option(help="CLB001=MSC-26-0012-S01: the name in the file, and the sample's id."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be read; change nothing.")
    ] = False,
    supersedes: Annotated[
        str | None,
        typer.Option(help="Why this file supersedes runs on record; both versions are kept."),
    ] = None,
    retest: Annotated[
        str, typer.Option(help="OOS-2026-000001: the investigation whose retests it holds.")
    ] = "",
    annotated: Annotated[
        Path | None,
        typer.Option(help="A CSV to write: the file with its problems beside its rows."),
    ] = None,
) -> None:
    """Upload the results of a CSV in the long or wide contract.

    You see what was read, what the verdicts are with it, and what is wrong. A file with one problem
    is refused whole, with every problem of it, by row and column.
    """
    place = workplace(context)
    if annotated is not None:
        expect_new(annotated)
    keyboard = at_keyboard(place, user)
    actor = keyboard.acting(Permission.UPLOAD_RESULTS)
    asked = Asked(pairs(stated or ()), pairs(sample or (), at_last=True))
    if is_large(file, place.settings.upload_limit):
        if supersedes is not None or annotated is not None or retest:
            raise InvalidInput(
                "BQC-UPL-006",
                f"{file.name} is too large to supersede runs, to hold retests, or to be annotated",
                hint="Upload it without these options; correct single runs by a small file.",
            )
        check_harmless_file(place.settings.malware_scanner, file)
        report = upload_in_portions(place, actor, file, profile, asked, dry_run=dry_run)
        _conclude(report, file, dry_run=dry_run)
        return
    size, data = read_within(file, place.settings.upload_limit, place.settings.malware_scanner)
    received = ReceivedFile(
        file.name, size, data, "batchqc upload", profile, asked, supersedes, retest=retest
    )
    if dry_run:
        with reading(place.engine) as session:
            report = preview_upload(session, place.archive, file=received, now=place.now())
    else:
        with transaction(place.engine, actor, place.now()) as tx:
            report = upload_results(tx, place.archive, file=received)
    try:
        if annotated is not None:
            _annotate(place, annotated, received, report)
    finally:  # whatever becomes of that file: the upload is on record
        _conclude(report, file, dry_run=dry_run)


def _annotate(place: Workplace, to: Path, received: ReceivedFile, report: UploadReport) -> None:
    try:
        with reading(place.engine) as session:
            write_new(to, annotated_file(session, place.archive, received, report))
    except BatchqcError as error:
        if not report.accepted:  # the command ends with that: this would not be told
            say(f"{error.code}: {error.message}")
        raise
    say(f"{to} is written.")


def _conclude(report: UploadReport, file: Path, *, dry_run: bool) -> None:
    print_report(report)
    if not report.accepted:
        raise InvalidInput(
            "BQC-UPL-001", f"{file.name} is refused; nothing of it is used", hint="See above."
        )
    say("The file would be accepted." if dry_run else "The file is accepted.")


@app.command()
def template(
    context: typer.Context,
    *,
    to: Annotated[Path, typer.Option(help="The CSV to write; not replaced.")] = Path(
        "template.csv"
    ),
    lot: Annotated[list[str] | None, typer.Option(help="Id of a lot; may be repeated.")] = None,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Samples taken on that day at the site."),
    ] = None,
    run: Annotated[str, typer.Option(help="Id of a run: fills run_id; needs --test.")] = "",
    test: Annotated[str, typer.Option(help="Only this test, such as VIAB.")] = "",
) -> None:
    """Write a CSV to fill, with a row for each replicate that is still to be measured.

    Of lots, of a day, or for a run of a test; what is asked for together narrows.
    """
    place = workplace(context)
    wanted = Wanted(tuple(lot or ()), day.date() if day else None, run, test)
    with reading(place.engine) as session:
        data = template_csv(session, place.archive, wanted=wanted)
    write_new(to, data)
    say(f"{to} is written. Fill it, then: batchqc upload {to}")


def is_large(file: Path, limit: int) -> bool:
    """Whether a file is larger than is read at once. What is no plain file is never."""
    found = file.stat()
    return stat.S_ISREG(found.st_mode) and found.st_size > limit


def read_within(file: Path, limit: int, scanner: str) -> tuple[int, bytes | None]:
    """Size and bytes of a file; never more is read than the limit, whatever its size claims.

    A pipe or a device says that it is empty, and may have no end: of what is larger than the limit
    the size is what is known of it.

    Raises:
        InvalidInput, ScannerUnavailable: as ``check_harmless``.
    """
    with file.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) <= limit:
        check_harmless(scanner, file.name, [data])
        return len(data), data
    return max(file.stat().st_size, len(data)), None
