"""The kinds of databases that tests run on, and where files of tests lie in memory."""

import os
import shutil
import tempfile
from pathlib import Path

SQLITE, POSTGRESQL = KINDS = ("sqlite", "postgresql")

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are made by mkdtemp
_ROOM = 4 * 10**9
"""Bytes that are free before anything is laid there."""


def in_memory() -> Path | None:
    """Where folders lie in memory, if there is room, and if programs may run there."""
    if not _IN_MEMORY.is_dir() or shutil.disk_usage(_IN_MEMORY).free <= _ROOM:
        return None
    return None if os.statvfs(_IN_MEMORY).f_flag & os.ST_NOEXEC else _IN_MEMORY


def quick_folder() -> Path:
    """A new folder, in memory where there is room; whoever asks for it removes it."""
    return Path(tempfile.mkdtemp(prefix="bq-", dir=in_memory()))
