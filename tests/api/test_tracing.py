"""Provenance over the API, both ways: every number to its cell, every cell to all that used it."""

import hashlib
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import Site, signed
from tests.records.house import ANA, AUD, LOT, QA1, REV, good, results, table

WIDE = (
    "lot_id,sample_id,replicate,measured_at,analyst,run_id,operator_note,FLOW.CD73 [%],"
    "FLOW.CD90 [%],ENDO.endotoxin [EU/mL]\n"
    f"{LOT},{LOT}-S01,1,2025-05-20T10:00:00-05:00,ana,W-250520,calm,97.9,97.9,\n"
    f"{LOT},{LOT}-S01,1,2025-05-20T10:00:00-05:00,ana,X-250520,calm,,,<0.05\n"
).encode()
CERTIFICATE = "COA-2026-000001"


def cell(site: Site, upload: str, row: int, column: str = "value") -> Any:
    return site.get(AUD, f"/uploads/{upload}/cells/{row}/{quote(column, safe='')}")


def decide(site: Site, decision: str) -> None:
    reason = signed(QA1, decision=decision)
    answer = site.send(QA1, "POST", f"/lots/{LOT}/disposition", json=reason)
    assert answer.status_code == 201, answer.text


def row_of(data: bytes, analyte: str) -> int:
    lines = data.decode().splitlines()
    return next(number for number, line in enumerate(lines, 1) if f",{analyte}," in line)


@pytest.mark.requirement("1.06")
def test_a_cell_of_a_released_lot_leads_to_verdict_decision_and_certificate(site: Site):
    data = results(viability="93.40")
    site.house.upload(data)
    site.house.review()
    site.house.hand_to_qa()
    decide(site, "released")
    row = row_of(data, "viability")
    told = cell(site, "U-2026-000001", row)
    assert told["text"] == "93.40"
    assert (told["sheet"], told["row"], told["line"]) == ("", row, row)
    assert told["sha256"] == hashlib.sha256(data).hexdigest()
    assert told["not_used"] == ""
    (measured,) = told["measurements"]
    assert (measured["run"], measured["analyst"], measured["instrument"], measured["method"]) == (
        "VCB-250520-01", ANA, "VCB-001", "SOP-QC-014",
    )  # fmt: skip
    (review,) = measured["reviews"]
    assert review.endswith(f"({REV})")
    assert [(one["criterion"], one["verdict"], one["decision"]) for one in told["verdicts"]] == [
        ("viability", "PASS", ""),
        ("viability", "PASS", f"disposition:{LOT}/1"),
    ]
    assert len({one["sentence"] for one in told["verdicts"]}) == 1
    (decision,) = told["decisions"]
    assert (decision["key"], decision["disposition"]) == (f"disposition:{LOT}/1", "released")
    assert told["certificates"] == [{"number": CERTIFICATE, "status": "issued"}]


@pytest.mark.requirement("1.06")
def test_every_cell_of_a_certificate_leads_back_to_its_line(site: Site):
    """Forward from what a certificate names, and back: it is the same cell and the same line."""
    site.house.ready()
    decide(site, "released")
    content = site.get(AUD, f"/certificates/{CERTIFICATE}")["content"]
    named = 0
    for line in content["lines"]:
        path = f"/certificates/{CERTIFICATE}/lines/{line['criterion']}/sources"
        back = site.get(AUD, path)
        assert [{key: one[key] for key in ("upload", "file", "sha256", "row", "column", "text")}
                for one in back] == line["provenance"]  # fmt: skip
        (verdict,) = site.get(AUD, f"/lots/{LOT}/criteria/{line['criterion']}/sources")
        assert [one["use"] for one in verdict["sources"]] == ["result"] * len(back)
        assert [one["row"] for one in verdict["sources"]] == [one["row"] for one in back]
        assert all(one["reviews"] and one["analyst"] and one["run"] for one in back)
        for one in back:
            told = cell(site, one["upload"], one["row"], one["column"])
            assert told["text"] == one["text"]
            assert {used["criterion"] for used in told["verdicts"]} == {line["criterion"]}
            assert [each["number"] for each in told["certificates"]] == [CERTIFICATE]
            named += 1
    assert named == 10


def test_a_cell_of_a_rejected_lot_leads_to_the_rejection_and_no_certificate(site: Site):
    site.house.upload(results(viability="89"))
    decide(site, "rejected")
    told = cell(site, "U-2026-000001", row_of(results(), "viability"))
    assert [(one["verdict"], bool(one["decision"])) for one in told["verdicts"]] == [
        ("FAIL", False), ("FAIL", True),
    ]  # fmt: skip
    assert [one["disposition"] for one in told["decisions"]] == ["rejected"]
    assert told["certificates"] == []
    assert told["measurements"][0]["reviews"] == []


def test_a_cell_of_a_refused_file_tells_every_problem_of_the_file(site: Site):
    data = results(viability="93,40", CD73={"analyst": "stranger"})
    site.house.upload(data)
    told = cell(site, "U-2026-000001", row_of(data, "viability"))
    assert (told["accepted"], told["text"]) == (False, "93,40")
    assert told["not_used"] == "the upload was refused: nothing of it is used"
    assert {"E205", "E401"} <= {one["code"] for one in told["problems"]}
    assert told["measurements"] == told["verdicts"] == told["decisions"] == []


def test_a_refused_file_without_a_table_tells_why(site: Site):
    site.house.upload(b"%PDF-1.7")
    told = cell(site, "U-2026-000001", 7)
    assert (told["text"], told["line"]) == ("", 0)
    assert [one["code"] for one in told["problems"]] == ["E101"]


def test_cells_of_a_wide_table_are_told_apart_by_their_columns(site: Site):
    """Two columns of one row with the same text are two cells."""
    assert site.house.upload(WIDE).accepted
    site.house.upload(results(CD73=None, CD90=None, endotoxin=None))
    decide(site, "rejected")
    for column, criterion in (("FLOW.CD73 [%]", "cd73"), ("FLOW.CD90 [%]", "cd90")):
        told = cell(site, "U-2026-000001", 2, column)
        assert (told["column"], told["text"]) == (column, "97.9")
        assert {(one["criterion"], bool(one["decision"])) for one in told["verdicts"]} == {
            (criterion, False), (criterion, True),
        }  # fmt: skip
    told = cell(site, "U-2026-000001", 3, "ENDO.endotoxin [EU/mL]")
    assert {one["criterion"] for one in told["verdicts"]} == {"endotoxin"}
    note = cell(site, "U-2026-000001", 2, "operator_note")
    assert note["not_used"] == 'the column "operator_note" is not read'
    assert note["verdicts"] == []
    empty = cell(site, "U-2026-000001", 2, "ENDO.endotoxin [EU/mL]")
    assert empty["not_used"] == "the cell is empty: taken as not reported"
    analyst = cell(site, "U-2026-000001", 2, "analyst")
    assert {one["criterion"] for one in analyst["verdicts"]} == {"cd73", "cd90"}


@pytest.mark.parametrize(
    ("result_type", "said"),
    [
        ("raw", "its row is raw: only reportable results are judged"),
        ("control", "it is a control, and no criterion compares a result with it"),
    ],
)
def test_a_row_that_no_verdict_uses_says_why(site: Site, result_type: str, said: str):
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    site.house.upload(table([own | good("viability") | {"result_type": result_type}]))
    told = cell(site, "U-2026-000001", 2)
    assert told["not_used"] == said
    assert len(told["measurements"]) == 1


def test_a_superseded_cell_says_by_what(site: Site):
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    for value, why in (("92", None), ("93", "Wrong cell was exported")):
        data = table([own | good("viability") | {"value": value}])
        assert site.house.upload(data, supersedes=why).accepted
    old = cell(site, "U-2026-000001", 2)
    said = "run VCB-250520-01 (VIAB) of U-2026-000001 is superseded by the run of U-2026-000002"
    assert old["not_used"] == said
    (verdict,) = site.get(AUD, f"/lots/{LOT}/criteria/viability/sources")
    assert [(one["text"], one["use"], one["superseded_by"]) for one in verdict["sources"]] == [
        ("92", "not used", "U-2026-000002"), ("93", "result", ""),
    ]  # fmt: skip


def test_a_superseded_cell_that_fails_is_used_by_the_verdict_that_cannot_be(site: Site):
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    for value, why in (("89", None), ("93", "Wrong cell was exported")):
        site.house.upload(table([own | good("viability") | {"value": value}]), supersedes=why)
    for upload in ("U-2026-000001", "U-2026-000002"):
        (used,) = cell(site, upload, 2)["verdicts"]
        assert used["verdict"] == "CANNOT_JUDGE"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/uploads/U-2026-000009/cells/2/value", "BQC-UPL-002"),
        ("/uploads/U-2026-000001/cells/2/values", "BQC-TRC-004"),
        ("/uploads/U-2026-000001/cells/1/value", "BQC-TRC-005"),
        ("/uploads/U-2026-000001/cells/99/value", "BQC-TRC-005"),
        (f"/lots/{LOT}/criteria/none/sources", "BQC-TRC-001"),
        (f"/certificates/{CERTIFICATE}/lines/none/sources", "BQC-TRC-002"),
        ("/certificates/COA-2026-000009/lines/viability/sources", "BQC-CRT-030"),
    ],
)
def test_what_is_not_there_is_told(site: Site, path: str, code: str):
    site.house.ready()
    decide(site, "released")
    answer = site.send(AUD, "GET", path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


@pytest.mark.requirement("2.07")
def test_a_file_supersedes_over_the_api_with_a_reason_only(site: Site):
    own = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    new = table([own | good("viability") | {"value": "94.0"}])
    site.house.ready()
    refused = site.send(ANA, "POST", "/uploads", params={"file": "r.csv"}, content=new)
    assert refused.status_code == 422
    assert any("E407 run VCB-250520-01" in one for one in refused.json()["reasons"])
    blank = site.send(
        ANA, "POST", "/uploads", params={"file": "r.csv", "supersedes": " "}, content=new
    )
    assert (blank.status_code, blank.json()["code"]) == (422, "BQC-SIG-004")
    query = {"file": "r.csv", "supersedes": "Wrong cell was exported"}
    looked = site.send(
        ANA, "POST", "/uploads", params=query | {"dry_run": "true"}, content=new
    ).json()
    done = site.send(ANA, "POST", "/uploads", params=query, content=new)
    assert done.status_code == 201
    assert looked["supersedes"] == done.json()["supersedes"]
    assert looked["supersedes"] == [f"run VCB-250520-01 (VIAB) of U-2026-000001 for lot {LOT}"]
    number = done.json()["number"]
    assert site.get(AUD, f"/uploads/{number}")["supersedes"] == "Wrong cell was exported"
    (entry,) = site.get(AUD, "/audit?what=upload accepted&limit=200")["items"][-1:]
    assert entry["entry"]["why"] == "Wrong cell was exported"
