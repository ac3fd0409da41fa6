"""Product quality reviews as kept in the store, and who of QA read them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.registers import Product
from batchqc.records.signatures import SignatureRow, numbered_by

SERIES: Final = "QR"


class QualityReview(Numbered):
    """A review of a product over days of the site: content and document by their hashes.

    ``sequence`` and ``head`` say where the audit trail was when it was made.
    """

    __tablename__ = "quality_review"

    product_id: Mapped[int] = refers_to("product")
    first: Mapped[str]
    last: Mapped[str]
    content_sha: Mapped[str]
    document_sha: Mapped[str]
    sequence: Mapped[int]
    head: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]

    product: Mapped[Product] = relationship()
    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"{SERIES}-{self.year}-{self.number:06d}"


class QualityReviewReading(Row):
    """That somebody of QA read a review, with a signature over the hash of its content."""

    __tablename__ = "quality_review_reading"

    quality_review_id: Mapped[int] = mapped_column(ForeignKey("quality_review.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")

    quality_review: Mapped[QualityReview] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """The number of the review."""
        return self.quality_review.natural_key


def quality_review_by(session: Session, number: str) -> QualityReview | None:
    """The review of a public number."""
    return numbered_by(session, QualityReview, SERIES, number)


def reading_of(session: Session, review: QualityReview) -> QualityReviewReading | None:
    """Who read a review."""
    query = select(QualityReviewReading)
    return session.scalar(query.where(QualityReviewReading.quality_review_id == review.id))


def listed_quality_reviews(
    session: Session, *, product: str, before: QualityReview | None, limit: int
) -> Sequence[tuple[QualityReview, QualityReviewReading | None]]:
    """Reviews, of one product or of all, newest first, each with who read it."""
    query = (
        select(QualityReview, QualityReviewReading)
        .outerjoin(QualityReviewReading, QualityReviewReading.quality_review_id == QualityReview.id)
        .options(
            joinedload(QualityReview.product),
            joinedload(QualityReviewReading.signature).joinedload(SignatureRow.person),
        )
        .order_by(QualityReview.id.desc())
        .limit(limit)
    )
    if product:
        query = query.join(Product, Product.id == QualityReview.product_id).where(
            Product.code == product
        )
    if before is not None:
        query = query.where(QualityReview.id < before.id)
    return [(row, reading) for row, reading in session.execute(query)]
