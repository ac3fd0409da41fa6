"""What a large upload says, read anew from its bytes, without holding all of it in memory."""

import pickle
from collections.abc import Iterator
from itertools import groupby
from typing import IO, Final

from sqlalchemy.orm import Session

from batchqc.actions.large_reading import Piece, Source, pieces
from batchqc.actions.received import stated_beside
from batchqc.actions.uploads import read_again
from batchqc.core.assays import Measurement
from batchqc.core.blocks import Block, measurements_of
from batchqc.core.profiles import Profile
from batchqc.documents.archive import Archive
from batchqc.intake.contract import CONTRACT
from batchqc.intake.elements import read_export
from batchqc.intake.large import UTF16, table_with
from batchqc.intake.table import Table
from batchqc.records.registers import lot_by, samples_of
from batchqc.records.uploads import Upload

LARGE: Final = 20_000_000
"""Bytes from which an upload of the long contract is read anew in portions."""


def is_large(upload: Upload) -> bool:
    """Whether an upload is read anew in portions."""
    return upload.size > LARGE and upload.contract == CONTRACT


def is_utf16(archive: Archive, upload: Upload) -> bool:
    """Whether its bytes are in UTF-16, which is never cut into portions."""
    with archive.opened(upload.sha256) as stream:
        return stream.read(2) in UTF16


class ReadAnew:
    """The measurements of an upload by lot, as of when it was received.

    Args:
        session: only read.
        archive: where its bytes are.
        upload: which.
        spool: a temporary file of its own: what a large upload says is kept there.
    """

    def __init__(
        self, session: Session, archive: Archive, upload: Upload, spool: IO[bytes]
    ) -> None:
        """Read it."""
        self._session, self._number = session, upload.natural_key
        self._small: dict[str, list[Measurement]] = {}
        self._places: dict[str, list[int]] = {}
        self._spool = spool
        if not is_large(upload):
            for one in read_again(session, archive, upload):
                self._small.setdefault(one.lot, []).append(one)
            return
        if not is_utf16(archive, upload) and self._in_portions(archive, upload):
            return
        # It came as a small file, and cannot be cut into portions.
        self._places.clear()
        for one in read_again(session, archive, upload):
            self._small.setdefault(one.lot, []).append(one)

    def of_lot(self, lot: str) -> list[Measurement]:
        """What it says of a lot, by its id as registered, in the order of the file."""
        if lot in self._small or not self._places:
            return self._small.get(lot, [])
        return list(self._kept(lot))

    def _in_portions(self, archive: Archive, upload: Upload) -> bool:
        """Whether it could be read in portions, which are kept."""
        with archive.at_hand(upload.sha256) as path:
            source = Source(
                path, upload.profile, stated_beside(upload),
                self._number, upload.received_at, as_registered=True,
            )  # fmt: skip
            for piece in pieces(self._session, archive, source):
                if isinstance(piece, Piece):
                    self._keep(piece.block)
                elif piece.accepted:
                    return True
        return False

    def _keep(self, block: Block) -> None:
        rows = sorted(zip(*block[:-1], strict=True), key=lambda row: row[0])
        for lot, own in groupby(rows, key=lambda row: row[0]):
            self._places.setdefault(lot, []).append(self._spool.seek(0, 2))
            pickle.dump(list(zip(*own, strict=True)), self._spool)

    def _kept(self, lot: str) -> Iterator[Measurement]:
        row = lot_by(self._session, lot)
        stages = {one.sample: one.stage for one in samples_of(self._session, [row] if row else [])}
        for place in self._places.get(lot, ()):
            self._spool.seek(place)
            columns = pickle.load(self._spool)  # noqa: S301 - written above
            block = Block._make((*columns, False))
            yield from measurements_of(block, self._number, stages.__getitem__)


def table_at(archive: Archive, upload: Upload, profile: Profile | None, row: int) -> Table:
    """The table of an upload, or of a large one the portion that holds a row, the last at most."""
    if not is_large(upload) or is_utf16(archive, upload):
        return read_export(archive.get(upload.sha256), profile)
    with archive.opened(upload.sha256) as stream:
        return table_with(stream, profile, row)
