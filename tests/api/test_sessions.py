"""One's own sessions at the API: what is told of them, who ends them, and who does not."""

from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import select

from batchqc.api.uses import Use, Uses
from batchqc.records.audit import AuditEntry
from batchqc.records.people import SignOut
from tests.actions.proving import code
from tests.actions.state import TRAIL, counts, grown
from tests.api.conftest import Site, signed
from tests.api.test_refusals import is_problem
from tests.api.test_second_factor import coded  # noqa: F401 - a fixture
from tests.cast import NOW
from tests.records.house import ANA, BEN, PASSWORD, QA1

BENCH = "bench 1.0"
OTHERS = "/sessions/end"


def begin(site: Site, user_id: str = ANA, agent: str = BENCH, **typed: str) -> str:
    """Another session of a person; its token."""
    body = {"user_id": user_id, "password": PASSWORD} | typed
    answer = site.http.post("/session", json=body, headers={"User-Agent": agent})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def ask(site: Site, token: str, method: str, path: str, **options: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} | options.pop("headers", {})
    return site.http.request(method, path, headers=headers, **options)


def listed(site: Site, token: str, **asked: Any) -> list[dict[str, Any]]:
    answer = ask(site, token, "GET", "/sessions", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def end_of(one: dict[str, Any]) -> str:
    return f"/sessions/{one['sha256']}/end"


def is_open(site: Site, token: str) -> bool:
    return ask(site, token, "GET", "/me").status_code == 200


def entry(site: Site, what: str) -> list[str]:
    with site.house.reading() as session:
        query = select(AuditEntry.text).where(AuditEntry.what == what).order_by(AuditEntry.id)
        return list(session.scalars(query))


@pytest.mark.requirement("1.16")
def test_one_sees_ones_own_sessions_with_their_beginning_and_their_last_use(site: Site):
    first = begin(site)
    site.house.now.at += timedelta(minutes=5)
    second = begin(site, agent="desk 2.0")
    begin(site, BEN)
    ask(site, first, "GET", "/me", headers={"User-Agent": "a thief's"})
    new, old = listed(site, second)
    assert (new["is_this"], old["is_this"]) == (True, False)
    assert (new["began_from"], old["began_from"]) == ("127.0.0.1 desk 2.0", f"127.0.0.1 {BENCH}")
    assert old["last_used_from"] == "127.0.0.1 a thief's"
    assert old["began_at"] < old["last_used_at"] < new["last_used_at"] < old["ends_at"]
    answer = ask(site, second, "GET", "/sessions", params={"limit": 1}).json()
    assert (answer["items"][0]["sha256"], answer["next"]) == (new["sha256"],) * 2
    assert listed(site, second, after=answer["next"])[0]["sha256"] == old["sha256"]
    wrong = ask(site, second, "GET", "/sessions", params={"after": "0" * 64})
    is_problem(wrong, 422, "BQC-API-007")
    for _ in range(20):
        site.house.now.at += timedelta(hours=7, minutes=58) / 20
        assert is_open(site, second)
    assert [one["sha256"] for one in listed(site, second)] == [new["sha256"]]


def test_what_this_server_did_not_see_of_a_session_it_does_not_make_up(site: Site):
    first, second = begin(site), begin(site)
    _, old = listed(site, second)
    assert (old["last_used_at"], old["last_used_from"]) == (None, "")
    assert is_open(site, first)
    assert listed(site, second)[1]["last_used_at"] is not None


def test_of_very_many_sessions_those_are_forgotten_that_were_not_used_for_longest():
    uses, use = Uses(most=2), Use(NOW, BENCH)
    for one in ("a", "b", "a", "c"):
        uses.note(one, use)
    assert [uses.of(one) for one in "abc"] == [use, None, use]


@pytest.mark.requirement("1.16")
def test_one_ends_one_of_them_or_all_others_after_proving_who_one_is(site: Site):
    tokens = [begin(site) for _ in range(4)]
    other = begin(site, BEN)
    own, third, _, _ = listed(site, tokens[3])
    answer = ask(site, tokens[3], "POST", end_of(third), json=signed(ANA))
    assert (answer.status_code, answer.json()) == (200, {"ended": 1}), answer.text
    assert [is_open(site, one) for one in (*tokens, other)] == [True, True, False, True, True]
    answer = ask(site, tokens[3], "POST", OTHERS, json=signed(ANA))
    assert (answer.status_code, answer.json()) == (200, {"ended": 2})
    assert [is_open(site, one) for one in (*tokens, other)] == [False] * 3 + [True, True]
    assert listed(site, tokens[3])[0]["sha256"] == own["sha256"]
    answer = ask(site, tokens[3], "POST", OTHERS, json=signed(ANA))
    assert answer.json() == {"ended": 0}
    answer = ask(site, tokens[3], "POST", end_of(own), json=signed(ANA))
    assert answer.json() == {"ended": 1}
    assert not is_open(site, tokens[3])
    said = [len(entry(site, what)) for what in ("session ended", "other sessions ended")]
    assert said == [2, 1]
    told = entry(site, "session ended")[0]
    assert f'"sign_out:{third["sha256"]}"' in told
    assert f'"person:{ANA}"' in told
    assert "Compared with raw data" in told
    assert site.house.verify().problems == ()


#: What proves nothing: what is sent, the status, and the code that says so.
UNPROVEN: dict[str, tuple[dict[str, Any], int, str]] = {
    "a wrong password": ({"password": "no password of mine"}, 403, "BQC-SIG-001"),
    "no password": ({"password": ""}, 403, "BQC-SIG-001"),
    "a code of nobody": ({"code": "000000"}, 403, "BQC-SIG-011"),
    "somebody else's": ({"user_id": BEN}, 403, "BQC-SIG-003"),
    "no reason": ({"reason": " "}, 422, "BQC-SIG-004"),
}


@pytest.mark.requirement("1.16")
@pytest.mark.parametrize("how", UNPROVEN)
def test_without_the_proof_nothing_ends(site: Site, how: str):
    sent, status, told = UNPROVEN[how]
    first, second = begin(site), begin(site)
    before = counts(site.house.engine)
    for path in (OTHERS, end_of(listed(site, second)[1])):
        is_problem(ask(site, second, "POST", path, json=signed(ANA) | sent), status, told)
        answer = ask(site, second, "POST", path, json={"reason": "Only a token"})
        is_problem(answer, 422, "BQC-API-001")
    assert is_open(site, first)
    assert set(grown(site.house.engine, before)) <= TRAIL | {"attempt"}


@pytest.mark.requirement("1.16", "1.24")
def test_the_session_of_another_one_that_ended_and_none_at_all_are_refused_alike(site: Site):
    others, ended, own = begin(site, QA1), begin(site), begin(site)
    hers = listed(site, others)[0]
    over = listed(site, own)[1]
    assert ask(site, own, "POST", end_of(over), json=signed(ANA)).status_code == 200
    assert not is_open(site, ended)
    before = counts(site.house.engine)
    for one in (hers, over, {"sha256": "0" * 64}, {"sha256": hers["sha256"].upper()}):
        answer = ask(site, own, "POST", end_of(one), json=signed(ANA))
        is_problem(answer, 404, "BQC-ACC-050")
        wrong = ask(site, own, "POST", end_of(one), json=signed(ANA, password="a guess at it"))
        is_problem(wrong, 404, "BQC-ACC-050")  # nobody learns here whether a password is right
    assert grown(site.house.engine, before) == {}
    assert is_open(site, others)
    is_problem(ask(site, ended, "POST", OTHERS, json=signed(ANA)), 401, "BQC-ACC-001")


@pytest.mark.requirement("1.24")
def test_who_guesses_at_it_locks_the_account(site: Site):
    token = begin(site)
    guess = signed(ANA) | {"password": "no password of mine"}
    for _ in range(5):
        is_problem(ask(site, token, "POST", OTHERS, json=guess), 403, "BQC-SIG-001")
    is_problem(ask(site, token, "POST", OTHERS, json=signed(ANA)), 403, "BQC-SIG-002")


def test_what_is_sent_twice_ends_once(site: Site):
    begin(site)
    own = begin(site)
    keyed = {"headers": {"Idempotency-Key": "a-key-of-its-own"}, "json": signed(ANA)}
    first = ask(site, own, "POST", OTHERS, **dict(keyed))
    begin(site)
    again = ask(site, own, "POST", OTHERS, **dict(keyed))
    assert first.json() == again.json() == {"ended": 1}
    with site.house.reading() as session:
        assert len(session.scalars(select(SignOut)).all()) == 1


@pytest.mark.requirement("1.16", "1.17")
def test_who_has_an_authenticator_ends_sessions_with_a_code_of_it_once(
    coded: tuple[Site, pyotp.TOTP],  # noqa: F811 - the fixture
):
    site, totp = coded
    used = code(site.house, totp)
    own = begin(site, code=used)
    for typed in ({}, {"code": used}):
        answer = ask(site, own, "POST", OTHERS, json=signed(ANA, **typed))
        is_problem(answer, 403, "BQC-SIG-011")
    new = signed(ANA, code=code(site.house, totp, steps=1))
    assert ask(site, own, "POST", OTHERS, json=new).status_code == 200
    is_problem(ask(site, own, "POST", OTHERS, json=new), 403, "BQC-SIG-011")
