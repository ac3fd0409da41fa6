"""What a test was done with before: by the lots of a product or along the runs of the test."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.core.permissions import Permission
from batchqc.records import habits
from batchqc.records.habits import Before, runs_before
from tests.cast import TAKEN_AT
from tests.records.house import (
    ANA,
    BEN,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PRODUCT,
    House,
    good,
    results,
    table,
)  # fmt: skip

#: What ANALYZE says of a site of 5,000 lots: rows, and how many have one value.
FOUND = (
    ("assay_run", "ix_assay_run_test", "55385 5035 1"),
    ("assay_run", "sqlite_autoindex_assay_run_1", "55385 11 11 1 1"),
    ("assay_run", "ix_assay_run_lot_id", "55385 11"),
    ("assay_run", "ix_assay_run_upload_id", "55385 11"),
    ("lot", "ix_lot_product_id", "5035 2518"),
)


def make(house: House, analysts: list[str]) -> None:
    """Lots with the viability of each by an analyst, the newest last."""
    rows = []
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        for place, analyst in enumerate(analysts, start=1):
            lot, later = f"HAB-26-{place:03d}", timedelta(days=place)
            sample = NewSample(f"{lot}-S01", "release", "vial", (TAKEN_AT + later).isoformat())
            new = NewLot(lot, PRODUCT, MADE_ON + later, EXPIRES_ON, (DONOR,), (sample,))
            register_lot(tx, new)
            own = {"lot_id": lot, "sample_id": f"{lot}-S01", "analyst": analyst}
            rows.append(good("viability") | own | {"measured_at": "2025-07-20T10:00:00-05:00"})
    report = house.upload(table(rows))
    assert report.accepted, report.reading.problems


@pytest.fixture(params=[500, 1], ids=["by lots", "along the tests"])
def of_five_lots(house: House, request: pytest.FixtureRequest, monkeypatch) -> Iterator[House]:
    """The newest three of five runs count, but for those of the lot itself."""
    monkeypatch.setattr(habits, "FEW_LOTS", request.param)
    monkeypatch.setattr(habits, "RUNS_LOOKED_AT", 3)
    habits._newest.cache_clear()  # the number stands in its statements
    make(house, [BEN, BEN, ANA, ANA, ANA])
    house.upload(results(viability={"analyst": BEN}))
    yield house
    habits._newest.cache_clear()


def test_the_newest_runs_for_other_lots_are_looked_at(of_five_lots: House):
    with of_five_lots.reading() as session:
        found = runs_before(session, the_lot(session, LOT), ["VIAB", "VIAB", "FLOW", "none"])
    nothing = Before(0, frozenset(), frozenset())
    assert found == {
        "VIAB": Before(3, frozenset({"VCB-001"}), frozenset({ANA})),
        "FLOW": nothing,
        "none": nothing,
    }


@pytest.mark.only_on("sqlite", "PostgreSQL reads all of so few; see the plans of simulated sites")
def test_no_run_of_another_test_or_product_is_read_but_those_of_few_lots(of_five_lots: House):
    said: list[tuple[str, Any]] = []
    with of_five_lots.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        for one in FOUND:
            connection.exec_driver_sql("DELETE FROM sqlite_stat1 WHERE idx = ?", one[1:2])
            connection.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", one)
        connection.commit()
    of_five_lots.engine.dispose()  # statistics are read when a connection is opened
    with of_five_lots.reading() as session:
        lot = the_lot(session, LOT)
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *of: said.append(of[2:4]))
        runs_before(session, lot, ["VIAB", "FLOW"])
    with of_five_lots.engine.connect() as connection:
        plans = [
            str(row[3])
            for statement, given in said
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    assert any("assay_run" in one for one in plans)
    assert not [one for one in plans if one.startswith(("SCAN assay_run", "SCAN measurement"))]
