"""The write-once store: bytes, found again by their SHA-256.

The rules:

- Nothing is ever overwritten; storing the same bytes again changes nothing. What was disposed of
  leaves a tombstone, and does not come back.
- Bytes are complete and on disk before their name exists: temporary file, fsync, hard link.
- Every read checks the hash. What does not match is an integrity failure, never a result.

In a folder, a file lies at ``ab/abcdef…``, mode 0444. What a crash leaves behind is called
``.incoming-…``, what was damaged and then restored ``.damaged-…``.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from batchqc.documents.stored import (
    CHUNK,
    DISPOSED,
    SHA256,
    Putting,
    Staged,
    Tombstone,
    check_mendable,
    check_name,
    damaged,
    disposed,
    missing,
    returned,
)
from batchqc.errors import IntegrityFailure


class Archive(Protocol):
    """A write-once store; it can be pickled, for a process that reads beside."""

    def put(self, data: bytes) -> str:
        """Store ``data`` and return its SHA-256; see ``put_stream``."""
        ...

    def put_stream(self, chunks: Iterable[bytes]) -> str:
        """Store bytes that arrive in chunks and return their SHA-256.

        Where ``chunks`` raises (an upload beyond its limit), nothing is stored.

        Raises:
            IntegrityFailure: BQC-ARC-001 where other bytes already lie under this hash.
            Conflict: BQC-ARC-013 where these bytes were disposed of.
            StoreUnavailable: the store cannot be reached.
        """
        ...

    def staged(self, chunks: Iterable[bytes]) -> AbstractContextManager[Staged]:
        """A private copy of bytes that is gone afterwards, unless it was kept."""
        ...

    def get(self, sha256: str) -> bytes:
        """The bytes with this hash.

        Raises:
            InvalidInput: BQC-ARC-003 where ``sha256`` is not 64 lower-case hexadecimal digits.
            IntegrityFailure: BQC-ARC-001 damaged, BQC-ARC-002 missing, BQC-ARC-005 disposed of.
            StoreUnavailable: the store cannot be reached.
        """
        ...

    def opened(self, sha256: str) -> AbstractContextManager[BinaryIO]:
        """A stream of the bytes with this hash, which were checked against it; see ``get``."""
        ...

    def at_hand(self, sha256: str) -> AbstractContextManager[Path]:
        """A local file of the bytes with this hash, checked, within the block; see ``get``."""
        ...

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The bytes with this hash in chunks, all checked before the first; see ``get``."""
        ...

    def try_writing(self) -> None:
        """Begin to store and take it back; ``StoreUnavailable`` or ``OSError`` where it cannot."""
        ...

    def names(self) -> Iterator[str]:
        """The hash of everything that lies in the store, in order."""
        ...

    def leftovers(self) -> Iterator[str]:
        """What a crash left behind while something was stored; it harms nothing."""
        ...

    def stored_at(self, sha256: str) -> datetime | None:
        """When bytes were stored, by the clock of the store; ``None`` where there are none."""
        ...

    def mend(self, sha256: str, chunks: Iterable[bytes]) -> None:
        """Put the original back where bytes are missing or damaged, also over a tombstone.

        Whether they were disposed of the records say: anybody can lay a tombstone into a store.

        Raises:
            InvalidInput: BQC-ARC-009: these bytes have another hash.
            Conflict: BQC-ARC-010: what is there is sound.
        """
        ...

    def retain(self, sha256: str, until: datetime) -> None:
        """Where the store knows retention, it keeps the bytes until then, whoever asks."""
        ...

    def hold(self, sha256: str, *, is_held: bool) -> None:
        """Where the store knows legal hold, it is set or lifted."""
        ...

    def check_removable(self, sha256: str) -> None:
        """Whether the store itself would let bytes go.

        Raises:
            Conflict: BQC-ARC-008: the store keeps them by its own lock.
        """
        ...

    def dispose(self, stone: Tombstone) -> None:
        """Remove bytes and leave the tombstone; doing it again changes nothing.

        Raises:
            Conflict: BQC-ARC-008: the store keeps them by its own lock.
        """
        ...

    def tombstone(self, sha256: str) -> Tombstone | None:
        """The tombstone of what was disposed of."""
        ...


class FolderArchive(Putting):
    """A write-once store in a folder of one file system that knows hard links."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """Its folder."""
        return self._root

    @contextlib.contextmanager
    def staged(self, chunks: Iterable[bytes]) -> Iterator[Staged]:
        """See ``Archive``."""
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
        """See ``Archive``."""
        with self._found(sha256).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise damaged(sha256)
            file.seek(0)
            yield file

    def get(self, sha256: str) -> bytes:
        """See ``Archive``."""
        data = self._found(sha256).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise damaged(sha256)
        return data

    def path_of(self, sha256: str) -> Path:
        """Where the bytes with this hash lie, checked against it; see ``get``."""
        with self.opened(sha256):
            return self._found(sha256)

    @contextlib.contextmanager
    def at_hand(self, sha256: str) -> Iterator[Path]:
        """See ``Archive``."""
        yield self.path_of(sha256)

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """See ``Archive``."""
        path = self.path_of(sha256)

        def read() -> Iterator[bytes]:
            with path.open("rb") as file:
                yield from iter(lambda: file.read(CHUNK), b"")

        return read()

    def names(self) -> Iterator[str]:
        """See ``Archive``."""
        for folder in sorted(self._root.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(one.name for one in folder.iterdir() if SHA256.fullmatch(one.name))

    def leftovers(self) -> Iterator[str]:
        """See ``Archive``."""
        yield from sorted(one.name for one in self._root.glob(".incoming-*"))

    def stored_at(self, sha256: str) -> datetime | None:
        """See ``Archive``."""
        path = self._path(sha256)
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None

    def mend(self, sha256: str, chunks: Iterable[bytes]) -> None:
        """See ``Archive``; what was damaged, and a tombstone, is kept as ``.damaged-…``."""
        path = self._path(sha256)
        with self.staged(chunks) as staged:
            check_mendable(sha256, staged.sha256, is_sound=self._is_sound(sha256))
            for one in (path, path.with_name(path.name + DISPOSED)):
                if one.exists():
                    handle, aside = tempfile.mkstemp(prefix=f".damaged-{sha256}-", dir=self._root)
                    os.close(handle)
                    one.rename(aside)
            staged.keep()

    def retain(self, sha256: str, until: datetime) -> None:
        """See ``Archive``: a folder knows no retention; the records do."""

    def hold(self, sha256: str, *, is_held: bool) -> None:
        """See ``Archive``: a folder knows no legal hold; the records do."""

    def check_removable(self, sha256: str) -> None:
        """See ``Archive``: a folder knows no lock."""

    def dispose(self, stone: Tombstone) -> None:
        """See ``Archive``; the tombstone is on disk before the bytes go."""
        path = self._path(stone.sha256)
        place = path.with_name(path.name + DISPOSED)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.staged((stone.data,)) as staged:
            _sync(staged.path, os.O_RDONLY)
            with contextlib.suppress(FileExistsError):
                place.hardlink_to(staged.path)
        _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        path.unlink(missing_ok=True)
        _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)

    def tombstone(self, sha256: str) -> Tombstone | None:
        """See ``Archive``."""
        path = self._path(sha256)
        place = path.with_name(path.name + DISPOSED)
        return Tombstone.read(place.read_bytes()) if place.is_file() else None

    def _is_sound(self, sha256: str) -> bool:
        try:
            self.path_of(sha256)
        except IntegrityFailure:
            return False
        return True

    def _found(self, sha256: str) -> Path:
        path = self._path(sha256)
        if not path.is_file():
            stone = self.tombstone(sha256)
            raise disposed(stone) if stone else missing(sha256, self._root)
        return path

    def _name(self, temporary: Path, sha256: str) -> None:
        path = self._path(sha256)
        path.parent.mkdir(exist_ok=True)
        stone = self.tombstone(sha256)
        if stone is not None:
            raise returned(stone)
        _sync(temporary, os.O_RDONLY)
        # A link never replaces a file, whoever else writes at this moment.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(temporary)
        with self.opened(sha256):
            pass
        for folder in (path.parent, self._root):
            _sync(folder, os.O_RDONLY | os.O_DIRECTORY)

    def _path(self, sha256: str) -> Path:
        return self._root / check_name(sha256)[:2] / sha256


def _sync(path: Path, flags: int) -> None:
    """Bring a file's bytes or a folder's entries to disk; without it a crash may lose them."""
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
