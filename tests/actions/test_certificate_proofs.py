"""A certificate is proven by files alone: its issue from the log, and how it stands."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from batchqc import clock
from batchqc.actions.certificate_proofs import prove_certificate, standing_on_record
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.certificates import (
    Press,
    content_of_certificate,
    issue_certificate,
    make_document,
    reserve_certificate,
    the_certificate,
)
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.evaluation import study
from batchqc.actions.lots import the_lot
from batchqc.actions.witnessing import stamp_newest
from batchqc.core.permissions import Permission
from batchqc.documents.certificate_check import CheckReport, check_all
from batchqc.documents.log_key import LogSigner, create_log_key
from batchqc.documents.pki import PkiFiles
from batchqc.documents.timestamps import Service
from batchqc.documents.verifier.case import Question
from batchqc.documents.verifier.findings import Failed
from batchqc.documents.verifier.proofs import check_standing
from batchqc.documents.verifier.signed_log import read_log_keys
from batchqc.errors import Conflict, NotFound, SigningUnavailable
from batchqc.records.decisions import dispositions_of
from batchqc.records.transaction import SYSTEM, transaction
from tests.documents.test_certificate_check import failures
from tests.records.house import LOT, QA1, House
from tests.timestamp_service import TimestampService, timestamp_service

NUMBER = "COA-2026-000001"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimestampService]:
    with timestamp_service(tmp_path_factory.mktemp("tsa")) as found:
        yield found


def issue(house: House, press: Press, number: str = NUMBER) -> bytes:
    actor = house.actor(QA1, Permission.ISSUE_CERTIFICATE)
    return issue_certificate(
        house.engine, house.archive, press, number=number, actor=actor, clock=house.now
    )


@pytest.fixture
def issued(house: House, press: Press) -> bytes:
    """The document of a lot that was released, with its checkpoint."""
    house.ready()
    checkpoint(house, press)
    house.release()
    return issue(house, press)


def checkpoint(house: House, press: Press) -> None:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        sign_checkpoint(tx, press.log_key())


def prove(house: House, press: Press, number: str = NUMBER) -> bytes:
    with house.reading() as session:
        return prove_certificate(
            session, house.archive, press.log_key(), number=number, now=house.now()
        )


def asked(house: House, press: Press, pki: PkiFiles, *proofs: bytes, **more: Any) -> Question:
    keys = press.log_key().key.text + "\n"
    question = Question(pki.root_pem.read_bytes(), house.now.at, proofs=proofs, log_keys=keys)
    return replace(question, **more)


def said(report: CheckReport, name: str) -> str:
    return next(one.reason for one in report.checks if one.name == name)


@pytest.mark.requirement("5.10")
def test_a_proof_shows_issue_time_and_standing_without_the_records(
    house: House, press: Press, issued: bytes, pki: PkiFiles
):
    proof = prove(house, press)
    report = check_all(issued, asked(house, press, pki, proof, lot=LOT, number=NUMBER))
    assert failures(report) == {}
    assert report.passed
    assert said(report, "log").startswith("entry ")
    assert "at the latest" in said(report, "time")
    assert said(report, "status").startswith("it counted on 2026-06-")
    without = check_all(issued, asked(house, press, pki))
    assert without.passed
    assert not without.complete
    assert said(without, "log") == "not examined: no proof from the log was given (--proof)"
    assert "as of the file's own date" in said(without, "status")
    keyless = check_all(issued, asked(house, press, pki, proof, log_keys=""))
    assert "public keys of the log" in said(keyless, "log")


def test_only_an_issued_certificate_is_proven_and_with_the_key_on_record(
    house: House, press: Press, tmp_path: Any
):
    with pytest.raises(NotFound):
        prove(house, press)
    house.ready()
    house.release()
    with pytest.raises(Conflict) as pending:
        prove(house, press)
    assert pending.value.code == "BQC-CRT-031"
    with house.reading() as session:
        assert standing_on_record(session, NUMBER, [""]) == "on record it was never issued"
    issue(house, press)
    other: LogSigner = create_log_key(tmp_path / "log.key", name="lakeside/batchqc")
    with pytest.raises(SigningUnavailable):
        prove(house, replace(press, log_key=lambda: other))


def edited(proof: bytes, *path: str, change: Callable[[str], str]) -> bytes:
    """A proof in which somebody changed a text."""
    told = json.loads(proof)
    part = told
    for one in path[:-1]:
        part = part[one]
    part[path[-1]] = change(part[path[-1]])
    assert told != json.loads(proof)
    return json.dumps(told).encode()


def test_a_proof_that_was_edited_proves_nothing(
    house: House, press: Press, issued: bytes, pki: PkiFiles
):
    proof = prove(house, press)
    edits: list[tuple[tuple[str, ...], Callable[[str], str], str, str]] = [
        (("issue", "entry"), lambda text: text.replace(QA1, "x"), "log", "not in the log"),
        (("issue", "proof"), lambda text: text.replace("index ", "index 1"), "log", "cover"),
        (("issue", "proof"), lambda text: text.replace("signed-at 2026", "signed-at 2025"),
         "log", "does not hold"),
        (("status",), lambda text: text.replace("standing counts", "standing well"),
         "status", "does not hold"),
        (("status",), lambda text: text.partition("\n\n")[0] + "\n\n", "status", "none of the"),
        (("certificate",), lambda text: text + "1", "log", "no given proof is about"),
        (("type",), lambda text: text + "1", "log", "is no proof of a certificate"),
    ]  # fmt: skip
    for path, change, name, why in edits:
        changed = edited(proof, *path, change=change)
        found = failures(check_all(issued, asked(house, press, pki, changed)))
        assert why in found[name], (path, found)
    for junk in (b"", b"{", b"[]", b'{"certificate": 1.5}', b'{"a":1,"a":1}', b"[" * 99999):
        assert "log" in failures(check_all(issued, asked(house, press, pki, b"x" + junk)))
    damaged = asked(house, press, pki, proof, log_keys=press.log_key().key.text[:-5] + "AAAA=")
    assert "log" in failures(check_all(issued, damaged))


def test_another_document_under_the_number_is_not_the_one_in_the_log(
    house: House, press: Press, issued: bytes, pki: PkiFiles
):
    """Whoever has the seal can seal again what was issued; the log tells which one was."""
    with house.reading() as session:
        content = content_of_certificate(house.archive, the_certificate(session, NUMBER))
    again = make_document({**content, "conclusion": "It complies."}, press, house.now).document
    question = asked(house, press, pki, prove(house, press))
    assert check_all(again, replace(question, proofs=())).passed
    assert failures(check_all(again, question)) == {
        "log": "the log names another document of this number",
        "status": "the statement is about another document",
    }
    assert content["log"]["origin"] == "lakeside/batchqc"
    with house.reading() as session:
        assert (
            standing_on_record(session, NUMBER, ["0" * 64]) == "on record it has another document"
        )


def test_a_statement_about_another_certificate_says_nothing_of_this_one(
    house: House, press: Press, issued: bytes
):
    """Not even where both are of the same document."""
    proof, keys = json.loads(prove(house, press)), read_log_keys(press.log_key().key.text)
    documents = [hashlib.sha256(issued).hexdigest()]
    found = check_standing(proof, keys, number=NUMBER, documents=documents)
    assert found is not None
    assert found.standing == "counts"
    with pytest.raises(Failed, match="the statement is about another certificate"):
        check_standing(proof, keys, number="COA-2026-000002", documents=documents)


def test_a_timestamp_on_the_log_tells_what_was_dated_back(
    house: House, press: Press, issued: bytes, pki: PkiFiles, service: TimestampService
):
    """The house's clock says June; the service says now: as if the site had dated it back."""
    of = Service(service.url, service.root)
    assert stamp_newest(house.engine, house.archive, of, clock=house.now)
    proof, now = prove(house, press), clock.now() + timedelta(minutes=1)
    answer = base64.b64decode(json.loads(proof)["timestamp"])
    root = service.root.read_bytes()
    question = asked(house, press, pki, proof, tsa_roots=root, at=now)
    found = failures(check_all(issued, question))
    assert list(found) == ["time"]
    assert "back-dated" in found["time"]
    trusting = replace(question, late=timedelta(days=9999))
    assert failures(check_all(issued, trusting)) == {}
    other = edited(proof, "timestamp", change=lambda _: base64.b64encode(answer[:-9]).decode())
    assert "log" in failures(check_all(issued, replace(question, proofs=(other,))))
    untrusted = check_all(issued, replace(question, tsa_roots=b""))
    assert "needs --tsa-root" in said(untrusted, "log")
    wrong = replace(question, tsa_roots=pki.root_pem.read_bytes())
    assert "names another issuer" in failures(check_all(issued, wrong))["log"]


def test_what_was_withdrawn_since_is_told_by_a_later_proof(
    house: House, press: Press, issued: bytes, pki: PkiFiles
):
    before = prove(house, press)
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        withdraw_certificate(tx, the_lot(tx.session, LOT), reason="A late\nfailure", about="lot:x")
    after = prove(house, press)
    told = failures(check_all(issued, asked(house, press, pki, before, after)))
    assert list(told) == ["status"]
    assert told["status"].startswith("withdrawn: A late failure, as was stated on")
    # The earlier proof still says what was so then, and of when it says so.
    assert "it counted on" in said(check_all(issued, asked(house, press, pki, before)), "status")
    checkpoint(house, press)
    proof = prove(house, press)
    silent = edited(proof, "status", change=lambda _: json.loads(before)["status"])
    (reason,) = failures(check_all(issued, asked(house, press, pki, silent))).values()
    assert reason.startswith("it was withdrawn on 2026-06-01: A late")


def test_what_was_superseded_since_is_told_by_a_later_proof(
    house: House, press: Press, issued: bytes, pki: PkiFiles
):
    with house.acting(QA1, Permission.RELEASE_LOT) as tx:
        row = the_lot(tx.session, LOT)
        case = study(tx.session, house.archive, lot=row, now=tx.now)
        decided = dispositions_of(tx.session, case.row)[-1]
        newer = reserve_certificate(tx, house.archive, case=case, disposition=decided)
        tx.audit("certificate reserved", rows=[newer])
        number = newer.natural_key
    told = failures(check_all(issued, asked(house, press, pki, prove(house, press))))
    assert list(told) == ["status"]
    assert told["status"].startswith(f"superseded by {number}, as was stated on")
    amended = issue(house, press, number)
    proof = prove(house, press)
    silent = json.loads(proof) | {"status": ""}
    (reason,) = failures(
        check_all(issued, asked(house, press, pki, json.dumps(silent).encode()))
    ).values()
    assert reason == f"it is superseded by {number} since 2026-06-01"
    assert check_all(amended, asked(house, press, pki, proof, prove(house, press, number))).passed
