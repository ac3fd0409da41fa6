"""The marker in a store, which says to which installation it belongs.

It is put there once. A folder has none on which a share is not mounted, and neither has a bucket,
or a prefix in it, that somebody named by mistake: an empty store is never taken for a new one.
"""

import json
import re
from typing import Final, Protocol

from batchqc.core.canonical import canonical_bytes
from batchqc.documents.write_once import Archive
from batchqc.errors import StoreUnavailable

MARKER: Final = "batchqc-store.json"
"""Its name in the store."""
NOT_OWN: Final = frozenset({"BQC-ARC-018", "BQC-ARC-019", "BQC-ARC-020"})
"""The codes by which a store is refused that can be reached, and is not the one."""
_TYPE: Final = "batchqc/store/1"
_INSTALLATION: Final = re.compile(r"[0-9a-f]{64}")


class Check(Protocol):
    """Asks whether a store is that of an installation; see ``Archive.check_own``."""

    def __call__(self, archive: Archive, *, marks: bool) -> None:
        """Raise where it is not."""
        ...


def unasked(archive: Archive, *, marks: bool) -> None:
    """Of a store that belongs to no database, such as that of backups."""
    del archive, marks


def marker_for(installation: str) -> bytes:
    """The marker of an installation, which is known by the hash of its first audit trail entry."""
    return canonical_bytes({"type": _TYPE, "installation": installation})


def installation_in(marker: bytes) -> str:
    """The installation that a marker names.

    Raises:
        StoreUnavailable: BQC-ARC-020 it is none.
    """
    try:
        said = json.loads(marker)
        named = str(said["installation"]) if said["type"] == _TYPE else ""
    except (ValueError, KeyError, TypeError):
        named = ""
    if not _INSTALLATION.fullmatch(named):
        raise StoreUnavailable(
            "BQC-ARC-020",
            f"{MARKER} in the store is damaged",
            hint="Nothing was written. Put it back from a copy of the store.",
        )
    return named


def empty(place: str, lacking: str) -> StoreUnavailable:
    """A store without a marker, which does not hold what records name."""
    return StoreUnavailable(
        "BQC-ARC-018",
        f"{place} is not the store of this installation: it has no {MARKER}, and not the file"
        f" {lacking}, which is on record",
        hint="Nothing was written. Mount the share, or name the right store as BATCHQC_STORE; if it"
        " was lost, put a copy of it there first.",
    )


def foreign(place: str) -> StoreUnavailable:
    """A store whose marker names another installation."""
    return StoreUnavailable(
        "BQC-ARC-019",
        f"{place} is the store of another installation",
        hint="Nothing was written. Look at BATCHQC_STORE and BATCHQC_DATABASE: they are not of one"
        " installation.",
    )
