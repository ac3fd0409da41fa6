"""What reading the store again found: scrubs, what was missing or damaged, and what was mended."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import UniqueConstraint, exists, func, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from batchqc.records.base import Row, refers_to
from batchqc.records.retention import DisposedObject
from batchqc.records.uploads import Upload


class ArchiveScrub(Row):
    """A part of a scrub: every object that a record names, from one hash to another, was read.

    ``scope`` is "all" or "sample"; ``since`` the day before which stored objects were left out, or
    "". ``finished`` is 1 in its last part, which knows what lies in the store and no record names.
    """

    __tablename__ = "archive_scrub"

    number: Mapped[int]
    part: Mapped[int]
    scope: Mapped[str]
    since: Mapped[str]
    after: Mapped[str]
    upto: Mapped[str]
    checked: Mapped[int]
    found: Mapped[int]
    orphans: Mapped[int]
    leftovers: Mapped[int]
    finished: Mapped[int]
    scrubbed_by: Mapped[str]
    scrubbed_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("number", "part"),)

    @property
    def natural_key(self) -> str:
        """Scrub and part."""
        return f"{self.number}/{self.part}"


class ArchiveFinding(Row):
    """An object that was missing or damaged."""

    __tablename__ = "archive_finding"

    archive_scrub_id: Mapped[int] = refers_to("archive_scrub")
    sha256: Mapped[str] = mapped_column(index=True)
    problem: Mapped[str]

    archive_scrub: Mapped[ArchiveScrub] = relationship()
    __table_args__ = (UniqueConstraint("archive_scrub_id", "sha256"),)

    @property
    def natural_key(self) -> str:
        """Part of the scrub, and hash."""
        return f"{self.archive_scrub.natural_key}/{self.sha256}"


class ArchiveMending(Row):
    """An object that had been missing or damaged is sound again."""

    __tablename__ = "archive_mending"

    sha256: Mapped[str]
    number: Mapped[int]
    reason: Mapped[str]
    mended_by: Mapped[str]
    mended_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("sha256", "number"),)

    @property
    def natural_key(self) -> str:
        """Hash and the how many-th time."""
        return f"{self.sha256}/{self.number}"


def newest_scrub(session: Session, *, scope: str = "") -> ArchiveScrub | None:
    """The last part of the last scrub, or of the last one of a scope."""
    query = select(ArchiveScrub).order_by(ArchiveScrub.id.desc()).limit(1)
    return session.scalar(query.where(ArchiveScrub.scope == scope) if scope else query)


def open_findings(session: Session) -> Sequence[ArchiveFinding]:
    """The newest finding of each object that is neither mended since nor disposed of."""
    later = aliased(ArchiveFinding)
    query = (
        select(ArchiveFinding)
        .join(ArchiveScrub, ArchiveScrub.id == ArchiveFinding.archive_scrub_id)
        .where(
            ~exists().where(later.sha256 == ArchiveFinding.sha256, later.id > ArchiveFinding.id),
            ~exists().where(
                ArchiveMending.sha256 == ArchiveFinding.sha256,
                ArchiveMending.mended_at >= ArchiveScrub.scrubbed_at,
            ),
            ~exists().where(DisposedObject.sha256 == ArchiveFinding.sha256),
        )
        .order_by(ArchiveFinding.id)
    )
    return session.scalars(query).all()


def next_mending(session: Session, sha256: str) -> int:
    """The number of the next mending of an object; the caller holds its lock."""
    newest = select(func.max(ArchiveMending.number)).where(ArchiveMending.sha256 == sha256)
    return (session.scalar(newest) or 0) + 1


def newest_stored(session: Session) -> str | None:
    """The hash of the file that came in last and was kept."""
    query = select(Upload.sha256).where(Upload.sha256 != "").order_by(Upload.id.desc()).limit(1)
    return session.scalar(query)
