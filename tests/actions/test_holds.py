"""A lot is held by QA or by what was found, and let go only by QA."""

import pytest

from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.actions.holds import hold_by_system, hold_lot
from batchqc.actions.letting_go import let_go
from batchqc.actions.look_backs import close_look_back
from batchqc.actions.lots import the_lot
from batchqc.core.deviations import State
from batchqc.core.holds import Cause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound, ReleaseBlocked
from batchqc.records.holds import Hold, HoldEnd, open_holds
from tests.records.donors import complete, determine, take_tests
from tests.records.house import LOT, QA1, QA2, House, alone, signing
from tests.records.tampering import tamper


def hold(house: House) -> int:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        held = hold_lot(tx, lot=LOT, credentials=signing(QA1, "Freezer alarm last night"))
        assert isinstance(held, Hold)
        return held.number


def end(house: House, number: int) -> HoldEnd | Refusal:
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        credentials = signing(QA2, "Alarm was a test")
        return let_go(tx, house.archive, lot=LOT, number=number, credentials=credentials)


def holds(house: House) -> list[Hold]:
    with house.reading() as session:
        return list(open_holds(session, [the_lot(session, LOT).id]))


def found(house: House, about: str = "donor:D", cause: Cause = Cause.LOOK_BACK) -> Hold | None:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        row = the_lot(tx.session, LOT)
        return hold_by_system(tx, row, cause=cause, reason="late seroconversion", about=about)


@pytest.mark.requirement("8.13")
def test_what_is_found_holds_a_lot_once_for_each_cause_and_record(house: House):
    assert found(house) is not None
    assert found(house) is None
    assert found(house, "donor:E") is not None
    assert found(house, cause=Cause.INVESTIGATION) is not None
    assert [(one.cause, one.about) for one in holds(house)] == [
        ("look-back", "donor:D"),
        ("look-back", "donor:E"),
        ("investigation", "donor:D"),
    ]


@pytest.mark.requirement("1.34")
def test_a_held_lot_is_not_released_until_every_hold_has_ended(house: House):
    house.ready()
    first = hold(house)
    assert found(house) is not None
    for number, left in ((first, 2), (2, 1)):
        with pytest.raises(ReleaseBlocked) as blocked:
            house.release()
        assert len(blocked.value.reasons) == left
        assert all(one.startswith("Hold: held since") for one in blocked.value.reasons)
        assert isinstance(end(house, number), HoldEnd)
    assert not isinstance(house.release(), Refusal)
    assert house.verify().problems == ()


def test_what_was_found_already_does_not_hold_a_second_time(house: House):
    assert found(house) is not None
    assert found(house) is None
    assert found(house, "donor:E") is not None
    assert isinstance(end(house, 1), HoldEnd)
    again = found(house)  # found anew after QA let the lot go
    assert again is not None
    gate = house.study().gates[1]
    assert (gate.name, gate.evidence) == ("Hold", (f"hold:{LOT}/2", f"hold:{LOT}/3"))


def test_a_hold_wants_a_reason_and_ends_once(house: House):
    with house.acting(QA1, Permission.HOLD_LOT) as tx, pytest.raises(InvalidInput):
        hold_lot(tx, lot=LOT, credentials=signing(QA1, "..."))
    with pytest.raises(NotFound):
        end(house, 1)
    hold(house)
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        wrong = signing(QA2, password="not the one")
        refused = let_go(tx, house.archive, lot=LOT, number=1, credentials=wrong)
    assert isinstance(refused, Refusal)
    assert not house.study().is_ready
    end(house, 1)
    with pytest.raises(Conflict):
        end(house, 1)


def deviation(house: House, state: State, *lots: str) -> None:
    new = NewDeviation("DEV-1", "Freezer", "QMS 1", state, True, lots)
    with house.acting(QA1, Permission.KEEP_DEVIATIONS) as tx:
        assert not isinstance(keep_deviation(tx, deviation=new, credentials=signing(QA1)), Refusal)


@pytest.mark.requirement("2.01")
def test_a_lot_in_use_is_let_go_once_every_reason_is_settled_and_all_are_told(house: House):
    complete(house)
    determine(house)
    house.ready()
    house.release()
    hold(house)
    take_tests(house, results=(("HBsAg", "indeterminate"),))
    deviation(house, State.OPEN, LOT)
    for number in (1, 2, 3):  # whichever of them
        with pytest.raises(Conflict) as refused:
            end(house, number)
        assert refused.value.code == "BQC-HLD-003"
        assert [one.partition(": ")[0] for one in refused.value.reasons] == [
            "look-back LB-2026-000001 is open", "Deviations", "Donor", "Genealogy",
        ]  # fmt: skip
    deviation(house, State.CLOSED)
    with house.acting(QA1, Permission.CLOSE_LOOK_BACK) as tx:
        close_look_back(
            tx, number="LB-2026-000001", conclusion="Not confirmed", credentials=signing(QA1)
        )
    with pytest.raises(Conflict) as refused:  # the donor has a result since the determination
        end(house, 1)
    assert {one.partition(": ")[0] for one in refused.value.reasons} == {"Donor"}
    assert len(holds(house)) == 3
    assert house.verify().problems == ()


def test_nobody_lets_go_of_a_lot_in_use_whose_records_were_changed(house: House):
    house.ready()
    house.release()
    deviation(house, State.OPEN, LOT)
    tamper(house.engine, "UPDATE deviation SET state = 'closed'")
    with pytest.raises(Conflict) as refused:
        end(house, 1)
    assert any(one.startswith("Records: ") for one in refused.value.reasons)


@pytest.mark.requirement("2.01")
def test_what_the_system_holds_stays_held_though_no_dose_may_be_given_and_qa_ends_its_own(
    house: House,
):
    assert house.upload(alone("viability", value="80")).accepted
    assert found(house) is not None
    hold(house)
    with pytest.raises(Conflict) as refused:
        end(house, 1)
    assert [one.partition(": ")[0] for one in refused.value.reasons] == [
        "Results", "Investigations",
    ]  # fmt: skip
    assert isinstance(end(house, 2), HoldEnd)  # nothing leaves: the gates are closed
