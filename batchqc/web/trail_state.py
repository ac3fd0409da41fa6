"""How the chain of the audit trail stands: its head, who verified it last, the last checkpoint."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.trail_checks import VERIFIED
from batchqc.records.audit import newest_link
from batchqc.records.audit_lines import newest_of
from batchqc.records.log import CheckpointRow, newest_checkpoint


@dataclass(frozen=True, slots=True)
class Verified:
    """A verification on record: its place, who made it when, up to which entry, what was found."""

    sequence: int
    who: str
    at: datetime
    entries: int
    head: str
    problems: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrailState:
    """The newest entry, the newest verification, and the newest checkpoint, where there are."""

    newest: int
    head: str
    verified: Verified | None
    checkpoint: CheckpointRow | None


def state_of_trail(session: Session) -> TrailState:
    """From the newest rows alone; nothing is verified by looking."""
    link = newest_link(session)
    return TrailState(
        link.sequence if link else 0,
        link.sha256 if link else "",
        newest_verification(session),
        newest_checkpoint(session),
    )


def newest_verification(session: Session) -> Verified | None:
    """The verification that was put on record last."""
    found = newest_of(session, VERIFIED)
    if found is None:
        return None
    sequence, entry = found
    said = json.loads(entry.text)["after"]
    first = tuple(said["first problems"])
    return Verified(
        sequence, entry.who, entry.at, said["entries"], said["head"], said["problems"], first
    )
