"""Every refusal is a problem (RFC 9457) with its code and reasons, whatever is sent wherever."""

import asyncio
import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import httpx
from fastapi import FastAPI

from batchqc import errors
from batchqc.api.errors import handle_errors
from batchqc.errors import BatchqcError
from tests.actions.state import TRAIL, counts, grown
from tests.api.conftest import Site
from tests.compliance.test_permissions_of_routes import PLACES, ROUTES
from tests.records.house import ADM, ANA, DON, QA1, REV, SPEC

#: Written by hand: the status of every kind of error.
STATUS = {
    errors.BatchqcError: None, errors.InvalidInput: 422, errors.NotSignedIn: 401,
    errors.NotPermitted: 403, errors.NotFound: 404, errors.Conflict: 409,
    errors.ReleaseBlocked: 409, errors.Outdated: 412, errors.SignatureRefused: 403,
    errors.SigningUnavailable: 503, errors.IntegrityFailure: 500, errors.NotEstimable: 422,
    errors.StoreUnavailable: 503, errors.ClockDoubtful: 503, errors.Disposed: 410,
    errors.ScannerUnavailable: 503,
}  # fmt: skip
WHO = {"analyst": ANA, "reviewer": REV, "author": SPEC, "QA": QA1, "donor": DON, "admin": ADM}
STRANGE: tuple[Any, ...] = (
    None, 0, -1, 2**70, True, 1.5, "", " ", "\u202e", "x" * 5000, "../../etc/passwd", "'; --",
    [], [None], {}, {"a": [{}]}, "9999-99-99", "\U0001f9eb", "\x00",
)  # fmt: skip


def tree(kind: type[BatchqcError]) -> Iterator[type[BatchqcError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from tree(one)


def test_every_kind_of_error_has_its_status_and_tells_code_and_all_reasons():
    of_pages = {one for one in tree(BatchqcError) if one.__module__.startswith("batchqc.web")}
    assert set(tree(BatchqcError)) - of_pages == set(STATUS)
    app = FastAPI()
    handle_errors(app)
    raised: list[BatchqcError] = []

    @app.get("/")
    def fails() -> None:
        raise raised[-1]

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/")

    for kind, status in STATUS.items():
        if status is None:  # nobody raises the root of the tree
            continue
        raised.append(kind("BQC-XXX-001", "it is wrong", hint="Mend it.", reasons=["one", "two"]))
        answer = asyncio.run(ask())
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert (told["code"], told["detail"], told["hint"]) == (
            "BQC-XXX-001", "it is wrong", "Mend it.",
        )  # fmt: skip
        assert (told["status"], told["reasons"]) == (status, ["one", "two"])


def bodies(body: Any) -> Iterator[Any]:
    """A body with one member after the other made strange, and strange as a whole."""
    yield from ([], None)
    if not isinstance(body, dict):
        return
    for number, name in enumerate(body):
        yield body | {name: STRANGE[(number * 7 + len(body)) % len(STRANGE)]}


def test_nothing_strange_in_a_body_is_answered_by_anything_but_a_problem(site: Site):
    strange = [(line, one) for line, one in ROUTES.items() if line.startswith("POST ")]
    before, sent = counts(site.house.engine), 0
    for line, one in strange:
        path = f"{line.split(' ')[1].format(**PLACES)}?{one.get('query', '')}"
        person = WHO.get(one["who"].split()[0], ANA)
        for wrong in bodies(json.loads(one.get("json", "null"))) if "file" not in one else ():
            sent += 1
            headers = {"content-type": "application/json"}
            content = json.dumps(wrong)
            answer = site.send(person, "POST", path, content=content, headers=headers)
            told = (line, content[:200], answer.status_code, answer.text[:200])
            assert answer.status_code < 500, told
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json", told
                assert answer.json()["code"].startswith("BQC-"), told
                assert isinstance(answer.json()["reasons"], list), told
    assert sent > 120
    new = grown(site.house.engine, before)
    assert set(new) & {"disposition", "review", "certificate", "eligibility", "signature"} == set()
    assert set(TRAIL) - {"event"} <= set(new)


def test_nothing_strange_in_an_address_is_answered_by_anything_but_a_problem(site: Site):
    values = cycle(["%00", "%F0%9F%A7%AB", "..%2F..", "a" * 3000, "-1"])
    described = site.http.get("/openapi.json").json()
    for path, operations in described["paths"].items():
        operation = operations.get("get", {"parameters": []})
        for one in operation.get("parameters", []):
            value = next(values)
            if one["in"] == "path":
                asked = path.replace(f"{{{one['name']}}}", value)
            elif one["in"] == "query":
                asked = f"{path}?{one['name']}={value}"
            else:
                continue
            asked = asked.removeprefix("/api/v1").format(**PLACES)
            answer = site.send(QA1, "GET", asked)
            assert answer.status_code < 500, (asked, answer.text[:200])
            if answer.status_code >= 400:
                assert answer.json()["code"].startswith("BQC-"), asked
