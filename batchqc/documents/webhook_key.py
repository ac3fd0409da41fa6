"""The key from which the secret of every webhook is derived: a file beside the seal key.

The database holds no secret, not even an encrypted one: whoever reads it, or a copy of it, can
sign nothing.
"""

import os
from pathlib import Path
from typing import Final

from batchqc.errors import SigningUnavailable

_SHORTEST: Final = 32


def read_key(path: Path) -> bytes:
    """The key.

    Raises:
        SigningUnavailable: there is none, or none that can be used.
    """
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise SigningUnavailable(
            "BQC-EVT-005",
            f"the key of the webhooks cannot be read: {path}",
            hint="Restore it from where keys are kept, or end the webhooks and register new ones.",
        ) from error
    if len(key) < _SHORTEST:
        raise SigningUnavailable("BQC-EVT-006", f"{path} holds no key of {_SHORTEST} characters")
    return key


def made_key(path: Path, new: str) -> bytes:
    """The key; ``new`` is it, where there is none yet. Only its owner may read the file.

    Raises:
        SigningUnavailable: there is none that can be used, and this process may not make one.
    """
    if not path.exists():
        try:
            _make(path, new)
        except OSError as error:
            raise SigningUnavailable(
                "BQC-EVT-010",
                f"the key of the webhooks cannot be made: {path}",
                hint="Register the first webhook by `batchqc events register`, as who may write"
                " there.",
            ) from error
    return read_key(path)


def _make(path: Path, new: str) -> None:
    """Make the key, whole or not at all; whoever was faster made it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(new)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
