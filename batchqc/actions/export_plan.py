"""What an export will hold, known before its first byte leaves.

An export shows lots as they were at a checkpoint of the log: what was recorded later is not in it,
so that the same question at the same checkpoint has the same answer for ever. It holds every
certificate of a lot, those that count no more too. Of raw data that two people disposed of it holds
the entry of the audit trail that tells so.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.log_proofs import the_checkpoint
from batchqc.actions.records_gone import check_certificates_there
from batchqc.actions.setup import own_site
from batchqc.actions.times import moments
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.checkpoints import Checkpoint
from batchqc.documents.archive import Archive
from batchqc.documents.bag import name_in_upload, safe_name
from batchqc.documents.zip_stream import examine
from batchqc.errors import Conflict, NotFound
from batchqc.records.conditional import withdrawal_of
from batchqc.records.decisions import Certificate, issue_of
from batchqc.records.entries import attachments_of
from batchqc.records.exports import (
    ExportWanted,
    certificates_of_lot,
    lots_wanted,
    places_of,
    versions_by_sha,
)
from batchqc.records.registers import (
    LotRow,
    donors_of,
    lot_by,
    other_specifications_of,
    product_by,
    samples_of,
)
from batchqc.records.specifications import SpecificationVersion
from batchqc.records.uploads import Upload, runs_of

LOT_TYPE: Final = "batchqc/bundle-lot/1"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lots: of a product, by their ids, with a number given on site-local days.

    ``checkpoint`` is how many entries of the trail are looked at; 0 is the newest checkpoint.
    """

    product: str = ""
    lots: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    checkpoint: int = 0

    @property
    def content(self) -> dict[str, Json]:
        """The question, as it is logged and answered."""
        return {
            "product": self.product,
            "lots": list(self.lots),
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be in it: a line for each lot in ``listing``, and how many of what.

    ``later`` counts certificates that were issued after the checkpoint, which are not in it.
    """

    asked: Asked
    site: str
    checkpoint: Checkpoint
    listing: BinaryIO
    listing_sha256: str
    counts: Mapping[str, int]
    later: int

    @property
    def content(self) -> dict[str, Json]:
        """What is on record of it, and stands in it as ``export.json``."""
        return {
            "type": "batchqc/export/1",
            "site": self.site,
            "asked": self.asked.content,
            "log": self.checkpoint.origin,
            "entries": self.checkpoint.size,
            "root": self.checkpoint.root.hex(),
            "counts": dict(self.counts),
            "lots.jsonl sha256": self.listing_sha256,
        }

    def lots(self) -> Iterator[dict[str, Any]]:
        """The lines of the listing; its place is kept, since the file is read in between."""
        place = 0
        while True:
            self.listing.seek(place)
            line = self.listing.readline()
            if not line:
                return
            place += len(line)
            yield json.loads(line)


def plan_export(session: Session, archive: Archive, asked: Asked, listing: BinaryIO) -> Plan:
    """Find what an export holds.

    Args:
        session: only read.
        archive: where frozen contents are.
        asked: the question.
        listing: an empty file, which the caller closes.

    Raises:
        NotFound: BQC-LOG-013 there is no checkpoint, or BQC-EXP-001 no such product or lots, or
            none of them has a certificate.
        Conflict: BQC-EXP-009 raw data was disposed of after the checkpoint; each is a reason.
        IntegrityFailure: BQC-EXP-008 a certificate is gone of which the audit trail speaks.
    """
    check_certificates_there(session, archive)
    checkpoint = the_checkpoint(session, asked.checkpoint).checkpoint
    site = own_site(session)
    look = _Look(session, archive, checkpoint.size)
    for lot in lots_wanted(session, wanted_by(session, asked)):
        line = look.at(session.get_one(LotRow, lot))
        if line:
            listing.write(canonical_bytes(line) + b"\n")
        session.expunge_all()  # memory does not grow with the lots
    if look.gone:
        raise Conflict(
            "BQC-EXP-009",
            f"raw data was disposed of after the checkpoint of {checkpoint.size} entries",
            reasons=look.gone,
            hint="Run `batchqc log checkpoint`, and export as of the newest one.",
        )
    if not look.counts["lots"]:
        raise NotFound("BQC-EXP-001", "no certificate fits what was asked for")
    return Plan(
        asked, site.name, checkpoint, listing, examine(listing).sha256, look.counts, look.later
    )


def wanted_by(session: Session, asked: Asked) -> ExportWanted:
    """What a question asks of the records.

    Raises:
        NotFound: BQC-EXP-001 no such product or lots, all of which it names.
    """
    unknown = [f"there is no lot {one}" for one in asked.lots if lot_by(session, one) is None]
    if asked.product and product_by(session, asked.product) is None:
        unknown.append(f"there is no product {asked.product}")
    if unknown:
        raise NotFound("BQC-EXP-001", "what was asked for is not there", reasons=unknown)
    zone = ZoneInfo(own_site(session).time_zone)
    return ExportWanted(asked.product, asked.lots, *moments(asked.since, asked.until, zone))


class _Look:
    """Looks at lots as they were at a checkpoint, and counts."""

    def __init__(self, session: Session, archive: Archive, size: int) -> None:
        self._session, self._archive, self._size = session, archive, size
        self.counts = dict.fromkeys(("lots", "certificates", "issued", "uploads"), 0)
        self.later = 0
        self.gone = list[str]()
        self._uploads = set[int]()

    def at(self, lot: LotRow) -> dict[str, Json]:
        """What is in the export of a lot; nothing where it had no certificate then."""
        rows = certificates_of_lot(self._session, lot)
        uploads = {run.upload.id: run.upload for run in runs_of(self._session, lot)}
        kinds = ("certificate", "certificate_issue", "certificate_withdrawal")
        keys = [f"{kind}:{row.natural_key}" for row in rows for kind in kinds]
        places = places_of(self._session, [*keys, *(one.key for one in uploads.values())])
        then = {key for key, place in places.items() if place <= self._size}
        self.later += sum(key not in then for key in places if key.startswith("certificate_issue:"))
        certificates = [
            self._certificate(row, rows, then, places) for row in rows if row.key in then
        ]
        if not certificates:
            return {}
        received = [self._upload(one) for _, one in sorted(uploads.items()) if one.key in then]
        disposed = self._disposed(received)
        self._count(certificates, [one.id for one in uploads.values() if one.key in then])
        return {
            "type": LOT_TYPE,
            "lot": lot.lot,
            "folder": f"lots/{safe_name(lot.lot)}",
            "product": lot.product.code,
            "certificates": certificates,
            "uploads": received,
            "specifications": self._specifications(lot, certificates),
            "own": [
                lot.key,
                *(one.key for one in samples_of(self._session, [lot])),
                *(f"upload:{one['number']}" for one in received),
                *(f"certificate:{one['number']}" for one in certificates),
                *disposed,
            ],
            "sources": [one.key for one in donors_of(self._session, lot)],
        }

    def _certificate(
        self, row: Certificate, rows: Sequence[Certificate], then: set[str],
        places: Mapping[str, int],
    ) -> dict[str, Json]:  # fmt: skip
        number = row.natural_key
        content = json.loads(self._archive.get(row.content_sha))
        newer = [one for one in rows if one.supersedes_id == row.id and one.key in then]
        issue = issue_of(self._session, row) if f"certificate_issue:{number}" in then else None
        ended = (
            withdrawal_of(self._session, row)
            if f"certificate_withdrawal:{number}" in then
            else None
        )
        counts_no_more = "void" if newer or ended else "pending"
        return {
            "number": number,
            "status": "issued" if issue else counts_no_more,
            "superseded_by": newer[0].natural_key if newer else "",
            "withdrawn": ended.reason if ended else "",
            "reserved": content["issued"]["shown"],
            "conclusion": content["conclusion"],
            "complies": content["complies"],
            "is_preliminary": bool(content.get("pending")),
            "content_sha256": row.content_sha,
            "document_sha256": issue.document_sha if issue else "",
            "sequence": places[f"certificate_issue:{number}"] if issue else 0,
            "specification_sha256": content["specification"]["sha256"],
        }

    def _upload(self, row: Upload) -> dict[str, Any]:
        folder = f"uploads/{row.natural_key}"
        beside = attachments_of(self._session, [row.id])
        return {
            "number": row.natural_key,
            "received": row.key,
            "name": row.file,
            "sha256": row.sha256,
            "file": f"{folder}/{name_in_upload(row.file)}",
            "is_disposed": False,
            "attachments": [
                {
                    "name": one.name,
                    "sha256": one.sha256,
                    "is_disposed": False,
                    "file": f"{folder}/{name_in_upload(one.name, one.number)}",
                }
                for one in beside
            ],
        }

    def _disposed(self, uploads: Sequence[dict[str, Any]]) -> list[str]:
        """Mark what two people disposed of, by the audit trail: the keys of the tombstones."""
        files = [(one["number"], file) for one in uploads for file in (one, *one["attachments"])]
        places = places_of(self._session, (_stone(file) for _, file in files))
        for number, file in files:
            place = places.get(_stone(file), 0)
            file["is_disposed"] = bool(place)
            if place > self._size:
                self.gone.append(f"{file['name']} of {number}")
        return sorted(places)

    def _specifications(self, lot: LotRow, certificates: Sequence[Mapping[str, Json]]) -> Json:
        bound = (lot.specification_version, *_beside(self._session, lot))
        named = {str(one["specification_sha256"]) for one in certificates}
        every = {one.id: one for one in (*bound, *versions_by_sha(self._session, named))}
        return [
            {
                "reference": one.reference,
                "key": one.key,
                "sha256": one.sha256,
                "file": f"specifications/{safe_name(one.reference.replace(' ', '-'))}.toml",
            }
            for _, one in sorted(every.items())
        ]

    def _count(self, certificates: Sequence[Mapping[str, Json]], uploads: Sequence[int]) -> None:
        self._uploads.update(uploads)
        self.counts["lots"] += 1
        self.counts["certificates"] += len(certificates)
        self.counts["issued"] += sum(one["status"] == "issued" for one in certificates)
        self.counts["uploads"] = len(self._uploads)


def _stone(file: Mapping[str, Any]) -> str:
    """The key of the tombstone of a file, where there is one."""
    return f"disposed_object:{file['sha256']}"


def _beside(session: Session, lot: LotRow) -> Iterator[SpecificationVersion]:
    for one in other_specifications_of(session, lot):
        yield one.specification_version
