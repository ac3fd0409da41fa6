"""``batchqc certificate data``: what an issued certificate says, in a format."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.certificate_data import DataFormat, data_of
from batchqc.cli.csv_out import write_new
from batchqc.cli.workplace import workplace
from batchqc.records.transaction import reading


def data(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Its number, such as COA-2026-000001.")],
    form: Annotated[
        DataFormat,
        typer.Option("--format", help="The frozen content (json), or what is made of it."),
    ] = DataFormat.JSON,
    to: Annotated[Path | None, typer.Option(help="A file to write; not replaced.")] = None,
) -> None:
    """Print what an issued certificate says, or write it to a file.

    It stays as it was frozen. Where the certificate counts no more, that is told beside it.
    """
    place = workplace(context)
    with reading(place.engine) as session:
        found = data_of(session, place.archive, number=number, form=form)
    if to is None:
        typer.echo(found.data, nl=False)
    else:
        write_new(to, found.data)
        typer.echo(f"{to} is written.", err=True)
    if not found.state.counts:
        by, why = found.state.superseded_by, found.state.withdrawn
        since = f"superseded by {by}" if by else f"withdrawn: {why}"
        typer.echo(f"Certificate {number} counts no more: {since}.", err=True)
