"""The screens of reviews, corrections, second entries and later decisions, in every window."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.actions.correcting import decide, request
from tests.actions.typing_results import enter
from tests.records.house import ANA, BEN, LOT, QA1, REV, SAMPLES, good, table
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.looking import look_at, point_of
from tests.web.lots import BAD, add_bad_lot, add_lots

TYPED = "U-2026-000003"
OTHER, VALUES = "MSC-26-0014", {"CD73": "97.90", "CD90": "100"}
SCREENS = {
    "work of everybody": "/?of=all&order=expiry",
    "work that is none": "/?kind=hold&lot=none",
    "lots to review": "/reviews",
    "no lot to review": "/reviews?lot=none",
    "review of a clean lot": f"/lots/{LOT}/review",
    "review of a bad lot": f"/lots/{BAD}/review",
    "a signature of somebody else": f"/lots/{BAD}/review/runs",
    "audit trail": f"/lots/{BAD}/audit-review",
    "signature under the trail": f"/lots/{BAD}/review/trail",
    "corrections": "/corrections",
    "corrections that are none": "/corrections?text=none&state=refused",
    "a correction that waits": "/corrections/C-2026-000001",
    "a correction that is approved": "/corrections/C-2026-000002",
    "signature under a correction": "/corrections/C-2026-000001/decision/approve",
    "a new correction": f"/corrections/new?subject=lot:{LOT}&field=expires_on",
    "a new correction of nothing": "/corrections/new",
    "a conditional release that cannot be": f"/lots/{LOT}/decision/conditional",
    "a recall of a lot that is not released": f"/lots/{LOT}/decision/recall",
}
OF_REVIEWER = {
    "signature under the runs": f"/lots/{BAD}/review/runs",
    "signature for QC": f"/lots/{BAD}/review/lot",
    "second entry": f"/second-entries/{TYPED}",
}
SCREENS |= OF_REVIEWER


@pytest.fixture(scope="module")
def laboratory(served: Served) -> Served:
    house = served.house
    add_bad_lot(house)
    assert enter(house, by=BEN).number == TYPED
    request(house, f"lot:{BAD}", "expires_on", "2027-05-17", by=ANA)
    number = request(house, f"sample:{SAMPLES[0]}", "container", "cryovial, 2 mL", by=ANA)
    decide(house, number)
    add_lots(house, OTHER)
    began = (house.now.at - timedelta(minutes=30)).isoformat()
    of_run = {"lot_id": OTHER, "sample_id": f"{OTHER}-S01", "run_id": "F-1"}
    now = {"started_at": began, "measured_at": began}
    cells = [good(name) | of_run | now | {"value": text} for name, text in VALUES.items()]
    assert house.upload(table(cells)).accepted
    return served


@pytest.fixture(scope="module")
def qa(laboratory: Served) -> Iterator[Visitor]:
    with laboratory.visitor(QA1) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def rev(laboratory: Served) -> Iterator[Visitor]:
    with laboratory.visitor(REV) as visitor:
        yield visitor


@pytest.mark.parametrize("name", [one for one in SCREENS if one not in OF_REVIEWER])
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(qa: Visitor, name: str):
    look_at(qa, SCREENS[name])


@pytest.mark.parametrize("name", OF_REVIEWER)
def test_so_is_a_screen_of_a_reviewer(rev: Visitor, name: str):
    look_at(rev, SCREENS[name])


def test_clean_runs_widen_no_small_window(qa: Visitor):
    qa.go(f"/lots/{OTHER}/review")
    qa.sees("1 clean run")
    expect(qa.page.get_by_role("region", name="Readings of F-1")).to_be_visible()
    qa.resize(360, 800)
    assert qa.overflow() == 0


def test_readings_and_results_of_a_run_stand_with_their_points_below_each_other(qa: Visitor):
    qa.resize(1440, 1000)
    qa.go(f"/lots/{OTHER}/review")
    readings = qa.page.get_by_role("region", name="Readings of F-1")
    for place in range(2):  # raw, and reported
        numbers = [readings.get_by_text(text, exact=True).nth(place) for text in VALUES.values()]
        assert len({point_of(one) for one in numbers}) == 1
