"""A drill: a backup is restored where nobody works, examined, and what came of it is on record.

The record is an entry of the audit trail, of the person who did it. A checkpoint of the log is
signed after it, so that it is proven by a file that the key of the log signed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.backup_age import age_text
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.doctor import Examined
from batchqc.actions.log_proofs import Proved, prove_record
from batchqc.actions.permission import require
from batchqc.core.backups import Manifest
from batchqc.core.canonical import Json, utc_text
from batchqc.core.permissions import Permission
from batchqc.core.soundness import Grade
from batchqc.documents.log_key import LogSigner
from batchqc.errors import Conflict
from batchqc.records.audit import links_and_entries
from batchqc.records.transaction import SYSTEM, Actor, reading, transaction

_TOLD: Final = 50


@dataclass(frozen=True, slots=True)
class Drill:
    """What came of a drill.

    Args:
        backup: its name.
        began_at: when the drill began.
        manifest: what the backup says, where it could be verified.
        examined: what was found of what was restored, where it could be.
        problems: why it could not be restored, or is not what the backup says.
    """

    backup: str
    began_at: datetime
    manifest: Manifest | None = None
    examined: Examined | None = None
    problems: tuple[str, ...] = ()

    @property
    def age(self) -> timedelta:
        """How long before the drill the backup was made; nothing where that is not known."""
        made_at = self.manifest.made_at if self.manifest else self.began_at
        return self.began_at - made_at

    @property
    def is_good(self) -> bool:
        """Whether it was restored and is sound."""
        return self.examined is not None and self.examined.is_clean and not self.problems


def check_of_own(session: Session, manifest: Manifest) -> None:
    """Refuse a backup whose audit trail is not the beginning of this one.

    A copy of the installation has its keys, and its backups the same seal.

    Raises:
        Conflict: BQC-BAK-015.
    """
    said = manifest.contents
    if [link.sha256 for link, _ in links_and_entries(session, [said.entries])] != [said.head]:
        raise Conflict(
            "BQC-BAK-015",
            f"backup {manifest.name} is of another installation, or of records that this one lost:"
            f" its audit trail goes another way up to entry {said.entries}",
            hint="Drill with a backup of this installation: it says nothing of this one's.",
        )


def record_drill(
    engine: Engine,
    signer: LogSigner,
    drill: Drill,
    *,
    actor: Actor,
    reason: str,
    clock: Callable[[], datetime],
) -> Proved:
    """Put a drill on record, good or not; the entry with its proof from the log."""
    key = f"drill:{drill.backup}/{drill.began_at:%Y%m%dT%H%M%SZ}"
    with transaction(engine, actor, clock()) as tx:
        require(tx, Permission.KEEP_ARCHIVE)
        ended = {"ended": utc_text(tx.now)}
        tx.audit(
            "backup restored in a drill", about=[key], reason=reason, after=_told(drill) | ended
        )
    with transaction(engine, SYSTEM, clock()) as tx:
        sign_checkpoint(tx, signer, covering=key)
    with reading(engine) as session:
        return prove_record(session, key)


def _told(drill: Drill) -> dict[str, Json]:
    found: dict[str, Json] = {
        "backup": drill.backup,
        "began": utc_text(drill.began_at),
        "restored and sound": drill.is_good,
        "problems": list[Json](drill.problems[:_TOLD]),
    }
    if drill.manifest is not None:
        said = drill.manifest.contents
        found |= {
            "made at": utc_text(drill.manifest.made_at), "age": age_text(drill.age),
            "software": drill.manifest.software, "schema": said.schema,
            "entries": said.entries, "head": said.head, "rows": sum(said.counts.values()),
        }  # fmt: skip
    if drill.examined is not None:
        wrong = [one for one in drill.examined.findings if one.grade is not Grade.HARMLESS]
        found |= {
            "certificates": drill.examined.certificates, "verified": drill.examined.verified,
            "findings": [f"{one.grade}: {one.where}: {one.what}" for one in wrong[:_TOLD]],
        }  # fmt: skip
    return found
