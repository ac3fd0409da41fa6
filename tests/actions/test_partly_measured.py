"""What an upload looks at: a lot of which nothing can fail is not judged by each of its runs."""

from datetime import date

import pytest

from batchqc.actions import investigation_opening
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.core.permissions import Permission
from tests.actions.test_after_decision import DERIVED
from tests.actions.versions import version
from tests.records.house import ANA, DONOR, EXPIRES_ON, PRODUCT, House, adopt, good, table


def test_a_lot_of_which_a_part_of_a_computed_result_is_measured_is_not_judged_by_each_run(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    both = DERIVED.replace('all = "100 %"', 'all = "cd73"')
    adopt(house, version(2, "2026-05-01", ("> 90", "> 91")) + both.encode())
    lot = "UC-26-DERIVED"
    samples = (NewSample(f"{lot}-S01", "release", "cryovial", "2026-05-03T08:00:00-05:00"),)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(lot, PRODUCT, date(2026, 5, 2), EXPIRES_ON, (DONOR,), samples))
    asked = list[str]()
    monkeypatch.setattr(investigation_opening, "judged", lambda *args: asked.append(args[2].lot))
    days = {"measured_at": "2026-05-20T10:00:00-05:00", "started_at": "2026-05-04T10:00:00-05:00"}
    row = {"lot_id": lot, "sample_id": f"{lot}-S01"} | good("viability") | days
    assert house.upload(table([row])).accepted
    assert asked == []
