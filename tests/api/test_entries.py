"""Typed results over HTTP: blind second entry, signed; documents handed out and never shown."""

from pathlib import Path
from typing import Any

import pytest

from batchqc.core.entries import HIDDEN
from tests.actions.state import TRAIL, counts, grown
from tests.api.conftest import Site, signed
from tests.api.test_refusals import is_problem
from tests.records.house import ANA, AUD, BEN, LABORATORY, LOT, QA1, REV, SAMPLES

REPORT = b"%PDF-1.7\nthe report\n%%EOF\n"
SENT = {
    "lot": LOT, "sample": SAMPLES[0], "test": "VIAB", "analyte": "viability",
    "values": ["93.47"], "unit": "%", "measured_at": "2025-05-20T10:00:00-05:00",
    "analyst": BEN, "run": "VCB-9", "method": "SOP-QC-014 v3", "comment": "read 93.47 twice",
}  # fmt: skip


def enter(site: Site, **changes: Any) -> str:
    answer = site.send(ANA, "POST", "/results/manual", json=SENT | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def verification(*values: str, who: str = REV, unit: str = "%", **more: Any) -> dict[str, Any]:
    return signed(who, values=list(values), unit=unit, **more)


def attach(site: Site, number: str, data: Any, name: str = "report.pdf", who: str = ANA) -> Any:
    path = f"/results/attachments?entry={number}&file={name}"
    return site.send(who, "POST", path, content=data)


@pytest.mark.requirement("1.31")
def test_while_an_entry_waits_no_answer_tells_its_value_to_who_verifies(site: Site):
    number = enter(site)
    attach(site, number, REPORT)
    for who in (REV, QA1, AUD):
        for path in (
            "/results/manual", f"/results/manual/{number}", f"/uploads/{number}", "/uploads",
            f"/uploads/{number}/file", f"/lots/{LOT}/results", f"/lots/{LOT}/readiness",
            f"/lots/{LOT}/results?under=UC-MSC-REL/1", "/audit", "/audit/recheck",
            f"/lots/{LOT}",
        ):  # fmt: skip
            answer = site.send(who, "GET", path)
            assert "93.47" not in answer.text, path
            assert answer.status_code == 200 or answer.json()["code"] == "BQC-ENT-011"
    assert site.get(REV, f"/results/manual/{number}")["values"] is None
    assert HIDDEN in site.send(REV, "GET", f"/lots/{LOT}/results").text
    for who in (ANA, BEN):
        assert site.get(who, f"/results/manual/{number}")["values"] == ["93.47"]
        assert b"93.47" in site.send(who, "GET", f"/uploads/{number}/file").content
    answer = site.send(
        REV, "POST", f"/results/manual/{number}/verification", json=verification("93.47")
    )
    assert answer.status_code == 201, answer.text
    assert (answer.json()["state"], answer.json()["verified_by"]) == ("verified", REV)
    assert site.get(AUD, f"/results/manual/{number}")["values"] == ["93.47"]
    assert b"93.47" in site.send(AUD, "GET", f"/uploads/{number}/file").content


def test_a_word_that_fails_is_not_told_by_its_warning(site: Site):
    growth = {
        "test": "STER", "analyte": "growth_14d", "values": ["TNTC"], "unit": "",
        "method": "SOP-MB-002 v6", "started_at": "2025-05-20T11:00:00-05:00",
        "measured_at": "2025-06-03T11:00:00-05:00", "comment": "",
    }  # fmt: skip
    number = enter(site, **growth)
    assert site.get(ANA, f"/uploads/{number}")["problems"][0]["code"] == "W601"
    assert site.get(REV, f"/uploads/{number}")["problems"] == []


@pytest.mark.requirement("1.31")
def test_a_mismatch_is_answered_and_stays(site: Site):
    number = enter(site)
    path = f"/results/manual/{number}/verification"
    answer = site.send(REV, "POST", path, json=verification("93.74"))
    assert answer.status_code == 201
    found = answer.json()
    assert (found["state"], found["values"]) == ("does not match", ["93.47"])
    assert found["second_values"] == ["93.74"]
    is_problem(site.send(REV, "POST", path, json=verification("93.47")), 409, "BQC-ENT-003")
    again = enter(site)
    assert again != number
    assert site.get(REV, f"/results/manual/{again}")["values"] is None


@pytest.mark.requirement("1.31")
def test_several_analytes_of_a_run_are_typed_hidden_and_verified_together(site: Site):
    further = {"analyte": "CD90", "values": ["99.87"], "unit": "%"}
    flow = {"test": "FLOW", "analyte": "CD73", "run": "FLOW-9", "method": "SOP-QC-021 v5"}
    number = enter(site, **flow, comment="", also=[further])
    path = f"/results/manual/{number}"
    hidden = dict.fromkeys(("values", "unit", "second_values", "second_unit"))
    shown = {"analyte": "CD90", "replicates": 1} | hidden
    assert site.get(REV, path)["also"] == [shown]
    assert site.get(ANA, path)["also"] == [shown | {"values": ["99.87"], "unit": "%"}]
    for who in (REV, AUD):
        for page in (path, f"/uploads/{number}", f"/lots/{LOT}/results", "/audit"):
            assert "99.87" not in site.send(who, "GET", page).text
    answer = site.send(REV, "POST", f"{path}/verification", json=verification("93.47"))
    is_problem(answer, 422, "BQC-ENT-006")
    assert answer.json()["reasons"] == ["it has 1 values of CD90, not 0"]
    body = verification("93.47", also=[further])
    answer = site.send(REV, "POST", f"{path}/verification", json=body)
    assert (answer.status_code, answer.json()["state"]) == (201, "verified")
    (also,) = answer.json()["also"]
    assert (also["values"], also["second_values"]) == (["99.87"], ["99.87"])


def test_a_key_answers_again_and_types_nothing_twice(site: Site):
    key = {"Idempotency-Key": "typed-once-1"}
    first = site.send(ANA, "POST", "/results/manual", json=SENT, headers=key)
    site.token(REV)
    before = counts(site.house.engine)
    again = site.send(ANA, "POST", "/results/manual", json=SENT, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    other = SENT | {"values": ["99"]}
    is_problem(
        site.send(ANA, "POST", "/results/manual", json=other, headers=key), 409, "BQC-API-004"
    )
    assert grown(site.house.engine, before) == {}
    path = f"/results/manual/{first.json()['number']}/verification"
    key = {"Idempotency-Key": "verified-once-1"}
    wrong = verification("93.47", password="guessed again 9")
    is_problem(site.send(REV, "POST", path, json=wrong, headers=key), 403, "BQC-SIG-001")
    done = site.send(REV, "POST", path, json=verification("93.47"), headers=key)
    before = counts(site.house.engine)
    replayed = site.send(REV, "POST", path, json=verification("93.47"), headers=key)
    assert (done.status_code, replayed.json()) == (201, done.json())
    changed = site.send(REV, "POST", path, json=verification("93.48"), headers=key)
    is_problem(changed, 409, "BQC-API-004")
    assert grown(site.house.engine, before) == {}


def test_a_wrong_password_is_remembered_and_nobody_else_may_verify(site: Site):
    number = enter(site)
    path = f"/results/manual/{number}/verification"
    site.token(REV)
    before = counts(site.house.engine)
    wrong = verification("93.47", password="guessed again 9")
    is_problem(site.send(REV, "POST", path, json=wrong), 403, "BQC-SIG-001")
    new = grown(site.house.engine, before)
    assert new["attempt"] == 1
    assert set(new) <= TRAIL | {"attempt"}
    for who in (ANA, BEN, QA1, AUD):
        body = verification("93.47", who=who)
        is_problem(site.send(who, "POST", path, json=body), 403, "BQC-ACC-002")


def test_what_is_refused_names_each_cell(site: Site):
    sent = SENT | {"values": ["93,47"], "analyst": "stranger", "comment": "=1+1"}
    answer = site.send(ANA, "POST", "/results/manual", json=sent)
    is_problem(answer, 422, "BQC-UPL-001")
    found = {(one["column"], one["code"]) for one in answer.json()["report"]["problems"]}
    assert {("value", "E205"), ("analyst", "E401"), ("comment", "E501")} <= found
    assert site.get(ANA, "/results/manual")["items"] == []
    for wrong in ({"values": []}, {"values": "93"}, {"values": ["9\0"]}, {"more": "1"}):
        answer = site.send(ANA, "POST", "/results/manual", json=SENT | wrong)
        is_problem(answer, 422, "BQC-API-001")


def test_a_document_is_handed_out_and_never_shown_in_place(site: Site):
    number = enter(site, analyst=LABORATORY)
    name = 'a "b"; ürt.html.txt'
    answer = attach(site, number, b"plain, text\n", name)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["kind"], answer.json()["name"]) == ("plain text", name)
    got = site.send(REV, "GET", f"/results/manual/{number}/attachments/1")
    assert got.content == b"plain, text\n"
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''a%20%22b%22%3B%20%C3%BCrt.html.txt"
    )
    for wrong in ("0", "2", "-1"):
        answer = site.send(REV, "GET", f"/results/manual/{number}/attachments/{wrong}")
        is_problem(answer, 404, "BQC-ENT-008")
    endless = site.send(REV, "GET", f"/results/manual/{number}/attachments/{'9' * 30}")
    is_problem(endless, 422, "BQC-API-001")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" + bytes(999), b"<html>", bytes(2_000_000)])
def test_a_document_of_another_kind_leaves_nothing(site: Site, data: bytes):
    number = enter(site)
    before = counts(site.house.engine)
    is_problem(attach(site, number, data), 422, "BQC-ENT-009")
    is_problem(attach(site, "U-2026-000099", REPORT), 404, "BQC-UPL-002")
    is_problem(attach(site, number, REPORT, who=REV), 403, "BQC-ACC-002")
    is_problem(attach(site, number, REPORT, "a%0Ab.pdf"), 422, "BQC-ENT-009")
    assert grown(site.house.engine, before).keys() <= {"sign_in", "attempt", *TRAIL}


def test_a_document_beyond_the_limit_is_counted_and_dropped(site: Site):
    number = enter(site)
    pages = [Path("/proc/self/statm")]

    def resident() -> int:
        return int(pages[0].read_text().split()[1]) * 4096 // 1_000_000

    seen = [resident()]

    def endless() -> Any:
        yield b"%PDF-1.7\n"
        for _ in range(100):
            seen.append(resident())
            yield bytes(1_000_000)

    answer = attach(site, number, endless())
    is_problem(answer, 422, "BQC-ENT-009")
    assert "100,000,009 bytes" in answer.json()["detail"]
    assert max(seen) - seen[0] < 60
