"""Where the site has a scanner, whatever takes a file refuses malware, and keeps nothing of it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.actions.state import counts, grown
from tests.api.conftest import Site
from tests.api.test_entries import REPORT, attach, enter
from tests.api.test_journey import uploaded
from tests.api.test_refusals import is_problem
from tests.records.house import ANA, results
from tests.scanner import EICAR, Scanner, clamd

#: What reads a file for whoever asks, and keeps nothing of it.
_ONLY_READ = "/verification"


@pytest.fixture(scope="module")
def scanner() -> Iterator[Scanner]:
    with clamd() as found:
        yield found


def scanned_by(site: Site, address: str) -> None:
    door = site.app.state.door
    settings = door.settings.model_copy(update={"malware_scanner": address})
    site.app.state.door = replace(door, settings=settings)


def takers(site: Site) -> list[str]:
    """The paths that take bytes, as the description of the API has them."""
    found = []
    for path, methods in site.http.get("/openapi.json").json()["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        if any(one["schema"].get("format") == "binary" for one in content.values()):
            found.append(path.removeprefix("/api/v1"))
    return [one for one in found if not one.startswith(_ONLY_READ)]


def test_every_address_that_takes_a_file_has_it_scanned_first(site: Site, scanner: Scanner):
    site.token(ANA)
    scanned_by(site, scanner.port)
    paths = takers(site)
    assert {"/uploads", "/results/attachments", "/specifications"} <= set(paths)
    before = counts(site.house.engine)
    for path in paths:
        asked = {"file": "a.csv", "entry": "U-2026-000001", "upload": "U-1", "laboratory": "lab"}
        sent = path.replace("{number}", "OOS-2026-000001")
        answer = site.send(ANA, "POST", sent, params=asked, content=EICAR)
        is_problem(answer, 422, "BQC-MAL-001")
        assert "Batchqc.Tried" in answer.json()["detail"], path
    assert grown(site.house.engine, before) == {}


def test_what_is_clean_is_taken_and_what_nobody_scanned_is_not(site: Site, scanner: Scanner):
    scanned_by(site, scanner.socket)
    assert uploaded(site, results()).status_code == 201
    entry = enter(site)
    assert attach(site, entry, REPORT).status_code == 201
    kept, before = set(site.house.archive.names()), counts(site.house.engine)
    for address in ("127.0.0.1:1", "/nowhere/clamd.ctl"):
        scanned_by(site, address)
        for answer in (
            uploaded(site, results(viability="91.2")),
            uploaded(site, results(viability="91.2"), dry_run="true"),
            attach(site, entry, REPORT + b"%"),
        ):
            is_problem(answer, 503, "BQC-MAL-002")
            assert address not in answer.text
    assert set(site.house.archive.names()) == kept
    assert grown(site.house.engine, before) == {}
