"""Whether the times on record can be those of one clock that ran right.

Entries stand in the order in which they were committed; each bears the time at which its work
began. Nothing shows a clock that was always wrong by the same, but a timestamp of somebody else.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.core.soundness import Finding, Grade
from batchqc.errors import ClockDoubtful
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.log import timestamps
from batchqc.records.transaction import Transaction

SLACK: Final = timedelta(hours=1)
"""Work that began earlier may be recorded later by so much: a large file is read meanwhile."""
_TODO: Final = (
    "Set the clock of the servers by a time service (`timedatectl`); record a deviation with the"
    " entries concerned."
)


BEHIND: Final = timedelta(minutes=5)
"""How far the clock of one server may be behind that of another; further, nobody signs by it."""


def check_clock(tx: Transaction) -> None:
    """Refuse to sign by a clock that stands before what is on record.

    Raises:
        ClockDoubtful: BQC-SYS-031.
    """
    last = select(AuditLink.entry_sha256).order_by(AuditLink.sequence.desc()).limit(1)
    newest = tx.session.scalar(
        select(AuditEntry.at).where(AuditEntry.sha256 == last.scalar_subquery())
    )
    if newest is not None and tx.now < newest - BEHIND:
        raise ClockDoubtful(
            "BQC-SYS-031",
            f"the clock stands {newest - tx.now} before the newest entry of the audit trail;"
            " nothing is signed by it",
            hint="Set it right by a time service (`timedatectl`).",
        )


def record_clock(tx: Transaction, *, told: str, is_synchronised: bool | None) -> None:
    """Write what the system says of its clock; ``told`` in words, with offset and error."""
    tx.audit("clock compared", after={"told": told, "synchronised": is_synchronised})


def clock_findings(session: Session, now: datetime) -> Iterator[Finding]:
    """Where times contradict the order of entries, timestamps, or the present."""
    newest: tuple[datetime, int] | None = None
    query = select(AuditLink.sequence, AuditEntry.at).join(
        AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256
    )
    for sequence, at in session.execute(query.order_by(AuditLink.sequence)):
        if newest is not None and at < newest[0] - SLACK:
            yield Finding(
                f"it is dated {newest[0] - at} before entry {newest[1]}: the clock was set back",
                f"entry {sequence} of the audit trail", Grade.HARMLESS, _TODO,
            )  # fmt: skip
        if newest is None or at > newest[0] or at < newest[0] - SLACK:
            newest = at, sequence
    if newest is not None and newest[0] > now + SLACK:
        yield Finding(
            f"it is dated {newest[0]:%Y-%m-%d %H:%M:%S}Z, and it is {now:%Y-%m-%d %H:%M:%S}Z",
            f"entry {newest[1]} of the audit trail", Grade.MEND, _TODO,
        )  # fmt: skip
    for one in timestamps(session):
        if one.stamped_at < one.checkpoint.signed_at - SLACK:
            yield Finding(
                f"a timestamp service saw it {one.checkpoint.signed_at - one.stamped_at} before the"
                " time that it bears: the clock ran ahead",
                one.checkpoint.key, Grade.HARMLESS, _TODO,
            )  # fmt: skip
