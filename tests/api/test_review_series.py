"""Reviews of several lots over HTTP: one act, a signature for each lot, all or none."""

import pytest

from tests.actions.state import counts, grown
from tests.actions.test_open_work import register
from tests.api.conftest import Site, signed
from tests.api.test_refusals import is_problem
from tests.records.house import LOT, QA1, QA3, REV, results

OTHER, TWO = "MSC-26-0021", [LOT, "MSC-26-0021"]


@pytest.fixture
def site(site: Site) -> Site:
    """Two lots whose results are in."""
    register(site.house, OTHER)
    for lot in TWO:
        assert site.house.upload(results(lot=lot)).accepted
    return site


def send(site: Site, user_id: str, path: str, **more: object):
    return site.send(user_id, "POST", path, json=signed(user_id, **more))


@pytest.mark.requirement("1.18")
def test_two_lots_are_reviewed_by_three_acts_and_released_one_by_one(site: Site):
    for path in ("/reviews", "/qc-reviews"):
        answer = send(site, REV, path, lots=TWO)
        assert answer.status_code == 201, answer.text
        items = answer.json()["items"]
        assert [one["lot"] for one in items] == TWO
        assert [one["signature"]["record"] for one in items] == [f"lot:{lot}" for lot in TWO]
        assert len({one["signature"]["id"] for one in items}) == len(TWO)
    shown = site.get(QA3, f"/audit-reviews?lot={LOT}&lot={OTHER}")["items"]
    read = [{name: one[name] for name in ("lot", "last", "head")} for one in shown]
    answer = send(site, QA3, "/audit-reviews", read=read)
    assert answer.status_code == 201, answer.text
    assert [{name: one[name] for name in read[0]} for one in answer.json()["items"]] == read
    for lot in TWO:
        answer = send(site, QA1, f"/lots/{lot}/disposition", decision="released")
        assert answer.status_code == 201, answer.text


@pytest.mark.requirement("1.18")
def test_what_was_answered_is_answered_again_and_nothing_is_signed_twice(site: Site):
    key = {"Idempotency-Key": "series-0001"}
    body = signed(REV, lots=TWO)
    first = site.send(REV, "POST", "/reviews", json=body, headers=key)
    before = counts(site.house.engine)
    again = site.send(REV, "POST", "/reviews", json=body, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert grown(site.house.engine, before) == {}


def test_a_series_with_one_lot_that_cannot_be_signed_says_why_and_signs_none(site: Site):
    site.house.review(LOT)
    site.token(REV)
    before = counts(site.house.engine)
    answer = send(site, REV, "/qc-reviews", lots=TWO)
    is_problem(answer, 409, "BQC-REV-008")
    assert all(one.startswith(f"{OTHER}: ") for one in answer.json()["reasons"])
    assert grown(site.house.engine, before) == {}


@pytest.mark.requirement("1.18", "1.24")
def test_a_wrong_password_for_a_series_is_one_failed_attempt(site: Site):
    site.token(REV)
    before = counts(site.house.engine)
    answer = send(site, REV, "/reviews", lots=TWO, password="not the password")
    is_problem(answer, 403, "BQC-SIG-001")
    grew = grown(site.house.engine, before)
    assert grew["attempt"] == 1
    assert "signature" not in grew


@pytest.mark.parametrize(
    ("lots", "code"),
    [([], "BQC-API-001"), ([f"MSC-26-{n}" for n in range(51)], "BQC-API-001"),
     ([LOT, LOT.lower()], "BQC-REV-009")],
)  # fmt: skip
def test_a_series_of_no_lot_of_too_many_or_of_one_twice_is_no_series(site: Site, lots, code):
    is_problem(send(site, REV, "/reviews", lots=lots), 422, code)


@pytest.mark.requirement("1.15", "2.06")
def test_a_whole_lot_is_signed_as_it_was_shown_or_not_at_all(site: Site):
    site.house.review(LOT)
    shown = site.get(REV, f"/lots/{LOT}/review")["content_sha256"]
    before = counts(site.house.engine)
    answer = send(site, REV, f"/lots/{LOT}/qc-review", content_sha256="0" * 64)
    is_problem(answer, 412, "BQC-REV-010")
    assert grown(site.house.engine, before) == {}
    answer = send(site, REV, f"/lots/{LOT}/qc-review", content_sha256=shown)
    assert (answer.status_code, answer.json()["content_sha256"]) == (201, shown)
