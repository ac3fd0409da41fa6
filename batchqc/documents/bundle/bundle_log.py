"""The transparency log in a bundle: notes, checkpoints, the chain, and proofs.

Entry n of the audit trail is leaf n - 1 of a Merkle tree (RFC 9162): its leaf hash is SHA-256 over
0x00 and the 32 bytes of SHA-256 over the entry. The chain over the entries is a list of links, each
the SHA-256 of JSON that names the entry, the link before and its place. A checkpoint is a signed
note (C2SP signed-note, Ed25519): name of the log, number of entries, root, two more lines.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROOF = "c2sp.org/tlog-proof@v1"
_MARK = "\u2014 "
_ED25519 = b"\x01"
_HASH_BYTES = 32


class Wrong(Exception):
    """What does not hold, in words."""


@dataclass(frozen=True)
class Key:
    """A public key of the log."""

    name: str
    id: bytes
    public: bytes


@dataclass(frozen=True)
class Checkpoint:
    """What was signed of the first ``size`` entries: their root, the head of the chain, when."""

    origin: str
    size: int
    root: bytes
    head: str
    at: datetime


def read_keys(text: str) -> list[Key]:
    """The keys in ``log.vkey``, one a line: name, id and bytes with plus signs between."""
    keys = []
    for line in text.split("\n"):
        if not line:
            continue
        name, _, rest = line.partition("+")
        key_id, _, encoded = rest.partition("+")
        data = _decoded(encoded)
        own = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        if data[:1] != _ED25519 or len(data) != 1 + _HASH_BYTES or own.hex() != key_id:
            raise Wrong(f"{line[:60]} is not the key of a log")
        keys.append(Key(name, own, data[1:]))
    return keys


def signed_text(note: str, keys: Iterable[Key]) -> str:
    """The text of a note, once a signature of a known key over it was checked.

    Raises:
        Wrong: it is no note, or none of the keys signed it, or a signature does not hold.
    """
    body, blank, lines = note.rpartition("\n\n")
    if not (body and blank and lines.endswith("\n")):
        raise Wrong("this is not a signed note")
    text, known, held = body + "\n", {(key.name, key.id): key for key in keys}, False
    for line in lines.split("\n")[:-1]:
        name, _, encoded = line.removeprefix(_MARK).partition(" ")
        data = _decoded(encoded)
        key = known.get((name, data[:4]))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(data[4:], text.encode())
        except InvalidSignature:
            raise Wrong(f"the signature of {name} ({data[:4].hex()}) does not hold") from None
        held = True
    if not held:
        raise Wrong("none of the keys that you hold signed it")
    return text


def read_checkpoint(note: str, keys: Iterable[Key]) -> Checkpoint:
    """A checkpoint whose signature holds.

    Raises:
        Wrong: it is none, or its signature does not hold.
    """
    lines = signed_text(note, keys).split("\n")
    try:
        origin, size, root, head, at, _ = lines
        found = Checkpoint(
            origin, int(size), _decoded(root), head.removeprefix("audit-head "),
            datetime.fromisoformat(at.removeprefix("signed-at ")),
        )  # fmt: skip
    except ValueError as error:
        raise Wrong("this is not a checkpoint of a log") from error
    if len(found.root) != _HASH_BYTES or found.size < 1:
        raise Wrong("this is not a checkpoint of a log")
    return found


class Trail:
    """The hashes of all entries of a trail, in their order, and the links over them."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._entries, self._links = bytearray(), bytearray()
        head = "0" * 64
        for line in lines:
            entry = line.removesuffix("\n")
            try:
                data = bytes.fromhex(entry)
            except ValueError:
                data = b""
            if len(data) != _HASH_BYTES or data.hex() != entry:
                raise Wrong(f"line {len(self) + 1} is not the hash of an entry")
            self._entries += data
            head = _link(len(self), entry, head)
            self._links += bytes.fromhex(head)

    def __len__(self) -> int:
        """How many entries."""
        return len(self._entries) // _HASH_BYTES

    def entry(self, sequence: int) -> str:
        """The hash of an entry, by its place from 1; "" where there is none."""
        return _at(self._entries, sequence)

    def head(self, sequence: int) -> str:
        """The link of the chain at a place; "" where there is none."""
        return _at(self._links, sequence)

    def roots(self, sizes: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """The root over so many first entries, for each of some sizes, smallest first."""
        waiting = sorted(set(sizes), reverse=True)
        peaks: list[tuple[int, bytes]] = []  # heights and roots of perfect subtrees
        for sequence in range(1, len(self) + 1):
            begin = (sequence - 1) * _HASH_BYTES
            node = hashlib.sha256(b"\x00" + self._entries[begin : begin + _HASH_BYTES]).digest()
            height = 0
            while peaks and peaks[-1][0] == height:
                node, height = _node(peaks.pop()[1], node), height + 1
            peaks.append((height, node))
            while waiting and waiting[-1] == sequence:
                yield waiting.pop(), _joined(peaks)


def read_proof(text: str, keys: Iterable[Key]) -> tuple[int, list[bytes], Checkpoint]:
    """Index of the leaf, the hashes upwards, and the checkpoint of a proof file (C2SP tlog-proof).

    Raises:
        Wrong: it is none, or the signature of its checkpoint does not hold.
    """
    proof, _, note = text.partition("\n\n")
    lines = proof.split("\n")
    if lines[0] != PROOF or len(lines) < 2 or not lines[1].startswith("index "):
        raise Wrong("this is not a proof of an entry in the log")
    try:
        index = int(lines[1].removeprefix("index "))
    except ValueError as error:
        raise Wrong("this is not a proof of an entry in the log") from error
    return index, [_decoded(one) for one in lines[2:]], read_checkpoint(note, keys)


def is_included(entry: str, index: int, proof: list[bytes], said: Checkpoint) -> bool:
    """Whether a proof leads from an entry, by its hash, to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < said.size:
        return False
    node = hashlib.sha256(b"\x00" + bytes.fromhex(entry)).digest()
    place, last = index, said.size - 1
    for one in proof:
        if not last:
            return False
        if place & 1 or place == last:
            node = _node(one, node)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = _node(node, one)
        place, last = place >> 1, last >> 1
    return not last and node == said.root


def _link(sequence: int, entry: str, previous: str) -> str:
    text = (
        f'{{"entry":"{entry}","previous":"{previous}","sequence":{sequence}'
        ',"type":"batchqc/audit-link/1"}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _at(hashes: bytearray, sequence: int) -> str:
    if sequence < 1:
        return ""
    return hashes[(sequence - 1) * _HASH_BYTES : sequence * _HASH_BYTES].hex()


def _joined(peaks: list[tuple[int, bytes]]) -> bytes:
    node = peaks[-1][1]
    for _, left in reversed(peaks[:-1]):
        node = _node(left, node)
    return node


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
