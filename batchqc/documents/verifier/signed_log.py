"""What the transparency log says: signed notes (C2SP), checkpoints, and proofs of entries.

Entry ``sequence`` of the audit trail is leaf ``sequence - 1`` of a Merkle tree (RFC 9162); its leaf
is the 32 bytes of SHA-256 over its canonical bytes.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from batchqc.documents.verifier.findings import Failed, demand

_MARK: Final = "\u2014 "
_TREE_HEAD: Final = re.compile(
    r"([^\n]{1,200})\n([1-9][0-9]{0,14})\n([A-Za-z0-9+/]{43}=)\n"
    r"audit-head [0-9a-f]{64}\nsigned-at ([^\n]+)\n"
)
_PROOF: Final = re.compile(
    r"c2sp\.org/tlog-proof@v1\nindex (\d{1,15})\n((?:[A-Za-z0-9+/=]{44}\n)*)\n"
)


@dataclass(frozen=True, slots=True)
class LogKey:
    """A public key of the log under its name and its four bytes of id."""

    name: str
    key_id: bytes
    public: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint says: the log's name, how many entries, their root, when it was signed."""

    origin: str
    size: int
    root: bytes
    at: datetime


def read_log_keys(text: str) -> tuple[LogKey, ...]:
    """The keys in ``log.vkey``, one in each line.

    Raises:
        Failed: a line is none, or there is no line.
    """
    found = tuple(_log_key(line.strip()) for line in text.splitlines() if line.strip())
    demand(bool(found), "the file of the log's keys holds none")
    return found


def _log_key(line: str) -> LogKey:
    name, _, rest = line.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = _unpacked(encoded)
    own = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    demand(len(data) == 33 and data[0] == 1 and own.hex() == key_id, "a key of the log is damaged")
    return LogKey(name, own, Ed25519PublicKey.from_public_bytes(data[1:]))


def genuine_note(note: str, keys: Sequence[LogKey]) -> str:
    """The text of a note that one of the keys signed, and that no known key signed wrongly.

    Raises:
        Failed: nobody did.
    """
    body, _, lines = note.rpartition("\n\n")
    text, held = body + "\n", 0
    for line in lines.splitlines():
        name, _, encoded = line.removeprefix(_MARK).partition(" ")
        data = _unpacked(encoded)
        for key in keys:
            if (key.name, key.key_id) == (name, data[:4]):
                try:
                    key.public.verify(data[4:], text.encode())
                except InvalidSignature:
                    raise Failed(f"the signature of {name} does not hold") from None
                held += 1
    demand(held > 0, "none of the given keys of the log signed it")
    return text


def read_tree_head(note: str, keys: Sequence[LogKey]) -> TreeHead:
    """What a checkpoint says, once its signature holds.

    Raises:
        Failed: it is none, or not signed by whom it must be.
    """
    found = _TREE_HEAD.fullmatch(genuine_note(note, keys))
    if not found:
        raise Failed("the checkpoint is none of a log of batchqc")
    origin, size, root, at = found.groups()
    demand(origin in {key.name for key in keys}, "the checkpoint is of another log")
    return TreeHead(origin, int(size), _unpacked(root), moment_of(at))


def proved_entry(entry: str, proof: str, keys: Sequence[LogKey]) -> tuple[int, TreeHead, str]:
    """The sequence of an entry that a proof shows in the log, what the checkpoint says, its note.

    Raises:
        Failed: it does not show that.
    """
    found = _PROOF.match(proof)
    if not found:
        raise Failed("the proof cannot be read")
    note = proof[found.end() :]
    head, index = read_tree_head(note, keys), int(found[1])
    hashes = [_unpacked(line) for line in found[2].splitlines()]
    leaf = hashlib.sha256(b"\0" + hashlib.sha256(entry.encode()).digest()).digest()
    demand(index < head.size, "the checkpoint does not cover the entry")
    demand(_climbed(leaf, index, head.size, hashes) == head.root, "the entry is not in the log")
    return index + 1, head, note


def _climbed(leaf: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes:
    """The root that a proof leads to (RFC 9162, 2.1.3.2); empty where it is too short or long."""
    place, last, found = index, size - 1, leaf
    for one in hashes:
        if not last:
            return b""
        if place % 2 or place == last:
            found = hashlib.sha256(b"\1" + one + found).digest()
            while place and not place % 2:
                place, last = place // 2, last // 2
        else:
            found = hashlib.sha256(b"\1" + found + one).digest()
        place, last = place // 2, last // 2
    return b"" if last else found


def moment_of(text: str) -> datetime:
    """A time with its zone.

    Raises:
        Failed: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Failed("a time cannot be read") from None
    demand(found.tzinfo is not None, "a time has no zone")
    return found


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Failed("base64 is damaged") from None
