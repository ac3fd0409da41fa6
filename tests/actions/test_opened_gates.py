"""Who opens a gate by a record does not release under it, and the trail that QA reads tells it."""

from datetime import date, timedelta

import pytest

from batchqc.actions.audit_review import trail_to_read
from batchqc.actions.cell_banks import set_bank_status
from batchqc.actions.dispositions import Decision, release_lot
from batchqc.actions.evaluation import study
from batchqc.actions.holds import hold_lot
from batchqc.actions.laboratory import (
    record_use,
    register_instrument,
    register_material,
    register_training,
    set_rule,
)
from batchqc.actions.letting_go import let_go
from batchqc.actions.lot_review import review_whole_lot
from batchqc.actions.lots import NewSample, register_samples, the_lot
from batchqc.actions.policies import set_policy
from batchqc.actions.reviews import review_lot
from batchqc.core.cell_banks import BankStatus
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.core.policies import Certifies, Policy
from batchqc.core.signatures import Refusal
from batchqc.errors import BatchqcError, Conflict
from batchqc.records.holds import HoldEnd, holds_of
from tests.actions.test_late_entries import at, paper, stop
from tests.cast import TAKEN_AT
from tests.records.donors import determine
from tests.records.genealogy import OF_BANK, WCB, clinic, line, shipped, vials
from tests.records.house import (
    ANA,
    BEN,
    GOOD,
    LOT,
    QA1,
    QA2,
    QA3,
    REV,
    House,
    good,
    results,
    signing,
)
from tests.records.tampering import tamper

UPLOAD, RUN = "U-2026-000001", "ENDO-250520-01"
FIRST, LAST = date(2025, 1, 1), date(2027, 1, 1)
EXPIRED, IN_DATE = "2025-05-19", "2026-05-19"
SAID = (
    f"LAL-1, used in run {RUN} (ENDO) of {UPLOAD}, expired on {EXPIRED};"
    " the run was measured on 2025-05-20"
)


def rule(house: House, register: Register) -> None:
    with house.acting(QA2, Permission.SET_REGISTER_RULE) as tx:
        set_rule(tx, register=register, rule=Rule.REFUSE, reason="From the audit plan")


def material(house: House, until: str, by: str = QA2, reason: str = "The year was misread") -> None:
    with house.acting(by, Permission.KEEP_REGISTERS) as tx:
        register_material(
            tx, material="LAL-1", kind="kit", lot="L7", expires_on=date.fromisoformat(until),
            reason=reason,
        )  # fmt: skip


def use(house: House) -> None:
    with house.acting(ANA, Permission.RECORD_USE) as tx:
        record_use(tx, upload=UPLOAD, test="ENDO", run=RUN, material="LAL-1")


def bank(house: House, status: BankStatus, *, by: str = ANA, of: str = WCB) -> None:
    may = Permission.END_QUARANTINE if status is BankStatus.AVAILABLE else Permission.KEEP_BANKS
    with house.acting(by, may) as tx:
        set_bank_status(tx, bank=of, status=status, reason="As the log has it")


def go_through(house: House, lot: str) -> None:
    report = house.upload(results(lot=lot))
    assert report.accepted, report.reading.problems
    house.review(lot)
    house.hand_to_qa(lot)


def closed(house: House, lot: str = LOT) -> dict[str, tuple[str, ...]]:
    return {one.name: one.reasons for one in house.study(lot).gates if not one.is_open}


def decide(house: House, by: str, lot: str = LOT) -> Decision | Refusal:
    with house.acting(by, Permission.RELEASE_LOT) as tx:
        return release_lot(tx, house.archive, lot=lot, credentials=signing(by))


def read(house: House, lot: str = LOT) -> list[str]:
    """What QA reads of a lot, each with who did it."""
    with house.reading() as session:
        case = study(session, house.archive, lot=the_lot(session, lot), now=house.now())
        found = trail_to_read(session, case).selection.entries
        return [f"{one.entry.what}, {one.entry.who}" for one in found]


def held(house: House, lot: str = LOT) -> list[tuple[str, str]]:
    """Cause and record of each hold that has not ended."""
    with house.reading() as session:
        found = holds_of(session, [the_lot(session, lot).id])
        return [(hold.cause, hold.about) for hold, end in found if end is None]


def refused(house: House, by: str, lot: str = LOT) -> list[str]:
    with pytest.raises(BatchqcError) as told:
        decide(house, by, lot)
    return list(told.value.reasons)


@pytest.mark.requirement("1.54")
@pytest.mark.requirement("2.06")
def test_who_moves_the_expiry_of_a_used_material_does_not_release_under_it(house: House):
    rule(house, Register.MATERIALS)
    material(house, EXPIRED, reason="")
    house.upload(results())
    use(house)
    house.review()
    house.hand_to_qa()
    assert closed(house) == {"Registers": (SAID,)}
    material(house, IN_DATE, QA1)
    assert closed(house).keys() == {"Audit trail review"}
    assert "material registered, qa1" in read(house)
    assert any("material registered" in one for one in refused(house, QA2))
    house.read_trail(by=QA3)
    told = refused(house, QA1)
    assert len(told) == 1
    assert "qa1 recorded material LAL-1 until 2026-05-19" in told[0]
    assert isinstance(decide(house, QA2), Decision)


@pytest.mark.requirement("2.06")
def test_who_dates_a_calibration_or_a_training_back_does_not_release_what_it_let_in(house: House):
    for one in (Register.INSTRUMENTS, Register.TRAINING):
        rule(house, one)
    instruments = sorted({good(one)["instrument_id"] for one in GOOD} - {"QS5-001"})
    methods = sorted({good(one)["method_id"].split(" v")[0] for one in GOOD})
    with house.acting(QA2, Permission.KEEP_REGISTERS) as tx:
        for one in instruments:
            due = date(2025, 3, 1) if one == "VCB-001" else LAST
            register_instrument(
                tx, instrument=one, kind="x", calibrated_on=FIRST, due_on=due, reason=""
            )
        for person in (ANA, BEN, REV):
            for method in methods:
                if (person, method) != (ANA, "SOP-QC-014"):
                    register_training(
                        tx, person=person, method=method, trained_on=FIRST, expires_on=LAST,
                        reason="",
                    )  # fmt: skip
    assert {one.code for one in house.upload(results()).reading.problems} == {"E702", "E703"}
    with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:
        register_instrument(
            tx, instrument="VCB-001", kind="x", calibrated_on=FIRST, due_on=LAST,
            reason="The day was misread",
        )  # fmt: skip
    with house.acting(QA3, Permission.KEEP_REGISTERS) as tx:
        register_training(
            tx, person=ANA, method="SOP-QC-014", trained_on=FIRST, expires_on=LAST, reason=""
        )
    house.upload(results())
    house.review()
    assert {"instrument registered, qa1", "training registered, qa3"} <= set(read(house))
    for who, what in ((QA1, "instrument VCB-001"), (QA3, "the training of ana for SOP-QC-014")):
        assert any(f"{who} recorded {what} until 2027" in one for one in refused(house, who))
    with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:  # says nothing of what was measured
        register_instrument(
            tx, instrument="VCB-001", kind="x", calibrated_on=date(2026, 1, 1), due_on=LAST,
            reason="Calibrated again",
        )  # fmt: skip
    assert read(house).count("instrument registered, qa1") == 1
    assert "Records" not in closed(house)
    tamper(house.engine, "DELETE FROM instrument WHERE registered_by = 'qa1'")
    tamper(house.engine, "DELETE FROM training WHERE registered_by = 'qa3'")
    damage = "; ".join(closed(house)["Records"])
    for one in ("instrument:vcb-001/2", "training:ana/SOP-QC-014/1"):
        assert f"{one} is missing" in damage


def lot_of_a_bank(house: House, quarantined: str = "") -> None:
    """A lot of a working bank with its results reviewed, while a bank behind it was quarantined."""
    line(house)
    determine(house)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        taken = NewSample(f"{OF_BANK}-S01", "release", "cryovial", TAKEN_AT.isoformat())
        register_samples(tx, lot=OF_BANK, samples=(taken,))
    if quarantined:
        bank(house, BankStatus.QUARANTINED, of=quarantined)
    go_through(house, OF_BANK)


@pytest.mark.requirement("1.54")
@pytest.mark.requirement("2.06")
def test_who_ends_the_quarantine_of_a_bank_does_not_release_what_came_of_it(house: House):
    lot_of_a_bank(house, "MCB-UC-01")
    assert closed(house, OF_BANK).keys() == {"Genealogy"}
    bank(house, BankStatus.AVAILABLE, by=QA1, of="MCB-UC-01")
    assert closed(house, OF_BANK).keys() == {"Audit trail review"}
    assert "cell bank available, qa1" in read(house, OF_BANK)
    house.read_trail(OF_BANK, by=QA3)
    told = refused(house, QA1, OF_BANK)
    assert len(told) == 1
    assert "qa1 ended the quarantine of bank MCB-UC-01" in told[0]
    vials(house, f"cell_bank:{WCB}", "WCB-UC-01-V3")  # of the bank, and not of the lot
    assert isinstance(decide(house, QA2, OF_BANK), Decision)


@pytest.mark.requirement("8.12")
def test_a_bank_in_quarantine_holds_the_lots_in_use_that_came_of_it_once(house: House):
    lot_of_a_bank(house)
    assert isinstance(decide(house, QA1, OF_BANK), Decision)
    clinic(house)
    bank(house, BankStatus.QUARANTINED, of="MCB-UC-01")
    bank(house, BankStatus.QUARANTINED)
    mine = [("cell bank", "cell_bank:MCB-UC-01"), ("cell bank", f"cell_bank:{WCB}")]
    assert held(house, OF_BANK) == mine
    with pytest.raises(Conflict) as told:
        shipped(house, f"{OF_BANK}-V1")
    for one in ("is on hold", f"Genealogy: cell_bank:{WCB} is quarantined"):
        assert any(one in reason for reason in told.value.reasons)
    bank(house, BankStatus.AVAILABLE, by=QA2)
    with pytest.raises(Conflict) as told, house.acting(QA1, Permission.HOLD_LOT) as tx:
        let_go(tx, house.archive, lot=OF_BANK, number=2, credentials=signing(QA1))
    assert list(told.value.reasons) == ["Genealogy: cell_bank:MCB-UC-01 is quarantined"]
    bank(house, BankStatus.QUARANTINED)
    assert held(house, OF_BANK) == mine
    for one in (WCB, "MCB-UC-01"):
        bank(house, BankStatus.AVAILABLE, by=QA2, of=one)
    for number in (1, 2):
        with house.acting(QA1, Permission.HOLD_LOT) as tx:
            found = let_go(tx, house.archive, lot=OF_BANK, number=number, credentials=signing(QA1))
            assert isinstance(found, HoldEnd)
    shipped(house, f"{OF_BANK}-V1")
    assert house.verify().problems == ()


@pytest.mark.requirement("2.01")
def test_a_used_material_that_had_expired_holds_the_lots_in_use_once(house: House):
    rule(house, Register.MATERIALS)
    material(house, IN_DATE, reason="")
    house.upload(results())
    use(house)
    house.review()
    house.release()
    vials(house, LOT, f"{LOT}-V1")
    clinic(house)
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        hold_lot(tx, lot=LOT, credentials=signing(QA2))
    material(house, "2025-05-20")
    assert held(house) == [("QA", f"lot:{LOT}")]  # the last usable day
    for until in (EXPIRED, "2025-05-18"):
        material(house, until)
        assert held(house)[1:] == [("material", "material:lal-1")]
    with pytest.raises(Conflict) as told:
        shipped(house, f"{LOT}-V1")
    assert any("Registers: LAL-1, used in run" in one for one in told.value.reasons)
    with pytest.raises(Conflict) as told, house.acting(QA1, Permission.HOLD_LOT) as tx:
        let_go(tx, house.archive, lot=LOT, number=1, credentials=signing(QA1))
    assert [one.split(",")[0] for one in told.value.reasons] == ["Registers: LAL-1"]


@pytest.mark.requirement("2.01")
def test_the_use_of_an_expired_material_that_is_recorded_late_holds_the_lot_in_use(house: House):
    rule(house, Register.MATERIALS)
    material(house, EXPIRED, reason="")
    go_through(house, LOT)
    house.release()
    use(house)
    assert held(house) == [("material", "material:lal-1")]


@pytest.mark.requirement("2.06")
def test_a_release_that_is_entered_late_is_not_before_what_made_it_possible(house: House):
    stop(house)
    house.now.at += timedelta(hours=1)
    rule(house, Register.MATERIALS)
    material(house, EXPIRED, reason="")
    house.upload(results())
    use(house)
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        review_lot(tx, house.archive, lot=LOT, credentials=paper(REV, at(3)))
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        review_whole_lot(tx, house.archive, lot=LOT, credentials=paper(REV, at(4)))
    material(house, IN_DATE)
    house.read_trail(by=QA3)
    with (
        pytest.raises(BatchqcError) as told,
        house.acting(QA1, Permission.RELEASE_LOT) as tx,
    ):
        release_lot(tx, house.archive, lot=LOT, credentials=paper(QA1, at(5)))
    for one in ("register_rule:materials/1 was set", "material:lal-1/2 was registered"):
        assert any(one in reason for reason in told.value.reasons)


@pytest.mark.requirement("2.20")
def test_no_dose_leaves_without_the_certification_that_the_policy_asks_for_now(house: House):
    go_through(house, LOT)
    assert isinstance(decide(house, QA1), Decision)
    with house.acting(QA2, Permission.SET_POLICY) as tx:
        set_policy(
            tx, policy=Policy.QP_CERTIFIES, value=Certifies.EVERY_LOT, credentials=signing(QA2)
        )
    vials(house, LOT, f"{LOT}-V1")
    clinic(house)
    with pytest.raises(Conflict) as told:
        shipped(house, f"{LOT}-V1")
    said = (
        "is released without the certification by a qualified person that the policy asks for now"
    )
    assert list(told.value.reasons) == [f"lot {LOT} {said}"]
