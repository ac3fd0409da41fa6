"""Profiles: imported, approved by another person, named on an upload and recorded with it."""

import pytest

from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.dispositions import Decision
from batchqc.actions.profiles import approve_profile, approved_profile, import_profile
from batchqc.actions.recheck import recheck
from batchqc.actions.tracing import trace_cell
from batchqc.actions.uploads import the_upload
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import BatchqcError, Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.intake.contract import Asked
from tests.actions.state import counts, grown
from tests.records.house import (
    LOT,
    PROFILE,
    QA1,
    SAMPLES,
    SPEC,
    House,
    adopt_profile,
    good,
    results,
    signing,
    table,
)
from tests.records.tampering import tamper

SECOND = PROFILE.replace(b"version = 1", b"version = 2")
COUNTER = b"""schema = "batchqc/profile/1"
id = "SITE-COUNTER"
version = 1
title = "A counter"
[file]
layout = "table"
decimal = ","
delimiter = ";"
[header]
row = 1
[columns]
sample_id = "Sample"
replicate = { fixed = "1" }
measured_at = { asked = true }
analyst = { asked = true }
run_id = { asked = true }
[[results]]
column = "Viability"
test = "VIAB"
analyte = "viability"
unit = "%"
"""
COUNTS = b"Sample;Viability;Colour\nCLB001;93,40;red\n"
STATED = Asked(
    {"measured_at": "2025-05-20T10:00:00-05:00", "analyst": "ana", "run_id": "VCB-1"},
    {"CLB001": SAMPLES[0]},
)


def commas(data: bytes) -> bytes:
    """The file as a spreadsheet with a decimal comma writes it."""
    return data.replace(b",", b";").replace(b".", b",").replace(b":00,", b":00.")


def refused(house: House, code: str, profile: str, data: bytes = COUNTS) -> None:
    before = counts(house.engine)
    with pytest.raises(BatchqcError) as refusal:
        house.upload(data, profile=profile)
    assert refusal.value.code == code
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("1.30")
def test_a_file_is_read_by_the_approved_profile_it_names_through_to_the_certificate(house: House):
    reference = adopt_profile(house, PROFILE)
    silent = good("viability") | {"lot_id": LOT, "sample_id": SAMPLES[0], "value": "93.40"}
    assert house.upload(results(viability=None)).accepted
    report = house.upload(commas(table([silent])), profile="SITE-COMMA")
    assert report.accepted, report.reading.problems
    assert isinstance(house.review(), list)
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        upload = the_upload(session, report.number)
        assert (upload.profile, upload.contract) == (reference, "batchqc long v1")
        certificate = the_certificate(session, "COA-2026-000001")
        content = content_of_certificate(house.archive, certificate)
        assert recheck(session, house.archive).differences == ()
    (line,) = [one for one in content["lines"] if one["criterion"] == "viability"]
    assert line["result"] == "93.40"
    assert house.verify().problems == ()


def test_what_was_stated_is_recorded_and_read_again(house: House):
    adopt_profile(house, COUNTER)
    report = house.upload(COUNTS, profile="SITE-COUNTER v1", asked=STATED)
    assert report.accepted, report.reading.problems
    assert report.reading.columns_unused == ("Colour",)
    (viability,) = [one for one in house.study().measurements if one.analyte == "viability"]
    assert (viability.text, viability.cell.original, viability.sample) == (
        "93.40", "93,40", SAMPLES[0],
    )  # fmt: skip
    with house.reading() as session:
        traced = trace_cell(
            session, house.archive, number=report.number, place=(2, "Viability"), now=house.now()
        )
    assert (traced.text, bool(traced.verdicts)) == ("93,40", True)
    again = house.upload(COUNTS)
    assert (again.answered_before, again.number) == (True, report.number)
    assert [one.text for one in again.reading.measurements] == ["93.40"]
    tamper(house.engine, "UPDATE measurement SET original = '39,40'")
    assert any("not those that were uploaded" in one for one in house.study().facts.damaged)


def test_only_an_approved_profile_reads_a_file(house: House):
    refused(house, "BQC-PRF-006", "SITE-COUNTER")
    with house.acting(SPEC, Permission.IMPORT_PROFILE) as tx:
        import_profile(tx, house.archive, data=COUNTER, file="p.toml")
    refused(house, "BQC-PRF-006", "SITE-COUNTER")
    refused(house, "BQC-PRF-006", "SITE-COUNTER v1")
    refused(house, "BQC-PRF-006", "SITE-COUNTER v9")
    refused(house, "BQC-PRF-006", "SITE-COUNTER v99999999999999999999")
    refused(house, "BQC-PRF-006", f"SITE-COUNTER v{'9' * 5000}")


def test_the_newest_approved_version_is_taken_where_none_is_named(house: House):
    adopt_profile(house, PROFILE)
    with house.acting(SPEC, Permission.IMPORT_PROFILE) as tx:
        import_profile(tx, house.archive, data=SECOND, file="p.toml")
    with house.reading() as session:
        assert approved_profile(session, "SITE-COMMA").version == 1
    with house.acting(QA1, Permission.APPROVE_PROFILE) as tx:
        approve_profile(tx, profile="SITE-COMMA", version=2, credentials=signing(QA1))
    with house.reading() as session:
        assert approved_profile(session, "SITE-COMMA").version == 2
        assert approved_profile(session, "SITE-COMMA v1").version == 1


def test_a_step_out_of_its_order_is_refused(house: House):
    adopt_profile(house, PROFILE)
    with (
        pytest.raises(Conflict) as twice,
        house.acting(SPEC, Permission.IMPORT_PROFILE) as tx,
    ):
        import_profile(tx, house.archive, data=PROFILE, file="p.toml")
    assert twice.value.code == "BQC-PRF-002"
    for version, code in ((1, "BQC-PRF-003"), (7, "BQC-PRF-005")):
        with (
            pytest.raises((Conflict, NotFound)) as refusal,
            house.acting(QA1, Permission.APPROVE_PROFILE) as tx,
        ):
            approve_profile(tx, profile="SITE-COMMA", version=version, credentials=signing(QA1))
        assert refusal.value.code == code
    with (
        pytest.raises(InvalidInput) as wrong,
        house.acting(SPEC, Permission.IMPORT_PROFILE) as tx,
    ):
        import_profile(tx, house.archive, data=b"id = 3", file="p.toml")
    assert wrong.value.code == "BQC-PRF-001"
    assert len(wrong.value.reasons) > 3


@pytest.mark.requirement("2.06")
def test_who_imported_may_not_approve_and_a_wrong_password_is_recorded(house: House):
    with house.acting(SPEC, Permission.IMPORT_PROFILE) as tx:
        import_profile(tx, house.archive, data=PROFILE, file="p.toml")
    with house.acting(QA1, Permission.APPROVE_PROFILE) as tx:
        found = approve_profile(
            tx, profile="SITE-COMMA", version=1, credentials=signing(QA1, password="wrong")
        )
    assert isinstance(found, Refusal)
    refused(house, "BQC-PRF-006", "SITE-COMMA")
    tamper(house.engine, "UPDATE profile_version SET author = 'qa1'")
    with (
        pytest.raises(Conflict) as own,
        house.acting(QA1, Permission.APPROVE_PROFILE) as tx,
    ):
        approve_profile(tx, profile="SITE-COMMA", version=1, credentials=signing(QA1))
    assert own.value.code == "BQC-PRF-004"


def test_damaged_bytes_of_a_profile_read_nothing(house: House):
    adopt_profile(house, COUNTER)
    tamper(house.engine, "UPDATE profile_version SET profile = 'SITE-OTHER-1'")
    with pytest.raises(IntegrityFailure) as damaged:
        house.upload(COUNTS, profile="SITE-OTHER-1", asked=STATED)
    assert damaged.value.code == "BQC-PRF-007"


def test_a_profile_that_was_tampered_with_closes_the_gate_of_its_lots(house: House):
    adopt_profile(house, COUNTER)
    assert house.upload(COUNTS, profile="SITE-COUNTER", asked=STATED).accepted
    assert house.study().facts.damaged == ()
    tamper(house.engine, "UPDATE profile_version SET author = 'qa1'")
    assert any("profile_version:SITE-COUNTER/1" in one for one in house.study().facts.damaged)


def test_bytes_that_came_before_are_not_read_by_what_is_stated_anew(house: House):
    adopt_profile(house, COUNTER)
    assert house.upload(COUNTS, profile="SITE-COUNTER", asked=STATED).accepted
    again = house.upload(COUNTS, profile="SITE-COUNTER", asked=STATED)
    assert again.answered_before
    for other in (
        Asked(STATED.cells, {"CLB001": SAMPLES[1]}),
        Asked(dict(STATED.cells) | {"run_id": "VCB-2"}, STATED.samples),
    ):
        with pytest.raises(Conflict) as refusal:
            house.upload(COUNTS, profile="SITE-COUNTER", asked=other)
        assert refusal.value.code == "BQC-UPL-005"
