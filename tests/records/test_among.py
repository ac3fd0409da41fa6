"""Several values are given to a statement as one: it is the same for any number of them."""

import pytest
from sqlalchemy import event, literal, select

from batchqc.actions.lots import the_lot
from batchqc.records.among import among
from batchqc.records.audit import AuditSubject, entries_about
from batchqc.records.registers import SampleRow
from batchqc.records.rows_by import rows_by
from tests.records.house import LOT, House


@pytest.mark.only_on("postgresql", "SQLite compiles a statement anew for next to nothing")
def test_lists_of_any_length_are_asked_for_by_one_statement(house: House):
    asked: set[str] = set()
    with house.reading() as session:
        lot = the_lot(session, LOT).id
        event.listen(session.connection(), "before_cursor_execute", lambda *of: asked.add(of[2]))
        found = [
            len(rows_by(session, SampleRow, SampleRow.lot_id, [*range(-more, 0), lot]))
            for more in (1, 4, 5, 2000)
        ]
    assert len(set(found)) == len(asked) == 1
    assert found[0] > 1


@pytest.mark.parametrize("others", [(), ("",), ("a'b", 'a"b', "a\\b", "{a,b}", "NULL", "ä\n")])
def test_a_text_is_found_as_it_is_among_others_and_nothing_is_by_none(
    house: House, others: tuple[str, ...]
):
    query = select(AuditSubject.subject).where(among(AuditSubject.subject, "keys")).distinct()
    with house.reading() as session:
        assert session.scalars(query, {"keys": others}).all() == []
        assert session.scalars(query, {"keys": [*others, f"lot:{LOT}"]}).all() == [f"lot:{LOT}"]
        assert not entries_about(session, others)


@pytest.mark.parametrize("odd", ["a'b", 'a"b', "a\\b", "{a,b}", "NULL", "ä\n", "a,b", "%s"])
def test_what_is_written_oddly_is_compared_as_it_is_written(house: House, odd: str):
    query = select(literal(1)).where(among(literal(odd), "keys"))
    with house.reading() as session:
        assert session.scalar(query, {"keys": ["other", odd]}) == 1
        assert session.scalar(query, {"keys": [f"{odd} ", f"x{odd}"]}) is None


@pytest.mark.only_on("sqlite", "PostgreSQL reads a small table whole whatever it is asked")
@pytest.mark.parametrize("keys", [["a"], ["a", "b"]])
def test_what_is_among_others_is_found_by_an_index(house: House, keys: list[str]):
    said: list[str] = []
    with house.reading() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *of: said.append(of[2]))
        entries_about(session, keys)
    with house.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said[0]}", tuple(keys))
        steps = [row[3] for row in plan]
    assert any("audit_subject USING" in one for one in steps)
    assert not [one for one in steps if one.startswith("SCAN")]
