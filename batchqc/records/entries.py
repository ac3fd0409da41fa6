"""Typed results: what the second person typed, and the documents that belong to an entry."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.entries import SecondEntry, second_entry
from batchqc.records.base import Row, refers_to
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow

if TYPE_CHECKING:
    from batchqc.records.uploads import Upload


class EntryVerification(Row):
    """The signed second entry of a typed result. ``typed`` is JSON: value and unit of each."""

    __tablename__ = "entry_verification"

    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id"), unique=True)
    signature_id: Mapped[int] = refers_to("signature")
    typed: Mapped[str]
    matches: Mapped[int]

    upload: Mapped["Upload"] = relationship()
    signature: Mapped[SignatureRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the entry."""
        return self.upload.natural_key


class Attachment(Row):
    """A document that belongs to an entry, such as the report of a contract laboratory."""

    __tablename__ = "attachment"

    upload_id: Mapped[int] = refers_to("upload")
    number: Mapped[int]
    sha256: Mapped[str]
    size: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str]
    attached_by: Mapped[str]
    attached_at: Mapped[datetime]

    upload: Mapped["Upload"] = relationship()
    __table_args__ = (UniqueConstraint("upload_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Entry and the how many-th."""
        return f"{self.upload.natural_key}/{self.number}"


@once
def verifications_of(session: Session, uploads: Iterable[int]) -> dict[int, EntryVerification]:
    """The second entries of some uploads, both by the surrogate id of the upload."""
    found = rows_by(session, EntryVerification, EntryVerification.upload_id, uploads)
    return {one.upload_id: one for one in found}


def attachments_of(session: Session, uploads: Iterable[int]) -> Sequence[Attachment]:
    """The documents of some uploads, by the surrogate id of the upload, in their order."""
    of = Attachment
    return rows_by(session, of, of.upload_id, uploads, of.upload_id, of.number)


def typed_again(
    verification: EntryVerification | None, *, at: datetime | None = None
) -> list[tuple[str, str]]:
    """Value and unit of each row of an entry as the second person typed them, where it differs.

    Nothing at a moment before it, and where somebody made it unreadable: the audit trail says so.
    """
    if verification is None or verification.matches:
        return []
    if at is not None and verification.signature.at > at:
        return []
    try:
        return [(str(value), str(unit)) for value, unit in json.loads(verification.typed)]
    except (ValueError, TypeError):
        return []


def how_entered(
    upload: "Upload", verification: EntryVerification | None, *, at: datetime | None = None
) -> SecondEntry:
    """How an upload stands; at a moment, a second entry that came later is not there yet."""
    if verification is not None and at is not None and verification.signature.at > at:
        verification = None
    matches = None if verification is None else bool(verification.matches)
    return second_entry(by_hand=bool(upload.typed), matches=matches)
