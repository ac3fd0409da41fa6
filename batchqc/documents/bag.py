"""A BagIt folder (RFC 8493, version 1.0) that is sent as a ZIP file while it is written.

What is handed over lies under ``data/``, its SHA-256 in ``manifest-sha256.txt``; what explains and
checks it lies beside, its SHA-256 in ``tagmanifest-sha256.txt``, and the hash of that in a signed
note. ``sha256sum -c`` reads both manifests.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final

from batchqc.documents.zip_stream import ZipStream, examine

BAGIT: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
NOTE: Final = "bundle.note"
NOTE_TYPE: Final = "batchqc/bundle/1"
_SPOOL: Final = 1 << 20  # bytes that stay in memory
_SAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


def safe_name(text: str) -> str:
    """A name of a file or folder on any system that tells the same apart; ``=2F`` is a slash."""
    name = _SAFE.sub(lambda found: "".join(f"={one:02X}" for one in found[0].encode()), text)
    return f"={ord('.'):02X}{name[1:]}" if name.startswith(".") else name


def name_in_upload(name: str, attachment: int = 0) -> str:
    """The name of an upload's file in its folder, or of an attachment: never equal."""
    if attachment:
        return f"attachment-{attachment}-{safe_name(name)[-60:]}"
    own = safe_name(name)[-80:]
    is_like_one = own.lower().startswith("attachment-")
    return f"={ord(own[0]):02X}{own[1:]}" if is_like_one else own


def spool() -> BinaryIO:
    """A temporary file that is gone when it is closed, in memory while it is small."""
    return SpooledTemporaryFile(_SPOOL)  # type: ignore[return-value]  # it is a file


class Bag:
    """The bytes of one bag in its folder, file by file, and ``end`` after the last.

    What waits for the end lies in temporary files, which ``spools`` closes.
    """

    def __init__(self, folder: str, spools: ExitStack) -> None:
        self._zip, self._folder = ZipStream(spools), folder
        self._payload = spools.enter_context(spool())
        self._tags = spools.enter_context(spool())
        self._files = self._bytes = 0

    def payload(self, path: str, data: bytes | BinaryIO) -> Iterator[bytes]:
        """A file that is handed over, under ``data/``."""
        path = f"data/{path}"
        source = BytesIO(data) if isinstance(data, bytes) else data
        found = examine(source)
        self._files, self._bytes = self._files + 1, self._bytes + found.size
        self._payload.write(f"{found.sha256}  {path}\n".encode())
        yield from self._zip.file(f"{self._folder}/{path}", source, found)

    def tag(self, path: str, data: bytes | BinaryIO) -> Iterator[bytes]:
        """A file beside."""
        source = BytesIO(data) if isinstance(data, bytes) else data
        found = examine(source)
        self._tags.write(f"{found.sha256}  {path}\n".encode())
        yield from self._zip.file(f"{self._folder}/{path}", source, found)

    def end(
        self, about: Mapping[str, str], said: Iterable[str], sign: Callable[[str], str]
    ) -> Iterator[bytes]:
        """Declaration, manifests, the signed note, and the end of the file.

        Args:
            about: what ``bag-info.txt`` says, by label.
            said: further lines of the note.
            sign: the line that signs a text.
        """
        info = dict(about) | {"Payload-Oxum": f"{self._bytes}.{self._files}"}
        lines = "".join(f"{name}: {value}\n" for name, value in info.items())
        yield from self.tag("bagit.txt", BAGIT)
        yield from self.tag("bag-info.txt", lines.encode())
        yield from self.tag("manifest-sha256.txt", self._payload)
        found = examine(self._tags)
        name = f"{self._folder}/tagmanifest-sha256.txt"
        yield from self._zip.file(name, self._tags, found)
        text = "".join(f"{one}\n" for one in (NOTE_TYPE, found.sha256, *said))
        note = BytesIO(f"{text}\n{sign(text)}".encode())
        yield from self._zip.file(f"{self._folder}/{NOTE}", note, examine(note))
        yield from self._zip.end()
