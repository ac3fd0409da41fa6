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
from typing import Final

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
from batchqc.actions.records_gone import check_there
from batchqc.actions.setup import own_site
from batchqc.core.audit import Link
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.genealogy import Direction
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.documents.bag import Bag, spool
from batchqc.documents.bundle_kit import Anchors, public_keys
from batchqc.documents.log_key import LogSigner
from batchqc.errors import Conflict, IntegrityFailure
from batchqc.records.audit import AuditEntry, AuditLink, the_head
from batchqc.records.base import Row
from batchqc.records.dossiers import as_line, belonging_to
from batchqc.records.exports import entry_hashes, links_with_entries
from batchqc.records.genealogy import walk
from batchqc.records.log import log_keys
from batchqc.records.people import Person
from batchqc.records.registers import LotRow
from batchqc.records.retention import disposed_objects
from batchqc.records.stored_bytes import NAMING
from batchqc.records.transaction import Transaction, reading, transaction
from batchqc.records.uploads import AssayRun, MeasurementRow

DOSSIER: Final = "batchqc/lot-dossier/1"
FOLDER: Final = "batchqc-dossier"

Entries = dict[int, tuple[AuditLink, AuditEntry]]


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a dossier holds: rows in the order to add them in, entries by place, up to a head."""

    lot: str
    site: str
    log_keys: tuple[str, ...]
    head: Link
    rows: Sequence[Row]
    entries: Entries

    @property
    def left_out(self) -> list[str]:
        """The keys of records of which its entries tell, and which it does not hold."""
        told = {key for _, one in self.entries.values() for key in json.loads(one.text)["records"]}
        return sorted(told - {row.key for row in self.rows})

    @property
    def content(self) -> dict[str, Json]:
        """What it says of itself."""
        return {
            "type": DOSSIER,
            "lot": self.lot,
            "site": self.site,
            "batchqc": __version__,
            "log_keys": list(self.log_keys),
            "entries": self.head.sequence,
            "head": self.head.sha256,
            "held": list(self.entries),
            "rows": len(self.rows),
            "left_out": list(self.left_out),
        }

    @property
    def named(self) -> list[str]:
        """The hashes of the bytes that its rows name in the store."""
        return sorted(
            {
                named
                for row in self.rows
                for name in NAMING.get(type(row), ())
                if (named := getattr(row, name))
            }
        )


def export_dossier(
    engine: Engine, archive: Archive, exporter: Exporter, lot: str
) -> Iterator[bytes]:
    """Put the export of a lot on record, then give its dossier: the bytes of a ZIP file.

    Raises:
        NotFound: there is no such lot, no checkpoint, or no anchor of trust.
        Conflict: BQC-EXP-010 raw data of it was disposed of; each file is a reason.
        IntegrityFailure: BQC-EXP-007 a row of it is not as the audit trail says, BQC-EXP-008 one is
            gone, or BQC-LOG-007.
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


def gather(session: Session, archive: Archive, lot: LotRow, *, now: datetime) -> Dossier:
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
    runs = [row for row in rows if isinstance(row, AssayRun)]  # of other lots in its files, too
    people = {one for run in runs for one in run.analysts.splitlines()} - people
    rows = belonging_to(session, lot, [*rows, *_people(session, people)])
    entries |= _witnesses(session, rows, entries, head.sequence)
    keys = tuple(one.vkey for one in log_keys(session))
    site = own_site(session).name
    found = Dossier(lot.lot, site, keys, head, rows, dict(sorted(entries.items())))
    check_there(session, archive, found.left_out)
    _check_kept(session, found)
    return found


def _check_kept(session: Session, found: Dossier) -> None:
    """Refuse where raw data is gone: elsewhere no verdict could be computed anew.

    Raises:
        Conflict: BQC-EXP-010.
    """
    stones = disposed_objects(session, found.named)
    if stones:
        raise Conflict(
            "BQC-EXP-010",
            f"raw data of lot {found.lot} was disposed of: elsewhere no verdict could be computed",
            reasons=[f"{one.what}: {one.disposal_approval.natural_key}" for one in stones],
            hint="Nothing was exported. Export its bundle: `batchqc archive export --lot`.",
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


def _log(tx: Transaction, found: Dossier) -> None:
    require(tx, Permission.EXPORT_RECORDS)
    after: dict[str, Json] = {
        "type": DOSSIER,
        "lot": found.lot,
        "entries": found.head.sequence,
        "held": len(found.entries),
        "rows": len(found.rows),
        "files": len(found.named),
    }
    tx.audit(EXPORTED, after=after)


def _written(
    session: Session, archive: Archive, found: Dossier, anchors: Anchors, signer: LogSigner
) -> Iterator[bytes]:
    with ExitStack() as spools:
        bag = Bag(FOLDER, spools)
        rows, entries, hashes = (spools.enter_context(spool()) for _ in range(3))
        rows.writelines(as_line(row) + b"\n" for row in found.rows)
        entries.writelines(
            f"{link.sequence}\t{entry.text}\n".encode() for link, entry in found.entries.values()
        )
        every = entry_hashes(session, until=found.head.sequence)
        hashes.writelines(f"{one}\n".encode() for one in every)
        yield from bag.payload("dossier.json", canonical_bytes(found.content))
        yield from bag.payload("rows.jsonl", rows)
        yield from bag.payload("entries.tsv", entries)
        yield from bag.payload("log/entries.txt", hashes)
        for sha256 in found.named:
            with archive.opened(sha256) as source:
                yield from bag.payload(f"store/{sha256}", source)
        for name, data in (anchors.files | public_keys(found.log_keys)).items():
            yield from bag.payload(f"trust/{name}", data)
        about = {
            "Source-Organization": found.site,
            "External-Description": f"Dossier of lot {found.lot}",
            "Bag-Software-Agent": f"batchqc {__version__}",
        }
        yield from bag.end(about, [f"lot {found.lot}"], signer.line)
