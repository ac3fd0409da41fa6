"""What a large file brings of lots of which people may have had doses.

Nothing holds a lot in the sweep that follows a large file; so what fails of such a lot is refused.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.failing import judged
from batchqc.core.lot_states import IN_USE
from batchqc.documents.archive import Archive
from batchqc.intake.problems import Place
from batchqc.records.decisions import newest_dispositions
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction

_AT_ONCE: Final = 5_000  # ids in one question


def lots_in_use(session: Session, lots: Iterable[int]) -> list[LotRow]:
    """Those of some lots, by their ids, of which people may have had doses."""
    ids, found = sorted(lots), list[LotRow]()
    for first in range(0, len(ids), _AT_ONCE):
        now = newest_dispositions(session, ids[first : first + _AT_ONCE])
        found += [session.get_one(LotRow, lot) for lot, said in now.items() if said in IN_USE]
    return found


def failing_late(
    tx: Transaction, archive: Archive, lot: LotRow, upload: str
) -> Iterator[tuple[Place, str, str]]:
    """Each result of an upload, stored now, that fails of a lot: its place, lot and sentence.

    Args:
        tx: of who uploads; it holds the locks of the lots.
        archive: the store.
        lot: which lot.
        upload: the number of the upload.
    """
    found = judged(tx.session, archive, lot)
    for failure in found.uncovered:
        for one in found.known.measurements:
            if one.run in failure.runs and one.run.upload == upload:
                place = Place(one.cell.row, one.cell.line, "lot_id")
                yield place, lot.lot, failure.sentence
