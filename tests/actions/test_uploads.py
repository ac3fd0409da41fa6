"""Uploads: whole or not at all, on record either way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from batchqc.actions.attachments import Document, document_kind
from batchqc.actions.donor_panels import import_panel
from batchqc.actions.laboratory import keep_certificate
from batchqc.actions.large_uploads import LargeFile, preview_large, upload_large
from batchqc.actions.layouts import import_layout
from batchqc.actions.methods import import_method
from batchqc.actions.profiles import import_profile
from batchqc.actions.received import ReceivedFile
from batchqc.actions.specifications import import_specification
from batchqc.actions.uploads import preview_upload, upload_results
from batchqc.core.permissions import Permission
from batchqc.errors import IntegrityFailure, InvalidInput
from batchqc.records.uploads import upload_by
from tests.actions.large_files import controls, large
from tests.actions.state import TRAIL, counts, grown
from tests.records.house import ANA, DON, LABORATORY, LOT, SPEC, House, results

NUL = results().replace(b"93.40", b"93\x0040")
BAD = {
    "unknown lot": (results().replace(LOT.encode() + b",", b"MSC-26-0099,"), "E401"),
    "analyte not in the plan": (results(CD73={"analyte": "CD13"}), "E404"),
    "wrong unit": (results(endotoxin={"unit": "EU"}), "E208"),
    "decimal comma": (results(viability="93,40"), "E205"),
    "error literal": (results(viability="#DIV/0!"), "E201"),
    "blank value": (results(viability=""), "E202"),
    "NUL byte": (NUL, "E104"),
    "ragged row": (results().replace(b"93.40,", b"93.40,,"), "E106"),
    "duplicate key": (results() + results().splitlines(keepends=True)[1], "E405"),
    "time without offset": (results(CD73={"measured_at": "2025-05-20T10:00:00"}), "E302"),
    "an xlsx": (b"PK\x03\x04" + bytes(range(200)), "E101"),
    "a PDF": (b"%PDF-1.7\n%%EOF\n", "E101"),
    "a page": (b"<!DOCTYPE html><table></table>", "E101"),
    "an empty file": (b"", "E100"),
    "unknown analyst": (results(CD73={"analyst": "stranger"}), "E401"),
    "a sterility test without its start": (results(growth_14d={"started_at": ""}), "E202"),
}


@pytest.mark.requirement("1.08", "11.02")
@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_leaves_its_bytes_its_record_and_its_audit_entry_only(house: House, case: str):
    data, code = BAD[case]
    before = counts(house.engine)
    report = house.upload(data)
    assert not report.accepted
    assert code in {problem.code for problem in report.reading.problems}
    assert all(problem.message and problem.hint for problem in report.reading.problems)
    new = grown(house.engine, before)
    assert {name: new.pop(name) for name in ("upload", "audit_entry", "audit_link")} == {
        "upload": 1, "audit_entry": 1, "audit_link": 1,
    }  # fmt: skip
    assert set(new) <= TRAIL
    assert house.archive.get(report.sha256) == data
    with house.reading() as session:
        upload = upload_by(session, report.number)
        assert upload is not None
        assert {problem["code"] for problem in json.loads(upload.problems)} >= {code}
    assert house.verify().problems == ()


@pytest.mark.parametrize("name", ["a.bat", "results.CSV.Js", "a.svg", "a.html", "a.exe. ", "x.ps1"])
def test_a_file_that_whoever_opens_it_runs_is_not_taken(house: House, name: str, tmp_path: Path):
    house.ready()
    upload = house.upload(results(viability="94.10", run_id="VCB-2")).number
    before, kept = counts(house.engine), set(house.archive.names())
    large_file = tmp_path / name
    large_file.write_bytes(large(*controls(3)))
    begin = partial(house.acting, ANA, Permission.UPLOAD_RESULTS)
    for send in (
        lambda: house.upload(results(viability="94.20"), name=name),
        lambda: upload_large(begin, house.archive, file=LargeFile(large_file, "tests")),
    ):
        with pytest.raises(InvalidInput) as refused:
            send()
        assert refused.value.code == "BQC-UPL-008"
    for text in (b"lot_id,value\n1,2\n", b"%PDF-1.7\n%%EOF\n"):
        with pytest.raises(InvalidInput, match="runs it"):
            document_kind(Document(name, len(text), text))
    with house.acting(ANA, Permission.RECORD_USE) as tx, pytest.raises(InvalidInput):
        keep_certificate(
            tx, house.archive, laboratory=LABORATORY, upload=upload, file=name, data=b"%PDF"
        )
    assert grown(house.engine, before) == {}
    assert set(house.archive.names()) == kept


@pytest.mark.parametrize("name", ["a.csv", "bat", "js.txt", "export.2026", "a.tsv", "a.exe.csv"])
def test_other_names_are_taken_as_they_are(house: House, name: str):
    assert house.upload(results(), name=name).accepted


@pytest.mark.parametrize("name", ["results.pdf", "results.xlsx", "results.PNG", "results.xml"])
def test_results_whose_name_ends_like_something_else_are_not_taken(
    house: House, name: str, tmp_path: Path
):
    before, kept = counts(house.engine), set(house.archive.names())
    data = results()
    file = ReceivedFile(name, len(data), data, "tests")
    large_file = tmp_path / name
    large_file.write_bytes(large(*controls(3)))
    huge = LargeFile(large_file, "tests")
    begin = partial(house.acting, ANA, Permission.UPLOAD_RESULTS)
    with house.reading() as session:
        for send in (
            lambda: house.upload(data, name=name),
            lambda: preview_upload(session, house.archive, file=file, now=house.now.at),
            lambda: upload_large(begin, house.archive, file=huge),
            lambda: preview_large(session, house.archive, file=huge, now=house.now.at),
        ):
            with pytest.raises(InvalidInput, match="ends like") as refused:
                send()
            assert refused.value.code == "BQC-UPL-009"
            assert ".csv" in refused.value.hint
    assert grown(house.engine, before) == {}
    assert set(house.archive.names()) == kept


@pytest.mark.parametrize("name", ["report.csv", "report.txt", "report.png", "report.xlsx"])
def test_a_document_whose_name_ends_like_something_else_is_not_taken(house: House, name: str):
    house.ready()
    upload = house.upload(results(viability="94.10", run_id="VCB-2")).number
    before, kept = counts(house.engine), set(house.archive.names())
    data = b"%PDF-1.7\n%%EOF\n"
    with pytest.raises(InvalidInput, match="holds a PDF document") as refused:
        document_kind(Document(name, len(data), data))
    assert refused.value.code == "BQC-UPL-009"
    assert document_kind(Document("report.PDF", len(data), data)) == "PDF document"
    assert document_kind(Document("report", len(data), data)) == "PDF document"
    with house.acting(ANA, Permission.RECORD_USE) as tx, pytest.raises(InvalidInput) as refused:
        keep_certificate(
            tx, house.archive, laboratory=LABORATORY, upload=upload, file=name, data=data
        )
    assert refused.value.code == "BQC-UPL-009"
    assert grown(house.engine, before) == {}
    assert set(house.archive.names()) == kept


@contextmanager
def refused_as(code: str) -> Iterator[None]:
    with pytest.raises(InvalidInput) as refused:
        yield
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["v9.pdf", "v9.csv", "v9.xlsx"])
def test_no_controlled_document_is_imported_under_another_kinds_name(house: House, name: str):
    before, kept = counts(house.engine), set(house.archive.names())
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx, refused_as("BQC-UPL-009"):
        import_specification(tx, house.archive, data=b"", file=name)
    with house.acting(SPEC, Permission.IMPORT_LAYOUT) as tx, refused_as("BQC-UPL-009"):
        import_layout(tx, house.archive, data=b"", file=name, fonts=Path())
    with house.acting(SPEC, Permission.IMPORT_PROFILE) as tx, refused_as("BQC-UPL-009"):
        import_profile(tx, house.archive, data=b"", file=name)
    with house.acting(SPEC, Permission.IMPORT_METHOD) as tx, refused_as("BQC-UPL-009"):
        import_method(tx, house.archive, data=b"", file=name)
    with house.acting(DON, Permission.IMPORT_PANEL) as tx, refused_as("BQC-UPL-009"):
        import_panel(tx, house.archive, data=b"", file=name)
    assert grown(house.engine, before) == {}
    assert set(house.archive.names()) == kept


def test_a_file_above_the_limit_is_recorded_without_its_bytes(house: House):
    before = counts(house.engine)
    with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        file = ReceivedFile(name="zeros.csv", size=300_000_000, data=None, client="tests")
        report = upload_results(tx, house.archive, file=file)
    assert [problem.code for problem in report.reading.problems] == ["E113"]
    assert grown(house.engine, before)["upload"] == 1


def test_a_preview_tells_the_same_and_leaves_nothing(house: House, tmp_path: Path):
    before = counts(house.engine)
    for data, accepted in ((results(), True), (results(viability="93,40"), False)):
        file = ReceivedFile(name="results.csv", size=len(data), data=data, client="tests")
        with house.reading() as session:
            preview = preview_upload(session, house.archive, file=file, now=house.now())
        assert preview.accepted is accepted
        assert grown(house.engine, before) == {}
        with pytest.raises(IntegrityFailure):
            house.archive.get(preview.sha256)
    committed = house.upload(results(viability="93,40"))
    assert committed.reading.problems == preview.reading.problems


def test_the_same_bytes_are_answered_with_the_first_upload(house: House):
    first = house.upload(results())
    before = counts(house.engine)
    again = house.upload(results(), name="another name.csv")
    assert (again.number, again.accepted, again.answered_before) == (first.number, True, True)
    assert grown(house.engine, before) == {}


def test_a_refused_file_may_be_tried_again_and_gets_a_number_of_its_own(house: House):
    numbers = [house.upload(results(CD73={"analyst": "stranger"})).number for _ in range(2)]
    assert numbers == ["U-2026-000001", "U-2026-000002"]


def test_values_come_back_as_they_were_typed(house: House):
    house.upload(results(viability="93.40", endotoxin="<0.050", kynurenine="1.420E1"))
    texts = {one.analyte: one.text for one in house.study().measurements}
    assert texts["viability"] == "93.40"
    assert texts["endotoxin"] == "<0.050"
    assert texts["kynurenine"] == "1.420E1"
