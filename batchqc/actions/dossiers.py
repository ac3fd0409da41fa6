"""The dossier of a lot: everything on record of it, to be imported into an empty instance.

It holds the rows that belong to the lot, with all that they refer to, as canonical bytes; the
entries of the audit trail that tell of them, with their places; the hash of every entry of the
trail, so that these places can be checked; and the bytes that the rows name in the store. Accounts
cannot be opened with it: no password and no key is in it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from batchqc import __version__
from batchqc.actions.checkpoints import check_log
from batchqc.actions.evaluation import study
from batchqc.actions.exports import EXPORTED, Exporter
from batchqc.actions.genealogy_states import states_of
from batchqc.actions.log_proofs import the_checkpoint
from batchqc.actions.looked_at import trail_subjects
from batchqc.actions.lots import the_lot
from batchqc.actions.permission import require
from batchqc.actions.setup import own_site
from batchqc.actions.verification import NAMING
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.genealogy import Direction
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.documents.bag import Bag, spool
from batchqc.documents.bundle_kit import Anchors, public_keys
from batchqc.documents.log_key import LogSigner
from batchqc.errors import IntegrityFailure
from batchqc.records.audit import AuditEntry, AuditLink, the_head
from batchqc.records.base import Row
from batchqc.records.dossiers import as_line, belonging_to
from batchqc.records.exports import entry_hashes, links_with_entries
from batchqc.records.genealogy import walk
from batchqc.records.log import log_keys
from batchqc.records.people import Person
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction, reading, transaction
from batchqc.records.uploads import AssayRun, MeasurementRow

DOSSIER: Final = "batchqc/lot-dossier/1"
FOLDER: Final = "batchqc-dossier"

Entries = dict[int, tuple[AuditLink, AuditEntry]]


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a dossier holds: rows in the order to add them in, entries by place, hashes of bytes.

    ``content`` is what it says of itself.
    """

    rows: Sequence[Row]
    entries: Entries
    named: Sequence[str]
    content: dict[str, Json]


def export_dossier(
    engine: Engine, archive: FolderArchive, exporter: Exporter, lot: str
) -> Iterator[bytes]:
    """Put the export of a lot on record, then give its dossier: the bytes of a ZIP file.

    Raises:
        NotFound: there is no such lot, no checkpoint, or no anchor of trust.
        IntegrityFailure: BQC-EXP-007 a row of it is not as the audit trail says, or BQC-LOG-007.
        SigningUnavailable: the key of the log cannot be used.
    """
    anchors, signer = exporter.anchors(), exporter.log_key()
    with reading(engine) as session:
        check_log(session, signer)
        the_checkpoint(session)  # else there is no key on record that verifies it
        now = exporter.clock()
        found = gather(session, archive, the_lot(session, lot), now=now)
        with transaction(engine, exporter.actor, now) as tx:
            _log(tx, found)
        yield from _written(session, archive, found, anchors, signer)


def gather(session: Session, archive: FolderArchive, lot: LotRow, *, now: datetime) -> Dossier:
    """Everything on record of a lot; raises as ``export_dossier``."""
    case, head = study(session, archive, lot=lot, now=now), the_head(session)
    own = trail_subjects(case.so_far, case.further.genealogy).own
    entries = {link.sequence: (link, entry) for link, entry in links_with_entries(
        session, own, until=head.sequence
    )}  # fmt: skip
    people = {json.loads(entry.text)["who"] for _, entry in entries.values()}
    people |= {one for run in case.runs for one in run.analysts.splitlines()}
    origin = walk(session, {lot.key: lot}, Direction.BOTH)
    states = states_of(session, origin.nodes, today=case.facts.today)
    also = [*case.rows, *origin.nodes.values(), *origin.edges.values(), *states.rows]
    also += _people(session, people)
    rows = belonging_to(session, lot, also)
    uploads = [row for row in rows if isinstance(row, AssayRun)]
    people = {one for run in uploads for one in run.analysts.splitlines()} - people
    rows = belonging_to(session, lot, [*rows, *_people(session, people)])
    entries |= _witnesses(session, rows, entries, head.sequence)
    told = {key for _, entry in entries.values() for key in json.loads(entry.text)["records"]}
    site = own_site(session)
    return Dossier(
        rows,
        dict(sorted(entries.items())),
        sorted(set(_named(rows))),
        {
            "type": DOSSIER,
            "lot": lot.lot,
            "site": site.name,
            "batchqc": __version__,
            "log_keys": [one.vkey for one in log_keys(session)],
            "entries": head.sequence,
            "head": head.sha256,
            "held": sorted(entries),
            "rows": len(rows),
            "left_out": sorted(told - {row.key for row in rows}),
        },
    )


def _people(session: Session, user_ids: Iterable[str]) -> Sequence[Person]:
    return session.scalars(select(Person).where(Person.user_id.in_(sorted(user_ids)))).all()


def _witnesses(session: Session, rows: Sequence[Row], known: Entries, until: int) -> Entries:
    """The entry that tells of each row: it is among those known, or filed under the row.

    Raises:
        IntegrityFailure: BQC-EXP-007.
    """
    found, told = dict[int, tuple[AuditLink, AuditEntry]](), dict[str, str]()
    for _, entry in known.values():
        told = json.loads(entry.text)["records"] | told
    waiting = [row for row in rows if not isinstance(row, MeasurementRow) and row.key not in told]
    for at in range(0, len(waiting), 500):
        keys = [row.key for row in waiting[at : at + 500]]
        for link, entry in links_with_entries(session, keys, until=until):
            records = json.loads(entry.text)["records"]
            if new := {key: records[key] for key in keys if key in records and key not in told}:
                found[link.sequence] = (link, entry)
                told |= new
    damaged = [
        f"{row.key} is not as the audit trail says" if row.key in told
        else f"no entry of the audit trail tells of {row.key}"
        for row in rows
        if not isinstance(row, MeasurementRow) and told.get(row.key) != row.content_sha256
    ]  # fmt: skip
    if damaged:
        raise IntegrityFailure(
            "BQC-EXP-007",
            "the records of the lot are not what the audit trail says",
            reasons=damaged,
            hint="Nothing was exported. Run `batchqc audit verify`.",
        )
    return found


def _named(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        for name in NAMING.get(type(row), ()):
            if sha256 := getattr(row, name):
                yield sha256


def _log(tx: Transaction, found: Dossier) -> None:
    require(tx, Permission.EXPORT_RECORDS)
    left = {"held", "left_out", "log_keys"}
    counts = {"held": len(found.entries), "files": len(found.named)}
    tx.audit(EXPORTED, after={k: v for k, v in found.content.items() if k not in left} | counts)


def _written(
    session: Session, archive: FolderArchive, found: Dossier, anchors: Anchors, signer: LogSigner
) -> Iterator[bytes]:
    with ExitStack() as spools:
        bag = Bag(FOLDER, spools)
        yield from bag.payload("dossier.json", canonical_bytes(found.content))
        lines = spools.enter_context(spool())
        for row in found.rows:
            lines.write(as_line(row) + b"\n")
        yield from bag.payload("rows.jsonl", lines)
        trail = spools.enter_context(spool())
        for link, entry in found.entries.values():
            trail.write(f"{link.sequence}\t{entry.text}\n".encode())
        yield from bag.payload("entries.tsv", trail)
        hashes, size = spools.enter_context(spool()), _integer(found.content["entries"])
        for sha256 in entry_hashes(session, until=size):
            hashes.write(f"{sha256}\n".encode())
        yield from bag.payload("log/entries.txt", hashes)
        for sha256 in found.named:
            with archive.opened(sha256) as source:
                yield from bag.payload(f"store/{sha256}", source)
        for name, data in (anchors.files | public_keys(_texts(found.content["log_keys"]))).items():
            yield from bag.payload(f"trust/{name}", data)
        about = {
            "Source-Organization": str(found.content["site"]),
            "External-Description": f"Dossier of lot {found.content['lot']}",
            "Bag-Software-Agent": f"batchqc {__version__}",
        }
        yield from bag.end(about, [f"lot {found.content['lot']}"], signer.line)


def _integer(value: Any) -> int:
    return int(value)


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value]
