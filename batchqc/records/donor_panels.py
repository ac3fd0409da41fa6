"""Versions of donor panels as imported, and their approval. The bytes stand in the store."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.base import Row, refers_to
from batchqc.records.signatures import SignatureRow

#: The lock of everybody who imports or approves a panel, or decides over a lot under one.
PANELS: Final = "donor panels"


class PanelVersion(Row):
    """One version of a donor panel: what identifies it, its markets, and the hash of its bytes."""

    __tablename__ = "donor_panel_version"

    panel: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    jurisdiction: Mapped[str]
    markets: Mapped[str]
    effective: Mapped[str]
    file: Mapped[str]
    sha256: Mapped[str]
    author: Mapped[str]
    imported_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("panel", "version"),)

    @property
    def natural_key(self) -> str:
        """Id and version."""
        return f"{self.panel}/{self.version}"

    @property
    def reference(self) -> str:
        """Id and version as people write it."""
        return f"{self.panel} v{self.version}"


class PanelApproval(Row):
    """The signed approval of a version; there is one at the most."""

    __tablename__ = "donor_panel_approval"

    panel_version_id: Mapped[int] = mapped_column(ForeignKey("donor_panel_version.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")

    panel_version: Mapped[PanelVersion] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.panel_version.natural_key


def panel_by(session: Session, panel: str, version: int) -> PanelVersion | None:
    """One version."""
    return session.scalar(
        select(PanelVersion).where(PanelVersion.panel == panel, PanelVersion.version == version)
    )


def all_panels(session: Session) -> Sequence[PanelVersion]:
    """Every version, in the order of import."""
    return session.scalars(select(PanelVersion).order_by(PanelVersion.id)).all()


def panel_approvals(session: Session) -> Sequence[PanelApproval]:
    """Every approval, in the order in which the versions apply."""
    query = select(PanelApproval).join(PanelVersion)
    return session.scalars(query.order_by(PanelVersion.effective, PanelVersion.id)).all()


def panel_approval_of(session: Session, row: PanelVersion) -> PanelApproval | None:
    """The approval of a version."""
    return session.scalar(select(PanelApproval).where(PanelApproval.panel_version_id == row.id))


def panel_in_force(session: Session, panel: str, day: date) -> PanelVersion | None:
    """The approved version of a panel that applies on a day, a date of the site."""
    begun = [
        one.panel_version
        for one in panel_approvals(session)
        if one.panel_version.panel == panel and one.panel_version.effective <= day.isoformat()
    ]
    return begun[-1] if begun else None
