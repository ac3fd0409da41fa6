"""What is known to be absent is not asked for again until the look ends."""

from sqlalchemy import event
from sqlalchemy.orm import Session

from batchqc.actions.lots import the_lot
from batchqc.records.absent import is_empty, look_for, there
from batchqc.records.holds import Hold
from batchqc.records.once import each_once
from batchqc.records.registers import LotDonor, SampleRow
from batchqc.records.rows_by import rows_by
from tests.records.house import LOT, House


@each_once
def looks(session: Session, lot: int) -> list[int]:
    """How many samples are found of a lot, and of one that there is not."""
    for one in (lot, 0):
        look_for(session, {SampleRow.lot_id: [one], LotDonor.lot_id: [one]})
    assert there(session, SampleRow.lot_id, [lot, 0, lot]) == [lot]
    return [len(rows_by(session, SampleRow, SampleRow.lot_id, [one])) for one in (lot, 0)]


def test_only_what_is_nowhere_is_passed_by_and_only_while_somebody_looks(house: House):
    with house.reading() as session:
        lot, asked = the_lot(session, LOT).id, []
        event.listen(session.connection(), "before_cursor_execute", lambda *of: asked.append(of[2]))
        samples, none = looks(session, lot)
        assert (samples > 0, none) == (True, 0)
        assert len(asked) == 3  # two looks at both tables, and the samples that are there
        assert there(session, SampleRow.lot_id, [0]) == [0]
        assert not rows_by(session, SampleRow, SampleRow.lot_id, [0])
        assert len(asked) == 4  # what was absent is asked for again


@each_once
def finds(session: Session, lot: int) -> tuple[list[int], list[int]]:
    """Whether a lot has samples, and whether it has holds."""
    look_for(session, {SampleRow.lot_id: [lot], Hold.lot_id: [lot]})
    return there(session, SampleRow.lot_id, [lot]), there(session, Hold.lot_id, [lot])


def test_what_is_in_one_column_is_passed_by_in_the_other_only(house: House):
    with house.reading() as session:
        lot = the_lot(session, LOT).id
        assert finds(session, lot) == ([lot], [])


@each_once
def empty(session: Session, lot: int) -> tuple[list[bool], list[int]]:
    """Which of two tables are empty, and what of a column of the empty one is asked for."""
    look_for(session, {}, (SampleRow, Hold))
    both = [is_empty(session, one) for one in (SampleRow, Hold)]
    return both, there(session, Hold.lot_id, [lot])


def test_of_an_empty_table_nothing_is_asked_for(house: House):
    with house.reading() as session:
        lot = the_lot(session, LOT).id
        assert empty(session, lot) == ([False, True], [])
        assert not is_empty(session, Hold)  # while nobody looks, it is not known
        assert there(session, Hold.lot_id, [lot]) == [lot]


def test_without_a_look_nothing_is_asked_and_nothing_is_passed_by(house: House):
    with house.reading() as session:
        look_for(session, {SampleRow.lot_id: [0]})
        assert there(session, SampleRow.lot_id, [0]) == [0]
