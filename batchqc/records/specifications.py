"""Specification versions as imported, and their approval. The bytes stand in the store."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.base import Row, refers_to
from batchqc.records.signatures import SignatureRow


class SpecificationVersion(Row):
    """One version: what identifies it, and the hash of its bytes, which are the record."""

    __tablename__ = "specification_version"

    specification: Mapped[str]
    version: Mapped[int]
    product: Mapped[str] = mapped_column(index=True)
    stage: Mapped[str]
    title: Mapped[str]
    effective: Mapped[str]
    file: Mapped[str]
    sha256: Mapped[str]
    author: Mapped[str]
    imported_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("specification", "version"),)

    @property
    def natural_key(self) -> str:
        """Id and version."""
        return f"{self.specification}/{self.version}"

    @property
    def reference(self) -> str:
        """Id and version as people write it."""
        return f"{self.specification} v{self.version}"


class SpecificationApproval(Row):
    """The signed approval of a version; there is one at the most."""

    __tablename__ = "specification_approval"

    specification_version_id: Mapped[int] = refers_to("specification_version")
    signature_id: Mapped[int] = refers_to("signature")

    specification_version: Mapped[SpecificationVersion] = relationship()
    signature: Mapped[SignatureRow] = relationship()
    __table_args__ = (UniqueConstraint("specification_version_id"),)

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.specification_version.natural_key


def version_by(session: Session, specification: str, version: int) -> SpecificationVersion | None:
    """One version."""
    query = select(SpecificationVersion).where(
        SpecificationVersion.specification == specification, SpecificationVersion.version == version
    )
    return session.scalar(query)


def approval_of(session: Session, version: SpecificationVersion) -> SpecificationApproval | None:
    """The approval of a version."""
    query = select(SpecificationApproval)
    return session.scalar(query.where(SpecificationApproval.specification_version_id == version.id))


def all_versions(session: Session) -> Sequence[SpecificationVersion]:
    """Every version, by id and version."""
    order = (SpecificationVersion.specification, SpecificationVersion.version)
    return session.scalars(select(SpecificationVersion).order_by(*order)).all()


def approved_versions(
    session: Session, *, product: str, stage: str
) -> Sequence[SpecificationVersion]:
    """The approved versions for a product and stage, by the date from which they apply."""
    query = (
        select(SpecificationVersion)
        .join(
            SpecificationApproval,
            SpecificationApproval.specification_version_id == SpecificationVersion.id,
        )
        .where(SpecificationVersion.product == product, SpecificationVersion.stage == stage)
        .order_by(SpecificationVersion.effective, SpecificationVersion.version)
    )
    return session.scalars(query).all()
