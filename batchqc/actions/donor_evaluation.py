"""What the records of a donor allow to determine."""

from collections.abc import Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from batchqc.actions.donor_records import ApprovedPanel, DonorRecords
from batchqc.actions.setup import own_site
from batchqc.core.donors import ELIGIBLE, EXCEPTION, INELIGIBLE
from batchqc.core.eligibility import Donated, Evaluation, consent_problems, evaluate, unfavourable
from batchqc.errors import Conflict
from batchqc.records.corrections import approved_changes
from batchqc.records.donor_panels import PanelVersion
from batchqc.records.transaction import Transaction


def evaluation_of(
    records: DonorRecords, panel: ApprovedPanel | None, *, zone: ZoneInfo, today: date
) -> Evaluation:
    """Every reason why a donor cannot be determined to be eligible.

    Without a panel these are the results that speak against the donor, a consent that was withdrawn
    and not given anew to clinical use, and corrections that wait.
    """
    donated = records.donated(zone)
    own = (*_other_tissue(records, donated), *records.waiting)
    if panel is None:
        consent = records.consented
        withdrawn = () if consent is None else tuple(consent_problems(consent))
        return Evaluation((*unfavourable(donated), *withdrawn, *own))
    found = evaluate(panel.panel, donated, records.consented, today=today)
    return Evaluation((*found.problems, *own), found.remarks)


def _other_tissue(records: DonorRecords, donated: Iterable[Donated]) -> Iterator[str]:
    """Donations of which a correction says another tissue than the donor is registered with.

    By that of the donation it is tested, by that of the donor its lots are judged.
    """
    donor = records.donor
    now = dict(approved_changes(records.corrections, donor.key))
    tissue = now.get("tissue_source", donor.tissue_source)
    for one in donated:
        if one.tissue != tissue:
            said = f"it is of {one.tissue}, and donor {donor.code} is registered with {tissue}"
            yield f"{one.name}: {said}; correct the wrong one"


def determined(
    tx: Transaction, records: DonorRecords, *, eligible: bool, panel: ApprovedPanel | None
) -> str:
    """The word of a determination.

    Raises:
        Conflict: for an eligible donor whose records forbid it, with every reason.
    """
    if not eligible:
        return INELIGIBLE
    if panel is not None and panel.by_exception:
        return EXCEPTION
    zone = ZoneInfo(own_site(tx.session).time_zone)
    today = tx.now.astimezone(zone).date()
    problems = evaluation_of(records, panel, zone=zone, today=today).problems
    if problems:
        raise Conflict(
            "BQC-DNR-020",
            f"donor {records.donor.code} cannot be determined to be eligible",
            reasons=problems,
            hint="Complete the records, determine the donor to be ineligible, or document an"
            " exception, which by itself releases no lot.",
        )
    return ELIGIBLE


def evidence_text(records: DonorRecords, panel: PanelVersion | None) -> str:
    """Key and hash of every record that a determination rests on, one on each line."""
    found = records.evidence | ({panel.key: panel.content_sha256} if panel else {})
    return "\n".join(f"{key} {found[key]}" for key in sorted(found))
