"""Who may do what, as the running application does it, against a table written by hand.

The table is not the one that the application uses. Every route is called by a person who holds one
role, for every role: it is either denied (403 BQC-ACC-002) or it is not. A route without a line
fails, a line without a route fails.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from batchqc.actions.people import change_password, register_person
from batchqc.api.app import create_app
from batchqc.core.permissions import Permission, Role
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import Settings
from tests.api.conftest import Site, application, seal, settings, site  # noqa: F401 - fixtures
from tests.records.house import ADM, FIRST_PASSWORD, LOT, PASSWORD

ANYONE = "anyone"
ALL = "analyst reviewer author QA QP donor auditor admin"
SHORT = {
    "analyst": Role.ANALYST, "reviewer": Role.REVIEWER, "author": Role.SPEC_AUTHOR, "QA": Role.QA,
    "QP": Role.QP, "donor": Role.DONOR_OFFICER, "auditor": Role.AUDITOR, "admin": Role.ADMIN,
}  # fmt: skip
SIGNED = {"user_id": "x", "password": "no password", "reason": "Only to see who may"}

# route -> who may, and a body with which the request gets as far as that question
ORACLE: dict[str, tuple[str, Any]] = {
    "POST /session": (ANYONE, {"user_id": "x", "password": "no password"}),
    "GET /health": (ANYONE, None),
    "GET /openapi.json": (ANYONE, None),
    "GET /docs": (ANYONE, None),
    "DELETE /session": (ALL, None),
    "GET /me": (ALL, None),
    "POST /password": (ALL, {"old": "no password", "new": "new password 33"}),
    "POST /session/single-sign-on": (ANYONE, None),
    "POST /session/single-sign-on/return": (ANYONE, {"ticket": "", "code": "", "state": ""}),
    "POST /step-up": (ALL, {"record": f"lot:{LOT}", "meaning": "reviewed"}),
    "POST /step-up/return": (ALL, {"ticket": "", "code": "", "state": ""}),
    "POST /link/confirmation": (ALL, {"password": "no password"}),
    "POST /authenticator": (ALL, SIGNED),
    "POST /authenticator/confirmation": (ALL, {"code": "000000"}),
    "POST /authenticator/revocation": (ALL, SIGNED),
    "GET /authenticator": (ALL, None),
    "POST /people/{user_id}/authenticator/revocation": ("admin", {"reason": "Only to see who"}),
    "GET /accountability": (ALL, None),
    "POST /accountability": (ALL, SIGNED | {"sha256": ""}),
    "GET /signing-rule": (ALL, None),
    "POST /signing-rule": ("QA", {"with_code": False, "reason": ""}),
    "POST /people/{user_id}/link": ("admin", {"issuer": "", "subject": "", "reason": ""}),
    "POST /people/{user_id}/link/removal": ("admin", {"reason": ""}),
    "GET /failed-attempts": ("admin", None),
    "GET /locked-accounts": ("admin", None),
    "GET /site": (ALL, None),
    "GET /people": (ALL, None),
    "POST /people": ("admin", {"user_id": "p1", "name": "P", "roles": [], "password": "x"}),
    "POST /people/{user_id}/roles": ("admin", {"role": "QA", "reason": "Only to see who may"}),
    "POST /laboratories": ("admin", {"user_id": "lab1", "name": ""}),
    "GET /products": (ALL, None),
    "POST /products": ("QA", {"code": "", "name": "", "form": "", "storage": ""}),
    "GET /donors": (ALL, None),
    "POST /donors": ("donor", {"code": "", "tissue_source": ""}),
    "GET /donors/{code}": (ALL, None),
    "POST /donors/{code}/eligibility": ("donor", SIGNED | {"eligible": True, "basis": "None"}),
    "GET /donors/{code}/donations": (ALL, None),
    "POST /donors/{code}/donations": (
        "donor",
        {"kind": "local", "id": "", "donated_on": "2026-01-01", "establishment": "", "address": "",
         "tissue": ""},
    ),
    "POST /donors/{code}/donations/{donation}/tests": (
        "donor",
        {"person": "", "specimen": "", "taken_at": "", "laboratory": "", "statement": "", "kit": "",
         "document_sha256": "", "results": []},
    ),
    "POST /donors/{code}/consents": (
        "donor", {"version": "", "scopes": [], "given_on": "2026-01-01", "document_sha256": ""},
    ),
    "POST /donors/{code}/consent-withdrawal": (
        "donor", {"withdrawn_on": "2026-01-01", "reason": ""},
    ),
    "GET /donors/{code}/evaluation": (ALL, None),
    "GET /donors/{code}/records": (ALL, None),
    "GET /donors/{code}/records/text": (ALL, None),
    "GET /donation-pools": (ALL, None),
    "POST /donation-pools": (
        "donor",
        {"kind": "local", "id": "", "donations": [], "pooled_on": "2026-01-01", "reason": ""},
    ),
    "GET /donor-panels": (ALL, None),
    "POST /donor-panels": ("donor", b"not a panel"),
    "GET /donor-panels/{panel}/{version}": (ALL, None),
    "POST /donor-panels/{panel}/{version}/approval": ("QA", SIGNED),
    "GET /specification-templates": (ALL, None),
    "GET /specification-templates/{template}": (ALL, None),
    "GET /specifications": (ALL, None),
    "POST /specifications": ("author", b"not a specification"),
    "GET /specifications/{specification}/{version}": (ALL, None),
    "GET /specifications/{specification}/{version}/file": (ALL, None),
    "POST /specifications/lint": (ALL, b"not a specification"),
    "GET /specifications/{specification}/{version}/boundary": (ALL, None),
    "GET /specifications/{specification}/{version}/differences": (ALL, None),
    "POST /specifications/{specification}/{version}/submission": ("author", None),
    "POST /specifications/{specification}/{version}/impact": ("author QA", None),
    "GET /specifications/{specification}/{version}/impact": (ALL, None),
    "GET /specifications/{specification}/{version}/impact/pdf": (ALL, None),
    "POST /specifications/{specification}/{version}/approval": ("QA", SIGNED | {"impact": ""}),
    "POST /specifications/{specification}/{version}/withdrawal": (
        "QA", SIGNED | {"from_day": "2099-01-01"},
    ),
    "GET /register-rules": (ALL, None),
    "POST /register-rules/{register}": ("QA", {"rule": "off", "reason": ""}),
    "GET /instruments": (ALL, None),
    "POST /instruments": (
        "QA",
        {"instrument": "", "kind": "", "calibrated_on": "2026-01-01", "due_on": "2026-01-01"},
    ),
    "GET /training": (ALL, None),
    "POST /training": (
        "QA",
        {"person": "", "method": "", "trained_on": "2026-01-01", "expires_on": "2026-01-01"},
    ),
    "GET /materials": (ALL, None),
    "POST /materials": (
        "QA", {"material": "", "kind": "", "lot": "", "expires_on": "2026-01-01"},
    ),
    "POST /material-uses": ("analyst", {"upload": "", "test": "", "run": "", "material": ""}),
    "POST /laboratory-certificates": ("analyst", b"no certificate"),
    "GET /methods": (ALL, None),
    "POST /methods": ("author", b"not a method"),
    "GET /methods/{method}/{version}": (ALL, None),
    "POST /methods/{method}/{version}/approval": ("QA", SIGNED),
    "GET /method-runs": (ALL, None),
    "GET /lots": (ALL, None),
    "POST /lots": (
        "analyst QA",
        {"id": "", "product": "", "manufactured_on": "2025-01-01", "expires_on": "2026-01-01",
         "donors": []},
    ),
    "GET /lots/{lot}": (ALL, None),
    "POST /lots/{lot}/samples": (
        "analyst QA",
        {"samples": [{"id": "", "stage": "release", "container": "", "taken_at": ""}]},
    ),
    "GET /lots/{lot}/form": (ALL, None),
    "GET /lots/{lot}/readiness": (ALL, None),
    "GET /lots/{lot}/results": (ALL, None),
    "GET /lots/{lot}/review": (ALL, None),
    "POST /lots/{lot}/review": ("reviewer", SIGNED),
    "POST /lots/{lot}/qc-review": ("reviewer", SIGNED),
    "GET /lots/{lot}/audit-review": (ALL, None),
    "POST /lots/{lot}/audit-review": ("QA QP", SIGNED | {"last": 1, "head": ""}),
    "POST /lots/{lot}/disposition": ("QA QP", SIGNED | {"decision": "released"}),
    "POST /lots/{lot}/disposition rejected": ("QA QP", SIGNED | {"decision": "rejected"}),
    "POST /lots/{lot}/disposition conditionally": (
        "QA QP", SIGNED | {"decision": "conditionally released"},
    ),
    "POST /lots/{lot}/disposition recalled": ("QA QP", SIGNED | {"decision": "recalled"}),
    "POST /lots/{lot}/annex16/check": ("QA QP", SIGNED | {"answers": {}}),
    "POST /lots/{lot}/annex16/transfer": ("QA QP", SIGNED),
    "GET /certifications": (ALL, None),
    "GET /certifications.csv": (ALL, None),
    "GET /policies": (ALL, None),
    "POST /policies/{policy}": ("QA", SIGNED | {"value": ""}),
    "POST /overdue": ("QA QP", None),
    "GET /lots/{lot}/holds": (ALL, None),
    "POST /lots/{lot}/holds": ("QA QP", SIGNED),
    "POST /lots/{lot}/holds/{hold}/end": ("QA QP", SIGNED),
    "GET /system-stops": (ALL, None),
    "POST /system-stops": ("QA", SIGNED | {"began": ""}),
    "POST /system-stops/{stop}/end": ("QA", SIGNED | {"ended": ""}),
    "GET /profiles": (ALL, None),
    "POST /profiles": ("author", b"not a profile"),
    "GET /profiles/{profile}/{version}": (ALL, None),
    "GET /profiles/{profile}/{version}/file": (ALL, None),
    "POST /profiles/{profile}/{version}/approval": ("QA", SIGNED),
    "GET /uploads": (ALL, None),
    "POST /uploads": ("analyst", b"not a file of results"),
    "POST /uploads dry run": ("analyst", b"not a file of results"),
    "GET /uploads/template": (ALL, None),
    "GET /uploads/{number}": (ALL, None),
    "GET /uploads/{number}/annotated": (ALL, None),
    "GET /uploads/{number}/file": (ALL, None),
    "GET /uploads/{number}/cells/{row}/{column}": (ALL, None),
    "GET /lots/{lot}/criteria/{criterion}/sources": (ALL, None),
    "GET /certificates/{number}/lines/{criterion}/sources": (ALL, None),
    "POST /results/manual": (
        "analyst",
        {"lot": "", "sample": "", "test": "", "analyte": "", "values": ["1"], "measured_at": "",
         "analyst": ""},
    ),
    "GET /results/manual": (ALL, None),
    "GET /results/manual/{number}": (ALL, None),
    "POST /results/manual/{number}/verification": ("reviewer", SIGNED | {"values": ["1"]}),
    "POST /results/attachments": ("analyst", b"no document"),
    "GET /results/manual/{number}/attachments/{position}": (ALL, None),
    "GET /investigations": (ALL, None),
    "GET /investigations/patterns": (ALL, None),
    "GET /investigations/rule": (ALL, None),
    "POST /investigations/rule": ("QA", {"days": 0, "reason": ""}),
    "POST /investigations/sweep": ("analyst reviewer QA", None),
    "POST /investigations/documents": ("analyst reviewer QA", b"no document"),
    "GET /investigations/{number}": (ALL, None),
    "POST /investigations/{number}/phase-one": ("analyst reviewer QA", SIGNED | {"answers": {}}),
    "POST /investigations/{number}/phase-one/review": ("analyst reviewer QA", SIGNED),
    "POST /investigations/{number}/plan": (
        "QA", SIGNED | {"method": "", "version": "", "retests": 1},
    ),
    "POST /investigations/{number}/conclusion": (
        "QA", SIGNED | {"finding": "original stands", "evidence": "None at all"},
    ),
    "POST /investigations/{number}/reopening": ("QA", SIGNED),
    "POST /investigations/{number}/due-date": ("QA", SIGNED | {"due_on": "2099-01-01"}),
    "GET /deviations": (ALL, None),
    "POST /deviations": (
        "QA",
        SIGNED | {"id": "", "title": "", "link": "", "state": "open", "blocking": True},
    ),
    "GET /corrections": (ALL, None),
    "POST /corrections": (
        "analyst QA donor",
        {"subject": "lot:none", "field": "expires_on", "after": "", "reason": "Only to see"},
    ),
    "GET /corrections/{number}": (ALL, None),
    "POST /corrections/{number}/decision": ("QA", SIGNED | {"approve": True}),
    "GET /certificates": (ALL, None),
    "GET /certificates/{number}": (ALL, None),
    "GET /certificates/{number}/pdf": (ALL, None),
    "POST /certificates/{number}/issue": ("QA QP", None),
    "GET /open-work": (ALL, None),
    "GET /events": (ALL, None),
    "GET /webhooks": (ALL, None),
    "POST /webhooks": ("admin", {"name": "", "url": ""}),
    "POST /webhooks/{name}/end": ("admin", {"reason": "Only to see who may"}),
    "GET /webhooks/{name}/deliveries": (ALL, None),
    "GET /genealogy/{node}/trace": (ALL, None),
    "GET /cell-banks": (ALL, None),
    "POST /cell-banks": (
        "analyst QA",
        {"id": "", "kind": "MCB", "made_of": ["x"], "made_on": "2025-01-01",
         "expires_on": "2026-01-01", "place": "", "containers": 1, "passage": 1},
    ),
    "GET /cell-banks/{bank}": (ALL, None),
    "POST /cell-banks/{bank}/parents": ("analyst QA", {"made_of": ["x"], "reason": ""}),
    "POST /cell-banks/{bank}/status": ("analyst QA", {"status": "quarantined", "reason": ""}),
    "POST /cell-banks/{bank}/status out": ("QA", {"status": "available", "reason": ""}),
    "POST /lots/{lot}/origin": ("analyst QA", {"made_of": ["x"], "reason": ""}),
    "POST /passages": (
        "analyst QA",
        {"node": "", "passage": 1, "seeded": "", "harvested": "", "harvested_on": "2026-01-01"},
    ),
    "POST /containers": (
        "analyst QA",
        {"of": "", "containers": [{"id": "", "kind": "", "filled": "", "place": ""}]},
    ),
    "POST /container-moves": (
        "analyst QA",
        {"containers": ["x"], "status": "broken", "place": "", "happened_at": "", "reason": ""},
    ),
    "POST /container-moves out": (
        "QA",
        {"containers": ["x"], "status": "in storage", "place": "", "happened_at": "",
         "reason": ""},
    ),
    "GET /lots/{lot}/containers": (ALL, None),
    "POST /retain-samples": (
        "analyst QA",
        {"id": "", "of": "", "kind": "", "amount": "", "unit": "", "keep_until": "2058-01-01",
         "place": "", "handed_to": ""},
    ),
    "GET /retain-samples/{retain}": (ALL, None),
    "POST /retain-samples/{retain}/custody": (
        "analyst QA",
        {"handed_by": "", "handed_to": "", "place": "", "left": "", "reason": ""},
    ),
    "GET /clinical-sites": (ALL, None),
    "POST /clinical-sites": ("QA", {"code": "", "name": "", "address": "", "contact": ""}),
    "GET /shipments": (ALL, None),
    "POST /shipments": (
        "QA",
        {"site": "", "containers": ["x"], "shipped_on": "2026-01-01", "courier": "",
         "temperature_record": ""},
    ),
    "GET /shipments/{number}": (ALL, None),
    "POST /shipments/{number}/receipt": (
        "QA", {"received_on": "2026-01-01", "condition": "", "reported_by": ""},
    ),
    "POST /shipments/{number}/returns": (
        "QA", {"containers": ["x"], "returned_on": "2026-01-01", "place": "", "reason": ""},
    ),
    "POST /administrations": (
        "QA",
        {"container": "", "site": "", "recipient": "", "administered_on": "2026-01-01",
         "reported_by": ""},
    ),
    "GET /look-backs": (ALL, None),
    "POST /look-backs": ("donor QA", SIGNED | {"source": "x", "cause": "late seroconversion"}),
    "GET /look-backs/{number}": (ALL, None),
    "GET /look-backs/{number}/doses": (ALL, None),
    "POST /look-backs/{number}/closing": ("QA", SIGNED | {"conclusion": ""}),
    "GET /audit": (ALL, None),
    "GET /audit/verification": (ALL, None),
    "GET /audit/recheck": (ALL, None),
}  # fmt: skip
TAKES_A_FILE = {
    "/uploads", "/profiles", "/results/attachments", "/specifications", "/specifications/lint",
    "/methods", "/laboratory-certificates", "/investigations/documents", "/donor-panels",
}  # fmt: skip
PLACES = {
    "template": "none?id=X-1&product=X-1&effective=2026-01-01",
    "user_id": "ana", "profile": "NO-PROFILE", "code": "DNR-UC-01",
    "specification": "UC-MSC-REL", "version": "1", "position": "1",
    "method": "SOP-QC-040", "register": "training", "lot": LOT, "number": "COA-2026-000001",
    "policy": "supply by exception", "name": "erp",
    "donation": "DON-26-1", "panel": "US-1271",
    "row": "2", "hold": "1", "stop": "1", "column": "value", "criterion": "viability",
    "node": f"lot:{LOT}", "bank": "MCB-UC-01", "retain": "RET-001",
}  # fmt: skip


def holder(role: Role) -> str:
    return f"only.{role.replace(' ', '.').lower()}"


@pytest.fixture
def everyone(site: Site) -> Site:  # noqa: F811
    """A person for every role, who holds that role and no other."""
    house = site.house
    for role in Role:
        with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            register_person(
                tx, user_id=holder(role), name=role, roles=[role], password=FIRST_PASSWORD
            )
        with transaction(house.engine, SYSTEM, house.now()) as tx:
            change_password(tx, user_id=holder(role), old=FIRST_PASSWORD, new=PASSWORD)
    return site


def request_of(line: str) -> tuple[str, str]:
    method, path = line.split(" ")[:2]
    query = "?file=x.csv" if path in TAKES_A_FILE and method == "POST" else ""
    query += "&entry=U-2026-000001" if path == "/results/attachments" else ""
    query += "&investigation=x" if path == "/investigations/documents" else ""
    query += "?panel=US-1271" if path.endswith("/evaluation") else ""
    query += "&laboratory=x&upload=x" if path == "/laboratory-certificates" else ""
    return method, path.format(**PLACES) + query + ("&dry_run=true" if "dry run" in line else "")


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
def test_every_route_has_a_line_and_every_line_a_route(site: Site):  # noqa: F811
    lines = {" ".join(line.split(" ")[:2]) for line in ORACLE}
    assert set(routes(site.app.routes)) == lines


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


def test_what_openapi_describes_is_what_is_answered(site: Site):  # noqa: F811
    described = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in site.app.openapi()["paths"].items()
        for method in operations
    }
    assert set(routes(site.app.routes)) - described == {"GET /openapi.json", "GET /docs"}


@pytest.mark.requirement("2.04")
def test_every_route_admits_the_roles_of_the_table_and_no_other(everyone: Site):
    wrong = []
    for line, (who, body) in ORACLE.items():
        method, path = request_of(line)
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        options = {} if body is None else sent
        admitted = {SHORT[name] for name in who.split()} if who != ANYONE else set()
        nobody = everyone.http.request(method, path, **options)
        if (code_of(nobody) == "BQC-ACC-001") is (who == ANYONE):
            wrong.append(f"{line} without a token: {nobody.status_code}")
        for role in Role if who != ANYONE else ():
            answer = everyone.send(holder(role), method, path, **options)
            if line == "DELETE /session":
                del everyone.tokens[holder(role)]  # it ended
            denied = answer.status_code == 403 and code_of(answer) == "BQC-ACC-002"
            if denied is (role in admitted):
                wrong.append(f"{line} as {role}: {answer.status_code} {answer.text[:90]}")
    assert wrong == []


@pytest.mark.requirement("2.04")
def test_a_person_without_a_role_reads_nothing(everyone: Site):
    house = everyone.house
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id="roleless", name="None", roles=[], password=FIRST_PASSWORD)
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        change_password(tx, user_id="roleless", old=FIRST_PASSWORD, new=PASSWORD)
    own = {
        "DELETE /session", "GET /me", "POST /password", "POST /step-up", "POST /step-up/return",
        "POST /link/confirmation", "POST /authenticator", "POST /authenticator/confirmation",
        "POST /authenticator/revocation", "GET /accountability", "POST /accountability",
    }  # fmt: skip
    for line, (who, body) in ORACLE.items():
        if line not in own and who != ANYONE:
            method, path = request_of(line)
            sent = {"content": body} if isinstance(body, bytes) else {"json": body}
            answer = everyone.send("roleless", method, path, **({} if body is None else sent))
            assert answer.json()["code"] == "BQC-ACC-002", line
