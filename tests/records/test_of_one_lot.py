"""What is asked of one lot is found by its indexes, however many others there are."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from batchqc.actions.lots import the_lot
from batchqc.records.decisions import certificate_let_go
from batchqc.records.typed_lines import results_of_use
from tests.records.house import LOT, House


def _typed(session: Session) -> object:
    return results_of_use(session, [the_lot(session, LOT)])


def _certificate(session: Session) -> object:
    return certificate_let_go(session, the_lot(session, LOT).id, f"hold_end:{LOT}/1")


@pytest.mark.only_on("sqlite", "PostgreSQL reads a small table whole whatever it is asked")
@pytest.mark.parametrize("ask", [_typed, _certificate])
def test_it_is_found_without_reading_a_table(house: House, ask: Callable[[Session], object]):
    house.ready()
    said: list[tuple[str, Any]] = []
    with house.reading() as session:
        event.listen(
            session.connection(), "before_cursor_execute", lambda *of: said.append(of[2:4])
        )
        ask(session)
    statement, given = said[-1]
    with house.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
    assert plan
    assert not [row[3] for row in plan if row[3].startswith("SCAN")]
