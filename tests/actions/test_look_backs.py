"""Look-back: everything that comes of a source is held at once, and where the doses are is told."""

# ruff: noqa: S608 - statements are made of our own ids: that is what is tampered with

from threading import Thread

import pytest

from batchqc.actions.cell_banks import set_bank_status
from batchqc.actions.containers import Move, move_containers
from batchqc.actions.dispositions import Decision
from batchqc.actions.genealogy import the_node
from batchqc.actions.look_backs import (
    NewLookBack,
    close_look_back,
    frozen_list,
    look_back_by_system,
    start_look_back,
    the_look_back,
)
from batchqc.actions.lots import the_lot
from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.containers import ContainerStatus
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.holds import open_holds
from batchqc.records.look_backs import LookBack, LookBackClosing
from batchqc.records.registers import LotRow
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.correcting import decide, request
from tests.actions.state import counts, grown
from tests.records.donors import determine
from tests.records.genealogy import (
    GIVEN,
    MCB,
    OF_BANK,
    SITE,
    WCB,
    bank,
    clinic,
    donate,
    line,
    lot_of,
    new_bank,
    shipped,
    vials,
)
from tests.records.house import DON, DONOR, LOT, QA1, House, signing
from tests.records.tampering import tamper

CAUSE = LookBackCause.SEROCONVERSION
WHY = "Repeat specimen reactive for anti-HCV"


def look_back(house: House, source: str = f"donor:{DONOR}", by: str = DON) -> str:
    new = NewLookBack(source, CAUSE, WHY)
    with house.acting(by, Permission.START_LOOK_BACK) as tx:
        found = start_look_back(tx, house.archive, new, credentials=signing(by, WHY))
        assert isinstance(found, LookBack)
        return found.natural_key


def close(house: House, number: str) -> LookBackClosing | Refusal:
    with house.acting(QA1, Permission.CLOSE_LOOK_BACK) as tx:
        return close_look_back(
            tx, number=number, conclusion="Confirmatory test negative", credentials=signing(QA1)
        )


def held(house: House) -> set[str]:
    with house.reading() as session:
        return {one.lot.lot for one in open_holds(session, session.scalars(LOT_IDS).all())}


LOT_IDS = LotRow.__table__.select().with_only_columns(LotRow.id)


@pytest.mark.requirement("8.13")
def test_a_late_seroconversion_holds_every_descendant_and_lists_where_the_doses_are(house: House):
    house.ready()
    assert isinstance(house.release(), Decision)
    line(house)
    vials(house, LOT, f"{LOT}-V1", f"{LOT}-V2")
    clinic(house)
    determine(house)
    shipment = shipped(house, f"{LOT}-V1")
    number = look_back(house)
    assert held(house) == {LOT, OF_BANK}
    with house.reading() as session:
        row = the_look_back(session, number.lower())
        frozen = frozen_list(house.archive, row)
        assert row.signature is not None
        assert row.signature.record_sha256 == row.content_sha
    doses = {one["container"]: one for one in frozen["doses"]}
    assert set(doses) == {f"{of}-V{one}" for of in (LOT, OF_BANK, WCB) for one in (1, 2)}
    assert doses[f"{LOT}-V1"] == {
        "container": f"{LOT}-V1", "of": f"lot:{LOT}", "status": f"shipped, {SITE}",
        "shipment": shipment, "site": SITE, "shipped_on": "2026-06-01", "recipient": "",
        "administered_on": "",
    }  # fmt: skip
    assert doses[f"{LOT}-V2"]["status"] == "in storage, Tank 3"
    assert frozen["incomplete"] == []
    assert [f"lot:{LOT}", "released"] in frozen["nodes"]
    (hold,) = (gate for gate in house.study(OF_BANK).gates if gate.name == "Hold")
    assert WHY in hold.reasons[0]
    (gate,) = (gate for gate in house.study(OF_BANK).gates if gate.name == "Genealogy")
    assert gate.reasons == (
        f"cell_bank:{WCB} is quarantined",
        f"donor:{DONOR} is under look-back {number} ({CAUSE})",
        f"cell_bank:{MCB} is quarantined",
    )
    with pytest.raises(Conflict, match="nothing is shipped"):
        shipped(house, f"{LOT}-V2")
    assert house.verify().problems == ()
    tamper(house.engine, f"DELETE FROM look_back WHERE source = 'donor:{DONOR}'")
    (records,) = (gate for gate in house.study(LOT).gates if gate.name == "Records")
    assert records.reasons == (f"look_back:{number} is missing; an audit entry speaks of it",)


@pytest.mark.requirement("8.07")
def test_nothing_new_is_made_of_a_source_while_its_look_back_is_open(house: House):
    line(house)
    number = look_back(house, f"donation:{GIVEN}")
    assert held(house) == {OF_BANK, LOT}  # LOT names the donor: it may be of this donation
    before = counts(house.engine)
    tries = [
        lambda: bank(house, new_bank("MCB-UC-02", BankKind.MASTER, GIVEN)),
        lambda: lot_of(house, "MSC-26-0051", WCB),
        lambda: lot_of(house, "MSC-26-0051"),  # of the donor: of which donation it does not say
    ]
    for one in tries:
        with pytest.raises((InvalidInput, Conflict)) as refused:
            one()
        assert any(f"under look-back {number}" in said for said in refused.value.reasons)
    out = Move((f"{WCB}-V1",), ContainerStatus.IN_STORAGE, "Tank 3", "2026-06-01T07:00:50-05:00",
               "All is well")  # fmt: skip
    blocked = f"donation:{GIVEN} is under look-back {number} ({CAUSE})"
    with house.acting(QA1, Permission.END_QUARANTINE) as tx, pytest.raises(Conflict) as refused:
        move_containers(tx, out)
    assert refused.value.reasons == (blocked,)
    with house.acting(QA1, Permission.END_QUARANTINE) as tx, pytest.raises(Conflict) as refused:
        set_bank_status(tx, bank=WCB, status=BankStatus.AVAILABLE, reason="All is well")
    assert refused.value.reasons == (blocked,)
    assert grown(house.engine, before) == {}
    donate(house, "GIFT-UC-02", "DNR-UC-02")
    bank(house, new_bank("MCB-UC-03", BankKind.MASTER, "GIFT-UC-02"))
    assert isinstance(close(house, number), LookBackClosing)
    with pytest.raises(Conflict, match="closed already"):
        close(house, number)
    lot_of(house, "MSC-26-0052")
    assert held(house) == {OF_BANK, LOT}  # QA lets go, hold by hold
    with house.acting(QA1, Permission.END_QUARANTINE) as tx:
        set_bank_status(tx, bank=WCB, status=BankStatus.AVAILABLE, reason="All is well")
    assert house.verify().problems == ()


def test_the_system_looks_back_once_for_one_record(house: House):
    line(house)
    new = NewLookBack(f"donor:{DONOR}", CAUSE, WHY, about=f"donor_test:{GIVEN}/7")
    numbers = []
    for _ in range(2):
        with transaction(house.engine, SYSTEM, house.now()) as tx:
            numbers.append(look_back_by_system(tx, house.archive, new).natural_key)
    assert numbers == ["LB-2026-000001"] * 2
    assert look_back(house) == "LB-2026-000002"
    assert house.verify().problems == ()


def test_a_look_back_that_cannot_begin_or_is_not_signed_holds_nothing(house: House):
    line(house)
    for source, error in ((OF_BANK, InvalidInput), ("donor:NONE-1", NotFound)):
        with pytest.raises(error):
            look_back(house, source)
    with house.acting(DON, Permission.START_LOOK_BACK) as tx:
        wrong = signing(DON, WHY, password="not the password")
        refused = start_look_back(
            tx, house.archive, NewLookBack(MCB, CAUSE, WHY), credentials=wrong
        )
        assert isinstance(refused, Refusal)
    assert held(house) == set()
    with pytest.raises(NotFound), house.reading() as session:
        the_look_back(session, "LB-2026-000009")


def test_records_that_somebody_damaged_hold_no_look_back_up(house: House):
    line(house)
    tamper(house.engine, f"UPDATE container SET place = 'Tank 4' WHERE container = '{OF_BANK}-V2'")
    number = look_back(house, by=QA1)
    assert held(house) == {LOT, OF_BANK}
    with house.reading() as session:
        frozen = frozen_list(house.archive, the_look_back(session, number))
    assert frozen["incomplete"] == [f"container:{OF_BANK}-V2 is not as its audit entry says"]


def test_a_lot_that_is_registered_meanwhile_is_held_or_refused(house: House):
    """Whoever comes first: no descendant of the donor is left without a hold."""
    donate(house)
    bank(house, new_bank(MCB, BankKind.MASTER, GIVEN))
    errors: list[Exception] = []

    def register(lot: str) -> None:
        try:
            lot_of(house, lot, MCB)
        except Conflict as refused:
            errors.append(refused)

    lots = [f"MSC-26-006{one}" for one in range(4)]
    threads = [Thread(target=register, args=(lot,)) for lot in lots]
    threads.insert(2, Thread(target=look_back, args=(house,)))
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with house.reading() as session:
        registered = {lot for lot in lots if _is_registered(session, lot)}
    assert len(registered) + len(errors) == len(lots)
    assert held(house) == {LOT, *registered}


def _is_registered(session: object, lot: str) -> bool:
    try:
        the_lot(session, lot)  # type: ignore[arg-type]
    except NotFound:
        return False
    return True


@pytest.mark.requirement("8.12", "8.13")
def test_a_donation_is_looked_back_from_by_the_id_to_which_it_was_corrected(house: House):
    line(house)
    decide(house, request(house, f"donation:{GIVEN}", "donation", "GIFT-UC-77"))
    with house.reading() as session:
        for name in ("GIFT-UC-77", "donation:gift-uc-77", GIVEN, f"donation:{GIVEN}"):
            assert the_node(session, name).key == f"donation:{GIVEN}"
    number = look_back(house, "donation:GIFT-UC-77")
    assert OF_BANK in held(house)
    with house.reading() as session:
        assert the_look_back(session, number).source == f"donation:{GIVEN}"
    with pytest.raises(InvalidInput, match="MCB-UC-02"):
        bank(house, new_bank("MCB-UC-02", BankKind.MASTER, "GIFT-UC-77"))
