"""Look-backs: one source of cells came into doubt, and every descendant was held."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.look_backs import LookBackCause
from batchqc.errors import IntegrityFailure
from batchqc.records.absent import is_empty
from batchqc.records.base import Numbered, Row, refers_to
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow, numbered_by


class LookBack(Numbered):
    """A look-back from one donor, donation or bank, with its frozen list in the store.

    ``source`` is its key; ``about`` says which record caused it. ``signature`` is that of who
    started it by hand; the system signs nothing.
    """

    __tablename__ = "look_back"

    source: Mapped[str] = mapped_column(index=True)
    cause: Mapped[str]
    reason: Mapped[str]
    about: Mapped[str]
    content_sha: Mapped[str]
    signature_id: Mapped[int | None] = refers_to("signature", nullable=True)
    started_by: Mapped[str]
    started_at: Mapped[datetime]

    signature: Mapped[SignatureRow | None] = relationship()
    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public number."""
        return f"LB-{self.year}-{self.number:06d}"

    @property
    def known_cause(self) -> LookBackCause:
        """Its cause as a value.

        Raises:
            IntegrityFailure: BQC-GEN-027 it is none, and somebody changed it behind the system.
        """
        try:
            return LookBackCause(self.cause)
        except ValueError as error:
            raise IntegrityFailure(
                "BQC-GEN-027",
                f'the cause of {self.natural_key} reads "{self.cause}", which no look-back has',
                hint="Stop. Run `batchqc audit verify` and call the system owner.",
            ) from error


class LookBackClosing(Row):
    """That QA closed a look-back, signed, with its conclusion. Holds are let go one by one."""

    __tablename__ = "look_back_closing"

    look_back_id: Mapped[int] = mapped_column(ForeignKey("look_back.id"), unique=True)
    conclusion: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")
    closed_at: Mapped[datetime]

    look_back: Mapped[LookBack] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the look-back."""
        return self.look_back.natural_key


def look_back_by(session: Session, public: str) -> LookBack | None:
    """The look-back of a public number such as ``LB-2026-000001``."""
    return numbered_by(session, LookBack, "LB", public)


def closing_of(session: Session, look_back: LookBack) -> LookBackClosing | None:
    """How a look-back was closed, or ``None`` while it is open."""
    query = select(LookBackClosing).where(LookBackClosing.look_back_id == look_back.id)
    return session.scalar(query)


_OPEN: Final = (
    select(LookBack)
    .where(~exists().where(LookBackClosing.look_back_id == LookBack.id))
    .order_by(LookBack.id)
)


@once
def open_look_backs(session: Session) -> Sequence[LookBack]:
    """Every look-back that nobody closed, oldest first."""
    return () if is_empty(session, LookBack) else session.scalars(_OPEN).all()


def look_backs_from(session: Session, sources: Sequence[str]) -> Sequence[LookBack]:
    """Every look-back from some donors, donations or banks, by their keys."""
    return rows_by(session, LookBack, LookBack.source, sources)
