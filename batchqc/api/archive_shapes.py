"""What is answered of the archive."""

from datetime import date, datetime

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.records.archive import ArchiveScrub
from batchqc.records.retention import (
    Disposal,
    LegalHold,
    RetentionRuleRow,
    approval_of_disposal,
    objects_of,
    release_of,
)


class ScrubOut(BaseModel):
    """A part of a scrub: how many files it read, and how many were missing or damaged."""

    number: int
    part: int
    scope: str = Field(description="all, or sample.")
    since: str
    checked: int
    found: int = Field(description="Missing or damaged.")
    orphans: int = Field(description="Named by no record; known in the last part.")
    leftovers: int
    finished: bool
    scrubbed_by: str
    scrubbed_at: datetime


class DamageOut(BaseModel):
    """A file that is missing or damaged, and the lots concerned."""

    sha256: str
    problem: str
    found_at: datetime
    lots: list[str]


class RetentionRuleOut(BaseModel):
    """A rule of retention, and who signed it."""

    number: int
    after_expiry: int
    after_manufacture: int
    reason: str
    set_by: str
    signature: str


class DueOut(BaseModel):
    """Raw data of a lot in the store."""

    sha256: str
    named_by: list[str]
    lots: list[str] = Field(description="Every lot that it concerns.")
    kept_until: date | None = Field(description="Its last day; null where there is no rule.")
    reasons: list[str] = Field(description="Why it is not disposed of; without any, it is due.")


class LegalHoldOut(BaseModel):
    """A legal hold, and who released it."""

    number: str
    lot: str
    reason: str
    held_by: str
    held_at: datetime
    released_by: str = Field(description="Empty while it lies.")
    released_because: str


class DisposalOut(BaseModel):
    """A disposal: who asked for it, who approved it, and what is gone."""

    number: str
    lot: str
    reason: str
    content_sha256: str = Field(description="Of the list that both signatures bind.")
    requested_by: str
    approved_by: str = Field(description="Empty before a second person signed.")
    approved_at: datetime | None
    objects: list[str] = Field(description="The hashes of the files that are gone.")


def scrub_out(row: ArchiveScrub) -> ScrubOut:
    """A part of a scrub."""
    return ScrubOut(**{name: getattr(row, name) for name in ScrubOut.model_fields})


def rule_out(row: RetentionRuleRow) -> RetentionRuleOut:
    """A rule of retention."""
    return RetentionRuleOut(
        number=row.number,
        after_expiry=row.after_expiry,
        after_manufacture=row.after_manufacture,
        reason=row.reason,
        set_by=row.signature.person.user_id,
        signature=row.signature.natural_key,
    )


def hold_out(session: Session, row: LegalHold) -> LegalHoldOut:
    """A legal hold with its release."""
    release = release_of(session, row)
    return LegalHoldOut(
        number=row.natural_key,
        lot=row.lot.lot,
        reason=row.reason,
        held_by=row.signature.person.user_id,
        held_at=row.signature.at,
        released_by=release.signature.person.user_id if release else "",
        released_because=release.reason if release else "",
    )


def disposal_out(session: Session, row: Disposal) -> DisposalOut:
    """A disposal with its approval."""
    approval = approval_of_disposal(session, row)
    return DisposalOut(
        number=row.natural_key,
        lot=row.lot.lot,
        reason=row.reason,
        content_sha256=row.content_sha,
        requested_by=row.signature.person.user_id,
        approved_by=approval.signature.person.user_id if approval else "",
        approved_at=approval.approved_at if approval else None,
        objects=[one.sha256 for one in objects_of(session, approval)] if approval else [],
    )
