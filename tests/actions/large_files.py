"""Large files for tests, and who uploads them to a house.

A process that reads beside takes a second to import what this one has: where a test is not about
the process, a thread does what it does, over the same two pipes.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from batchqc.actions import large_reading, large_uploads
from batchqc.actions.large_store import LargeFile
from batchqc.actions.large_uploads import preview_large, upload_large
from batchqc.actions.uploads import UploadReport
from batchqc.core.permissions import Permission
from batchqc.records.transaction import transaction
from tests.records.house import ANA, LOT, House, good, results, table

CONTROLS = 340


def controls(count: int = CONTROLS, *, lot: str = LOT, **cells: str) -> list[dict[str, str]]:
    """Controls, each in a run of its own: more than one portion of them."""
    row = {"lot_id": lot, "sample_id": f"{lot}-S01"} | good("viability")
    row |= {"result_type": "control", "analyte": "beads", "value": "1,5", "aliquot": "PC"} | cells
    return [row | {"run_id": f"C-{number:04d}"} for number in range(count)]


def large(*rows: dict[str, str]) -> bytes:
    """Good results of the lot with what makes the file large."""
    first = table([*rows, *controls()]).splitlines(keepends=True)
    return results() + b"".join(first[1:])


class Large:
    """Uploads of large files to a house; a thread reads them, or a process."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.path, self.by_process = house, folder / "old.csv", False

    def file(self, data: bytes, **how: Any) -> LargeFile:
        self.path.write_bytes(data)
        return LargeFile(self.path, "tests", **how)

    def upload(self, data: bytes, *, by: str = ANA, **how: object) -> UploadReport:
        actor = self.house.actor(ANA, Permission.UPLOAD_RESULTS)
        if by != ANA:
            actor = replace(self.house.actor(by, Permission.RELEASE_LOT), user_id=by)
        begin = partial(transaction, self.house.engine, actor, self.house.now())
        with pytest.MonkeyPatch.context() as patch:
            if not self.by_process:
                patch.setattr(large_uploads, "reading_process", _reading_thread)
            return upload_large(begin, self.house.archive, file=self.file(data, **how))

    def preview(self, data: bytes, **how: object) -> UploadReport:
        with self.house.reading() as session:
            return preview_large(
                session, self.house.archive, file=self.file(data, **how), now=self.house.now()
            )

    def stored(self) -> set[str]:
        """Every file in the store, finished or not."""
        return {one.name for one in self.house.archive.root.rglob("*") if one.is_file()}


class _Reader(NamedTuple):
    """What a thread is spoken to by, as a process is."""

    stdin: IO[bytes]
    stdout: IO[bytes]


@contextmanager
def _reading_thread() -> Iterator[_Reader]:
    """A thread that waits for its task, to read one file; it ends with the block."""
    (asked, stdin), (stdout, answers) = _pipe(), _pipe()

    def work() -> None:
        # as a process that is killed: who waits for no answer hears of nothing
        with suppress(BrokenPipeError, EOFError), asked, answers:
            large_reading.serve(asked, answers)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        with stdin, stdout:
            yield _Reader(stdin, stdout)
    done.result()


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return os.fdopen(read, "rb"), os.fdopen(write, "wb")
