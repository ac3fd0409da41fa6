"""A list of fifty asks the database as often as a list of five."""

import pytest
from sqlalchemy import event

from batchqc.actions.registers import register_donor
from batchqc.core.permissions import Permission
from tests.actions.test_open_work import register
from tests.api.conftest import Site
from tests.records.house import AUD, DON, QA2


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
