"""Whether the transparency log is what its checkpoints say: of the database's own records.

Stored subtrees and checkpoints are compared with the leaves that the audit chain gives now. Who
owns the database can make all of these agree; what a witness holds is compared elsewhere.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from batchqc.core.checkpoints import entry_leaf, read_checkpoint
from batchqc.core.merkle import Subtree, root_of
from batchqc.core.stored_tree import levels_over, of_levels
from batchqc.documents.log_key import verify_ed25519
from batchqc.errors import BatchqcError
from batchqc.records.log import CheckpointRow, LogKeyRow, checkpoints_after, subtrees

Links = Sequence[tuple[str, str]]
"""Of each link of the audit chain, in order: the hash of its entry, and its own."""


def log_problems(session: Session, links: Links) -> Iterator[tuple[int, str]]:
    """What is wrong with subtrees and checkpoints, each with the entry that it is about."""
    levels = levels_over([entry_leaf(entry) for entry, _ in links])
    tree = of_levels(levels)
    checkpoints = checkpoints_after(session, 0, limit=2**31)
    covered = checkpoints[-1].size if checkpoints else 0
    yield from _subtree_problems(session, levels, covered)
    for row in checkpoints:
        problem = _checkpoint_problem(row, links, tree)
        if problem:
            yield row.size, f"{row.key}: {problem}"


def _subtree_problems(
    session: Session, levels: dict[int, Sequence[bytes]], covered: int
) -> Iterator[tuple[int, str]]:
    seen = set()
    for row in subtrees(session):
        first, last = (row.place << row.level) + 1, (row.place + 1) << row.level
        seen.add((row.level, row.place))
        hashes = levels.get(row.level, ()) if row.level else ()
        if row.place >= len(hashes):
            yield last, f"the log holds entries {first} to {last}, which are not there"
        elif hashes[row.place].hex() != row.sha256:
            yield last, f"entries {first} to {last} are not those that the log holds"
    for level, hashes in levels.items():
        for place in range(min(len(hashes), covered >> level) if level else 0):
            if (level, place) not in seen:
                first, last = (place << level) + 1, (place + 1) << level
                yield last, f"the log does not hold its subtree over entries {first} to {last}"


def _checkpoint_problem(row: CheckpointRow, links: Links, tree: Subtree) -> str:
    own: LogKeyRow | None = row.log_key  # somebody may have removed it
    if own is None:
        return "the key that signed it is not on record"
    try:
        said, note = read_checkpoint(row.note)
        key = own.note_key
        note.signed_by([key], verify_ed25519)
    except BatchqcError as error:
        return error.message
    if said.size != row.size or said.origin != key.name:
        return "it speaks of another log, or of another size"
    if said.size > len(links):
        return f"it covers {said.size} entries, and there are {len(links)}"
    if root_of(said.size, tree) != said.root or links[said.size - 1][1] != said.head:
        return f"entries 1 to {said.size} are not those that it covers"
    return ""
