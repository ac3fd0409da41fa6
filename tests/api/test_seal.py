"""A lot is released when its decision commits, whatever becomes of the document (design, 6)."""

import pytest

from tests.api.conftest import Site, signed
from tests.api.test_refusals import is_problem
from tests.records.house import AUD, LOT, QA1

RELEASE = f"/lots/{LOT}/disposition"


def released(site: Site) -> str:
    """Release while the seal does not work; the number of the certificate that waits."""
    answer = site.send(QA1, "POST", RELEASE, json=signed(QA1, decision="released"))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["disposition"], told["certificate"]["status"]) == ("released", "pending")
    assert site.get(AUD, f"/lots/{LOT}")["disposition"] == "released"
    return str(told["certificate"]["number"])


def test_a_seal_that_cannot_be_read_leaves_the_lot_released_and_its_certificate_pending(site: Site):
    site.house.ready()
    hidden = site.keys.seal_p12.rename(site.keys.seal_p12.with_suffix(".away"))
    try:
        number = released(site)
        is_problem(site.send(QA1, "POST", f"/certificates/{number}/issue"), 503, "BQC-CRT-010")
    finally:
        hidden.rename(site.keys.seal_p12)
    issued = site.send(QA1, "POST", f"/certificates/{number}/issue")
    assert (issued.status_code, issued.json()["status"]) == (201, "issued")
    again = site.send(QA1, "POST", f"/certificates/{number}/issue")
    assert again.json() == issued.json()
    assert site.house.verify().problems == ()


def test_an_unforeseen_error_after_the_commit_does_not_deny_the_release(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> bytes:
        raise RuntimeError("the font is gone")

    site.house.ready()
    with monkeypatch.context() as patch:
        patch.setattr("batchqc.actions.certificates.make_document", broken)
        number = released(site)
    issued = site.send(QA1, "POST", f"/certificates/{number}/issue")
    assert issued.json()["status"] == "issued"


def test_a_request_with_its_key_again_seals_what_was_pending(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> bytes:
        raise RuntimeError("the font is gone")

    site.house.ready()
    key, body = {"Idempotency-Key": "release-0012"}, signed(QA1, decision="released")
    with monkeypatch.context() as patch:
        patch.setattr("batchqc.actions.certificates.make_document", broken)
        first = site.send(QA1, "POST", RELEASE, json=body, headers=key).json()
    again = site.send(QA1, "POST", RELEASE, json=body, headers=key).json()
    assert first["certificate"]["status"] == "pending"
    assert again["certificate"]["status"] == "issued"
    assert again["signature"] == first["signature"]
    assert len(site.house.study().dispositions) == 1
