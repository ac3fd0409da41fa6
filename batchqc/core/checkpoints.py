"""Checkpoints of the transparency log, and proofs as texts (C2SP tlog-checkpoint, tlog-proof).

A checkpoint says what the first ``size`` entries of the audit trail are. The leaf of an entry is
the 32 bytes of SHA-256 over its canonical bytes, so that the leaf hash is SHA-256 over 0x00 and
these; entry ``sequence`` of the trail is leaf ``sequence - 1``. Beside origin, size and root it
holds two more lines: the head of the audit chain there, which certificates print, and when it was
signed.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from batchqc.core.canonical import utc_text
from batchqc.core.merkle import leaf_hash
from batchqc.core.signed_notes import Note, note_of
from batchqc.errors import InvalidInput

HEAD: Final = "audit-head "
AT: Final = "signed-at "
INCLUSION: Final = "c2sp.org/tlog-proof@v1"
CONSISTENCY: Final = "batchqc/log-consistency/1"
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log was at a size.

    Args:
        origin: names the log.
        size: how many entries.
        root: 32 bytes.
        head: SHA-256 of the audit trail's link at ``size``, in hexadecimal digits.
        at: when it was signed.
    """

    origin: str
    size: int
    root: bytes
    head: str
    at: datetime

    @property
    def text(self) -> str:
        """What is signed."""
        first = (self.origin, str(self.size), _base64(self.root))
        lines = (*first, HEAD + self.head, AT + utc_text(self.at))
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A proof that entry ``index`` (from 0) is in the log that a checkpoint speaks of."""

    index: int
    hashes: tuple[bytes, ...]
    note: str

    @property
    def text(self) -> str:
        """As a file."""
        lines = (INCLUSION, f"index {self.index}", *map(_base64, self.hashes))
        return "".join(f"{line}\n" for line in lines) + "\n" + self.note


@dataclass(frozen=True, slots=True)
class Consistency:
    """A proof that the log of ``second`` entries begins with that of ``first``."""

    first: int
    second: int
    hashes: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """As a file."""
        lines = (CONSISTENCY, f"{self.first} {self.second}", *map(_base64, self.hashes))
        return "".join(f"{line}\n" for line in lines)


def entry_leaf(entry_sha256: str) -> bytes:
    """The leaf hash of an entry, by the hexadecimal SHA-256 of its canonical bytes.

    What is no hash, because somebody changed it, gives a leaf that no entry has.
    """
    try:
        return leaf_hash(bytes.fromhex(entry_sha256))
    except ValueError:
        return leaf_hash(b"no hash: " + entry_sha256.encode())


def read_checkpoint(file: str) -> tuple[Checkpoint, Note]:
    """A checkpoint and its note, from a file; whose signatures hold is not looked at.

    Raises:
        InvalidInput: BQC-LOG-001 it is none.
    """
    note = note_of(file)
    lines = note.text.split("\n")
    try:
        origin, size, root, head, at, _ = lines
        found = Checkpoint(
            origin, int(size), _hash(root), head.removeprefix(HEAD),
            datetime.fromisoformat(at.removeprefix(AT)),
        )  # fmt: skip
        text = found.text
    except (ValueError, OverflowError, binascii.Error) as error:
        raise _other("a checkpoint of a log of batchqc") from error
    if found.size < 1 or text != note.text:  # in these words and no others
        raise _other("a checkpoint of a log of batchqc")
    return found, note


def read_inclusion(text: str) -> Inclusion:
    """A proof from a file.

    Raises:
        InvalidInput: BQC-LOG-001 it is none.
    """
    proof, _, note = text.partition("\n\n")
    lines = proof.split("\n")
    try:
        found = Inclusion(int(lines[1].removeprefix("index ")), _hashes(lines[2:]), note)
    except (IndexError, ValueError, binascii.Error) as error:
        raise _other("a proof of an entry in the log") from error
    if found.text != text:
        raise _other("a proof of an entry in the log")
    return found


def read_consistency(text: str) -> Consistency:
    """A proof from a file.

    Raises:
        InvalidInput: BQC-LOG-001 it is none.
    """
    lines = text.removesuffix("\n").split("\n")
    try:
        first, second = lines[1].split(" ")
        found = Consistency(int(first), int(second), _hashes(lines[2:]))
    except (IndexError, ValueError, binascii.Error) as error:
        raise _other("a proof that a log extends another") from error
    if found.text != text:
        raise _other("a proof that a log extends another")
    return found


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(_hash(line) for line in lines)


def _hash(line: str) -> bytes:
    data = base64.b64decode(line, validate=True)
    if len(data) != _HASH_BYTES:
        raise ValueError(line)
    return data


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _other(what: str) -> InvalidInput:
    return InvalidInput(
        "BQC-LOG-001", f"this is not {what}", hint="Give the file as it was written."
    )
