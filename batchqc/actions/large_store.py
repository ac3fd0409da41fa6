"""What a large file says, stored piece by piece: measurements as they come, runs in the end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

from batchqc.actions.large_reading import Piece
from batchqc.actions.received import ReceivedFile, add_upload, told
from batchqc.documents.stored import Staged
from batchqc.intake.contract import Asked, Reading
from batchqc.records.blocks import (
    MEASUREMENT_COLUMNS,
    RUN_COLUMNS,
    RunInParts,
    measurement_rows,
    measurement_texts,
)
from batchqc.records.bulk import expect_many, new_ids
from batchqc.records.schema import METADATA
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import AssayRun, MeasurementRow, Upload, upload_number

_RUNS_AN_ENTRY: Final = 500

#: Told how far the work is: bytes read so far of all, and results read.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file on disk, and what is stated beside it."""

    path: Path
    client: str
    profile: str = ""
    asked: Asked = field(default_factory=Asked)
    progress: Progress = lambda *_: None


class _Runs(dict[tuple[str, str, str], RunInParts]):
    """The runs of a file by lot, test and run id; each has its surrogate id from the first."""

    def __init__(self, ids: Iterator[int]) -> None:
        super().__init__()
        self._ids = ids

    def __missing__(self, name: tuple[str, str, str]) -> RunInParts:
        self[name] = run = RunInParts(next(self._ids), *name)
        return run


class Store:
    """Stores pieces as they come; in the end the upload, its runs, and the audit entries."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._year = tx.now.year
        self._sequence = next_number(tx.session, Upload, self._year)
        self._lots: dict[str, int] = {}
        self._samples: dict[str, int] = {}
        connection = tx.session.connection()
        self._runs = _Runs(new_ids(connection, METADATA.tables[AssayRun.__tablename__]))
        expect_many(connection)

    @property
    def number(self) -> str:
        """Of the upload."""
        return upload_number(self._year, self._sequence)

    @property
    def lots(self) -> frozenset[int]:
        """Of which there are measurements, by their ids."""
        return frozenset(self._lots[run.lot] for run in self._runs.values())

    def take(self, piece: Piece) -> None:
        """Store the measurements of a piece."""
        block = piece.block
        self._lots |= piece.ids.lots
        self._samples |= piece.ids.samples
        runs = [self._runs[name] for name in zip(block.lot, block.test, block.run, strict=True)]
        texts = measurement_texts(block)
        for run, text, person in zip(runs, texts, block.analyst, strict=True):
            run.texts.append(text)
            run.people.add(person)
        for run in dict.fromkeys(runs):
            run.close_block(is_plain=block.is_plain)
        samples = [self._samples[one] for one in block.sample]
        rows = measurement_rows(block, [run.id for run in runs], samples)
        self._tx.add_in_bulk(MeasurementRow, MEASUREMENT_COLUMNS, rows)

    def finish(self, file: LargeFile, staged: Staged, reading: Reading) -> None:
        """Store the upload and its runs, with an audit entry for every few hundred of them."""
        received = ReceivedFile(
            file.path.name, staged.path.stat().st_size, None, file.client, file.profile, file.asked
        )
        upload = add_upload(self._tx, self._sequence, received, reading, sha256=staged.sha256)
        batches = _batches(sorted(self._runs.values(), key=lambda run: (run.lot, run.id)))
        for part, runs in enumerate(batches, start=1):
            self._tx.audit(
                "upload accepted" if reading.accepted else "upload refused",
                rows=[upload] if part == 1 else [],
                extra=self._store_runs(upload, runs),
                about=[f"lot:{lot}" for lot in dict.fromkeys(run.lot for run in runs)],
                after=told(upload, reading)
                | {"upload": upload.natural_key, "part": f"{part} of {len(batches)}"},
            )

    def _store_runs(self, upload: Upload, runs: Sequence[RunInParts]) -> dict[str, str]:
        """Store some runs; the content hash of each by its key."""
        records, rows = {}, []
        for run in runs:
            covered = run.measurements_sha256
            records[run.key_in(self.number)] = run.content_sha256(self.number, covered)
            lot = self._lots[run.lot]
            rows.append((run.id, upload.id, lot, run.test, run.run, run.analysts, covered))
        self._tx.add_in_bulk(AssayRun, RUN_COLUMNS, rows, records=records)
        return records


def _batches(runs: Sequence[RunInParts]) -> list[list[RunInParts]]:
    """Runs by the hundred, those of one lot together; one empty batch where there is none."""
    batches: list[list[RunInParts]] = [[]]
    for _, own in groupby(runs, key=lambda run: run.lot):
        if len(batches[-1]) >= _RUNS_AN_ENTRY:
            batches.append([])
        batches[-1] += own
    return batches
