"""What a decision asks the database, and how often."""

import re
from collections import Counter

from sqlalchemy import event

from batchqc.actions.audit_review import trail_to_read
from batchqc.actions.dispositions import Decision, release_lot
from batchqc.actions.evaluation import study
from batchqc.actions.lot_review import seen_runs
from batchqc.actions.lots import the_lot
from batchqc.actions.open_work import open_work
from batchqc.actions.trends import Trends
from batchqc.core.open_work import Filter
from batchqc.core.permissions import Permission
from batchqc.core.review_by_exception import RunSeen
from batchqc.core.trends import Attribute, is_numeric
from tests.actions.test_trends import make
from tests.records.house import LOT, PRODUCT, QA1, House, results, signing


def look_at(house: House, lot: str, trends: Trends) -> tuple[RunSeen, ...]:
    with house.reading() as session:
        case = study(session, house.archive, lot=the_lot(session, lot), now=house.now())
        return seen_runs(session, house.archive, case, trends=trends)


LOOK = 27
"""Statements of one look at a lot that is ready."""


def test_a_release_asks_nothing_again_for_each_line_or_stage(house: House):
    house.ready()
    assert len(house.study().verdicts) > 3
    asked: Counter[str] = Counter()

    def count(_connection, _cursor, statement, _parameters, _context, _many):
        asked[statement] += "\nFROM " in statement  # a lock reads no table

    event.listen(house.engine, "before_cursor_execute", count)
    with house.acting(QA1, Permission.RELEASE_LOT) as tx:
        assert isinstance(
            release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1)), Decision
        )
    assert asked.total() > 40  # it was heard
    assert {one: times for one, times in asked.items() if times > 5} == {}


def test_the_review_of_a_whole_lot_asks_nothing_again_for_each_attribute_or_test(house: House):
    trends = Trends()
    make(house)
    house.upload(results())
    look_at(house, LOT, trends)  # from now on series are held
    house.review()
    make(house, ["97"], first=20)  # a lot that the series lack
    asked: Counter[str] = Counter()

    def count(_connection, _cursor, statement, _parameters, _context, _many):
        asked[statement] += "\nFROM " in statement

    event.listen(house.engine, "before_cursor_execute", count)
    assert len(look_at(house, LOT, trends)) > 3
    assert asked.total() > 30  # it was heard
    assert {one: times for one, times in asked.items() if times > 3} == {}


def test_the_first_review_of_a_server_reads_the_lots_of_a_product_once_for_all_attributes(
    house: House,
):
    make(house)
    house.upload(results())
    house.review()
    asked: Counter[str] = Counter()

    def count(_connection, _cursor, statement, _parameters, _context, _many):
        asked[statement] += "\nFROM " in statement

    event.listen(house.engine, "before_cursor_execute", count)
    first, seen = Trends(), len(house.study().verdicts)
    asked.clear()
    found = look_at(house, LOT, first)
    assert first.read > 3 * seen  # it read the lots
    assert {one: times for one, times in asked.items() if times > 3} == {}
    held = Trends()
    with house.reading() as session:
        for verdict in house.study().verdicts:
            if is_numeric(verdict.criterion):
                of = Attribute(PRODUCT, "release", "", verdict.criterion.id)
                held.of(session, house.archive, of)  # each by itself
    assert look_at(house, LOT, held) == found


def test_other_lots_of_a_donor_are_not_looked_at_where_no_look_back_is_open(house: House):
    house.ready()
    asked: list[str] = []
    event.listen(house.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    house.study()
    assert any("FROM look_back" in one for one in asked)
    assert not [one for one in asked if "WHERE lot_donor.donor_id" in one]


def test_a_look_at_a_lot_asks_nothing_of_what_there_is_not(house: House):
    house.ready()
    house.study()
    asked: list[str] = []
    event.listen(house.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert house.study().is_ready
    assert len(asked) <= LOOK
    assert not [one for one in asked if "FROM training" in one and "EXISTS" not in one]


def test_what_the_code_excludes_stands_in_the_statement(house: House):
    """PostgreSQL plans a statement once for whatever it is given, and takes NOT IN for no row."""
    house.ready()
    asked: list[str] = []
    event.listen(house.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    with house.reading() as session:
        open_work(session, house.archive, wanted=Filter(), now=house.now())
        row = the_lot(session, LOT)
        trail_to_read(session, study(session, house.archive, lot=row, now=house.now()))
    nothing = ("NULL", "SELECT 1 FROM (SELECT 1)")  # as PostgreSQL and as SQLite are told
    begins = "|".join(map(re.escape, nothing))
    lists = re.compile(rf"(?:disposition|what) NOT IN \(({begins}|.)")
    excluded = [one for text in asked for one in lists.findall(text)]
    assert len(excluded) > 10
    assert set(excluded) <= {"'", *nothing}
