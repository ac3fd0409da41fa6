"""What ``openapi.json`` says is what is answered, whoever asks whatever, in a full house.

Every operation is asked with what fits its description by people who may, and with what does not
by people of each role in turn and by nobody. Nothing answers 500; no status, media type, header or
body is undescribed. In ``make test`` a case or two of each operation, always the same; in
``make long`` a dozen, by everybody.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from pydantic import SecretStr
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from batchqc.api.app import open_door
from batchqc.core.permissions import Role
from batchqc.documents.archive import FolderArchive
from batchqc.documents.component_key import create_component_key
from batchqc.documents.pki import PkiFiles
from batchqc.settings import Settings
from tests.api.conftest import SEAL_PASSPHRASE
from tests.cast import NOW
from tests.compliance.test_permissions_of_routes import (
    ANYONE,
    HOLDERS,
    ROUTES,
    SHORT,
    enter,
    register,
)
from tests.databases import Databases
from tests.kinds import SQLITE
from tests.records.full_house import full_copy
from tests.records.house import PASSWORD, Clock, House, terms
from tests.tiers import LONG

CHECKS: Final = [
    status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
CASES: Final = 12 if LONG else 2
NOBODY: Final = ""
#: What is on record, for two addresses of three: what is made up leads to 404 nearly always.
KNOWN: Final = {
    "user_id": "ben", "code": "DNR-UC-03", "donation": "GIFT-UC-01", "panel": "US-1271",
    "lot": "MSC-26-0012", "specification": "UC-MSC-REL", "method": "SOP-QC-031",
    "register": "training", "row": "2", "column": "value", "criterion": "viability",
    "policy": "supply by exception", "name": "warehouse", "node": "lot:MSC-26-0012",
    "bank": "MCB-UC-01", "retain": "RET-001", "product": "UC-MSC", "table": "lots",
    "plot": "histogram.svg", "layout": "COA-CLINIC", "sha256": "0" * 64,
}  # fmt: skip
NUMBERS: Final = {
    "uploads": "U-2026-000001", "results": "U-2026-000007", "certificates": "COA-2026-000001",
    "status": "COA-2026-000001", "corrections": "C-2026-000001", "look-backs": "LB-2026-000001",
    "investigations": "OOS-2026-000001", "quality-reviews": "QR-2026-000001",
    "account-reports": "AR-2026-000001", "audit-samples": "TS-2026-000001",
}  # fmt: skip
for media_type in ("application/toml", "application/pdf", "text/csv"):
    schemathesis.openapi.media_type(media_type, st.binary())


class Asked:
    """The application in this process, and a session for each role and for nobody."""

    def __init__(self, application: FastAPI, house: House) -> None:
        self.house = house
        self.tokens = {NOBODY: ""} | {who: enter(house, who) for who in HOLDERS.values()}
        inside = httpx.ASGITransport(application, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=inside, base_url="http://inside")
        self._loop = asyncio.new_event_loop()

    def __call__(self, case: Case, who: str) -> httpx.Response:
        """Ask for a case."""
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://inside")).prepare()
        headers = [(name, as_bytes(value)) for name, value in sent.headers.items()]
        asked = httpx.Request(sent.method, sent.url, headers=headers, content=sent.body)
        return self._send(who, asked)

    def ask(self, who: str, method: str, address: str, sent: Any) -> httpx.Response:
        """Ask for an address with a body of JSON, with a text as a file, or with none."""
        as_body = {"content": sent} if isinstance(sent, str) else {"json": sent} if sent else {}
        return self._send(who, self._http.build_request(method, address, **as_body))

    def _send(self, who: str, request: httpx.Request) -> httpx.Response:
        if self.tokens[who]:
            request.headers["Authorization"] = f"Bearer {self.tokens[who]}"
        answer = self._loop.run_until_complete(self._http.send(request))
        if who and answer.status_code == 204:
            self.tokens[who] = enter(self.house, who)
        return answer

    def close(self) -> None:
        self._loop.run_until_complete(self._http.aclose())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@pytest.fixture(scope="module")
def asked(
    databases: Databases,
    shared_archive: FolderArchive,
    application: FastAPI,
    seal: PkiFiles,
    log_key: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Asked]:
    with full_copy(databases, SQLITE, shared_archive) as engine:
        house = House(engine, shared_archive, Clock(NOW + timedelta(days=1)))
        register(house, "qp", Role.QP, ends=terms(Role.QP))
        component_key = tmp_path_factory.mktemp("keys") / "components.key"
        create_component_key(component_key)
        place = Settings(
            database=engine.url.render_as_string(hide_password=False),
            store=shared_archive.root, seal=seal.seal_p12,
            seal_passphrase=SecretStr(SEAL_PASSPHRASE), log_key=log_key,
            component_key=component_key, session_idle_minutes=0,
        )  # fmt: skip
        before = application.state.door
        application.state.door = open_door(place, now=house.now)
        found = Asked(application, house)
        yield found
        found.close()
        application.state.door.engine.dispose()
        application.state.door = before


def as_bytes(header: str | bytes) -> bytes:
    """A header as it is sent: of any byte, as HTTP allows."""
    return header.encode("latin-1") if isinstance(header, str) else header


def cases(operation: APIOperation, mode: GenerationMode) -> list[Case]:
    """The same at each run; of what takes nothing, nothing is wrong."""
    found: list[Case] = []

    @settings(
        max_examples=CASES, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode))
    def keep(case: Case) -> None:
        found.append(case)

    try:
        keep()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
    return found if LONG else found[1:]  # the first is always the simplest


def known(path: str, name: str) -> str:
    """What is on record, for a place of an address."""
    return KNOWN.get(name, NUMBERS.get(path.removeprefix("/api/v1").split("/")[1], "1"))


def made_real(case: Case, who: str) -> None:
    """Put what is on record into the places of an address, and the person's own components."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = known(case.path, name)
    if isinstance(case.body, dict) and {"user_id", "password", "reason"} <= case.body.keys():
        case.body |= {"user_id": who, "password": PASSWORD, "reason": "Compared with raw data"}


def undescribed(case: Case, answer: httpx.Response) -> Iterator[str]:
    """How an answer departs from its description."""
    if answer.status_code == 500:
        yield f"500: {answer.text[:200]}"
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        yield from (str(one.message) for one in group.exceptions if isinstance(one, Failure))


def might(method: str, path: str) -> list[str]:
    """Who may ask for it: one person of each role, or nobody in particular."""
    line = f"{method.upper()} {path.removeprefix('/api/v1')}"
    names = ROUTES[line]["who"].split()
    if names == [ANYONE]:
        return [NOBODY]
    return [HOLDERS[role] for short, role in SHORT.items() if names == ["all"] or short in names]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_it_is_described(
    asked: Asked, application: FastAPI, mode: GenerationMode
):
    schema = schemathesis.openapi.from_dict(application.openapi())
    wrong, statuses, everybody = [], set(), cycle(asked.tokens)
    for result in schema.get_all_operations():
        operation = result.ok()
        may = cycle(might(operation.method, operation.path))
        for at, case in enumerate(cases(operation, mode)):
            who = next(may if mode is GenerationMode.POSITIVE and not LONG else everybody)
            if at % 3 < 2:
                made_real(case, who)
            answer = asked(case, who)
            statuses.add(answer.status_code)
            wrong += [
                f"{answer.request.method} {answer.request.url} by {who or 'nobody'}:"
                f" {answer.request.content[:300]!r}: {said}"
                for said in undescribed(case, answer)
            ]
    assert wrong == []
    assert {200, 404, 422} <= statuses  # else nobody was asked anything


def numbers(
    described: dict[str, Any], schema: dict[str, Any], at: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number in what is sent, by where it stands."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        yield from numbers(described, described["components"]["schemas"][name], name)
    if schema.get("type") in {"integer", "number"}:
        yield at, schema
    for key, inner in schema.get("properties", {}).items():
        yield from numbers(described, inner, f"{at}.{key}")
    items = [schema["items"]] if "items" in schema else []
    for inner in (*schema.get("anyOf", ()), *items):
        yield from numbers(described, inner, at)


def test_every_number_that_is_sent_is_one_that_both_databases_hold(application: FastAPI):
    described = application.openapi()
    found: list[tuple[str, dict[str, Any]]] = []
    for path, operations in described["paths"].items():
        for operation in operations.values():
            for one in operation.get("parameters", ()):
                found += numbers(described, one["schema"], f"{path} {one['name']}")
            for body in operation.get("requestBody", {}).get("content", {}).values():
                found += numbers(described, body["schema"], path)
    endless = {at for at, one in found if not {"minimum", "maximum"} <= one.keys()}
    assert len(found) > 100
    assert endless == set()
