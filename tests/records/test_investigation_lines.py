"""Lists of investigations and deviations: what is open first, filtered and paged."""

from datetime import date

from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.actions.investigations import reopen
from batchqc.core.conclusions import Wanted
from batchqc.core.deviations import State as Deviation
from batchqc.core.investigations import Finding, State
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.deviations import (
    DeviationsWanted,
    Order,
    count_open_deviations,
    deviation_lines,
)
from batchqc.records.investigation_lines import (
    InvestigationsWanted,
    count_concluded,
    investigated_criteria,
    investigation_lines,
    newest_investigated,
    open_lines,
)
from tests.actions.investigating import concluded, perform, review_phase
from tests.records.house import BEN, QA1, QA2, REV, House, alone, signing
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
        assert len(open_lines(session, everything)) == 2
        assert investigated_criteria(session) == ["viability"]
        assert [one.lot for one in newest_investigated(session, 2)] == [LOTS[2], LOTS[1]]


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
            DeviationsWanted(order=Order.OLDEST): ["DEV-2", "DEV-1"],
            DeviationsWanted(order=Order.NUMBER): ["DEV-1", "DEV-2"],
            DeviationsWanted(order=Order.NUMBER_BACK): ["DEV-2", "DEV-1"],
        }.items():
            listed = deviation_lines(session, wanted)
            assert [one.row.deviation for one in listed] == ids
            behind = deviation_lines(session, wanted, after=listed[0].row.id)
            assert [one.row.deviation for one in behind] == ids[1:]
        assert len(deviation_lines(session, DeviationsWanted(), limit=1)) == 1
        assert count_open_deviations(session) == (1, 1)
