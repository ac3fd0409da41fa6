"""The audit trail in a bundle: the hash of every entry, the chain over them, and their tree.

Entry n is leaf n - 1 of a Merkle tree (RFC 9162): its leaf hash is SHA-256 over 0x00 and the 32
bytes of SHA-256 over the entry. The chain is a list of links, each the SHA-256 of JSON that names
the entry, the link before, and the place.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from batchqc.documents.verifier.chains import check_validity, read_roots
from batchqc.documents.verifier.findings import Failed
from batchqc.documents.verifier.tokens import read_stamp, token_in

_HASH_BYTES = 32
_LATE = timedelta(days=1)


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
                raise Failed(f"line {len(self) + 1} is not the hash of an entry")
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


def stamp_told(path: Path, tsa_roots: bytes, signed_at: datetime | None) -> tuple[str, str]:
    """Why the timestamp of a checkpoint does not hold, and what there is to tell of it; or blanks.

    What was signed is what a timestamp service saw, and not later than it says. How long a
    checkpoint went without one is told.
    """
    try:
        token, data = token_in(path.read_bytes()), path.with_suffix(".txt").read_bytes()
        stamp = read_stamp(token, data, pool=(), roots=read_roots(tsa_roots))
        check_validity(stamp.path, stamp.at)
    except Failed as problem:
        return f": {problem}", ""
    if signed_at and stamp.at.timestamp() < int(signed_at.timestamp()):
        return f" is of {stamp.at:%Y-%m-%d %H:%M}, before the checkpoint was signed", ""
    if not signed_at or stamp.at - signed_at <= _LATE:
        return "", ""
    days = (stamp.at - signed_at).days
    said = f"is of {stamp.at:%Y-%m-%d %H:%M}, and its checkpoint says {signed_at:%Y-%m-%d %H:%M}"
    return "", f"{said}: until it was stamped, {days} days later, its date is the site's word"


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
