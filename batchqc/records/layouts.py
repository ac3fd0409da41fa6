"""Layouts of certificates as imported, their life, and the renditions made with them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.base import Row, refers_to
from batchqc.records.decisions import Certificate, certificate_by
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow


class LayoutVersion(Row):
    """One version of a layout: what identifies it, and the hash of its bytes in the store.

    ``recipient`` is blank of a layout of the site's certificates, ``product`` of one for all.
    """

    __tablename__ = "layout_version"

    layout: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    recipient: Mapped[str]
    product: Mapped[str]
    file: Mapped[str]
    sha256: Mapped[str]
    author: Mapped[str]
    imported_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("layout", "version"),)

    @property
    def natural_key(self) -> str:
        """Id and version."""
        return f"{self.layout}/{self.version}"

    @property
    def reference(self) -> str:
        """Id and version as people write it."""
        return f"{self.layout} v{self.version}"


class LayoutSubmission(Row):
    """A draft that its author gave up for review; there is one at the most."""

    __tablename__ = "layout_submission"

    layout_version_id: Mapped[int] = mapped_column(ForeignKey("layout_version.id"), unique=True)
    submitted_by: Mapped[str]
    submitted_at: Mapped[datetime]

    layout_version: Mapped[LayoutVersion] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.layout_version.natural_key


class LayoutApproval(Row):
    """The signed approval of a version by a second person; there is one at the most."""

    __tablename__ = "layout_approval"

    layout_version_id: Mapped[int] = mapped_column(ForeignKey("layout_version.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")

    layout_version: Mapped[LayoutVersion] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.layout_version.natural_key


class LayoutWithdrawal(Row):
    """The signed withdrawal of an approved version; there is one at the most."""

    __tablename__ = "layout_withdrawal"

    layout_version_id: Mapped[int] = mapped_column(ForeignKey("layout_version.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")

    layout_version: Mapped[LayoutVersion] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.layout_version.natural_key


class CertificateRendition(Row):
    """What a recipient got of a certificate: content and sealed document, in the store."""

    __tablename__ = "certificate_rendition"

    certificate_id: Mapped[int] = refers_to("certificate")
    layout_version_id: Mapped[int] = refers_to("layout_version")
    content_sha: Mapped[str]
    document_sha: Mapped[str]
    size: Mapped[int]
    made_by: Mapped[str]
    made_at: Mapped[datetime]

    certificate: Mapped[Certificate] = relationship()
    layout_version: Mapped[LayoutVersion] = relationship()
    __table_args__ = (UniqueConstraint("certificate_id", "layout_version_id"),)

    @property
    def natural_key(self) -> str:
        """Certificate and version of the layout."""
        return f"{self.certificate.natural_key}/{self.layout_version.natural_key}"


def layout_by(session: Session, layout: str, version: int) -> LayoutVersion | None:
    """One version."""
    query = select(LayoutVersion).where(
        LayoutVersion.layout == layout, LayoutVersion.version == version
    )
    return session.scalar(query)


def all_layouts(session: Session) -> Sequence[LayoutVersion]:
    """Every version, by id and version."""
    order = (LayoutVersion.layout, LayoutVersion.version)
    return session.scalars(select(LayoutVersion).order_by(*order)).all()


def submission_of_layout(session: Session, version: LayoutVersion) -> LayoutSubmission | None:
    """The submission of a version for review."""
    query = select(LayoutSubmission).where(LayoutSubmission.layout_version_id == version.id)
    return session.scalar(query)


def approval_of_layout(session: Session, version: LayoutVersion) -> LayoutApproval | None:
    """The approval of a version."""
    query = select(LayoutApproval).where(LayoutApproval.layout_version_id == version.id)
    return session.scalar(query)


def withdrawal_of_layout(session: Session, version: LayoutVersion) -> LayoutWithdrawal | None:
    """The withdrawal of a version."""
    query = select(LayoutWithdrawal).where(LayoutWithdrawal.layout_version_id == version.id)
    return session.scalar(query)


def signed_of_layouts(session: Session) -> list[LayoutApproval | LayoutWithdrawal]:
    """Every approval and every withdrawal."""
    return [*session.scalars(select(LayoutApproval)), *session.scalars(select(LayoutWithdrawal))]


def newest_approved_layout(session: Session, layout: str) -> LayoutApproval | None:
    """The approval of the newest approved version of a layout."""
    query = (
        select(LayoutApproval)
        .join(LayoutVersion)
        .where(LayoutVersion.layout == layout)
        .order_by(LayoutVersion.version.desc())
    )
    return session.scalars(query).first()


def site_layout(session: Session, product: str) -> LayoutApproval | None:
    """The layout of the site's certificates that was approved last, the product's own first.

    One that was withdrawn is passed over. Which one is the last is said by the numbers of the
    signatures, which hashes hold; those of rows they do not.
    """
    query = (
        select(LayoutApproval)
        .join(LayoutVersion)
        .join(SignatureRow)
        .where(LayoutVersion.recipient == "", LayoutVersion.product.in_(["", product]))
        .where(LayoutVersion.id.not_in(select(LayoutWithdrawal.layout_version_id)))
        .order_by(
            (LayoutVersion.product == "").asc(),
            SignatureRow.year.desc(),
            SignatureRow.number.desc(),
        )
    )
    return session.scalars(query).first()


def rendition_by(
    session: Session, certificate: Certificate, version: LayoutVersion
) -> CertificateRendition | None:
    """The rendition of a certificate under a version of a layout."""
    query = select(CertificateRendition).where(
        CertificateRendition.certificate_id == certificate.id,
        CertificateRendition.layout_version_id == version.id,
    )
    return session.scalar(query)


@once
def renditions_of(session: Session, certificate: Certificate) -> Sequence[CertificateRendition]:
    """The renditions of a certificate."""
    of = CertificateRendition
    return rows_by(session, of, of.certificate_id, [certificate.id])


def rendition_named(session: Session, name: str) -> CertificateRendition | None:
    """The rendition of a natural key such as ``COA-2026-000001/COA-DE-A4/1``."""
    number, _, rest = name.partition("/")
    layout, _, version = rest.rpartition("/")
    certificate = certificate_by(session, number)
    is_number = version.isdecimal() and len(version) < 8
    row = layout_by(session, layout, int(version)) if is_number else None
    return rendition_by(session, certificate, row) if certificate and row else None
