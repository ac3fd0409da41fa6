"""Blocks of measurements as they are stored, and their runs with the hash of all of each run."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.blocks import Block
from batchqc.core.canonical import canonical_bytes, sha256_of
from batchqc.records.uploads import MEASUREMENTS_TYPE, AssayRun

MEASUREMENT_COLUMNS: Final = (
    "assay_run_id", "sample_id", "aliquot", "analyte", "replicate", "value", "unit",
    "started_text", "measured_text", "measured_at", "analyst", "instrument", "method",
    "method_version", "result_type", "comment", "row", "line", "column", "original",
)  # fmt: skip
RUN_COLUMNS: Final = (
    "id", "upload_id", "lot_id", "test", "run", "analysts", "measurements_sha256",
)  # fmt: skip

# As canonical JSON of what ``measurement_content`` lists, for texts that need no escape.
_PLAIN: Final = (
    '["%s","%s","%s","%s","%s","%s",%d,"%s","%s","%s",%s,"%s","%s","%s","%s","%s","%s",%d,%d,"%s"]'
)
_PLAIN_RUN: Final = (
    '{"analysts":"%s","lot":"lot:%s","measurements_sha256":"%s","run":"%s","test":"%s",'
    '"type":"batchqc/row/assay_run/1","upload":"upload:%s"}'
)


@dataclass(slots=True, eq=False)
class RunInParts:
    """A run whose measurements come in several blocks, in the order of their rows.

    ``texts`` are those of the block at hand, ``people`` are who measured. ``is_plain`` says that
    every block was.
    """

    id: int
    lot: str
    test: str
    run: str
    people: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    _digest: "hashlib._Hash" = field(default_factory=lambda: hashlib.sha256(b'{"measurements":['))
    is_plain: bool = True
    _is_begun: bool = False

    def close_block(self, *, is_plain: bool) -> None:
        """Bring the texts of a block into the hash."""
        self.is_plain = self.is_plain and is_plain
        between = "," if self._is_begun else ""
        self._digest.update((between + ",".join(self.texts)).encode())
        self.texts.clear()
        self._is_begun = True

    @property
    def analysts(self) -> str:
        """User ids, one a line."""
        return "\n".join(sorted(self.people))

    @property
    def measurements_sha256(self) -> str:
        """The hash of ``uploads.measurement_content`` of all its measurements."""
        digest = self._digest.copy()
        digest.update(f'],"type":"{MEASUREMENTS_TYPE}"}}'.encode())
        return digest.hexdigest()

    def key_in(self, upload: str) -> str:
        """The key of its row."""
        return f"assay_run:{upload}/{self.lot}/{self.test}/{self.run}"

    def content_sha256(self, upload: str, measurements_sha256: str) -> str:
        """The hash of its row, as ``AssayRun.content_sha256`` is."""
        if self.is_plain:
            people = "\\n".join(sorted(self.people))
            texts = (people, self.lot, measurements_sha256, self.run, self.test, upload)
            return hashlib.sha256((_PLAIN_RUN % texts).encode()).hexdigest()
        return sha256_of(
            {
                "type": "batchqc/row/assay_run/1",
                "upload": f"upload:{upload}",
                "lot": f"lot:{self.lot}",
                "test": self.test,
                "run": self.run,
                "analysts": self.analysts,
                "measurements_sha256": measurements_sha256,
            }
        )


def measurement_texts(block: Block) -> Iterable[str]:
    """Each measurement as canonical JSON, as the hash of its run covers it."""
    started: Sequence[str | None] = [text or None for text in block.started]
    if block.is_plain:
        started = [f'"{text}"' if text else "null" for text in block.started]
    columns = (
        block.test, block.run, block.lot, block.sample, block.aliquot, block.analyte,
        block.replicate, block.value, block.unit, block.measured, started, block.analyst,
        block.instrument, block.method, block.version, block.result_type, block.comment,
        block.row, block.line, block.column,
    )  # fmt: skip
    if block.is_plain:
        return map(_PLAIN.__mod__, zip(*columns, strict=True))
    return _escaped(zip(*columns, strict=True), block.original)


def _escaped(
    rows: Iterable[tuple[str | int | None, ...]], originals: Iterable[str]
) -> Iterator[str]:
    for row, original in zip(rows, originals, strict=True):
        yield canonical_bytes([*row, original] if original else row).decode()


def measurement_rows(
    block: Block, runs: Sequence[int], samples: Sequence[int]
) -> Iterable[tuple[object, ...]]:
    """The rows of a block, by ``MEASUREMENT_COLUMNS``."""
    return zip(
        runs, samples, block.aliquot, block.analyte, block.replicate, block.value, block.unit,
        block.started, block.measured, block.measured_at, block.analyst, block.instrument,
        block.method, block.version, block.result_type, block.comment, block.row, block.line,
        block.column, block.original,
        strict=True,
    )  # fmt: skip


def run_names_of(session: Session, lots: Iterable[int]) -> Sequence[tuple[int, str, str]]:
    """Lot id, test and run id of every run of lots by their ids."""
    query = select(AssayRun.lot_id, AssayRun.test, AssayRun.run)
    found = session.execute(query.where(AssayRun.lot_id.in_(list(lots))).distinct())
    return [(lot, test, run) for lot, test, run in found]
