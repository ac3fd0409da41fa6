"""A large file on the command line: how far it is, how fast, and how long it takes yet."""

from functools import partial
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from batchqc.actions.large_store import LargeFile
from batchqc.actions.large_uploads import preview_large, upload_large
from batchqc.actions.uploads import UploadReport
from batchqc.cli.show import say
from batchqc.cli.workplace import Workplace
from batchqc.intake.contract import Asked
from batchqc.records.transaction import Actor, reading, transaction

CANCELLED = 130  # as a shell says of a program that was interrupted


def upload_in_portions(
    place: Workplace, actor: Actor, path: Path, profile: str, asked: Asked, *, dry_run: bool
) -> UploadReport:
    """Upload or preview a large file, and show how far it is."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} % {task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(path.name, total=path.stat().st_size, rate="")

        def progress(done: int, rows: int) -> None:
            elapsed = bar.tasks[0].elapsed or 1.0
            bar.update(task, completed=done, rate=f"{rows / elapsed:,.0f} rows/s")

        file = LargeFile(path, "batchqc upload", profile, asked, progress)
        try:
            if dry_run:
                with reading(place.engine) as session:
                    return preview_large(session, place.archive, file=file, now=place.now())
            begin = partial(transaction, place.engine, actor, place.now())
            return upload_large(begin, place.archive, file=file)
        except KeyboardInterrupt:
            bar.stop()
            say("Cancelled: nothing of the file is stored. Run it again to begin anew.")
            raise typer.Exit(CANCELLED) from None
