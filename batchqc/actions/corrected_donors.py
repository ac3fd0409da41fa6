"""What a correction of a donor makes fail of lots that are decided: such a lot is held at once."""

from sqlalchemy import select

from batchqc.actions.after_decision import known_of
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.failing import judged
from batchqc.actions.holds import hold_if_in_use
from batchqc.core.after_decision import failing_now
from batchqc.core.holds import Cause
from batchqc.core.verdicts import Outcome
from batchqc.documents.archive import Archive
from batchqc.records.corrections import Correction
from batchqc.records.decisions import dispositions_of
from batchqc.records.registers import DonorRow, LotDonor, LotRow
from batchqc.records.transaction import Transaction


def hold_what_fails(
    tx: Transaction, archive: Archive, donor: DonorRow, correction: Correction
) -> list[LotRow]:
    """Hold each lot of a donor that is in use and fails; its certificate no longer counts.

    The audit entry of each hold tells where the doses are. What failed when the lot was decided was
    known then, and holds nothing.

    Args:
        tx: of whoever approved the correction; it holds the locks of all that came of the donor.
        archive: the store.
        donor: whom the correction is about.
        correction: it is approved.

    Returns:
        The lots that are held for it.
    """
    held = []
    query = select(LotRow).join(LotDonor, LotDonor.lot_id == LotRow.id)
    lots = tx.session.scalars(query.where(LotDonor.donor_id == donor.id)).all()
    for lot in sorted(lots, key=lambda one: one.folded):
        known = known_of(archive, dispositions_of(tx.session, lot), {Outcome.FAIL})
        found = judged(tx.session, archive, lot)
        said = list(
            failing_now(((one, found.known.judged_by(one)) for one in found.specifications), known)
        )
        if not said:
            continue
        reason = f"{correction.natural_key} ({correction.field}): {'; '.join(said)}"
        hold = hold_if_in_use(
            tx, lot, cause=Cause.LATE_FAILURE, reason=reason, about=correction.key
        )
        if hold is not None:
            withdraw_certificate(tx, lot, reason=reason, about=hold.key)
            held.append(lot)
    return held
