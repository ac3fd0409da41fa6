"""Layouts and renditions over HTTP: from a file to what a recipient gets."""

from tests.actions.test_renditions import CLINIC
from tests.api.conftest import Site, signed
from tests.api.test_refusals import is_problem
from tests.records.house import ANA, AUD, LOT, QA1, SPEC
from tests.records.layouts import FOR_CLINIC, LAYOUT

NUMBER = "COA-2026-000001"
#: The specification of the house requires everything.
COMPLETE = FOR_CLINIC.replace(b'withhold = ["ido"]\n', b"")


def adopt(site: Site, data: bytes, layout: str) -> None:
    added = site.send(SPEC, "POST", "/layouts?file=l.toml", content=data)
    assert added.status_code == 201, added.text
    assert (added.json()["id"], added.json()["submitted_by"]) == (layout, "")
    path = f"/layouts/{layout}/1"
    early = site.send(QA1, "POST", f"{path}/approval", json=signed(QA1))
    is_problem(early, 409, "BQC-LAY-006")
    submitted = site.send(SPEC, "POST", f"{path}/submission")
    assert (submitted.status_code, submitted.json()["submitted_by"]) == (201, SPEC)
    wrong = signed(QA1) | {"password": "wrong"}
    assert site.send(QA1, "POST", f"{path}/approval", json=wrong).status_code == 403
    approved = site.send(QA1, "POST", f"{path}/approval", json=signed(QA1))
    assert (approved.status_code, approved.json()["approved_by"]) == (201, QA1)


def release(site: Site) -> None:
    """Under layouts of the site and of a clinic."""
    site.house.ready()
    adopt(site, LAYOUT, "COA-DE")
    adopt(site, COMPLETE, "COA-CLINIC")
    released = site.send(
        QA1, "POST", f"/lots/{LOT}/disposition", json=signed(QA1, decision="released")
    )
    assert released.json()["certificate"]["status"] == "issued"


def test_a_recipient_gets_a_rendition_of_a_certificate_in_the_layout_of_the_site(site: Site):
    release(site)
    seen = site.get(AUD, "/layouts/COA-CLINIC/1")
    assert (seen["language"], seen["paper"], seen["recipient"]) == ("de", "Letter", CLINIC)
    assert seen["titles"]["ido"] == "IDO-Aktivität"
    assert site.send(AUD, "GET", "/layouts/COA-DE/1/file").content == LAYOUT
    assert [one["id"] for one in site.get(AUD, "/layouts")["items"]] == ["COA-DE", "COA-CLINIC"]
    assert site.get(AUD, f"/certificates/{NUMBER}")["content"]["layout"]["id"] == "COA-DE"
    path = f"/certificates/{NUMBER}/renditions"
    is_problem(site.send(QA1, "POST", path, json={"layout": "COA-NONE"}), 404, "BQC-LAY-008")
    is_problem(site.send(QA1, "POST", path, json={"layout": "COA-DE"}), 409, "BQC-LAY-011")
    is_problem(site.send(ANA, "POST", path, json={"layout": "COA-CLINIC"}), 403, "BQC-ACC-002")
    made = site.send(QA1, "POST", path, json={"layout": "COA-CLINIC"})
    assert made.status_code == 201, made.text
    assert (made.json()["recipient"], made.json()["made_by"]) == (CLINIC, QA1)
    assert site.send(QA1, "POST", path, json={"layout": "COA-CLINIC"}).json() == made.json()
    (listed,) = site.get(AUD, f"/renditions?certificate={NUMBER}")["items"]
    assert listed == made.json()
    named = f"{NUMBER}/COA-CLINIC/1"
    assert site.get(AUD, f"/renditions?after={named}")["items"] == []
    is_problem(site.send(AUD, "GET", "/renditions?after=none"), 422, "BQC-API-007")
    pdf = site.send(AUD, "GET", f"{path}/COA-CLINIC/1/pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    is_problem(site.send(AUD, "GET", f"{path}/COA-DE/1/pdf"), 404, "BQC-LAY-010")
    shown = site.send(AUD, "GET", f"/certificates/{NUMBER}/preview?layout=COA-DE&version=1")
    assert (shown.status_code, shown.content[:5]) == (200, b"%PDF-")
    assert shown.content != pdf.content
    assert site.house.verify().problems == ()


def test_what_is_decided_on_a_layout_is_compared_with_what_was_seen(site: Site):
    assert site.send(SPEC, "POST", "/layouts?file=l.toml", content=LAYOUT).status_code == 201
    seen = site.send(SPEC, "GET", "/layouts/COA-DE/1").headers["etag"]
    again = site.send(SPEC, "GET", "/layouts/COA-DE/1", headers={"If-None-Match": seen})
    assert again.status_code == 304
    path, match = "/layouts/COA-DE/1/submission", {"If-Match": seen}
    assert site.send(SPEC, "POST", path, headers=match).status_code == 201
    body = signed(QA1)
    late = site.send(QA1, "POST", "/layouts/COA-DE/1/approval", json=body, headers=match)
    assert late.status_code == 412
    bad = site.send(SPEC, "POST", "/layouts?file=l.toml", content=b"id = 1")
    is_problem(bad, 422, "BQC-LAY-001")
    assert len(bad.json()["reasons"]) > 4
