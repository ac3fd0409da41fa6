"""What a conditional release rests on: results that are due, and the sites that may have doses."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, exists, or_, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from batchqc.records.base import Row, refers_to
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by


class PendingResult(Row):
    """A criterion whose result is due on a day (ISO 8601, site-local, the last one in time)."""

    __tablename__ = "pending_result"

    disposition_id: Mapped[int] = refers_to("disposition")
    criterion: Mapped[str]
    due_on: Mapped[str]

    disposition: Mapped[DispositionRow] = relationship()
    __table_args__ = (UniqueConstraint("disposition_id", "criterion"),)

    @property
    def natural_key(self) -> str:
        """Decision and criterion."""
        return f"{self.disposition.natural_key}/{self.criterion}"


class ConditionalSite(Row):
    """A clinical site, by its code, that may have doses of a conditionally released lot."""

    __tablename__ = "conditional_site"

    disposition_id: Mapped[int] = refers_to("disposition")
    site: Mapped[str]

    disposition: Mapped[DispositionRow] = relationship()
    __table_args__ = (UniqueConstraint("disposition_id", "site"),)

    @property
    def natural_key(self) -> str:
        """Decision and site."""
        return f"{self.disposition.natural_key}/{self.site}"


class CertificateWithdrawal(Row):
    """That a certificate no longer says what is so, since when and why; its bytes stay."""

    __tablename__ = "certificate_withdrawal"

    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"), unique=True)
    reason: Mapped[str]
    about: Mapped[str]
    withdrawn_by: Mapped[str]
    withdrawn_at: Mapped[datetime]

    certificate: Mapped[Certificate] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the certificate."""
        return self.certificate.natural_key


def pending_results(session: Session, decisions: Iterable[int]) -> Sequence[PendingResult]:
    """What is due under some decisions, by their ids."""
    query = select(PendingResult).where(PendingResult.disposition_id.in_(list(decisions)))
    return session.scalars(query.order_by(PendingResult.id)).all()


def conditional_sites(session: Session, decisions: Iterable[int]) -> Sequence[ConditionalSite]:
    """Which sites may have doses under some decisions, by their ids."""
    query = select(ConditionalSite).where(ConditionalSite.disposition_id.in_(list(decisions)))
    return session.scalars(query.order_by(ConditionalSite.id)).all()


def due_days(rows: Iterable[PendingResult]) -> dict[str, date]:
    """The day on which each criterion is due."""
    return {row.criterion: date.fromisoformat(row.due_on) for row in rows}


@once
def withdrawal_of(session: Session, certificate: Certificate) -> CertificateWithdrawal | None:
    """The withdrawal of a certificate, or ``None``."""
    of = CertificateWithdrawal
    return next(iter(rows_by(session, of, of.certificate_id, [certificate.id])), None)


@cache
def counts_no_more() -> ColumnElement[bool]:
    """Of certificates, those that were withdrawn or superseded."""
    newer = aliased(Certificate)
    return or_(
        exists().where(CertificateWithdrawal.certificate_id == Certificate.id),
        exists().where(newer.supersedes_id == Certificate.id),
    )


@once
def superseding_certificate(session: Session, certificate: Certificate) -> Certificate | None:
    """The certificate that supersedes another, or ``None``."""
    of = Certificate
    return next(iter(rows_by(session, of, of.supersedes_id, [certificate.id])), None)
