"""Many at once: SQLite has one writer, and nobody is told so."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx

from tests.api.conftest import Site, no_secret, signed
from tests.api.test_journey import LOT_REQUEST
from tests.records.house import ADM, ANA, AUD, LOT, PASSWORD, QA1, REV, SPEC, results

MANY = 48


def test_readers_and_writers_at_once_are_all_answered(site: Site):
    tokens = {who: site.token(who) for who in (ANA, AUD)}

    def one(n: int) -> tuple[str, int]:
        with httpx.Client(
            base_url=site.http.base_url, timeout=60, event_hooks={"response": [no_secret]}
        ) as own:
            analyst = {"Authorization": f"Bearer {tokens[ANA]}"}
            auditor = {"Authorization": f"Bearer {tokens[AUD]}"}
            lot = LOT_REQUEST | {"id": f"MSC-26-9{n:03}", "samples": []}
            match n % 4:
                case 0:
                    who = {"user_id": REV, "password": PASSWORD}
                    return "sign in", own.post("/session", json=who).status_code
                case 1:
                    return "write", own.post("/lots", json=lot, headers=analyst).status_code
                case 2:
                    return "read", own.get(f"/lots/{LOT}/results", headers=auditor).status_code
                case _:
                    return "trail", own.get("/audit?limit=200", headers=auditor).status_code

    with ThreadPoolExecutor(MANY) as pool:
        told = Counter(pool.map(one, range(MANY)))
    each = MANY // 4
    assert told == {
        ("sign in", 201): each, ("write", 201): each, ("read", 200): each, ("trail", 200): each,
    }  # fmt: skip
    assert site.house.verify().problems == ()


def test_the_same_request_with_the_same_key_at_once_is_done_once(site: Site):
    headers = {"Authorization": f"Bearer {site.token(ANA)}", "Idempotency-Key": "pressed-twice-1"}
    together = Barrier(6)

    def press(_: int) -> tuple[int, str]:
        with httpx.Client(base_url=site.http.base_url, timeout=60) as own:
            together.wait()
            answer = own.post("/lots", json=LOT_REQUEST, headers=headers)
            return answer.status_code, answer.text

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(press, range(6)))
    assert {status for status, _ in answers} == {201}
    assert len(answers) == 1
    about = site.get(AUD, f"/audit?subject=lot:{LOT_REQUEST['id']}&what=lot registered")
    assert len(about["items"]) == 1


def test_the_same_file_from_two_sessions_at_once_is_one_upload(site: Site):
    headers = {"Authorization": f"Bearer {site.token(ANA)}"}
    together = Barrier(2)

    def send(_: int) -> tuple[int, str]:
        with httpx.Client(base_url=site.http.base_url, timeout=60) as own:
            together.wait()
            answer = own.post("/uploads?file=r.csv", content=results(), headers=headers)
            return answer.status_code, answer.json()["number"]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, range(2)))
    assert sorted(status for status, _ in answers) == [200, 201]
    assert len({number for _, number in answers}) == 1


def test_a_review_in_two_sessions_at_once_is_one_signature(site: Site):
    site.house.upload(results())
    headers = {"Authorization": f"Bearer {site.token(REV)}"}
    together = Barrier(2)

    def review(_: int) -> int:
        with httpx.Client(base_url=site.http.base_url, timeout=60) as own:
            together.wait()
            path = f"/lots/{LOT}/review"
            return own.post(path, json=signed(REV), headers=headers).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(review, range(2))) == [201, 409]
    assert len({one.signature_id for one in site.house.study().reviews}) == 1


def test_the_same_code_or_number_is_taken_once_and_nobody_is_told_of_the_unforeseen(site: Site):
    new = {"name": "New", "user_id": "new.one"}
    product = {"code": "X-1", "name": "X", "form": "bag", "storage": "cold"}
    for who, path, body, wanted in (
        (ADM, "/people", new | {"roles": ["analyst"], "password": "a third horse 3"}, {201, 409}),
        (ADM, "/laboratories", new | {"user_id": "lab.one"}, {201, 409}),
        (QA1, "/products", product, {201, 409}),
        (SPEC, "/specifications/UC-MSC-REL/1/impact", None, {201}),
    ):
        headers = {"Authorization": f"Bearer {site.token(who)}"}
        together = Barrier(4)

        def send(
            _: int, path: str = path, body: Any = body, headers: Any = headers, at: Any = together
        ) -> int:
            with httpx.Client(base_url=site.http.base_url, timeout=60, headers=headers) as own:
                at.wait()
                return own.post(path, json=body).status_code

        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(send, range(4)))
        assert set(told) == wanted, path
        assert told.count(201) == (1 if 409 in wanted else 4), path
