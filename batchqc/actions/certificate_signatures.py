"""Who signed for a lot and what was corrected, as its certificate says it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from batchqc.actions.evaluation import LotCase
from batchqc.core.canonical import utc_text
from batchqc.core.certificates import CorrectionPart, Moment, SealPart, SignaturePart, seals_of
from batchqc.records.holds import HoldEnd
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.signatures import SignatureRow


def signatures_of(
    case: LotCase, decision: SignatureRow | None, ended: HoldEnd | None, zone: ZoneInfo
) -> tuple[list[SignaturePart], list[SealPart]]:
    """The signatures behind a certificate, and for which two of them the site's seals stand.

    Those of runs come first, then the newest reviews of the lot and of its audit trail, then the
    decision, and the end of the hold that the certificate is reserved with. The first seal stands
    for the newest review of the lot as a whole, the second for the last signature; before the
    decision there is none.
    """
    further = case.further
    lead = [one for one in further.lot_review.rows if isinstance(one, LotReview)][-1:]
    trail = [one for one in further.audit_review.rows if isinstance(one, AuditReview)][-1:]
    reviews = {review.signature_id: review.signature for review in case.reviews}
    rows = [
        *reviews.values(),
        *(one.signature for one in lead),
        *(one.signature for one in trail),
        *([decision] if decision else []),
        *([ended.signature] if ended else []),
    ]
    signatures = [_signature(one, zone) for one in rows]
    review = next((_signature(one.signature, zone) for one in lead), None)
    return signatures, seals_of(review, signatures[-1]) if decision else []


def moment(when: datetime) -> Moment:
    """An instant as canonical UTC, and as shown to people with its offset."""
    return {"utc": utc_text(when), "shown": when.strftime("%Y-%m-%d %H:%M %z")}


def _signature(row: SignatureRow, zone: ZoneInfo) -> SignaturePart:
    part: SignaturePart = {
        "id": row.natural_key,
        "name": row.name,
        "user_id": row.person.user_id,
        "role": row.role,
        "meaning": row.meaning,
        "reason": row.reason,
        "signed": moment(row.at.astimezone(zone)),
        "record": row.record,
        "record_sha256": row.record_sha256,
    }
    if row.happened_at:
        part["happened"] = moment(row.true_at)
        part["paper"] = row.paper
    return part


def corrections_of_lot(case: LotCase, zone: ZoneInfo) -> list[CorrectionPart]:
    """Every approved correction of registration data."""
    return [
        {
            "subject": one.subject,
            "field": one.field,
            "before": one.before,
            "after": one.after,
            "reason": one.reason,
            "requested_by": one.requested_by,
            "approved_by": decision.signature.person.user_id,
            "approved": moment(decision.signature.at.astimezone(zone)),
        }
        for one, decision in case.corrections
        if decision is not None and decision.approved
    ]
