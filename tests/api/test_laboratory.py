"""Methods, runs and registers over HTTP."""

from tests.api.conftest import Site, signed
from tests.records.house import ANA, AUD, LABORATORY, QA1, QA2, REV, SPEC, good, table
from tests.records.house import LOT as LOT_ID
from tests.records.laboratory import METHOD_FILE, RECOVERY


def posted(site: Site, who: str, path: str, **options: object) -> dict[str, object]:
    answer = site.send(who, "POST", path, **options)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


def test_a_method_is_imported_approved_and_its_runs_are_counted(site: Site):
    whole = posted(site, SPEC, "/methods?file=m.toml", content=METHOD_FILE)
    assert whole["validity"] == [
        {
            "id": "recovery", "result_type": "control", "analyte": "recovery", "aliquot": "PPC",
            "acceptance": "50 to 200 %", "is_required": True,
        }
    ]  # fmt: skip
    refused = site.send(SPEC, "POST", "/methods?file=m.toml", content=METHOD_FILE)
    assert refused.json()["code"] == "BQC-MET-002"
    approved = posted(site, QA2, "/methods/SOP-QC-040/4/approval", json=signed(QA2))
    assert approved["approved_by"]
    (listed,) = site.get(AUD, "/methods")["items"]
    assert site.get(AUD, "/methods/SOP-QC-040/4")["sha256"] == listed["sha256"]
    own = {"lot_id": LOT_ID, "sample_id": f"{LOT_ID}-S01"} | good("endotoxin")
    data = table([own, own | RECOVERY | {"value": "30"}])
    posted(site, ANA, "/uploads?file=r.csv", content=data)
    (runs,) = site.get(AUD, "/method-runs")
    assert (runs["method"], runs["runs"], runs["invalid"], runs["not_known"]) == (
        "SOP-QC-040", 1, 1, 0,
    )  # fmt: skip
    assert runs["not_valid"][0]["validity"] == "invalid"
    shown = site.get(AUD, f"/lots/{LOT_ID}/results?under=UC-MSC-REL/1")
    (verdict,) = (one for one in shown["verdicts"] if one["criterion"] == "endotoxin")
    assert verdict["verdict"] == "CANNOT_JUDGE"
    assert verdict["derivation"]["set_aside"] == []


def test_a_wrong_password_approves_no_method(site: Site):
    posted(site, SPEC, "/methods?file=m.toml", content=METHOD_FILE)
    body = signed(QA2) | {"password": "wrong password 1"}
    assert site.send(QA2, "POST", "/methods/SOP-QC-040/4/approval", json=body).status_code == 403
    assert site.get(AUD, "/methods")["items"][0]["approved_by"] == ""


def test_registers_are_kept_and_their_rules_refuse_a_file(site: Site):
    said = {"rule": "refuse", "reason": "From the audit plan"}
    assert posted(site, QA1, "/register-rules/instruments", json=said) == {
        "name": "instruments", "rule": "refuse",
    }  # fmt: skip
    assert {"name": "training", "rule": "off"} in site.get(AUD, "/register-rules")
    data = table([{"lot_id": LOT_ID, "sample_id": f"{LOT_ID}-S01"} | good("endotoxin")])
    refused = site.send(ANA, "POST", "/uploads?file=r.csv", content=data)
    assert refused.status_code == 422
    assert "E701" in refused.text
    days = {"calibrated_on": "2025-01-01", "due_on": "2026-01-01"}
    instrument = {"instrument": "PTS-001", "kind": "Reader"} | days
    assert posted(site, QA1, "/instruments", json=instrument)["due_on"] == "2026-01-01"
    assert len(site.get(AUD, "/instruments")["items"]) == 1
    number = str(posted(site, ANA, "/uploads?file=r.csv", content=data)["number"])
    training = {"trained_on": "2025-01-01", "expires_on": "2026-01-01"}
    posted(site, QA1, "/training", json={"person": ANA, "method": "SOP-QC-040"} | training)
    assert site.get(AUD, "/training")["items"][0]["person"] == ANA
    kit = {"material": "LAL-1", "kind": "kit", "lot": "L7", "expires_on": "2025-01-01"}
    posted(site, QA1, "/materials", json=kit)
    assert site.get(AUD, "/materials")["items"][0]["lot"] == "L7"
    posted(site, QA1, "/register-rules/materials", json=said | {"rule": "flag"})
    own = {"upload": number, "test": "ENDO", "run": "ENDO-250520-01", "material": "LAL-1"}
    assert "expired on 2025-01-01" in str(posted(site, ANA, "/material-uses", json=own)["flagged"])
    path = f"/laboratory-certificates?file=c.txt&laboratory={LABORATORY}&upload={number}"
    assert posted(site, ANA, path, content=b"theirs")["file"] == "c.txt"


def test_readiness_tells_what_the_registers_say_of_the_lot(site: Site):
    said = {"reason": "From the audit plan"}
    data = table([{"lot_id": LOT_ID, "sample_id": f"{LOT_ID}-S01"} | good("mycoplasma")])
    number = str(posted(site, ANA, "/uploads?file=r.csv", content=data)["number"])

    def registers() -> dict[str, object]:
        gates = site.get(AUD, f"/lots/{LOT_ID}/readiness")["gates"]
        (gate,) = (one for one in gates if one["name"] == "Registers")
        return {name: gate[name] for name in ("is_open", "reasons", "remarks")}

    absent = f"no certificate of External Laboratory over its results in {number} is kept"
    assert registers() == {"is_open": True, "reasons": [], "remarks": []}
    posted(site, QA1, "/register-rules/laboratories", json=said | {"rule": "flag"})
    assert registers() == {"is_open": True, "reasons": [], "remarks": [absent]}
    posted(site, QA1, "/register-rules/laboratories", json=said | {"rule": "refuse"})
    assert registers() == {"is_open": False, "reasons": [absent], "remarks": []}
    path = f"/laboratory-certificates?file=c.txt&laboratory={LABORATORY}&upload={number}"
    posted(site, ANA, path, content=b"theirs")
    assert registers() == {"is_open": True, "reasons": [], "remarks": []}


def test_who_is_not_trained_signs_no_review(site: Site):
    data = table([{"lot_id": LOT_ID, "sample_id": f"{LOT_ID}-S01"} | good("endotoxin")])
    posted(site, ANA, "/uploads?file=r.csv", content=data)
    refuse = {"rule": "refuse", "reason": "From the audit plan"}
    posted(site, QA1, "/register-rules/training", json=refuse)
    answer = site.send(REV, "POST", f"/lots/{LOT_ID}/review", json=signed(REV))
    assert answer.status_code == 403
    assert answer.json()["code"] == "BQC-LAB-010"
    assert "rev was not trained for SOP-QC-040" in answer.json()["reasons"][0]


def test_a_method_whose_code_has_a_slash_is_read_and_approved(site: Site):
    data = METHOD_FILE.replace(b'"SOP-QC-040"', b'"SOP/QC/040"', 1)
    posted(site, SPEC, "/methods?file=m.toml", content=data)
    for path in ("/methods/SOP/QC/040/4", "/methods/SOP%2FQC%2F040/4"):
        assert site.get(AUD, path)["approved_by"] == ""
    answer = posted(site, QA2, "/methods/SOP%2FQC%2F040/4/approval", json=signed(QA2))
    assert answer["approved_by"]
    assert site.get(AUD, "/methods?after=SOP/QC/040/4")["items"] == []
