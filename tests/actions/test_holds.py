"""A lot is held by QA or by what was found, and let go only by QA."""

import pytest

from batchqc.actions.holds import hold_by_system, hold_lot, let_go
from batchqc.actions.lots import the_lot
from batchqc.core.holds import Cause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound, ReleaseBlocked
from batchqc.records.holds import Hold, HoldEnd
from tests.records.house import LOT, QA1, QA2, House, signing


def hold(house: House) -> int:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        held = hold_lot(tx, lot=LOT, credentials=signing(QA1, "Freezer alarm last night"))
        assert isinstance(held, Hold)
        return held.number


def end(house: House, number: int) -> HoldEnd | Refusal:
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        return let_go(tx, lot=LOT, number=number, credentials=signing(QA2, "Alarm was a test"))


def found(house: House, about: str = "donor:D") -> Hold | None:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        row = the_lot(tx.session, LOT)
        return hold_by_system(
            tx, row, cause=Cause.LOOK_BACK, reason="late seroconversion", about=about
        )


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
        refused = let_go(tx, lot=LOT, number=1, credentials=signing(QA2, password="not the one"))
    assert isinstance(refused, Refusal)
    assert not house.study().is_ready
    end(house, 1)
    with pytest.raises(Conflict):
        end(house, 1)
