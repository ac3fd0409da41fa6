"""An investigation by the API alone, from the failing file to its conclusion."""

from datetime import timedelta
from typing import Any

import pytest

from batchqc.core.conclusions import CHECKLIST
from tests.actions.investigating import METHOD, OOS
from tests.actions.typing_results import REPORT
from tests.api.conftest import Site, signed
from tests.records.house import ANA, AUD, BEN, LOT, QA1, QA2, REV, alone, results
from tests.records.laboratory import adopt_method

ANSWERS = {name: {"answer": "yes"} for name in CHECKLIST}
PLAN = {"method": "SOP-QC-014", "version": "3", "analysts": [BEN], "retests": 1}


def take(site: Site, who: str, step: str, **sent: Any) -> Any:
    answer = site.send(who, "POST", f"/investigations/{OOS}/{step}", json=signed(who, **sent))
    assert answer.status_code == 201, answer.text
    return answer.json()


def upload(site: Site, data: bytes, who: str = ANA, **query: str) -> Any:
    return site.send(who, "POST", "/uploads", params={"file": "x.csv"} | query, content=data)


@pytest.mark.requirement("3.02")
def test_an_investigation_goes_its_way_by_the_api_alone(site: Site):
    adopt_method(site.house, METHOD)
    assert upload(site, alone("viability", value="89.1")).status_code == 201
    (listed,) = site.get(AUD, f"/investigations?lot={LOT}")["items"]
    assert (listed["number"], listed["criterion"], listed["finding"]) == (OOS, "viability", None)
    take(site, ANA, "phase-one", answers=ANSWERS)
    take(site, REV, "phase-one/review")
    take(site, QA1, "plan", **PLAN)
    take(site, QA1, "due-date", due_on="2026-12-01")
    began = {"measured_at": site.house.now().isoformat(), "analyst": BEN, "run_id": "VCB-R1"}
    site.house.now()
    again = alone("viability", value="95", **began)
    refused = upload(
        site, alone("viability", value="95", **began | {"analyst": ANA}), BEN, retest=OOS
    )
    assert refused.status_code == 422
    assert "E408 ana measured it; the plan names ben" in refused.json()["reasons"][0]
    assert upload(site, again, BEN, retest=OOS).status_code == 201
    filed = site.send(
        ANA, "POST", f"/investigations/documents?file=log.pdf&investigation={OOS}", content=REPORT
    )
    (document,) = [one for one in filed.json()["steps"] if one["kind"] == "document"]
    cause = {
        "finding": "assignable laboratory cause", "cause": "instrument failure",
        "evidence": "The counter was blocked", "document": document["detail"]["sha256"],
    }  # fmt: skip
    blocked = site.send(
        QA2,
        "POST",
        f"/investigations/{OOS}/conclusion",
        json=signed(QA2, **cause | {"cause": None}),
    )
    assert (blocked.status_code, blocked.json()["code"]) == (409, "BQC-OOS-012")
    assert (
        "nobody has reviewed it"
        in site.send(
            QA2, "POST", f"/investigations/{OOS}/conclusion", json=signed(QA2, **cause)
        ).text
    )
    assert site.send(REV, "POST", f"/lots/{LOT}/review", json=signed(REV)).status_code == 201
    done = take(site, QA2, "conclusion", **cause)
    assert (done["state"], done["cause"]) == ("concluded", "instrument failure")
    told = site.get(AUD, f"/lots/{LOT}/results")["verdicts"]
    (viability,) = [one for one in told if one["criterion"] == "viability"]
    assert viability["verdict"] == "PASS"
    assert site.get(AUD, "/investigations/patterns")["items"] == []
    assert take(site, QA1, "reopening")["state"].startswith("retests are under way")
    assert len(site.get(AUD, f"/investigations/{OOS}")["steps"]) == 7


def test_a_wrong_password_takes_no_step(site: Site):
    upload(site, alone("viability", value="89.1"))
    sent = signed(ANA, answers=ANSWERS) | {"password": "wrong"}
    answer = site.send(ANA, "POST", f"/investigations/{OOS}/phase-one", json=sent)
    assert answer.status_code == 403
    assert site.get(AUD, f"/investigations/{OOS}")["steps"] == []


@pytest.mark.requirement("3.14")
def test_rules_sweeps_and_deviations_are_kept_by_the_api(site: Site):
    assert site.get(AUD, "/investigations/rule")["days"] == 30
    rule = {"days": 20, "reason": "As the SOP has it"}
    assert site.send(QA1, "POST", "/investigations/rule", json=rule).status_code == 201
    assert site.get(AUD, "/investigations/rule")["days"] == 20
    rule["days"] = 0
    assert site.send(QA1, "POST", "/investigations/rule", json=rule).status_code == 422
    upload(site, alone("viability", value="89.1"))
    swept = site.send(ANA, "POST", "/investigations/sweep").json()
    assert swept["opened"] == []
    assert site.send(ANA, "POST", f"/investigations/sweep?after={swept['next']}").json() == {
        "opened": [], "next": 0,
    }  # fmt: skip
    sent = signed(
        QA1, id="DEV-26-1", title="Freezer", link="QMS 1", state="open", blocking=True, lots=[LOT]
    )
    assert site.send(QA1, "POST", "/deviations", json=sent).status_code == 201
    (kept,) = site.get(AUD, "/deviations")["items"]
    assert site.get(AUD, "/deviations?after=dev-26-1/1")["items"] == []
    missing = site.send(AUD, "GET", "/deviations?after=dev-26-1/2")
    assert missing.json()["code"] == "BQC-DEV-003"
    assert (kept["id"], kept["state"], kept["lots"]) == ("DEV-26-1", "open", [LOT])
    assert site.send(QA1, "POST", "/deviations", json=sent).json()["code"] == "BQC-DEV-002"


def test_a_step_is_taken_on_what_was_seen_or_refused(site: Site):
    upload(site, alone("viability", value="89.1"))
    take(site, ANA, "phase-one", answers=ANSWERS)
    seen = site.send(REV, "GET", f"/investigations/{OOS}").headers["etag"]
    again = {"headers": {"If-None-Match": seen}}
    assert site.send(REV, "GET", f"/investigations/{OOS}", **again).status_code == 304
    take(site, ANA, "phase-one", answers=ANSWERS)
    path = f"/investigations/{OOS}/phase-one/review"
    late = site.send(REV, "POST", path, json=signed(REV), headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "BQC-API-020")
    assert "investigation: phase I" in late.json()["reasons"][0]
    seen = site.send(REV, "GET", f"/investigations/{OOS}").headers["etag"]
    done = site.send(REV, "POST", path, json=signed(REV), headers={"If-Match": seen})
    assert done.status_code == 201


def test_a_filed_document_is_given_back_byte_for_byte_and_nothing_else(site: Site):
    upload(site, alone("viability", value="89.1"))
    filed = site.send(
        ANA, "POST", f"/investigations/documents?file=log.pdf&investigation={OOS}", content=REPORT
    )
    sha256 = filed.json()["steps"][0]["detail"]["sha256"]
    answer = site.send(AUD, "GET", f"/investigations/{OOS}/documents/{sha256}")
    assert answer.content == REPORT
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''log.pdf"
    other = site.send(AUD, "GET", f"/investigations/{OOS}/documents/{'0' * 64}")
    assert (other.status_code, other.json()["code"]) == (404, "BQC-OOS-014")


def test_patterns_are_looked_for_in_the_lots_of_some_days(site: Site):
    assert upload(site, results()).status_code == 201
    today = site.house.now().date()
    told = {"items": [], "since": str(today - timedelta(days=30)), "until": str(today), "lots": 1}
    assert site.get(AUD, "/investigations/patterns") == told
    told = {"items": [], "since": "2001-01-01", "until": "2001-01-31", "lots": 0}
    days = "since=2001-01-01&until=2001-01-31"
    assert site.get(AUD, f"/investigations/patterns?{days}") == told
    for far in ("since=0001-01-01", "until=0001-01-01", "until=9999-12-31"):
        assert site.get(AUD, f"/investigations/patterns?{far}")["lots"] in {0, 1}


@pytest.mark.requirement("3.06")
def test_what_cannot_be_judged_and_does_not_fail_is_investigated_where_somebody_asks(site: Site):
    assert upload(site, alone("viability", value="95")).status_code == 201
    assert upload(site, alone("viability", value="96", run_id="VCB-2")).status_code == 201
    wanted = {"lot": LOT, "criterion": "viability", "reason": "Measured twice by mistake"}
    assert site.send(AUD, "POST", "/investigations", json=wanted).status_code == 403
    blank = site.send(ANA, "POST", "/investigations", json=wanted | {"reason": ""})
    assert blank.status_code == 422
    other = site.send(ANA, "POST", "/investigations", json=wanted | {"stage": "stability"})
    assert (other.status_code, other.json()["code"]) == (404, "BQC-OOS-016")
    opened = site.send(ANA, "POST", "/investigations", json=wanted)
    assert opened.status_code == 201
    assert opened.json()["number"] == OOS
    assert opened.json()["sentence"].endswith("opened by hand: Measured twice by mistake")
    again = site.send(ANA, "POST", "/investigations", json=wanted)
    assert (again.status_code, again.json()["code"]) == (409, "BQC-OOS-017")
