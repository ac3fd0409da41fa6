"""The write-once store that an address names: a folder, or a bucket of S3."""

import re
from pathlib import Path
from typing import Final

from batchqc.documents.archive import Archive, FolderArchive
from batchqc.documents.s3_archive import S3Archive
from batchqc.documents.store_marker import Check, unasked
from batchqc.errors import InvalidInput

_S3: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9._/-]*))?")


def open_archive(
    address: Path | str, *, endpoint: str = "", region: str = "", check: Check = unasked
) -> Archive:
    """The store at ``address``; nothing is created or asked yet.

    Args:
        address: a folder, or ``s3://bucket/prefix``.
        endpoint: address of the S3 service; blank is that of AWS.
        region: of the bucket.
        check: whether it is the store of its installation.

    Raises:
        InvalidInput: it begins as an address of S3 does, and is none.
    """
    if not str(address).startswith("s3:"):
        return FolderArchive(Path(address), check)
    found = _S3.fullmatch(str(address))
    if found is None:
        raise InvalidInput(
            "BQC-ARC-011", f'"{address}" is no address of a store: s3://bucket/prefix'
        )
    bucket, prefix = found[1], (found[2] or "").strip("/")
    return S3Archive(bucket, f"{prefix}/" if prefix else "", endpoint, region, check=check)
