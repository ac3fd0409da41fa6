"""The key under which the secrets of authenticators are stored: 32 bytes in a file, mode 0600.

Nothing is overwritten. AES-GCM; a secret belongs to one row, and opens under its name only.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from batchqc.errors import Conflict, SigningUnavailable

_NONCE_BYTES = 12


def create_component_key(path: Path) -> None:
    """Write a new key as 64 hexadecimal digits.

    Raises:
        Conflict: there is a file.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict("BQC-SIG-020", f"{path} exists; it is not replaced") from error
    with os.fdopen(handle, "w") as file:
        file.write(AESGCM.generate_key(256).hex() + "\n")


@dataclass(frozen=True, slots=True)
class ComponentKey:
    """The key of an installation."""

    _cipher: AESGCM

    def lock(self, secret: str, *, name: str) -> str:
        """Encrypt a secret for the row of that name: hexadecimal nonce and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return (nonce + self._cipher.encrypt(nonce, secret.encode(), name.encode())).hex()

    def unlock(self, locked: str, *, name: str) -> str:
        """Decrypt what was encrypted for the row of that name.

        Raises:
            SigningUnavailable: with another key, for another row, or changed.
        """
        data = bytes.fromhex(locked)
        try:
            return self._cipher.decrypt(
                data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode()
            ).decode()
        except InvalidTag as error:
            raise _unavailable(f"does not open the secret of {name}") from error


def load_component_key(path: Path | None) -> ComponentKey:
    """The key in a file.

    Raises:
        SigningUnavailable: there is none, or it holds no key.
    """
    try:
        return ComponentKey(AESGCM(bytes.fromhex(path.read_text().strip() if path else "")))
    except (OSError, ValueError) as error:
        raise _unavailable(f"cannot be read from {path or 'any file'}") from error


def _unavailable(what: str) -> SigningUnavailable:
    return SigningUnavailable(
        "BQC-SIG-021",
        f"the key of second components {what}",
        hint="Mount its file where BATCHQC_COMPONENT_KEY says; see the guide on setting up.",
    )
