"""Open work over real records: what waits for whom, and in a fixed number of questions."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from batchqc.actions.consents import withdraw_consent
from batchqc.actions.corrections import request_correction
from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.holds import hold_lot
from batchqc.actions.laboratory import register_instrument, register_training
from batchqc.actions.letting_go import let_go
from batchqc.actions.lot_review import review_whole_lot
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.open_work import all_open_work, open_work
from batchqc.actions.policies import set_policy
from batchqc.actions.registers import register_donor
from batchqc.actions.webhooks import NewWebhook, register_webhook
from batchqc.core.open_work import Filter, Item, Work
from batchqc.core.permissions import Permission
from batchqc.core.policies import Certifies, Policy
from batchqc.core.signatures import Refusal
from batchqc.records import lots_at_work, lots_left
from batchqc.records.events import DELIVERED, GIVEN_UP, Delivery, Webhook, webhook_by
from batchqc.records.lots_at_work import Among
from batchqc.records.lots_left import portion_of_work
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction
from batchqc.records.work_beside import silent_webhooks
from tests.actions.correcting import decide, request
from tests.actions.typing_results import enter, verify
from tests.cast import MADE_ON, TAKEN_AT
from tests.records.donors import DIN, DONATED_ON, complete, consent, determine, donate
from tests.records.house import (
    ADM,
    ANA,
    DON,
    DONOR,
    EXPIRES_ON,
    LOT,
    PRODUCT,
    QA1,
    REV,
    House,
    alone,
    results,
    signing,
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
    assert told(house, Work.QC_REVIEW) == ["QC reviews the lot as a whole"]
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        review_whole_lot(tx, house.archive, lot=LOT, credentials=signing(REV))
    assert told(house, Work.QC_REVIEW) == told(house, Work.DECISION) == []
    assert told(house, Work.AUDIT_REVIEW) == ["QA reviews the audit trail"]
    house.read_trail()
    assert told(house, Work.AUDIT_REVIEW) == []
    assert len(told(house, Work.DECISION)) == 1
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


@pytest.mark.requirement("1.31")
def test_what_two_people_typed_differently_is_expected_again(house: House):
    before = told(house, Work.RESULT)
    assert [one for one in before if one.startswith("MYCO")]
    entry = enter(house)
    assert told(house, Work.RESULT) == [one for one in before if not one.startswith("MYCO")]
    assert not verify(house, entry.number, "Positive")
    assert told(house, Work.RESULT) == before


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


def test_what_stands_against_a_lot_is_told_until_it_is_over(house: House):
    assert house.upload(alone("CD73", value="80")).accepted
    (oos,) = look(house, Filter(kind=Work.INVESTIGATION))
    assert (oos.lot, oos.link) == (LOT, "/investigations/OOS-2026-000001")
    assert oos.what.endswith("; phase I is to be performed")
    assert oos.due is not None
    assert oos.due > house.now().date()
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        hold_lot(tx, lot=LOT, credentials=signing(QA1, "Freezer alarm"))
    assert told(house, Work.HOLD) == ["hold 1 (QA): Freezer alarm"]
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        let_go(tx, house.archive, lot=LOT, number=1, credentials=signing(QA1))
    assert told(house, Work.HOLD) == []


def test_a_donor_whose_records_changed_is_determined_anew(house: House):
    assert told(house, Work.ELIGIBILITY) == told(house, Work.CONSENT) == []
    donate(house, DONOR)
    assert told(house, Work.CONSENT) == [f"no consent of donor {DONOR} is on record"]
    assert told(house, Work.ELIGIBILITY) == [f"donor {DONOR} has records since the determination"]
    consent(house, DONOR)
    assert told(house, Work.CONSENT) == []
    assert not isinstance(determine(house, DONOR), Refusal)
    assert told(house, Work.ELIGIBILITY) == []
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        withdraw_consent(
            tx, house.archive, donor=DONOR, withdrawn_on=DONATED_ON, reason="The donor wrote so"
        )
    assert told(house, Work.CONSENT) == [f"donor {DONOR} withdrew the consent"]
    (look_back,) = look(house, Filter(kind=Work.LOOK_BACK))
    assert look_back.link == "/look-backs/LB-2026-000001"


@pytest.mark.parametrize(
    ("subject", "field", "after"),
    [
        (f"donor:{DONOR}", "tissue_source", "Wharton's jelly"),
        (f"donation:{DIN}", "donated_on", "2025-03-31"),
        (f"donor_test:{DIN}/2", "person", "donor"),
        (f"consent:{DONOR}/1", "version", "2.1"),
    ],
)
def test_a_donor_of_whom_a_record_was_corrected_is_determined_anew(
    house: House, subject: str, field: str, after: str
):
    complete(house)
    assert not isinstance(determine(house), Refusal)
    number = request(house, subject, field, after)
    assert told(house, Work.ELIGIBILITY) == []
    decide(house, number)
    assert told(house, Work.ELIGIBILITY) == [f"donor {DONOR} has records since the determination"]


def test_a_check_and_a_silent_webhook_are_told(house: House):
    with house.acting(QA1, Permission.SET_POLICY) as tx:
        every = Certifies.EVERY_LOT
        set_policy(tx, policy=Policy.QP_CERTIFIES, value=every, credentials=signing(QA1))
    house.ready()
    assert told(house, Work.CHECK) == ["manufacture and testing are checked"]
    assert told(house, Work.DECISION) == []
    with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        new = NewWebhook("warehouse", "https://erp.example/in", ("lot.*",))
        webhook, _ = register_webhook(tx, new, key=b"k" * 32)
        tried(tx, webhook, 1, GIVEN_UP)
    assert told(house, Work.WEBHOOK) == ["warehouse was given up at event 1"]
    with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        webhook = webhook_by(tx.session, "warehouse")
        assert webhook is not None
        tried(tx, webhook, 2, DELIVERED)
    assert told(house, Work.WEBHOOK) == []


@pytest.mark.only_on("sqlite", "it counts the steps of its machine")
def test_a_silent_webhook_is_found_without_reading_every_message_to_it(house: House):
    def steps() -> int:
        taken: list[int] = []
        with house.reading() as session:
            own = session.connection().connection.dbapi_connection
            own.set_progress_handler(lambda: taken.append(1), 10)
            assert list(silent_webhooks(session)) == []
            own.set_progress_handler(None, 0)
        return len(taken)

    with house.acting(ADM, Permission.MANAGE_WEBHOOKS) as tx:
        new = NewWebhook("warehouse", "https://erp.example/in", ("lot.*",))
        webhook, _ = register_webhook(tx, new, key=b"k" * 32)
        tried(tx, webhook, 1, DELIVERED)
    few = steps()
    with house.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO delivery (webhook_id, event_number, number, outcome, detail, at)"
            " WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
            " SELECT webhook_id, i, 1, outcome, '', at FROM n, (SELECT * FROM delivery)"
        )
    assert steps() < 2 * few


def tried(tx: Transaction, webhook: Webhook, event_number: int, outcome: str) -> None:
    row = Delivery(
        webhook=webhook, event_number=event_number, number=1, outcome=outcome, detail="", at=tx.now
    )
    tx.add(row)
    tx.audit("events delivered", rows=[row], about=[webhook.key])


def reject(house: House, lot: str) -> None:
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        signed = reject_lot(tx, house.archive, lot=lot, credentials=signing(QA1, "Bag was leaking"))
    assert isinstance(signed, Decision)


@pytest.mark.parametrize("looked_at", [1, 3, lots_left.LOOKED_AT])
def test_lots_are_looked_at_in_portions_and_nothing_that_waits_is_left_out(
    house: House, monkeypatch: pytest.MonkeyPatch, looked_at: int
):
    for n in range(5):
        register(house, f"MSC-26-07{n:02}")
    house.upload(results(lot="MSC-26-0703"))
    number = request(house, "lot:MSC-26-0702", "expires_on", "2027-05-17")
    decide(house, number)
    house.ready()
    house.release()
    reject(house, "MSC-26-0703")
    request(house, "lot:MSC-26-0701", "expires_on", "2027-06-17")
    request(house, f"donor:{DONOR}", "tissue_source", "Wharton's jelly")
    assert house.upload(
        alone("viability", run_id="VCB-2")
    ).accepted  # nobody reviewed it when it was decided
    whole = look(house)
    assert {one.lot for one in whole} > {LOT, "", "MSC-26-0703", "MSC-26-0704"}
    monkeypatch.setattr(lots_left, "LOOKED_AT", looked_at)
    for size in (1, 2, 4):
        monkeypatch.setattr(lots_at_work, "LOTS_AT_ONCE", size)
        found, lots, left = walked(house, size)
        with house.reading() as session:
            told = all_open_work(session, house.archive, wanted=Filter(), now=house.now())
        assert told.items == whole == sorted(found, key=lambda one: one.place)
        assert lots == ["MSC-26-0702", *(f"MSC-26-07{n:02}" for n in (0, 1, 4))]
        assert left == [LOT, "MSC-26-0703"]


def walked(house: House, size: int) -> tuple[list[Item], list[str], list[str]]:
    """All that waits, portion by portion, the lots at work, and the decided ones."""
    found, lots, left, among = list[Item](), list[str](), list[str](), Among()
    while True:
        with house.reading() as session:
            told = open_work(session, house.archive, wanted=Filter(), now=house.now(), among=among)
            portion = portion_of_work(session, among)
            decided = [session.get_one(LotRow, one).lot for one in portion.left]
        own = [one.lot for one in portion.lots]
        assert len(own) + len(decided) <= size
        assert {one.lot for one in told.items} <= {*own, *decided, *([] if among.after else [""])}
        found, lots, left = found + told.items, lots + own, left + decided
        if not told.last:
            return found, lots, left
        among = Among(told.last)


def test_what_is_left_on_decided_lots_is_told_so_much_at_once_however_much_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lots_at_work, "LOTS_AT_ONCE", 3)
    asked: list[str] = []
    event.listen(
        house.engine, "before_cursor_execute", lambda *told: asked.append(told[2]), named=False
    )
    few: list[Item] = []
    statements = 0
    for first, last in ((0, 4), (4, 9)):
        for n in range(first, last):
            lot = f"MSC-26-08{n:02}"
            register(house, lot)
            assert house.upload(results(lot=lot)).accepted
            reject(house, lot)
        asked.clear()
        found = look(house)
        few, statements = few or found, statements or len(asked)
        assert found == few
        assert len(asked) == statements
    assert {one.lot for one in few} == {LOT, "MSC-26-0800", "MSC-26-0801"}
    assert look(house, Filter(lot="MSC-26-0808"))


def test_decided_lots_are_looked_for_as_a_filter_says(house: House):
    house.ready()
    house.release()
    register(house, "MSC-26-0802")
    house.upload(results(lot="MSC-26-0802"))
    reject(house, "MSC-26-0802")
    for asked, names in (
        (Among(), [LOT, "MSC-26-0802"]),
        (Among(part="26-08"), ["MSC-26-0802"]),
        (Among(lot="msc-26-0802"), ["MSC-26-0802"]),
        (Among(product=PRODUCT), [LOT, "MSC-26-0802"]),
        (Among(product="other"), []),
        (Among(f"decided/{LOT}"), ["MSC-26-0802"]),
        (Among("decided/MSC-26-0802"), []),
    ):
        with house.reading() as session:
            portion = portion_of_work(session, asked)
            assert [session.get_one(LotRow, one).lot for one in portion.left] == names
            assert not portion.last
