"""A house in which everything has happened: there is a row in every table."""

from sqlalchemy import Engine

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.dispositions import Decision
from batchqc.actions.people import sign_in, sign_out
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.records.corrections import CorrectionDecision
from batchqc.records.decisions import Answer, CertificateIssue, certificate_by
from batchqc.records.people import SignIn
from batchqc.records.transaction import SYSTEM, transaction
from tests.records.house import ANA, AUD, LOT, PASSWORD, QA1, QA2, House, furnish, results, signing

CERTIFICATE = "COA-2026-000001"


def furnish_fully(engine: Engine, archive: FolderArchive) -> None:
    """Furnish a house and live in it: its lot is released."""
    furnish(engine)
    house = House(engine, archive)
    assert not house.upload(results(viability="much")).accepted
    _correct(house)
    house.ready()
    decision = house.release()
    assert isinstance(decision, Decision)
    _certificate(house)
    _visit(house)


def _correct(house: House) -> None:
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        correction = request_correction(
            tx, subject=f"lot:{LOT}", field="expires_on", after="2027-05-17", reason="Misread label"
        )
        number = correction.natural_key
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decided = decide_correction(tx, number=number, approve=True, credentials=signing(QA2))
        assert isinstance(decided, CorrectionDecision)


def _certificate(house: House) -> None:
    with house.acting(QA1, Permission.ISSUE_CERTIFICATE) as tx:
        certificate = certificate_by(tx.session, CERTIFICATE)
        assert certificate is not None
        document = b"as if it were the sealed document"
        issue = CertificateIssue(
            certificate=certificate,
            document_sha=house.archive.put(document),
            size=len(document),
            issued_by=QA1,
            issued_at=tx.now,
        )
        tx.add(issue)
        tx.audit("certificate issued", rows=[issue], about=[certificate.key])


def _visit(house: House) -> None:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        session = sign_in(tx, user_id=AUD, password=PASSWORD, token="a token", hours=8)
        assert isinstance(session, SignIn)
    with house.alone(AUD) as tx:
        sign_out(tx, token="a token")
        answer = Answer(
            person=AUD, idempotency_key="k", request_sha256="0", status=200, body="{}", at=tx.now
        )
        tx.add(answer)
        tx.audit("answered", rows=[answer])
