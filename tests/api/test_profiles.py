"""Profiles over HTTP: imported, approved, and a file of an instrument read by one."""

from tests.actions.test_profiles import COUNTER, COUNTS
from tests.api.conftest import Site, signed
from tests.records.house import ANA, AUD, QA1, SAMPLES, SPEC

STATED = {
    "stated": ["measured_at=2025-05-20T10:00:00-05:00", f"analyst={ANA}", "run_id=VCB-1"],
    "sample": [f"CLB001={SAMPLES[0]}"],
}
CSV = {"content-type": "text/csv"}


def test_a_profile_goes_from_its_file_to_a_reading(site: Site):
    added = site.send(SPEC, "POST", "/profiles?file=counter.toml", content=COUNTER)
    assert added.status_code == 201, added.text
    assert (added.json()["id"], added.json()["approved_by"]) == ("SITE-COUNTER", "")
    params = {"file": "counts.csv", "profile": "SITE-COUNTER"} | STATED
    early = site.send(ANA, "POST", "/uploads", params=params, content=COUNTS, headers=CSV)
    assert (early.status_code, early.json()["code"]) == (404, "BQC-PRF-006")
    path = "/profiles/SITE-COUNTER/1"
    approved = site.send(QA1, "POST", f"{path}/approval", json=signed(QA1))
    assert (approved.status_code, approved.json()["approved_by"]) == (201, QA1)
    seen = site.get(AUD, path)
    assert (seen["layout"], seen["asks"]) == ("table", ["measured_at", "analyst", "run_id"])
    assert site.send(AUD, "GET", f"{path}/file").content == COUNTER
    assert [one["version"] for one in site.get(AUD, "/profiles")["items"]] == [1]
    preview = site.send(
        ANA, "POST", "/uploads", params=params | {"dry_run": True}, content=COUNTS, headers=CSV
    )
    assert (preview.status_code, preview.json()["accepted"]) == (200, True)
    done = site.send(ANA, "POST", "/uploads", params=params, content=COUNTS, headers=CSV)
    assert (done.status_code, done.json()["results"]) == (201, 1)
    upload = site.get(AUD, f"/uploads/{done.json()['number']}")
    assert (upload["profile"], upload["contract"]) == (
        "SITE-COUNTER v1", "profile SITE-COUNTER v1",
    )  # fmt: skip


def test_what_is_stated_badly_is_refused_whole(site: Site):
    for text in ("analyst", "=jdoe", "analyst="):
        params = {"file": "x.csv", "stated": text}
        answer = site.send(ANA, "POST", "/uploads", params=params, content=COUNTS, headers=CSV)
        assert (answer.status_code, answer.json()["code"]) == (422, "BQC-API-010")
    twice = {"file": "x.csv", "stated": ["run_id=A-1", "run_id=A-2"]}
    answer = site.send(ANA, "POST", "/uploads", params=twice, content=COUNTS, headers=CSV)
    assert answer.json()["code"] == "BQC-API-010"
    assert site.get(AUD, "/uploads")["items"] == []
