"""Lists of lots: every order, page by page, by dates as corrected."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from batchqc.actions.lots import NewLot, register_lot
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.lists import LotsWanted
from batchqc.records.lot_lines import Order, Sought, lot_lines, lots_up_to
from batchqc.records.lots_at_work import products_and_expiries
from tests.actions.correcting import decide, request
from tests.performance.plans import scans
from tests.records.house import ANA, DONOR, LOT, PRODUCT, House

#: Lot, days of manufacture and of expiry after the first of the month, as registered.
LOTS = (
    ("QB-11", 9, 50), ("QA-12", 3, 52), ("QC-10", 9, 48), ("QA-11", 1, 55), ("QD-01", 5, 51),
)  # fmt: skip
FIRST = date(2025, 6, 1)
#: Lot, field, day, and whether the second person agreed. The last approved one holds.
CORRECTED = (
    ("QD-01", "manufactured_on", 2, True), ("QD-01", "manufactured_on", 9, True),
    ("QA-12", "manufactured_on", 30, False), ("QA-11", "expires_on", 49, True),
    ("QB-11", "expires_on", 60, True),
)  # fmt: skip


@pytest.fixture
def lots(house: House) -> House:
    """Lots of several dates; some were corrected, one of them twice, one not after all."""
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        for lot, made, expires in LOTS:
            days = (FIRST + timedelta(made), FIRST + timedelta(expires))
            register_lot(tx, NewLot(lot, PRODUCT, *days, (DONOR,), ()))
    for lot, field, day, approve in CORRECTED:
        after = (FIRST + timedelta(day)).isoformat()
        number = request(house, f"lot:{lot}", field, after)
        assert not isinstance(decide(house, number, approve=approve), Refusal)
    return house


def pages(
    house: House, order: Order, limit: int, wanted: LotsWanted, *, by_id: bool = False
) -> list[Any]:
    """Every line of a list, page by page."""
    found, after = list[Any](), ""
    with house.reading() as session:
        while True:
            only = lots_up_to(session, wanted, 100) if by_id else None
            page = lot_lines(session, Sought(wanted, order, after, limit, only))
            found += page[:limit]
            if len(page) <= limit:
                return found
            after = found[-1].lot


@contextmanager
def statements(house: House) -> Iterator[list[tuple[str, Any]]]:
    """What is said to the database meanwhile."""
    said: list[tuple[str, Any]] = []

    def keep(*arguments: Any) -> None:
        said.append((arguments[2], arguments[3]))

    event.listen(house.engine, "before_cursor_execute", keep)
    yield said
    event.remove(house.engine, "before_cursor_execute", keep)


@pytest.mark.parametrize("order", list(Order))
def test_pages_of_every_order_follow_each_other_by_dates_as_corrected(lots: House, order: Order):
    made = [LOT, "QA-11", "QA-12", "QB-11", "QC-10", "QD-01"]
    expires = ["QC-10", "QA-11", "QD-01", "QA-12", "QB-11", LOT]
    registered = [LOT, *(lot for lot, _made, _expires in LOTS)]
    right = {
        Order.OLDEST: registered, Order.NEWEST: registered[::-1],
        Order.LOT: sorted(registered), Order.LOT_BACK: sorted(registered, reverse=True),
        Order.MADE: made, Order.MADE_BACK: made[::-1],
        Order.EXPIRES: expires, Order.EXPIRES_BACK: expires[::-1],
    }[order]  # fmt: skip
    for limit in (1, 2, 3, 50):
        assert [one.lot for one in pages(lots, order, limit, LotsWanted())] == right
    some = pages(lots, order, 1, LotsWanted(text="qa-"))
    assert [one.lot for one in some] == [one for one in right if one.startswith("QA-")]
    assert pages(lots, order, 2, LotsWanted(disposition=Disposition.RELEASED)) == []


@pytest.mark.parametrize("order", list(Order))
def test_lots_that_somebody_looked_for_already_come_as_if_nobody_had(lots: House, order: Order):
    for wanted in (LotsWanted(), LotsWanted(text="qa"), LotsWanted(text="none like it")):
        right = pages(lots, order, 2, wanted)
        assert pages(lots, order, 2, wanted, by_id=True) == right
        assert len(right) == {"": 6, "qa": 2}.get(wanted.text, 0)
    with lots.reading() as session:
        assert len(lots_up_to(session, LotsWanted(), 4)) == 4


def test_a_list_shows_the_dates_by_which_it_is_ordered(lots: House):
    found = {one.lot: one for one in pages(lots, Order.MADE, 2, LotsWanted())}
    assert found["QD-01"].manufactured_on == "2025-06-10"
    assert found["QA-12"].manufactured_on == "2025-06-04"
    assert found["QA-11"].expires_on == "2025-07-20"


@pytest.mark.parametrize("order", [Order.MADE, Order.MADE_BACK, Order.EXPIRES, Order.EXPIRES_BACK])
def test_an_order_by_date_reads_no_table_from_end_to_end(lots: House, order: Order):
    is_sqlite = lots.engine.dialect.name == "sqlite"
    index = "ix_lot_manufactured_on" if order.startswith("made") else "ix_lot_expires_on"
    with statements(lots) as said:
        pages(lots, order, 2, LotsWanted())
    with lots.engine.connect() as connection:
        if not is_sqlite:  # which would rather read all of so few
            connection.exec_driver_sql("SET enable_seqscan = off")
        assert list(scans(connection, said)) == []
        explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        uncorrected = [one for one in said if "lot.id NOT IN" in one[0]]
        for statement, given in uncorrected:
            plan = connection.exec_driver_sql(explain + statement, given).all()
            assert index in str(plan), (statement, plan)
        connection.rollback()
    assert len(uncorrected) == len(LOTS) // 2 + 1


def test_lots_are_found_by_their_names_without_reading_the_others(lots: House):
    with statements(lots) as said, lots.reading() as session:
        found = products_and_expiries(session, ["QA-12", "QD-01", "unknown"])
    assert {name: product for name, (product, _) in found.items()} == {
        "QA-12": PRODUCT,
        "QD-01": PRODUCT,
    }
    ((statement, given),) = [one for one in said if "FROM lot" in one[0]]
    with lots.engine.connect() as connection:
        if lots.engine.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
            assert "SCAN lot" not in str(plan)
        else:
            connection.exec_driver_sql("SET enable_seqscan = off")
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", given).all()
            assert "Seq Scan on lot" not in str(plan)
            connection.rollback()
