"""Layouts: from a file to what new certificates are frozen with, and what keeps them from it."""

import json
from typing import Any

import pytest

from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.dispositions import Decision
from batchqc.actions.layouts import (
    approve_layout,
    approved_layout,
    layout_in_force,
    submit_layout,
    withdraw_layout,
)
from batchqc.core.certificate_layouts import PaperSize
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.documents.layout_file import read_layout
from batchqc.errors import BatchqcError, Conflict, IntegrityFailure, InvalidInput, NotFound
from tests.records.house import PRODUCT, QA1, SPEC, House, signing
from tests.records.layouts import FOR_CLINIC, LAYOUT, adopt_layout, draft_layout
from tests.records.tampering import tamper

NUMBER = "COA-2026-000001"
SECOND = LAYOUT.replace(b"version = 1", b"version = 2").replace(b'"A4"', b'"Letter"')
OF_PRODUCT = LAYOUT.replace(b"COA-DE", b"COA-UC").replace(
    b'paper = "A4"', b'paper = "A4"\nproduct = "UC-MSC"'
)


def approve(house: House, version: int = 1, **changes: str) -> object:
    with house.acting(QA1, Permission.APPROVE_LAYOUT) as tx:
        return approve_layout(
            tx, house.archive, layout="COA-DE", version=version, credentials=signing(QA1, **changes)
        )


def submit(house: House, version: int = 1) -> None:
    with house.acting(SPEC, Permission.IMPORT_LAYOUT) as tx:
        submit_layout(tx, layout="COA-DE", version=version)


def in_force(house: House, product: str = PRODUCT) -> str:
    with house.reading() as session:
        layout = layout_in_force(session, house.archive, product)
    return layout.reference if layout else ""


def content(house: House) -> Any:
    with house.reading() as session:
        return content_of_certificate(house.archive, the_certificate(session, NUMBER))


def refused(house: House, code: str, **changes: Any) -> BatchqcError:
    with pytest.raises(BatchqcError) as refusal:
        approve(house, **changes)
    assert refusal.value.code == code
    return refusal.value


def test_new_certificates_take_the_layout_that_was_approved(house: House):
    house.ready()
    assert in_force(house) == ""
    adopt_layout(house, LAYOUT)
    assert isinstance(house.release(), Decision)
    frozen = content(house)
    layout = read_layout(LAYOUT, file="l.toml").layout
    assert layout
    assert frozen["layout"] == {
        "id": "COA-DE",
        "version": 1,
        "sha256": layout.sha256,
        "language": "de",
        "paper": "A4",
        "address": [],
        "contact": ["qc@lakeside.example"],
        "titles": {"viability": "Viabilität nach dem Auftauen"},
        "footnotes": ["Nur für die klinische Prüfung."],
    }
    order = [one["criterion"] for one in frozen["lines"]]
    assert order.index("viability") == 0
    assert order.index("sterility") < order.index("cd73")
    assert len(order) == 12
    assert house.verify().problems == ()


def test_without_an_approved_layout_content_has_none(house: House):
    house.ready()
    draft_layout(house, LAYOUT)
    adopt_layout(house, FOR_CLINIC)
    assert isinstance(house.release(), Decision)
    assert "layout" not in content(house)


def test_the_layout_that_was_approved_last_is_in_force_and_a_products_own_before_it(house: House):
    adopt_layout(house, LAYOUT)
    draft_layout(house, SECOND)
    submit(house, 2)
    assert in_force(house) == "COA-DE v1"
    approve(house, 2)
    assert in_force(house) == "COA-DE v2"
    adopt_layout(house, OF_PRODUCT)
    adopt_layout(house, LAYOUT.replace(b"COA-DE", b"COA-DE-NEW"))
    assert in_force(house) == "COA-UC v1"
    assert in_force(house, "ANOTHER") == "COA-DE-NEW v1"
    adopt_layout(house, FOR_CLINIC)
    assert in_force(house) == "COA-UC v1"
    with house.reading() as session:
        approval = approved_layout(session, "COA-DE")
        assert approval.layout_version.version == 2
        assert approval.signature.record_sha256 == approval.layout_version.sha256
        with pytest.raises(NotFound) as none:
            approved_layout(session, "COA-NONE")
    assert none.value.code == "BQC-LAY-008"
    assert PaperSize.LETTER in SECOND.decode()


@pytest.mark.requirement("2.06")
def test_a_layout_is_approved_by_a_second_person_after_its_submission(house: House):
    refused(house, "BQC-LAY-007")
    draft_layout(house, LAYOUT)
    assert isinstance(refused(house, "BQC-LAY-006"), Conflict)
    submit(house)
    with pytest.raises(Conflict) as twice:
        submit(house)
    assert twice.value.code == "BQC-LAY-003"
    assert isinstance(approve(house, password="wrong"), Refusal)
    refused(house, "BQC-SIG-004", reason=" ")
    assert in_force(house) == ""
    assert not isinstance(approve(house), Refusal)
    refused(house, "BQC-LAY-004")
    assert in_force(house) == "COA-DE v1"


def test_an_imported_version_is_never_edited_and_problems_are_told_at_once(house: House):
    draft_layout(house, LAYOUT)
    with pytest.raises(Conflict) as again:
        draft_layout(house, LAYOUT + b"\n")
    assert again.value.code == "BQC-LAY-002"
    with pytest.raises(InvalidInput) as wrong:
        draft_layout(house, b"id = 3")
    assert wrong.value.code == "BQC-LAY-001"
    assert len(wrong.value.reasons) > 4


def test_what_no_font_can_show_is_refused(house: House):
    with pytest.raises(InvalidInput) as refusal:
        draft_layout(house, FOR_CLINIC.replace(b"Klinik am See", "東京 Clinic".encode())
                     .replace("IDO-Aktivität".encode(), "IDO \u05d0".encode()))  # fmt: skip
    assert [one.partition(": use")[0] for one in refusal.value.reasons] == [
        "recipient: the page would show “[U+6771][U+4EAC] Clinic, Hamburg”",
        "titles.ido: the page would show “IDO [U+05D0]”",
    ]


def withdraw(house: House, layout: str = "COA-DE", version: int = 1) -> object:
    with house.acting(QA1, Permission.APPROVE_LAYOUT) as tx:
        return withdraw_layout(tx, layout=layout, version=version, credentials=signing(QA1))


def test_a_layout_that_was_withdrawn_is_in_force_no_more(house: House):
    adopt_layout(house, LAYOUT)
    draft_layout(house, SECOND)
    for version, why in ((2, "it is not approved"), (7, "there is no layout")):
        with pytest.raises(BatchqcError) as early:
            withdraw(house, version=version)
        assert why in early.value.message
    submit(house, 2)
    approve(house, 2)
    assert not isinstance(withdraw(house, version=2), Refusal)
    assert in_force(house) == "COA-DE v1"
    with house.reading() as session, pytest.raises(NotFound) as none:
        approved_layout(session, "COA-DE")  # an earlier version does not come back by itself
    assert none.value.code == "BQC-LAY-008"
    withdraw(house)
    assert in_force(house) == ""
    with pytest.raises(Conflict) as twice:
        withdraw(house)
    assert twice.value.code == "BQC-LAY-016"
    house.ready()
    assert isinstance(house.release(), Decision)
    assert "layout" not in content(house)
    assert house.verify().problems == ()


def test_a_withdrawal_that_is_missing_brings_no_layout_back(house: House):
    adopt_layout(house, LAYOUT)
    withdraw(house)
    house.ready()
    tamper(house.engine, "DELETE FROM layout_withdrawal")
    with pytest.raises(IntegrityFailure) as missing:
        house.release()
    assert missing.value.reasons == (
        "layout_withdrawal:COA-DE/1 is missing; an audit entry speaks of it",
    )


@pytest.mark.requirement("2.06")
def test_who_imported_a_layout_may_not_approve_it(house: House):
    draft_layout(house, LAYOUT)
    submit(house)
    tamper(house.engine, "UPDATE layout_version SET author = 'qa1'")
    refused(house, "BQC-LAY-005")


def test_a_layout_that_was_changed_before_its_approval_is_not_approved(house: House):
    draft_layout(house, LAYOUT)
    submit(house)
    tamper(house.engine, "UPDATE layout_version SET product = 'UC-MSC'")
    assert len(refused(house, "BQC-LAY-009").reasons) == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE layout_version SET sha256 = '{other}'",
        "UPDATE layout_version SET recipient = 'x', title = 'y'",
        "UPDATE layout_version SET author = 'qa2'",
        "UPDATE signature SET record_sha256 = '{other}' WHERE record = 'layout_version:COA-DE/1'",
        "UPDATE signature SET name = 'Somebody' WHERE record = 'layout_version:COA-DE/1'",
        "UPDATE layout_approval SET signature_id = 1",
        "DELETE FROM layout_approval",
    ],
)
def test_no_lot_is_released_with_a_layout_that_was_changed(house: House, change: str):
    adopt_layout(house, LAYOUT)
    house.ready()
    other = house.archive.put(OF_PRODUCT)
    tamper(house.engine, change.format(other=other))
    with pytest.raises(IntegrityFailure) as damaged:
        house.release()
    assert damaged.value.code == "BQC-LAY-009"
    assert damaged.value.reasons
    assert house.study().disposition.value == "quarantine"


def test_a_certificate_that_was_frozen_keeps_its_layout(house: House):
    adopt_layout(house, LAYOUT)
    house.ready()
    house.release()
    before = json.dumps(content(house))
    draft_layout(house, SECOND)
    submit(house, 2)
    approve(house, 2)
    assert json.dumps(content(house)) == before
