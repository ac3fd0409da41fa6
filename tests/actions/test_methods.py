"""Methods and the runs by them, through upload, verdict, decision, recheck and impact."""

import json
from collections.abc import Mapping

import pytest
from sqlalchemy import select

from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.impact import Impact, assess_impact
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.methods import approve_method, import_method, stored_method
from batchqc.actions.received import ReceivedFile
from batchqc.actions.recheck import Recheck, recheck
from batchqc.actions.run_validity import MethodRuns, count_runs
from batchqc.actions.uploads import preview_upload
from batchqc.core.permissions import Permission
from batchqc.core.runs import Validity
from batchqc.core.signatures import Refusal
from batchqc.core.verdicts import Outcome, Verdict
from batchqc.documents.method_file import read_method
from batchqc.documents.spec_file import read_specification
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted, ReleaseBlocked
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.methods import MethodApproval, MethodVersion
from batchqc.settings import bundled
from tests.actions.state import counts, grown
from tests.cast import TAKEN_AT
from tests.plates import method_file
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PRODUCT,
    QA1,
    QA2,
    SPEC,
    SPECIFICATION_FILE,
    House,
    good,
    results,
    signing,
    table,
)  # fmt: skip
from tests.records.laboratory import METHOD, METHOD_FILE, RECOVERY, adopt_method
from tests.records.tampering import tamper

OTHER = "MSC-26-0077"
SECOND = {"run_id": "ENDO-250521-01", "measured_at": "2025-05-21T10:00:00-05:00"}


def row(analyte: str, lot: str = LOT, **changes: str) -> dict[str, str]:
    return {"lot_id": lot, "sample_id": f"{lot}-S01"} | good(analyte) | changes


def recovery(value: str, lot: str = LOT, **changes: str) -> dict[str, str]:
    return row("endotoxin", lot) | RECOVERY | {"value": value} | changes


def send(house: House, *rows: Mapping[str, str]) -> None:
    report = house.upload(table([dict(one) for one in rows]))
    assert report.accepted, report.reading.problems


def endotoxin(house: House, lot: str = LOT) -> Verdict:
    return next(one for one in house.study(lot).verdicts if one.criterion.id == "endotoxin")


def counted(house: House) -> tuple[MethodRuns, ...]:
    with house.reading() as session:
        return count_runs(session, house.archive)


def rechecked(house: House) -> Recheck:
    with house.reading() as session:
        return recheck(session, house.archive)


def approve(house: House, method: str, version: str, *, by: str = QA2) -> object:
    with house.acting(by, Permission.APPROVE_METHOD) as tx:
        return approve_method(tx, method=method, version=version, credentials=signing(by))


def draft(house: House, data: bytes) -> None:
    with house.acting(SPEC, Permission.IMPORT_METHOD) as tx:
        import_method(tx, house.archive, data=data, file="m.toml")


def another_lot(house: House) -> None:
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        samples = (NewSample(f"{OTHER}-S01", "release", "cryovial", TAKEN_AT.isoformat()),)
        register_lot(tx, NewLot(OTHER, PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,), samples))


@pytest.mark.requirement("3.15")
@pytest.mark.parametrize("value", ["<0.05", "900"])
def test_an_invalid_run_forbids_release_and_never_fails(house: House, value: str):
    adopt_method(house)
    send(house, row("endotoxin", value=value), recovery("30"))
    found = endotoxin(house)
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "recovery: 30 % (row 3) does not meet 50 to 200 %" in found.sentence
    with pytest.raises(ReleaseBlocked) as refused:
        house.release()
    assert any("is invalid by SOP-QC-040 v4" in one for one in refused.value.reasons)


def test_without_an_approved_document_a_run_is_judged_as_before(house: House):
    send(house, row("endotoxin"), recovery("30"))
    assert endotoxin(house).outcome is Outcome.PASS
    draft(house, METHOD_FILE)
    assert endotoxin(house).outcome is Outcome.PASS
    approve(house, *METHOD)
    assert endotoxin(house).outcome is Outcome.CANNOT_JUDGE


@pytest.mark.requirement("3.15")
def test_a_valid_run_after_an_invalid_one_releases_the_lot_and_everything_says_so(house: House):
    adopt_method(house)
    rest = {"endotoxin": None}
    assert house.upload(results(**rest)).accepted  # type: ignore[arg-type]
    send(house, row("endotoxin", value="900"), recovery("30"))
    send(house, row("endotoxin", **SECOND), recovery("104", **SECOND))
    found = endotoxin(house)
    assert found.outcome is Outcome.PASS
    assert "not counted: run ENDO-250520-01 (ENDO)" in found.sentence
    assert isinstance(house.review(), list)
    assert isinstance(house.release(), Decision)
    assert rechecked(house).differences == ()
    with house.reading() as session:
        (decision,) = session.scalars(select(DispositionRow)).all()
        content = json.loads(house.archive.get(decision.content_sha))
        (certificate,) = session.scalars(select(Certificate)).all()
        printed = json.loads(house.archive.get(certificate.content_sha))
        (version,) = session.scalars(select(MethodVersion)).all()
        assert content["methods"] == [["SOP-QC-040 v4", version.sha256]]
    assert [one[1] for one in content["validity"]] == ["invalid", "valid"]
    (line,) = (one for one in printed["lines"] if one["criterion"] == "endotoxin")
    assert "not counted: run ENDO-250520-01" in line["sentence"]
    assert any("not counted: run ENDO-250520-01" in note for note in printed["notes"])
    (only,) = counted(house)
    assert (only.method, only.runs, only.invalid, only.not_known) == ("SOP-QC-040", 2, 1, 0)
    assert house.verify().problems == ()


def test_two_valid_runs_stay_two_results(house: House):
    adopt_method(house)
    send(house, row("endotoxin"), recovery("100"))
    send(house, row("endotoxin", **SECOND), recovery("104", **SECOND))
    assert "two results" in endotoxin(house).sentence


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("SOP-QC-040 v5", "SOP-QC-040 v5 is not approved"),
        ("SOP-QC-040 v4", "there is no control result recovery of PPC"),
        ("", "there is no control result recovery of PPC"),
    ],
)
def test_what_is_not_known_to_be_valid_is_not_judged(house: House, method: str, said: str):
    adopt_method(house)
    send(house, row("endotoxin", method_id=method))
    found = endotoxin(house)
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert said in found.sentence
    assert counted(house)[0].not_known == 1


def test_a_control_counts_for_every_lot_of_its_run(house: House):
    adopt_method(house)
    another_lot(house)
    send(house, row("endotoxin"), row("endotoxin", OTHER, aliquot="A2"), recovery("30", OTHER))
    for lot in (LOT, OTHER):
        assert "30 % (row 4) does not meet" in endotoxin(house, lot).sentence
    assert counted(house)[0].runs == 1


def test_a_control_of_another_lot_that_was_changed_or_removed_is_noticed(house: House):
    adopt_method(house)
    another_lot(house)
    send(house, row("endotoxin"), recovery("30", OTHER))
    tamper(house.engine, "UPDATE measurement SET value = '104' WHERE result_type = 'control'")
    assert endotoxin(house).outcome is Outcome.PASS
    damaged = house.study().facts.damaged
    assert any("are not those that were uploaded" in one for one in damaged)
    tamper(house.engine, "DELETE FROM measurement WHERE result_type = 'control'")
    tamper(house.engine, "DELETE FROM assay_run WHERE test = 'ENDO' AND id NOT IN"
           " (SELECT assay_run_id FROM measurement)")  # fmt: skip
    damaged = house.study().facts.damaged
    assert any("is missing; an audit entry speaks of it" in one for one in damaged)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM method_approval",
        "UPDATE method_version SET effective = '2030-01-01'",
        "UPDATE method_version SET method = 'SOP-QC-041'",
    ],
)
def test_a_method_that_was_tampered_with_is_noticed_at_the_lot(house: House, sql: str):
    adopt_method(house)
    send(house, row("endotoxin"), recovery("30"))
    tamper(house.engine, sql)
    assert house.study().facts.damaged
    assert house.verify().problems


def test_damaged_bytes_let_no_run_be_valid(house: House):
    adopt_method(house)
    send(house, row("endotoxin"), recovery("104"))
    with house.reading() as session:
        (version,) = session.scalars(select(MethodVersion)).all()
        sha256 = version.sha256
    path = next(one for one in house.archive._root.rglob("*") if one.name == sha256)
    path.chmod(0o600)
    path.write_bytes(b"other")
    case = house.study()
    assert endotoxin(house).outcome is Outcome.CANNOT_JUDGE
    assert any("SOP-QC-040 v4 cannot be read" in one for one in case.facts.damaged)


def test_recheck_names_a_decision_whose_runs_are_not_so_any_more(house: House):
    adopt_method(house)
    send(house, row("endotoxin"), recovery("30"))
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        decided = reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
        assert isinstance(decided, Decision)
    assert rechecked(house).differences == ()
    tamper(house.engine, "DELETE FROM method_approval")
    (found,) = rechecked(house).differences
    assert "BQC-MET-007" in found.said


def test_a_later_version_does_not_change_what_was_decided(house: House):
    adopt_method(house)
    send(house, row("endotoxin"), recovery("30"))
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    adopt_method(house, later(5, "2027-01-01"))
    assert rechecked(house).differences == ()


def later(version: int, effective: str) -> bytes:
    text = METHOD_FILE.decode().replace("version = 4", f"version = {version}")
    return text.replace("2025-01-01", effective).encode()


def impact(house: House, limit: str) -> Impact:
    text = (
        (bundled("specs") / SPECIFICATION_FILE).read_text().replace("version   = 1", "version = 9")
    )
    old = next(
        line for line in text.split("[criteria.endotoxin]")[1].splitlines() if "accept" in line
    )
    found = read_specification(text.replace(old, f'accept = "{limit}"').encode(), file="x")
    assert found.specification is not None, found.problems
    with house.reading() as session:
        return assess_impact(session, house.archive, draft=found.specification)


def test_impact_judges_as_the_lot_is_judged(house: House):
    adopt_method(house)
    send(house, row("endotoxin", value="0.01"), recovery("30"))
    assert impact(house, "< 0.001").changed == []  # CANNOT JUDGE by both
    send(house, row("endotoxin", value="0.01", **SECOND), recovery("104", **SECOND))
    (changed,) = impact(house, "< 0.001").changed
    (change,) = changed.impact.changes
    assert change.before is not None
    assert change.after is not None
    assert (change.before.outcome, change.after.outcome) == (Outcome.PASS, Outcome.FAIL)
    assert endotoxin(house).outcome is Outcome.PASS


def test_the_same_run_in_another_file_makes_an_invalid_run_no_better(house: House):
    adopt_method(house)
    send(house, row("endotoxin", value="0.01"), recovery("30"))
    newer = table([row("endotoxin", value="0.01"), recovery("104")])
    assert not house.upload(newer).accepted
    assert house.upload(newer, supersedes="The spike was read anew").accepted
    found = endotoxin(house)
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "another content of run ENDO-250520-01" in found.sentence
    assert impact(house, "< 0.001").changed == []
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    assert rechecked(house).differences == ()


@pytest.mark.parametrize("spike", ["104", "30"])
def test_a_failure_in_an_older_version_stands_whether_its_run_was_valid(house: House, spike: str):
    """Or control and value could be mended together, in a file that supersedes both."""
    adopt_method(house)
    send(house, row("endotoxin", value="9.9"), recovery(spike))
    newer = table([row("endotoxin", value="0.01"), recovery("105")])
    assert house.upload(newer, supersedes="The spike was read anew").accepted
    found = endotoxin(house)
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "a version of the run does not meet" in found.sentence


def test_recheck_reads_the_controls_of_other_lots_in_the_order_of_the_file(house: House):
    adopt_method(house)
    another_lot(house)
    send(house, recovery("30", OTHER), row("endotoxin"), recovery("20"), recovery("10", OTHER,
         replicate="2"))  # fmt: skip
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    found = rechecked(house)
    assert found.verdicts > 0
    assert found.differences == ()


@pytest.mark.parametrize(
    ("data", "by", "said"),
    [
        (later(5, "2025-01-01"), QA2, "applies from the same day"),
        (later(5, "2025-05-20"), QA2, "are on record"),
        (later(5, "2024-01-01"), QA2, "are on record"),
    ],
)
def test_no_approval_reaches_back(house: House, data: bytes, by: str, said: str):
    adopt_method(house)
    send(house, row("endotoxin"), recovery("104"))
    draft(house, data)
    before = counts(house.engine)
    with pytest.raises(Conflict, match=said) as refused:
        approve(house, "SOP-QC-040", "5", by=by)
    assert refused.value.code == "BQC-MET-004"
    assert grown(house.engine, before) == {}


def test_a_version_is_imported_once_and_approved_once_by_another_person(house: House):
    adopt_method(house)
    with pytest.raises(Conflict, match="never edited"):
        draft(house, METHOD_FILE + b"# other")
    with pytest.raises(Conflict, match="approved already"):
        approve(house, *METHOD)
    with pytest.raises(NotFound):
        approve(house, "SOP-QC-040", "9")
    with pytest.raises(InvalidInput) as refused:
        draft(house, b"id = 3")
    assert len(refused.value.reasons) > 3


def test_who_imported_a_method_may_not_approve_it(house: House):
    draft(house, METHOD_FILE)
    tamper(house.engine, "UPDATE method_version SET author = 'qa2'")
    with pytest.raises(Conflict, match="ask another QA person"):
        approve(house, *METHOD)
    with pytest.raises(NotPermitted), house.acting(ANA, Permission.APPROVE_METHOD):
        pass


def test_a_wrong_password_approves_nothing(house: House):
    draft(house, METHOD_FILE)
    with house.acting(QA2, Permission.APPROVE_METHOD) as tx:
        wrong = signing(QA2, password="wrong password 1")
        refused = approve_method(tx, method=METHOD[0], version=METHOD[1], credentials=wrong)
        assert isinstance(refused, Refusal)
    with house.reading() as session:
        assert session.scalars(select(MethodApproval)).all() == []


def test_validity_is_a_word_of_three(house: House):
    adopt_method(house)
    send(house, row("endotoxin"), recovery("104"))
    (only,) = house.study().looked_at.validity.values()
    assert only.validity is Validity.VALID
    assert str(only).endswith("is valid by SOP-QC-040 v4")


def test_a_preview_foretells_what_the_validity_of_the_run_makes_of_a_result(house: House):
    adopt_method(house)
    another_lot(house)
    data = table([row("endotoxin", value="0.01"), recovery("30", OTHER)])
    file = ReceivedFile("endo.csv", len(data), data, "tests")
    with house.reading() as session:
        seen = preview_upload(session, house.archive, file=file, now=house.now())
    report = house.upload(data)
    for told in (seen, report):
        (found,) = [one.verdict for one in told.outlook if one.lot == LOT]
        assert found.outcome is Outcome.CANNOT_JUDGE
        assert "is invalid by" in found.sentence
    assert endotoxin(house).sentence == found.sentence


def test_an_approved_method_is_read_though_it_could_not_be_imported_today(house: House):
    data = method_file().replace(b'"0.8 to 1.25"', b'"<0.8 to 1.25"')
    with pytest.raises(InvalidInput, match="is not a method"):
        draft(house, data)
    reference = read_method(data, file="m.toml", is_stored=True).method.reference
    stored = stored_method(house.archive, house.archive.put(data), reference=reference)
    assert stored.reference == reference
