"""Copies of certificates: for whom each was printed; what they look like is made anew."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, Session, relationship

from batchqc.records.base import Row, refers_to
from batchqc.records.decisions import Certificate
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by


class CertificateCopy(Row):
    """That a copy of a certificate was printed for somebody; counted from 1 for each."""

    __tablename__ = "certificate_copy"

    certificate_id: Mapped[int] = refers_to("certificate")
    number: Mapped[int]
    recipient: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]

    certificate: Mapped[Certificate] = relationship()
    __table_args__ = (UniqueConstraint("certificate_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Certificate and the how many-th."""
        return f"{self.certificate.natural_key}/{self.number}"


@once
def copies_of(session: Session, certificate: Certificate) -> Sequence[CertificateCopy]:
    """Every copy of a certificate, oldest first."""
    of = CertificateCopy
    return rows_by(session, of, of.certificate_id, [certificate.id], of.number)
