"""What the transparency log says: signed notes (C2SP), checkpoints, and proofs of entries.

Entry ``sequence`` of the audit trail is leaf ``sequence - 1`` of a Merkle tree (RFC 9162); its leaf
is the 32 bytes of SHA-256 over its canonical bytes. The line of a key that the site reported lost
says since when (``… lost 2026-11-24T10:00:00Z``): it signs nothing any more that has no earlier
date, and its word for an earlier one is not enough.
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
_DATED: Final = re.compile(r"^(?:signed-at|at) (\S+)$", re.MULTILINE)
_PROOF: Final = re.compile(
    r"c2sp\.org/tlog-proof@v1\nindex (\d{1,15})\n((?:[A-Za-z0-9+/=]{44}\n)*)\n"
)


@dataclass(frozen=True, slots=True)
class LogKey:
    """A public key of the log under its name and its four bytes of id."""

    name: str
    key_id: bytes
    public: Ed25519PublicKey
    lost: datetime | None = None


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint says: the log's name, how many entries, their root, when it was signed.

    ``lost`` is since when somebody else may have the key, where no other one signed it.
    """

    origin: str
    size: int
    root: bytes
    at: datetime
    lost: datetime | None = None


def read_log_keys(text: str) -> tuple[LogKey, ...]:
    """The keys in ``log.vkey``, one in each line.

    Raises:
        Failed: a line is none, or there is no line.
    """
    found = tuple(_log_key(line.strip()) for line in text.splitlines() if line.strip())
    demand(bool(found), "the file of the log's keys holds none")
    return found


def _log_key(line: str) -> LogKey:
    line, _, lost = line.partition(" lost ")
    name, _, rest = line.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = _unpacked(encoded)
    own = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    demand(len(data) == 33 and data[0] == 1 and own.hex() == key_id, "a key of the log is damaged")
    public = Ed25519PublicKey.from_public_bytes(data[1:])
    return LogKey(name, own, public, moment_of(lost) if lost else None)


def genuine_note(note: str, keys: Sequence[LogKey]) -> str:
    """The text of a note that one of the keys signed, and that no known key signed wrongly.

    Raises:
        Failed: nobody did, or only with a key that was lost by then.
    """
    return _signed(note, keys)[0]


def _signed(note: str, keys: Sequence[LogKey]) -> tuple[str, datetime | None]:
    """The text of a note, and since when its keys are lost, where all are."""
    lost = list[datetime | None]()
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
                lost.append(key.lost)
    demand(held > 0, "none of the given keys of the log signed it")
    since = None if None in lost else max(one for one in lost if one)
    if since:
        dated = _DATED.search(text)
        by_then = dated is not None and moment_of(dated[1]) <= since
        demand(by_then, f"it was signed with a key that was reported lost on {since:%Y-%m-%d}")
    return text, since


def read_tree_head(note: str, keys: Sequence[LogKey]) -> TreeHead:
    """What a checkpoint says, once its signature holds.

    Raises:
        Failed: it is none, or not signed by whom it must be.
    """
    text, lost = _signed(note, keys)
    found = _TREE_HEAD.fullmatch(text)
    if not found:
        raise Failed("the checkpoint is none of a log of batchqc")
    origin, size, root, at = found.groups()
    demand(origin in {key.name for key in keys}, "the checkpoint is of another log")
    return TreeHead(origin, int(size), _unpacked(root), moment_of(at), lost)


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
