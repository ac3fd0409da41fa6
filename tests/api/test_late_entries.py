"""Stops of the system, late entries and blank forms over the API."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from batchqc.actions.certificates import content_of_certificate, the_certificate
from tests.actions.test_late_entries import BEGAN, ENDED, at
from tests.api.conftest import Site, signed
from tests.records.house import AUD, LOT, QA1, QA2, QA3, REV, results


def sign(site: Site, user_id: str, path: str, **sent: object) -> dict:
    answer = site.send(user_id, "POST", path, json=signed(user_id) | sent)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.requirement("1.40", "1.62", "1.69")
def test_a_release_on_paper_is_entered_and_shown_with_both_times(site: Site):
    assert sign(site, QA3, "/system-stops", began=BEGAN)["ended"] == ""
    assert sign(site, QA3, "/system-stops/1/end", ended=ENDED)["number"] == 2
    first = site.get(AUD, "/system-stops?limit=1")
    assert [(one["stop"], one["number"]) for one in first["items"]] == [(1, 1)]
    (second,) = site.get(AUD, f"/system-stops?after={first['next']}")["items"]
    assert (second["ended"], second["signature"]["user_id"]) == (ENDED, QA3)

    assert site.house.upload(results()).accepted
    sign(site, REV, f"/lots/{LOT}/review", happened_at=at(1), paper="F-12")
    sign(site, REV, f"/lots/{LOT}/qc-review", happened_at=at(2), paper="F-12")
    site.house.read_trail(by=QA2)
    release = signed(QA1) | {"decision": "released", "paper": "F-12"}
    refused = site.send(
        QA1, "POST", f"/lots/{LOT}/disposition", json=release | {"happened_at": at(1)}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "BQC-LAT-001")
    assert all(" is before " in one for one in refused.json()["reasons"])
    decided = sign(
        site, QA1, f"/lots/{LOT}/disposition", decision="released", happened_at=at(3), paper="F-12"
    )
    assert decided["signature"]["happened_at"] == at(3)
    assert decided["signature"]["paper"] == "F-12"
    assert decided["signature"]["signed_at"] > at(3)
    with site.house.reading() as session:
        row = the_certificate(session, decided["certificate"]["number"])
        content = content_of_certificate(site.house.archive, row)
    (released,) = [one for one in content["signatures"] if one["user_id"] == QA1]
    assert (released["happened"]["utc"], released["paper"]) == (
        "2026-06-01T08:00:00.000000Z", "F-12",
    )  # fmt: skip


@pytest.mark.requirement("1.40")
def test_a_stop_that_was_not_is_withdrawn(site: Site):
    sign(site, QA3, "/system-stops", began=BEGAN, ended=ENDED)
    withdrawn = sign(site, QA2, "/system-stops/1/withdrawal")
    assert (withdrawn["number"], withdrawn["began"], withdrawn["ended"]) == (2, "", "")
    again = site.send(QA2, "POST", "/system-stops/1/withdrawal", json=signed(QA2))
    assert (again.status_code, again.json()["code"]) == (409, "BQC-LAT-007")


@pytest.mark.requirement("1.40")
def test_a_blank_form_can_be_printed_for_every_lot(site: Site):
    answer = site.send(AUD, "GET", f"/lots/{LOT}/form")
    assert answer.headers["content-type"] == "application/pdf"
    (page,) = PdfReader(BytesIO(answer.content)).pages
    text = " ".join(page.extract_text().split())
    assert f"Blank form: lot {LOT}" in text
    for gate in site.get(AUD, f"/lots/{LOT}/readiness")["gates"]:
        assert f"{gate['name']} {'open' if gate['is_open'] else 'CLOSED'}" in text
