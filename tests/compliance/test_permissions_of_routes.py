"""Who may do what, as the running application does it, against ``role_matrix.toml``.

That table is written by hand and is not the one that the application uses. Every route is called by
a person of each role: it is either denied (403 BQC-ACC-002) or it is not; and by everybody who may
not at all. A route without a line fails, a line without a route fails.
"""

import asyncio
import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from batchqc.actions.accounts import deactivate
from batchqc.actions.people import change_password, register_person, sign_in
from batchqc.actions.views import views
from batchqc.api.app import create_app, open_door
from batchqc.core.accounts import Terms
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import Settings
from tests.api.conftest import application, log_key, seal, settings  # noqa: F401 - fixtures
from tests.kinds import KINDS
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    DON,
    FIRST_PASSWORD,
    LOT,
    PASSWORD,
    QA1,
    REV,
    SPEC,
    House,
    terms,
)

MATRIX: Final[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("role_matrix.toml").read_text()
)
ROUTES: Final[dict[str, dict[str, str]]] = MATRIX["routes"]
SHORT: Final = {name: Role(role) for name, role in MATRIX["short"].items()}
ANYONE: Final = "anyone"
BESIDE: Final = ("/status/", "/healthz", "/readyz", "/metrics")
"""What is not below /api/v1: for people with a code on paper, and for machines."""
HOLDERS: Final = {
    Role.ANALYST: ANA, Role.REVIEWER: REV, Role.SPEC_AUTHOR: SPEC, Role.QA: QA1, Role.QP: "qp",
    Role.DONOR_OFFICER: DON, Role.AUDITOR: AUD, Role.ADMIN: ADM,
}  # fmt: skip
#: Who may nothing at all, and the code that says so; but those of OWN where they are signed in.
OUTSIDERS: Final = {
    "nobody": "BQC-ACC-001", "gone": "BQC-ACC-001", "late": "BQC-ACC-015",
    "roleless": "BQC-ACC-002", "fresh": "BQC-ACC-003",
}  # fmt: skip
OWN: Final = {
    "DELETE /session", "GET /me", "POST /password", "POST /step-up", "POST /step-up/return",
    "POST /link/confirmation", "POST /authenticator", "POST /authenticator/confirmation",
    "POST /authenticator/revocation", "GET /accountability", "POST /accountability",
    "POST /sessions/end", "POST /sessions/{sha256}/end",
}  # fmt: skip
PLACES: Final = {
    "template": "none", "user_id": "ben", "profile": "NO-PROFILE", "code": "DNR-UC-01",
    "specification": "UC-MSC-REL", "version": "1", "position": "1", "method": "SOP-QC-040",
    "register": "training", "lot": LOT, "number": "COA-2026-000001", "row": "2",
    "column": "value", "criterion": "viability",
    "hold": "1", "stop": "1", "policy": "supply by exception", "name": "erp",
    "donation": "DON-26-1", "panel": "US-1271", "node": f"lot:{LOT}", "bank": "MCB-UC-01",
    "retain": "RET-001", "product": "UC-MSC", "table": "lots", "plot": "histogram.svg",
    "size": "1", "copy": "1", "layout": "NO-LAYOUT", "sha256": "0" * 64,
}  # fmt: skip


@dataclass
class Everyone:
    """Somebody for each role and each kind of outsider, all but nobody with a token."""

    house: House
    application: FastAPI
    tokens: dict[str, str]

    def __post_init__(self) -> None:
        """The application answers in this process: a server between would take half of the time."""
        inside = httpx.ASGITransport(self.application, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=inside, base_url="http://inside/api/v1")
        self._loop = asyncio.new_event_loop()

    def leave(self) -> None:
        """No more questions."""
        self._loop.run_until_complete(self._http.aclose())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def ask(self, who: str, line: str) -> httpx.Response:
        """Call the route of a line."""
        method, path = line.split(" ")[:2]
        sent = ROUTES[line]
        body: dict[str, Any] = {}
        if "json" in sent:
            body = {"json": json.loads(sent["json"])}
        elif "file" in sent:
            body = {"content": sent["file"].encode()}
        address = f"{path.format(**PLACES)}?{sent.get('query', '')}"
        if path.startswith(BESIDE):
            address = f"http://inside{address}"
        return self.send(who, method, address, **body)

    def send(self, who: str, method: str, address: str, **body: Any) -> httpx.Response:
        """Ask as somebody."""
        token = self.tokens.get(who)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        asked = self._http.request(method, address, headers=headers, **body)
        return self._loop.run_until_complete(asked)


def enter(house: House, user_id: str, password: str = PASSWORD) -> str:
    """Sign in for days, whatever the application allows: the token."""
    token = f"token of {user_id} at {house.now.at}"
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        begun = sign_in(tx, user_id=user_id, password=password, token=token, hours=999)
        assert not isinstance(begun, Refusal)
    return token


def register(house: House, user_id: str, *roles: Role, ends: Terms) -> None:
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(
            tx, user_id=user_id, name=user_id, roles=roles, password=FIRST_PASSWORD, terms=ends
        )
    if user_id != "fresh":
        with house.alone(user_id) as tx:
            assert not change_password(tx, user_id=user_id, old=FIRST_PASSWORD, new=PASSWORD)


@pytest.fixture
def everyone(
    application: FastAPI,  # noqa: F811
    house: House,
    settings: Settings,  # noqa: F811
) -> Iterator[Everyone]:
    """The day of the late auditor is over, and the account of who is gone is closed."""
    stays = settings.model_copy(update={"session_idle_minutes": 0})
    application.state.door = open_door(stays, now=house.now)
    register(house, "late", Role.AUDITOR, ends=Terms(house.now.at.date()))
    register(house, "qp", Role.QP, ends=terms(Role.QP))
    register(house, "gone", Role.QA, ends=terms(Role.QA))
    register(house, "roleless", ends=Terms())
    register(house, "fresh", Role.QA, ends=terms(Role.QA))
    tokens = {who: enter(house, who) for who in (*HOLDERS.values(), "late", "gone", "roleless")}
    tokens["fresh"] = enter(house, "fresh", FIRST_PASSWORD)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        deactivate(tx, user_id="gone", reason="Has left the company")
    house.now.at += timedelta(days=1)
    found = Everyone(house, application, tokens)
    yield found
    found.leave()
    application.state.door.engine.dispose()


def routes(found: Iterable[Any], prefix: str = "") -> Iterator[str]:
    """Every route that the application answers, described or hidden, in routers of routers too.

    What it does not know (a mount, a socket) it names without a method: no line of the table is so.
    """
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes, prefix + route.include_context.prefix)
        else:
            path = prefix + getattr(route, "path", repr(route))
            methods = set(getattr(route, "methods", None) or {"?"}) - {"HEAD"}
            path = path.removeprefix("/api/v1").replace(":path}", "}")  # as OpenAPI names it
            yield from (f"{method} {path}" for method in methods)


def code_of(answer: httpx.Response) -> str:
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return str(answer.json()["code"]) if is_problem else ""


@pytest.mark.requirement("2.04")
def test_every_route_has_a_line_and_every_line_a_route(application: FastAPI):  # noqa: F811
    lines = {" ".join(line.split(" ")[:2]) for line in ROUTES}
    assert set(routes(application.routes)) == lines


def test_a_hidden_route_does_not_escape_the_table(tmp_path: Path):
    def anything() -> None:
        """Answers anybody."""

    inner, outer = APIRouter(), APIRouter()
    inner.add_api_route("/hidden", anything, methods=["PUT"], include_in_schema=False)
    outer.include_router(inner, prefix="/in")
    app = create_app(Settings.in_folder(tmp_path))
    before = set(routes(app.routes))
    app.include_router(outer, prefix="/api/v1")
    app.mount("/elsewhere", FastAPI())
    app.add_api_websocket_route("/socket", anything)
    new = {"PUT /in/hidden", "? /elsewhere", "? /socket"}
    assert set(routes(app.routes)) - before == new


def test_what_openapi_describes_is_what_is_answered(application: FastAPI):  # noqa: F811
    described = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in application.openapi()["paths"].items()
        for method in operations
    }
    assert set(routes(application.routes)) - described == {"GET /openapi.json", "GET /docs"}


@pytest.mark.requirement("1.04", "1.07", "1.23", "2.04", "10.06", "2.4")
def test_every_route_admits_the_roles_of_the_table_and_nobody_else(
    everyone: Everyone, database: str
):
    """Each line is asked of one of the databases, in turn: who may is no matter of these."""
    wrong: list[str] = []
    asked = list(islice(ROUTES, KINDS.index(database), None, len(KINDS)))
    for line in asked:
        wrong += roles_wrongly_answered(everyone, line)
        wrong += outsiders_wrongly_answered(everyone, line)
    assert wrong == []
    with everyone.house.reading() as session:
        seen = views(session, after=0, limit=len(ROUTES) + 1, who=AUD)
    signed_in = [" ".join(one.split(" ")[:2]) for one in asked if ROUTES[one]["who"] != ANYONE]
    assert [one.route.replace(":path}", "}") for one in seen] == signed_in


def roles_wrongly_answered(everyone: Everyone, line: str) -> Iterator[str]:
    who = ROUTES[line]["who"]
    named = {SHORT[name] for name in (SHORT if who == "all" else who.split()) if name != ANYONE}
    for role, user_id in HOLDERS.items() if who != ANYONE else ():
        answer = everyone.ask(user_id, line)
        denied = answer.status_code == 403 and code_of(answer) == "BQC-ACC-002"
        held = role in named
        if denied is held or answer.status_code in {401, 500}:
            yield f"{line} as {role}: {answer.status_code} {answer.text[:90]}"
        if line == "DELETE /session":
            everyone.tokens[user_id] = enter(everyone.house, user_id)


def outsiders_wrongly_answered(everyone: Everyone, line: str) -> Iterator[str]:
    is_open = ROUTES[line]["who"] == ANYONE
    for who, code in OUTSIDERS.items():
        if who in {"roleless", "fresh"} and line in OWN:
            continue  # it concerns only themselves
        answer = everyone.ask(who, line)
        if (code_of(answer) == code) is is_open:
            yield f"{line} as {who}: {answer.status_code} {answer.text[:90]}"
