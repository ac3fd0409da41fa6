"""Clinical sites, shipments with their receipt, and recipients by pseudonym."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.identifiers import fold
from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.containers import Container
from batchqc.records.signatures import numbered_by


class ClinicalSite(Row):
    """A version of what is known of a clinical site; the newest counts."""

    __tablename__ = "clinical_site"

    code: Mapped[str]
    folded: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    name: Mapped[str]
    address: Mapped[str]
    contact: Mapped[str]
    reason: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("folded", "number"),)

    @property
    def natural_key(self) -> str:
        """Code and version."""
        return f"{self.folded}/{self.number}"


class Shipment(Numbered):
    """Containers on their way to a clinical site since a day, with courier and temperature record.

    ``clinical_site`` is the version of the site that counted then.
    """

    __tablename__ = "shipment"

    clinical_site_id: Mapped[int] = refers_to("clinical_site")
    shipped_on: Mapped[str]
    courier: Mapped[str]
    temperature_record: Mapped[str]
    shipped_by: Mapped[str]
    recorded_at: Mapped[datetime]

    clinical_site: Mapped[ClinicalSite] = relationship()
    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"SHP-{self.year}-{self.number:06d}"


class ShippedContainer(Row):
    """That a container went with a shipment."""

    __tablename__ = "shipped_container"

    shipment_id: Mapped[int] = refers_to("shipment")
    container_id: Mapped[int] = refers_to("container")

    shipment: Mapped[Shipment] = relationship()
    container: Mapped[Container] = relationship()
    __table_args__ = (UniqueConstraint("shipment_id", "container_id"),)

    @property
    def natural_key(self) -> str:
        """Shipment and container."""
        return f"{self.shipment.natural_key}/{self.container.container}"


class Receipt(Row):
    """That a site received a shipment, and in which state it says it came."""

    __tablename__ = "receipt"

    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), unique=True)
    received_on: Mapped[str]
    condition: Mapped[str]
    reported_by: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    shipment: Mapped[Shipment] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the shipment."""
        return self.shipment.natural_key


class Recipient(Row):
    """A recipient by pseudonym; whose it is, only the clinical site knows."""

    __tablename__ = "recipient"

    pseudonym: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    site: Mapped[str]
    registered_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """The pseudonym."""
        return self.pseudonym


class Administration(Row):
    """That a container was given to a recipient on a day, as the site reports."""

    __tablename__ = "administration"

    container_id: Mapped[int] = refers_to("container")
    recipient_id: Mapped[int] = refers_to("recipient")
    administered_on: Mapped[str]
    reported_by: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    container: Mapped[Container] = relationship()
    recipient: Mapped[Recipient] = relationship()
    __table_args__ = (UniqueConstraint("container_id"),)

    @property
    def natural_key(self) -> str:
        """Recipient and container."""
        return f"{self.recipient.pseudonym}/{self.container.container}"


def sites_newest(session: Session) -> Sequence[ClinicalSite]:
    """The newest version of every clinical site, by code."""
    rows = session.scalars(select(ClinicalSite).order_by(ClinicalSite.number))
    newest = {row.folded: row for row in rows}
    return [newest[one] for one in sorted(newest)]


def site_by(session: Session, code: str) -> ClinicalSite | None:
    """The newest version of a clinical site."""
    query = select(ClinicalSite).where(ClinicalSite.folded == fold(code))
    return session.scalar(query.order_by(ClinicalSite.number.desc()).limit(1))


def shipment_by(session: Session, public: str) -> Shipment | None:
    """The shipment of a public number such as ``SHP-2026-000001``."""
    return numbered_by(session, Shipment, "SHP", public)


def shipped_in(session: Session, shipments: Iterable[int]) -> Sequence[ShippedContainer]:
    """What went with some shipments, by their ids."""
    query = select(ShippedContainer).where(ShippedContainer.shipment_id.in_(list(shipments)))
    return session.scalars(query.order_by(ShippedContainer.id)).all()


def shipped_of(session: Session, containers: Iterable[int]) -> Sequence[ShippedContainer]:
    """With which shipments some containers went, by their ids, oldest first."""
    query = select(ShippedContainer).where(ShippedContainer.container_id.in_(list(containers)))
    return session.scalars(query.order_by(ShippedContainer.id)).all()


def receipts_of(session: Session, shipments: Iterable[int]) -> Sequence[Receipt]:
    """The receipts of some shipments, by their ids."""
    return session.scalars(select(Receipt).where(Receipt.shipment_id.in_(list(shipments)))).all()


def administrations_of(session: Session, containers: Iterable[int]) -> Sequence[Administration]:
    """To whom some containers were given, by their ids."""
    query = select(Administration).where(Administration.container_id.in_(list(containers)))
    return session.scalars(query).all()


def recipient_by(session: Session, pseudonym: str) -> Recipient | None:
    """The recipient of a pseudonym, compared without case."""
    return session.scalar(select(Recipient).where(Recipient.folded == fold(pseudonym)))
