"""What a backup says of itself: the manifest, which the seal signs.

A backup holds the database and every file that it names; keys and passphrases are not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from batchqc.core.canonical import Json, canonical_bytes, utc_text
from batchqc.errors import IntegrityFailure

MANIFEST_TYPE: Final = "batchqc/backup/1"
NOT_IN_IT: Final = (
    "keys of the seal, the log, the components and the webhooks, their passphrases, the settings"
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What the copied database holds: rows by table, end of the audit trail, schema, site."""

    site: str
    schema: str
    counts: Mapping[str, int]
    entries: int
    head: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Args:
        name: of the backup: when it was made.
        made_at: the same as a moment.
        software: version of batchqc that made it.
        kind: of the database: ``sqlite`` or ``postgresql``.
        contents: what the copied database holds.
        store: blank where its files are in the backup; else the address where they are kept.
        files: SHA-256 of each part of the backup by its path, the list of stored files among them.
        lacking: hashes of stored files that were missing or damaged when it was made.
    """

    name: str
    made_at: datetime
    software: str
    kind: str
    contents: Contents
    store: str
    files: Mapping[str, str]
    lacking: tuple[str, ...]

    @property
    def data(self) -> bytes:
        """What is signed."""
        told = self.contents
        content: dict[str, Json] = {
            "type": MANIFEST_TYPE,
            "name": self.name,
            "made at": utc_text(self.made_at),
            "software": self.software,
            "database": self.kind,
            "site": told.site,
            "schema": told.schema,
            "rows": dict(told.counts),
            "entries": told.entries,
            "head": told.head,
            "store": self.store,
            "files": dict(self.files),
            "lacking": list[Json](self.lacking),
            "not in it": NOT_IN_IT,
        }
        return canonical_bytes(content)

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """The manifest that parsed JSON is.

        Raises:
            IntegrityFailure: BQC-BAK-002 it is none.
        """
        try:
            told = Contents(
                said["site"], said["schema"], said["rows"], said["entries"], said["head"]
            )
            return cls(
                said["name"], datetime.fromisoformat(said["made at"]), said["software"],
                said["database"], told, said["store"], said["files"], tuple(said["lacking"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as problem:
            raise IntegrityFailure(
                "BQC-BAK-002", "the backup is not whole", reasons=["manifest.json is no manifest"]
            ) from problem


def unlike(said: Contents, found: Contents) -> list[str]:
    """How what was restored differs from what the backup says, in words."""
    problems = []
    if (said.site, said.schema) != (found.site, found.schema):
        problems.append(
            f"site and schema are {found.site}, {found.schema}; not {said.site}, {said.schema}"
        )
    if (said.entries, said.head) != (found.entries, found.head):
        problems.append(
            f"the audit trail has {found.entries} entries with head {found.head}, not"
            f" {said.entries} with {said.head}"
        )
    for table in sorted(said.counts.keys() | found.counts.keys()):
        before, now = said.counts.get(table, 0), found.counts.get(table, 0)
        if before != now:
            problems.append(f"table {table} has {now} rows, not {before}")
    return problems
