"""A list of fifty asks the database as often as a list of five."""

import pytest
from sqlalchemy import event

from batchqc.actions.registers import register_donor
from batchqc.core.permissions import Permission
from tests.actions.test_open_work import register
from tests.api.conftest import Site, signed
from tests.api.test_journey import LOT_REQUEST
from tests.records.house import ANA, AUD, DON, QA2, REV, results


@pytest.fixture
def said(site: Site) -> list[str]:
    """Every statement of the server since it was cleared; its engine ends with the test."""
    found: list[str] = []
    engine = site.app.state.door.engine
    event.listen(engine, "before_cursor_execute", lambda *told: found.append(told[2]))
    return found


def grow(site: Site, first: int, last: int) -> None:
    for n in range(first, last):
        with site.house.acting(DON, Permission.REGISTER_DONOR) as tx:
            register_donor(tx, code=f"DNR-26-{n:04}", tissue_source="umbilical cord")
        register(site.house, f"MSC-26-{n:04}", donor=f"DNR-26-{n:04}")


def test_lists_ask_once_for_all_their_rows(site: Site, said: list[str]):
    paths, few, rows = ["/lots?limit=200", "/donors?limit=200"], {}, {}
    for first, last in ((1005, 1010), (1010, 1055)):
        grow(site, first, last)
        for path in paths:
            site.get(AUD, path)
            said.clear()
            rows[path] = len(site.get(AUD, path)["items"])
            assert len(said) == few.setdefault(path, len(said)), path
    assert min(rows.values()) > 50
    assert min(few.values()) > 2


def test_what_the_trails_of_several_lots_share_is_asked_once(site: Site, said: list[str]):
    grow(site, 1005, 1010)
    asked, shared = [], ("FROM person", "ORDER BY audit_review.last DESC", "FROM audit_link")
    for lots in (["MSC-26-1005"], [f"MSC-26-{n}" for n in range(1005, 1010)]):
        path = "/audit-reviews?" + "&".join(f"lot={one}" for one in lots)
        site.get(QA2, path)
        said.clear()
        assert len(site.get(QA2, path)["items"]) == len(lots)
        whole = [one for one in said if "JOIN" not in one]  # of a lot there are joined ones
        asked.append({part: sum(part in one for one in whole) for part in shared})
    few, many = asked
    assert many == few
    assert min(few.values()) > 0


def asked_for(said: list[str], parts: tuple[str, ...]) -> dict[str, int]:
    """How many statements have each part; on SQLite many rows are one statement too."""
    return {part: sum(part in one for one in said) for part in parts}


def test_lots_that_are_registered_together_are_written_together(site: Site, said: list[str]):
    asked, parts = [], ("INSERT INTO lot ", "INSERT INTO lot_donor", "FROM product", "FROM site")
    for ids in (["MSC-26-1005"], [f"MSC-26-{n}" for n in range(1006, 1011)]):
        lots = [{**LOT_REQUEST, "id": one, "samples": []} for one in ids]
        site.token(ANA)
        said.clear()
        answer = site.send(ANA, "POST", "/lot-registrations", json={"lots": lots})
        assert answer.status_code == 201, answer.text
        asked.append(asked_for(said, parts))
    assert asked[0] == asked[1]
    assert min(asked[0].values()) > 0


@pytest.mark.requirement("1.18")
def test_a_series_proves_once_who_signs_and_asks_once_what_its_lots_share(
    site: Site, said: list[str]
):
    ids = [f"MSC-26-{n}" for n in range(1005, 1011)]
    for lot in ids:
        register(site.house, lot)
        assert site.house.upload(results(lot=lot)).accepted
    shared = ("INSERT INTO attempt", "INSERT INTO signature", "FROM password", "FROM site")
    own = {
        "/reviews": ("INSERT INTO review",),
        "/qc-reviews": ("INSERT INTO lot_review", "SELECT DISTINCT measurement."),
    }
    for path, parts in own.items():
        asked = []
        for lots in (ids[:1], ids[1:]):
            site.token(REV)
            said.clear()
            answer = site.send(REV, "POST", path, json=signed(REV, lots=lots))
            assert answer.status_code == 201, answer.text
            asked.append(asked_for(said, (*shared, *parts)))
        assert asked[0] == asked[1], path
        assert min(asked[0].values()) > 0, path
