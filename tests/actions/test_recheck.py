"""Every recorded verdict, computed anew from raw bytes: whatever differs is named."""

import json
from datetime import date

import pytest
from sqlalchemy import select

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.lots import NewLot, NewSample, register_lot, register_samples
from batchqc.actions.recheck import Recheck, recheck
from batchqc.core import acceptance
from batchqc.core.canonical import canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.documents.spec_file import read_specification
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.uploads import Upload
from tests.cast import TAKEN_AT
from tests.records.full_house import POST_THAW, THAWED_FROM
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    LOT,
    PRODUCT,
    QA1,
    QA2,
    SAMPLES,
    House,
    adopt,
    good,
    results,
    signing,
    table,
)  # fmt: skip
from tests.records.tampering import tamper


@pytest.fixture
def decided(house: House) -> House:
    """A house whose lot is released."""
    house.ready()
    assert isinstance(house.release(), Decision)
    return house


def rechecked(house: House) -> Recheck:
    with house.reading() as session:
        return recheck(session, house.archive)


@pytest.mark.requirement("2.41")
def test_nothing_differs_of_a_released_lot(decided: House):
    found = rechecked(decided)
    assert (found.decisions, found.verdicts, found.differences) == (1, 12, ())


def test_nothing_differs_of_a_lot_whose_date_of_manufacture_was_corrected(house: House):
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        new = NewLot("MSC-26-0050", PRODUCT, date(2025, 5, 25), EXPIRES_ON, (DONOR,))
        register_lot(tx, new)
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        number = request_correction(
            tx, subject="lot:MSC-26-0050", field="manufactured_on", after="2025-05-18",
            reason="Misread label",
        ).natural_key  # fmt: skip
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decide_correction(tx, house.archive, number=number, approve=True, credentials=signing(QA2))
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        sample = NewSample("MSC-26-0050-S01", "release", "cryovial", TAKEN_AT.isoformat())
        register_samples(tx, lot="MSC-26-0050", samples=[sample])
    house.ready("MSC-26-0050")
    assert isinstance(house.release("MSC-26-0050"), Decision)
    found = rechecked(house)
    assert (found.decisions, found.differences) == (1, ())


def test_the_verdicts_of_other_stages_are_signed_and_computed_anew(house: House):
    adopt(house, POST_THAW)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        samples = tuple(
            NewSample(f"MSC-26-0051-S0{n}", stage, "cryovial", TAKEN_AT.isoformat())
            for n, stage in ((1, "release"), (2, "post-thaw"))
        )
        new = NewLot("MSC-26-0051", PRODUCT, THAWED_FROM, EXPIRES_ON, (DONOR,), samples)
        register_lot(tx, new)
    thawed = {"lot_id": "MSC-26-0051", "sample_id": "MSC-26-0051-S02", "run_id": "VCB-T"}
    assert house.upload(table([good("viability") | thawed | {"value": "85.0"}])).accepted
    house.ready("MSC-26-0051")
    assert isinstance(house.release("MSC-26-0051"), Decision)
    found = rechecked(house)
    assert (found.verdicts, found.differences) == (13, ())
    with house.reading() as session:
        first = session.scalars(select(Upload.sha256).order_by(Upload.id)).first()
        assert first is not None
        data = house.archive.get(first)
    sha = house.archive.put(data.replace(b"85.0", b"65.0"))
    tamper(house.engine, f"UPDATE upload SET sha256 = '{sha}' WHERE id = 1")  # noqa: S608
    (differs,) = rechecked(house).differences
    assert differs.criterion == "UC-MSC-THAW v1, viability"
    assert differs.said == "recorded PASS of 85.0, computed FAIL of 65.0"


def test_content_that_nobody_signed_and_a_sentence_that_was_changed_are_named(decided: House):
    with decided.reading() as session:
        row = session.scalars(select(DispositionRow)).one()
        content = json.loads(decided.archive.get(row.content_sha))
    content["specification"]["sha256"] = decided.archive.put(
        decided.archive.get(content["specification"]["sha256"]) + b"\n"
    )
    content["verdicts"][0]["sentence"] = "PASS: 99.99 %"
    sha = decided.archive.put(canonical_bytes(content))
    tamper(decided.engine, f"UPDATE disposition SET content_sha = '{sha}'")  # noqa: S608
    said = [one.said for one in rechecked(decided).differences]
    assert "its signature binds other content" in said
    assert "it names other specifications than the lot" in said
    assert any('recorded PASS of 97.90 ("PASS: 99.99 %")' in one for one in said)
    assert any(one == "it names another specification" for one in said)
    content["specification"]["sha256"] = decided.archive.put(b"no specification")
    sha = decided.archive.put(canonical_bytes(content))
    tamper(decided.engine, f"UPDATE disposition SET content_sha = '{sha}'")  # noqa: S608
    (found,) = rechecked(decided).differences
    assert "are no specification" in found.said


def test_nothing_differs_of_a_rejected_lot_with_two_runs(house: House):
    assert house.upload(results(viability="89.0")).accepted
    again = good("viability") | {"run_id": "VCB-2", "lot_id": LOT, "sample_id": SAMPLES[0]}
    assert house.upload(table([again]), name="again.csv").accepted
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    late = good("viability") | {"run_id": "VCB-3", "lot_id": LOT, "sample_id": SAMPLES[0]}
    assert house.upload(table([late]), name="late.csv").accepted
    assert rechecked(house).differences == ()


def test_an_altered_verdict_is_named(decided: House):
    """Somebody with the database and the store writes a decision with another verdict."""
    with decided.reading() as session:
        row = session.scalars(select(DispositionRow)).one()
        content = json.loads(decided.archive.get(row.content_sha))
        number = session.scalars(select(Certificate)).one().content_sha
    (viability,) = (one for one in content["verdicts"] if one["criterion"] == "viability")
    viability["verdict"] = "FAIL"
    sha = decided.archive.put(canonical_bytes(content))
    tamper(decided.engine, f"UPDATE disposition SET content_sha = '{sha}'")  # noqa: S608
    unsigned, found = rechecked(decided).differences
    assert unsigned.said == "its signature binds other content"
    assert (found.record, found.lot, found.criterion) == (f"disposition:{LOT}/1", LOT, "viability")
    assert found.said == "recorded FAIL of 93.40, computed PASS of 93.40"
    printed = json.loads(decided.archive.get(number))
    printed["lines"][0]["verdict"] = None
    other = decided.archive.put(canonical_bytes(printed))
    tamper(decided.engine, f"UPDATE certificate SET content_sha = '{other}'")  # noqa: S608
    _, first, second = rechecked(decided).differences
    assert first == found
    assert second.record.startswith("certificate:COA-2026-000001")
    assert second.said.startswith("recorded for information of 97.90, computed PASS")


def test_an_altered_raw_byte_is_named(decided: House):
    with decided.reading() as session:
        sha = session.scalars(select(Upload.sha256)).one()
    path = decided.archive._path(sha)
    path.write_bytes(path.read_bytes().replace(b"93.40", b"93.41"))
    (found,) = rechecked(decided).differences
    assert (found.record, found.criterion) == (f"disposition:{LOT}/1", "")
    assert "is damaged" in found.said
    assert sha in found.said


def test_raw_bytes_that_somebody_replaced_with_their_hash_are_named(decided: House):
    with decided.reading() as session:
        data = decided.archive.get(session.scalars(select(Upload.sha256)).one())
    sha = decided.archive.put(data.replace(b"93.40", b"88.40"))
    tamper(decided.engine, f"UPDATE upload SET sha256 = '{sha}'")  # noqa: S608
    said = {(one.record.split(":")[0], one.said) for one in rechecked(decided).differences}
    assert said == {
        ("disposition", "recorded PASS of 93.40, computed FAIL of 88.40"),
        ("certificate", "recorded PASS of 93.40, computed FAIL of 88.40"),
    }


def test_an_altered_rule_is_named(decided: House, monkeypatch: pytest.MonkeyPatch):
    """The software takes a strict limit for an included one, or the other way round."""
    true = acceptance.passing_interval

    def altered(operator: str, *rest: object) -> object:
        return true("<" if operator == ">" else operator, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(acceptance, "passing_interval", altered)
    found = rechecked(decided).differences
    assert {one.criterion for one in found} == {"viability"}
    assert all("computed FAIL" in one.said for one in found)


def test_an_altered_specification_is_named(decided: House):
    with decided.reading() as session:
        row = session.scalars(select(DispositionRow)).one()
        content = json.loads(decided.archive.get(row.content_sha))
    sha = content["specification"]["sha256"]
    path = decided.archive._path(sha)
    changed = path.read_bytes().replace(b'"> 90"', b'"> 95"')
    assert read_specification(changed, file="x").specification
    path.write_bytes(changed)
    (found,) = rechecked(decided).differences
    assert "is damaged" in found.said
    path.unlink()
    (found,) = rechecked(decided).differences
    assert "holds no file" in found.said


def test_a_lost_certificate_content_is_named(decided: House):
    with decided.reading() as session:
        sha = session.scalars(select(Certificate.content_sha)).one()
    decided.archive._path(sha).unlink()
    (found,) = rechecked(decided).differences
    assert found.record.startswith("certificate:")
    assert "cannot be read" in found.said
