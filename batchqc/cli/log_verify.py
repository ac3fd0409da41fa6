"""``batchqc log verify`` and ``extends``: proofs from their files alone, without a database."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.log_against import genuine
from batchqc.cli.show import say
from batchqc.core.audit import entry_sha256
from batchqc.core.checkpoints import entry_leaf, read_consistency, read_inclusion
from batchqc.core.merkle import is_consistent, is_included
from batchqc.core.signed_notes import NoteKey, key_of
from batchqc.errors import IntegrityFailure, InvalidInput

Keys = Annotated[
    Path,
    typer.Option(
        "--key",
        exists=True,
        dir_okay=False,
        help="log.vkey: the public keys of the log, from the site by another way than the rest.",
    ),
]
_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]


def keys_in(path: Path) -> list[NoteKey]:
    """The keys in a file, one in each line.

    Raises:
        InvalidInput: BQC-LOG-003 a line is none, or there is no line.
    """
    text = path.read_text("utf-8", "replace") if path.is_file() else ""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InvalidInput("BQC-LOG-003", f"{path} holds no key of a log")
    return [key_of(line) for line in lines]


def verify(proof: _File, entry: _File, key: Keys) -> None:
    """Verify that an entry of the audit trail is in the log, from files alone.

    PROOF and ENTRY are what `batchqc log prove` writes.
    """
    found = read_inclusion(proof.read_text("utf-8", "replace"))
    said = genuine(found.note, keys_in(key))
    leaf = entry_leaf(entry_sha256(entry.read_bytes().decode("utf-8", "replace")))
    if not is_included(leaf, found.index, size=said.size, root=said.root, proof=found.hashes):
        raise IntegrityFailure(
            "BQC-LOG-016", f"{entry} is not entry {found.index + 1} of the log {said.origin}"
        )
    say(
        f"{entry} is entry {found.index + 1} of the log {said.origin}, as its checkpoint of"
        f" {said.size} entries says, signed {said.at:%Y-%m-%d %H:%M:%S}Z."
    )


def extends(old: _File, new: _File, proof: _File, key: Keys) -> None:
    """Verify that the log of checkpoint NEW begins with that of checkpoint OLD, from files alone.

    PROOF is what `batchqc log consistency` writes.
    """
    keys, found = keys_in(key), read_consistency(proof.read_text("utf-8", "replace"))
    first, second = (genuine(one.read_text("utf-8", "replace"), keys) for one in (old, new))
    if (found.first, found.second, first.origin) != (first.size, second.size, second.origin):
        raise InvalidInput(
            "BQC-LOG-017", f"{proof} is about other checkpoints than {old} and {new}"
        )
    if not is_consistent((first.size, first.root), (second.size, second.root), found.hashes):
        raise IntegrityFailure("BQC-LOG-016", f"the log of {new} does not begin with that of {old}")
    say(f"The log of {second.size} entries begins with that of {first.size}: nothing was changed.")
