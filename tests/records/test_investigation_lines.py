"""Lists of investigations and deviations: what is open first, filtered and paged."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import event, select

from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.actions.investigations import extend_due_date, reopen
from batchqc.core.conclusions import Wanted
from batchqc.core.deviations import State as Deviation
from batchqc.core.investigations import Finding, State
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.deviations import (
    DeviationsWanted,
    count_open_deviations,
    deviation_lines,
)
from batchqc.records.deviations import Order as OfDeviations
from batchqc.records.history import versions_of
from batchqc.records.investigation_lines import (
    InvestigationsWanted,
    Order,
    count_concluded,
    count_open,
    investigated_criteria,
    investigation_lines,
    newest_investigated,
)
from batchqc.records.investigations import InvestigationRow
from batchqc.records.registers import LotRow
from tests.actions.investigating import METHOD, concluded, perform, plan, review_phase
from tests.records.house import BEN, LOT, QA1, QA2, REV, House, alone, signing
from tests.records.laboratory import adopt_method
from tests.web.lots import add_lots

LOTS = ("MSC-26-0101", "MSC-26-0102", "MSC-26-0103")
STANDS = Wanted(Finding.ORIGINAL_STANDS, "No cause was found in the laboratory")


def numbers(house: House, wanted: InvestigationsWanted, *, limit: int = 50) -> list[str]:
    """Every number of a list, page by page."""
    found, after = list[str](), ""
    with house.reading() as session:
        while True:
            lines, after = investigation_lines(session, wanted, after=after, limit=limit)
            found += [one.row.natural_key for one in lines]
            if not after:
                return found


def test_open_investigations_come_first_and_filters_hold_together(house: House):
    add_lots(house, *LOTS)
    for lot in LOTS:
        house.upload(alone("viability", lot=lot, value="89", run_id=f"V-{lot}"))
    first, second, third = (f"OOS-2026-00000{number}" for number in (1, 2, 3))
    for number in (first, second):
        perform(house, number)
        review_phase(house, number)
        assert not isinstance(concluded(house, STANDS, number), Refusal)
    everything = InvestigationsWanted()
    for limit in (1, 2, 50):
        assert numbers(house, everything, limit=limit) == [third, second, first]
    assert numbers(house, InvestigationsWanted(state=State.CONCLUDED)) == [second, first]
    assert numbers(house, InvestigationsWanted(is_open=True)) == [third]
    assert numbers(house, InvestigationsWanted(state=State.REVIEW)) == []
    assert numbers(house, InvestigationsWanted(lot="0102")) == [second]
    assert numbers(house, InvestigationsWanted(criterion="endotoxin")) == []
    assert numbers(house, InvestigationsWanted(person=REV.upper())) == [second, first]
    assert numbers(house, InvestigationsWanted(person=BEN)) == []
    assert numbers(house, InvestigationsWanted(overdue_on=date(2099, 1, 1))) == [third]
    assert numbers(house, InvestigationsWanted(overdue_on=date(2020, 1, 1))) == []
    with house.acting(QA1, Permission.CONCLUDE_INVESTIGATION) as tx:
        reopen(tx, number=first, credentials=signing(QA1))
    assert numbers(house, everything, limit=1) == [first, third, second]
    with house.reading() as session:
        assert count_concluded(session, everything) == 1
        assert count_open(session, everything, date(2020, 1, 1)) == (2, 0)
        assert count_open(session, everything, date(2099, 1, 1)) == (2, 2)
        assert investigated_criteria(session) == ["viability"]
        assert [one.lot for one in newest_investigated(session, 2)] == [LOTS[2], LOTS[1]]


def fail(house: House, *lots: str) -> None:
    add_lots(house, *lots)
    for lot in lots:
        house.upload(alone("viability", lot=lot, value="89", run_id=f"V-{lot}"))


def due(house: House, number: str, day: date) -> None:
    with house.acting(QA1, Permission.CONCLUDE_INVESTIGATION) as tx:
        extend_due_date(tx, number=number, due_on=day, credentials=signing(QA1))


@pytest.mark.requirement("3.14")
def test_open_investigations_stand_by_their_days_as_they_were_set_anew(house: House):
    fail(house, *LOTS, "MSC-26-0104")
    first, second, third, fourth = (f"OOS-2026-00000{number}" for number in (1, 2, 3, 4))
    late, later = date(2026, 9, 1), date(2026, 10, 1)
    due(house, first, late)
    due(house, second, later)
    due(house, third, late)
    due(house, first, later)
    for limit in (1, 2, 3, 50):
        assert numbers(house, InvestigationsWanted(), limit=limit) == [fourth, third, first, second]
    with house.reading() as session:
        assert count_open(session, InvestigationsWanted(), date(2026, 8, 15)) == (4, 1)
        assert count_open(session, InvestigationsWanted(), date(2026, 9, 15)) == (4, 2)
        assert count_open(session, InvestigationsWanted(lot="0103"), date(2026, 9, 15)) == (1, 1)
    over = InvestigationsWanted(overdue_on=date(2026, 9, 15))
    assert numbers(house, over, limit=1) == [fourth, third]
    for order, found in ((Order.OLDEST, [third, fourth]), (Order.NEWEST, [fourth, third])):
        assert numbers(house, replace(over, order=order), limit=1) == found


def test_an_investigation_that_is_concluded_between_two_pages_hides_no_other(house: House):
    fail(house, *LOTS)
    first, second, third = (f"OOS-2026-00000{number}" for number in (1, 2, 3))
    with house.reading() as session:
        (line,), after = investigation_lines(session, InvestigationsWanted(), limit=1)
    assert line.row.natural_key == first
    perform(house, first)
    review_phase(house, first)
    assert not isinstance(concluded(house, STANDS, first), Refusal)
    with house.reading() as session:
        found, after = investigation_lines(session, InvestigationsWanted(), after=after, limit=2)
        assert [one.row.natural_key for one in found] == [second, third]
        found, after = investigation_lines(session, InvestigationsWanted(), after=after, limit=2)
        assert [one.row.natural_key for one in found] == [first]
        assert not after


def test_a_state_that_is_asked_for_is_the_one_that_steps_fold_to(house: House):
    adopt_method(house, METHOD)
    fail(house, *LOTS, "MSC-26-0104")
    first, second, third, fourth = (f"OOS-2026-00000{number}" for number in (1, 2, 3, 4))
    for number in (second, third, fourth):
        perform(house, number)
    for number in (third, fourth):
        review_phase(house, number)
    plan(house, number=fourth)
    for state, number in (
        (State.PHASE_I, first),
        (State.REVIEW, second),
        (State.CONCLUSION, third),
        (State.RETESTS, fourth),
    ):
        for order in Order:
            wanted = InvestigationsWanted(state=state, order=order)
            assert numbers(house, wanted, limit=1) == [number]
            with house.reading() as session:
                assert count_open(session, wanted, date(2020, 1, 1)) == (1, 0)
                (line,), _ = investigation_lines(session, wanted)
                assert line.now.state is state
    assert numbers(house, InvestigationsWanted(state=State.CONCLUDED)) == []
    perform(house, second)
    assert numbers(house, InvestigationsWanted(state=State.REVIEW)) == [second]


@pytest.fixture
def rows() -> Iterator[list[InvestigationRow]]:
    """Every investigation that was read since it was cleared."""
    found: list[InvestigationRow] = []

    def listen(row: InvestigationRow, _: object) -> None:
        found.append(row)

    event.listen(InvestigationRow, "load", listen)
    yield found
    event.remove(InvestigationRow, "load", listen)


def test_a_page_reads_no_more_open_investigations_than_it_shows(
    house: House, rows: list[InvestigationRow]
):
    fail(house, *(f"MSC-26-02{number:02}" for number in range(12)))
    for order in Order:
        rows.clear()
        with house.reading() as session:
            investigation_lines(session, InvestigationsWanted(order=order), limit=3)
            count_open(session, InvestigationsWanted(), date(2099, 1, 1))
        assert len(rows) == 4


def test_deviations_are_listed_as_they_stand_with_their_lots(house: House):
    add_lots(house, *LOTS)

    def keep(name: str, state: Deviation, *lots: str) -> None:
        with house.acting(QA2, Permission.KEEP_DEVIATIONS) as tx:
            new = NewDeviation(name, "Incubator at 35 °C", "QMS 4711", state, True, lots)
            assert not isinstance(
                keep_deviation(tx, deviation=new, credentials=signing(QA2)), Refusal
            )

    keep("DEV-1", Deviation.OPEN, LOTS[0], LOTS[1])
    keep("DEV-2", Deviation.OPEN, LOTS[1])
    keep("DEV-1", Deviation.CLOSED, LOTS[2])
    with house.reading() as session:
        found = deviation_lines(session, DeviationsWanted())
        assert [(one.row.deviation, one.row.number, one.lots) for one in found] == [
            ("DEV-1", 2, LOTS), ("DEV-2", 1, LOTS[1:2]),
        ]  # fmt: skip
        for wanted, ids in {
            DeviationsWanted("open"): ["DEV-2"],
            DeviationsWanted(lot=LOTS[2]): ["DEV-1"],
            DeviationsWanted(order=OfDeviations.OLDEST): ["DEV-2", "DEV-1"],
            DeviationsWanted(order=OfDeviations.NUMBER): ["DEV-1", "DEV-2"],
            DeviationsWanted(order=OfDeviations.NUMBER_BACK): ["DEV-2", "DEV-1"],
        }.items():
            listed = deviation_lines(session, wanted)
            assert [one.row.deviation for one in listed] == ids
            behind = deviation_lines(session, wanted, after=listed[0].row.id)
            assert [one.row.deviation for one in behind] == ids[1:]
        assert len(deviation_lines(session, DeviationsWanted(), limit=1)) == 1
        assert count_open_deviations(session) == (1, 1)


def test_lots_that_are_read_whole_are_read_with_the_statements_of_one(house: House):
    fail(house, *(f"MSC-26-03{number:02}" for number in range(6)))
    with house.reading() as session:
        rows = session.scalars(select(LotRow).order_by(LotRow.id)).all()
        ids = [row.id for row in rows]
        asked: list[str] = []
        event.listen(
            house.engine, "before_cursor_execute", lambda *told: asked.append(told[2]), named=False
        )
        versions_of(session, ids[:2])
        session.expunge_all()
        few = len(asked)
        asked.clear()
        found = versions_of(session, ids)
    assert len(asked) == few
    assert {lot: [one.lot for one in own] for lot, own in found.items()} == {
        row.id: [row.lot] * (row.lot != LOT) for row in rows
    }
