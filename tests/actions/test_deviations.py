"""Deviations are references with a state; an open one that blocks closes its gate."""

import json
from dataclasses import replace

import pytest

from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.actions.dispositions import Decision
from batchqc.actions.letting_go import let_go
from batchqc.actions.lots import NewLot, register_lot
from batchqc.core.deviations import State
from batchqc.core.lot_states import Overlay
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound, ReleaseBlocked
from batchqc.records.deviations import DeviationRow
from batchqc.records.holds import HoldEnd
from batchqc.records.lot_reviews import trail_about
from tests.actions.state import counts, grown
from tests.records.genealogy import vials
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PRODUCT,
    QA1,
    QA2,
    House,
    results,
    signing,
)
from tests.records.tampering import tamper

OPEN = NewDeviation("DEV-26-014", "Incubator at 35 °C", "QMS 4711", State.OPEN, True, (LOT,))
CLOSED = NewDeviation("dev-26-014", "Incubator at 35 °C", "QMS 4711", State.CLOSED, True)


def keep(house: House, deviation: NewDeviation, password: str = "") -> DeviationRow | Refusal:
    credentials = signing(QA2, password=password) if password else signing(QA2)
    with house.acting(QA2, Permission.KEEP_DEVIATIONS) as tx:
        return keep_deviation(tx, deviation=deviation, credentials=credentials)


@pytest.mark.requirement("2.22")
def test_an_open_deviation_blocks_until_it_is_closed_with_a_signature(house: House):
    house.ready()
    assert isinstance(keep(house, OPEN), DeviationRow)
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert blocked.value.reasons == (
        "Deviations: deviation DEV-26-014 is open: Incubator at 35 °C",
    )
    assert isinstance(keep(house, CLOSED), DeviationRow)
    gate = next(one for one in house.study().gates if one.name == "Deviations")
    assert gate.remarks == ("deviation DEV-26-014 is closed: Incubator at 35 °C",)
    assert gate.evidence == ("deviation:dev-26-014/2",)
    assert not isinstance(house.release(by=QA1), Refusal)
    assert house.verify().problems == ()


@pytest.mark.requirement("2.22")
def test_a_closed_deviation_takes_no_failed_result_back(house: House):
    house.upload(results(viability="89.1"))
    keep(house, OPEN)
    keep(house, CLOSED)
    assert not house.study().is_ready


def test_what_cannot_be_recorded_changes_nothing(house: House):
    keep(house, OPEN)
    before = counts(house.engine)
    for wrong, error in (
        (OPEN, Conflict),
        (NewDeviation("x", "", "", State.OPEN, True), InvalidInput),
        (NewDeviation("DEV-2", "Freezer", "QMS", State.OPEN, True, ("MSC-26-0404",)), NotFound),
    ):
        with pytest.raises(error):
            keep(house, wrong)
    assert grown(house.engine, before) == {}
    assert isinstance(keep(house, CLOSED, password="wrong"), Refusal)
    assert not house.study().is_ready


@pytest.mark.requirement("2.22")
def test_a_deviation_that_bears_on_one_more_lot_closes_its_gate_too(house: House):
    more = "MSC-26-0044"
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(more, PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,)))
    assert isinstance(keep(house, OPEN), DeviationRow)
    assert isinstance(keep(house, replace(OPEN, lots=(LOT, more))), DeviationRow)
    for lot in (LOT, more):
        gate = next(one for one in house.study(lot).gates if one.name == "Deviations")
        assert gate.reasons == ("deviation DEV-26-014 is open: Incubator at 35 °C",)


@pytest.mark.requirement("2.01")
def test_a_blocking_deviation_holds_a_lot_in_use_and_its_closing_lets_nothing_go(house: House):
    assert isinstance(keep(house, replace(OPEN, blocking=False)), DeviationRow)
    house.ready()
    assert isinstance(house.release(), Decision)
    vials(house, LOT, f"{LOT}-V1")
    assert isinstance(keep(house, replace(OPEN, title="Told", blocking=False)), DeviationRow)
    assert house.study().overlays == ()
    assert isinstance(keep(house, OPEN, "wrong"), Refusal)
    assert house.study().overlays == ()
    assert isinstance(keep(house, replace(OPEN, lots=())), DeviationRow)
    (held,) = house.study().facts.holds.stops
    assert held.endswith(
        "(deviation, hold 1): deviation DEV-26-014 is open and blocks: Incubator at 35 °C"
    )
    with house.reading() as session:
        (entry,) = trail_about(session, [f"lot:{LOT}"], only={"lot held"})
    after = json.loads(entry[1].text)["after"]
    assert (after["about"], after["doses"]) == (
        "deviation:dev-26-014", [f"{LOT}-V1 of lot:{LOT}: in storage, Tank 3"],
    )  # fmt: skip
    assert isinstance(keep(house, replace(OPEN, title="Incubator at 36 °C")), DeviationRow)
    assert len(house.study().facts.holds.stops) == 1  # held for the same already
    with pytest.raises(Conflict) as refused:
        end(house)
    assert refused.value.code == "BQC-HLD-003"
    assert refused.value.reasons == (
        "Deviations: deviation DEV-26-014 is open: Incubator at 36 °C",
    )
    assert isinstance(keep(house, CLOSED), DeviationRow)
    assert house.study().overlays == (Overlay.ON_HOLD,)
    assert isinstance(end(house), HoldEnd)
    assert house.study().overlays == ()
    assert isinstance(keep(house, OPEN), DeviationRow)  # opened anew: held anew
    assert house.study().overlays == (Overlay.ON_HOLD,)
    assert house.verify().problems == ()


def end(house: House) -> HoldEnd | Refusal:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        return let_go(tx, house.archive, lot=LOT, number=1, credentials=signing(QA1))


def test_a_lot_that_is_not_in_use_waits_at_its_gate_and_is_not_held(house: House):
    assert isinstance(keep(house, OPEN), DeviationRow)
    assert house.study().overlays == ()


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM deviation_lot", "is missing"),
        ("UPDATE deviation SET state = 'closed'", "is not as its audit entry says"),
    ],
)
def test_whoever_changes_a_deviation_is_noticed(house: House, statement: str, said: str):
    keep(house, OPEN)
    tamper(house.engine, statement)
    assert any(said in one for one in house.study().facts.damaged)
