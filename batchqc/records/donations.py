"""Donations under identifications that are never used again, their tests, pools and consents."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.donation_ids import DIS_LENGTH, IdKind, known_by
from batchqc.core.identifiers import fold
from batchqc.records.base import Row, refers_to
from batchqc.records.corrections import Correction, CorrectionDecision
from batchqc.records.once import once
from batchqc.records.registers import DonorRow
from batchqc.records.rows_by import rows_by


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


class DonorTest(Row):
    """One result of a donation: marker, word, whose specimen was taken when, and by whom tested.

    ``statement`` says that the laboratory is certified (CLIA) or equivalent. ``document_sha256`` is
    the hash of its report.
    """

    __tablename__ = "donor_test"

    donation_id: Mapped[int] = refers_to("donation")
    number: Mapped[int]
    marker: Mapped[str]
    result: Mapped[str]
    person: Mapped[str]
    specimen: Mapped[str]
    taken_text: Mapped[str]
    taken_at: Mapped[datetime]
    laboratory: Mapped[str]
    statement: Mapped[str]
    kit: Mapped[str]
    document_sha256: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    donation: Mapped[Donation] = relationship()
    __table_args__ = (UniqueConstraint("donation_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Donation and the how many-th result of it."""
        return f"{self.donation.donation}/{self.number}"


class Consent(Row):
    """A consent of a donor: the version that was signed, on which day, for what (one per line)."""

    __tablename__ = "consent"

    donor_id: Mapped[int] = refers_to("donor")
    number: Mapped[int]
    version: Mapped[str]
    scopes: Mapped[str]
    given_on: Mapped[str]
    document_sha256: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    donor: Mapped[DonorRow] = relationship()
    __table_args__ = (UniqueConstraint("donor_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Donor and the how many-th consent."""
        return f"{self.donor.code}/{self.number}"


class ConsentWithdrawal(Row):
    """That a consent was withdrawn, and why; there is one at the most."""

    __tablename__ = "consent_withdrawal"

    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"), unique=True)
    withdrawn_on: Mapped[str]
    reason: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    consent: Mapped[Consent] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the consent."""
        return self.consent.natural_key


class DonationPool(Row):
    """Donations that were put together under an identification of their own."""

    __tablename__ = "donation_pool"

    pool: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    pooled_on: Mapped[str]
    reason: Mapped[str]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """Its identification as registered."""
        return self.pool


class DonationPoolPart(Row):
    """A donation in a pool."""

    __tablename__ = "donation_pool_part"

    donation_pool_id: Mapped[int] = refers_to("donation_pool")
    donation_id: Mapped[int] = refers_to("donation")

    donation_pool: Mapped[DonationPool] = relationship()
    donation: Mapped[Donation] = relationship()
    __table_args__ = (UniqueConstraint("donation_pool_id", "donation_id"),)

    @property
    def natural_key(self) -> str:
        """Pool and donation."""
        return f"{self.donation_pool.pool}/{self.donation.donation}"


def donation_by(session: Session, donation: str) -> Donation | None:
    """The donation of an identification, as registered or corrected, in any form of it."""
    folded = known_by(donation)
    found = session.scalar(select(Donation).where(Donation.folded == folded))
    same = [func.lower(Correction.after) == folded]
    if len(folded) == DIS_LENGTH:
        part = func.lower(func.substr(Correction.after, 1, DIS_LENGTH))
        same.append(and_(Donation.kind == IdKind.SEC.value, part == folded))
    return found or session.scalar(
        select(Donation)
        .join(Correction, Correction.subject == "donation:" + Donation.donation)
        .join(CorrectionDecision, CorrectionDecision.correction_id == Correction.id)
        .where(Correction.field == "donation", CorrectionDecision.approved == 1, or_(*same))
    )


def id_taken(session: Session, text: str) -> Donation | DonationPool | None:
    """What has an identification already."""
    return donation_by(session, text) or pool_by(session, text)


def test_by(session: Session, name: str) -> DonorTest | None:
    """The result of a natural key such as ``G123498654321/1``."""
    donation, _, number = name.rpartition("/")
    query = select(DonorTest).join(Donation).where(Donation.donation == donation)
    return session.scalar(query.where(DonorTest.number == _whole(number)))


def consent_by(session: Session, name: str) -> Consent | None:
    """The consent of a natural key such as ``DNR-UC-01/1``."""
    donor, _, number = name.rpartition("/")
    query = select(Consent).join(DonorRow).where(DonorRow.folded == fold(donor))
    return session.scalar(query.where(Consent.number == _whole(number)))


def pool_by(session: Session, pool: str) -> DonationPool | None:
    """The pool of an identification, in any of the forms in which it is written."""
    return session.scalar(select(DonationPool).where(DonationPool.folded == known_by(pool)))


@once
def donations_of(session: Session, donors: Iterable[DonorRow]) -> Sequence[Donation]:
    """The donations of some donors, oldest registration first."""
    return rows_by(session, Donation, Donation.donor_id, (donor.id for donor in donors))


def tests_of(session: Session, donations: Iterable[Donation]) -> Sequence[DonorTest]:
    """The results of some donations, oldest record first."""
    ids = [donation.id for donation in donations]
    return session.scalars(
        select(DonorTest).where(DonorTest.donation_id.in_(ids)).order_by(DonorTest.id)
    ).all()


def consents_of(session: Session, donors: Iterable[DonorRow]) -> Sequence[Consent]:
    """The consents of some donors, oldest record first."""
    return rows_by(session, Consent, Consent.donor_id, (donor.id for donor in donors))


def withdrawals_of(session: Session, consents: Iterable[Consent]) -> Sequence[ConsentWithdrawal]:
    """The withdrawals of some consents."""
    ids = [consent.id for consent in consents]
    return session.scalars(
        select(ConsentWithdrawal)
        .where(ConsentWithdrawal.consent_id.in_(ids))
        .order_by(ConsentWithdrawal.id)
    ).all()


def parts_of(session: Session, pool: DonationPool) -> Sequence[Donation]:
    """The donations in a pool, oldest registration first."""
    query = select(Donation).join(DonationPoolPart, DonationPoolPart.donation_id == Donation.id)
    own = query.where(DonationPoolPart.donation_pool_id == pool.id)
    return session.scalars(own.order_by(Donation.id)).all()


def pools_with(session: Session, donation: Donation) -> Sequence[DonationPool]:
    """The pools in which a donation is, oldest registration first."""
    query = select(DonationPool).join(DonationPoolPart)
    own = query.where(DonationPoolPart.donation_id == donation.id)
    return session.scalars(own.order_by(DonationPool.id)).all()


def _whole(text: str) -> int:
    """A number of a series; 0, which no row has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
