"""The command line door: ``batchqc``."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from batchqc.errors import (
    BatchqcError,
    Conflict,
    IntegrityFailure,
    InvalidInput,
    NotFound,
    NotPermitted,
    NotSignedIn,
    SignatureRefused,
    SigningUnavailable,
)

_EXIT: Final[tuple[tuple[type[BatchqcError], int], ...]] = (
    (InvalidInput, 2),
    (NotSignedIn, 3),
    (NotPermitted, 3),
    (SignatureRefused, 3),
    (NotFound, 4),
    (Conflict, 5),
    (SigningUnavailable, 6),
    (IntegrityFailure, 7),
)

app = typer.Typer(
    help="Batch release QC for cell therapy: from assay CSV to a certificate anyone can verify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _begin(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            envvar="BATCHQC_HOME",
            help="The folder of an installation: its batchqc.db, store/ and keys/."
            " Without it, BATCHQC_DATABASE, BATCHQC_STORE and BATCHQC_SEAL say where they are.",
        ),
    ] = None,
) -> None:
    context.obj = home


@app.command()
def demo(
    to: Annotated[
        Path, typer.Option(help="The folder to write; an earlier one is replaced.")
    ] = Path("demo"),
) -> None:
    """Run the whole job on published results of eight lots, in under a minute."""
    from batchqc.cli.demo import demonstrate  # noqa: PLC0415 - other commands start faster

    demonstrate(to, Console())


def run() -> None:
    """Run a command; an error is told in plain words, with its code, and its exit status."""
    try:
        app()
    except BatchqcError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(next(status for kind, status in _EXIT if isinstance(error, kind)))
