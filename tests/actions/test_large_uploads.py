"""Large files: whole or not at all, as small ones are, and read again without all in memory."""

import csv
import pickle
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from sqlalchemy import select, text

from batchqc.actions import large_again, large_reading
from batchqc.actions.annotations import chunks_of
from batchqc.actions.large_again import ReadAnew, table_at
from batchqc.actions.recheck import recheck
from batchqc.actions.tracing import trace_cell
from batchqc.actions.uploads import read_again
from batchqc.core.permissions import Permission
from batchqc.errors import IntegrityFailure, NotFound, NotPermitted
from batchqc.intake.contract import Asked
from batchqc.records.audit import AuditEntry
from batchqc.records.bulk import expect_many
from batchqc.records.registers import LotRow, Product
from batchqc.records.uploads import MeasurementRow, Upload, upload_by
from tests.actions.large_files import CONTROLS, Large, controls, large
from tests.actions.state import TRAIL, counts, grown
from tests.actions.test_methods import another_lot
from tests.intake.files import HEADER
from tests.records.house import (
    ANA,
    LOT,
    PROFILE,
    QA1,
    House,
    adopt_profile,
    good,
    results,
    table,
)
from tests.records.tampering import tamper


@pytest.fixture
def big(house: House, tmp_path: Path) -> Large:
    return Large(house, tmp_path)


@pytest.fixture
def by_process(big: Large) -> None:
    big.by_process = True


@pytest.fixture
def always_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_again, "LARGE", 0)


@pytest.mark.requirement("1.05")
def test_a_large_file_is_stored_as_a_small_one_is(big: Large, house: House, by_process: None):
    data = large()
    report = big.upload(data)
    assert report.accepted, report.reading.problems[:3]
    assert report.number == "U-2026-000001"
    assert report.reading.results == report.reading.rows_read == 10 + CONTROLS
    assert house.verify().problems == ()
    with house.reading() as session:
        upload = upload_by(session, report.number)
        assert upload is not None
        read = {one.cell.row: one for one in read_again(session, house.archive, upload)}
        stored = {row.row: row for row in session.scalars(select(MeasurementRow))}
        assert stored.keys() == read.keys()
        for number, row in stored.items():
            one = read[number]
            assert (row.value, row.unit, row.line, row.column) == (
                one.text, one.unit, one.cell.line, one.cell.column,
            )  # fmt: skip
            assert row.measured_at == one.measured_at
            assert row.assay_run.run == one.run.run
    case = house.study()
    assert {str(one.outcome) for one in case.verdicts} == {"PASS"}
    assert case.facts.damaged == ()


def test_a_lot_of_a_large_file_is_reviewed_released_rechecked_and_traced(
    big: Large, house: House, always_large: None
):
    assert big.upload(large()).accepted
    assert isinstance(house.review(), list)
    house.release()
    with house.reading() as session:
        again = recheck(session, house.archive)
        assert (again.decisions, again.differences) == (1, ())
        used = trace_cell(
            session, house.archive, number="U-2026-000001", place=(6, "value"), now=house.now()
        )
        assert used.text == "93.40"
        assert used.verdicts
        place = (10 + CONTROLS, "comment")
        last = trace_cell(
            session, house.archive, number="U-2026-000001", place=place, now=house.now()
        )
        assert "it is a control" in last.not_used
        with pytest.raises(NotFound, match="no row 900"):
            trace_cell(
                session, house.archive, number="U-2026-000001", place=(900, "comment"),
                now=house.now(),
            )  # fmt: skip


def test_what_is_read_anew_in_portions_is_what_is_read_at_once(
    big: Large, house: House, monkeypatch: pytest.MonkeyPatch
):
    big.upload(large())
    with house.reading() as session:
        upload = session.scalars(select(Upload)).one()
        whole = ReadAnew(session, house.archive, upload, BytesIO()).of_lot(LOT)
        monkeypatch.setattr(large_again, "LARGE", 0)
        again = ReadAnew(session, house.archive, upload, BytesIO())
        assert again.of_lot(LOT) == whole
        assert again.of_lot("MSC-26-9999") == []
        assert len(whole) == 10 + CONTROLS
        found = table_at(house.archive, upload, None, 12 + CONTROLS)
        assert found.records[-1].row == 11 + CONTROLS
        assert b"".join(chunks_of(house.archive, upload)) == big.path.read_bytes()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (large() + table([{"lot_id": LOT}]).splitlines(keepends=True)[1], "E202"),
        (large(*controls(1)), "E405"),
        (large()[:-30], "E106"),
        (large().replace(b"93.40", b'"93,40"'), "E205"),
        (large().decode().encode("utf-16"), "E113"),
        (b"PK\x03\x04" + bytes(100_000), "E101"),
    ],
)
def test_a_refused_large_file_leaves_its_bytes_its_record_and_its_audit_entry_only(
    big: Large, house: House, data: bytes, code: str
):
    before = counts(house.engine)
    report = big.upload(data)
    assert not report.accepted
    assert code in {one.code for one in report.reading.problems}
    new = grown(house.engine, before)
    assert {name: new.pop(name) for name in ("upload", "audit_entry", "audit_link")} == {
        "upload": 1, "audit_entry": 1, "audit_link": 1,
    }  # fmt: skip
    assert set(new) <= TRAIL
    assert house.archive.get(report.sha256) == data
    assert house.verify().problems == ()
    assert big.upload(large()).number == "U-2026-000002"


def test_a_preview_changes_nothing(big: Large, house: House):
    before, stored = counts(house.engine), big.stored()
    seen = big.preview(large())
    assert (seen.accepted, seen.reading.results) == (True, 10 + CONTROLS)
    assert not big.preview(large().replace(b"93.40", b"93,40")).accepted
    assert grown(house.engine, before) == {}
    assert big.stored() == stored


def test_the_same_bytes_are_answered_with_the_first_upload(big: Large, house: House):
    first = big.upload(large())
    before = counts(house.engine)
    for again in (big.upload(large()), big.preview(large())):
        assert (again.number, again.accepted, again.answered_before) == (first.number, True, True)
        assert again.reading.results == first.reading.results
    assert grown(house.engine, before) == {}
    assert house.upload(large()).answered_before


def test_a_run_on_record_is_not_stored_again(big: Large, house: House):
    house.upload(results())
    report = big.upload(large())
    assert {one.code for one in report.reading.problems} == {"E407"}


def test_cancelled_it_leaves_no_trace_and_runs_again_from_the_beginning(
    big: Large, house: House, by_process: None
):
    before, stored, told = counts(house.engine), big.stored(), []

    def cancel(done: int, rows: int) -> None:
        told.append((done, rows))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        big.upload(large(), progress=cancel)
    assert told
    assert grown(house.engine, before) == {}
    assert big.stored() == stored
    told.clear()
    assert big.upload(large(), progress=lambda *how: told.append(how)).accepted
    assert told[-1] == (len(large()), 10 + CONTROLS)
    assert house.verify().problems == ()


def test_where_the_reading_process_dies_nothing_is_stored(
    big: Large, house: House, by_process: None, monkeypatch: pytest.MonkeyPatch
):
    before, stored = counts(house.engine), big.stored()
    monkeypatch.setattr(large_reading.sys, "executable", "/bin/false")
    with pytest.raises(IntegrityFailure) as refused:
        big.upload(large())
    assert refused.value.code == "BQC-UPL-007"
    assert grown(house.engine, before) == {}
    assert big.stored() == stored


def test_what_the_reading_process_raises_is_raised_here(big: Large, house: House, by_process: None):
    with house.reading() as session:
        sha256 = session.scalars(select(LotRow)).one().specification_version.sha256
    house.archive.path_of(sha256).unlink()
    with pytest.raises(IntegrityFailure) as refused:
        big.upload(large())
    assert refused.value.code == "BQC-ARC-002"


def test_only_who_may_upload_uploads_a_large_file(big: Large):
    with pytest.raises(NotPermitted):
        big.upload(large(), by=QA1)


@pytest.mark.requirement("1.05")
def test_many_runs_stand_in_several_entries_each_about_its_lots(big: Large, house: House):
    another_lot(house)
    with house.reading() as session:
        other = next(row.lot for row in session.scalars(select(LotRow)) if row.lot != LOT)
    more = table(controls(700, lot=other)).splitlines(keepends=True)[1:]
    report = big.upload(large(*controls(600, aliquot="PC2")) + b"".join(more))
    assert report.accepted, report.reading.problems[:3]
    with house.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.what == "upload accepted"))
        texts = [entry.text for entry in entries]
    assert len(texts) == 2
    assert '"part":"1 of 2"' in texts[0]
    assert f"lot:{LOT}" in texts[0]
    assert f"lot:{other}" in texts[1]
    assert house.verify().problems == ()
    for lot in (LOT, other):
        assert house.study(lot).facts.damaged == ()
    tamper(house.engine, "UPDATE upload SET file = 'other.csv'")
    for lot in (LOT, other):
        assert any("upload:U-2026-000001" in one for one in house.study(lot).facts.damaged)


def test_a_run_that_is_removed_is_missed(big: Large, house: House):
    big.upload(large())
    tamper(
        house.engine,
        "DELETE FROM measurement WHERE analyte = 'viability'",
        "DELETE FROM assay_run WHERE run = 'VCB-250520-01'",
    )
    assert any("VCB-250520-01 is missing" in one for one in house.study().facts.damaged)


def test_a_value_that_is_changed_is_noticed(big: Large, house: House):
    big.upload(large())
    tamper(house.engine, "UPDATE measurement SET value = '99.40' WHERE value = '93.40'")
    assert any("VCB-250520-01" in one for one in house.verify().problems)


def test_a_profile_and_what_is_stated_are_on_record(big: Large, house: House):
    reference = adopt_profile(house, PROFILE)
    header = [name for name in HEADER if name != "method_id"]
    rows = [
        {"lot_id": LOT, "sample_id": f"{LOT}-S01"} | good("viability")
        | {"value": "93,4", "replicate": str(number), "comment": "µ, quoted"}
        for number in range(1, 700)
    ]  # fmt: skip
    text_of = table(rows).decode().splitlines()
    keep = [index for index, name in enumerate(HEADER) if name in header]
    out = StringIO(newline="")
    csv.writer(out).writerows([row[index] for index in keep] for row in csv.reader(text_of))
    report = big.upload(
        out.getvalue().encode(),
        profile=reference.split(" ")[0],
        asked=Asked({"method_id": "SOP-QC-014 v3"}),
    )
    assert report.accepted, report.reading.problems[:3]
    with house.reading() as session:
        upload = session.scalars(select(Upload)).one()
        assert upload.profile == reference
        assert "SOP-QC-014 v3" in upload.stated
        row = session.scalars(select(MeasurementRow)).first()
        assert row is not None
        assert (row.value, row.original, row.method_version) == ("93.4", "93,4", "3")
    assert house.verify().problems == ()


@pytest.mark.requirement("1.01")
def test_nothing_passes_the_audit_trail_by_after_preparing_for_many_rows(house: House):
    def delete() -> None:
        with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
            expect_many(tx.session.connection())
            tx.session.execute(text("DELETE FROM lot"))

    with pytest.raises(IntegrityFailure) as refused:
        delete()
    assert refused.value.code == "BQC-AUD-003"


@pytest.mark.requirement("1.01")
@pytest.mark.parametrize(
    ("records", "code"), [(None, "BQC-AUD-003"), ({"product:X": "0"}, "BQC-AUD-001")]
)
def test_rows_in_bulk_that_no_entry_mentions_are_not_committed(
    house: House, records: dict[str, str] | None, code: str
):
    columns = ("code", "folded", "name", "form", "storage", "registered_at")
    rows = [("X", "x", "X", "f", "s", "2026-01-01T00:00:00.000000Z")]

    def add() -> None:
        with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
            tx.add_in_bulk(Product, columns, rows, records=records)

    with pytest.raises(IntegrityFailure) as refused:
        add()
    assert refused.value.code == code
    with house.reading() as session:
        assert "X" not in session.scalars(select(Product.code)).all()


@pytest.mark.only_on("postgresql", "SQLite has one writer and needs no locks")
def test_a_large_file_waits_for_whoever_holds_a_lot_and_they_for_it(house: House):
    ask = text("SELECT pg_try_advisory_xact_lock(hashtextextended('lot:', 0))")
    share = text("SELECT pg_try_advisory_xact_lock_shared(hashtextextended('lot:', 0))")
    with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        tx.lock(f"lot:{LOT.lower()}")
        with house.engine.connect() as other:
            assert other.execute(ask).scalar() is False
            assert other.execute(share).scalar() is True
    with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        tx.lock_every_lot()
        with house.engine.connect() as other:
            assert other.execute(share).scalar() is False


def test_an_error_of_the_reading_process_is_told_as_it_was(house: House):
    source = large_reading.Source(Path("nowhere"), "NONE v1", Asked(), "preview", house.now())
    given, answers = BytesIO(), BytesIO()
    pickle.dump((house.engine.url, house.archive, source), given)
    given.seek(0)
    large_reading.serve(given, answers)
    answers.seek(0)
    with pytest.raises(NotFound, match="NONE"):
        list(large_reading.received(answers))
