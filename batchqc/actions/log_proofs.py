"""Proofs from the transparency log, each against checkpoints that were signed."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.core.checkpoints import Consistency, Inclusion, entry_leaf
from batchqc.core.merkle import consistency_proof, inclusion_proof, is_consistent, is_included
from batchqc.errors import Conflict, IntegrityFailure, NotFound
from batchqc.records.audit import entry_at
from batchqc.records.log import (
    CheckpointRow,
    checkpoint_of,
    newest_checkpoint,
    place_of,
    tree_of,
)


@dataclass(frozen=True, slots=True)
class Proved:
    """An entry of the audit trail, by its place and its canonical bytes, and its proof."""

    sequence: int
    entry: str
    proof: Inclusion


def the_checkpoint(session: Session, size: int = 0) -> CheckpointRow:
    """The checkpoint of a size; the newest one where none is given.

    Raises:
        NotFound: BQC-LOG-013 there is none.
    """
    row = checkpoint_of(session, size) if size else newest_checkpoint(session)
    if row is None:
        raise NotFound(
            "BQC-LOG-013",
            f"there is no checkpoint of {size} entries" if size else "there is no checkpoint yet",
            hint="`batchqc log list` names those that there are.",
        )
    return row


def prove_entry(session: Session, sequence: int, *, size: int = 0) -> Proved:
    """That an entry is in the log, as a checkpoint says: the newest one, or that of a size.

    Raises:
        NotFound: BQC-LOG-013 no such checkpoint, or BQC-LOG-014 no such entry.
        Conflict: BQC-LOG-015 the checkpoint does not cover it.
        IntegrityFailure: BQC-LOG-016 the entry is not the one that the checkpoint covers.
    """
    entry = entry_at(session, sequence)
    if entry is None:
        raise NotFound("BQC-LOG-014", f"there is no entry {sequence} of the audit trail")
    row = the_checkpoint(session, size)
    if row.size < sequence:
        raise Conflict(
            "BQC-LOG-015",
            f"the checkpoint of {row.size} entries does not cover entry {sequence}",
            hint="`batchqc log checkpoint` signs one that does.",
        )
    said = row.checkpoint
    hashes = inclusion_proof(sequence - 1, row.size, tree_of(session))
    leaf = entry_leaf(entry.sha256)
    if not is_included(leaf, sequence - 1, size=row.size, root=said.root, proof=hashes):
        raise _other(f"entry {sequence} is not the one that the checkpoint of {row.size} covers")
    return Proved(sequence, entry.text, Inclusion(sequence - 1, hashes, row.note))


def prove_record(session: Session, key: str, *, size: int = 0) -> Proved:
    """The same of the first entry that is filed under a record, such as ``lot:UCM-P1-T1``.

    Raises:
        NotFound: BQC-LOG-014 no entry is.
    """
    return prove_entry(session, the_place(session, key), size=size)


def the_place(session: Session, key: str) -> int:
    """The sequence of the first entry that is filed under a record.

    Raises:
        NotFound: BQC-LOG-014 no entry is.
    """
    sequence = place_of(session, key)
    if sequence is None:
        raise NotFound("BQC-LOG-014", f"no entry of the audit trail is filed under {key}")
    return sequence


def prove_consistency(session: Session, first: int, second: int = 0) -> Consistency:
    """That the log of a later checkpoint, or of the newest, begins with that of an earlier one.

    Raises:
        NotFound: BQC-LOG-013 no such checkpoint.
        Conflict: BQC-LOG-015 the first one is the later one.
        IntegrityFailure: BQC-LOG-016 the log is not the one that was signed.
    """
    old, new = the_checkpoint(session, first), the_checkpoint(session, second)
    if old.size > new.size:
        raise Conflict("BQC-LOG-015", f"the checkpoint of {new.size} is older than {old.size}")
    hashes = consistency_proof(old.size, new.size, tree_of(session))
    before, after = old.checkpoint.root, new.checkpoint.root
    if not is_consistent((old.size, before), (new.size, after), hashes):
        raise _other(f"the checkpoints of {old.size} and {new.size} entries are not of one log")
    return Consistency(old.size, new.size, hashes)


def _other(what: str) -> IntegrityFailure:
    return IntegrityFailure("BQC-LOG-016", what, hint="Stop. Run `batchqc audit verify`.")
