"""A lot's way through the API, as analyst, reviewer, QA and auditor walk it."""

import hashlib

import httpx
import pytest

from batchqc.documents.certificate_check import check
from tests.api.conftest import Site, signed
from tests.records.house import ANA, AUD, LOT, QA1, QA2, REV, alone, results

NEW = "MSC-26-0021"
LOT_REQUEST = {
    "id": NEW,
    "product": "UC-MSC",
    "manufactured_on": "2025-05-19",
    "expires_on": "2027-05-18",
    "donors": ["DNR-UC-01"],
    "samples": [
        {
            "id": f"{NEW}-S01",
            "stage": "release",
            "container": "cryovial",
            "taken_at": "2025-05-20T08:00:00-05:00",
        }
    ],
}


def uploaded(site: Site, data: bytes, **query: object) -> httpx.Response:
    return site.send(ANA, "POST", "/uploads", params={"file": "r.csv"} | query, content=data)


@pytest.mark.requirement("2.09")
def test_eight_requests_take_a_lot_from_registration_to_its_certificate(site: Site):
    assert site.send(ANA, "POST", "/lots", json=LOT_REQUEST).status_code == 201
    report = uploaded(site, results(lot=NEW))
    assert report.status_code == 201, report.text
    review = site.send(REV, "POST", f"/lots/{NEW}/review", json=signed(REV))
    assert review.status_code == 201, review.text
    whole = site.send(REV, "POST", f"/lots/{NEW}/qc-review", json=signed(REV))
    assert whole.status_code == 201, whole.text
    trail = site.get(QA2, f"/lots/{NEW}/audit-review")
    read = {name: trail[name] for name in ("last", "head")}
    signed_trail = site.send(QA2, "POST", f"/lots/{NEW}/audit-review", json=signed(QA2, **read))
    assert signed_trail.status_code == 201, signed_trail.text
    decision = site.send(
        QA1, "POST", f"/lots/{NEW}/disposition", json=signed(QA1, decision="released")
    )
    assert decision.status_code == 201, decision.text
    certificate = decision.json()["certificate"]
    assert certificate["status"] == "issued"
    pdf = site.send(AUD, "GET", certificate["pdf"].removeprefix("/api/v1"))
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["etag"].strip('"') == hashlib.sha256(pdf.content).hexdigest()
    root = site.keys.root_pem.read_bytes()
    report = check(
        pdf.content, root_pem=root, lot=NEW, number=certificate["number"], at=site.house.now()
    )
    assert report.passed, report.checks


def test_readiness_tells_every_gate_with_reasons_and_what_to_do(site: Site):
    uploaded(site, results(viability="89", kynurenine=None))
    told = site.get(QA1, f"/lots/{LOT}/readiness")
    assert told["is_ready"] is False
    gates = {gate["name"]: gate for gate in told["gates"]}
    assert len(gates["Results"]["reasons"]) == 2
    assert gates["Review"]["is_open"] is False
    assert all(gate["is_open"] != bool(gate["todo"]) for gate in gates.values())


@pytest.mark.requirement("1.06")
def test_results_lead_back_to_file_row_column_and_text(site: Site):
    data = results(viability="93.40")
    number = uploaded(site, data).json()["number"]
    told = site.get(AUD, f"/lots/{LOT}/results")
    verdict = next(one for one in told["verdicts"] if one["criterion"] == "viability")
    assert verdict["verdict"] == "PASS"
    assert verdict["derivation"]["result"] == "93.40"
    (measured,) = verdict["measurements"]
    assert measured["text"] == "93.40"
    assert (measured["upload"], measured["column"]) == (number, "value")
    line = data.decode().splitlines()[measured["row"] - 1]
    assert line.split(",")[6] == "93.40"
    assert measured["sha256"] == hashlib.sha256(data).hexdigest()
    assert site.send(AUD, "GET", f"/uploads/{number}/file").content == data


def test_what_comes_after_a_decision_is_taken_and_told_as_such(site: Site):
    before = uploaded(site, results(viability="89"))
    body = signed(QA1, decision="rejected")
    assert site.send(QA1, "POST", f"/lots/{LOT}/disposition", json=body).status_code == 201
    assert site.get(QA1, f"/lots/{LOT}/results")["after_decision"] == []
    drawn = {"id": f"{LOT}-S09", "stage": "release", "container": "vial",
             "taken_at": "2026-06-01T10:00:00+00:00"}  # fmt: skip
    samples = site.send(ANA, "POST", f"/lots/{LOT}/samples", json={"samples": [drawn]})
    assert samples.status_code == 201, samples.text
    late = uploaded(site, alone("endotoxin", value="9", run_id="LATE-1"))
    assert late.status_code == 201, late.text
    (told,) = late.json()["problems"]
    assert (told["code"], told["severity"], told["row"]) == ("W401", "warning", 2)
    (after,) = site.get(QA1, f"/lots/{LOT}/results")["after_decision"]
    assert after == f"run LATE-1 (ENDO) of {late.json()['number']}"
    waits = site.get(QA1, f"/open-work?kind=review&lot={LOT}")["items"]
    assert {late.json()["number"], before.json()["number"]} <= {
        one["what"].rsplit(" ", 1)[1] for one in waits
    }
    assert len(site.get(QA1, "/investigations")["items"]) == 2


def test_a_dry_run_tells_the_same_and_leaves_nothing(site: Site):
    looked = uploaded(site, results(viability="93,40"), dry_run="true")
    assert looked.status_code == 200
    assert looked.json()["number"] == "preview"
    assert site.get(ANA, "/uploads")["items"] == []
    refused = uploaded(site, results(viability="93,40"))
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    told = refused.json()
    assert told["code"] == "BQC-UPL-001"
    assert told["report"]["problems"] == looked.json()["problems"]
    assert any("E205" in reason for reason in told["reasons"])
    (kept,) = site.get(ANA, "/uploads")["items"]
    assert kept["accepted"] is False
    assert site.get(ANA, f"/uploads/{kept['number']}")["problems"][0]["code"] == "E205"


def test_the_same_file_again_is_answered_with_the_first_upload(site: Site):
    first = uploaded(site, results()).json()
    again = uploaded(site, results())
    assert again.status_code == 200
    assert (again.json()["number"], again.json()["answered_before"]) == (first["number"], True)


def test_three_hundred_megabytes_of_zeros_are_refused_and_recorded(site: Site):
    def zeros():
        for _ in range(300):
            yield bytes(1_000_000)

    refused = site.send(ANA, "POST", "/uploads", params={"file": "zeros.csv"}, content=zeros())
    assert refused.status_code == 422
    assert refused.json()["report"]["problems"][0]["code"] == "E113"
    (kept,) = site.get(ANA, "/uploads")["items"]
    assert (kept["size"], kept["sha256"]) == (300_000_000, "")
    gone = site.send(AUD, "GET", f"/uploads/{kept['number']}/file")
    assert gone.json()["code"] == "BQC-UPL-003"


def test_a_correction_is_asked_for_decided_and_seen(site: Site):
    asked = site.send(
        ANA, "POST", "/corrections",
        json={"subject": f"lot:{LOT}", "field": "expires_on", "after": "2026-12-31",
              "reason": "Typed the wrong year"},
    )  # fmt: skip
    assert asked.status_code == 201, asked.text
    number = asked.json()["number"]
    decided = site.send(
        QA2, "POST", f"/corrections/{number}/decision", json=signed(QA2, approve=True)
    )
    assert decided.json()["state"] == "approved"
    assert site.get(ANA, f"/lots/{LOT}")["expires_on"] == "2026-12-31"
    assert [one["state"] for one in site.get(ANA, "/corrections")["items"]] == ["approved"]


def test_a_lot_is_rejected_without_a_certificate(site: Site):
    uploaded(site, results(viability="89"))
    body = signed(QA1, decision="rejected", reason="Viability fails")
    decision = site.send(QA1, "POST", f"/lots/{LOT}/disposition", json=body)
    assert decision.status_code == 201
    assert decision.json()["certificate"] is None
    assert [lot["id"] for lot in site.get(QA1, "/lots?disposition=rejected")["items"]] == [LOT]
    assert site.get(QA1, "/lots?disposition=quarantine")["items"] == []


def test_the_audit_trail_is_read_in_pages_filtered_and_verified(site: Site):
    uploaded(site, results())
    seen, after = [], 0
    while after is not None:
        page = site.get(AUD, f"/audit?limit=7&after={after}")
        seen += [entry["sequence"] for entry in page["items"]]
        after = page["next"]
    assert seen == list(range(1, len(seen) + 1))
    about = site.get(AUD, f"/audit?subject=lot:{LOT}")["items"]
    assert {entry["entry"]["what"] for entry in about} == {
        "lot registered", "samples registered", "upload accepted",
    }  # fmt: skip
    found = site.get(AUD, "/audit/verification")
    assert found["problems"] == []
    assert found["entries"] >= len(seen)


def test_a_pending_certificate_is_taken_up(site: Site):
    site.house.ready()
    site.house.release()
    (pending,) = site.get(AUD, "/certificates")["items"]
    assert pending["status"] == "pending"
    waiting = site.send(AUD, "GET", f"/certificates/{pending['number']}/pdf")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "BQC-CRT-031")
    issued = site.send(QA1, "POST", f"/certificates/{pending['number']}/issue")
    assert issued.json()["status"] == "issued"
    detail = site.get(AUD, f"/certificates/{pending['number']}")
    assert detail["content"]["lot"]["id"] == LOT
    assert detail["document_sha256"] == issued.json()["document_sha256"]
