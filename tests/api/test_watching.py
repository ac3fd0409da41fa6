"""Logs and metrics of a server: what each request leaves behind, and what never stands there."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from batchqc.actions.corrections import request_correction
from batchqc.actions.lots import NewLot, register_lot
from batchqc.actions.people import register_person
from batchqc.actions.registers import register_donor
from batchqc.actions.webhooks import NewWebhook, register_webhook
from batchqc.api.app import open_door
from batchqc.api.logs import BLOT, Lines, formatter_of, is_not_told, note_told
from batchqc.api.metrics import Metrics
from batchqc.core.permissions import Permission, Role
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import LogFormat, Settings
from batchqc.web.app import Application
from batchqc.web.screens import create_pages
from batchqc.web.security import COOKIE, form_token
from tests.api.conftest import SEAL_PASSPHRASE, signed
from tests.cast import MADE_ON
from tests.records.house import (
    ADM,
    ANA,
    BEN,
    EXPIRES_ON,
    FIRST_PASSWORD,
    LOT,
    PASSWORD,
    PRODUCT,
    QA1,
    REV,
    House,
    results,
    terms,
)

METRICS = "a token of the metrics"
GUESS = "a guess of somebody 9"
NEW = "another horse 2 of ana"
CODE = "code-of-the-provider"
TYPED = "typed-where-it-does-not-belong"
HERE = {"Origin": "https://testserver", "Sec-Fetch-Site": "same-origin"}
ANSWERED = {"time", "level", "logger", "request", "message", "method", "route", "status", "ms"}
MAY = ANSWERED | {"account", "refusal", "trace"}


@dataclass
class Server:
    """An application as it is served, what it logs, and every answer that is an error."""

    house: House
    http: TestClient
    log: io.StringIO
    errors: list[httpx.Response]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def enter(self, user_id: str, password: str = PASSWORD) -> str:
        sent = {"user_id": user_id, "password": password}
        answer = self.http.post("/api/v1/session", json=sent)
        return str(answer.json().get("token", ""))

    def metrics(self) -> dict[tuple[str, tuple[str, ...]], float]:
        """The value of each sample, by its name and sorted labels."""
        answer = self.http.get("/metrics", headers={"Authorization": f"Bearer {METRICS}"})
        assert answer.status_code == 200, answer.text
        return {
            (one.name, tuple(sorted(one.labels.values()))): one.value
            for family in text_string_to_metric_families(answer.text)
            for one in family.samples
        }


@pytest.fixture
def server(application: FastAPI, house: House, settings: Settings) -> Iterator[Server]:
    given = {"metrics_token": SecretStr(METRICS), "log_format": LogFormat.JSON}
    own = settings.model_copy(update=given)
    application.state.door = open_door(own, now=house.now)
    application.state.metrics = Metrics()
    stream, errors = io.StringIO(), []
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter_of(own))
    root, ours = logging.getLogger(), logging.getLogger("batchqc")
    root.addHandler(handler)
    ours.setLevel(logging.INFO)

    def keep(answer: httpx.Response) -> None:
        if answer.status_code >= 400:
            answer.read()
            errors.append(answer)

    pages = create_pages(application)
    both = Application(application, lambda: pages)
    with TestClient(
        both, base_url="https://testserver", raise_server_exceptions=False, follow_redirects=False
    ) as http:
        http.event_hooks = {"response": [keep]}
        yield Server(house, http, stream, errors)
    root.removeHandler(handler)
    ours.setLevel(logging.NOTSET)
    application.state.door.engine.dispose()


def provoke(server: Server) -> set[str]:
    """Sign-in, signature, token, cookie, form and query: what of it must never be told."""
    http, token, of_qa = server.http, server.enter(ANA), server.enter(QA1)
    assert not server.enter(ANA, GUESS)
    assert not server.enter(GUESS, GUESS)  # a password typed where the user id belongs
    own, wrong = {"Authorization": f"Bearer {token}"}, {"Authorization": f"Bearer {TYPED}"}
    http.get(f"/api/v1/nothing?token={TYPED}", headers=own)
    http.get("/api/v1/lots", headers=wrong)
    http.get("/metrics", headers=wrong)
    http.post("/api/v1/session", content=f'{{"user_id": "x", "password": "{GUESS}"')
    http.post("/api/v1/session", json={"user_id": "x", "password": [GUESS]})
    http.post("/api/v1/password", headers=own, json={"old": GUESS, "new": NEW})
    http.post("/api/v1/password", headers=own, json={"old": PASSWORD, "new": NEW})
    sign = {"Authorization": f"Bearer {of_qa}"}
    for sent in (
        signed(QA1, decision="released", password=GUESS),
        signed(QA1, code=TYPED, step_up=TYPED, extra=GUESS),
        signed(QA1, decision="released"),
    ):
        answer = http.post(f"/api/v1/lots/{LOT}/disposition", headers=sign, json=sent)
    assert answer.status_code == 201, answer.text
    form = {"user_id": REV, "password": PASSWORD, "next": "/"}
    http.post("/sign-in", data=form | {"password": GUESS}, headers=HERE)
    cookie = http.post("/sign-in", data=form, headers=HERE).cookies[COOKIE]
    http.get(f"/sign-in/return?code={CODE}&state={TYPED}")
    http.get(f"/lots?text=x&password={TYPED}")
    http.post("/lock", data={"token": TYPED}, headers=HERE)
    hidden = {PASSWORD, FIRST_PASSWORD, GUESS, NEW, CODE, TYPED, METRICS, SEAL_PASSPHRASE}
    return hidden | {token, of_qa, cookie}


def test_no_secret_stands_in_a_log_or_an_error(server: Server):
    server.house.ready()
    hidden = provoke(server)
    with server.house.engine.begin() as connection:  # what nobody foresees, in a sign-in
        connection.exec_driver_sql("ALTER TABLE sign_in RENAME TO sign_in_away")
    for user_id in (REV, ADM):
        form = {"user_id": user_id, "password": PASSWORD}
        assert server.http.post("/api/v1/session", json=form).status_code == 500
        assert server.http.post("/sign-in", data=form, headers=HERE).status_code == 500
    assert "" not in hidden
    assert len(server.lines) > 20
    assert sum("trace" in line for line in server.lines) == 4
    assert [one for one in hidden if one in server.log.getvalue()] == []
    assert form_token(server.http.cookies[COOKIE]) not in server.log.getvalue()
    assert "[parameters" not in server.log.getvalue()
    assert len(server.errors) >= 16
    told = [answer.text + repr(answer.headers) for answer in server.errors]
    assert [one for one in hidden if any(one in text for text in told)] == []


def test_each_request_is_one_line_that_its_answer_names(server: Server):
    answers = [
        server.http.get("/healthz"),
        server.http.get("/guide"),
        server.http.get(f"/api/v1/lots/{LOT}", headers={"Authorization": "Bearer x"}),
        server.http.get(f"/nowhere/{LOT}"),
        server.http.request("BREW", "/guide"),
    ]
    token = server.enter(ANA)
    me = server.http.get(f"/api/v1/lots/{LOT}?x=", headers={"Authorization": f"Bearer {token}"})
    told = [
        (one["method"], one["route"], one["status"], one.get("account"), one.get("refusal"))
        for one in server.lines
    ]
    assert told == [
        ("GET", "/guide", 200, None, None),
        ("GET", "/api/v1/lots/{lot}", 401, None, "BQC-ACC-001"),
        ("GET", "unmatched", 404, None, "BQC-WEB-003"),
        ("other", "/guide", 405, None, None),
        ("POST", "/api/v1/session", 201, ANA, None),
        ("GET", "/api/v1/lots/{lot}", me.status_code, ANA, None),
    ]
    assert all(ANSWERED <= one.keys() <= MAY for one in server.lines)
    assert all(one["time"].endswith("+00:00") for one in server.lines)
    ids = [one.headers["x-request-id"] for one in (*answers, me)]
    assert len(set(ids)) == len(ids)
    logged = [one["request"] for one in server.lines]
    assert [*logged[:4], logged[-1]] == ids[1:]
    assert answers[2].json()["request"] == ids[2]
    assert LOT not in server.log.getvalue()


def test_what_is_refused_is_a_line_with_who_tried_it_where_and_why(server: Server):
    signed_in = {"Authorization": f"Bearer {server.enter(ANA)}"}
    server.http.get("/api/v1/account-report", headers=signed_in)
    server.http.post("/api/v1/lots", headers=signed_in, json={"lot": 7})
    server.http.get("/api/v1/lots/%00", headers=signed_in)
    names = ("route", "status", "account", "refusal")
    assert [tuple(one.get(name) for name in names) for one in server.lines[1:]] == [
        ("/api/v1/account-report", 403, ANA, "BQC-ACC-002"),
        ("/api/v1/lots", 422, ANA, "BQC-API-001"),
        ("/api/v1/lots/{lot}", 422, None, "BQC-API-008"),
    ]


def test_an_unforeseen_error_is_found_again_by_its_request(server: Server):
    token = server.enter(ANA)
    with server.house.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sign_in RENAME TO sign_in_away")
    answer = server.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    server.http.cookies[COOKIE] = token
    page = server.http.get("/lots")
    assert (answer.status_code, page.status_code) == (500, 500)
    request = answer.json()["request"]
    assert request == answer.headers["x-request-id"]
    found = [one for one in server.lines if one["request"] == request]
    assert ["trace" in one for one in found] == [True, False]
    assert "sign_in" in found[0]["trace"]
    assert "sign_in" not in answer.text
    assert found[1]["level"] == "error"
    assert page.headers["x-request-id"] in page.text


def record(name: str, error: Exception | None = None, message: str = "told") -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    return logging.LogRecord(name, logging.ERROR, "", 1, message, None, info)


def test_the_server_below_tells_an_error_only_where_it_is_new():
    error = ValueError("x")
    assert is_not_told(record("uvicorn.error", error))
    note_told(error)
    assert not is_not_told(record("uvicorn.error", error))
    assert is_not_told(record("batchqc.api", error))
    assert is_not_told(record("uvicorn.error"))


@pytest.mark.parametrize(
    "address",
    ["postgresql+psycopg://batchqc:db%22word@nowhere/x", "postgresql:///x?password=db%22word"],
)
def test_secrets_of_the_settings_are_blotted_out_whoever_tells_them(
    settings: Settings, address: str
):
    own = settings.model_copy(
        update={
            "database": address,
            "oidc_secret": SecretStr('of "oidc"'),
            "metrics_token": SecretStr(METRICS),
        }
    )
    message = f'{SEAL_PASSPHRASE}, of "oidc", db"word, {METRICS}; \x1b[2J\nforged'
    for form in LogFormat:
        line = formatter_of(own.model_copy(update={"log_format": form})).format(
            record("somebody", ValueError(message), message)
        )
        assert line.count(BLOT) == 8
        for secret in (SEAL_PASSPHRASE, "oidc", "word", METRICS):
            assert secret not in line
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def test_lines_for_people_are_in_order(settings: Settings):
    made = record("batchqc.requests")
    made.fields = {"account": "ana", "refusal": "BQC-ACC-001", "status": 401}
    made.created = 0
    assert Lines().format(made) == (
        "1970-01-01T00:00:00.000+00:00 error - told account=ana refusal=BQC-ACC-001"
    )


def test_metrics_count_what_was_asked_refused_done_and_waits(server: Server):
    house = server.house
    house.ready()
    before = server.metrics()
    assert not [labels for _, labels in before if "/api/v1/session" in labels]
    server.enter(QA1)
    server.enter(QA1, GUESS)
    house.release()
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        register_donor(tx, code="DNR-088", tissue_source="umbilical cord")
        register_lot(tx, NewLot("MSC-27-1", PRODUCT, MADE_ON, EXPIRES_ON, ("DNR-088",)))
        request_correction(
            tx, subject="lot:MSC-27-1", field="expires_on", after="2027-05-17", reason="Misread"
        )
    with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        hook = NewWebhook("erp", "https://erp.example/", ("account.*",))
        register_webhook(tx, hook, key=b"k" * 32)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(
            tx, user_id="zoe", name="Zoe", roles=[Role.QA], password=FIRST_PASSWORD,
            terms=terms(Role.QA),
        )  # fmt: skip
    house.upload(results(viability="much"), by=BEN)
    found = server.metrics()
    for name, labels, value in (
        ("batchqc_answers_total", ("/api/v1/session", "POST", "201"), 1),
        ("batchqc_answers_total", ("/api/v1/session", "POST", "401"), 1),
        ("batchqc_answers_total", ("/metrics", "GET", "200"), 1),
        ("batchqc_request_seconds_count", ("/api/v1/session", "POST"), 2),
        ("batchqc_refusals_total", ("BQC-SIG-001",), 1),
        ("batchqc_events_total", ("lot.released",), 1),
        ("batchqc_events_total", ("upload.accepted",), 1),
        ("batchqc_events_total", ("upload.refused",), 1),
        ("batchqc_waiting", ("certificates to be sealed",), 1),
        ("batchqc_waiting", ("corrections to be decided",), 1),
        ("batchqc_waiting", ("events to be told to webhooks",), 1),
        ("batchqc_connections", ("in use",), 0),
        ("batchqc_database_up", (), 1),
    ):
        assert found.get((name, tuple(sorted(labels)))) == value, (name, labels)
    assert found["process_resident_memory_bytes", ()] > 0
    labels = {label for _, labels in found for label in labels}
    assert not {LOT, ANA, QA1, ADM, "erp", "zoe"} & labels


def test_metrics_are_for_who_has_their_token_and_outlive_the_database(server: Server):
    token = server.enter(QA1)
    for given in ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": "Bearer "}):
        answer = server.http.get("/metrics", headers=given)
        assert (answer.status_code, answer.json()["code"]) == (401, "BQC-API-024")
    with server.house.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE event RENAME TO event_away")
    assert server.metrics()["batchqc_database_up", ()] == 0
    state = server.http.app.api.state  # type: ignore[attr-defined]
    own = state.door.settings.model_copy(update={"metrics_token": None})
    state.door.engine.dispose()
    state.door = open_door(own, now=server.house.now)
    answer = server.http.get("/metrics", headers={"Authorization": "Bearer "})
    assert (answer.status_code, answer.json()["code"]) == (404, "BQC-API-023")
