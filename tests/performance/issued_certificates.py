"""Certificates issued as they are: rendered, embedded, sealed twice, stored, on record, in the log.

A database of SQLite and a store in a folder hold certificates that wait for their seals; one
process or two issue them. Each issue commits twice to the disk and signs a checkpoint of the log.
"""

import multiprocessing
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from batchqc.actions.certificates import Press, issue_certificate
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.core.canonical import canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.documents.log_key import create_log_key, load_log_key
from batchqc.documents.pades import load_seal
from batchqc.documents.pki import PkiNames, create_pki
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level, Sealing
from batchqc.records.database import migrate, open_database
from batchqc.records.decisions import Certificate
from batchqc.records.transaction import SYSTEM, Actor, transaction
from batchqc.settings import bundled
from tests.documents.certificate_content import certificate_content
from tests.records.many_certificates import fill, is_newest, lot_of

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
ISSUER = Actor("anh.nguyen", "QA", permission=Permission.ISSUE_CERTIFICATE)


class Site(NamedTuple):
    """Where its records, its store and its keys are, and the numbers that wait for a seal."""

    folder: Path
    numbers: list[str]

    @classmethod
    def of(cls, folder: Path, many: int) -> "Site":
        """A new one in which ``many`` certificates wait, each with content of its own."""
        archive = FolderArchive(folder / "store")
        numbers = [number for number in range(1, many * 51 // 49 + 50) if is_newest(number)][:many]
        shas = {number: archive.put(_content(number)) for number in numbers}
        engine = open_database(f"sqlite:///{folder / 'batchqc.db'}")
        migrate(engine, bundled("migrations"))
        fill(engine, numbers[-1], issued=False, content_sha=lambda number: shas.get(number, ""))
        create_pki(
            folder / "keys", names=PkiNames("Benchmark", "Root", "Seal"), root_passphrase="root",
            seal_passphrase="seal", crl_url="http://crl.example/root.crl", now=SINCE,
        )  # fmt: skip
        signer = create_log_key(folder / "log.key", name="benchmark/batchqc")
        with transaction(engine, SYSTEM, SINCE) as tx:
            for row in tx.session.scalars(select(Certificate)):
                about = [row.key, row.lot.key]
                tx.audit("certificate reserved", rows=[row], about=about)
        with transaction(engine, SYSTEM, SINCE) as tx:
            sign_checkpoint(tx, signer)
        engine.dispose()
        return cls(folder, [f"COA-2026-{number:06}" for number in numbers])

    def issuing(self) -> Callable[[str], bytes]:
        """What issues one of them, by its number."""
        engine = open_database(f"sqlite:///{self.folder / 'batchqc.db'}")
        archive = FolderArchive(self.folder / "store")
        (seal,) = (self.folder / "keys").glob("seal*.p12")
        log_key = self.folder / "log.key"
        press = Press(
            bundled("reports") / "fonts",
            cache(lambda: load_seal(seal, "seal")),
            lambda: load_log_key(log_key),
            Sealing(Level.B_B, RootFiles(seal.parent / "root.pem", seal.parent / "root.crl")),
        )
        at = SINCE + timedelta(days=20)

        def issue(number: str) -> bytes:
            return issue_certificate(
                engine, archive, press, number=number, actor=ISSUER, clock=lambda: at
            )

        return issue


def _content(number: int) -> bytes:
    content = certificate_content(number=f"COA-2026-{number:06}")
    content["lot"]["id"] = lot_of(number)
    return canonical_bytes(content)  # type: ignore[arg-type]


def seconds_of_processor(site: Site, times: int) -> float:
    """What issuing one takes of the processor at least, of some."""
    issue, found = site.issuing(), []
    for _ in range(times):
        number = site.numbers.pop()
        began = time.process_time()
        issue(number)
        found.append(time.process_time() - began)
    return min(found)


def _share(site: Site, numbers: list[str]) -> None:
    issue = site.issuing()
    for number in numbers:
        issue(number)


def per_second(site: Site, many: int, processes: int) -> float:
    """How many are issued in a second by some processes over the same records and store."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        first = [site.numbers.pop() for _ in range(processes)]
        pool.starmap(_share, [(site, [one]) for one in first])  # what is loaded once is loaded
        mine = [[site.numbers.pop() for _ in range(many // processes)] for _ in range(processes)]
        began = time.perf_counter()
        pool.starmap(_share, [(site, one) for one in mine], chunksize=1)
        return many / (time.perf_counter() - began)
