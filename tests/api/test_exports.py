"""The auditor's bundle over HTTP: sent while it is made, on record before, and only to some."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from anyio import sleep_forever, to_thread
from anyio.from_thread import start_blocking_portal

from batchqc.api.exports import ExportAsked, export
from batchqc.documents.bundle.verify_bundle import main
from batchqc.records.transaction import Actor
from tests.actions.state import counts, grown
from tests.api.conftest import Site
from tests.api.test_refusals import is_problem
from tests.records.house import ANA, AUD, LOT, QA1

EXPORTS = "/audit?what=records exported&limit=99"
NUMBER = "COA-2026-000001"


@pytest.fixture
def issued(site: Site) -> Site:
    """A site whose lot is released and its certificate issued; root.pem lies with the keys."""
    site.house.ready()
    site.house.release()
    answer = site.send(QA1, "POST", f"/certificates/{NUMBER}/issue")
    assert answer.status_code == 201, answer.text
    door = site.app.state.door
    trust = {"trust": site.keys.root_pem.parent}
    object.__setattr__(door, "settings", door.settings.model_copy(update=trust))
    return site


def test_a_bundle_is_sent_and_verifies(issued: Site, tmp_path: Path):
    answer = issued.send(AUD, "POST", "/archive/exports", json={"lots": [LOT]})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert "content-length" not in answer.headers
    again = issued.send(QA1, "POST", "/archive/exports", json={"lots": [LOT]})
    assert again.content == answer.content
    with zipfile.ZipFile(BytesIO(answer.content)) as file:
        file.extractall(tmp_path)
    root = str(issued.keys.root_pem)
    assert main([str(tmp_path / "batchqc-bundle"), "--root", root]) == 0
    told = issued.get(AUD, EXPORTS)["items"]
    assert [one["entry"]["who"] for one in told] == [AUD, QA1]
    assert json.dumps(told).count("lots.jsonl sha256") == 2


def test_what_cannot_be_exported_is_a_problem_and_nothing_is_sent(issued: Site):
    for who in (ANA, AUD):
        issued.token(who)
    before = counts(issued.house.engine)
    denied = issued.send(ANA, "POST", "/archive/exports", json={"lots": [LOT]})
    is_problem(denied, 403, "BQC-ACC-002")
    unknown = issued.send(AUD, "POST", "/archive/exports", json={"lots": ["A-1", "A-2"]})
    is_problem(unknown, 404, "BQC-EXP-001")
    assert len(unknown.json()["reasons"]) == 2
    badly = issued.send(AUD, "POST", "/archive/exports", json={"since": "yesterday"})
    is_problem(badly, 422, "BQC-API-001")
    none = issued.send(AUD, "POST", "/archive/exports", json={"checkpoint": 1})
    is_problem(none, 404, "BQC-LOG-013")
    views = {"audit_entry", "audit_link", "audit_subject"}
    assert set(grown(issued.house.engine, before)) <= views


def test_few_bundles_are_sent_at_once_and_each_leaves_its_room(issued: Site):
    """Each holds a connection to the database: slow readers would leave none to who decides."""
    asked = {"json": {"lots": [LOT]}}
    for _ in range(6):
        assert issued.send(AUD, "POST", "/archive/exports", **asked).status_code == 200
        unknown = issued.send(AUD, "POST", "/archive/exports", json={"lots": ["A-1"]})
        is_problem(unknown, 404, "BQC-EXP-001")
    with ExitStack() as sent:
        for _ in range(4):
            sent.enter_context(begun(issued))
        before = len(issued.get(AUD, EXPORTS)["items"])
        refused = issued.send(AUD, "POST", "/archive/exports", **asked)
        is_problem(refused, 409, "BQC-EXP-011")
        assert "POST /jobs/bundles" in refused.json()["hint"]
        assert len(issued.get(AUD, EXPORTS)["items"]) == before == 10
        assert issued.app.state.door.engine.pool.checkedout() == 4
    assert issued.send(AUD, "POST", "/archive/exports", **asked).status_code == 200


@contextmanager
def begun(site: Site) -> Iterator[None]:
    """A bundle whose reader takes the first bytes, no more, and goes at the end."""
    door = site.app.state.door
    person = SimpleNamespace(acting=lambda which: Actor(AUD, "auditor", permission=which))
    answer = export(SimpleNamespace(door=door, person=person), ExportAsked(lots=[LOT]))
    some, gone, taken = Event(), Event(), bytearray()

    async def receive() -> dict[str, str]:
        await to_thread.run_sync(gone.wait)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        taken.extend(message.get("body", b""))
        if len(taken) > 50_000:  # records are being read
            some.set()
            await sleep_forever()

    with start_blocking_portal() as portal:
        sent = portal.start_task_soon(answer, {"type": "http"}, receive, send)
        try:
            assert some.wait(60)
            yield
            held = door.engine.pool.checkedout()
        finally:
            gone.set()
        sent.result(60)
        assert door.engine.pool.checkedout() == held - 1  # while the threads of it still wait
