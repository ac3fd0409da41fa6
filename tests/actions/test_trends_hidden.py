"""Nothing that people do to limits, exclusions or phases hides a signal from a review."""

from datetime import timedelta

import pytest

from batchqc.actions.limit_sets import start_phase
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.trend_signals import signals_of
from batchqc.actions.trends import Trends
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.audit import entries_about, newest_link
from tests.actions.test_trends import OF, READ_AT, approve, look, make, propose
from tests.cast import TAKEN_AT
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    MADE_ON,
    PRODUCT,
    QA1,
    House,
    good,
    signing,
    table,
)

EIGHT = ("97", "97", "96", "98", "98", "98", "97", "97")
CAUSE = "The incubator failed"


def said(house: House, lot: str) -> list[str]:
    case = house.study(lot)
    with house.reading() as session:
        return [one for _, one in signals_of(session, house.archive, case)]


def entries(house: House, lot: str) -> list[str]:
    with house.reading() as session:
        return [one.what for one in entries_about(session, [f"lot:{lot}"])]


@pytest.mark.parametrize("is_excluded", [False, True])
def test_limits_that_are_made_with_or_without_an_odd_lot_do_not_hide_its_signal(
    house: House, *, is_excluded: bool
):
    *_, odd = make(house, (*EIGHT, "91"))
    before = said(house, odd)
    assert "3.29 sigma below" in before[0]
    approve(house, propose(house, excluded={odd: CAUSE} if is_excluded else {}))
    assert said(house, odd) == before
    assert look(house).by_lot[odd].excluded == (CAUSE if is_excluded else "")
    assert ("control limits proposed" in entries(house, odd)) is is_excluded
    assert house.verify().problems == ()


def test_limits_judge_a_lot_of_which_no_value_was_known_when_they_were_made(house: House):
    make(house, EIGHT, first=5)
    late = "TRD-26-050"
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        day, taken = (one + timedelta(days=20) for one in (MADE_ON, TAKEN_AT))
        sample = NewSample(f"{late}-S01", "release", "cryovial", taken.isoformat())
        register_lot(tx, NewLot(late, PRODUCT, day, EXPIRES_ON, (DONOR,), (sample,)))
    approve(house, propose(house))
    own = {"lot_id": late, "sample_id": f"{late}-S01", "value": "70", "measured_at": READ_AT}
    assert house.upload(table([good("viability") | own])).accepted
    (early,) = make(house, ["70"])  # registered last, made first
    for lot in (late, early):
        assert ["limit set 1" in one for one in said(house, lot)] == [True]
    assert look(house).limitations == ()  # no value changed that the limits came from


def test_a_lot_with_which_a_phase_begins_is_told_to_be_compared_with_none(house: House):
    *_, odd = make(house, (*EIGHT, "91"))
    with house.acting(QA1, Permission.START_PHASE) as tx:
        begun = start_phase(
            tx, house.archive, attribute=OF, lot=odd, credentials=signing(QA1, "New medium")
        )
        assert not isinstance(begun, Refusal)
    (told,) = said(house, odd)
    assert "compared with no other lot" in told
    assert "phase 2 begins with TRD-26-009 (New medium)" in told
    assert "phase of a trend started" in entries(house, odd)
    with house.reading() as session:
        whole = Trends().of(session, house.archive, OF)
    assert said(house, whole.lots[1].lot.lot) == []  # nobody cut the first lots off


def test_a_lot_that_differs_from_others_that_are_all_equal_is_not_passed_over(house: House):
    *_, same, odd = make(house, ("100", "100", "100", "91"))
    assert said(house, same) == []
    assert ["compared with no other lot" in one for one in said(house, odd)] == [True]


def test_what_a_session_of_earlier_reads_is_not_held_for_later_ones(house: House):
    running, other = Trends(), OF._replace(criterion="cd73")
    make(house)
    look(house, running)
    with house.reading() as earlier:
        newest_link(earlier)  # from now on it sees this state
        (later,) = make(house, ["60"], first=20)
        with house.reading() as session:
            assert later in running.of(session, house.archive, OF).by_lot
        assert later not in running.of(earlier, house.archive, other).by_lot
    with house.reading() as session:
        assert later in running.of(session, house.archive, other).by_lot
