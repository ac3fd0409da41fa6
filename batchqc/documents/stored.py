"""What every write-once store says of bytes: their name, and what is wrong with them.

A tombstone lies in the store where bytes lay that were disposed of, so that whoever asks for them
is told who did it, when and why.
"""

import json
import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from batchqc.core.canonical import canonical_bytes
from batchqc.errors import Conflict, Disposed, IntegrityFailure, InvalidInput, StoreUnavailable

SHA256: Final = re.compile(r"[0-9a-f]{64}")
DISPOSED: Final = ".disposed"
"""What the name of a tombstone ends with."""
CHUNK: Final = 1_000_000
"""Bytes that are read at once."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A private copy of bytes; ``keep`` puts it into the store, once it is wanted there."""

    path: Path
    sha256: str
    keep: Callable[[], None]


class Putting:
    """What stores bytes by staging them first."""

    def staged(self, chunks: Iterable[bytes]) -> AbstractContextManager[Staged]:
        """See ``Archive``."""
        raise NotImplementedError

    def put(self, data: bytes) -> str:
        """See ``Archive``."""
        return self.put_stream((data,))

    def try_writing(self) -> None:
        """See ``Archive``."""
        with self.staged([b""]):
            pass

    def put_stream(self, chunks: Iterable[bytes]) -> str:
        """See ``Archive``."""
        with self.staged(chunks) as staged:
            staged.keep()
            return staged.sha256


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What was disposed of: hash, what it was, number of the disposal, why, by whom, and when."""

    sha256: str
    what: str
    disposal: str
    reason: str
    by: str
    at: str

    @property
    def data(self) -> bytes:
        """As it lies in the store."""
        return canonical_bytes({"type": "batchqc/tombstone/1", **asdict(self)})

    @classmethod
    def read(cls, data: bytes) -> "Tombstone":
        """From the store.

        Raises:
            IntegrityFailure: it is none.
        """
        try:
            content = json.loads(data)
            return cls(**{name: str(content[name]) for name in cls.__slots__})
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityFailure(
                "BQC-ARC-012", "a tombstone of the archive is damaged"
            ) from error


def check_name(sha256: str) -> str:
    """The hash, where it is one.

    Raises:
        InvalidInput: it is not 64 lower-case hexadecimal digits.
    """
    if not SHA256.fullmatch(sha256):
        raise InvalidInput("BQC-ARC-003", "a file is named by 64 lower-case hexadecimal digits")
    return sha256


def damaged(sha256: str) -> IntegrityFailure:
    """Other bytes lie under this hash."""
    return IntegrityFailure(
        "BQC-ARC-001",
        f"the archived file {sha256} is damaged",
        hint="Keep it as it is, and restore the original from a copy of the archive.",
    )


def missing(sha256: str, folder: Path | None = None) -> IntegrityFailure | StoreUnavailable:
    """Nothing lies under this hash, and nothing says that it was disposed of.

    A store whose ``folder`` is not there either has lost nothing: it cannot be reached.
    """
    if folder is not None and not folder.is_dir():
        return unusable(folder, "there is no such folder")
    return IntegrityFailure(
        "BQC-ARC-002",
        f"the archive holds no file {sha256}",
        hint="Restore it from a copy of the archive.",
    )


def unusable(folder: Path, why: str) -> StoreUnavailable:
    """A folder that cannot be reached; what lies in it is not said to be lost."""
    return StoreUnavailable(
        "BQC-ARC-004",
        f"the store {folder} cannot be used now: {why}",
        hint="Nothing is lost. Try again, once the store can be reached.",
    )


def disposed(stone: Tombstone) -> Disposed:
    """The bytes were disposed of."""
    return Disposed(
        "BQC-ARC-005",
        f"the archived file {stone.sha256} was disposed of on {stone.at[:10]} by {stone.by}"
        f" ({stone.disposal}: {stone.reason})",
        hint="Its retention was over. The records that name it stay.",
    )


def check_mendable(sha256: str, given: str, *, is_sound: bool) -> None:
    """Whether bytes with the hash ``given`` may be put back under ``sha256``.

    Raises:
        InvalidInput: they are other bytes.
        Conflict: what lies there is sound.
    """
    if given != sha256:
        raise InvalidInput(
            "BQC-ARC-009",
            f"these bytes have the hash {given}, not {sha256}",
            hint="Look for the original in another copy of the archive.",
        )
    if is_sound:
        raise Conflict("BQC-ARC-010", f"the archived file {sha256} is there, and sound")


def returned(stone: Tombstone) -> Conflict:
    """Bytes that were disposed of are not put into the store again."""
    return Conflict(
        "BQC-ARC-013",
        f"these bytes ({stone.sha256}) were disposed of on {stone.at[:10]} by {stone.by}",
        hint="What was disposed of does not come back under the same hash.",
    )
