"""Signed notes with Ed25519 keys, as C2SP signed-note has them: a text, and lines that sign it.

A key has a name without blanks and plus signs. Its id is the first four bytes of SHA-256 over name,
newline, 0x01 and the 32 bytes of the public key. A verifier passes over lines of keys that it does
not know; a known key whose signature does not hold spoils the note.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from batchqc.errors import IntegrityFailure, InvalidInput

ED25519: Final = b"\x01"
_PUBLIC_BYTES: Final = 32
_ID_BYTES: Final = 4
_MARK: Final = "\u2014 "
_LOST: Final = " lost "
_NAME: Final = re.compile(r"[^\s+]{1,100}")

Verify = Callable[[bytes, bytes, bytes], bool]
"""Whether a public key, a message and a signature over it belong together."""


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key under its name."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature names it."""
        named = self.name.encode() + b"\n" + ED25519 + self.public
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as a verifier keeps it: name, id and bytes, with plus signs between them."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends with a newline, and its signatures: key name, key id, bytes."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def signed_by(self, keys: Iterable[NoteKey], verify: Verify) -> tuple[NoteKey, ...]:
        """Those of ``keys`` that signed it.

        Raises:
            IntegrityFailure: BQC-LOG-002 none did, or a signature of one does not hold.
        """
        known = {(one.name, one.key_id): one for one in keys}
        found = []
        for name, key_id, signature in self.signatures:
            key = known.get((name, key_id))
            if key is None:
                continue
            if not verify(key.public, self.text.encode(), signature):
                raise _unsigned(f"the signature of {name} ({key_id.hex()}) does not hold")
            found.append(key)
        if not found:
            names = ", ".join(f"{name} ({key_id.hex()})" for name, key_id, _ in self.signatures)
            raise _unsigned(f"none of the keys that you hold signed it; it names {names}")
        return tuple(found)


def is_key_name(name: str) -> bool:
    """Whether a key may be named so."""
    return _NAME.fullmatch(name) is not None


def key_of(text: str) -> NoteKey:
    """The key that a verifier keeps as text, with or without since when it is lost.

    Raises:
        InvalidInput: BQC-LOG-003 it is none, or its id is another.
    """
    name, _, rest = text.strip().partition(_LOST)[0].partition("+")
    key_id, _, encoded = rest.partition("+")
    data = _bytes(encoded) or b""
    key = NoteKey(name, data[1:])
    whole = data[:1] == ED25519 and len(data) == 1 + _PUBLIC_BYTES and is_key_name(name)
    if not whole or key.key_id.hex() != key_id:
        raise InvalidInput("BQC-LOG-003", f'"{text.strip()[:120]}" is not the key of a log')
    return key


def lost_line(key: str, since: str) -> str:
    """The line of a key that somebody else may have, and since when."""
    return f"{key}{_LOST}{since}"


def signature_line(key: NoteKey, signature: bytes) -> str:
    """The line of a note that holds a signature."""
    return f"{_MARK}{key.name} {_base64(key.key_id + signature)}\n"


def note_of(text: str) -> Note:
    """A note from its bytes as text.

    Raises:
        InvalidInput: BQC-LOG-001 it is none.
    """
    body, blank, lines = text.rpartition("\n\n")
    signatures = [_signature(line) for line in lines.split("\n")[:-1]]
    found = [one for one in signatures if one is not None]
    whole = body and blank and lines.endswith("\n") and len(found) == len(signatures)
    if not whole or not body.replace("\n", "").isprintable():
        raise InvalidInput("BQC-LOG-001", "this is not a signed note", hint=_WHOLE)
    return Note(body + "\n", tuple(found))


_WHOLE: Final = "Give the file as it was written, with its last line and its newline."


def _signature(line: str) -> tuple[str, bytes, bytes] | None:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    data = _bytes(encoded)
    if not line.startswith(_MARK) or not is_key_name(name) or not data or len(data) <= _ID_BYTES:
        return None
    return name, data[:_ID_BYTES], data[_ID_BYTES:]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _unsigned(why: str) -> IntegrityFailure:
    return IntegrityFailure(
        "BQC-LOG-002",
        f"the note is not genuine: {why}",
        hint="Get the log's public keys from the site by another way than the note.",
    )
