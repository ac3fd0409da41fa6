"""Random samples of the audit trail, and who reviewed them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, relationship

from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.rows_by import load_their, rows_by
from batchqc.records.signatures import SignatureRow, numbered_by

SERIES: Final = "TS"


class TrailSample(Numbered):
    """Entries that were drawn of a range of the trail, by the hash of their list, and its head."""

    __tablename__ = "trail_sample"

    first: Mapped[int]
    last: Mapped[int]
    head: Mapped[str]
    content_sha: Mapped[str]
    drawn_by: Mapped[str]
    drawn_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"{SERIES}-{self.year}-{self.number:06d}"


class TrailSampleReview(Row):
    """That somebody of QA read the drawn entries which others did, with a signature."""

    __tablename__ = "trail_sample_review"

    trail_sample_id: Mapped[int] = refers_to("trail_sample")
    signature_id: Mapped[int] = refers_to("signature")
    number: Mapped[int]

    trail_sample: Mapped[TrailSample] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    __table_args__ = (UniqueConstraint("trail_sample_id", "number"),)

    @property
    def natural_key(self) -> str:
        """The number of the sample, and which review of it."""
        return f"{self.trail_sample.natural_key}/{self.number}"


def sample_by(session: Session, number: str) -> TrailSample | None:
    """The sample of a public number."""
    return numbered_by(session, TrailSample, SERIES, number)


def newest_sample(session: Session) -> TrailSample | None:
    """The sample that was drawn last."""
    return session.scalar(select(TrailSample).order_by(TrailSample.id.desc()).limit(1))


def reviews_of_samples(
    session: Session, samples: Iterable[TrailSample]
) -> Mapping[int, Sequence[TrailSampleReview]]:
    """The reviews of each of some samples by its surrogate id, oldest first."""
    of = TrailSampleReview
    found: dict[int, list[TrailSampleReview]] = {one.id: [] for one in samples}
    rows = rows_by(session, of, of.trail_sample_id, found, of.number)
    load_their(session, rows, of.signature)
    load_their(session, [one.signature for one in rows], SignatureRow.person)
    for one in rows:
        found[one.trail_sample_id].append(one)
    return found


def samples_to_read(session: Session) -> Sequence[TrailSample]:
    """The samples that fewer than two people reviewed, oldest first."""
    of = TrailSampleReview
    read = (
        select(of.trail_sample_id)
        .join(SignatureRow, SignatureRow.id == of.signature_id)
        .group_by(of.trail_sample_id)
        .having(func.count(SignatureRow.person_id.distinct()) > 1)
    )
    query = select(TrailSample).where(TrailSample.id.not_in(read))
    return session.scalars(query.order_by(TrailSample.id)).all()
