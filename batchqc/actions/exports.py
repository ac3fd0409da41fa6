"""The auditor's bundle: what is on record of lots, in a folder that verifies itself elsewhere.

That somebody exports, what was asked for and what is in it is committed before the first byte
leaves. What cannot be read back as it was recorded ends the export: a bundle without its last
bytes opens nowhere.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc import __version__
from batchqc.actions.checkpoints import check_log
from batchqc.actions.export_plan import Asked, Plan, plan_export
from batchqc.actions.permission import require
from batchqc.core.canonical import canonical_bytes
from batchqc.core.checkpoints import Inclusion
from batchqc.core.merkle import inclusion_proof
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.documents.bag import Bag, spool
from batchqc.documents.bundle_kit import Anchors, certificate_csv, kit, public_keys
from batchqc.documents.bundle_page import (
    lot_rows,
    page_end,
    page_head,
    source_row,
    sources_head,
)
from batchqc.documents.log_key import LogSigner
from batchqc.documents.witness import checkpoint_name
from batchqc.documents.zip_stream import chunks_of
from batchqc.records.exports import entry_hashes, links_with_entries
from batchqc.records.log import checkpoint_of, checkpoints_after, key_lines, timestamp_of, tree_of
from batchqc.records.transaction import Actor, Transaction, reading, transaction

EXPORTED: Final = "records exported"
FOLDER: Final = "batchqc-bundle"
_MANY: Final = 200

Progress = Callable[[int, int], None]
"""Is told how many lots of how many are written."""


def log_export(tx: Transaction, plan: Plan) -> None:
    """Put on record who exports what; it is filed under nobody's lot, as what auditors look at."""
    require(tx, Permission.EXPORT_RECORDS)
    tx.audit(EXPORTED, after=plan.content)


def export_bundle(engine: Engine, archive: Archive, exporter: "Exporter", asked: Asked) -> "Export":
    """Find what is asked for and put the export on record; nothing has left yet.

    Raises:
        NotFound: BQC-LOG-013, BQC-EXP-001, BQC-EXP-002, BQC-EXP-003.
        SigningUnavailable: BQC-LOG-006 the key of the log cannot be used.
    """
    anchors, signer = exporter.anchors(), exporter.log_key()
    kit()  # what cannot be handed over is refused now
    with ExitStack() as spools:
        listing = spools.enter_context(spool())
        with reading(engine) as session:
            check_log(session, signer)
            plan = plan_export(session, archive, asked, listing)
        if not exporter.is_logged:
            with transaction(engine, exporter.actor, exporter.clock()) as tx:
                log_export(tx, plan)
        return Export(plan, _Writer(engine, archive, plan, anchors, signer), spools.pop_all())


@dataclass(frozen=True, slots=True)
class Exporter:
    """Who exports, and what of the installation goes with it or signs it.

    ``is_logged`` where this export is on record already, and is made once more.
    """

    actor: Actor
    clock: Callable[[], datetime]
    anchors: Callable[[], Anchors]
    log_key: Callable[[], LogSigner]
    is_logged: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """An export that is on record; its bytes can be had once."""

    plan: Plan
    _writer: "_Writer"
    _spools: ExitStack

    def chunks(self, progress: Progress = lambda *_: None) -> Generator[bytes]:
        """The bytes of the ZIP file, as they are made.

        Raises:
            IntegrityFailure: a stored file is missing or damaged; what has left is cut short.
        """
        with self._spools as spools:
            self._writer.progress = progress
            with reading(self._writer.engine) as session:
                yield from self._writer.written(session, spools)


@dataclass(slots=True)
class _Writer:
    engine: Engine
    archive: Archive
    plan: Plan
    anchors: Anchors
    signer: LogSigner
    progress: Progress = field(init=False)
    bag: Bag = field(init=False)
    page: BinaryIO = field(init=False)
    sources: BinaryIO = field(init=False)
    _done: set[str] = field(default_factory=set)

    def written(self, session: Session, spools: ExitStack) -> Iterator[bytes]:
        """Everything, in the order in which it lies in the file."""
        self.bag = Bag(FOLDER, spools)
        self.page, self.sources = spools.enter_context(spool()), spools.enter_context(spool())
        plan, said = self.plan, self.plan.checkpoint
        self._tell(self.page, page_head(self._facts(), plan.counts))
        yield from self.bag.payload("export.json", canonical_bytes(plan.content))
        yield from self.bag.payload("lots.jsonl", plan.listing)
        note = self._note(session, said.size)
        for number, lot in enumerate(plan.lots(), 1):
            yield from self._lot(session, lot, note)
            self.progress(number, plan.counts["lots"])
            session.expunge_all()  # memory does not grow with the lots
        yield from self._log(session, spools)
        trust = self.anchors.files | public_keys(key_lines(session))
        for name, data in trust.items():
            yield from self.bag.payload(f"trust/{name}", data)
        self._tell(self.page, sources_head())
        self.page.writelines(chunks_of(self.sources))
        for text in page_end([f"trust/{name}" for name in trust]):
            self._tell(self.page, text)
        yield from self.bag.tag("index.html", self.page)
        for name, data in kit().items():
            yield from self.bag.tag(name, data)
        about = {
            "Source-Organization": plan.site,
            "Bagging-Date": f"{said.at:%Y-%m-%d}",
            "External-Description": "Certificates of analysis and what they rest on",
            "Bag-Software-Agent": f"batchqc {__version__}",
        }
        yield from self.bag.end(about, [f"{said.origin} {said.size}"], self.signer.line)

    def _lot(self, session: Session, lot: Mapping[str, Any], note: str) -> Iterator[bytes]:
        self._tell(self.page, lot_rows(lot))
        tree, size = tree_of(session), self.plan.checkpoint.size
        for one in lot["certificates"]:
            path = f"{lot['folder']}/{one['number']}"
            content = self.archive.get(one["content_sha256"])
            if one["status"] == "issued":
                yield from self._stored(f"{path}.pdf", one["document_sha256"])
            yield from self.bag.payload(f"{path}.json", content)
            yield from self.bag.payload(f"{path}.csv", certificate_csv(json.loads(content)))
            if one["status"] == "issued":
                index = one["sequence"] - 1
                proof = Inclusion(index, inclusion_proof(index, size, tree), note)
                yield from self.bag.payload(f"{path}.tlog-proof", proof.text.encode())
        yield from self._slice(session, f"{lot['folder']}/audit.tsv", lot["own"], lot["sources"])
        for one in lot["uploads"]:
            for file in (one, *one["attachments"]):
                yield from self._source(one["number"], file["name"], file)
        for one in lot["specifications"]:
            if one["file"] not in self._done:
                path = one["file"].removesuffix(".toml")
                yield from self._slice(session, f"{path}.tsv", [one["key"]], [])
            yield from self._source(one["reference"], one["reference"], one)

    def _source(self, record: str, name: str, file: Mapping[str, Any]) -> Iterator[bytes]:
        """What a certificate rests on, once for all that rest on it."""
        path, sha256 = file["file"], file["sha256"]
        if path in self._done:
            return
        self._done.add(path)
        is_disposed = file.get("is_disposed", False)
        row = source_row(record, name, path, sha256, is_disposed=is_disposed)
        self._tell(self.sources, row)
        if sha256 and not is_disposed:
            yield from self._stored(path, sha256)

    def _stored(self, path: str, sha256: str) -> Iterator[bytes]:
        with self.archive.opened(sha256) as source:
            yield from self.bag.payload(path, source)

    def _slice(
        self, session: Session, path: str, own: list[str], sources: list[str]
    ) -> Iterator[bytes]:
        """Entries about some records, each with its place in the chain and its canonical bytes.

        Of what else was made of a lot's sources, nothing.
        """
        until = self.plan.checkpoint.size
        found = {link.sequence: (link, entry) for link, entry in links_with_entries(
            session, sources, until=until, but=["lot registered"]
        )}  # fmt: skip
        about = links_with_entries(session, own, until=until)
        found |= {link.sequence: (link, entry) for link, entry in about}
        with spool() as lines:
            for _, (link, entry) in sorted(found.items()):
                parts = (str(link.sequence), link.entry_sha256, link.previous, link.sha256)
                self._tell(lines, "\t".join((*parts, entry.text)) + "\n")
            yield from self.bag.payload(path, lines)

    def _log(self, session: Session, spools: ExitStack) -> Iterator[bytes]:
        """The hash of every entry, and every checkpoint with what a service said of it."""
        size, after = self.plan.checkpoint.size, 0
        hashes = spools.enter_context(spool())
        for one in entry_hashes(session, until=size):
            self._tell(hashes, f"{one}\n")
        yield from self.bag.payload("log/entries.txt", hashes)
        while rows := checkpoints_after(session, after, limit=_MANY):
            for row in rows:
                if row.size > size:
                    return
                name = f"log/{checkpoint_name(row.size)}"
                yield from self.bag.payload(name, row.note.encode())
                stamp = timestamp_of(session, row)
                if stamp is not None:
                    token = name.removesuffix(".txt") + ".tsr"
                    yield from self._stored(token, stamp.token_sha)
            after = rows[-1].size
            session.expunge_all()

    def _facts(self) -> dict[str, str]:
        said, asked = self.plan.checkpoint, self.plan.asked
        parts = [
            f"product {asked.product}" if asked.product else "",
            f"lots {', '.join(asked.lots)}" if asked.lots else "",
            f"numbers given from {asked.since}" if asked.since else "",
            f"until {asked.until}" if asked.until else "",
        ]
        return {
            "site": self.plan.site,
            "asked": ", ".join(filter(None, parts)) or "everything",
            "log": said.origin,
            "entries": str(said.size),
            "signed": f"{said.at:%Y-%m-%d %H:%M:%S} UTC",
        }

    @staticmethod
    def _note(session: Session, size: int) -> str:
        row = checkpoint_of(session, size)
        return "" if row is None else row.note

    @staticmethod
    def _tell(into: BinaryIO, text: str) -> None:
        into.write(text.encode())
