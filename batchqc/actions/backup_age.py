"""How old backups are: that none was made for days, and what a drill restored."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.soundness import Finding, Grade
from batchqc.records.audit import AuditEntry, AuditLink

MADE: Final = "backup made"
"""What the entry of a backup says."""
OLDEST: Final = timedelta(days=3)
"""One is made every day; so many go by where a weekend, or a disk that is full, is not noticed."""


def age_text(age: timedelta) -> str:
    """An age in words: in hours up to two days, then in days."""
    hours = age // timedelta(hours=1)
    many, unit = (hours, "hour") if hours < 48 else (hours // 24, "day")
    return f"{many} {unit}" if many == 1 else f"{many} {unit}s"


def backup_findings(session: Session, now: datetime) -> Iterator[Finding]:
    """That the newest backup on record is old; nothing where none was ever made by batchqc."""
    newest = (
        select(AuditEntry.at)
        .join(AuditLink, AuditLink.entry_sha256 == AuditEntry.sha256)
        .where(AuditEntry.what == MADE)
        .order_by(AuditLink.sequence.desc())
        .limit(1)
    )
    made_at = session.scalar(newest)
    if made_at is not None and now - made_at > OLDEST:
        yield Finding(
            f"the newest backup on record is {age_text(now - made_at)} old", "backups",
            Grade.MEND, "See why the daily `batchqc backup` does not run, and make one.",
        )  # fmt: skip
