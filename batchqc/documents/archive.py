"""The write-once store: bytes, found again by their SHA-256.

The rules:

- Nothing is ever overwritten; storing the same bytes again changes nothing. What was disposed of
  leaves a tombstone, and does not come back.
- Bytes are complete and on disk before their name exists: temporary file, fsync, hard link.
- Every read checks the hash. What does not match is an integrity failure, never a result; so is
  what the disk does not give.

In a folder, a file lies at ``ab/abcdef…``, mode 0444. What a crash leaves behind is called
``.incoming-…``, what was damaged and then restored ``.damaged-…``.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from batchqc.documents.store_marker import (
    MARKER,
    Check,
    installation_in,
    marker_for,
    unasked,
)
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
    unusable,
)
from batchqc.documents.write_once import Archive
from batchqc.errors import IntegrityFailure

__all__ = ["Archive", "FolderArchive"]


class FolderArchive(Putting):
    """A write-once store in a folder of one file system that knows hard links.

    Args:
        root: its folder.
        check: whether it is the store of its installation.
    """

    def __init__(self, root: Path, check: Check = unasked) -> None:
        self._root = root
        self._check = check

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled without what asks the database: who reads beside puts nothing into it."""
        return FolderArchive, (self._root,)

    @property
    def place(self) -> str:
        """See ``Archive``."""
        return f"the folder {self._root}"

    @property
    def root(self) -> Path:
        """Its folder."""
        return self._root

    def check_own(self, *, marks: bool = False) -> None:
        """See ``Archive``."""
        self._check(self, marks=marks)

    def marked_for(self) -> str:
        """See ``Archive``."""
        marker = self._root / MARKER
        return installation_in(marker.read_bytes()) if marker.exists() else ""

    def mark(self, installation: str) -> None:
        """See ``Archive``."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (
            self._written((marker_for(installation),)) as (path, _),
            contextlib.suppress(FileExistsError),
        ):
            _sync(path, os.O_RDONLY)
            (self._root / MARKER).hardlink_to(path)
        for folder in (self._root, self._root.parent):
            _sync(folder, os.O_RDONLY | os.O_DIRECTORY)

    @contextlib.contextmanager
    def staged(self, chunks: Iterable[bytes]) -> Iterator[Staged]:
        """See ``Archive``."""
        self.check_own(marks=True)
        with self._written(chunks) as (path, sha256):
            yield Staged(path, sha256, lambda: self._name(path, sha256))

    @contextlib.contextmanager
    def _written(self, chunks: Iterable[bytes]) -> Iterator[tuple[Path, str]]:
        self._root.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".incoming-", dir=self._root)
        try:
            digest = hashlib.sha256()
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
                os.fchmod(file.fileno(), 0o444)
            yield Path(name), digest.hexdigest()
        finally:
            Path(name).unlink()

    @contextlib.contextmanager
    def opened(self, sha256: str) -> Iterator[BinaryIO]:
        """See ``Archive``."""
        with contextlib.ExitStack() as stack:
            with self._giving(sha256):
                file = stack.enter_context(self._found(sha256).open("rb"))
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != sha256:
                raise damaged(sha256)
            file.seek(0)
            yield file

    def get(self, sha256: str) -> bytes:
        """See ``Archive``."""
        with self._giving(sha256):
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

    @contextlib.contextmanager
    def _giving(self, sha256: str) -> Iterator[None]:
        """What a disk does not give is damaged, where the store gives its marker, so is there."""
        try:
            yield
        except FileNotFoundError as error:  # the share went between two looks
            raise missing(sha256, self._root) from error
        except OSError as error:
            try:
                self.marked_for()
            except OSError:
                raise unusable(self._root, f"{error.strerror}") from error
            raise damaged(sha256) from error

    def _is_sound(self, sha256: str) -> bool:
        try:
            self.path_of(sha256)
        except IntegrityFailure:
            return False
        return True

    def _found(self, sha256: str) -> Path:
        path = self._path(sha256)
        if path.is_file():
            return path
        if stone := self.tombstone(sha256):
            raise disposed(stone)
        self.check_own()  # nothing is missing in a store that is not the one
        if path.is_file():  # the share came back between the two looks
            return path
        raise missing(sha256, self._root)

    def _name(self, temporary: Path, sha256: str) -> None:
        path = self._path(sha256)
        self.check_own()  # a share may have gone or come since
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
