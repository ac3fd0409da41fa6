"""What a correction of a donor makes fail of lots that are decided: such a lot is held at once.

So is each lot in use of a donor who was eligible, and against whom the corrected records speak.
"""

from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import select

from batchqc.actions.after_decision import known_of
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.donor_evaluation import evaluation_of
from batchqc.actions.donor_panels import panel_content, the_panel
from batchqc.actions.donor_records import ApprovedPanel, records_of
from batchqc.actions.failing import judged
from batchqc.actions.holds import hold_if_in_use
from batchqc.actions.setup import own_site
from batchqc.core.after_decision import failing_now
from batchqc.core.donors import ELIGIBLE
from batchqc.core.eligibility import unfavourable
from batchqc.core.holds import Cause
from batchqc.core.verdicts import Outcome
from batchqc.documents.archive import Archive
from batchqc.records.corrections import Correction
from batchqc.records.decisions import dispositions_of
from batchqc.records.donors import newest_eligibility
from batchqc.records.registers import DonorRow, LotDonor, LotRow
from batchqc.records.transaction import Transaction


def hold_what_fails(
    tx: Transaction, archive: Archive, donor: DonorRow, correction: Correction
) -> list[LotRow]:
    """Hold each lot of a donor that is in use and fails, or whose donor does; its certificate ends.

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
    held, against = [], _against(tx, archive, donor, correction)
    query = select(LotRow).join(LotDonor, LotDonor.lot_id == LotRow.id)
    lots = tx.session.scalars(query.where(LotDonor.donor_id == donor.id)).all()
    for lot in sorted(lots, key=lambda one: one.folded):
        known = known_of(archive, dispositions_of(tx.session, lot), {Outcome.FAIL})
        found = judged(tx.session, archive, lot)
        said = list(
            failing_now(((one, found.known.judged_by(one)) for one in found.specifications), known)
        )
        said += against
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


def _against(
    tx: Transaction, archive: Archive, donor: DonorRow, correction: Correction
) -> list[str]:
    """What speaks against an eligible donor by a correction alone; results start look-backs."""
    determined = newest_eligibility(tx.session, [donor]).get(donor.id)
    is_name = correction.field in {"donation", "version"}
    if determined is None or determined.eligibility != ELIGIBLE or is_name:
        return []
    records, site = records_of(tx.session, [donor])[donor.id], own_site(tx.session)
    others = (one for one in records.corrections if one[0].id != correction.id)
    zone, panel = ZoneInfo(site.time_zone), None
    name, _, version = determined.panel.rpartition("/")
    if name:
        row = the_panel(tx.session, name, int(version))
        panel = ApprovedPanel(row, panel_content(archive, row))
    before, now = (
        evaluation_of(one, panel, zone=zone, today=tx.now.astimezone(zone).date()).problems
        for one in (replace(records, corrections=tuple(others)), records)
    )
    known = {*before, *unfavourable(records.donated(zone))}
    return [f"donor {donor.code}: {one}" for one in now if one not in known]
