"""The key of the transparency log: Ed25519, in a file of its own, mode 0600.

The file holds one line, as the reference implementation of signed notes writes it:
``PRIVATE+KEY+name+id+base64``. Nothing is overwritten.
"""

import base64
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from batchqc.core.signed_notes import ED25519, NoteKey, is_key_name, key_of, signature_line
from batchqc.errors import Conflict, InvalidInput, SigningUnavailable

_BEGIN: Final = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class LogSigner:
    """The private key and its public half. Only this module makes one."""

    key: NoteKey
    _private: Ed25519PrivateKey

    def line(self, text: str) -> str:
        """The line of a note that holds the signature over its text."""
        return signature_line(self.key, self._private.sign(text.encode()))


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature over a message was made by the owner of a public key of 32 bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def check_log_name(name: str) -> None:
    """Refuse what no log is named.

    Raises:
        InvalidInput: BQC-LOG-004.
    """
    if not is_key_name(name):
        raise InvalidInput(
            "BQC-LOG-004", f'"{name}" is not the name of a log: 1 to 100 characters, no blank, no +'
        )


def create_log_key(path: Path, *, name: str) -> LogSigner:
    """Write a new key.

    Args:
        path: of the file; its folder exists.
        name: of the log; checkpoints begin with it.

    Raises:
        InvalidInput: BQC-LOG-004 no log is named so.
        Conflict: BQC-LOG-005 there is a file.
    """
    check_log_name(name)
    private = Ed25519PrivateKey.generate()
    key = NoteKey(name, private.public_key().public_bytes_raw())
    secret = base64.b64encode(ED25519 + private.private_bytes_raw()).decode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict("BQC-LOG-005", f"{path} exists; it is not replaced") from error
    with os.fdopen(handle, "w") as file:
        file.write(f"{_BEGIN}{name}+{key.key_id.hex()}+{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    return LogSigner(key, private)


def log_name(site: str) -> str:
    """What the log of a site is named where nobody names it: ``lakeside-cell-therapy/batchqc``."""
    return ("-".join(re.findall(r"[a-z0-9]+", site.lower())) or "site")[:80] + "/batchqc"


def publish(folder: Path, key: NoteKey, *, told: Iterable[str] = ()) -> Path:
    """Write a public key for those who verify: a line in ``log.vkey``, and a file for openssl.

    ``told`` are lines of keys that take the place of those of before, where one was lost.

    Returns:
        ``log.vkey``, which holds every key of the log, oldest first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    every = folder / "log.vkey"
    known = every.read_text().splitlines() if every.exists() else []
    newer = {key_of(one).text: one for one in told}
    lines = [newer.get(key_of(one).text, one) for one in known if one.strip()]
    lines += [] if key.text in {key_of(one).text for one in lines} else [key.text]
    if lines != known:
        every.write_text("".join(f"{one}\n" for one in lines))
    pem = Ed25519PublicKey.from_public_bytes(key.public).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / f"log-{key.key_id.hex()}.pem").write_bytes(pem)
    return every


def load_log_key(path: Path) -> LogSigner:
    """The key in a file.

    Raises:
        SigningUnavailable: BQC-LOG-006 there is none, or it holds no key.
    """
    try:
        name, key_id, secret = path.read_text().strip().removeprefix(_BEGIN).split("+", 2)
        data = base64.b64decode(secret, validate=True)
        private = Ed25519PrivateKey.from_private_bytes(data[1:])
    except (OSError, ValueError) as error:
        raise unusable(f"cannot be read from {path}") from error
    key = NoteKey(name, private.public_key().public_bytes_raw())
    if key.key_id.hex() != key_id:
        raise unusable(f"in {path} is damaged")
    return LogSigner(key, private)


def next_log_key(path: Path, *, name: str) -> LogSigner:
    """The key that will take the place of the one in a file: made, or found beside it."""
    beside = _next(path)
    return load_log_key(beside) if beside.exists() else create_log_key(beside, name=name)


def put_in_place(path: Path) -> None:
    """Let a new key take the place of the one in a file, which stays beside it under its id."""
    beside = _next(path)
    if not beside.exists():
        return
    if path.exists():
        old = load_log_key(path).key.key_id.hex()
        path.rename(path.with_name(f"{path.name}.{old}"))
    beside.rename(path)


def _next(path: Path) -> Path:
    return path.with_name(f"{path.name}.next")


def unusable(what: str) -> SigningUnavailable:
    """The key of the log cannot be used."""
    return SigningUnavailable(
        "BQC-LOG-006",
        f"the key of the log {what}",
        hint="Mount the newest one where BATCHQC_LOG_KEY says; `batchqc log key` makes the first.",
    )
