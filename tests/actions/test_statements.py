"""What a decision asks the database, and how often."""

from collections import Counter

from sqlalchemy import event

from tests.records.house import House


def test_a_release_asks_nothing_again_for_each_line_or_stage(house: House):
    house.ready()
    assert len(house.study().verdicts) > 3
    asked: Counter[str] = Counter()

    def count(_connection, _cursor, statement, _parameters, _context, _many):
        asked[statement] += "\nFROM " in statement  # a lock reads no table

    event.listen(house.engine, "before_cursor_execute", count)
    house.release()
    assert asked.total() > 40  # it was heard
    assert {one: times for one, times in asked.items() if times > 3} == {}
