"""Open work over real records: what waits for whom, and in a fixed number of questions."""

from datetime import date, timedelta

from sqlalchemy import event

from batchqc.actions.corrections import request_correction
from batchqc.actions.laboratory import register_instrument, register_training
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.open_work import open_work
from batchqc.actions.registers import register_donor
from batchqc.core.open_work import Filter, Item, Work
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from tests.actions.typing_results import enter, verify
from tests.cast import MADE_ON, TAKEN_AT
from tests.records.house import (
    ANA,
    DON,
    DONOR,
    EXPIRES_ON,
    LOT,
    PRODUCT,
    QA1,
    House,
    alone,
    results,
)  # fmt: skip


def look(house: House, wanted: Filter | None = None, *, days: int = 30) -> list[Item]:
    with house.reading() as session:
        return open_work(
            session, house.archive, wanted=wanted or Filter(), now=house.now(), days=days
        )[1]


def told(house: House, kind: Work) -> list[str]:
    return [one.what for one in look(house, Filter(kind=kind))]


def register(house: House, lot: str, *, donor: str = DONOR) -> None:
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        sample = NewSample(f"{lot}-S01", "release", "vial", TAKEN_AT.isoformat())
        register_lot(tx, NewLot(lot, PRODUCT, MADE_ON, EXPIRES_ON, (donor,), (sample,)))


def test_a_lot_goes_from_results_over_review_to_its_decision(house: House):
    expected = told(house, Work.RESULT)
    assert len(expected) == 7
    assert "FLOW: CD73, CD90, CD105, negative_panel (release)" in expected
    assert told(house, Work.DECISION) == []
    house.upload(results())
    assert told(house, Work.RESULT) == []
    assert len(told(house, Work.REVIEW)) == len(house.study().runs)
    house.review()
    assert told(house, Work.REVIEW) == []
    assert len(told(house, Work.DECISION)) == 1
    house.hand_to_qa()
    assert house.study().is_ready
    house.release()
    assert [one.kind for one in look(house)] == [Work.CERTIFICATE]


def test_sterility_is_due_on_its_reading_day_and_overdue_after_it(house: House):
    (sterility,) = [one for one in look(house) if "STER" in one.what]
    assert sterility.due is not None
    assert sterility.due - TAKEN_AT.date() == timedelta(days=14)
    assert sterility in look(house, Filter(overdue=True))
    house.upload(alone("growth_14d"))
    assert not [one for one in look(house, Filter(overdue=True)) if "STER" in one.what]


def test_a_typed_result_waits_for_its_second_person_and_then_for_its_review(house: House):
    number = enter(house).number
    (waits,) = told(house, Work.SECOND_ENTRY)
    assert number in waits
    assert told(house, Work.REVIEW) == []
    assert not isinstance(verify(house, number), Refusal)
    assert told(house, Work.SECOND_ENTRY) == []
    assert len(told(house, Work.REVIEW)) == 1


def test_corrections_donors_and_what_ends_are_told(house: House):
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code="DNR-UC-77", tissue_source="umbilical cord")
    register(house, "MSC-26-0500", donor="DNR-UC-77")
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        request_correction(
            tx, subject=f"lot:{LOT}", field="expires_on", after="2027-05-17", reason="Misread label"
        )
    today = house.now().date()
    soon, far = today + timedelta(days=9), today + timedelta(days=90)
    with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:
        for instrument, due in (("PTS-001", soon), ("VCB-001", far), ("FAC-002", soon)):
            register_instrument(
                tx, instrument=instrument, kind="Reader", calibrated_on=date(2025, 1, 1),
                due_on=due, reason="",
            )  # fmt: skip
        register_instrument(
            tx, instrument="FAC-002", kind="Cytometer", calibrated_on=today, due_on=far,
            reason="Calibrated anew",
        )  # fmt: skip
        for method, until in (("SOP-QC-014", soon), ("SOP-QC-040", far)):
            register_training(
                tx, person=ANA, method=method, trained_on=date(2025, 1, 1), expires_on=until,
                reason="",
            )  # fmt: skip
    (correction,) = look(house, Filter(kind=Work.CORRECTION))
    assert (correction.lot, correction.link) == (LOT, "/corrections/C-2026-000001")
    (donor,) = look(house, Filter(kind=Work.ELIGIBILITY))
    assert (donor.lot, donor.link) == ("MSC-26-0500", "/donors/DNR-UC-77")
    assert told(house, Work.CALIBRATION) == ["the calibration of PTS-001 ends"]
    assert told(house, Work.TRAINING) == ["the training of ana for SOP-QC-014 ends"]
    assert told(house, Work.EXPIRY) == []
    (ends, _) = look(house, Filter(kind=Work.EXPIRY), days=3660)
    assert ends.due == EXPIRES_ON


def test_the_number_of_questions_does_not_grow_with_the_lots(house: House):
    asked: list[str] = []
    event.listen(
        house.engine, "before_cursor_execute", lambda *told: asked.append(told[2]), named=False
    )
    look(house)
    few = len(asked)
    for n in range(3):
        register(house, f"MSC-26-06{n:02}")
    house.upload(results(lot="MSC-26-0600"))
    asked.clear()
    assert len(look(house)) > 20
    assert len(asked) == few
