"""The write-once store in an S3 bucket with object lock.

The bucket keeps versions, has object lock enabled and a default retention in compliance mode; else
nothing is put into it. Bytes lie at ``prefix/ab/abcdef…``, as in a folder. Each is sent with its
SHA-256, which the server checks, and only where there is none of that name (``If-None-Match: *``).
What is larger than a part is sent in parts, each with its own SHA-256, from a local copy: memory
stays constant. Secrets are read where AWS's programs read them (``AWS_ACCESS_KEY_ID`` …).

A delete marker or a later version can be laid over locked bytes, not instead of them: readers say
missing or damaged, and ``mend`` puts the original on top again.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final

from batchqc.documents.s3_bucket import Bucket
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
)
from batchqc.errors import IntegrityFailure

PART: Final = 16 * 2**20
"""Bytes of a part."""


@dataclass(frozen=True)
class S3Archive(Putting):
    """A write-once store in a bucket; what it knows of the service is made when it is first used.

    Args:
        bucket: its name.
        prefix: what every name in it begins with; blank, or it ends with ``/``.
        endpoint: address of the service; blank is that of AWS.
        region: of the bucket; blank is that of the environment.
        part: bytes of a part, at least 5 MiB on most services.
        check: whether it is the store of its installation.
    """

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    part: int = PART
    check: Check = field(default=unasked, compare=False)

    @cached_property
    def _bucket(self) -> Bucket:
        return Bucket(self.bucket, endpoint=self.endpoint, region=self.region)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled without its connections, and without what asks the database."""
        return S3Archive, (self.bucket, self.prefix, self.endpoint, self.region, self.part)

    @property
    def place(self) -> str:
        """See ``Archive``."""
        return f"s3://{self.bucket}/{self.prefix}"

    def check_own(self, *, marks: bool = False) -> None:
        """See ``Archive``."""
        self.check(self, marks=marks)

    def marked_for(self) -> str:
        """See ``Archive``."""
        with self._bucket.got(self.prefix + MARKER) as body:
            return "" if body is None else installation_in(b"".join(body))

    def mark(self, installation: str) -> None:
        """See ``Archive``."""
        with tempfile.NamedTemporaryFile(prefix="batchqc-") as file:
            file.write(marker_for(installation))
            file.flush()
            self._bucket.put(self.prefix + MARKER, Path(file.name), part=self.part)

    @contextlib.contextmanager
    def staged(self, chunks: Iterable[bytes]) -> Iterator[Staged]:
        """See ``Archive``."""
        self.check_own(marks=True)
        with tempfile.NamedTemporaryFile(prefix="batchqc-") as file:
            digest = hashlib.sha256()
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            sha256, path = digest.hexdigest(), Path(file.name)
            yield Staged(path, sha256, lambda: self._keep(path, sha256))

    @contextlib.contextmanager
    def opened(self, sha256: str) -> Iterator[BinaryIO]:
        """See ``Archive``."""
        with self.at_hand(sha256) as path, path.open("rb") as file:
            yield file

    def get(self, sha256: str) -> bytes:
        """See ``Archive``."""
        with self._found(sha256) as body:
            data = b"".join(body)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise damaged(sha256)
        return data

    @contextlib.contextmanager
    def at_hand(self, sha256: str) -> Iterator[Path]:
        """See ``Archive``."""
        with tempfile.NamedTemporaryFile(prefix="batchqc-") as file:
            self._fetch(sha256, file.file)
            yield Path(file.name)

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """See ``Archive``."""
        with contextlib.ExitStack() as unless_sound:
            file = unless_sound.enter_context(tempfile.TemporaryFile())
            self._fetch(sha256, file)
            unless_sound.pop_all()  # whoever reads the chunks closes it

        def read() -> Iterator[bytes]:
            with file:
                file.seek(0)
                yield from iter(lambda: file.read(CHUNK), b"")

        return read()

    def try_writing(self) -> None:
        """See ``Archive``."""
        self.check_own(marks=True)
        self._bucket.try_writing(f"{self.prefix}try")

    def names(self) -> Iterator[str]:
        """See ``Archive``."""
        for key in self._bucket.keys(self.prefix):
            name = key.rpartition("/")[2]
            if SHA256.fullmatch(name):
                yield name

    def leftovers(self) -> Iterator[str]:
        """See ``Archive``; here they are uploads of parts that were not finished."""
        yield from self._bucket.unfinished(self.prefix)

    def stored_at(self, sha256: str) -> datetime | None:
        """See ``Archive``."""
        return self._bucket.stored_at(self._key(sha256))

    def mend(self, sha256: str, chunks: Iterable[bytes]) -> None:
        """See ``Archive``; what was damaged stays below as an earlier version."""
        with self.staged(chunks) as staged:
            check_mendable(sha256, staged.sha256, is_sound=self._is_sound(sha256))
            self._bucket.put(self._key(sha256), staged.path, part=self.part, over=True)

    def retain(self, sha256: str, until: datetime) -> None:
        """See ``Archive``; it is lengthened only."""
        self._bucket.retain(self._key(sha256), until)

    def hold(self, sha256: str, *, is_held: bool) -> None:
        """See ``Archive``."""
        self._bucket.hold(self._key(sha256), is_held=is_held)

    def check_removable(self, sha256: str) -> None:
        """See ``Archive``."""
        self._bucket.check_removable(self._key(sha256), whatever_hold=True)

    def dispose(self, stone: Tombstone) -> None:
        """See ``Archive``; every version goes."""
        key = self._key(stone.sha256)
        self._bucket.check_removable(key)
        with self.staged((stone.data,)) as staged:
            self._bucket.put(key + DISPOSED, staged.path, part=self.part)
        self._bucket.remove(key)

    def tombstone(self, sha256: str) -> Tombstone | None:
        """See ``Archive``."""
        with self._bucket.got(self._key(sha256) + DISPOSED) as body:
            return None if body is None else Tombstone.read(b"".join(body))

    def _keep(self, path: Path, sha256: str) -> None:
        key = self._key(sha256)
        if self._bucket.stored_at(key) is None and (stone := self.tombstone(sha256)):
            raise returned(stone)
        if not self._bucket.put(key, path, part=self.part):
            with tempfile.TemporaryFile() as there:  # it was there: is it what it is called?
                self._fetch(sha256, there)

    @contextlib.contextmanager
    def _found(self, sha256: str) -> Iterator[Iterator[bytes]]:
        with self._bucket.got(self._key(sha256)) as body:
            if body is None:
                stone = self.tombstone(sha256)
                if stone is None:
                    self.check_own()  # nothing is missing in a store that is not the one
                raise disposed(stone) if stone else missing(sha256)
            yield body

    def _fetch(self, sha256: str, file: Any) -> None:
        digest = hashlib.sha256()
        with self._found(sha256) as body:
            for chunk in body:
                digest.update(chunk)
                file.write(chunk)
        file.flush()
        if digest.hexdigest() != sha256:
            raise damaged(sha256)

    def _is_sound(self, sha256: str) -> bool:
        try:
            with self.at_hand(sha256):
                return True
        except IntegrityFailure:
            return False

    def _key(self, sha256: str) -> str:
        return f"{self.prefix}{check_name(sha256)[:2]}/{sha256}"
