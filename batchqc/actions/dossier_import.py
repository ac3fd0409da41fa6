"""Importing the dossier of a lot into an empty instance, where it is read and verified.

The links of the other instance's trail come in from its beginning, with the entries of the lot at
their places; the trail of this instance goes on behind them. Each row commits only where such an
entry holds its hash. Before the commit, the records are verified against the trail and every
recorded verdict is computed anew: where anything differs, nothing is written. Nobody can sign in to
what was imported: it decides nothing.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import Session

from batchqc.actions.dossiers import DOSSIER
from batchqc.actions.recheck import recheck
from batchqc.actions.signing import check_reason
from batchqc.actions.verification import verify_audit_trail
from batchqc.core.audit import Link, entry_sha256, next_link
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.documents.archive import Archive, FolderArchive
from batchqc.documents.dossier_file import DossierFile, not_as_said, opened_dossier
from batchqc.errors import Conflict, InvalidInput
from batchqc.records.audit import AuditEntry, AuditLink, AuditSubject
from batchqc.records.bulk import expect_many
from batchqc.records.dossiers import occupied, row_of, values_of
from batchqc.records.imports import DossierImport
from batchqc.records.lacking import Lacking, lacking_in
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import MeasurementRow

if TYPE_CHECKING:
    from batchqc.records.base import Row

_HASH: Final = re.compile(r"[0-9a-f]{64}")
IMPORTED: Final = "lot dossier imported"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported: of which lot and site, how much, and what was computed anew."""

    row: DossierImport
    rows: int
    entries: int
    verdicts: int


def import_dossier(
    tx: Transaction, archive: Archive, path: Path, *, reason: str, keys: str = ""
) -> Imported:
    """Import a dossier into an instance without a record; the caller commits.

    Args:
        tx: of the system: there is nobody else yet.
        archive: the store; what was put there is not named by any row where this is refused.
        path: of the dossier.
        reason: why.
        keys: the keys of the log of the other instance; see ``opened_dossier``.

    Raises:
        Conflict: BQC-IMP-002 there are records already; each table is a reason.
        InvalidInput: BQC-IMP-001 it is no dossier.
        IntegrityFailure: BQC-IMP-003 it is not what it says; everything is a reason.
    """
    check_reason(reason)
    tx.lock("dossier import")
    if there := occupied(tx.session):
        raise Conflict(
            "BQC-IMP-002",
            "a dossier is imported into an empty instance, and this one has records",
            reasons=[f"{name} has rows" for name in there],
            hint="Name an empty folder with --home, or an empty database.",
        )
    with opened_dossier(path, keys) as file, TemporaryDirectory() as folder:
        _check_kind(file)
        staged = FolderArchive(Path(folder))
        expect_many(tx.session.connection())
        head = _carry_trail(tx, file)
        rows = _carry_rows(tx, file)
        _stage(file, staged)
        lacking = lacking_in(file.content)
        verdicts = _verify(tx.session, staged, lacking)
        for sha256 in file.stored:
            archive.put_stream(file.chunks(f"store/{sha256}"))
        with path.open("rb") as whole:
            dossier = archive.put_stream(iter(lambda: whole.read(1 << 16), b""))
        row = _row(tx, file, head, reason)
        row.dossier_sha = dossier
        row.content_sha = archive.put(canonical_bytes(file.content))
        tx.add(row)
        _audit(tx, row, rows)
    return Imported(row, rows, len(file.content["held"]), verdicts)


def _check_kind(file: DossierFile) -> None:
    if file.content.get("type") != DOSSIER:
        raise InvalidInput("BQC-IMP-001", f"this is a {file.content.get('type')}, not {DOSSIER}")


def _carry_trail(tx: Transaction, file: DossierFile) -> Link:
    """The links of the other trail, and those of its entries that are in the dossier."""
    links = list(_links(file))
    entries = [_entry(line, links) for line in file.lines("entries.tsv")]
    wrong = [f"entry {place} is not the one at its place" for place, one in entries if one is None]
    if [place for place, _ in entries] != file.content["held"]:
        wrong.append("it holds other entries than it says")
    said = [(file.content["entries"], file.content["head"])]
    if [(one.sequence, one.sha256) for one in links[-1:]] != said:
        wrong.append("its trail ends elsewhere than it says")
    if wrong:
        raise not_as_said(wrong)
    columns = ("sequence", "entry_sha256", "previous", "sha256")
    rows = ((one.sequence, one.entry_sha256, one.previous, one.sha256) for one in links)
    tx.add_in_bulk(AuditLink, columns, rows)
    tx.carry_in(one for _, one in entries if one is not None)
    return links[-1]


def _links(file: DossierFile) -> Iterator[Link]:
    last: Link | None = None
    seen = set[str]()
    for entry in file.lines("log/entries.txt"):
        if entry in seen or _HASH.fullmatch(entry) is None:
            raise not_as_said([f"line {len(seen) + 1} of its trail is no hash, or there twice"])
        seen.add(entry)
        last = next_link(last, entry)
        yield last


def _entry(line: str, links: Sequence[Link]) -> tuple[int, AuditEntry | None]:
    """The place of an entry, and the entry as a row where it is the one at that place."""
    place, _, text = line.partition("\t")
    sequence, sha256 = int(place), entry_sha256(text)
    if not 0 < sequence <= len(links) or links[sequence - 1].entry_sha256 != sha256:
        return sequence, None
    body = json.loads(text)
    row = AuditEntry(
        sha256=sha256,
        text=text,
        who=body["who"],
        what=body["what"],
        at=datetime.fromisoformat(body["at"]),
    )
    row.subjects = [AuditSubject(subject=one) for one in dict.fromkeys(body["subjects"])]
    return sequence, row


def _carry_rows(tx: Transaction, file: DossierFile) -> int:
    """Every row, through the classes of this version; the number of them."""
    known: dict[str, Row] = {}
    measured, twice = list[MeasurementRow](), list[str]()
    try:
        for line in file.lines("rows.jsonl"):
            row = row_of(json.loads(line), known)
            if row.key in known:
                twice.append(f"{row.key} is there twice")
            if isinstance(row, MeasurementRow):
                measured.append(row)
            else:
                known[row.key] = row
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise not_as_said([f"a row cannot be read by this version: {error}"]) from error
    if twice:
        raise not_as_said(twice)
    tx.add(*known.values())
    tx.add_many(MeasurementRow, [values_of(one) for one in measured])
    return len(known) + len(measured)


def _stage(file: DossierFile, staged: Archive) -> None:
    wrong = [
        f"store/{sha256} holds other bytes"
        for sha256 in file.stored
        if staged.put_stream(file.chunks(f"store/{sha256}")) != sha256
    ]
    if wrong:
        raise not_as_said(wrong)


def _verify(session: Session, staged: Archive, lacking: Lacking) -> int:
    """Compare the records with the trail, and compute every verdict anew: how many there were."""
    problems = list(verify_audit_trail(session, staged, lacking=lacking).problems)
    found = recheck(session, staged)
    problems += [f"{one.record}: {one.criterion} {one.said}" for one in found.differences]
    if problems:
        raise not_as_said(problems)
    return found.verdicts


def _row(tx: Transaction, file: DossierFile, head: Link, reason: str) -> DossierImport:
    said = file.content
    return DossierImport(
        number=1,
        lot=said["lot"],
        site=said["site"],
        log_keys="\n".join(said["log_keys"]),
        entries=head.sequence,
        head=head.sha256,
        reason=reason,
        imported_at=tx.now,
    )


def _audit(tx: Transaction, row: DossierImport, rows: int) -> None:
    """It is filed under the import alone: what is filed under a lot was done with the lot."""
    after: dict[str, Json] = {
        "lot": row.lot,
        "of site": row.site,
        "log keys": row.log_keys,
        "entries": row.entries,
        "head": row.head,
        "rows": rows,
        "dossier sha256": row.dossier_sha,
    }
    tx.audit(IMPORTED, rows=[row], reason=row.reason, after=after)
