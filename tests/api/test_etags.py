"""ETags: a decision is made on what was seen, or it is refused and told what changed since."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import httpx
import pytest

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.laboratory import register_training, set_rule
from batchqc.actions.specifications import withdraw_specification
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from tests.actions.correcting import decide, request
from tests.actions.state import counts, grown
from tests.api.conftest import Site, signed
from tests.api.test_genealogy import BANK, posted
from tests.api.test_refusals import is_problem
from tests.records.donors import DIN, consent, determine, donate, take_tests
from tests.records.genealogy import donate as donate_for_bank
from tests.records.house import (
    ANA,
    AUD,
    DON,
    DONOR,
    EXPIRES_ON,
    LOT,
    QA1,
    QA2,
    REV,
    House,
    results,
    signing,
)  # fmt: skip

RELEASE = f"/lots/{LOT}/disposition"


def tag(site: Site, path: str) -> str:
    answer = site.send(QA2, "GET", path)  # an auditor's time ends before the lot expires
    assert answer.status_code == 200, answer.text
    found = answer.headers["etag"]
    assert found.startswith('"')
    return found


def state(site: Site, path: str = f"/lots/{LOT}") -> str:
    return tag(site, path).split("-")[1]  # the state; behind it follows the answer itself


def eligibility(house: House) -> None:
    with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
        determine_eligibility(
            tx,
            house.archive,
            NewDetermination(DONOR, "Late seroconversion", eligible=False),
            credentials=signing(DON),
        )


def withdrawal(house: House) -> None:
    with house.acting(QA1, Permission.APPROVE_SPECIFICATION) as tx:
        withdraw_specification(
            tx, specification="UC-MSC-REL", version=1, from_day=date(2030, 1, 1),
            credentials=signing(QA1, "Replaced by another test"),
        )  # fmt: skip


def correction(house: House) -> None:
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        number = request_correction(
            tx, subject=f"lot:{LOT}", field="expires_on", after="2027-05-17", reason="Misread label"
        ).natural_key
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decide_correction(tx, house.archive, number=number, approve=False, credentials=signing(QA2))


def expiry(house: House) -> None:
    house.now.at += EXPIRES_ON + timedelta(days=2) - house.now.at.date()


def training(house: House) -> None:
    with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:
        register_training(
            tx, person=ANA, method="SOP-QC-014", trained_on=date(2020, 1, 1),
            expires_on=date(2021, 1, 1), reason="",
        )  # fmt: skip
    with house.acting(QA1, Permission.SET_REGISTER_RULE) as tx:
        set_rule(tx, register=Register.TRAINING, rule=Rule.FLAG, reason="From the audit on")


CHANGES: dict[str, Callable[[House], Any]] = {
    "a donor's eligibility": eligibility,
    "a version that is withdrawn": withdrawal,
    "a correction": correction,
    "a file": lambda house: house.upload(results()),
    "a file over a reviewed run": lambda house: (house.ready(), house.upload(results(CD73="96"))),
    "the day of expiry": expiry,
    "a register and its rule": training,
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_tag_of_a_lot_changes_with_what_a_decision_rests_on(site: Site, what: str):
    if what == "a register and its rule":
        site.house.upload(results())
    before = state(site)
    assert state(site, f"/lots/{LOT}/readiness") == before
    CHANGES[what](site.house)
    if what == "the day of expiry":
        site.tokens.clear()
    assert state(site) != before


def test_the_tag_of_a_lot_stays_while_others_work(site: Site):
    before = state(site)
    site.send(ANA, "POST", "/lots", json={
        "id": "MSC-26-0777", "product": "UC-MSC", "manufactured_on": "2025-05-19",
        "expires_on": "2027-05-18", "donors": [DONOR],
    })  # fmt: skip
    assert state(site) == before


def test_what_was_seen_already_is_not_sent_again(site: Site):
    for path in (f"/lots/{LOT}", f"/lots/{LOT}/readiness", f"/donors/{DONOR}"):
        seen = tag(site, path)
        again = site.send(AUD, "GET", path, headers={"If-None-Match": f'"1-{"0" * 64}", {seen}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"].partition("-")[2] == seen.partition("-")[2]
    site.house.upload(results())
    seen_before = {"If-None-Match": seen}
    assert site.send(AUD, "GET", f"/lots/{LOT}", headers=seen_before).status_code == 200


def test_what_no_decision_rests_on_is_sent_again_too_where_it_changed(site: Site):
    donate_for_bank(site.house)
    determine(site.house)
    posted(site, ANA, "/cell-banks", BANK)
    vial = {"id": f"{LOT}-V1", "kind": "vial", "filled": "1E7 cells", "place": "Tank 3"}
    posted(site, ANA, "/containers", {"of": LOT, "containers": [vial]})
    seen = tag(site, f"/lots/{LOT}")
    for path, body, name, found in (
        (f"/lots/{LOT}/origin", {"made_of": [BANK["id"]], "reason": "Found in the record"},
         "made_of", ["cell_bank:MCB-UC-01"]),
        ("/container-moves", {"containers": [vial["id"]], "status": "destroyed",
         "place": "Autoclave", "happened_at": "2025-05-21T09:30:00-05:00",
         "reason": "Broke in the tank"}, "overlays", ["depleted"]),
    ):  # fmt: skip
        posted(site, ANA, path, body)
        again = site.send(QA2, "GET", f"/lots/{LOT}", headers={"If-None-Match": seen})
        assert (again.status_code, again.json()[name]) == (200, found)
        seen = again.headers["etag"]
    again = site.send(QA2, "GET", f"/lots/{LOT}", headers={"If-None-Match": seen})
    assert again.status_code == 304
    described = site.app.openapi()["paths"]["/api/v1/lots/{lot}"]["get"]["responses"]
    assert "304" in described
    assert "ETag" in described["200"]["headers"]


def test_a_decision_on_what_has_changed_is_refused_and_tells_what_changed(site: Site):
    site.house.ready()
    seen = tag(site, f"/lots/{LOT}/readiness")
    eligibility(site.house)
    site.token(QA1)
    before = counts(site.house.engine)
    answer = site.send(
        QA1, "POST", RELEASE, json=signed(QA1, decision="released"), headers={"If-Match": seen}
    )
    is_problem(answer, 412, "BQC-API-020")
    assert [one.partition("): ")[2] for one in answer.json()["reasons"]] == [
        "lot held", "look-back started", "donor eligibility determined",
    ]  # fmt: skip
    assert grown(site.house.engine, before) == {}
    now = {"If-Match": tag(site, f"/lots/{LOT}")}
    body = signed(QA1, decision="rejected", reason="The donor is not eligible")
    assert site.send(QA1, "POST", RELEASE, json=body, headers=now).status_code == 201


def test_a_day_that_has_passed_is_told_though_nobody_did_anything(site: Site):
    site.house.ready()
    seen = tag(site, f"/lots/{LOT}")
    expiry(site.house)
    site.tokens.clear()
    body = signed(QA1, decision="released")
    answer = site.send(QA1, "POST", RELEASE, json=body, headers={"If-Match": seen})
    is_problem(answer, 412, "BQC-API-020")
    assert "the day" in answer.json()["reasons"][0]


@pytest.mark.parametrize("header", ["nonsense", 'W/"1-ab"', '"1-ab"', f'"1-{"0" * 64}', ","])
def test_what_is_no_tag_is_refused(site: Site, header: str):
    body = signed(QA1, decision="rejected")
    answer = site.send(QA1, "POST", RELEASE, json=body, headers={"If-Match": header})
    is_problem(answer, 422, "BQC-API-022")


def test_any_state_may_be_meant_and_no_comparison_is_promised_that_is_not_made(site: Site):
    product = {"code": "X-1", "name": "X", "form": "bag", "storage": "cold"}
    answer = site.send(QA1, "POST", "/products", json=product, headers={"If-Match": '"1-ab"'})
    is_problem(answer, 422, "BQC-API-021")
    body = signed(QA1, decision="rejected", reason="The bag was leaking")
    answer = site.send(QA1, "POST", RELEASE, json=body, headers={"If-Match": "*"})
    assert answer.status_code == 201


def test_an_answer_is_repeated_though_what_it_rested_on_has_changed(site: Site):
    headers = {"If-Match": tag(site, f"/lots/{LOT}"), "Idempotency-Key": "rejected-once-1"}
    body = signed(QA1, decision="rejected", reason="The bag was leaking")
    first = site.send(QA1, "POST", RELEASE, json=body, headers=headers)
    again = site.send(QA1, "POST", RELEASE, json=body, headers=headers)
    assert (first.status_code, first.text) == (again.status_code, again.text)
    assert first.status_code == 201


def race(site: Site, posts: dict[str, tuple[str, dict[str, Any]]], seen: str) -> list[int]:
    """What each person is answered who posts at one moment, having seen the same."""
    headers = {
        who: {"Authorization": f"Bearer {site.token(who)}", "If-Match": seen} for who in posts
    }
    together = Barrier(len(posts))

    def send(who: str) -> int:
        path, body = posts[who]
        with httpx.Client(base_url=site.http.base_url, timeout=60) as own:
            together.wait()
            return own.post(path, json=body, headers=headers[who]).status_code

    with ThreadPoolExecutor(len(posts)) as pool:
        return sorted(pool.map(send, posts))


def test_of_two_who_decide_on_the_same_at_once_one_is_told_that_it_changed(site: Site):
    site.house.ready()
    posts = {
        who: (RELEASE, signed(who, decision=decision))
        for who, decision in ((QA1, "released"), (QA2, "rejected"))
    }
    assert race(site, posts, tag(site, f"/lots/{LOT}")) == [201, 412]
    assert len(site.house.study().dispositions) == 1


def test_a_sample_and_a_review_at_once_are_compared_behind_the_same_lock(site: Site):
    """Both would succeed one after the other: only the comparison behind the lock refuses one."""
    site.house.upload(results())
    seen = tag(site, f"/lots/{LOT}")
    sample = {"id": f"{LOT}-S07", "stage": "release", "container": "vial",
              "taken_at": "2025-05-20T08:00:00-05:00"}  # fmt: skip
    posts = {
        ANA: (f"/lots/{LOT}/samples", {"samples": [sample]}),
        REV: (f"/lots/{LOT}/review", signed(REV)),
    }
    assert race(site, posts, seen) == [201, 412]
    before = counts(site.house.engine)
    assert race(site, posts, seen) == [412, 412]
    assert grown(site.house.engine, before) == {}


@pytest.mark.parametrize(
    ("who", "read", "path", "body"),
    [
        (DON, f"/donors/{DONOR}", f"/donors/{DONOR}/eligibility",
         {"eligible": False, "basis": "Late seroconversion"}),
        (QA1, "/specifications/UC-MSC-REL/1", "/specifications/UC-MSC-REL/1/withdrawal",
         {"from_day": "2031-01-01"}),
    ],
)  # fmt: skip
def test_donors_and_versions_are_compared_too(
    site: Site, who: str, read: str, path: str, body: dict[str, Any]
):
    seen = {"If-Match": tag(site, read)}
    sent = signed(who) | body
    assert site.send(who, "POST", path, json=sent, headers=seen).status_code == 201
    again = site.send(who, "POST", path, json=sent, headers=seen)
    is_problem(again, 412, "BQC-API-020")


def test_a_donor_is_not_determined_on_records_that_nobody_saw(site: Site):
    """What came, or was corrected, since the donor was looked at is a part of it."""
    house, path = site.house, f"/donors/{DONOR}"
    body = signed(DON, eligible=True, basis="Screening and testing of the mother")
    donate(house)
    for came in (
        lambda: take_tests(house),
        lambda: consent(house),
        lambda: request(house, f"donor_test:{DIN}/1", "person", "donor"),
        lambda: decide(house, "C-2026-000001"),
    ):
        seen = {"If-Match": tag(site, path)}
        came()
        late = site.send(DON, "POST", f"{path}/eligibility", json=body, headers=seen)
        is_problem(late, 412, "BQC-API-020")
    seen = {"If-Match": tag(site, path)}
    assert site.send(DON, "POST", f"{path}/eligibility", json=body, headers=seen).status_code == 201
