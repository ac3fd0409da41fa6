"""What containers inherit of their lot: disposition, holds, expiry, and where it may go."""

from sqlalchemy.orm import Session

from batchqc.core.containers import LotLabel
from batchqc.core.lot_states import Disposition
from batchqc.records.corrections import corrected_lot, corrections_of
from batchqc.records.decisions import newest_dispositions
from batchqc.records.holds import open_holds
from batchqc.records.registers import LotRow


def label_of(session: Session, lot: LotRow) -> LotLabel:
    """The label of a lot as it is now."""
    decided = newest_dispositions(session, [lot.id]).get(lot.id, Disposition.QUARANTINE.value)
    corrected = corrected_lot(lot, corrections_of(session, [lot.key]))
    return LotLabel(
        lot=lot.lot,
        disposition=decided,
        holds=tuple(one.reason for one in open_holds(session, [lot.id])),
        expires_on=corrected.expires_on,
        sites=sites_of(session, lot),
    )


def sites_of(_session: Session, _lot: LotRow) -> frozenset[str] | None:
    """The sites to which a conditionally released lot may go; without a list it goes nowhere."""
    return None
