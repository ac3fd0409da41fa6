"""The transparency log over the audit trail: stored subtrees, keys, checkpoints, timestamps.

Leaves are the entries by their places in the audit chain, so that nobody who writes an entry waits
for the log. Whoever makes a checkpoint stores the roots of the subtrees of 16, 256, 4096, …
entries that became whole; every root and proof is computed from a few of these.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from sqlalchemy import ForeignKey, Select, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from batchqc.core.canonical import utc_text
from batchqc.core.checkpoints import Checkpoint, entry_leaf, read_checkpoint
from batchqc.core.merkle import Subtree
from batchqc.core.signed_notes import NoteKey, key_of, lost_line, note_of
from batchqc.core.stored_tree import BITS, FAN, not_whole, roots_over, stored_tree
from batchqc.records.audit import AuditEntry, AuditLink, AuditSubject
from batchqc.records.base import Row, refers_to
from batchqc.records.once import once
from batchqc.records.rows_by import rows_by

_BLOCKS_AT_ONCE: Final = 256


class LogSubtree(Row):
    """The root over the ``place``-th (from 0) 2**``level`` entries.

    Levels are the multiples of 4.
    """

    __tablename__ = "log_subtree"
    __table_args__ = (UniqueConstraint("level", "place"),)

    level: Mapped[int]
    place: Mapped[int]
    sha256: Mapped[str]

    @property
    def natural_key(self) -> str:
        """Level and place."""
        return f"{self.level}/{self.place}"


class LogKeyRow(Row):
    """A key of the log from a moment on, as verifiers keep it; the newest one signs."""

    __tablename__ = "log_key"

    number: Mapped[int] = mapped_column(unique=True)
    vkey: Mapped[str] = mapped_column(unique=True)
    reason: Mapped[str]
    began_by: Mapped[str]
    began_at: Mapped[datetime]

    @property
    def natural_key(self) -> str:
        """Its number."""
        return str(self.number)

    @property
    def note_key(self) -> NoteKey:
        """The key as a value."""
        return key_of(self.vkey)


class CheckpointRow(Row):
    """A signed checkpoint; ``note`` is the record."""

    __tablename__ = "checkpoint"

    size: Mapped[int] = mapped_column(unique=True)
    note: Mapped[str]
    log_key_id: Mapped[int] = refers_to("log_key")
    signed_by: Mapped[str]
    signed_at: Mapped[datetime]

    log_key: Mapped[LogKeyRow] = relationship()

    @property
    def natural_key(self) -> str:
        """How many entries it covers."""
        return str(self.size)

    @property
    def checkpoint(self) -> Checkpoint:
        """What it says."""
        return read_checkpoint(self.note)[0]


class CheckpointTimestamp(Row):
    """What a timestamp service said of a checkpoint's note: a token (RFC 3161) in the store."""

    __tablename__ = "checkpoint_timestamp"

    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("checkpoint.id"), unique=True)
    token_sha: Mapped[str]
    service: Mapped[str]
    stamped_at: Mapped[datetime]
    received_at: Mapped[datetime]

    checkpoint: Mapped[CheckpointRow] = relationship()

    @property
    def natural_key(self) -> str:
        """Of the checkpoint."""
        return self.checkpoint.natural_key


def tree_of(session: Session) -> Subtree:
    """The subtrees of the log, each computed from a few rows."""
    return stored_tree(lambda level, block: _block(session, level, block))


@once
def _block(session: Session, level: int, block: int) -> list[bytes]:
    return list(hashes_of(session, level, block * FAN, FAN))


def hashes_of(session: Session, level: int, first: int, many: int) -> Iterator[bytes]:
    """Hashes of a stored level from a place on, up to the first gap; level 0 are the leaves."""
    if level:
        columns = (LogSubtree.place, LogSubtree.sha256)
        query = select(*columns).where(LogSubtree.level == level)
        place = LogSubtree.place
    else:
        place = AuditLink.sequence
        query = select(AuditLink.sequence, AuditLink.entry_sha256)
    from_0 = 0 if level else 1  # sequences begin with 1
    begin = first + from_0
    query = query.where(place >= begin, place < begin + many).order_by(place)
    rows = session.execute(query.execution_options(yield_per=1000))
    for expected, (found, text) in enumerate(rows, begin):
        if found != expected:
            return
        yield _digest(text) if level else entry_leaf(text)


def _digest(text: str) -> bytes:
    """The hash; empty, which fits nothing, where somebody made it none."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def new_subtrees(session: Session, size: int) -> Iterator[tuple[int, list[tuple[object, ...]]]]:
    """Level by level, rows of the subtrees within ``size`` entries that are not stored yet.

    What is yielded must be stored before the next level is asked for.
    """
    level = BITS
    while size >> level:
        stored = session.scalar(select(func.max(LogSubtree.place)).where(LogSubtree.level == level))
        have = 0 if stored is None else stored + 1
        while have < size >> level:
            until = min(size >> level, have + _BLOCKS_AT_ONCE)
            below = list(hashes_of(session, level - BITS, have * FAN, (until - have) * FAN))
            if len(below) < (until - have) * FAN:
                raise not_whole(f"of the entries up to {until << level} some are missing")
            roots = enumerate(roots_over(below), have)
            yield level, [(level, place, one.hex()) for place, one in roots]
            have = until
        level += BITS


@once
def newest_checkpoint(session: Session) -> CheckpointRow | None:
    """The checkpoint of the most entries."""
    return session.scalar(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1))


@once
def checkpoint_of(session: Session, size: int) -> CheckpointRow | None:
    """The checkpoint of a size."""
    return session.scalar(select(CheckpointRow).where(CheckpointRow.size == size))


@once
def checkpoint_for(session: Session, sequence: int) -> CheckpointRow | None:
    """The first checkpoint that covers an entry: of those with a timestamp, else of all."""
    stamped = _covering(sequence).join(
        CheckpointTimestamp, CheckpointTimestamp.checkpoint_id == CheckpointRow.id
    )
    return session.scalar(stamped) or first_checkpoint_for(session, sequence)


def first_checkpoint_for(session: Session, sequence: int) -> CheckpointRow | None:
    """The first checkpoint that covers an entry."""
    return session.scalar(_covering(sequence))


def is_stamped_before(session: Session, sequence: int) -> bool:
    """Whether a timestamp service was in use before an entry was written."""
    query = select(CheckpointTimestamp.id).join(
        CheckpointRow, CheckpointRow.id == CheckpointTimestamp.checkpoint_id
    )
    return session.scalar(query.where(CheckpointRow.size < sequence).limit(1)) is not None


def first_checkpoint_by(session: Session, sequence: int, key: LogKeyRow) -> CheckpointRow | None:
    """The first checkpoint that covers an entry and that a key or a later one signed."""
    later = select(LogKeyRow.id).where(LogKeyRow.number >= key.number)
    return session.scalar(_covering(sequence).where(CheckpointRow.log_key_id.in_(later)))


def _covering(sequence: int) -> Select[CheckpointRow]:
    query: Select[CheckpointRow] = select(CheckpointRow).where(CheckpointRow.size >= sequence)
    return query.order_by(CheckpointRow.size).limit(1)


def checkpoints_after(session: Session, size: int, *, limit: int) -> Sequence[CheckpointRow]:
    """Checkpoints of more entries, in their order."""
    query = select(CheckpointRow).where(CheckpointRow.size > size)
    return session.scalars(query.order_by(CheckpointRow.size).limit(limit)).all()


@once
def log_keys(session: Session) -> Sequence[LogKeyRow]:
    """Every key of the log, oldest first."""
    return session.scalars(select(LogKeyRow).order_by(LogKeyRow.number)).all()


def lost_keys(session: Session) -> dict[int, LogKeyRow]:
    """What came after each key that was lost, by its surrogate id.

    The checkpoint of a change is signed with the old key too, unless that is lost.
    """
    found: dict[int, LogKeyRow] = {}
    for old, new in pairwise(log_keys(session)):
        first = select(CheckpointRow).where(CheckpointRow.log_key_id == new.id)
        row = session.scalar(first.order_by(CheckpointRow.size).limit(1))
        signers = {key_id for _, key_id, _ in note_of(row.note).signatures} if row else set()
        if row and old.note_key.key_id not in signers:
            found[old.id] = new
    return found


def key_lines(session: Session) -> list[str]:
    """Every key as verifiers keep it, oldest first; of a lost one, since when."""
    lost = lost_keys(session)
    return [
        lost_line(one.vkey, utc_text(lost[one.id].began_at)) if one.id in lost else one.vkey
        for one in log_keys(session)
    ]


def timestamp_of(session: Session, checkpoint: CheckpointRow) -> CheckpointTimestamp | None:
    """What a timestamp service said of a checkpoint."""
    return timestamps_of(session, [checkpoint]).get(checkpoint.id)


def timestamps_of(
    session: Session, checkpoints: Iterable[CheckpointRow]
) -> dict[int, CheckpointTimestamp]:
    """What a timestamp service said of some checkpoints, by their surrogate ids."""
    of = CheckpointTimestamp
    found = rows_by(session, of, of.checkpoint_id, [one.id for one in checkpoints])
    return {one.checkpoint_id: one for one in found}


def timestamps(session: Session) -> Sequence[CheckpointTimestamp]:
    """Every timestamp of a checkpoint."""
    return session.scalars(select(CheckpointTimestamp).order_by(CheckpointTimestamp.id)).all()


@once
def place_of(session: Session, record: str) -> int | None:
    """The sequence of the first entry that is filed under a record's key."""
    query = (
        select(func.min(AuditLink.sequence))
        .join(AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256)
        .join(AuditSubject, AuditSubject.entry_id == AuditEntry.id)
        .where(AuditSubject.subject == record)
    )
    return session.scalar(query)


def subtrees(session: Session) -> Iterable[LogSubtree]:
    """Every stored subtree, by level and place."""
    query = select(LogSubtree).order_by(LogSubtree.level, LogSubtree.place)
    return session.scalars(query)


def checkpoints_before(session: Session, size: int, *, limit: int) -> Sequence[CheckpointRow]:
    """The newest checkpoints of fewer entries than ``size``, or of all where it is 0."""
    query = select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(limit)
    return session.scalars(query.where(CheckpointRow.size < size) if size else query).all()
