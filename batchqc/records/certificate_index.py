"""The index by which certificates are found: their terms, and the words that they say.

It follows from the frozen content and decides nothing. It is filled when a certificate is reserved;
certificates of before it are carried in from the newest to the oldest, so that the index is whole
once it holds the oldest one.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.base import Row
from batchqc.records.decisions import Certificate

#: The words as PostgreSQL indexes them.
LEXEMES: Final = "array_to_tsvector(string_to_array(words, ' '))"


class CertificateTerm(Row):
    """A term by which a certificate is found."""

    __tablename__ = "certificate_term"
    __table_args__ = (UniqueConstraint("kind", "value", "certificate_id"),)

    kind: Mapped[str]
    value: Mapped[str]
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))

    certificate: Mapped[Certificate] = relationship()

    @property
    def natural_key(self) -> str:
        """Certificate, kind and value."""
        return f"{self.certificate.natural_key}/{self.kind}/{self.value}"


class CertificateText(Row):
    """The words of a certificate, between spaces."""

    __tablename__ = "certificate_text"

    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"), unique=True)
    words: Mapped[str]

    certificate: Mapped[Certificate] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the certificate."""
        return self.certificate.natural_key


def not_indexed(session: Session, *, limit: int) -> Sequence[Certificate]:
    """Certificates that the index lacks, the newest first."""
    oldest = session.scalar(select(func.min(CertificateText.certificate_id)))
    query = select(Certificate).order_by(Certificate.id.desc()).limit(limit)
    if oldest is not None:
        query = query.where(Certificate.id < oldest)
    return session.scalars(query).all()
