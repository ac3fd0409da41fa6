"""Electronic signatures as rows, and number series without gaps."""

import re
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.signatures import Meaning, Signing
from batchqc.records.base import Numbered, added_later, refers_to
from batchqc.records.people import Person

_Kind = TypeVar("_Kind", bound=Numbered)
_PUBLIC: Final = re.compile(r"([A-Za-z0-9-]{1,20})-([0-9]{4})-([0-9]{6,9})")


class SignatureRow(Numbered):
    """A signature: who, as what, meaning what, why, when, over which record with which hash."""

    __tablename__ = "signature"

    person_id: Mapped[int] = refers_to("person")
    name: Mapped[str]
    role: Mapped[str]
    meaning: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    record: Mapped[str] = mapped_column(index=True)
    record_sha256: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    happened_at: Mapped[str] = added_later()
    paper: Mapped[str] = added_later()

    person: Mapped[Person] = relationship()
    __table_args__ = (UniqueConstraint("year", "number"),)

    @property
    def natural_key(self) -> str:
        """Its public id."""
        return f"S-{self.year}-{self.number:06d}"

    @property
    def true_at(self) -> datetime:
        """When it was truly signed: on paper, or in the system."""
        return datetime.fromisoformat(self.happened_at) if self.happened_at else self.at

    @property
    def signing(self) -> Signing:
        """The signature as a value, whose hash must equal ``sha256``."""
        return Signing(
            user_id=getattr(self.person, "user_id", ""),  # "" where somebody removed the person
            name=self.name,
            role=self.role,
            meaning=Meaning(self.meaning),
            reason=self.reason,
            at=self.at,
            record=self.record,
            record_sha256=self.record_sha256,
            happened_at=self.happened_at,
            paper=self.paper,
        )


def has_signed(session: Session, person: Person, *, record: str, sha256: str) -> bool:
    """Whether a person has signed a record as it is."""
    query = select(SignatureRow.id).where(
        SignatureRow.person_id == person.id,
        SignatureRow.record == record,
        SignatureRow.record_sha256 == sha256,
    )
    return session.scalar(query.limit(1)) is not None


def next_number(session: Session, table: type[Numbered], year: int) -> int:
    """The next number of a series by year; the caller holds the lock of the series."""
    newest = session.scalar(select(func.max(table.number)).where(table.year == year))
    return (newest or 0) + 1


def parse_number(public: str) -> tuple[str, int, int] | None:
    """Series, year and number of a public number such as ``U-2026-000001``, or ``None``."""
    found = _PUBLIC.fullmatch(public.strip())
    return (found[1].upper(), int(found[2]), int(found[3])) if found else None


def numbered_by(session: Session, kind: type[_Kind], series: str, public: str) -> _Kind | None:
    """The row of a kind with a public number of its series, such as ``U-2026-000001``."""
    parsed = parse_number(public)
    if parsed is None or parsed[0] != series:
        return None
    query = select(kind).where(kind.year == parsed[1], kind.number == parsed[2])
    return session.scalar(query)
