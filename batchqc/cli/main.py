"""The command line door: ``batchqc``.

What a command works with is loaded when it is given: `commands.py` tells where it is.
"""

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

from batchqc import __version__
from batchqc.cli.commands import KINDS, Kind
from batchqc.cli.show import named, shown
from batchqc.errors import (
    BatchqcError,
    ClockDoubtful,
    Conflict,
    Disposed,
    IntegrityFailure,
    InvalidInput,
    NotEstimable,
    NotFound,
    NotPermitted,
    NotSignedIn,
    ScannerUnavailable,
    SignatureRefused,
    SigningUnavailable,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from sqlalchemy.exc import OperationalError

_EXIT: Final[tuple[tuple[type[BatchqcError], int], ...]] = (
    (InvalidInput, 2),
    (NotEstimable, 2),
    (NotSignedIn, 3),
    (NotPermitted, 3),
    (SignatureRefused, 3),
    (NotFound, 4),
    (Conflict, 5),
    (SigningUnavailable, 6),
    (ClockDoubtful, 6),
    (StoreUnavailable, 6),
    (ScannerUnavailable, 6),
    (Disposed, 4),
    (IntegrityFailure, 7),
)


class _Commands(TyperGroup):
    """All commands; those of a kind are loaded when one of them is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command, in the order of the help."""
        del ctx
        self._load(*KINDS)
        return [name for names in KINDS.values() for name in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; for another name all are loaded, to tell which come near."""
        self._load(*([kind for kind, names in KINDS.items() if cmd_name in names] or KINDS))
        return super().get_command(ctx, cmd_name)

    def _load(self, *kinds: Kind) -> None:
        for kind in kinds:
            self.commands.update(_of(kind))


@cache
def _of(kind: Kind) -> Mapping[str, Any]:
    """Its commands; every signature of a kind is read for them, in a process once."""
    return get_group(kind()).commands


app = typer.Typer(
    cls=_Commands,
    help="Batch release QC for cell therapy: from assay CSV to a certificate anyone can verify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:  # noqa: FBT001 - as an option calls it
    if asked:
        typer.echo(f"batchqc {__version__}")
        raise typer.Exit


@app.callback()
def _begin(
    context: typer.Context,
    *,
    home: Annotated[
        Path | None,
        typer.Option(
            envvar="BATCHQC_HOME",
            parser=named,
            help="The folder of an installation: its batchqc.db, store/ and keys/."
            " Without it, BATCHQC_DATABASE, BATCHQC_STORE and BATCHQC_SEAL say where they are.",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - told before anything else is looked at
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    context.obj = home


def run() -> None:
    """Run a command; an error is told in plain words, with its code, and its exit status."""
    try:
        app()
    except BatchqcError as error:
        _end(error)
    except SystemExit:  # as each command ends; whatever stands below would load SQLAlchemy for it
        raise
    except _of_database() as error:
        said = (str(error.orig).strip() or type(error.orig).__name__).splitlines()[0]
        _end(
            StoreUnavailable(
                "BQC-SYS-035",
                f"the database cannot be used now: {said}",
                hint="See that it runs, and that its address is right. Then look at what was done.",
            )
        )


def _of_database() -> type["OperationalError"]:
    """What is raised where the database does not answer; loaded only where something is raised."""
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415 - see above

    return OperationalError


def _end(error: BatchqcError) -> None:
    print(shown(error), file=sys.stderr)  # noqa: T201 - what a command says of an error
    sys.exit(next(status for kind, status in _EXIT if isinstance(error, kind)))
