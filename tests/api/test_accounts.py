"""Accounts by API: what administrators do, what auditors leave behind, what QA signs."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from batchqc.records.audit import AuditEntry
from batchqc.records.decisions import Answer
from batchqc.records.people import Password
from tests.api.conftest import Site, signed
from tests.records.house import ADM, ANA, AUD, AUDIT_ENDS, LOT, PASSWORD, QA1, REV

WHY = {"reason": "Has left the company"}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def sign_in(site: Site, user_id: str, password: str = PASSWORD) -> httpx.Response:
    return site.http.post("/session", json={"user_id": user_id, "password": password})


def views(site: Site, by: str = QA1, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.get(by, "/auditor-views", params=asked)["items"]
    return found


@pytest.mark.requirement("10.06", "2.04")
def test_each_request_of_an_auditor_is_on_record_before_it_is_answered(site: Site):
    site.get(QA1, f"/lots/{LOT}")
    assert views(site) == []
    site.get(AUD, f"/lots/{LOT}", params={"x": "1"})
    site.send(AUD, "GET", "/account-report/csv")
    assert site.send(AUD, "GET", "/lots/NO-LOT-1").status_code == 404
    assert site.send(AUD, "POST", "/products", json={}).status_code == 422
    rule = {"rule": "off", "reason": "Only to see"}
    denied = site.send(AUD, "POST", "/register-rules/training", json=rule)
    assert code(denied) == (403, "BQC-ACC-002")
    seen = views(site)
    assert [one["request"] for one in seen] == [
        f"GET /api/v1/lots/{LOT}?x=1",
        "GET /api/v1/account-report/csv",
        "GET /api/v1/lots/NO-LOT-1",
        "POST /api/v1/products",
        "POST /api/v1/register-rules/training",
    ]
    assert (seen[0]["who"], seen[0]["route"]) == (AUD, "GET /lots/{lot}")
    assert seen[0]["records"] == {"lot": LOT}
    assert views(site, ADM, who=ANA) == []
    first = site.get(ADM, "/auditor-views", params={"limit": 2})
    assert views(site, ADM, after=first["next"])[0] == seen[2]
    trail = site.get(QA1, "/audit", params={"who": AUD, "what": "asked for by an auditor"})
    assert [one["sequence"] for one in trail["items"]] == [one["sequence"] for one in seen]
    assert site.house.verify().problems == ()


@pytest.mark.requirement("10.06")
def test_what_cannot_be_put_on_record_is_not_answered(site: Site):
    for who in (AUD, QA1):
        assert "Lakeside" in str(site.get(who, "/site"))
    with site.house.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_link RENAME TO taken_away")
    site.get(QA1, "/site")
    answer = site.send(AUD, "GET", "/site")
    assert answer.status_code == 500
    assert "Lakeside" not in answer.text


@pytest.mark.requirement("2.04")
def test_an_auditors_time_ends_in_the_middle_of_a_session(site: Site):
    renewed = {"role": "auditor", "reason": "Audit is shorter", "last_day": "2026-06-01"}
    answer = site.send(ADM, "POST", f"/people/{AUD}/roles", json=renewed)
    assert (answer.status_code, answer.json()["roles"]) == (201, ["auditor"])
    site.house.now.at += timedelta(hours=16)  # midnight in Chicago is at 05:00 UTC
    assert sign_in(site, AUD).status_code == 201
    site.get(AUD, "/lots")
    site.house.now.at += timedelta(hours=1)
    for path in ("/lots", "/me", "/password-rule"):
        assert code(site.send(AUD, "GET", path)) == (403, "BQC-ACC-015")
    entry = sign_in(site, AUD)
    assert code(entry) == (401, "BQC-ACC-015")
    assert entry.json()["detail"] == "your time as auditor ended on 2026-06-01"


def test_a_grant_that_cannot_be_says_everything_at_once(site: Site):
    sent = {
        "role": "auditor",
        "reason": "Audit of the site",
        "training": {"reference": "", "trained_on": "2026-06-02", "expires_on": "2026-05-01"},
    }
    answer = site.send(ADM, "POST", f"/people/{QA1}/roles", json=sent)
    assert code(answer) == (422, "BQC-ACC-013")
    assert len(answer.json()["reasons"]) == 5


@pytest.mark.requirement("1.16", "1.23")
def test_a_closed_account_is_refused_from_the_next_request_on(site: Site):
    site.token(REV)
    closed = site.send(ADM, "POST", f"/people/{REV}/deactivation", json=WHY)
    assert closed.status_code == 201
    assert (closed.json()["is_active"], closed.json()["changed_by"]) == (False, ADM)
    assert code(site.send(REV, "GET", "/me")) == (401, "BQC-ACC-001")
    assert code(sign_in(site, REV)) == (401, "BQC-ACC-014")
    people = {one["user_id"]: one for one in site.get(QA1, "/people")["items"]}
    assert people[REV]["is_active"] is False
    opened = site.send(ADM, "POST", f"/people/{REV}/reactivation", json=WHY)
    assert opened.json()["is_active"] is True
    assert sign_in(site, REV).status_code == 201


@pytest.mark.requirement("1.20")
def test_a_reset_password_is_told_once_and_kept_nowhere(site: Site):
    key = {"Idempotency-Key": "reset-0001"}
    path = f"/people/{REV}/password-reset"
    first = site.send(ADM, "POST", path, json=WHY, headers=key)
    assert first.status_code == 201
    again = site.send(ADM, "POST", path, json=WHY, headers=key)
    assert again.json()["password"] != first.json()["password"]
    password = again.json()["password"]
    assert sign_in(site, REV, first.json()["password"]).status_code == 401
    token = sign_in(site, REV, password).json()
    assert token["must_change_password"] is True
    site.tokens[REV] = token["token"]
    assert code(site.send(REV, "GET", "/lots")) == (403, "BQC-ACC-003")
    with site.house.reading() as session:
        for column in (AuditEntry.text, Answer.body, Password.hash):
            assert not [text for text in session.scalars(select(column)) if password in text]


@pytest.mark.requirement("1.10", "1.20", "10.06")
def test_a_first_password_reads_the_statement_and_accepts_it_with_its_change(site: Site):
    guest, first = "guest", "a first password 1"
    sent = {"user_id": guest, "name": "Guest", "roles": ["auditor"], "last_day": str(AUDIT_ENDS)}
    assert site.send(ADM, "POST", "/people", json=sent | {"password": first}).status_code == 201
    site.tokens[guest] = sign_in(site, guest, first).json()["token"]
    statement = site.get(guest, "/accountability")
    read = {"sha256": statement["sha256"]}
    signs = {"user_id": guest, "password": first, "reason": "I have read it"}
    early = site.send(guest, "POST", "/accountability", json=signs | read)
    assert code(early) == (403, "BQC-ACC-003")
    change = {"old": first, "new": "my own password 7", "accepts": statement["sha256"]}
    changed = site.send(guest, "POST", "/password", json=change)
    assert (changed.status_code, changed.json()["must_change_password"]) == (200, False)
    assert site.get(guest, "/accountability")["accepted"] is not statement["accepted"]
    assert [one["route"] for one in views(site, who=guest)] == [
        "GET /accountability",
        "POST /accountability",
        "POST /password",
        "GET /accountability",
    ]


def test_the_rule_of_passwords_is_set_and_told(site: Site):
    assert site.get(AUD, "/password-rule") == {"days": 0}
    sent = {"days": 90, "reason": "As the policy has it"}
    assert site.send(ADM, "POST", "/password-rule", json=sent).status_code == 201
    assert site.get(ANA, "/password-rule") == {"days": 90}
    assert site.send(ADM, "POST", "/password-rule", json=sent | {"days": "90"}).status_code == 422


@pytest.mark.requirement("1.14", "1.22")
def test_an_administrator_keeps_the_report_and_qa_signs_it(site: Site):
    kept = site.send(ADM, "POST", "/account-reports", json={"since": "2026-05-01"}).json()
    detail = site.get(QA1, f"/account-reports/{kept['number']}")
    assert detail["content"]["since"] == "2026-05-01"
    assert detail["content"]["audit"] == {"sequence": kept["sequence"], "head": kept["head"]}
    assert (kept["made_by"], kept["reviewed_by"]) == (ADM, "")
    path, sent = f"/account-reports/{kept['number']}/review", signed(QA1, sha256=kept["sha256"])
    wrong = site.send(QA1, "POST", path, json=sent | {"password": "guess guess"})
    assert code(wrong) == (403, "BQC-SIG-001")
    answer = site.send(QA1, "POST", path, json=sent)
    assert (answer.status_code, answer.json()["reviewed_by"]) == (201, QA1)
    assert answer.json()["signature"].startswith("S-2026-")
    shown = answer.json()["signed"]  # in the reason, QA says what is not as it should be
    assert shown["reason"] == sent["reason"]
    assert (shown["user_id"], shown["role"], shown["meaning"]) == (QA1, "QA", "reviewed")
    assert shown["record_sha256"] == kept["sha256"]
    site.send(ADM, "POST", "/account-reports", json={})
    page = site.get(AUD, "/account-reports", params={"limit": 1})
    assert page["items"] == [answer.json()]
    more = site.get(AUD, "/account-reports", params={"after": page["next"]})["items"]
    assert [one["reviewed_by"] for one in more] == [""]


@pytest.mark.requirement("1.09", "1.22")
def test_reports_are_json_and_csv_without_formulas(site: Site):
    formula = {"user_id": "new.one", "name": '=HYPERLINK("x")', "roles": ["QA"]}
    made = site.send(ADM, "POST", "/people", json=formula | {"password": "a first password 1"})
    assert made.status_code == 201
    report = site.get(QA1, "/account-report")
    auditor = next(one for one in report["accounts"] if one["user_id"] == AUD)
    assert auditor["roles"][0]["last_day"] == str(AUDIT_ENDS)
    assert auditor["last_sign_in"] == ""
    rows = site.send(QA1, "GET", "/account-report/csv")
    assert rows.headers["content-type"].startswith("text/csv")
    assert rows.content.startswith(b"\xef\xbb\xbfuser_id,name,")
    assert b"'=HYPERLINK" in rows.content
    training = site.get(QA1, "/training-report", params={"within": 3650})
    states = {one["user_id"]: one["state"] for one in training["trainees"]}
    assert (states[QA1], states["new.one"]) == ("expires soon", "no record")
    csv = site.send(QA1, "GET", "/training-report/csv").content
    assert b"new.one" in csv
    assert b"'=HYPERLINK" in csv
    answer = site.send(QA1, "GET", "/account-report", params={"since": "2026-06-02"})
    assert code(answer) == (422, "BQC-ACC-024")
