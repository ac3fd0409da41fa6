"""Jobs over HTTP: asked for once, followed by their address, and seen only by some."""

import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from batchqc.actions.job_kinds import DOINGS
from batchqc.actions.job_runs import Run, do_job, due_numbers
from batchqc.api.workshops import workshop_of
from batchqc.core.jobs import Kind
from batchqc.documents.bundle.verify_bundle import main
from batchqc.errors import Conflict
from tests.api.conftest import Site
from tests.api.test_exports import issued  # noqa: F401 - a fixture
from tests.api.test_refusals import is_problem
from tests.records.house import ADM, ANA, AUD, LOT, PRODUCT, QA1, SPEC

MAY = {"product": PRODUCT, "first": "2025-05-01", "last": "2025-05-31"}


def work_off(site: Site) -> None:
    """As ``batchqc worker --once`` does it."""
    shop = workshop_of(site.app.state.door)
    for number in due_numbers(shop):
        do_job(shop, DOINGS, number)


def test_a_bundle_is_asked_for_followed_and_taken_as_often_as_one_likes(
    issued: Site,  # noqa: F811
    tmp_path: Path,
):
    asked = issued.send(AUD, "POST", "/jobs/bundles", json={"lots": [LOT]})
    assert asked.status_code == 202, asked.text
    address = asked.headers["location"].removeprefix("/api/v1")
    assert issued.get(AUD, address)["state"] == "queued"
    is_problem(issued.send(AUD, "GET", f"{address}/result"), 404, "BQC-JOB-007")
    work_off(issued)
    done = issued.get(AUD, address)
    assert (done["state"], done["done"], done["total"]) == ("done", 1, 1)
    assert json.loads(done["wanted"])["lots"] == [LOT]
    sent = [issued.send(AUD, "GET", done["result"]).content for _ in range(2)]
    assert sent[0] == sent[1]
    with zipfile.ZipFile(BytesIO(sent[0])) as file:
        file.extractall(tmp_path)
    assert main([str(tmp_path / "batchqc-bundle"), "--root", str(issued.keys.root_pem)]) == 0
    is_problem(issued.send(SPEC, "GET", address), 403, "BQC-JOB-003")
    is_problem(issued.send(SPEC, "GET", done["result"]), 403, "BQC-ACC-002")
    assert issued.get(ADM, address)["state"] == "done"
    is_problem(issued.send(ADM, "GET", done["result"]), 403, "BQC-ACC-002")  # who may not export
    assert issued.get(SPEC, "/jobs")["items"] == []
    assert [one["number"] for one in issued.get(ADM, "/jobs")["items"]] == [done["number"]]


def test_what_cannot_be_done_is_refused_when_it_is_asked_for(site: Site):
    future = MAY | {"last": "2099-01-01"}
    for who, path, body, status, code in (
        (AUD, "bundles", {}, 404, "BQC-LOG-013"),
        (QA1, "quality-reviews", future, 422, "BQC-PQR-001"),
        (QA1, "quality-reviews", MAY | {"product": "NONE"}, 404, "BQC-REG-010"),
        (SPEC, "impact-reports", {"specification": "NONE", "version": 1}, 404, "BQC-SPC-006"),
        (ANA, "certificate-issues", None, 403, "BQC-ACC-002"),
        (QA1, "archive-scrubs", {"sample": -1}, 422, "BQC-API-001"),
    ):
        refused = site.send(who, "POST", f"/jobs/{path}", json=body)
        assert (refused.status_code, refused.json()["code"]) == (status, code), path
    assert site.get(QA1, "/jobs")["items"] == []


def test_one_key_makes_one_job_and_all_kinds_come_to_an_end(site: Site):
    site.house.ready()
    site.house.release()
    keyed = {"Idempotency-Key": "the review of May"}
    asked = [
        site.send(QA1, "POST", "/jobs/quality-reviews", json=MAY, headers=keyed) for _ in range(2)
    ]
    assert asked[0].json() == asked[1].json()
    assert asked[0].headers["location"] == asked[1].headers["location"]
    impact = {"specification": "UC-MSC-REL", "version": 1}
    for path, body in (
        ("certificate-issues", None), ("certificate-renewals", {}), ("archive-scrubs", {}),
        ("impact-reports", impact),
    ):  # fmt: skip
        assert site.send(QA1, "POST", f"/jobs/{path}", json=body).status_code == 202
    work_off(site)
    first = site.get(QA1, "/jobs?limit=3")
    rest = site.get(QA1, f"/jobs?limit=3&after={first['next']}")
    found = [*first["items"], *rest["items"]]
    assert [one["number"][-1] for one in found] == ["5", "4", "3", "2", "1"]
    assert {one["kind"]: one["said"] for one in found if one["state"] != "done"} == {}
    for one in found:
        if one["result"].startswith("/quality-reviews"):
            assert site.get(QA1, one["result"])["made_by"] == QA1


def test_processes_of_two_containers_that_are_called_alike_are_told_apart(site: Site):
    asked = site.send(QA1, "POST", "/jobs/quality-reviews", json=MAY).json()["number"]
    one, other = (workshop_of(site.app.state.door) for _ in range(2))

    def fails(_: Run) -> None:
        with pytest.raises(KeyboardInterrupt):  # the other takes it over, and is at it
            do_job(other, {Kind.QUALITY_REVIEW: stays}, asked)
        raise Conflict("BQC-X", "its host was cut off")

    def stays(_: Run) -> None:
        raise KeyboardInterrupt

    do_job(one, {Kind.QUALITY_REVIEW: fails}, asked)
    assert site.get(QA1, f"/jobs/{asked}")["state"] == "running"


def test_a_failed_job_is_tried_again_or_closed_with_a_reason(site: Site):
    asked = site.send(QA1, "POST", "/jobs/quality-reviews", json=MAY).json()["number"]
    early = site.send(ADM, "POST", f"/jobs/{asked}/retry", json={"reason": "Too early"})
    is_problem(early, 409, "BQC-JOB-004")

    def fails(_: Run) -> None:
        raise Conflict("BQC-ARC-014", "another scrub goes on at the same time")

    do_job(workshop_of(site.app.state.door), {Kind.QUALITY_REVIEW: fails}, asked)
    waiting = site.get(ADM, "/open-work?kind=job")["items"]
    assert [one["link"] for one in waiting] == [f"/api/v1/jobs/{asked}"]
    again = site.send(ADM, "POST", f"/jobs/{asked}/retry", json={"reason": "It has ended"})
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    do_job(workshop_of(site.app.state.door), {Kind.QUALITY_REVIEW: fails}, asked)
    closed = site.send(ADM, "POST", f"/jobs/{asked}/closing", json={"reason": "Asked anew"})
    assert (closed.status_code, closed.json()["state"]) == (201, "closed")
    assert site.get(ADM, "/open-work?kind=job")["items"] == []
