"""The auditor's bundle of 10,000 certificates: memory, and time beside a bare copy.

    python tests/performance/bundle_export.py [certificates]

On SQLite, in one process. A lot is released and its certificate issued as people do it; the others
are rows like its own, by the real tables, with entries of the audit trail, contents and sealed
documents of their own in the store (the documents are copies of the first, each with another last
byte: nothing reads them here). The copy reads the same stored bytes and writes them into one file.
Prints each figure with its limit, and writes it into the guide.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from peer_workload import ROOT, Figure
from sqlalchemy import Engine

sys.path.insert(0, str(ROOT))

from batchqc.actions.certificates import Press, issue_certificate
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.export_plan import Asked
from batchqc.actions.exports import Exporter, export_bundle
from batchqc.core.canonical import canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.documents.bundle_kit import Anchors
from batchqc.documents.log_key import create_log_key, load_log_key
from batchqc.documents.pades import load_seal
from batchqc.documents.pki import PkiNames, create_pki
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level, Sealing
from batchqc.records.database import migrate, open_database
from batchqc.records.decisions import Certificate, CertificateIssue, certificates_of
from batchqc.records.registers import LotRow, lot_by
from batchqc.records.transaction import SYSTEM, Actor, reading, transaction
from batchqc.settings import bundled
from tests.records.house import LOT, QA1, Clock, House, archive_of, furnish

MANY, AT_ONCE = 10_000, 500
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
FIRST = "COA-2026-000001"
MEGABYTE = 1024 * 1024


def fill(folder: Path, many: int) -> None:
    """An installation with so many certificates."""
    engine = open_database(f"sqlite:///{folder / 'batchqc.db'}")
    migrate(engine, bundled("migrations"))
    furnish(engine)
    house = House(engine, archive_of(folder), Clock(SINCE + timedelta(days=200)))
    files = create_pki(
        folder / "keys", names=PkiNames("Benchmark", "Root", "Seal"), root_passphrase="root",
        seal_passphrase="seal", crl_url="http://crl.example/root.crl", now=SINCE,
    )  # fmt: skip
    signer = create_log_key(folder / "log.key", name="benchmark/batchqc")
    key = load_seal(files.seal_p12, "seal")
    sealing = Sealing(Level.B_B, RootFiles(files.root_pem, files.root_crl))
    house.ready()
    house.release()
    issue_certificate(
        engine, house.archive,
        Press(bundled("reports") / "fonts", lambda: key, lambda: signer, sealing),
        number=FIRST, actor=house.actor(QA1, Permission.ISSUE_CERTIFICATE), clock=house.now,
    )  # fmt: skip
    for begin in range(2, many + 1, AT_ONCE):
        add(house, range(begin, min(begin + AT_ONCE, many + 1)))
    with transaction(engine, SYSTEM, house.now()) as tx:
        sign_checkpoint(tx, signer)
    engine.dispose()


def add(house: House, numbers: range) -> None:
    """Lots and certificates like the first."""
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        lot = lot_by(tx.session, LOT)
        assert lot is not None
        (first,) = certificates_of(tx.session, lot)
        content = json.loads(house.archive.get(first.content_sha))
        issue = tx.session.query(CertificateIssue).filter_by(certificate_id=first.id).one()
        document = house.archive.get(issue.document_sha)
        for number in numbers:
            name = f"MSC-27-{number:06}"
            own = LotRow(
                lot=name, folded=name.lower(), product=lot.product, site=lot.site,
                manufactured_on=lot.manufactured_on, expires_on=lot.expires_on,
                specification_version=lot.specification_version, bound_because="As if",
                registered_by=QA1, registered_at=tx.now,
            )  # fmt: skip
            public = f"COA-2026-{number:06}"
            said = {**content, "number": public, "lot": {**content["lot"], "id": name}}
            certificate = Certificate(
                site=lot.site, year=2026, number=number, lot=own, disposition=first.disposition,
                content_sha=house.archive.put(canonical_bytes(said)), reserved_at=tx.now,
            )  # fmt: skip
            sealed = document + public.encode()
            row = CertificateIssue(
                certificate=certificate, document_sha=house.archive.put(sealed),
                size=len(sealed), issued_by=QA1, issued_at=tx.now,
            )  # fmt: skip
            tx.add(own, certificate, row)
            tx.audit("lot registered", rows=[own])
            after = {"document sha256": row.document_sha, "content sha256": certificate.content_sha}
            rows = [certificate, row]
            tx.audit("certificate issued", rows=rows, about=[own.key], after=after)


def bundle(folder: Path) -> Iterator[bytes]:
    engine = open_database(f"sqlite:///{folder / 'batchqc.db'}")
    who = Actor(QA1, "QA", "UTC", Permission.EXPORT_RECORDS)
    exporter = Exporter(
        who, Clock(SINCE + timedelta(days=300)),
        lambda: Anchors((folder / "keys" / "root.pem").read_bytes()),
        lambda: load_log_key(folder / "log.key"),
    )  # fmt: skip
    found = export_bundle(engine, FolderArchive(folder / "store"), exporter, Asked())
    assert found.plan.later == 0
    yield from found.chunks()
    engine.dispose()


def copy(engine: Engine, folder: Path, to: Path) -> None:
    """What the bundle holds of the store, and nothing else."""
    archive = FolderArchive(folder / "store")
    with reading(engine) as session, to.open("wb") as file:
        hashes = [one for (one,) in session.query(CertificateIssue.document_sha)]
        hashes += [one for (one,) in session.query(Certificate.content_sha)]
        for sha256 in hashes:
            file.write(archive.get(sha256))


def alone(folder: Path, what: str) -> tuple[float, float, int]:
    """CPU seconds, peak megabytes and bytes written of one of the two, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--alone", what, str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, peak, size = done.stdout.split()
    return float(seconds), float(peak), int(size)


def run_alone(what: str, folder: Path) -> None:
    to = folder / f"{what}.out"
    began = time.process_time()
    if what == "bundle":
        with to.open("wb") as file:
            file.writelines(bundle(folder))
    else:
        engine = open_database(f"sqlite:///{folder / 'batchqc.db'}")
        copy(engine, folder, to)
        engine.dispose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    print(time.process_time() - began, peak, to.stat().st_size)
    to.unlink()


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few = folder / "few"
        few.mkdir()
        fill(few, many // 10)
        _, small, _ = alone(few, "bundle")
        whole = folder / "whole"
        whole.mkdir()
        fill(whole, many)
        seconds, peak, size = alone(whole, "bundle")
        bare, _, copied = alone(whole, "copy")
    figures = [
        Figure("peak memory", peak, 250, "MB"),
        Figure("memory, to a tenth of it", peak / small, 1.25, "x"),
        Figure("export, to a bare copy", seconds / bare, 40, "x copy"),
        Figure("a certificate", seconds / many * 1000, 40, "ms"),
    ]
    told = (
        f"{many} certificates, each of a lot of its own: a bundle of {size / 1e6:.0f} MB"
        f" in {seconds:.1f} s; a bare copy of {copied / 1e6:.0f} MB in {bare:.1f} s"
    )
    lines = [told, *map(str, figures)]
    print("\n".join(lines))
    if many == MANY:
        write_down(lines)
    if any(figure.value > figure.limit for figure in figures):
        raise SystemExit("a limit does not hold")


def write_down(lines: list[str]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.strip()  # fmt: skip
    (ROOT / "batchqc" / "guide" / "measured" / "bundle_export.md").write_text(
        "# The auditor's bundle of 10,000 certificates\n\n"
        f"Measured {time.strftime('%Y-%m-%d')} at commit {commit}, {os.cpu_count()} cores, by"
        " `make long`.\n\n```\n" + "\n".join(lines) + "\n```\n"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        run_alone(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
