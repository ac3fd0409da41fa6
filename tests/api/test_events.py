"""Events and webhooks over HTTP."""

import pytest

from batchqc.records import lots_at_work
from tests.actions.state import counts, grown
from tests.actions.test_open_work import register
from tests.api.conftest import Site
from tests.api.test_refusals import is_problem
from tests.records.house import ADM, AUD, LOT, QA1

HOOK = {"name": "erp", "url": "https://erp.example/in", "kinds": ["lot.*"]}


def test_events_are_pulled_by_kind_and_by_record_without_a_gap(site: Site):
    site.house.ready()
    site.house.release()
    whole = site.get(AUD, "/events?limit=200")["items"]
    assert [one["number"] for one in whole] == list(range(1, len(whole) + 1))
    (released,) = site.get(AUD, "/events?kind=lot.released")["items"]
    assert released == whole[-1]
    about = site.get(AUD, f"/events?subject=lot:{LOT}&kind=lot.*")["items"]
    assert [one["kind"] for one in about] == [
        "lot.registered", "lot.samples_registered", "lot.reviewed_by_qc",
        "lot.audit_trail_reviewed", "lot.released",
    ]  # fmt: skip
    place = released["entry"]["sequence"] - 1
    (entry,) = site.get(AUD, f"/audit?after={place}&limit=1")["items"]
    assert entry["sha256"] == released["id"] == released["entry"]["sha256"]
    assert entry["entry"]["what"] == "lot released"


def test_a_webhook_is_registered_listed_and_ended(site: Site):
    told = site.send(ADM, "POST", "/webhooks", json=HOOK).json()
    assert (told["kinds"], told["ended"], len(told["secret"])) == (["lot.*"], False, 64)
    (listed,) = site.get(AUD, "/webhooks")["items"]
    assert listed == {key: value for key, value in told.items() if key != "secret"}
    assert site.get(AUD, "/webhooks/erp/deliveries") == {"items": [], "next": None}
    end = {"reason": "The receiver is gone"}
    assert site.send(ADM, "POST", "/webhooks/ERP/end", json=end).json()["ended"] is True
    is_problem(site.send(ADM, "POST", "/webhooks/erp/end", json=end), 409, "BQC-EVT-004")
    for path in ("/webhooks/none/deliveries", "/webhooks?after=none"):
        is_problem(site.send(AUD, "GET", path), 404, "BQC-EVT-003")
    for after in ("x", "1/x", "1", "99999999999/1"):
        answer = site.send(AUD, "GET", f"/webhooks/erp/deliveries?after={after}")
        is_problem(answer, 422, "BQC-API-007")


def test_a_wrong_webhook_is_refused_with_every_reason_and_only_for_administrators(site: Site):
    for who in (ADM, QA1):
        site.token(who)
    before = counts(site.house.engine)
    wrong = {"name": "e/r", "url": "http://10.0.0.1/", "kinds": ["lot.burnt"]}
    answer = site.send(ADM, "POST", "/webhooks", json=wrong)
    is_problem(answer, 422, "BQC-EVT-001")
    assert len(answer.json()["reasons"]) == 3
    is_problem(site.send(QA1, "POST", "/webhooks", json=HOOK), 403, "BQC-ACC-002")
    assert grown(site.house.engine, before) == {}


def test_open_work_is_asked_for_by_role_lot_and_day(site: Site):
    whole = site.get(AUD, "/open-work")["items"]
    assert {one["kind"] for one in whole} == {"result"}
    assert site.get(AUD, "/open-work?role=donor officer")["items"] == []
    assert site.get(AUD, f"/open-work?lot={LOT.lower()}&role=analyst")["items"] == whole
    (late,) = [one for one in site.get(AUD, "/open-work?overdue=true")["items"] if one["due"]]
    assert (late["what"], late["overdue"]) == ("STER: growth_14d (release)", True)
    assert late["link"] == f"/api/v1/lots/{LOT}/results"
    assert site.send(AUD, "GET", late["link"].removeprefix("/api/v1")).status_code == 200
    is_problem(site.send(AUD, "GET", "/open-work?after=x"), 422, "BQC-API-007")
    is_problem(site.send(AUD, "GET", "/open-work?lot=MSC-26-9999"), 404, "BQC-REG-012")
    is_problem(site.send(AUD, "GET", "/open-work?kind=rest"), 422, "BQC-API-001")


def test_open_work_of_many_lots_is_told_page_by_page(site: Site, monkeypatch: pytest.MonkeyPatch):
    for n in range(3):
        register(site.house, f"MSC-26-08{n:02}")
    whole = site.get(AUD, "/open-work?limit=200")["items"]
    monkeypatch.setattr(lots_at_work, "LOTS_AT_ONCE", 2)
    found, after = [], ""
    while after is not None:
        page = site.get(AUD, "/open-work", params={"limit": 5, "after": after})
        assert len({one["lot"] for one in page["items"]}) <= 2
        found += page["items"]
        after = page["next"]
    assert sorted(found, key=str) == sorted(whole, key=str)
    assert len(found) == 4 * 7
