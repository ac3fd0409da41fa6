"""``batchqc archive export``: the auditor's bundle."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from batchqc.actions.export_plan import Asked
from batchqc.actions.exports import Export, Exporter, export_bundle
from batchqc.cli.csv_out import new_folder
from batchqc.cli.show import say
from batchqc.cli.workplace import User, at_keyboard, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.bundle_kit import read_anchors
from batchqc.errors import InvalidInput


def export(  # noqa: PLR0913 - each is a filter, and people combine them
    context: typer.Context,
    user: User,
    *,
    out: Annotated[Path, typer.Option(help="The ZIP file to write; never replaced.")],
    product: Annotated[str, typer.Option(help="Of this product.")] = "",
    lot: Annotated[list[str] | None, typer.Option(help="This lot; may be repeated.")] = None,
    since: Annotated[str, typer.Option("--from", help="Numbers given from this day.")] = "",
    until: Annotated[str, typer.Option("--to", help="To this day, the last one.")] = "",
    checkpoint: Annotated[
        int, typer.Option(help="As of the checkpoint of so many entries; else of the newest.")
    ] = 0,
) -> None:
    """Write certificates and all that they rest on into a bundle that verifies itself.

    Without a filter it holds every lot with a certificate. That you export is on record before
    anything is written.
    """
    place = workplace(context)
    asked = Asked(product, tuple(lot or ()), _day(since), _day(until), checkpoint)
    exporter = Exporter(
        at_keyboard(place, user).acting(Permission.EXPORT_RECORDS),
        place.now,
        lambda: read_anchors(place.settings.trust, place.settings.timestamp_root),
        place.press.log_key,
    )
    with written(out) as write:
        found = export_bundle(place.engine, place.archive, exporter, asked)
        _send(found, write)
    counts = found.plan.counts
    say(
        f"{out} holds {counts['lots']} lots with {counts['certificates']} certificates, as of entry"
        f" {found.plan.checkpoint.size} of the audit trail."
    )
    if found.plan.later:
        say(
            f"{found.plan.later} certificates were issued after that checkpoint and are not in it:"
            " run `batchqc log checkpoint`, then export again."
        )


@contextmanager
def written(out: Path) -> Iterator[Callable[[bytes], object]]:
    """What writes a file, under another name until the end of the block; nothing is replaced.

    Raises:
        InvalidInput: BQC-EXP-005 it is there; BQC-CSV-002 it cannot be written.
    """
    if out.exists():
        raise _there(out)
    new_folder(out.parent)
    with NamedTemporaryFile(dir=out.parent, prefix=".part-", delete=False) as file:
        part = Path(file.name)
        try:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
            _name(part, out)
        finally:
            part.unlink(missing_ok=True)


def _name(part: Path, out: Path) -> None:
    try:
        try:
            out.hardlink_to(part)  # a link never replaces a file
        except FileExistsError:
            raise
        except OSError:  # a stick or a share that knows no links
            out.touch(exist_ok=False)
            part.replace(out)
    except FileExistsError as error:
        raise _there(out) from error


def _there(out: Path) -> InvalidInput:
    return InvalidInput("BQC-EXP-005", f"{out} is there, and never replaced")


def _send(found: Export, write: Callable[[bytes], object]) -> None:
    with _bar() as bar:
        task = bar.add_task("Lots", total=found.plan.counts["lots"])
        for chunk in found.chunks(lambda done, _: bar.update(task, completed=done)):
            write(chunk)


def _bar() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput("BQC-EXP-006", f'"{text}" is no day: write YYYY-MM-DD') from error
