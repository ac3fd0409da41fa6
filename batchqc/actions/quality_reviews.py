"""The product quality review: made of the records, kept by its hash, signed by QA as read.

The content hangs on records and period alone: the same records give the same bytes, whoever asks
and whenever. Number, maker, time and the head of the audit trail stand in the row beside it.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc import __version__
from batchqc.actions.permission import require
from batchqc.actions.registers import found_or_not, the_product
from batchqc.actions.review_decisions import decision_tables
from batchqc.actions.review_doubts import doubt_tables
from batchqc.actions.review_flags import flags
from batchqc.actions.review_laboratory import (
    result_tables,
    run_tables,
    source_tables,
    version_tables,
)
from batchqc.actions.review_lots import ReviewedLots, reviewed_lots
from batchqc.actions.review_tables import Days, table
from batchqc.actions.review_trends import charts, reviewed_trends, trend_tables
from batchqc.actions.role_terms import site_day
from batchqc.actions.setup import own_site
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.actions.trends import Trends
from batchqc.core.audit import Link
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.core.quality_reviews import Period
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import Conflict, InvalidInput
from batchqc.records.audit import newest_link
from batchqc.records.quality_reviews import (
    QualityReview,
    QualityReviewReading,
    quality_review_by,
    reading_of,
)
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction

CONTENT_TYPE: Final = "batchqc/quality-review/1"

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A review: its content, the canonical bytes of that, and the document."""

    content: Content
    data: bytes
    document: bytes


def review_content(
    session: Session,
    archive: Archive,
    *,
    product: str,
    period: Period,
    trends: Trends | None = None,
) -> dict[str, Json]:
    """Everything that a review says, from the records as they are.

    Raises:
        NotFound: there is no such product.
    """
    site, row = own_site(session), the_product(session, product)
    days = Days.of(period, ZoneInfo(site.time_zone))
    lots = reviewed_lots(session, archive, product=row, period=period)
    found = reviewed_trends(session, archive, row.code, lots, trends or Trends())
    return {
        "type": CONTENT_TYPE,
        "site": {
            "name": site.name,
            "address": site.address.splitlines(),
            "time_zone": site.time_zone,
        },
        "specimen": site.specimen,
        "product": {"code": row.code, "name": row.name, "form": row.form, "storage": row.storage},
        "period": {"first": period.first.isoformat(), "last": period.last.isoformat()},
        "software": __version__,
        "damaged": sorted(lots.damaged),
        "tables": [
            *_lots(lots),
            *decision_tables(session, row, days),
            *doubt_tables(session, row, days),
            *run_tables(session, archive, row, days),
            *result_tables(session, archive, row, days, lots),
            *source_tables(session, lots),
            *version_tables(session, row, days, lots),
            flags(found),
        ],
        "charts": charts(found),
        "annex": [*trend_tables(found)],
    }


def make_review(
    session: Session,
    archive: Archive,
    *,
    product: str,
    period: Period,
    fonts: Path,
    trends: Trends | None = None,
) -> Made:
    """A review with its document; nothing is kept.

    Raises:
        NotFound: there is no such product.
    """
    from batchqc.documents.quality_review import (  # noqa: PLC0415 - only who reports pays for it
        review_document,
    )

    content = review_content(session, archive, product=product, period=period, trends=trends)
    data = canonical_bytes(content)
    return Made(content, data, review_document(json.loads(data), fonts=fonts))


def keep_review(
    tx: Transaction,
    archive: Archive,
    *,
    product: str,
    period: Period,
    fonts: Path,
    trends: Trends | None = None,
) -> QualityReview:
    """Make a review and keep it; it names the head of the audit trail.

    Raises:
        NotFound: there is no such product.
        InvalidInput: the period is not over, or ends before it begins.
    """
    require(tx, Permission.KEEP_QUALITY_REVIEW)
    check_period(tx.session, period, tx.now)
    made = make_review(
        tx.session, archive, product=product, period=period, fonts=fonts, trends=trends
    )
    link = newest_link(tx.session)
    return keep_made(tx, archive, made, period=period, link=link)


def keep_made(
    tx: Transaction, archive: Archive, made: Made, *, period: Period, link: Link | None
) -> QualityReview:
    """Keep a review of the records as they were at a place in the audit trail."""
    require(tx, Permission.KEEP_QUALITY_REVIEW)
    tx.lock(f"quality reviews of {tx.now.year}")
    row = QualityReview(
        year=tx.now.year,
        number=next_number(tx.session, QualityReview, tx.now.year),
        product=the_product(tx.session, made.content["product"]["code"]),
        first=period.first.isoformat(),
        last=period.last.isoformat(),
        content_sha=archive.put(made.data),
        document_sha=archive.put(made.document),
        sequence=link.sequence if link else 0,
        head=link.sha256 if link else "",
        made_by=tx.actor.user_id,
        made_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "quality review made",
        rows=[row],
        about=[row.product.key],
        after={"first": row.first, "last": row.last, "sha256": row.content_sha},
    )
    return row


def read_review(
    tx: Transaction, archive: Archive, *, number: str, sha256: str, credentials: Credentials
) -> QualityReviewReading | Refusal:
    """Sign that a review was read; what follows from it stands in the reason.

    Args:
        tx: of somebody of QA.
        archive: holds content and document, which must still be what their hashes say.
        number: of the review.
        sha256: of its content, by which the signer says which content that is.
        credentials: of the signer.

    Raises:
        NotFound: there is no such review.
        InvalidInput: the hash is that of something else.
        Conflict: it was signed already.
        IntegrityFailure: content or document were changed or removed.
    """
    require(tx, Permission.SIGN_QUALITY_REVIEW)
    check_reason(credentials.reason)
    review = the_review(tx.session, number)
    tx.lock(review.key)
    if reading_of(tx.session, review) is not None:
        raise Conflict("BQC-PQR-003", f"{review.natural_key} was signed already")
    if sha256 != review.content_sha:
        raise InvalidInput(
            "BQC-PQR-004",
            f"this is not the SHA-256 of {review.natural_key}",
            hint="Read the review that you sign, and send the hash that it carries.",
        )
    for stored in (review.content_sha, review.document_sha):
        archive.get(stored)
    signature = sign(
        tx,
        credentials,
        meaning=Meaning.REVIEWED,
        record=review.key,
        record_sha256=review.content_sha,
    )
    if isinstance(signature, Refusal):
        return signature
    reading = QualityReviewReading(quality_review=review, signature=signature)
    tx.add(reading)
    tx.audit(
        "quality review read",
        rows=[signature, reading],
        about=[review.key, review.product.key],
        reason=credentials.reason,
        after={"sha256": review.content_sha, "sequence": review.sequence, "head": review.head},
    )
    return reading


def check_period(session: Session, period: Period, now: datetime) -> None:
    """Refuse days that are no period, or that are still to come.

    Raises:
        InvalidInput: with the reason.
    """
    if problem := period.problem(site_day(session, now)):
        raise InvalidInput("BQC-PQR-001", f"the period cannot be reviewed: {problem}")


def the_review(session: Session, number: str) -> QualityReview:
    """The review of a number, or NotFound."""
    found = quality_review_by(session, number)
    return found_or_not(found, "BQC-PQR-002", f"there is no quality review {number}")


def content_of_review(archive: Archive, review: QualityReview) -> dict[str, Any]:
    """What a kept review says.

    Raises:
        IntegrityFailure: its bytes are not those that were stored.
    """
    content: dict[str, Any] = json.loads(archive.get(review.content_sha))
    return content


def annex(content: Content) -> dict[str, bytes]:
    """One CSV file for each table, by name without ending."""
    return {
        one["name"]: csv_bytes([one["columns"], *one["rows"]])
        for one in (*content["tables"], *content["annex"])
    }


def _lots(lots: ReviewedLots) -> list[Json]:
    counted = Counter(one.disposition for one in lots.lots)
    return [
        table(
            "lots_counted", "Lots made, counted", ("Disposition", "Lots"),
            [("made", len(lots.lots)),
             *((f"now {one.value}", counted[one.value]) for one in Disposition)],
            note="Of lots made within the period, as they stand when the review is made.",
            numbers=1,
        ),
        table(
            "lots", "Lots made",
            ("Lot", "Made on", "Market", "Donor", "Specifications", "Disposition"),
            ((one.row.lot, one.made_on, one.row.market or "every market", one.donor,
              ", ".join(dict.fromkeys(version.reference for version, _ in one.judged)),
              one.disposition) for one in lots.lots),
            note="By date of manufacture, as corrected.",
        ),
    ]  # fmt: skip
