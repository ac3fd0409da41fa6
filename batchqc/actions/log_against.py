"""Whether the log is what somebody else holds of it: a checkpoint, or all that a witness holds.

This is what finds an owner of the database who made everything in it agree. With the leaf hashes
of a witness each entry that was changed, removed, put in between or moved is named; with
checkpoints alone, the entries between two of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.core.checkpoints import Checkpoint, entry_leaf, read_checkpoint
from batchqc.core.log_differences import Difference, differences
from batchqc.core.merkle import root_of
from batchqc.core.signed_notes import NoteKey
from batchqc.core.stored_tree import levels_over, of_levels
from batchqc.documents.log_key import verify_ed25519
from batchqc.documents.witness import Held
from batchqc.errors import BatchqcError, IntegrityFailure
from batchqc.records.audit import AuditEntry, all_links, entry_at
from batchqc.records.log import checkpoints_after

_DESCRIBED = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """The newest checkpoint that was held, and how the log differs from it, in words."""

    newest: Checkpoint
    problems: tuple[str, ...]


def compare(session: Session, held: Held, keys: Iterable[NoteKey]) -> Comparison:
    """Compare the log with what somebody holds of it.

    Args:
        session: only read.
        held: by somebody else.
        keys: of the log, as somebody else holds them.

    Raises:
        InvalidInput: a checkpoint that is none.
        IntegrityFailure: BQC-LOG-002 one that none of the keys signed; nothing is compared.
    """
    known = list(keys)
    checkpoints = [genuine(note, known) for note in held.checkpoints.values()]
    newest = max(checkpoints, key=lambda one: one.size)
    links = list(all_links(session))
    found = [entry_leaf(link.entry_sha256) for link in links]
    heads = [link.sha256 for link in links]
    problems = list(_of_leaves(session, held.leaves, newest, found))
    if not problems:
        own = list(_own(session, known))
        problems = list(_of_checkpoints(checkpoints, own, found, heads))
    return Comparison(newest, tuple(problems))


def genuine(text: str, keys: Iterable[NoteKey]) -> Checkpoint:
    """A checkpoint that one of some keys signed in its own name.

    Raises:
        InvalidInput: BQC-LOG-001 it is none.
        IntegrityFailure: BQC-LOG-002 none of the keys signed it.
    """
    said, note = read_checkpoint(text)
    signers = note.signed_by(keys, verify_ed25519)
    if said.origin not in {key.name for key in signers}:
        raise IntegrityFailure(
            "BQC-LOG-002", f"the note is not genuine: {said.origin} is no name of its keys"
        )
    return said


def _of_leaves(
    session: Session, leaves: Sequence[bytes], newest: Checkpoint, found: Sequence[bytes]
) -> Iterator[str]:
    """What the leaf hashes of a witness tell, where it holds any."""
    if not leaves:
        return
    if len(leaves) < newest.size or _root(leaves, newest.size) != newest.root:
        yield (
            f"the leaf hashes that the witness holds are not those of its checkpoint of"
            f" {newest.size} entries: the witness's folder is damaged"
        )
        return
    for one in differences(leaves, found):
        yield one.said + _described(session, one)


def _described(session: Session, one: Difference) -> str:
    """What stands at the places of a difference now."""
    rows = [entry_at(session, place + 1) for place in one.places[:_DESCRIBED]]
    told = [_sentence(row) for row in rows if row is not None]
    return f" (there now: {'; '.join(told)})" if told else ""


def _sentence(entry: AuditEntry) -> str:
    return f'"{entry.what}" by {entry.who}, {entry.at:%Y-%m-%d %H:%M:%S}Z'


def _of_checkpoints(
    held: Iterable[Checkpoint],
    own: Iterable[Checkpoint],
    found: Sequence[bytes],
    heads: Sequence[str],
) -> Iterator[str]:
    """What checkpoints tell: between which of them something was done."""
    tree = of_levels(levels_over(found))
    sound = 0
    for one in sorted({*held, *own}, key=lambda one: one.size):
        if one.size > len(found):
            yield (
                f"the log was rolled back: a checkpoint covers {one.size} entries, and there are"
                f" {len(found)}"
            )
            return
        if root_of(one.size, tree) != one.root or heads[one.size - 1] != one.head:
            yield (
                f"entries {sound + 1} to {one.size} are not those that the checkpoint of"
                f" {one.size} entries covers: among them something was changed, removed, put in"
                " between or moved"
            )
            return
        sound = one.size


def _own(session: Session, keys: Sequence[NoteKey]) -> Iterator[Checkpoint]:
    """The genuine ones among the database's own, which make the places narrower."""
    for row in checkpoints_after(session, 0, limit=2**31):
        try:
            yield genuine(row.note, keys)
        except BatchqcError:
            continue  # told where the records are verified


def _root(leaves: Sequence[bytes], size: int) -> bytes:
    return root_of(size, of_levels(levels_over(leaves)))
