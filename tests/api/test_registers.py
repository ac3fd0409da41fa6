"""People, products, donors, samples and specifications: what stands before any result."""

import tomllib

import pytest

from batchqc.settings import bundled
from tests.api.conftest import Site, signed
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    DON,
    LABORATORY,
    LOT,
    PEOPLE,
    QA1,
    QA2,
    REV,
    SITE_ZONE,
    SPEC,
    SPECIFICATION_FILE,
)

FIRST = "chosen for a start 1"


def specification(version: int, effective: str) -> bytes:
    text = (bundled("specs") / SPECIFICATION_FILE).read_text()
    old = tomllib.loads(text)
    return (
        text.replace(f"version   = {old['version']}", f"version   = {version}", 1)
        .replace(f"effective = {old['effective']}", f"effective = {effective}", 1)
        .encode()
    )


def test_who_the_site_is_and_whether_it_works_is_told(site: Site):
    assert site.http.get("/health").json() == {"status": "ok"}
    told = site.get(AUD, "/site")
    assert told == {
        "name": "Lakeside Cell Therapy", "address": ["1 Pier", "Chicago"],
        "time_zone": SITE_ZONE, "series": "COA", "specimen": "",
    }  # fmt: skip


def test_a_person_is_registered_signs_in_with_the_first_password_and_is_told_to_change_it(
    site: Site,
):
    body = {"user_id": "new.one", "name": "New One", "roles": ["QA"], "password": FIRST}
    made = site.send(ADM, "POST", "/people", json=body)
    assert made.status_code == 201
    assert made.json() == {
        "user_id": "new.one", "name": "New One", "is_laboratory": False, "is_active": True,
        "roles": ["QA"],
    }  # fmt: skip
    begun = site.http.post("/session", json={"user_id": "new.one", "password": FIRST})
    assert begun.json()["must_change_password"] is True
    assert FIRST not in made.text + begun.text
    old = site.http.post("/session", json={"user_id": ANA, "password": "correct horse 1"})
    assert old.json()["must_change_password"] is False


def test_a_role_counts_from_the_next_request_on_and_no_longer_once_withdrawn(site: Site):
    upload = {"params": {"file": "r.csv", "dry_run": "true"}, "content": b"x"}
    change = {"role": "analyst", "reason": "Stands in for a colleague"}
    assert site.send(REV, "POST", "/uploads", **upload).status_code == 403
    granted = site.send(ADM, "POST", f"/people/{REV}/roles", json=change)
    assert (granted.status_code, granted.json()["roles"]) == (201, ["analyst", "reviewer"])
    assert site.send(REV, "POST", "/uploads", **upload).status_code == 200
    site.send(ADM, "POST", f"/people/{REV}/roles", json=change | {"granted": False})
    assert site.send(REV, "POST", "/uploads", **upload).status_code == 403
    about = site.get(AUD, f"/audit?subject=person:{REV}&what=role withdrawn")["items"]
    assert [one["entry"]["why"] for one in about] == ["Stands in for a colleague"]


def test_a_laboratory_is_registered(site: Site):
    body = {"user_id": "lab.two", "name": "Second Laboratory"}
    made = site.send(ADM, "POST", "/laboratories", json=body)
    assert (made.status_code, made.json()["is_laboratory"]) == (201, True)
    again = site.send(ADM, "POST", "/laboratories", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "BQC-ACC-006")


def test_a_product_is_registered_once(site: Site):
    body = {"code": "AD-MSC", "name": "Adipose MSC", "form": "Suspension", "storage": "-150 °C"}
    made = site.send(QA1, "POST", "/products", json=body)
    assert (made.status_code, made.json()) == (201, body)
    assert site.get(AUD, "/products")["items"][-1] == body
    assert site.send(QA1, "POST", "/products", json=body).status_code == 409


def test_a_donor_is_registered_and_determined_to_be_eligible(site: Site):
    body = {"code": "DNR-UC-02", "tissue_source": "umbilical cord"}
    made = site.send(DON, "POST", "/donors", json=body)
    assert (made.status_code, made.json()["eligibility"]) == (201, "")
    determination = signed(DON, eligible=False, basis="Screening is not complete")
    path = "/donors/DNR-UC-02/eligibility"
    assert site.send(DON, "POST", path, json=determination).json()["eligibility"] == "ineligible"
    later = determination | {"eligible": True, "basis": "Screening is complete"}
    assert site.send(DON, "POST", path, json=later).status_code == 201
    assert site.get(AUD, "/donors/dnr-uc-02")["eligibility"] == "eligible"
    assert len(site.get(AUD, "/donors")["items"]) == 2


def test_a_sample_is_added_to_a_lot(site: Site):
    sample = {
        "id": f"{LOT}-S09", "stage": "stability", "container": "cryovial",
        "taken_at": "2025-05-21T08:00:00.5-05:00",
    }  # fmt: skip
    made = site.send(ANA, "POST", f"/lots/{LOT}/samples", json={"samples": [sample]})
    assert made.status_code == 201, made.text
    assert site.get(AUD, f"/lots/{LOT}")["samples"][-1] == sample


def approvable(site: Site, path: str) -> dict[str, str]:
    """Bring a draft to where it can be approved; each step before is refused."""
    assert site.get(AUD, path)["state"] == "draft"
    early = site.send(QA1, "POST", f"{path}/approval", json=signed(QA1) | {"impact": ""})
    assert (early.status_code, early.json()["code"]) == (409, "BQC-SPC-011")
    assert site.send(SPEC, "POST", f"{path}/submission").json()["state"] == "in review"
    blind = site.send(QA1, "POST", f"{path}/approval", json=signed(QA1) | {"impact": ""})
    assert (blind.status_code, blind.json()["code"]) == (409, "BQC-SPC-015")
    impact = site.send(QA1, "POST", f"{path}/impact")
    assert impact.status_code == 201, impact.text
    seen = {"impact": impact.json()["sha256"]}
    assert site.get(AUD, f"{path}/impact") == impact.json()
    assert site.send(AUD, "GET", f"{path}/impact/pdf").content.startswith(b"%PDF")
    return seen


@pytest.mark.requirement("1.19")
def test_a_specification_is_imported_by_one_person_and_approved_by_another(site: Site):
    data = specification(2, "2026-05-01")
    made = site.send(SPEC, "POST", "/specifications?file=v2.toml", content=data)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["version"], told["effective"], told["approved_by"]) == (2, "2026-05-01", "")
    viability = next(one for one in told["criteria"] if one["id"] == "viability")
    assert (viability["acceptance"], viability["unit"]) == ("> 90 %", "%")
    path = "/specifications/UC-MSC-REL/2"
    assert site.send(AUD, "GET", f"{path}/file").content == data
    seen = approvable(site, path)
    approved = site.send(QA1, "POST", f"{path}/approval", json=signed(QA1) | seen)
    assert approved.status_code == 201, approved.text
    assert approved.json()["state"] == "effective"
    assert site.get(AUD, path)["approved_by"].startswith("Qa1")
    again = site.send(QA2, "POST", f"{path}/approval", json=signed(QA2) | seen)
    assert (again.status_code, again.json()["code"]) == (409, "BQC-SPC-003")
    (first,) = site.get(AUD, "/specifications?limit=1")["items"]
    assert first["version"] == 1
    assert first["state"] == "superseded"
    assert site.get(AUD, "/specifications?after=UC-MSC-REL/1")["items"][0]["version"] == 2
    withdrawal = signed(QA1) | {"from_day": "2099-01-01"}
    withdrawn = site.send(QA1, "POST", f"{path}/withdrawal", json=withdrawal)
    assert withdrawn.status_code == 201, withdrawn.text
    assert withdrawn.json()["state"] == "effective"


def test_a_specification_with_several_errors_is_refused_with_all_of_them(site: Site):
    data = specification(2, "2026-05-01").replace(b"unit", b"unti").replace(b'"> 90"', b'"over 90"')
    refused = site.send(SPEC, "POST", "/specifications?file=v2.toml", content=data)
    assert (refused.status_code, refused.json()["code"]) == (422, "BQC-SPC-001")
    assert len(refused.json()["reasons"]) > 2
    assert len(site.get(AUD, "/specifications")["items"]) == 1


def test_a_list_is_walked_page_by_page_without_loss(site: Site):
    everyone, after = [], ""
    while after is not None:
        page = site.get(AUD, f"/people?limit=3&after={after}")
        assert len(page["items"]) <= 3
        everyone += [one["user_id"] for one in page["items"]]
        after = page["next"]
    assert sorted(everyone) == sorted([*PEOPLE, LABORATORY])
