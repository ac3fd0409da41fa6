"""Lots under investigation, in every state, and what else speaks against lots."""

from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.actions.holds import hold_lot
from batchqc.actions.system_stops import record_stop
from batchqc.core.conclusions import Wanted
from batchqc.core.deviations import State
from batchqc.core.investigations import Finding
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from tests.actions.investigating import (
    METHOD,
    concluded,
    file,
    perform,
    plan,
    retest,
    review_phase,
)
from tests.records.house import QA1, QA2, House, alone, signing
from tests.records.laboratory import adopt_method
from tests.web.lots import add_lots

WAITING, PERFORMED, REVIEWED, PLANNED, ENDED = LOTS = tuple(
    f"MSC-26-01{number:02}" for number in range(1, 6)
)
NUMBERS = dict(zip(LOTS, (f"OOS-2026-00000{number}" for number in range(1, 6)), strict=True))
DEVIATION = "DEV-26-014"
STANDS = Wanted(Finding.ORIGINAL_STANDS, "No cause was found in the laboratory")


def fail(house: House, lot: str, value: str = "89.1", **cells: str) -> None:
    """A viability of a lot that fails, in a run of its own."""
    data = alone("viability", lot=lot, value=value, **{"run_id": f"V-{lot}"} | cells)
    report = house.upload(data)
    assert report.accepted, report.reading.problems


def investigate(house: House) -> None:
    """A lot in every state of an investigation."""
    adopt_method(house, METHOD)
    add_lots(house, *LOTS)
    for lot in LOTS:
        fail(house, lot)
    for lot in (PERFORMED, REVIEWED, PLANNED, ENDED):
        perform(house, NUMBERS[lot])
    for lot in (REVIEWED, PLANNED, ENDED):
        review_phase(house, NUMBERS[lot])
    number, cells = NUMBERS[PLANNED], {"lot_id": PLANNED, "sample_id": f"{PLANNED}-S01"}
    plan(house, number=number)
    assert retest(house, "95.1", "V-R1", number, **cells).accepted
    file(house, number)
    assert not isinstance(concluded(house, STANDS, NUMBERS[ENDED]), Refusal)


def disturb(house: House, lot: str) -> None:
    """A deviation and a hold that lie over a lot, and a stop of the system."""
    new = NewDeviation(DEVIATION, "Incubator at 35 °C", "QMS 4711", State.OPEN, True, (lot,))
    with house.acting(QA1, Permission.KEEP_DEVIATIONS) as tx:
        keep_deviation(tx, deviation=new, credentials=signing(QA1))
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        hold_lot(tx, lot=lot, credentials=signing(QA2, "A complaint came in"))
    with house.acting(QA1, Permission.RECORD_STOP) as tx:
        began = "2025-12-01T08:00:00-06:00"
        record_stop(tx, began=began, credentials=signing(QA1, "The power failed"))
