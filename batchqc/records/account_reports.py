"""Reports on all accounts, as kept in the store, and who reviewed them."""

from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.signatures import SignatureRow, numbered_by

SERIES: Final = "AR"


class AccountReport(Numbered):
    """What the accounts were: the content by its hash, and the head of the audit trail it is of."""

    __tablename__ = "account_report"

    since: Mapped[str]
    content_sha: Mapped[str]
    sequence: Mapped[int]
    head: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"{SERIES}-{self.year}-{self.number:06d}"


class AccountReview(Row):
    """That somebody of QA reviewed a report on all accounts, with a signature."""

    __tablename__ = "account_review"

    account_report_id: Mapped[int] = mapped_column(ForeignKey("account_report.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")

    account_report: Mapped[AccountReport] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """The number of the report."""
        return self.account_report.natural_key


def report_by(session: Session, number: str) -> AccountReport | None:
    """The report of a public number."""
    return numbered_by(session, AccountReport, SERIES, number)


def newest_report(session: Session) -> AccountReport | None:
    """The report that was kept last."""
    return session.scalar(select(AccountReport).order_by(AccountReport.id.desc()).limit(1))


def review_of(session: Session, report: AccountReport) -> AccountReview | None:
    """The review of a report."""
    query = select(AccountReview).where(AccountReview.account_report_id == report.id)
    return session.scalar(query)
