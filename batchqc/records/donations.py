"""Donations: what a donor gave on a day, under an identification that is never used again."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.identifiers import fold
from batchqc.records.base import Row, refers_to
from batchqc.records.registers import DonorRow


class Donation(Row):
    """One donation: its identification, day (a date of the site), place, tissue, and donor then.

    ``kind`` is "DIN", "SEC" or "local". ``folded`` is the part that names the donation, compared
    without case: of a Single European Code the first 21 characters. ``donor_age`` and
    ``donor_sex`` are blank where nobody stated them. ``tested_person`` is whose blood is tested:
    "donor", or "birth mother" of a donor of at most one month.
    """

    __tablename__ = "donation"

    donor_id: Mapped[int] = refers_to("donor")
    number: Mapped[int]
    donation: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    donated_on: Mapped[str]
    establishment: Mapped[str]
    address: Mapped[str]
    tissue: Mapped[str]
    donor_age: Mapped[str]
    donor_sex: Mapped[str]
    tested_person: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    donor: Mapped[DonorRow] = relationship()
    __table_args__ = (UniqueConstraint("donor_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Its identification as registered."""
        return self.donation


def donation_by(session: Session, donation: str) -> Donation | None:
    """The donation of an identification, compared without case."""
    return session.scalar(select(Donation).where(Donation.folded == fold(donation)))


def donations_of(session: Session, donors: Iterable[DonorRow]) -> Sequence[Donation]:
    """The donations of some donors, oldest registration first."""
    ids = [donor.id for donor in donors]
    return session.scalars(
        select(Donation).where(Donation.donor_id.in_(ids)).order_by(Donation.id)
    ).all()
