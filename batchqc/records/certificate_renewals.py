"""Renewals of certificates: the same bytes with one more timestamp behind them, stored anew."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, relationship

from batchqc.records.base import Row, refers_to
from batchqc.records.decisions import Certificate, CertificateIssue
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by


class CertificateRenewal(Row):
    """A renewed document of a certificate, in the store by its hash; the newest one counts.

    Its bytes begin with those that were issued. ``provable_until`` is how long it proves itself.
    """

    __tablename__ = "certificate_renewal"

    certificate_id: Mapped[int] = refers_to("certificate")
    number: Mapped[int]
    document_sha: Mapped[str]
    size: Mapped[int]
    provable_until: Mapped[str]
    renewed_by: Mapped[str]
    renewed_at: Mapped[datetime]

    certificate: Mapped[Certificate] = relationship()
    __table_args__ = (UniqueConstraint("certificate_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Certificate and the how many-th."""
        return f"{self.certificate.natural_key}/{self.number}"


@once
def renewals_of(session: Session, certificate: Certificate) -> Sequence[CertificateRenewal]:
    """The renewals of a certificate, oldest first."""
    of = CertificateRenewal
    return rows_by(session, of, of.certificate_id, [certificate.id], of.number)


def newest_documents(session: Session) -> Iterator[CertificateIssue | CertificateRenewal]:
    """The document of each issued certificate that proves itself longest, by certificate."""
    newest: dict[int, CertificateRenewal] = {
        one.certificate_id: one
        for one in session.scalars(select(CertificateRenewal).order_by(CertificateRenewal.number))
    }
    query = select(CertificateIssue).order_by(CertificateIssue.certificate_id)
    for issue in session.scalars(query.execution_options(yield_per=1000)):
        yield newest.get(issue.certificate_id, issue)
