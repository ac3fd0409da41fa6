"""Input that nobody sends by mistake: refused as a problem, and nothing is changed."""

import logging
import socket
import time
from pathlib import Path

import pytest

from tests.actions.state import TRAIL, counts, grown
from tests.api.conftest import Site, signed
from tests.api.test_journey import LOT_REQUEST
from tests.api.test_refusals import is_problem
from tests.records.house import ADM, ANA, AUD, BEN, DON, LOT, PASSWORD, QA1, QA2, REV, results

AS_JSON = {"content-type": "application/json"}
NEW_PASSWORD = "another horse 2"


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("path", ["/lots", "/session"])
def test_a_body_of_megabytes_is_a_problem_whether_or_not_its_length_is_declared(
    site: Site, path: str, *, declared: bool
):
    body = b'{"id": "' + b"x" * 3_000_000 + b'"}'
    pieces = (body[n : n + 65_536] for n in range(0, len(body), 65_536))
    content = body if declared else pieces
    answer = site.send(ANA, "POST", path, content=content, headers=AS_JSON)
    is_problem(answer, 413, "BQC-API-002")


def test_a_method_that_is_not_there_names_those_that_are(site: Site):
    answer = site.send(AUD, "PUT", "/me")
    is_problem(answer, 405, "BQC-API-002")
    assert answer.headers["allow"] == "GET"


def test_an_address_has_one_spelling(site: Site):
    is_problem(site.send(AUD, "GET", "/lots/"), 404, "BQC-API-002")


@pytest.mark.parametrize(
    "path",
    [
        "/specifications/UC-MSC-REL/99999999999999999999",
        "/specifications/UC-MSC-REL/2147483648",
        "/specifications/UC-MSC-REL/-1",
        "/specifications?after=UC-MSC-REL/99999999999999999999",
        "/specifications?after=UC-MSC-REL/" + "9" * 5000,
        "/audit?after=9223372036854775808",
        "/audit?after=2147483648",
        "/lots?limit=99999999999999999999",
    ],
)
def test_a_number_that_no_database_holds_is_refused(site: Site, path: str):
    answer = site.send(AUD, "GET", path)
    is_problem(answer, 422, answer.json()["code"])


@pytest.mark.parametrize("depth", [200, 900, 5_000, 200_000])
def test_a_body_nested_without_end_is_refused(site: Site, depth: int):
    body = '{"id": ' + "[" * depth + "]" * depth + "}"
    answer = site.send(ANA, "POST", "/lots", content=body, headers=AS_JSON)
    assert answer.status_code in {400, 422}
    is_problem(answer, answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    "day",
    [1747612800, "1747612800", "0", 0, True, None, "2025-05-19T00:00:00", "2025-05-19T00:00:00Z",
     "20250519", "19.05.2025", "2025-5-19", " 2025-05-19", "2025-05-19\n", "٢٠٢٥-٠٥-١٩",
     "2025-02-30"],
)  # fmt: skip
def test_a_date_is_written_as_a_date(site: Site, day: object):
    site.token(ANA)
    before = counts(site.house.engine)
    answer = site.send(ANA, "POST", "/lots", json=LOT_REQUEST | {"manufactured_on": day})
    is_problem(answer, 422, "BQC-API-001")
    assert "manufactured_on" in answer.json()["reasons"][0]
    assert grown(site.house.engine, before) == {}


@pytest.mark.parametrize("day", [4102444800, "4102444800", "2099-01-01T00:00:00Z"])
def test_the_day_of_a_withdrawal_is_written_as_a_date(site: Site, day: object):
    path = "/specifications/UC-MSC-REL/1/withdrawal"
    answer = site.send(QA1, "POST", path, json=signed(QA1, from_day=day))
    is_problem(answer, 422, "BQC-API-001")
    draft = f"/specification-templates/wj-msc-release?id=MY-REL&product=MY-MSC&effective={day}"
    is_problem(site.send(AUD, "GET", draft), 422, "BQC-API-001")


@pytest.mark.parametrize(
    "moment",
    [
        "2026",
        "20260301",
        "1767225600.5",
        "2026-03-01",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_moment_is_written_as_a_moment_and_none_of_1970(site: Site, moment: str):
    for name in ("since", "until"):
        is_problem(site.send(AUD, "GET", f"/audit?{name}={moment}"), 422, "BQC-API-001")
    for day in ("0001-01-01", "9999-12-31"):
        assert site.send(AUD, "GET", f"/uploads/template?day={day}").status_code != 500
    assert site.get(AUD, "/audit?since=2026-03-01T00:00:00%2B07:00&limit=1")["items"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_at_the_ends_of_the_calendar_is_refused_as_any_wrong_one(site: Site, moment: str):
    sample = {"id": f"{LOT}-S09", "stage": "release", "container": "vial", "taken_at": moment}
    for who, path, body in (
        (QA1, f"/lots/{LOT}/holds", signed(QA1, happened_at=moment, paper="P-1")),
        (QA1, "/system-stops", signed(QA1, began=moment)),
        (ANA, f"/lots/{LOT}/samples", {"samples": [sample]}),
    ):
        answer = site.send(who, "POST", path, json=body)
        is_problem(answer, 422, answer.json()["code"])


@pytest.mark.parametrize("word", ["no", "yes", "true", 1, 0, "off", None])
def test_what_is_signed_is_true_or_false_and_never_guessed(site: Site, word: object):
    asked = {"subject": f"lot:{LOT}", "field": "expires_on", "after": "2026-12-31",
             "reason": "Typed the wrong year"}  # fmt: skip
    number = site.send(ANA, "POST", "/corrections", json=asked).json()["number"]
    body = signed(QA2, approve=word)
    is_problem(
        site.send(QA2, "POST", f"/corrections/{number}/decision", json=body), 422, "BQC-API-001"
    )
    body = signed(DON, eligible=word, basis="Screening is complete")
    is_problem(
        site.send(DON, "POST", "/donors/DNR-UC-01/eligibility", json=body), 422, "BQC-API-001"
    )
    assert site.get(AUD, "/corrections")["items"][0]["state"] == "waits"


@pytest.mark.parametrize("word", ["no", "yes", "on", 1, 0, "off"])
def test_whether_a_deviation_blocks_and_a_code_is_asked_for_is_never_guessed(
    site: Site, word: object
):
    deviation = {"id": "DEV-26-1", "title": "Freezer", "link": "QMS 1", "state": "open"}
    body = signed(QA1, **deviation, lots=[LOT], blocking=word)
    is_problem(site.send(QA1, "POST", "/deviations", json=body), 422, "BQC-API-001")
    rule = {"with_code": word, "reason": "Risk assessment RA-2026-04"}
    is_problem(site.send(QA1, "POST", "/signing-rule", json=rule), 422, "BQC-API-001")


def test_a_truth_is_no_number_of_years_or_days(site: Site):
    rule = signed(QA1, after_expiry=True, after_manufacture=0)
    answer = site.send(QA1, "POST", "/archive/retention-rules", json=rule)
    is_problem(answer, 422, "BQC-API-001")
    body = {"days": True, "reason": "As the SOP has it"}
    is_problem(site.send(QA1, "POST", "/investigations/rule", json=body), 422, "BQC-API-001")


@pytest.mark.requirement("1.34")
@pytest.mark.parametrize("reason", ["", "    ", "xxxx", "....."])
def test_a_role_is_not_given_for_no_reason(site: Site, reason: str):
    body = {"role": "QA", "reason": reason}
    is_problem(site.send(ADM, "POST", f"/people/{REV}/roles", json=body), 422, "BQC-SIG-004")


def test_an_upload_that_breaks_off_leaves_nothing(site: Site, caplog: pytest.LogCaptureFixture):
    token, data = site.token(ANA), results()
    before = counts(site.house.engine)
    head = (
        "POST /api/v1/uploads?file=r.csv HTTP/1.1\r\nHost: here\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(data) + 1}\r\n\r\n"
    )
    with socket.create_connection((site.http.base_url.host, site.http.base_url.port or 0)) as line:
        line.sendall(head.encode() + data)
    time.sleep(0.3)
    assert grown(site.house.engine, before) == {}
    assert site.get(ANA, "/uploads")["items"] == []
    assert [one.name for one in caplog.records if one.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("name", ["dry-run", "dryRun", "retests", "supersede"])
def test_a_preview_or_a_retest_that_is_misspelt_is_no_upload(site: Site, name: str):
    answer = site.send(ANA, "POST", f"/uploads?file=r.csv&{name}=true", content=results())
    is_problem(answer, 422, "BQC-API-001")
    assert answer.json()["reasons"] == [f"query.{name}: there is no such parameter"]
    assert site.get(ANA, "/uploads")["items"] == []


def resident() -> int:
    """Megabytes of memory in use by this process, in which the server runs too."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // 1_000_000


@pytest.mark.parametrize("query", ["", "&dry_run=true"])
def test_memory_stays_flat_while_three_hundred_megabytes_come(site: Site, query: str):
    seen = [resident()]

    def zeros():
        for _ in range(300):
            seen.append(resident())
            yield bytes(1_000_000)

    answer = site.send(ANA, "POST", f"/uploads?file=zeros.csv{query}", content=zeros())
    assert "E113" in answer.text
    assert max(seen) - seen[0] < 60


def test_a_key_never_makes_believe_that_another_password_was_set(site: Site):
    key = {"Idempotency-Key": "new-password-1"}
    first = {"old": PASSWORD, "new": NEW_PASSWORD}
    assert site.send(BEN, "POST", "/password", json=first, headers=key).status_code == 200
    other = {"old": PASSWORD, "new": "a third horse 3"}
    again = site.send(BEN, "POST", "/password", json=other, headers=key)
    is_problem(again, 403, "BQC-SIG-001")
    person = {"user_id": "new.one", "name": "New", "roles": [], "password": NEW_PASSWORD}
    key = {"Idempotency-Key": "new-person-01"}
    assert site.send(ADM, "POST", "/people", json=person, headers=key).status_code == 201
    person["password"] = "a third horse 3"
    is_problem(site.send(ADM, "POST", "/people", json=person, headers=key), 409, "BQC-ACC-006")
    with site.house.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM answer").scalar() == 0


def test_a_key_is_as_long_as_a_key(site: Site):
    for key in ("short", "x" * 81):
        answer = site.send(ANA, "POST", "/lots", json=LOT_REQUEST, headers={"Idempotency-Key": key})
        is_problem(answer, 422, "BQC-API-001")


@pytest.mark.requirement("1.24")
def test_an_account_is_locked_after_five_wrong_passwords_even_for_the_right_one(site: Site):
    site.token(QA2)
    before = counts(site.house.engine)
    body = signed(QA2, decision="rejected", password="guessed again 9")
    for _ in range(5):
        is_problem(
            site.send(QA2, "POST", f"/lots/{LOT}/disposition", json=body), 403, "BQC-SIG-001"
        )
    right = signed(QA2, decision="rejected")
    is_problem(site.send(QA2, "POST", f"/lots/{LOT}/disposition", json=right), 403, "BQC-SIG-002")
    begun = site.http.post("/session", json={"user_id": QA2, "password": PASSWORD})
    is_problem(begun, 401, "BQC-SIG-002")
    assert set(grown(site.house.engine, before)) <= TRAIL | {"attempt"}
