"""Dispositions of lots, certificates, and answers to be given again."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, contains_eager, joinedload, mapped_column, relationship

from batchqc.core.lot_states import Disposition
from batchqc.records.base import Numbered, Row, added_later, few_among_many, refers_to
from batchqc.records.once import once
from batchqc.records.registers import LotRow, Site
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow, parse_number


class DispositionRow(Row):
    """A signed decision over a lot; the newest is its disposition.

    ``content_sha`` names the decision content in the store, which the signature binds.
    """

    __tablename__ = "disposition"

    lot_id: Mapped[int] = refers_to("lot")
    number: Mapped[int]
    disposition: Mapped[str]
    reason: Mapped[str]
    content_sha: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")
    decided_at: Mapped[datetime]

    lot: Mapped[LotRow] = relationship()
    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("lot_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Lot and the how many-th."""
        return f"{self.lot.lot}/{self.number}"


class Certificate(Numbered):
    """A certificate number, reserved with its frozen content when the lot was decided.

    ``let_go`` is the key of the end of a hold with which it was reserved anew, or "".
    """

    __tablename__ = "certificate"

    site_id: Mapped[int] = refers_to("site")
    lot_id: Mapped[int] = refers_to("lot")
    disposition_id: Mapped[int] = refers_to("disposition")
    content_sha: Mapped[str]
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"), index=True)
    reserved_at: Mapped[datetime]
    let_go: Mapped[str] = added_later()

    site: Mapped[Site] = relationship()
    lot: Mapped[LotRow] = relationship()
    disposition: Mapped[DispositionRow] = relationship()
    supersedes: Mapped["Certificate | None"] = relationship(remote_side="Certificate.id")
    __table_args__ = (
        UniqueConstraint("site_id", "year", "number"),
        few_among_many("ix_certificate_renewed", "supersedes_id", "supersedes_id IS NOT NULL"),
    )

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return public_number(self.site.series, self.year, self.number)


def public_number(series: str, year: int, number: int) -> str:
    """The public number of a certificate, such as ``COA-2026-000001``."""
    return f"{series}-{year}-{number:06d}"


class CertificateIssue(Row):
    """The sealed document of a certificate, in the store by its hash.

    ``level`` is the one of PAdES that it reached, and ``provable_until`` how long it proves itself
    without a renewal; both are "" for documents of before.
    """

    __tablename__ = "certificate_issue"

    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"), unique=True)
    document_sha: Mapped[str]
    size: Mapped[int]
    issued_by: Mapped[str]
    issued_at: Mapped[datetime]
    level: Mapped[str] = added_later()
    provable_until: Mapped[str] = added_later()

    certificate: Mapped[Certificate] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the certificate."""
        return self.certificate.natural_key


class Answer(Row):
    """The answer given to a request with an idempotency key, to be given again."""

    __tablename__ = "answer"

    person: Mapped[str]
    idempotency_key: Mapped[str]
    request_sha256: Mapped[str]
    status: Mapped[int]
    body: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("person", "idempotency_key"),)

    @property
    def natural_key(self) -> str:
        """Whose, and the key."""
        return f"{self.person}/{self.idempotency_key}"


@once
def dispositions_of(session: Session, lot: LotRow) -> Sequence[DispositionRow]:
    """Every decision over a lot, oldest first."""
    of = DispositionRow
    return rows_by(session, of, of.lot_id, [lot.id], of.number)


def conditionally_released(session: Session, lots: Iterable[int] | None = None) -> list[LotRow]:
    """Lots that are released conditionally now: of some, by their ids, or of all."""
    query = select(DispositionRow.lot_id, DispositionRow.disposition)
    if lots is not None:
        query = query.where(DispositionRow.lot_id.in_(list(lots)))
    newest = dict[int, str]()
    for lot, disposition in session.execute(query.order_by(DispositionRow.number)):
        newest[lot] = disposition
    ids = [lot for lot, disposition in newest.items() if disposition == Disposition.CONDITIONAL]
    return list(rows_by(session, LotRow, LotRow.id, ids))


def newest_dispositions(session: Session, lots: Iterable[int]) -> dict[int, str]:
    """What the label of each decided lot says, by lot id, of lots by their ids."""
    query = select(DispositionRow.lot_id, DispositionRow.disposition).where(
        DispositionRow.lot_id.in_(list(lots))
    )
    found = session.execute(query.order_by(DispositionRow.number))
    return {lot: disposition for lot, disposition in found}  # noqa: C416 - rows are no pairs


@once
def certificates_of(session: Session, lot: LotRow | None = None) -> Sequence[Certificate]:
    """The certificates of a lot, or all, oldest first."""
    if lot is not None:
        return rows_by(session, Certificate, Certificate.lot_id, [lot.id])
    return session.scalars(select(Certificate).order_by(Certificate.id)).all()


def certificate_let_go(session: Session, lot: int, end: str) -> Certificate | None:
    """The certificate of a lot, by its surrogate id, that was reserved with the end of a hold."""
    return session.scalar(
        select(Certificate).where(Certificate.lot_id == lot, Certificate.let_go == end)
    )


@once
def certificate_by(session: Session, public: str) -> Certificate | None:
    """The certificate of a public number such as ``COA-2026-000001``."""
    parsed = parse_number(public)
    if parsed is None:
        return None
    series, year, number = parsed
    query = (
        select(Certificate)
        .join(Certificate.site)
        .options(contains_eager(Certificate.site), joinedload(Certificate.lot))
        .where(
            Site.series == series,
            Certificate.year == year,
            Certificate.number == number,
        )
    )
    return session.scalar(query)


@once
def issue_of(session: Session, certificate: Certificate) -> CertificateIssue | None:
    """The sealed document of a certificate, or ``None`` while it is pending."""
    of = CertificateIssue
    return next(iter(rows_by(session, of, of.certificate_id, [certificate.id])), None)


def answer_by(session: Session, person: str, key: str) -> Answer | None:
    """The answer that was given to a person's request with an idempotency key."""
    query = select(Answer).where(Answer.person == person, Answer.idempotency_key == key)
    return session.scalar(query)
