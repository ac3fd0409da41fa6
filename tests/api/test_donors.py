"""Donors over HTTP: from a panel that QA approves to the records that accompany a lot."""

from tests.actions.correcting import decide, request
from tests.api.conftest import Site, signed
from tests.records.donors import DIN, DOCUMENT, MARKERS, PANEL, PANEL_FILE, determine
from tests.records.house import AUD, DON, DONOR, LOT, QA1, QA2

DONATION = {
    "kind": "DIN", "id": "G1234 98 654321 H", "donated_on": "2025-04-01",
    "establishment": "Lakeside Maternity", "address": "2 Pier\nChicago", "tissue": "umbilical cord",
    "donor_age": "0 days", "tested_person": "birth mother",
}  # fmt: skip
TESTS = {
    "person": "birth mother", "specimen": "SP-25-0401", "taken_at": "2025-04-02T09:00:00-05:00",
    "laboratory": "Blood Center", "statement": "CLIA certified, 14D0000000", "kit": "Licensed kits",
    "document_sha256": DOCUMENT,
    "results": [{"marker": one, "result": "nonreactive"} for one in MARKERS],
}  # fmt: skip
CONSENT = {
    "version": "2.0", "scopes": ["clinical", "research"], "given_on": "2025-04-01",
    "document_sha256": DOCUMENT,
}  # fmt: skip


def posted(site: Site, who: str, path: str, **options: object) -> dict[str, object]:
    answer = site.send(who, "POST", path, **options)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


def adopted(site: Site) -> None:
    whole = posted(site, DON, "/donor-panels?file=p.toml", content=PANEL_FILE)
    assert whole["approved_by"] == ""
    assert "CMV Ab: 21 CFR 1271.85(b)(2)" in whole["recalled"]  # type: ignore[operator]
    posted(site, QA2, f"/donor-panels/{PANEL}/1/approval", json=signed(QA2))


def test_a_donor_is_determined_on_records_and_a_gate_says_so(site: Site):
    adopted(site)
    why = {"rule": "refuse", "reason": "As the procedure has it"}
    posted(site, QA1, "/register-rules/donors", json=why)
    donor = f"/donors/{DONOR}"
    assert posted(site, DON, f"{donor}/donations", json=DONATION)["id"] == DIN
    problems = site.get(AUD, f"{donor}/evaluation?panel={PANEL}")["problems"]
    assert len(problems) == len(MARKERS) + 1
    determination = signed(DON) | {"eligible": True, "basis": "All of it", "panel": PANEL}
    refused = site.send(DON, "POST", f"{donor}/eligibility", json=determination)
    assert refused.status_code == 409
    assert refused.json()["reasons"] == problems
    recorded = posted(site, DON, f"{donor}/donations/{DIN}/tests", json=TESTS)["recorded"]
    assert recorded[0] == f"donor_test:{DIN}/1"  # type: ignore[index]
    assert posted(site, DON, f"{donor}/consents", json=CONSENT)["number"] == 1
    found = site.get(AUD, f"{donor}/evaluation?panel={PANEL}")
    assert found == {"panel": "US-1271 v1", "problems": [], "remarks": []}
    assert (
        posted(site, DON, f"{donor}/eligibility", json=determination)["eligibility"] == "eligible"
    )
    gates = {one["name"]: one for one in site.get(AUD, f"/lots/{LOT}/readiness")["gates"]}
    assert gates["Donor"]["reasons"] == []
    withdrawn = {"withdrawn_on": "2026-01-01", "reason": "The donor wrote so"}
    posted(site, DON, f"{donor}/consent-withdrawal", json=withdrawn)
    gates = {one["name"]: one for one in site.get(AUD, f"/lots/{LOT}/readiness")["gates"]}
    assert len(gates["Donor"]["reasons"]) == 2


def test_everything_of_a_donor_is_taken_along_without_a_name(site: Site):
    adopted(site)
    donor = f"/donors/{DONOR}"
    posted(site, DON, f"{donor}/donations", json=DONATION)
    posted(site, DON, f"{donor}/donations", json=DONATION | {"kind": "local", "id": "DON-25-2"})
    posted(site, DON, f"{donor}/donations/{DIN}/tests", json=TESTS)
    posted(site, DON, f"{donor}/consents", json=CONSENT)
    wrong = {"subject": f"donor_test:{DIN}/4", "field": "result", "after": "reactive"}
    posted(site, DON, "/corrections", json=wrong | {"reason": "Misread the report"})
    exception = {"eligible": True, "basis": "Urgent", "panel": PANEL, "by_exception": True}
    shown = posted(site, DON, f"{donor}/eligibility", json=signed(DON) | exception)
    assert shown["eligibility"] == "eligible by documented exception"
    found = site.get(AUD, f"{donor}/records")
    assert [one["eligibility"] for one in found["determinations"]] == [
        "eligible", "eligible by documented exception",
    ]  # fmt: skip
    first, second = found["donations"]
    assert [one["marker"] for one in first["tests"]] == list(MARKERS)
    assert first["tests"][0]["statement"] == "CLIA certified, 14D0000000"
    assert second["tests"] == []
    assert found["consents"][0]["withdrawn"] is None
    assert found["corrections"][0]["state"] == "waits"
    text = site.send(AUD, "GET", f"{donor}/records/text").text
    for said in ("HBsAg", "Lakeside Cell Therapy", "eligible by documented exception", DIN):
        assert said in text
    no_panel = signed(DON) | exception | {"panel": ""}
    refused = site.send(DON, "POST", f"{donor}/eligibility", json=no_panel)
    assert refused.json()["code"] == "BQC-DNR-022"


def test_donations_pools_and_panels_are_listed_page_by_page(site: Site):
    adopted(site)
    donor = f"/donors/{DONOR}/donations"
    posted(site, DON, donor, json=DONATION)
    posted(site, DON, donor, json=DONATION | {"kind": "local", "id": "DON-25-2"})
    first = site.get(AUD, f"{donor}?limit=1")
    assert first["next"] == DIN
    (second,) = site.get(AUD, f"{donor}?after={first['next']}")["items"]
    assert second["id"] == "DON-25-2"
    pool = {
        "kind": "local", "id": "POOL-25-1", "donations": [DIN, "DON-25-2"],
        "pooled_on": "2025-04-02", "reason": "One culture of both",
    }  # fmt: skip
    assert posted(site, DON, "/donation-pools", json=pool) == pool
    assert site.get(AUD, "/donation-pools") == {"items": [pool], "next": None}
    assert site.get(AUD, "/donation-pools?after=POOL-25-1")["items"] == []
    (panel,) = site.get(AUD, "/donor-panels")["items"]
    assert panel["approved_by"]
    assert site.get(AUD, "/donor-panels?after=US-1271/1")["items"] == []
    assert site.send(AUD, "GET", "/donor-panels?after=x").status_code == 404
    assert set(site.get(AUD, f"/donor-panels/{PANEL}/1")["markers"]) == set(MARKERS)


def test_what_is_sent_twice_is_recorded_once(site: Site):
    key = {"headers": {"Idempotency-Key": "donation-0001"}}
    path = f"/donors/{DONOR}/donations"
    once = posted(site, DON, path, json=DONATION, **key)
    assert posted(site, DON, path, json=DONATION, **key) == once
    assert len(site.get(AUD, path)["items"]) == 1
    bad = signed(QA2) | {"password": "wrong password 1"}
    posted(site, DON, "/donor-panels?file=p.toml", content=PANEL_FILE)
    answer = site.send(QA2, "POST", f"/donor-panels/{PANEL}/1/approval", json=bad)
    assert answer.status_code == 403


def test_a_determination_that_counts_no_more_is_told_with_what_came_after_it(site: Site):
    """Over HTTP, and in what accompanies the cells: who reads no gate reads this."""
    adopted(site)
    donor = f"/donors/{DONOR}"
    posted(site, DON, f"{donor}/donations", json=DONATION)
    determine(site.house)
    assert site.get(AUD, donor)["recorded_since"] == []
    posted(site, DON, f"{donor}/donations/{DIN}/tests",
           json=TESTS | {"results": [{"marker": "HBsAg", "result": "reactive"}]})  # fmt: skip
    for path in (donor, f"{donor}/records"):
        assert site.get(AUD, path)["recorded_since"] == [f"donor_test:{DIN}/1"]
    assert f"donor_test:{DIN}/1" in site.send(AUD, "GET", f"{donor}/records/text").text
    decide(site.house, request(site.house, f"donor:{DONOR}", "tissue_source", "Wharton's jelly"))
    (found,) = (one for one in site.get(AUD, "/donors")["items"] if one["code"] == DONOR)
    assert found["tissue_source"] == "Wharton's jelly"
    assert len(found["recorded_since"]) == 2
