"""What the door refuses: always a problem with a code, never a secret, never half a change."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from tests.actions.state import TRAIL, counts, grown
from tests.api.conftest import Site, signed
from tests.api.test_journey import LOT_REQUEST
from tests.records.house import ANA, AUD, LOT, PASSWORD, QA1, QA2, REV, but_reviews, results

GUESS = "a wrong password"


def is_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["title"]
    assert {"type", "detail", "hint", "reasons"} <= set(body)
    assert PASSWORD not in answer.text
    assert GUESS not in answer.text


@pytest.mark.requirement("1.20")
def test_nothing_is_read_without_a_valid_token(site: Site):
    is_problem(site.http.get("/lots"), 401, "BQC-ACC-001")
    wrong = {"Authorization": "Bearer nonsense"}
    answer = site.http.get("/lots", headers=wrong)
    is_problem(answer, 401, "BQC-ACC-001")
    assert answer.headers["www-authenticate"] == "Bearer"
    site.send(ANA, "DELETE", "/session")
    is_problem(site.send(ANA, "GET", "/me"), 401, "BQC-ACC-001")


@pytest.mark.requirement("1.16")
def test_a_wrong_password_neither_signs_in_nor_signs_and_is_on_record(site: Site):
    site.house.ready()
    before = counts(site.house.engine)
    answer = site.http.post("/session", json={"user_id": QA1, "password": GUESS})
    is_problem(answer, 401, "BQC-SIG-001")
    assert grown(site.house.engine, before)["attempt"] == 1
    site.token(QA1)
    before = counts(site.house.engine)
    body = signed(QA1, decision="released", password=GUESS)
    is_problem(site.send(QA1, "POST", f"/lots/{LOT}/disposition", json=body), 403, "BQC-SIG-001")
    new = grown(site.house.engine, before)
    assert new["attempt"] == 1
    assert set(new) <= TRAIL | {"attempt"}


@pytest.mark.requirement("1.13")
def test_a_token_alone_never_signs(site: Site):
    site.house.ready()
    answer = site.send(QA1, "POST", f"/lots/{LOT}/disposition", json={"decision": "released"})
    is_problem(answer, 422, "BQC-API-001")
    body = signed(QA2, decision="released")
    is_problem(site.send(QA1, "POST", f"/lots/{LOT}/disposition", json=body), 403, "BQC-SIG-003")


def test_a_release_that_may_not_be_tells_every_reason_and_changes_nothing(site: Site):
    site.house.upload(results(viability="89", kynurenine=None))
    site.token(QA1)
    before = counts(site.house.engine)
    answer = site.send(
        QA1, "POST", f"/lots/{LOT}/disposition", json=signed(QA1, decision="released")
    )
    is_problem(answer, 409, "BQC-REL-001")
    expected = 3 + len(site.house.study().runs)  # two results, an investigation, reviews
    assert len(but_reviews(answer.json()["reasons"])) == expected
    assert grown(site.house.engine, before) == {}


def test_two_sessions_that_decide_at_once_make_one_decision(site: Site):
    site.house.ready()
    tokens = {who: site.token(who) for who in (QA1, QA2)}
    together = Barrier(2)

    def decide(who: str) -> int:
        with httpx.Client(base_url=site.http.base_url, timeout=60) as own:
            together.wait()
            return own.post(
                f"/lots/{LOT}/disposition",
                json=signed(who, decision="released"),
                headers={"Authorization": f"Bearer {tokens[who]}"},
            ).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, tokens)) == [201, 409]
    assert len(site.house.study().dispositions) == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/lots/MSC-26-0099", 404, "BQC-REG-012"),
        ("GET", "/lots/MSC-26-0099/results", 404, "BQC-REG-012"),
        ("GET", "/uploads/U-2026-000099", 404, "BQC-UPL-002"),
        ("GET", "/certificates/COA-2026-000099", 404, "BQC-CRT-030"),
        ("GET", "/donors/DNR-UC-99", 404, "BQC-REG-011"),
        ("GET", "/specifications/UC-MSC-REL/9", 404, "BQC-SPC-006"),
        ("GET", "/specifications?after=nonsense", 422, "BQC-API-007"),
        ("GET", "/lots?limit=100000", 422, "BQC-API-001"),
        ("GET", "/lots?disposition=burnt", 422, "BQC-API-001"),
        ("GET", "/nothing", 404, "BQC-API-002"),
        ("PUT", "/lots", 405, "BQC-API-002"),
    ],
)
def test_what_is_not_there_is_a_problem_with_a_code(
    site: Site, method: str, path: str, status: int, code: str
):
    is_problem(site.send(AUD, method, path), status, code)


@pytest.mark.parametrize(
    "sent",
    [
        {"content": b"{not json", "headers": {"content-type": "application/json"}},
        {"content": b"\xff\xfe", "headers": {"content-type": "application/json"}},
        {"json": {}},
        {"json": LOT_REQUEST | {"surprise": 1}},
        {"json": LOT_REQUEST | {"expires_on": "soon"}},
        {"json": [1, 2]},
    ],
)
def test_a_body_that_does_not_fit_is_refused_by_its_places(site: Site, sent: dict[str, object]):
    site.token(ANA)
    before = counts(site.house.engine)
    answer = site.send(ANA, "POST", "/lots", **sent)
    is_problem(answer, 422, "BQC-API-001")
    assert answer.json()["reasons"]
    assert grown(site.house.engine, before) == {}


def test_a_password_that_does_not_fit_is_not_repeated(site: Site):
    answer = site.http.post("/session", json={"user_id": 5, "password": GUESS})
    is_problem(answer, 422, "BQC-API-001")
    answer = site.http.post("/session", json={"user_id": ANA, "password": [GUESS]})
    is_problem(answer, 422, "BQC-API-001")


def test_a_body_of_megabytes_is_refused_where_no_file_is_expected(site: Site):
    big = LOT_REQUEST | {"product": "x" * 2_000_000}
    assert site.send(ANA, "POST", "/lots", json=big).status_code == 413
    assert [lot["id"] for lot in site.get(ANA, "/lots")["items"]] == [LOT]


def test_a_file_name_with_control_characters_is_refused(site: Site):
    answer = site.send(ANA, "POST", "/uploads", params={"file": "a\nb.csv"}, content=b"x")
    is_problem(answer, 422, "BQC-API-005")
    fine = site.send(ANA, "POST", "/uploads", params={"file": "Ergebnisse µ.csv"}, content=b"x")
    assert fine.json()["code"] == "BQC-UPL-001"
    assert site.get(ANA, "/uploads")["items"][0]["file"] == "Ergebnisse µ.csv"


def test_an_idempotency_key_does_nothing_twice(site: Site):
    key = {"Idempotency-Key": "registration-0001"}
    first = site.send(ANA, "POST", "/lots", json=LOT_REQUEST, headers=key)
    before = counts(site.house.engine)
    again = site.send(ANA, "POST", "/lots", json=LOT_REQUEST, headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert grown(site.house.engine, before) == {}
    other = site.send(ANA, "POST", "/lots", json=LOT_REQUEST | {"id": "MSC-26-0022"}, headers=key)
    is_problem(other, 409, "BQC-API-004")
    assert site.house.verify().problems == ()


def test_a_signed_request_with_its_key_again_releases_once_and_names_the_certificate(site: Site):
    site.house.ready()
    key = {"Idempotency-Key": "release-of-0012"}
    path, body = f"/lots/{LOT}/disposition", signed(QA1, decision="released")
    first = site.send(QA1, "POST", path, json=body, headers=key)
    again = site.send(QA1, "POST", path, json=body, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    with site.house.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT body, request_sha256 FROM answer").all()
    assert len(kept) == 1
    assert PASSWORD not in str(kept)


def test_a_refused_request_may_be_tried_again_with_its_key(site: Site):
    site.house.upload(results())
    key = {"Idempotency-Key": "review-of-0012"}
    path = f"/lots/{LOT}/review"
    wrong = site.send(REV, "POST", path, json=signed(REV, password=GUESS), headers=key)
    is_problem(wrong, 403, "BQC-SIG-001")
    right = site.send(REV, "POST", path, json=signed(REV), headers=key)
    assert right.status_code == 201, right.text


def test_what_nobody_foresaw_is_told_without_its_inside(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the inside of the machine")

    site.token(AUD)
    monkeypatch.setattr("batchqc.api.audit.verify_audit_trail", broken)
    answer = site.send(AUD, "GET", "/audit/verification")
    is_problem(answer, 500, "BQC-API-003")
    assert "inside of the machine" not in answer.text


def test_a_first_password_opens_nothing_but_its_change(site: Site):
    body = {"user_id": "new.one", "name": "New", "roles": ["QA"], "password": "set by the admin"}
    assert site.send("adm", "POST", "/people", json=body).status_code == 201
    begun = site.http.post("/session", json={"user_id": "new.one", "password": "set by the admin"})
    site.tokens["new.one"] = begun.json()["token"]
    assert site.get("new.one", "/me")["must_change_password"] is True
    is_problem(site.send("new.one", "GET", "/lots"), 403, "BQC-ACC-003")
    change = {"old": "set by the admin", "new": "my own password 3"}
    assert site.send("new.one", "POST", "/password", json=change).status_code == 200
    assert site.get("new.one", "/lots")["items"]


def test_the_api_describes_itself_whole(site: Site):
    described = site.http.get("/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert {"401", "403", "404", "409", "422"} <= set(operation["responses"]), where
            for answer in ("404", "409"):
                assert "application/problem+json" in operation["responses"][answer]["content"]
    bodies = described["components"]["schemas"]
    for name in ("SignInRequest", "LotRequest", "Signature", "NewCorrection", "NewPerson"):
        schema = bodies[name]
        properties = schema["properties"].values()
        assert schema.get("examples") or any("examples" in one for one in properties), name
    assert site.http.get("/docs").status_code == 200


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_database_gives_back_is_refused_in_bodies(site: Site, text: str):
    site.token(ANA)
    before = counts(site.house.engine)
    as_json = {"content-type": "application/json"}
    for who, path, body in (
        (ANA, "/lots", LOT_REQUEST | {"product": text}),
        (ANA, "/session", {"user_id": text, "password": "x"}),
        (QA1, "/products", {"code": "X", "name": text, "form": "x", "storage": "x"}),
    ):
        answer = site.send(who, "POST", path, content=json.dumps(body), headers=as_json)
        is_problem(answer, 422, "BQC-API-001")
    new = grown(site.house.engine, before)
    assert set(new) <= TRAIL | {"attempt", "sign_in"}


@pytest.mark.parametrize(
    "path",
    ["/lots/a%00b", "/lots?after=a%00b", "/audit?who=%00", "/uploads/template?lot=a%00b&lot=a"],
)
def test_an_address_with_a_null_character_is_refused(site: Site, path: str):
    is_problem(site.send(AUD, "GET", path), 422, "BQC-API-008")


@pytest.mark.parametrize("first", ['"id": "LOT-0"', '"samples": [{"id": "S-1", "id": "S-2"}]'])
def test_a_body_that_says_a_thing_twice_is_refused(site: Site, first: str):
    """Whoever reads it on its way might take the first one for meant."""
    site.token(ANA)
    before = counts(site.house.engine)
    text = json.dumps(LOT_REQUEST).replace("{", f"{{{first}, ", 1)
    sent = {"content": text.encode(), "headers": {"content-type": "application/json"}}
    answer = site.send(ANA, "POST", "/lots", **sent)
    is_problem(answer, 422, "BQC-API-001")
    assert answer.json()["reasons"] == ["body.0: JSON decode error: given twice: id"]
    assert grown(site.house.engine, before) == {}


@pytest.mark.timeout(60)  # counted anew for each member, it takes minutes
def test_nobody_is_kept_waiting_by_very_many_members(site: Site):
    """Whoever has no account may send them."""
    members = [f'"{number:05}": 0' for number in range(80_000)]
    text = f"{{{', '.join([*members, members[7]])}}}"
    headers = {"content-type": "application/json"}
    answer = site.http.post("/session", content=text.encode(), headers=headers)
    is_problem(answer, 422, "BQC-API-001")
    assert answer.json()["reasons"] == ["body.0: JSON decode error: given twice: 00007"]
