"""Corrections of registration data: two people, a reason, and a mark on the certificate."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.dispositions import Decision
from batchqc.documents.certificate_pages import without_spaces
from batchqc.documents.certificate_text import certificate_text
from batchqc.documents.coa_layout import render
from batchqc.errors import BatchqcError, Conflict, InvalidInput, NotFound, ReleaseBlocked
from batchqc.records.corrections import CorrectionDecision
from batchqc.settings import bundled
from tests.actions.correcting import WHY, decide, request
from tests.actions.state import counts, grown
from tests.records.donors import determine
from tests.records.house import ANA, DON, DONOR, LOT, QA1, QA2, SAMPLES, House


@pytest.mark.requirement("1.33", "1.63")
def test_a_correction_waits_blocks_is_approved_and_marks_the_certificate(house: House):
    house.ready()
    number = request(house, f"lot:{LOT}", "expires_on", "2026-12-31")
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert number in blocked.value.reasons[0]
    assert isinstance(decide(house, number), CorrectionDecision)
    assert str(house.study().lot.expires_on) == "2026-12-31"
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        certificate = the_certificate(session, "COA-2026-000001")
        content = content_of_certificate(house.archive, certificate)
    assert content["lot"]["expires_on"] == "2026-12-31"
    pages = PdfReader(BytesIO(render(content, fonts=bundled("reports") / "fonts"))).pages
    assert "2026-12-31[C1]" in without_spaces(pages[0].extract_text())
    assert "2026-12-31 [C1] (last usable day)" in certificate_text(content).decode()
    (mark,) = content["corrections"]
    assert (mark["before"], mark["after"]) == ("2027-05-18", "2026-12-31")
    assert (mark["requested_by"], mark["approved_by"], mark["reason"]) == (ANA, QA2, WHY)
    assert house.verify().problems == ()


def test_a_refused_correction_changes_nothing_and_blocks_no_more(house: House):
    house.ready()
    decide(house, request(house, f"lot:{LOT}", "expires_on", "2026-12-31"), approve=False)
    assert str(house.study().lot.expires_on) == "2027-05-18"
    assert isinstance(house.release(), Decision)


def test_a_container_and_a_tissue_source_are_corrected(house: House):
    decide(house, request(house, f"sample:{SAMPLES[0]}", "container", "bag 2 of 12"))
    decide(house, request(house, f"donor:{DONOR}", "tissue_source", "bone marrow", by=DON))
    house.ready()
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    source, stale = blocked.value.reasons
    assert "bone marrow" in source
    assert "was determined before correction_decision:C-2026-000002" in stale
    decide(house, request(house, f"donor:{DONOR}", "tissue_source", "Wharton's jelly", by=DON))
    with pytest.raises(ReleaseBlocked):
        house.release()
    determine(house)
    house.release()
    with house.reading() as session:
        certificate = the_certificate(session, "COA-2026-000001")
        content = content_of_certificate(house.archive, certificate)
    assert content["lot"]["samples"][0]["container"] == "bag 2 of 12"
    assert len(content["corrections"]) == 3
    pages = PdfReader(BytesIO(render(content, fonts=bundled("reports") / "fonts"))).pages
    first = without_spaces(pages[0].extract_text())
    assert "bag2of12[C1]" in first
    assert "Wharton'sjelly[C3]" in first
    text = " ".join(certificate_text(content).decode().split())
    assert "bag 2 of 12 [C1], taken" in text
    assert "Wharton's jelly [C3], eligible" in text


def test_a_date_of_manufacture_under_another_specification_blocks(house: House):
    house.ready()
    number = request(house, f"lot:{LOT}", "manufactured_on", "2019-12-31")
    decide(house, number)
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert blocked.value.reasons[0] == (
        "Specification: UC-MSC-REL v1 was not the version in force"
        " on the date of manufacture 2019-12-31; none was"
    )


@pytest.mark.requirement("2.06")
def test_who_asked_may_not_decide(house: House):
    number = request(house, f"lot:{LOT}", "expires_on", "2026-12-31", by=QA1)
    with pytest.raises(Conflict) as refused:
        decide(house, number, by=QA1)
    assert refused.value.code == "BQC-COR-007"


@pytest.mark.parametrize(
    ("subject", "field", "after", "kind", "code"),
    [
        (f"lot:{LOT}", "lot", "MSC-26-0013", InvalidInput, "BQC-COR-003"),
        (f"lot:{LOT}", "expires_on", "2020-01-01", InvalidInput, "BQC-COR-009"),
        (f"lot:{LOT}", "expires_on", "20270101", InvalidInput, "BQC-COR-009"),
        (f"lot:{LOT}", "expires_on", "next year", InvalidInput, "BQC-COR-009"),
        (f"lot:{LOT}", "expires_on", "2027-05-18", InvalidInput, "BQC-COR-009"),
        (f"donor:{DONOR}", "tissue_source", "unicorn", InvalidInput, "BQC-COR-009"),
        (f"sample:{SAMPLES[0]}", "container", "  ", InvalidInput, "BQC-COR-009"),
        (f"sample:{SAMPLES[0]}", "container", "bag\nno", InvalidInput, "BQC-COR-009"),
        (f"lot:{LOT}", "specification", "UC-MSC-REL v1", InvalidInput, "BQC-COR-009"),
        (f"lot:{LOT}", "specification", "UC-MSC-REL v2", InvalidInput, "BQC-COR-009"),
        ("person:ana", "name", "Other", InvalidInput, "BQC-COR-003"),
        ("sample:MSC-26-0012-S99", "container", "bag", NotFound, "BQC-COR-002"),
        ("lot:MSC-26-0099", "expires_on", "2027-01-01", NotFound, "BQC-REG-012"),
    ],
)
def test_what_cannot_be_corrected_is_refused_and_nothing_is_written(
    house: House, subject: str, field: str, after: str, kind: type[BatchqcError], code: str
):
    before = counts(house.engine)
    with pytest.raises(kind) as refused:
        request(house, subject, field, after)
    assert refused.value.code == code
    assert grown(house.engine, before) == {}


def test_a_decided_lot_stays_as_it_was_registered(house: House):
    house.ready()
    house.release()
    with pytest.raises(Conflict) as refused:
        request(house, f"lot:{LOT}", "expires_on", "2026-12-31")
    assert refused.value.code == "BQC-COR-004"


def test_a_field_has_one_open_correction_and_each_is_decided_once(house: House):
    number = request(house, f"lot:{LOT}", "expires_on", "2026-12-31")
    with pytest.raises(Conflict) as refused:
        request(house, f"lot:{LOT}", "expires_on", "2026-11-30")
    assert refused.value.code == "BQC-COR-005"
    decide(house, number)
    with pytest.raises(Conflict) as refused:
        decide(house, number)
    assert refused.value.code == "BQC-COR-006"
    with pytest.raises(NotFound):
        decide(house, "C-2026-000099")
