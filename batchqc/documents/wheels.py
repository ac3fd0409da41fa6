"""Wheels of what is installed, made again from the files that its RECORD names.

The same installation gives the same bytes: files in their order, with one date, and without what
the installer or the interpreter left beside them. Each file is compared with its hash in RECORD.

Source: the binary distribution format (PEP 427) and recording installed projects (PEP 376, 627).
"""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import Distribution, PackagePath, distribution
from io import BytesIO
from typing import Final

from batchqc.documents.zip_stream import ZipStream, examine
from batchqc.errors import NotFound

#: What a verifier needs beside the standard library, and what that needs.
VERIFIER: Final = ("asn1crypto", "cffi", "cryptography", "pycparser")
_OWN: Final = {
    "INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json", "uv_build.json",
}  # fmt: skip


def wheel(name: str) -> tuple[str, bytes]:
    """File name and bytes of the wheel of an installed distribution.

    Raises:
        NotFound: BQC-EXP-002 it is not installed from a wheel, or its files are others.
    """
    found = distribution(name)
    files = sorted(_files(found), key=str)
    tags = [
        line.removeprefix("Tag: ") for line in (found.read_text("WHEEL") or "").splitlines()
        if line.startswith("Tag: ")
    ]  # fmt: skip
    if not files or not tags:
        raise _other(name)
    chunks: list[bytes] = []
    record: list[str] = []
    with ExitStack() as spools:
        stream = ZipStream(spools)
        for one in files:
            data = one.read_binary()
            if one.hash is None or one.hash.value != _hash(data):
                raise _other(f"{name}: {one}")
            record.append(f"{one},sha256={_hash(data)},{len(data)}\n")
            source = BytesIO(data)
            chunks += stream.file(str(one), source, examine(source))
        path = f"{found.name.replace('-', '_')}-{found.version}.dist-info/RECORD"
        source = BytesIO("".join([*record, f"{path},,\n"]).encode())
        chunks += [*stream.file(path, source, examine(source)), *stream.end()]
    return f"{found.name.replace('-', '_')}-{found.version}-{_tag(tags)}.whl", b"".join(chunks)


def _files(found: Distribution) -> Iterator[PackagePath]:
    for one in found.files or ():
        is_own = one.parent.name.endswith(".dist-info") and one.name in _OWN
        if not is_own and "__pycache__" not in one.parts and ".." not in one.parts:
            yield one


def _tag(tags: list[str]) -> str:
    """The compressed set of tags: what differs is joined by dots."""
    parts = zip(*(one.split("-") for one in tags), strict=True)
    return "-".join(".".join(sorted(set(one))) for one in parts)


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _other(what: str) -> NotFound:
    return NotFound(
        "BQC-EXP-002",
        f"{what} is not installed as it was published",
        hint="Install batchqc again: verifiers get these packages with every export.",
    )
