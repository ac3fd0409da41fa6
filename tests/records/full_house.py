"""A house in which everything has happened: there is a row in every table."""

from datetime import date, timedelta

from sqlalchemy import Engine

from batchqc.actions.attachments import Document
from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.dispositions import Decision
from batchqc.actions.lots import NewLot, NewSample, register_lot, register_samples
from batchqc.actions.people import sign_in, sign_out
from batchqc.actions.specifications import withdraw_specification
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import FolderArchive
from batchqc.records.corrections import CorrectionDecision
from batchqc.records.decisions import Answer, CertificateIssue, certificate_by
from batchqc.records.people import SignIn
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.typing_results import REPORT, enter, verify
from tests.cast import TAKEN_AT
from tests.records.accounts import close, keep_report, password_days, reopen, review
from tests.records.house import (
    ANA,
    AUD,
    BEN,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PASSWORD,
    PRODUCT,
    PROFILE,
    QA1,
    QA2,
    House,
    adopt,
    adopt_profile,
    furnish,
    good,
    restock,
    results,
    signing,
    table,
)  # fmt: skip
from tests.records.laboratory import adopt_method, use_registers

CERTIFICATE = "COA-2026-000001"
THAWED_FROM = MADE_ON + timedelta(days=1)
POST_THAW = b"""schema = "batchqc/specification/1"
id = "UC-MSC-THAW"
version = 1
product = "UC-MSC"
stage = "post-thaw"
title = "Umbilical cord MSC, thawed"
effective = 2025-05-20
rounding = "absolute"
[criteria.viability]
title = "Viability, post-thaw"
category = "quantity"
test = "VIAB"
analyte = "viability"
method = "SOP-QC-014"
unit = "%"
accept = "> 80"
"""


def furnish_fully(engine: Engine, archive: FolderArchive) -> None:
    """Furnish a house and live in it: its lot is released."""
    furnish(engine)
    restock(archive)
    house = House(engine, archive)
    assert not house.upload(results(viability="much")).accepted
    _correct(house)
    house.ready()
    _supersede(house)
    decision = house.release()
    assert isinstance(decision, Decision)
    _certificate(house)
    _visit(house)
    _other_stage(house)
    _type(house)
    adopt_profile(house, PROFILE)
    adopt_method(house)
    use_registers(house)
    _accounts(house)


def _accounts(house: House) -> None:
    password_days(house, 0)
    close(house, BEN)
    reopen(house, BEN)
    number, sha256 = keep_report(house)
    assert review(house, number, sha256) == number


def _supersede(house: House) -> None:
    """Another file has the next version of a run; it is reviewed again."""
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    data = table([own | good("endotoxin") | {"value": "<0.04"}])
    assert house.upload(data, supersedes="Wrong cell was exported").accepted
    assert isinstance(house.review(), list)


def _other_stage(house: House) -> None:
    """A specification of thawed doses judges a second lot, and is withdrawn in the end."""
    name, version = adopt(house, POST_THAW)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot("MSC-26-0099", PRODUCT, THAWED_FROM, EXPIRES_ON, (DONOR,)))
    with house.acting(QA1, Permission.APPROVE_SPECIFICATION) as tx:
        withdrawn = withdraw_specification(
            tx, specification=name, version=version, from_day=date(2099, 1, 1),
            credentials=signing(QA1, "Replaced by another test"),
        )  # fmt: skip
        assert not isinstance(withdrawn, Refusal)


def _type(house: House) -> None:
    """One result of the second lot has no file: two people type it."""
    lot, sample = "MSC-26-0099", "MSC-26-0099-S01"
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        taken = NewSample(sample, "release", "cryovial", TAKEN_AT.isoformat())
        register_samples(tx, lot=lot, samples=[taken])
    number = enter(
        house, lot=lot, sample=sample, documents=(Document("report.pdf", len(REPORT), REPORT),)
    ).number
    assert verify(house, number)


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
