"""Files that a command writes: new ones only, and of CSV by the one writer."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import Conflict, InvalidInput


def write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows of text, the header first."""
    write_new(path, csv_bytes(rows))


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet.

    Raises:
        Conflict: it is there.
        InvalidInput: it cannot be written.
    """
    expect_new(path)
    try:
        with path.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise InvalidInput("BQC-CSV-002", f"{path} cannot be written: {error.strerror}") from error


def new_folder(path: Path) -> None:
    """Make a folder, where there is none, into which a file can be written.

    Raises:
        InvalidInput: it cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise InvalidInput("BQC-CSV-002", f"{path} cannot be written: {error.strerror}") from error


def expect_new_folder(path: Path) -> None:
    """Say that a folder is there, or cannot be made, before anything is done for it.

    Raises:
        Conflict: it is there.
        InvalidInput: it cannot be made or written.
    """
    expect_new(path)
    new_folder(path)
    path.rmdir()


def expect_new(path: Path) -> None:
    """Say that a file is there before anything is done for it.

    Raises:
        Conflict: it is there.
    """
    if path.exists():
        raise Conflict("BQC-CSV-001", f"{path} exists; it is not replaced", hint="Name another.")
