"""The write-once store: bytes, found again by their SHA-256.

The rules:

- Nothing is ever overwritten or deleted; storing the same bytes again changes nothing.
- Bytes are complete and on disk before their name exists: temporary file, fsync, hard link.
- Every read checks the hash. What does not match is an integrity failure, never a result.

A file lies at ``ab/abcdef…``, mode 0444. What a crash leaves behind is called ``.incoming-…``.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from batchqc.errors import IntegrityFailure, InvalidInput

_SHA256 = re.compile(r"[0-9a-f]{64}")


class FolderArchive:
    """A write-once store in a folder of one file system that knows hard links."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """Its folder."""
        return self._root

    def put(self, data: bytes) -> str:
        """Store ``data`` and return its SHA-256.

        Raises:
            IntegrityFailure: BQC-ARC-001 where other bytes already lie under this hash.
        """
        return self.put_stream((data,))

    def put_stream(self, chunks: Iterable[bytes]) -> str:
        """Store bytes that arrive in chunks and return their SHA-256.

        Where ``chunks`` raises (an upload beyond its limit), nothing is stored.

        Raises:
            IntegrityFailure: BQC-ARC-001 where other bytes already lie under this hash.
        """
        with self.staged(chunks) as staged:
            staged.keep()
            return staged.sha256

    @contextlib.contextmanager
    def staged(self, chunks: Iterable[bytes]) -> Iterator["Staged"]:
        """A private copy of bytes that is gone afterwards, unless it was kept."""
        self._root.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".incoming-", dir=self._root)
        try:
            digest = hashlib.sha256()
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
                os.fchmod(file.fileno(), 0o444)
            sha256 = digest.hexdigest()
            yield Staged(Path(name), sha256, lambda: self._name(Path(name), sha256))
        finally:
            Path(name).unlink()

    @contextlib.contextmanager
    def opened(self, sha256: str) -> Iterator[BinaryIO]:
        """A stream of the bytes with this hash, which were checked against it; see ``get``."""
        with self._found(sha256).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise _damaged(sha256)
            file.seek(0)
            yield file

    def get(self, sha256: str) -> bytes:
        """The bytes with this hash.

        Raises:
            InvalidInput: BQC-ARC-003 where ``sha256`` is not 64 lower-case hexadecimal digits.
            IntegrityFailure: BQC-ARC-001 damaged, BQC-ARC-002 missing.
        """
        data = self._found(sha256).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _damaged(sha256)
        return data

    def path_of(self, sha256: str) -> Path:
        """Where the bytes with this hash lie, checked against it; see ``get``."""
        with self.opened(sha256):
            return self._found(sha256)

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The bytes with this hash in chunks, all checked before the first; see ``get``."""
        path = self.path_of(sha256)

        def read() -> Iterator[bytes]:
            with path.open("rb") as file:
                yield from iter(lambda: file.read(1_000_000), b"")

        return read()

    def _found(self, sha256: str) -> Path:
        path = self._path(sha256)
        if not path.is_file():
            raise IntegrityFailure(
                "BQC-ARC-002",
                f"the archive holds no file {sha256}",
                hint="Restore it from a copy of the archive.",
            )
        return path

    def _name(self, temporary: Path, sha256: str) -> None:
        path = self._path(sha256)
        path.parent.mkdir(exist_ok=True)
        _sync(temporary, os.O_RDONLY)
        # A link never replaces a file, whoever else writes at this moment.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(temporary)
        with self.opened(sha256):
            pass
        for folder in (path.parent, self._root):
            _sync(folder, os.O_RDONLY | os.O_DIRECTORY)

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise InvalidInput("BQC-ARC-003", "a file is named by 64 lower-case hexadecimal digits")
        return self._root / sha256[:2] / sha256


@dataclass(frozen=True, slots=True)
class Staged:
    """A private copy of bytes; ``keep`` puts it into the store, once it is wanted there."""

    path: Path
    sha256: str
    keep: Callable[[], None]


def _damaged(sha256: str) -> IntegrityFailure:
    return IntegrityFailure(
        "BQC-ARC-001",
        f"the archived file {sha256} is damaged",
        hint="Keep it as it is, and restore the original from a copy of the archive.",
    )


def _sync(path: Path, flags: int) -> None:
    """Bring a file's bytes or a folder's entries to disk; without it a crash may lose them."""
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
