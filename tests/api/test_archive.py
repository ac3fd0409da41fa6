"""The archive through the running server: the rule, holds, what is due, disposal by two people."""

import hashlib
from datetime import UTC, datetime

import pytest

from batchqc.actions.scrubs import ScrubWanted, scrub
from batchqc.documents.archive import FolderArchive
from batchqc.errors import StoreUnavailable
from batchqc.records.transaction import SYSTEM
from tests.api.conftest import Site, signed
from tests.records.house import ADM, ANA, AUD, LOT, QA1, QA2, REV, results

DATA = results()
SHA256 = hashlib.sha256(DATA).hexdigest()
RULES, HOLDS, DISPOSALS = (f"/archive/{one}" for one in ("retention-rules", "holds", "disposals"))


@pytest.mark.requirement("10.03")
def test_a_rule_is_set_by_qa_and_says_until_when_raw_data_is_kept(site: Site):
    assert site.house.upload(DATA).accepted
    rule = signed(QA1, after_expiry=1, after_manufacture=0)
    assert site.send(QA1, "POST", RULES, json=rule).status_code == 201
    assert site.send(QA1, "POST", RULES, json=rule).json()["code"] == "BQC-RET-002"
    assert site.send(ADM, "POST", RULES, json=rule).status_code == 403
    (told,) = site.get(AUD, RULES)["items"]
    assert (told["number"], told["after_expiry"], told["set_by"]) == (1, 1, QA1)
    assert site.get(AUD, RULES, params={"after": "1"})["items"] == []
    (due,) = site.get(AUD, "/archive/due", params={"lot": LOT})
    assert (due["sha256"], due["kept_until"], due["lots"]) == (SHA256, "2028-05-18", [LOT])
    assert due["reasons"] == ["it is kept until 2028-05-18"]


@pytest.fixture
def late(site: Site) -> Site:
    """Years later: the raw data of the lot is due."""
    assert site.house.upload(DATA).accepted
    rule = signed(QA1, after_expiry=1, after_manufacture=0)
    assert site.send(QA1, "POST", RULES, json=rule).status_code == 201
    site.house.now.at = datetime(2029, 1, 1, 12, tzinfo=UTC)
    site.tokens.clear()
    return site


@pytest.mark.requirement("10.03")
def test_a_legal_hold_keeps_what_is_due(late: Site):
    laid = late.send(QA1, "POST", HOLDS, json=signed(QA1, lot=LOT))
    assert (laid.status_code, laid.json()["held_by"]) == (201, QA1)
    number = laid.json()["number"]
    kept = late.send(QA1, "POST", DISPOSALS, json=signed(QA1, lot=LOT)).json()
    assert (kept["code"], number in kept["reasons"][0]) == ("BQC-RET-005", True)
    ended = late.send(QA2, "POST", f"{HOLDS}/{number}/release", json=signed(QA2))
    assert (ended.status_code, ended.json()["released_by"]) == (201, QA2)
    assert late.get(REV, HOLDS)["items"] == [ended.json()]
    assert late.get(REV, HOLDS, params={"after": number})["items"] == []


def test_what_a_lot_that_never_expires_rests_on_is_kept_to_the_last_day(site: Site):
    lot = {"id": "MSC-26-0999", "product": "UC-MSC", "manufactured_on": "2025-05-19",
           "expires_on": "9999-12-31", "donors": ["DNR-UC-01"],
           "samples": [{"id": "MSC-26-0999-S01", "stage": "release", "container": "vial",
                        "taken_at": "2025-05-20T08:00:00-05:00"}]}  # fmt: skip
    assert site.send(ANA, "POST", "/lots", json=lot).status_code == 201
    assert site.house.upload(DATA.replace(LOT.encode(), b"MSC-26-0999")).accepted
    rule = signed(QA1, after_expiry=1, after_manufacture=30)
    assert site.send(QA1, "POST", RULES, json=rule).status_code == 201
    (due,) = site.get(QA1, "/archive/due", params={"lot": lot["id"]})
    assert due["kept_until"] == "9999-12-30"
    refused = site.send(QA1, "POST", DISPOSALS, json=signed(QA1, lot=lot["id"]))
    assert (refused.status_code, refused.json()["code"]) == (409, "BQC-RET-005")
    held = site.send(QA1, "POST", HOLDS, json=signed(QA1, lot=lot["id"]))
    assert held.status_code == 201


def test_a_hold_that_the_store_cannot_be_told_of_is_on_record_and_says_so(
    late: Site, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("BQC-ARC-006", "the store does not answer")

    monkeypatch.setattr(FolderArchive, "hold", away)
    laid = late.send(QA1, "POST", HOLDS, json=signed(QA1, lot=LOT))
    (held,) = late.get(REV, HOLDS)["items"]
    ended = late.send(QA2, "POST", f"{HOLDS}/{held['number']}/release", json=signed(QA2))
    for answer, what in ((laid, ""), (ended, "the release of ")):
        assert (answer.status_code, answer.json()["code"]) == (503, "BQC-ARC-006")
        said = f"{what}{held['number']} is on record and counts"
        assert answer.json()["detail"].startswith(said)
        assert "Do not ask for it again" in answer.json()["hint"]


@pytest.mark.requirement("1.68")
def test_raw_data_is_disposed_of_by_two_people(late: Site):
    asked = late.send(QA1, "POST", DISPOSALS, json=signed(QA1, lot=LOT)).json()
    path = f"{DISPOSALS}/{asked['number']}/approval"
    assert late.send(QA1, "POST", path, json=signed(QA1)).json()["code"] == "BQC-RET-007"
    wrong = late.send(QA2, "POST", path, json=signed(QA2) | {"password": "a guess"})
    assert wrong.status_code == 403
    assert late.house.archive.get(SHA256) == DATA
    keyed = {"Idempotency-Key": "the second person"}
    gone = late.send(QA2, "POST", path, json=signed(QA2), headers=keyed)
    assert gone.status_code == 201, gone.text
    assert (gone.json()["approved_by"], gone.json()["objects"]) == (QA2, [SHA256])
    assert late.send(QA2, "POST", path, json=signed(QA2), headers=keyed).json() == gone.json()
    assert late.get(REV, DISPOSALS)["items"] == [gone.json()]
    assert late.get(REV, "/archive/due", params={"lot": LOT}) == []
    raw = late.send(REV, "GET", "/uploads/U-2026-000001/file")
    assert (raw.status_code, raw.json()["code"]) == (410, "BQC-ARC-005")
    assert "by qa1 and qa2" in raw.json()["detail"]


def test_what_the_store_cannot_remove_was_disposed_of_all_the_same(
    late: Site, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("BQC-ARC-006", "the store does not answer")

    asked = late.send(QA1, "POST", DISPOSALS, json=signed(QA1, lot=LOT)).json()
    path = f"{DISPOSALS}/{asked['number']}/approval"
    keyed = {"Idempotency-Key": "the second person"}
    with monkeypatch.context() as patched:
        patched.setattr(FolderArchive, "dispose", away)
        kept = late.send(QA2, "POST", path, json=signed(QA2), headers=keyed)
    assert (kept.status_code, kept.json()["code"]) == (409, "BQC-RET-020")
    assert kept.json()["reasons"] == [f"{SHA256}: the store does not answer"]
    assert "finish-disposals" in kept.json()["hint"]
    gone = late.send(QA2, "POST", path, json=signed(QA2), headers=keyed)
    assert (gone.status_code, gone.json()["approved_by"]) == (201, QA2)
    assert late.house.archive.tombstone(SHA256) is not None


@pytest.mark.requirement("1.41")
def test_scrubs_and_damage_are_listed_with_the_lots(site: Site):
    house = site.house
    assert house.upload(DATA).accepted
    assert site.get(AUD, "/archive/damage") == {"items": [], "next": None}
    place = house.archive.root / SHA256[:2] / SHA256
    place.unlink()
    parts = scrub(house.engine, house.archive, ScrubWanted(), actor=SYSTEM, clock=house.now)
    assert next(parts).finished
    (found,) = site.get(AUD, "/archive/damage")["items"]
    assert (found["sha256"], found["problem"], found["lots"]) == (SHA256, "missing", [LOT])
    (told,) = site.get(AUD, "/archive/scrubs")["items"]
    assert (told["number"], told["part"], told["found"], told["finished"]) == (1, 1, 1, True)
    assert site.get(AUD, "/archive/scrubs", params={"after": "1/1"})["items"] == []
    absent = site.send(AUD, "GET", "/archive/scrubs", params={"after": "x"})
    assert (absent.status_code, absent.json()["code"]) == (422, "BQC-API-007")
    (work,) = site.get(QA1, "/open-work", params={"kind": "archive"})["items"]
    assert (work["lot"], work["roles"]) == (LOT, ["QA"])
