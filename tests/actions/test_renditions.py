"""Renditions: what a recipient gets of a certificate, made from what was frozen, and on record."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, select

from batchqc.actions.certificate_previews import preview_document
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.certificates import (
    Press,
    content_of_certificate,
    document_of,
    the_certificate,
)
from batchqc.actions.checkpoints import is_covered
from batchqc.actions.holds import hold_lot
from batchqc.actions.layouts import withdraw_layout
from batchqc.actions.letting_go import let_go
from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.actions.renditions import (
    RenditionFacts,
    Under,
    Wanted,
    make_rendition,
    rendition_document,
)
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.documents.certificate_check import check, check_all
from batchqc.documents.certificate_pages import read_pages
from batchqc.documents.pades import SealKey
from batchqc.documents.pki import PkiFiles
from batchqc.documents.sealing import Level
from batchqc.documents.timestamps import Service
from batchqc.documents.verifier.case import Question
from batchqc.errors import Conflict, IntegrityFailure, NotFound, SigningUnavailable
from batchqc.records.audit import AuditEntry
from batchqc.settings import bundled
from tests.actions.state import counts, grown
from tests.actions.test_certificates import NUMBER, broken, issue, keys, press
from tests.cast import NOW, TAKEN_AT
from tests.databases import Databases
from tests.documents.test_certificate_check import failures
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    PRODUCT,
    QA1,
    QA2,
    SPECIFICATION_FILE,
    Clock,
    House,
    adopt,
    archive_of,
    furnish,
    restock,
    signing,
)
from tests.records.layouts import FOR_CLINIC, LAYOUT, adopt_layout, draft_layout
from tests.records.tampering import tamper
from tests.timestamp_service import timestamp_service

__all__ = ["keys", "press"]

LOT = "MSC-26-0150"
FROM = date(2025, 5, 20)
CLINIC = "Klinik am See, Hamburg"
OTHER_BYTES = "UPDATE layout_version SET sha256 = '{}'"


def adopt_optional_ido(house: House) -> None:
    """The next version of the specification does not require IDO; a lot is made under it."""
    file = (bundled("specs") / SPECIFICATION_FILE).read_text()
    file = file.replace("version   = 1", "version   = 2").replace("2020-01-01", FROM.isoformat())
    file = file.replace('accept   = ">= 10.0"', 'accept   = ">= 10.0"\nrequired = false')
    adopt(house, file.encode())
    samples = (NewSample(f"{LOT}-S01", "release", "cryovial", TAKEN_AT.isoformat()),)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(LOT, PRODUCT, FROM, EXPIRES_ON, (DONOR,), samples))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> FolderArchive:
    """The store of every house of this file; it only ever grows."""
    return archive_of(tmp_path_factory.mktemp("renditions"))


@pytest.fixture
def released(
    database: str, databases: Databases, archive: FolderArchive, press: Press
) -> Iterator[House]:
    """A certificate is issued, under a specification that does not require one criterion."""

    def make(engine: Engine) -> None:
        furnish(engine)
        restock(archive)
        house = House(engine, archive)
        adopt_optional_ido(house)
        adopt_layout(house, FOR_CLINIC)
        house.ready(LOT)
        house.release(LOT)
        issue(house, press)

    with databases.copy(database, "issued_optional_ido", make) as engine:
        yield House(engine, archive, Clock(NOW + timedelta(days=1)))


@pytest.mark.requirement("5.10")
def test_a_rendition_of_an_old_certificate_is_not_dated_back(
    released: House, press: Press, keys: PkiFiles, tmp_path: Path
):
    """Its timestamps are of when it was made, and not of when the certificate was."""
    released.now.at += timedelta(days=40)
    with timestamp_service(tmp_path / "tsa", clock=lambda: released.now.at) as service:
        stamps = Service(service.url, service.root)
        sealing = replace(press.sealing, level=Level.B_T, service=stamps)
        facts = make(released, replace(press, sealing=sealing))
        root = service.root.read_bytes()
    pdf = released.archive.get(facts.document_sha256)
    question = Question(keys.root_pem.read_bytes(), released.now.at, tsa_roots=root)
    assert failures(check_all(pdf, question)) == {}


def make(
    house: House, press: Press, *, layout: str = "COA-CLINIC", by: str = QA1
) -> RenditionFacts:
    return make_rendition(
        house.engine,
        house.archive,
        press,
        wanted=Wanted(NUMBER, layout),
        actor=house.actor(by, Permission.ISSUE_CERTIFICATE),
        clock=house.now,
    )


def refusal(house: House, press: Press, **changes: str) -> tuple[str, ...]:
    before = counts(house.engine)
    with pytest.raises(Conflict) as refused:
        make(house, press, **changes)
    assert refused.value.code == "BQC-LAY-011"
    assert grown(house.engine, before) == {}
    return refused.value.reasons


def given(house: House, made: RenditionFacts) -> bytes:
    with house.reading() as session:
        wanted = Under(made.certificate, made.layout, made.version)
        return rendition_document(session, house.archive, wanted=wanted)


def content(house: House) -> Any:
    with house.reading() as session:
        return content_of_certificate(house.archive, the_certificate(session, NUMBER))


def test_a_rendition_is_sealed_on_record_and_made_once(
    released: House, press: Press, keys: PkiFiles
):
    house = released
    with house.reading() as session:
        original = document_of(session, house.archive, number=NUMBER)
    made = make(house, press)
    assert (made.certificate, made.layout, made.version) == (NUMBER, "COA-CLINIC", 1)
    assert (made.recipient, made.made_by) == (CLINIC, QA1)
    before = counts(house.engine)
    assert make(house, press, by=QA2) == made
    assert grown(house.engine, before) == {}
    with house.reading() as session:
        pdf = rendition_document(
            session, house.archive, wanted=Under(NUMBER.lower(), "COA-CLINIC", 1)
        )
    assert pdf != original
    root = keys.root_pem.read_bytes()
    report = check(pdf, root_pem=root, lot=LOT, number=NUMBER, at=house.now())
    assert report.passed
    assert report.content_sha256 == made.content_sha256
    assert report.rendition == (
        f"a rendition of certificate {NUMBER} for {CLINIC}; results withheld: 1"
    )
    inside = json.loads(read_pages(pdf).files["certificate.json"])
    whole = content(house)
    assert len(inside["lines"]) == len(whole["lines"]) - 1
    assert {one["criterion"] for one in whole["lines"]} - {
        one["criterion"] for one in inside["lines"]
    } == {"ido"}
    assert "14.2" in json.dumps(whole)
    for word in ("14.2", "kynurenine", "IDO"):
        assert word not in json.dumps(inside)
        assert word not in "".join(read_pages(pdf).texts)
    assert not check(original, root_pem=root, number="COA-2026-000002", at=house.now()).passed
    assert house.verify().problems == ()


def test_a_rendition_follows_the_certificate_into_the_audit_trail_and_the_log(
    released: House, press: Press
):
    made = make(released, press)
    with released.reading() as session:
        made_here = select(AuditEntry).where(AuditEntry.what == "certificate rendition made")
        said = json.loads(session.scalars(made_here).one().text)
        assert is_covered(session, f"certificate_rendition:{NUMBER}/COA-CLINIC/1")
    assert said["after"] == {
        "document sha256": made.document_sha256,
        "content sha256": made.content_sha256,
        "recipient": CLINIC,
        "level": "PAdES B-B",
        "withheld": "1",
    }
    assert f"lot:{LOT}" in said["subjects"]


def test_every_reason_against_a_rendition_is_told_and_nothing_is_written(
    house: House, press: Press
):
    house.ready()
    house.release()
    adopt_layout(house, FOR_CLINIC.replace(b'withhold = ["ido"]', b'withhold = ["ido", "x"]'))
    adopt_layout(house, LAYOUT)
    found = refusal(house, press)
    assert [one.split(":")[0] for one in found] == [
        "the certificate is not sealed",
        "ido is required by UC-MSC-REL v1",
        "x is to be withheld, and the certificate has no such line",
    ]
    assert "names no recipient" in refusal(house, press, layout="COA-DE")[1]
    with pytest.raises(NotFound) as none:
        make(house, press, layout="COA-NONE")
    assert none.value.code == "BQC-LAY-008"
    with house.reading() as session, pytest.raises(NotFound) as never:
        rendition_document(session, house.archive, wanted=Under(NUMBER, "COA-CLINIC", 1))
    assert never.value.code == "BQC-LAY-010"


def test_a_certificate_that_was_withdrawn_or_changed_has_no_rendition(
    released: House, press: Press
):
    house = released
    tamper(house.engine, "UPDATE certificate SET let_go = 'x'")
    assert any("is not as its audit entry says" in one for one in refusal(house, press))
    tamper(house.engine, "UPDATE certificate SET let_go = ''")
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        withdraw_certificate(tx, the_lot(tx.session, LOT), reason="Doubt", about=f"lot:{LOT}")
        hold_lot(tx, lot=LOT, credentials=signing(QA1))
    (why,) = refusal(house, press)
    assert "was withdrawn (Doubt)" in why
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        let_go(tx, house.archive, lot=LOT, number=1, credentials=signing(QA1))
    assert "the certificate is superseded: make it of COA-2026-000002" in refusal(house, press)


def test_a_seal_that_fails_leaves_no_rendition(released: House, press: Press):
    before = counts(released.engine)
    with pytest.raises(SigningUnavailable):
        make(released, Press(press.fonts, broken, press.log_key, press.sealing))
    assert grown(released.engine, before) == {}
    assert make(released, press).recipient == CLINIC


def test_what_was_withdrawn_while_it_was_sealed_is_not_recorded(released: House, press: Press):
    house = released

    def meanwhile() -> SealKey:
        with house.acting(QA1, Permission.HOLD_LOT) as tx:
            withdraw_certificate(tx, the_lot(tx.session, LOT), reason="Doubt", about=f"lot:{LOT}")
        return press.seal_key()

    with pytest.raises(Conflict) as changed:
        make(house, Press(press.fonts, meanwhile, press.log_key, press.sealing))
    assert changed.value.code == "BQC-LAY-013"


def test_under_a_layout_that_is_withdrawn_meanwhile_none_is_recorded(released: House, press: Press):
    house = released

    def meanwhile() -> SealKey:
        with house.acting(QA1, Permission.APPROVE_LAYOUT) as tx:
            withdraw_layout(tx, layout="COA-CLINIC", version=1, credentials=signing(QA1))
        return press.seal_key()

    with pytest.raises(Conflict) as changed:
        make(house, Press(press.fonts, meanwhile, press.log_key, press.sealing))
    assert changed.value.reasons == ("layout COA-CLINIC v1 was withdrawn",)
    with pytest.raises(NotFound):
        make(house, press)


def test_of_two_who_make_it_at_once_the_first_is_on_record(released: House, press: Press):
    house = released
    first: list[RenditionFacts] = []

    def meanwhile() -> SealKey:
        first.append(make(house, press, by=QA2))
        return press.seal_key()

    second = make(house, Press(press.fonts, meanwhile, press.log_key, press.sealing))
    assert [second] == first
    assert second.made_by == QA2


def test_a_preview_is_marked_and_leaves_nothing(released: House, press: Press, keys: PkiFiles):
    house = released
    draft_layout(house, LAYOUT)
    before = counts(house.engine)
    with house.reading() as session:
        own, clinics = (
            preview_document(
                session, house.archive, press, wanted=Under(NUMBER, layout, 1), now=house.now()
            )
            for layout in ("COA-DE", "COA-CLINIC")
        )
    assert grown(house.engine, before) == {}
    for layout, pdf in (("COA-DE", own), ("COA-CLINIC", clinics)):
        for page in PdfReader(BytesIO(pdf)).pages:
            text = page.extract_text()
            assert f"Vorschau mit Layout {layout} v1: nicht gesiegelt" in text
            assert "DRAFT" in text
            assert "SPECIMEN" not in text
            assert "SHA-256 des Inhalts" not in text
        assert "Ausgestellt" in PdfReader(BytesIO(pdf)).pages[0].extract_text()
        assert not check(pdf, root_pem=keys.root_pem.read_bytes(), at=house.now()).passed
    assert "Viabilität nach dem Auftauen" in PdfReader(BytesIO(own)).pages[0].extract_text()
    assert CLINIC in PdfReader(BytesIO(clinics)).pages[0].extract_text()


def test_bytes_of_a_layout_that_were_changed_make_no_rendition(released: House, press: Press):
    house = released
    other = house.archive.put(FOR_CLINIC + b"\n")
    tamper(house.engine, OTHER_BYTES.format(other))
    with pytest.raises(IntegrityFailure) as changed:
        make(house, press)
    assert changed.value.code == "BQC-LAY-009"


@pytest.mark.requirement("1.09", "5.07")
def test_a_rendition_that_was_exchanged_is_not_given_away(released: House, press: Press):
    made = make(released, press)
    other = released.archive.put(b"%PDF- of somebody else")
    tamper(released.engine, f"UPDATE certificate_rendition SET document_sha = '{other}'")  # noqa: S608
    for again in (
        lambda: make(released, press),
        lambda: given(released, made),
    ):
        with pytest.raises(IntegrityFailure) as refused:
            again()
        assert refused.value.code == "BQC-LAY-017"
