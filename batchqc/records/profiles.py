"""Profile versions as imported, and their approval. The bytes stand in the store."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.records.base import Row, refers_to
from batchqc.records.signatures import SignatureRow


class ProfileVersion(Row):
    """One version of a profile: what identifies it, and the hash of its bytes."""

    __tablename__ = "profile_version"

    profile: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    file: Mapped[str]
    sha256: Mapped[str]
    author: Mapped[str]
    imported_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("profile", "version"),)

    @property
    def natural_key(self) -> str:
        """Id and version."""
        return f"{self.profile}/{self.version}"

    @property
    def reference(self) -> str:
        """Id and version as people write it."""
        return f"{self.profile} v{self.version}"


class ProfileApproval(Row):
    """The signed approval of a profile version by a second person."""

    __tablename__ = "profile_approval"

    profile_version_id: Mapped[int] = mapped_column(ForeignKey("profile_version.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")

    profile_version: Mapped[ProfileVersion] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the version."""
        return self.profile_version.natural_key


def profile_by(session: Session, profile: str, version: int) -> ProfileVersion | None:
    """One version."""
    query = select(ProfileVersion).where(
        ProfileVersion.profile == profile, ProfileVersion.version == version
    )
    return session.scalar(query)


def newest_approved(session: Session, profile: str) -> ProfileVersion | None:
    """The newest approved version of a profile."""
    query = (
        select(ProfileVersion)
        .join(ProfileApproval)
        .where(ProfileVersion.profile == profile)
        .order_by(ProfileVersion.version.desc())
    )
    return session.scalars(query).first()


def approved_profiles(session: Session) -> Sequence[ProfileVersion]:
    """The newest approved version of each profile, by id."""
    order = (ProfileVersion.profile, ProfileVersion.version)
    query = select(ProfileVersion).join(ProfileApproval).order_by(*order)
    return list({one.profile: one for one in session.scalars(query)}.values())


def all_profiles(session: Session) -> Sequence[ProfileVersion]:
    """Every version, by id and version."""
    order = (ProfileVersion.profile, ProfileVersion.version)
    return session.scalars(select(ProfileVersion).order_by(*order)).all()


def approval_of_profile(session: Session, version: ProfileVersion) -> ProfileApproval | None:
    """The approval of a version."""
    query = select(ProfileApproval).where(ProfileApproval.profile_version_id == version.id)
    return session.scalar(query)


def profile_rows(session: Session, references: Iterable[str]) -> Iterator[Row]:
    """The versions of some references, with their approvals and signatures."""
    for reference in sorted(set(references) - {""}):
        profile, _, number = reference.rpartition(" v")
        version = profile_by(session, profile, int(number)) if number.isdecimal() else None
        if version is not None:
            approval = approval_of_profile(session, version)
            yield version
            yield from (approval, approval.signature) if approval else ()
