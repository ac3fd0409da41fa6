"""Certificates: number and content with the decision, the seal after it."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from batchqc.actions.certificates import (
    Press,
    content_of_certificate,
    document_of,
    issue_certificate,
    make_document,
    the_certificate,
)
from batchqc.actions.dispositions import Decision, release_lot
from batchqc.core.permissions import Permission
from batchqc.documents.certificate_check import check
from batchqc.documents.certificate_pages import read_pages
from batchqc.documents.log_key import LogSigner
from batchqc.documents.pades import SealKey, load_seal
from batchqc.documents.pki import PkiFiles, PkiNames, create_pki
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level, Sealing
from batchqc.errors import Conflict, IntegrityFailure, NotFound, SigningUnavailable
from batchqc.records.decisions import DispositionRow
from batchqc.records.lot_reviews import LotReview
from batchqc.settings import bundled
from tests.actions.state import counts, grown
from tests.cast import NOW
from tests.documents.certificate_content import earlier_content, moment
from tests.records.house import LOT, QA1, QA2, House, good, results, signing

NUMBER = "COA-2026-000001"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> PkiFiles:
    return create_pki(
        tmp_path_factory.mktemp("keys") / "pki",
        names=PkiNames("Lakeside", "Root", "Seal"),
        root_passphrase="root passphrase",
        seal_passphrase="seal passphrase",
        crl_url="http://crl.example/root.crl",
        now=NOW - timedelta(days=1),
    )


@pytest.fixture
def press(keys: PkiFiles, log_signer: LogSigner) -> Press:
    def seal_key() -> SealKey:
        return load_seal(keys.seal_p12, "seal passphrase")

    sealing = Sealing(Level.B_B, RootFiles(keys.root_pem, keys.root_crl))
    return Press(bundled("reports") / "fonts", seal_key, lambda: log_signer, sealing)


class PowerCut(Exception):
    """What ends a transaction before its commit."""


def broken() -> SealKey:
    raise SigningUnavailable("BQC-CRT-010", "the token does not answer")


def issue(house: House, press: Press, *, by: str = QA1) -> bytes:
    actor = house.actor(by, Permission.ISSUE_CERTIFICATE)
    return issue_certificate(
        house.engine, house.archive, press, number=NUMBER, actor=actor, clock=house.now
    )


def test_the_day_of_a_measurement_is_that_of_the_site_whatever_its_offset(house: House):
    late = good("viability") | {"measured_at": "2025-05-21T04:30:00Z"}  # 20 May, 23:30 at the site
    assert house.upload(results(viability=late)).accepted
    assert isinstance(house.review(), list)
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        content = content_of_certificate(house.archive, the_certificate(session, NUMBER))
    days = {line["criterion"]: line["measured_on"] for line in content["lines"]}
    assert days["viability"] == "2025-05-20"


@pytest.mark.requirement("5.08")
def test_a_certificate_is_sealed_once_and_answered_the_same_ever_after(
    house: House, press: Press, keys: PkiFiles
):
    house.ready()
    house.release()
    pdf = issue(house, press)
    before = counts(house.engine)
    assert issue(house, press, by=QA2) == pdf
    assert grown(house.engine, before) == {}
    with house.reading() as session:
        assert document_of(session, house.archive, number=NUMBER.lower()) == pdf
    root = keys.root_pem.read_bytes()
    assert check(pdf, root_pem=root, lot=LOT, number=NUMBER, at=house.now()).passed
    assert house.verify().problems == ()


@pytest.mark.requirement("5.08")
def test_a_failing_seal_leaves_the_lot_released_and_its_certificate_pending(
    house: House, press: Press
):
    house.ready()
    assert isinstance(house.release(), Decision)
    before = counts(house.engine)
    with pytest.raises(SigningUnavailable):
        issue(house, replace(press, seal_key=broken))
    assert grown(house.engine, before) == {}
    with house.reading() as session, pytest.raises(Conflict) as pending:
        document_of(session, house.archive, number=NUMBER)
    assert pending.value.code == "BQC-CRT-031"
    assert issue(house, press).startswith(b"%PDF")


def test_numbers_have_no_gaps_where_a_release_did_not_commit(house: House, press: Press):
    house.ready()
    with suppress(PowerCut), house.acting(QA1, Permission.RELEASE_LOT) as tx:
        release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
        raise PowerCut
    assert isinstance(house.release(), Decision)
    assert issue(house, press).startswith(b"%PDF")


@pytest.mark.requirement("5.09")
def test_a_damaged_document_is_never_handed_out(house: House, press: Press, tmp_path: Path):
    house.ready()
    house.release()
    issue(house, press)
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file() and path.read_bytes().startswith(b"%PDF"):
            path.chmod(0o600)
            path.write_bytes(path.read_bytes().replace(b"QARelease", b"QARelaese"))
    with house.reading() as session, pytest.raises(IntegrityFailure):
        document_of(session, house.archive, number=NUMBER)
    assert any("certificate_issue" in problem for problem in house.verify().problems)


@pytest.mark.parametrize("number", ["COA-2026-000009", "COA-2026-1", "nonsense", "U-2026-000001"])
def test_an_unknown_number_is_not_found(house: House, number: str):
    with house.reading() as session, pytest.raises(NotFound):
        document_of(session, house.archive, number=number)


@pytest.mark.requirement("5.10")
def test_the_seals_stand_for_the_review_of_the_lot_and_for_the_decision(
    house: House, press: Press, keys: PkiFiles
):
    house.ready()
    house.release()
    first, second = read_pages(issue(house, press)).fields
    with house.reading() as session:
        content = content_of_certificate(house.archive, the_certificate(session, NUMBER))
        (review,) = session.scalars(select(LotReview))
        (decision,) = session.scalars(select(DispositionRow))
        for field, row in ((first, review), (second, decision)):
            signature = row.signature
            said = f"{signature.meaning} by {signature.name} ({signature.natural_key})"
            assert field.reason == said
    assert [one["field"] for one in content["seals"]] == [first.name, second.name]


def test_content_that_was_frozen_before_there_were_two_seals_is_sealed_once(
    press: Press, keys: PkiFiles
):
    content = earlier_content(issued=moment("2026-06-01", "20:00:00"))
    pdf = make_document(content, press, lambda: NOW).document
    (field,) = read_pages(pdf).fields
    assert field.reason.endswith("by Nguyễn Thị Minh Anh (S-2026-000042)")
    assert read_pages(pdf).files == {}
    later = NOW + timedelta(hours=2)
    assert check(pdf, root_pem=keys.root_pem.read_bytes(), lot="UCM-P2-T1", at=later).passed
