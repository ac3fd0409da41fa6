"""A ZIP file that is sent while it is written, of as many files and bytes as there are.

The rules:

- Files are stored, not compressed, with one fixed date and mode, in the order in which they come:
  the same files give the same bytes.
- Everything is ZIP64, so that there is one form for small and for large.
- Sizes and checksums stand before each file, so that it can be unpacked while it arrives. A source
  is therefore read twice, and refused where it is not the same the second time.
- The directory at the end waits in a temporary file: memory does not grow with it.

Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO, Final, NamedTuple

from batchqc.errors import IntegrityFailure

CHUNK: Final = 1 << 16
_VERSION: Final = 45  # to extract: ZIP64
_UNIX: Final = 3 << 8
_MODE: Final = 0o100644 << 16
_DATE: Final = (0, 1 << 5 | 1)  # 1980-01-01 00:00, the earliest that there is
_UTF8: Final = 1 << 11
_LATER: Final = 0xFFFFFFFF  # the figure stands in the extra field
_LOCAL: Final = struct.Struct("<IHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<IHHHHHHIIIHHHHHII")
_END64: Final = struct.Struct("<IQHHIIQQQQ")
_LOCATOR: Final = struct.Struct("<IIQI")
_END: Final = struct.Struct("<IHHHHIIH")


class Found(NamedTuple):
    """What a source holds: how many bytes, their CRC-32, and their SHA-256."""

    size: int
    crc: int
    sha256: str


def examine(source: BinaryIO) -> Found:
    """Read a source from its beginning to its end, and go back."""
    size, crc, digest = 0, 0, hashlib.sha256()
    for chunk in chunks_of(source):
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        digest.update(chunk)
    return Found(size, crc, digest.hexdigest())


def chunks_of(source: BinaryIO) -> Iterator[bytes]:
    """A source from its beginning to its end, in chunks."""
    source.seek(0)
    while chunk := source.read(CHUNK):
        yield chunk


class ZipStream:
    """The bytes of a ZIP file, file by file, and ``end`` after the last."""

    def __init__(self, spools: ExitStack) -> None:
        self._directory: BinaryIO = spools.enter_context(TemporaryFile())  # noqa: SIM115 - closed by spools
        self._count = self._offset = 0

    def file(self, name: str, source: BinaryIO, found: Found) -> Iterator[bytes]:
        """One file; its name is a path with slashes, ``found`` what its source was examined to be.

        Raises:
            IntegrityFailure: BQC-EXP-004 the source is not what it was.
        """
        path, (size, crc, _) = name.encode(), found
        shared = (_UTF8, 0, *_DATE, crc, _LATER, _LATER, len(path))
        sizes = struct.pack("<QQ", size, size)
        extra = struct.pack("<HH", 1, len(sizes)) + sizes
        yield from self._sent(_LOCAL.pack(0x04034B50, _VERSION, *shared, len(extra)) + path + extra)
        begin = self._offset - _LOCAL.size - len(path) - len(extra)
        sent, again = 0, 0
        for chunk in chunks_of(source):
            sent, again = sent + len(chunk), zlib.crc32(chunk, again)
            yield from self._sent(chunk)
        if (sent, again) != (size, crc):
            raise IntegrityFailure("BQC-EXP-004", f"{name} changed while it was exported")
        places = struct.pack("<HHQQQ", 1, 24, size, size, begin)
        self._directory.write(
            _CENTRAL.pack(
                0x02014B50, _UNIX | _VERSION, _VERSION, *shared, len(places), 0, 0, 0, _MODE, _LATER
            )
            + path
            + places
        )
        self._count += 1

    def end(self) -> Iterator[bytes]:
        """The directory; nothing comes after it."""
        begin = self._offset
        for chunk in chunks_of(self._directory):
            yield from self._sent(chunk)
        size, last = self._offset - begin, self._offset
        yield _END64.pack(
            0x06064B50, _END64.size - 12, _UNIX | _VERSION, _VERSION, 0, 0,
            self._count, self._count, size, begin,
        )  # fmt: skip
        yield _LOCATOR.pack(0x07064B50, 0, last, 1)
        yield _END.pack(0x06054B50, 0, 0, 0xFFFF, 0xFFFF, _LATER, _LATER, 0)

    def _sent(self, data: bytes) -> Iterator[bytes]:
        self._offset += len(data)
        yield data


def zipped(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """A ZIP file of small files, by name; each is asked for when it is its turn."""
    with ExitStack() as spools:
        stream = ZipStream(spools)
        for name, data in files:
            source = BytesIO(data)
            yield from stream.file(name, source, examine(source))
        yield from stream.end()
