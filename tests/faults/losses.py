"""What of the acknowledged work is not there, and what is there that should not be."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from typing import Final

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.records.database import open_database
from batchqc.records.decisions import Answer, Certificate, CertificateIssue, DispositionRow
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.registers import LotRow
from batchqc.records.transaction import reading
from batchqc.records.uploads import AssayRun, Upload
from tests.faults.load import PEOPLE, Ledger
from tests.faults.site import Site
from tests.performance.peer_workload import PASSWORD

_SEALED_AFTERWARDS: Final = ('"status":"issued"', '"status":"pending"')
"""A certificate is sealed after its release has committed, which is told beside what is kept."""
_ONCE: Final = {
    "lot": select(LotRow.lot),
    "upload": select(Upload.file),
    "disposition": select(LotRow.lot).join(DispositionRow, DispositionRow.lot_id == LotRow.id),
    "certificate": select(LotRow.lot).join(Certificate, Certificate.lot_id == LotRow.id),
    "review": select(LotRow.lot).join(LotReview, LotReview.lot_id == LotRow.id),
    "audit review": select(LotRow.lot).join(AuditReview, AuditReview.lot_id == LotRow.id),
}


def losses(site: Site, ledger: Ledger) -> list[str]:
    """Everything that is wrong; the server runs.

    Acknowledged answers are compared with what the database keeps for their keys, documents with
    what the server gives out now, and each record of a lot must be there once, or not at all.
    """
    found = [*ledger.wrong, *site.doctor(), *lost_records(site.settings.database, ledger)]
    return [*found, *_lower(site), *_lost_documents(site, ledger)]


def lost_records(address: str, ledger: Ledger) -> list[str]:
    """What is wrong with the records of a database."""
    engine = open_database(address)
    try:
        with reading(engine) as session:
            return [*_lost_answers(session, ledger), *_not_once(session, ledger)]
    except Exception as problem:  # noqa: BLE001 - whatever keeps it from being read is a loss
        return [f"the database cannot be read: {problem}"]
    finally:
        engine.dispose()


def _lost_answers(session: Session, ledger: Ledger) -> Iterator[str]:
    query = select(Answer.person, Answer.idempotency_key, Answer.body)
    kept = {(person, key): body for person, key, body in session.execute(query)}
    for one in ledger.acts:
        if (one.person, one.key) not in kept:
            yield f"acknowledged and not there: {one.path} with the key {one.key}"
        elif kept[one.person, one.key] != one.body.replace(*_SEALED_AFTERWARDS):
            yield f"acknowledged otherwise than it stands: {one.path} with the key {one.key}"


def _not_once(session: Session, ledger: Ledger) -> Iterator[str]:
    for what, query in _ONCE.items():
        counted = Counter(name.removesuffix(".csv") for name in session.scalars(query))
        for lot, count in counted.items():
            if count > 1 and what != "review":
                yield f"{what} of {lot} is there {count} times"
        for lot in ledger.lots:
            if not counted[lot]:
                yield f"{what} of {lot} is missing; the whole lot was acknowledged"
    whole = set(session.scalars(select(AssayRun.upload_id)))
    for upload in session.scalars(select(Upload.id)):
        if upload not in whole:
            yield f"upload {upload} is there without its runs"


def _lower(site: Site) -> list[str]:
    """Certificates that are on record as sealed to a lower level than they have to be."""
    wanted = site.settings.seal_level
    engine = open_database(site.settings.database)
    query = select(CertificateIssue).where(CertificateIssue.level != wanted)
    try:
        with reading(engine) as session:
            found = [f"{one.key}: {one.level}" for one in session.scalars(query)]
    finally:
        engine.dispose()
    return [f"sealed below PAdES {wanted}: {one}" for one in found]


def _retried(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """What is answered once the installation has got over the last fault."""
    for _ in range(20):
        answer = ask()
        if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            return answer
        time.sleep(0.5)
    raise TimeoutError(answer.text)


def _lost_documents(site: Site, ledger: Ledger) -> Iterator[str]:
    with httpx.Client(base_url=f"{site.address}/api/v1", timeout=60) as client:
        sent = {"user_id": PEOPLE[-1], "password": PASSWORD}
        token = _retried(lambda: client.post("/session", json=sent)).json()["token"]
        for path, hashed in ledger.documents.items():
            headers = {"Authorization": f"Bearer {token}"}
            answer = _retried(partial(client.get, path, headers=headers))
            if sha256(answer.content).hexdigest() != hashed:
                yield f"{path} is not what was given out before: {answer.status_code}"
