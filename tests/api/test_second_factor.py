"""Signing in at the API with password and code: what an answer tells, and to whom a code counts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from batchqc.api.app import open_door
from tests.actions.proving import code, enrolled, keyed
from tests.api.conftest import Site, signed
from tests.api.test_refusals import is_problem
from tests.records.house import ANA, LOT, PASSWORD, REV, results


@pytest.fixture
def coded(site: Site, tmp_path: Path) -> Iterator[tuple[Site, pyotp.TOTP]]:
    """A site with the key of second components, and the analyst's authenticator."""
    site.house = keyed(site.house, tmp_path)
    door, key = site.app.state.door, {"component_key": tmp_path / "components.key"}
    site.app.state.door = open_door(door.settings.model_copy(update=key), now=site.house.now)
    totp = enrolled(site.house, ANA)
    site.house.now.at += timedelta(minutes=1)
    yield site, totp
    site.app.state.door.engine.dispose()
    site.app.state.door = door


def come(site: Site, user_id: str = ANA, **typed: str) -> httpx.Response:
    return site.http.post("/session", json={"user_id": user_id, "password": PASSWORD} | typed)


def told(answer: httpx.Response) -> tuple[int, dict[str, Any], frozenset[str]]:
    """Status, body, and the names of the headers: all that an answer tells but its moment."""
    body = {name: text for name, text in answer.json().items() if name != "request"}
    return answer.status_code, body, frozenset(answer.headers)


@pytest.mark.requirement("1.17")
def test_an_answer_does_not_tell_which_component_was_wrong(coded: tuple[Site, pyotp.TOTP]):
    site, totp = coded
    right = code(site.house, totp)
    unknown = come(site, "nobody", code=right)
    is_problem(unknown, 401, "BQC-SIG-001")
    for typed in ({}, {"code": "000000"}, {"password": "no password", "code": right}):
        assert told(come(site, **typed)) == told(unknown)
    begun = come(site, code=right)
    assert begun.status_code == 201, begun.text
    assert begun.json()["must_enrol_authenticator"] is False
    assert told(come(site, code=right)) == told(unknown)
    locked = [come(site).json()["code"] for _ in range(5)]
    assert locked == ["BQC-SIG-001"] * 4 + ["BQC-SIG-002"]


@pytest.mark.requirement("1.17")
def test_the_code_of_a_sign_in_signs_nothing(coded: tuple[Site, pyotp.TOTP]):
    site, totp = coded
    used = code(site.house, totp)
    site.tokens[ANA] = come(site, code=used).json()["token"]
    proof = signed(ANA, code=used)
    is_problem(site.send(ANA, "POST", "/authenticator", json=proof), 403, "BQC-SIG-011")
    without = signed(ANA)
    is_problem(site.send(ANA, "POST", "/authenticator", json=without), 403, "BQC-SIG-011")
    new = signed(ANA, code=code(site.house, totp, steps=1))
    assert site.send(ANA, "POST", "/authenticator", json=new).status_code == 201


def test_who_has_no_authenticator_signs_in_as_ever(coded: tuple[Site, pyotp.TOTP]):
    site, totp = coded
    is_problem(come(site, REV, code=code(site.house, totp)), 401, "BQC-SIG-001")  # somebody's
    begun = come(site, REV)
    assert begun.status_code == 201
    site.house.upload(results())
    site.tokens[REV] = begun.json()["token"]
    review = site.send(REV, "POST", f"/lots/{LOT}/review", json=signed(REV))
    assert review.status_code == 201, review.text


def test_a_code_is_no_number_nor_any_other_member(coded: tuple[Site, pyotp.TOTP]):
    site, _ = coded
    for wrong in ({"code": 123456}, {"code": None}, {"codes": "123456"}):
        body = {"user_id": ANA, "password": PASSWORD} | wrong
        is_problem(site.http.post("/session", json=body), 422, "BQC-API-001")


@pytest.mark.requirement("1.17")
def test_where_the_site_says_so_a_code_counts_in_its_own_thirty_seconds_only(
    coded: tuple[Site, pyotp.TOTP],
):
    site, totp = coded
    door = site.app.state.door
    strict = door.settings.model_copy(update={"code_drift": 0})
    site.app.state.door = open_door(strict, now=site.house.now)
    for steps in (-1, 1):
        late = code(site.house, totp, steps=steps)
        is_problem(come(site, code=late), 401, "BQC-SIG-001")
    begun = come(site, code=code(site.house, totp))
    assert begun.status_code == 201, begun.text
    site.tokens[ANA] = begun.json()["token"]
    early = signed(ANA, code=code(site.house, totp, steps=1))
    is_problem(site.send(ANA, "POST", "/authenticator", json=early), 403, "BQC-SIG-011")
    site.house.now.at += timedelta(seconds=30)
    offer = site.send(ANA, "POST", "/authenticator", json=early)
    assert offer.status_code == 201, offer.text
    new = pyotp.parse_uri(offer.json()["otpauth"])
    first = {"code": new.at(site.house.now.at - timedelta(seconds=30))}
    path = "/authenticator/confirmation"
    is_problem(site.send(ANA, "POST", path, json=first), 403, "BQC-SIG-011")
    site.app.state.door.engine.dispose()
    site.app.state.door = door
