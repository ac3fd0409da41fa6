"""Idempotency keys, on every POST that the running application answers.

Each step is sent twice at once, again afterwards, and with other content, all under one key.
"""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from batchqc.api.app import PREFIX
from batchqc.api.doors import _keyed
from tests.actions.state import counts, grown
from tests.api.conftest import SECRETS, Site, no_secret, signed
from tests.api.test_entries import REPORT, SENT
from tests.api.test_refusals import is_problem
from tests.compliance.test_permissions_of_routes import routes
from tests.records.full_house import POST_THAW
from tests.records.house import (
    ADM,
    ANA,
    BEN,
    DON,
    LABORATORY,
    LOT,
    PROFILE,
    QA1,
    QA2,
    REV,
    SPEC,
    results,
)  # fmt: skip
from tests.records.laboratory import METHOD_FILE
from tests.records.layouts import LAYOUT

#: Bodies with secrets, of which no answer is kept, and what changes nothing when it is done twice.
WITHOUT_KEY = {
    "POST /session": "it answers a token",
    "POST /session/single-sign-on": "nobody is signed in, and it answers a ticket",
    "POST /session/single-sign-on/return": "it answers a token",
    "POST /session/single-sign-on/logout": "the provider calls it; what ended is ended",
    "POST /password": "its body holds passwords",
    "POST /people": "its body holds a password",
    "POST /webhooks": "it answers a secret",
    "POST /specifications/lint": "it changes nothing",
    "POST /verification": "it records nothing",
    "POST /archive/exports": "each time it is logged and sent",
    "POST /certificates/{number}/issue": "an issued certificate is answered as it is",
    "POST /certificates/{number}/renditions": "one that was made is answered as it is",
}
THAW = "/specifications/UC-MSC-THAW/1"
WHY = "From the audit plan"
DAYS = {"calibrated_on": "2025-01-01", "due_on": "2026-01-01"}
UNTIL = {"trained_on": "2025-01-01", "expires_on": "2026-01-01"}
SAMPLE = {"id": f"{LOT}-S09", "stage": "release", "container": "vial",
          "taken_at": "2025-05-20T08:00:00-05:00"}  # fmt: skip
NEW_LOT = {"id": "MSC-26-0021", "product": "UC-MSC", "manufactured_on": "2025-05-19",
           "expires_on": "2027-05-18", "donors": ["DNR-UC-77"]}  # fmt: skip
TYPED = SENT | {"lot": "MSC-26-0021", "sample": "MSC-26-0021-S01"}


@dataclass
class Step:
    """A request: the route that it is for, who sends it, where to, and what."""

    route: str
    who: str
    path: str
    body: Any = None
    key: str = field(default="")


def steps() -> Iterator[Step]:  # noqa: PLR0915 - a table, in order
    """A valid request for every POST, in an order in which each succeeds."""
    donor, lot = "/donors/DNR-UC-77", "/lots/MSC-26-0021"
    determined = signed(DON, eligible=True, basis="Screening and testing")
    impact = "of the impact report"  # filled in
    yield Step("/people/{user_id}/roles", ADM, f"/people/{BEN}/roles",
               {"role": "reviewer", "reason": "Stands in for a colleague"})  # fmt: skip
    yield Step("/laboratories", ADM, "", {"user_id": "lab.two", "name": "Another Laboratory"})
    yield Step("/webhooks/{name}/end", ADM, "/webhooks/erp/end", {"reason": "It is gone"})
    yield Step("/products", QA1, "", {"code": "X-1", "name": "X", "form": "bag", "storage": "cold"})
    yield Step("/donors", DON, "", {"code": "DNR-UC-77", "tissue_source": "umbilical cord"})
    yield Step("/donors/{code}/eligibility", DON, f"{donor}/eligibility", determined)
    yield Step("/lots", ANA, "", NEW_LOT)
    yield Step("/lot-registrations", ANA, "", {"lots": [NEW_LOT | {"id": "MSC-26-0022"}]})
    sample = {**SAMPLE, "id": "MSC-26-0021-S01"}
    yield Step("/lots/{lot}/samples", ANA, f"{lot}/samples", {"samples": [sample]})
    yield Step("/results/manual", ANA, "", TYPED)
    yield Step("/results/attachments", ANA,
               "/results/attachments?entry=U-2026-000001&file=report.pdf", REPORT)  # fmt: skip
    yield Step("/results/manual/{number}/verification", REV,
               "/results/manual/U-2026-000001/verification",
               signed(REV, values=["93.47"], unit="%"))  # fmt: skip
    yield Step("/corrections", ANA, "", {"subject": "lot:MSC-26-0021", "field": "expires_on",
               "after": "2027-05-17", "reason": "Misread the label"})  # fmt: skip
    yield Step("/corrections/{number}/decision", QA2, "/corrections/C-2026-000001/decision",
               signed(QA2, approve=True))  # fmt: skip
    yield Step("/uploads", ANA, "/uploads?file=r.csv", results())
    yield Step("/laboratory-certificates", ANA, f"/laboratory-certificates?file=c.txt"
               f"&laboratory={LABORATORY}&upload=U-2026-000002", b"theirs")  # fmt: skip
    yield Step("/materials", QA1, "", {"material": "LAL-1", "kind": "kit", "lot": "L7",
               "expires_on": "2027-01-01"})  # fmt: skip
    yield Step("/material-uses", ANA, "", {"upload": "U-2026-000002", "test": "ENDO",
               "run": "ENDO-250520-01", "material": "LAL-1"})  # fmt: skip
    yield Step("/instruments", QA1, "", {"instrument": "PTS-001", "kind": "Reader"} | DAYS)
    yield Step("/training", QA1, "", {"person": ANA, "method": "SOP-QC-040"} | UNTIL)
    yield Step("/register-rules/{register}", QA1, "/register-rules/instruments",
               {"rule": "flag", "reason": WHY})  # fmt: skip
    yield Step("/lots/{lot}/review", REV, f"/lots/{LOT}/review", signed(REV))
    yield Step("/lots/{lot}/disposition", QA1, f"/lots/{LOT}/disposition",
               signed(QA1, decision="rejected"))  # fmt: skip
    yield Step("/methods", SPEC, "/methods?file=m.toml", METHOD_FILE.replace(b"2025-01-01",
               b"2026-12-01"))  # fmt: skip
    yield Step("/methods/{method}/{version}/approval", QA2, "/methods/SOP-QC-040/4/approval",
               signed(QA2))  # fmt: skip
    yield Step("/profiles", SPEC, "/profiles?file=p.toml", PROFILE)
    yield Step("/profiles/{profile}/{version}/approval", QA1, "/profiles/SITE-COMMA/1/approval",
               signed(QA1))  # fmt: skip
    yield Step("/layouts", SPEC, "/layouts?file=l.toml", LAYOUT)
    yield Step("/layouts/{layout}/{version}/submission", SPEC, "/layouts/COA-DE/1/submission")
    yield Step("/layouts/{layout}/{version}/approval", QA1, "/layouts/COA-DE/1/approval",
               signed(QA1))  # fmt: skip
    yield Step("/layouts/{layout}/{version}/withdrawal", QA1, "/layouts/COA-DE/1/withdrawal",
               signed(QA1))  # fmt: skip
    yield Step("/specifications", SPEC, "/specifications?file=s.toml", POST_THAW)
    yield Step("/specifications/{specification}/{version}/submission", SPEC, f"{THAW}/submission")
    yield Step("/specifications/{specification}/{version}/impact", SPEC, f"{THAW}/impact")
    yield Step("/specifications/{specification}/{version}/approval", QA1, f"{THAW}/approval",
               signed(QA1, impact=impact))  # fmt: skip
    yield Step("/specifications/{specification}/{version}/withdrawal", QA1, f"{THAW}/withdrawal",
               signed(QA1, from_day="2099-01-01"))  # fmt: skip


def test_every_post_of_the_application_takes_a_key_or_has_a_reason_why_not(site: Site):
    """Those that take one take it in the same place (``doors.Writing``); the steps try many."""
    posts = {one for one in routes(site.app.routes) if one.startswith("POST ")}
    tried = {f"POST {step.route}" for step in steps()}
    assert tried <= posts
    assert not tried & set(WITHOUT_KEY)
    keyed = set(takes_a_key(site.app.routes))
    assert tried <= keyed
    assert posts - keyed <= set(WITHOUT_KEY) <= posts


def takes_a_key(found: Iterable[BaseRoute], prefix: str = "") -> Iterator[str]:
    """The POST routes whose endpoint asks for the key by ``doors.Writing``."""
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from takes_a_key(inner.routes, prefix + route.include_context.prefix)
        elif isinstance(route, APIRoute) and "POST" in route.methods:
            path = (prefix + route.path).removeprefix(PREFIX).replace(":path}", "}")
            asked = [one.call for one in route.dependant.dependencies]
            yield from [f"POST {path}"] if _keyed in asked else []


def send(site: Site, step: Step, path: str = "", body: Any = None) -> httpx.Response:
    """A request of a client of its own."""
    headers = {"Authorization": f"Bearer {site.token(step.who)}", "Idempotency-Key": step.key}
    content = body if body is not None else step.body
    sent = {"content": content} if isinstance(content, bytes) else {"json": content}
    options = {} if content is None else sent
    hooks = {"response": [no_secret]}
    with httpx.Client(base_url=site.http.base_url, timeout=60, event_hooks=hooks) as own:
        return own.post(path or step.path or step.route, headers=headers, **options)


def changed(step: Step) -> tuple[str, Any]:
    """Another address or another body, each as well-formed as the first."""
    if isinstance(step.body, dict) and "reason" in step.body:
        return step.path, step.body | {"reason": "For quite another reason"}
    if isinstance(step.body, bytes):
        return step.path, step.body + b"\n"
    path = step.path or step.route
    return f"{path}?another=1", step.body


def test_what_is_sent_under_one_key_is_done_once_and_answered_the_same(site: Site):
    hook = {"name": "erp", "url": "https://erp.example/in"}
    secret = site.send(ADM, "POST", "/webhooks", json=hook).json()["secret"]
    for number, step in enumerate(steps()):
        step.key = f"key-of-{step.who}-{number:03}"
        if step.route.endswith("/approval") and "impact" in (step.body or {}):
            step.body["impact"] = site.get(QA1, f"{THAW}/impact")["sha256"]
        site.token(step.who)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _, step=step: send(site, step), range(2)))
        assert {one.status_code for one in answers} == {201}, (step.route, answers[0].text)
        assert len({one.text for one in answers}) == 1, step.route
        before = counts(site.house.engine)
        again = send(site, step)
        assert (again.status_code, again.json()) == (201, answers[0].json()), step.route
        is_problem(send(site, step, *changed(step)), 409, "BQC-API-004")
        assert grown(site.house.engine, before) == {}, step.route
    with site.house.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT body, idempotency_key FROM answer").all()
    assert len(kept) == len(list(steps()))
    told = json.dumps([list(one) for one in kept]).encode()
    assert not [one for one in (*SECRETS, secret.encode()) if one in told]
    assert site.house.verify().problems == ()


def test_the_keys_of_two_people_have_nothing_to_do_with_each_other(site: Site):
    key = {"Idempotency-Key": "the-same-key-1"}
    for who, code in ((QA1, "X-1"), (QA2, "X-2")):
        product = {"code": code, "name": "X", "form": "bag", "storage": "cold"}
        answer = site.send(who, "POST", "/products", json=product, headers=key)
        assert (answer.status_code, answer.json()["code"]) == (201, code)


def test_a_secret_is_answered_once_whatever_the_key(site: Site):
    key = {"Idempotency-Key": "a-webhook-1"}
    hook = {"name": "erp", "url": "https://erp.example/in"}
    first = site.send(ADM, "POST", "/webhooks", json=hook, headers=key)
    assert len(first.json()["secret"]) == 64
    is_problem(site.send(ADM, "POST", "/webhooks", json=hook, headers=key), 409, "BQC-EVT-002")
    assert first.json()["secret"] not in json.dumps(site.get(ADM, "/webhooks"))
    assert first.json()["secret"] not in json.dumps(site.get(ADM, "/audit?limit=200"))
