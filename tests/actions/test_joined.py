"""A bank turns out to be made of more: a doubtful source behind it holds what came of it."""

import pytest
from sqlalchemy import select

from batchqc.actions.certificate_states import state_of
from batchqc.actions.dispositions import Decision
from batchqc.actions.joined import add_parents
from batchqc.actions.look_backs import frozen_list, the_look_back
from batchqc.actions.lots import NewSample, register_samples, the_lot
from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict
from batchqc.records.cell_banks import CellBank, bank_statuses
from batchqc.records.decisions import certificates_of
from batchqc.records.holds import Hold
from tests.actions.test_after_decision import holds
from tests.actions.test_look_backs import held, look_back
from tests.cast import TAKEN_AT
from tests.records.donors import DIN, determine, take_tests
from tests.records.donors import donate as give
from tests.records.genealogy import (
    DONATED_ON,
    GIVEN,
    MCB,
    OF_BANK,
    WCB,
    WORKING_ON,
    bank,
    clinic,
    donate,
    lot_of,
    new_bank,
    shipped,
    vials,
)
from tests.records.house import ANA, DONOR, LOT, House, good, results

OTHER, GIFT = "DNR-UC-09", "GIFT-UC-09"
V1, V2 = f"{OF_BANK}-V1", f"{OF_BANK}-V2"


@pytest.fixture
def pooled(house: House) -> House:
    """A lot of a pooled bank, with two vials; and a donation that is in no bank."""
    donate(house)
    give(house, donated_on=DONATED_ON)
    bank(house, new_bank(MCB, BankKind.MASTER, GIVEN, DIN, is_pool=True))
    bank(house, new_bank(WCB, BankKind.WORKING, MCB, made_on=WORKING_ON, basis=""))
    lot_of(house, OF_BANK, WCB)
    vials(house, OF_BANK, V1, V2)
    determine(house)
    donate(house, GIFT, OTHER)
    return house


@pytest.fixture
def released(pooled: House) -> House:
    """The lot is released, and one of its vials at a site."""
    drawn = (NewSample(f"{OF_BANK}-S01", "release", "vial", TAKEN_AT.isoformat()),)
    with pooled.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_samples(tx, lot=OF_BANK, samples=drawn)
    names = ("CD73", "CD90", "CD105", "negative_panel", "viability", "inhibition", "kynurenine",
             "endotoxin", "growth_14d", "mycoplasma")  # fmt: skip
    runs = {name: {"run_id": f"{good(name)['run_id']}-50"} for name in names}
    assert pooled.upload(results(lot=OF_BANK, **runs)).accepted
    pooled.review(OF_BANK)
    assert isinstance(pooled.release(OF_BANK), Decision)
    clinic(pooled)
    shipped(pooled, V1)
    return pooled


def join(house: House, *made_of: str) -> str:
    """Add to what the master bank is made of: the number of the look-back, or ""."""
    with house.acting(ANA, Permission.KEEP_BANKS) as tx:
        found = add_parents(
            tx, house.archive, child=MCB, made_of=made_of, reason="Found in the batch record"
        )
        return found.look_back.natural_key if found.look_back else ""


def react(house: House, result: str = "reactive") -> None:
    take_tests(
        house, OTHER, donation=GIFT, person="donor", results=(("HIV-1 Ab", result),),
        taken_at=f"{DONATED_ON}T09:00:00-06:00",
    )  # fmt: skip


def the_hold(house: House) -> Hold:
    (found,) = holds(house, OF_BANK)
    return found


@pytest.mark.requirement("8.13")
def test_cells_of_a_reactive_donor_that_turn_out_to_be_in_a_bank_hold_every_dose(released: House):
    react(released)
    determine(released, OTHER, eligible=False)
    assert held(released) == set()  # nothing is known to have come of the donor
    number = join(released, f"donation:{GIFT}")
    hold = the_hold(released)
    assert hold.about == f"look_back:{number}"
    for said in (f"donation:{GIFT}", f"donor {OTHER}: reactive: HIV-1 Ab", "ineligible"):
        assert said in hold.reason
    with released.reading() as session:
        row = the_look_back(session, number)
        frozen = frozen_list(released.archive, row)
    assert (row.source, row.cause) == (f"cell_bank:{MCB}", LookBackCause.ORIGIN)
    assert [one["container"] for one in frozen["doses"]] == [V1, V2]
    assert held(released) == {LOT, OF_BANK}  # LOT names the donor, and no bank: it may be of this
    with released.reading() as session:
        (certificate,) = certificates_of(session, the_lot(session, OF_BANK))
        said = f"it names the donors {DONOR}; its banks are of {DONOR}, {OTHER}"
        assert state_of(session, certificate).withdrawn.endswith(said)
    with pytest.raises(Conflict) as refused:
        shipped(released, V2)
    assert any(number in said for said in refused.value.reasons)
    assert released.verify().problems == ()


@pytest.mark.requirement("8.13")
def test_a_donor_whom_nobody_determined_holds_what_is_in_use_and_no_more(released: House):
    assert join(released, GIFT) == "LB-2026-000001"
    assert the_hold(released).reason.endswith(f"donor {OTHER}: not determined to be eligible")


def test_what_is_in_doubt_by_now_may_have_been_used_before_and_is_recorded(pooled: House):
    bank(pooled, new_bank("MCB-UC-09", BankKind.MASTER, GIFT))
    number = look_back(pooled, f"donor:{OTHER}")
    assert held(pooled) == set()
    assert join(pooled, "MCB-UC-09") == "LB-2026-000002"
    reason = the_hold(pooled).reason
    assert f"donor:{OTHER} is under look-back {number}" in reason
    assert "cell_bank:MCB-UC-09 is quarantined" in reason
    with pooled.reading() as session:
        banks = {one.bank: one for one in session.scalars(select(CellBank))}
        statuses = bank_statuses(session, list(banks.values()))
        assert {statuses[banks[name].id] for name in (MCB, WCB)} == {BankStatus.QUARANTINED}
    assert pooled.verify().problems == ()


def test_what_is_in_no_doubt_holds_nothing(pooled: House):
    """The lot is not decided: whoever is not determined holds its release up already."""
    assert join(pooled, GIFT) == ""
    assert held(pooled) == set()
    assert pooled.verify().problems == ()


@pytest.mark.requirement("8.10", "8.12")
def test_a_lot_in_use_that_turns_out_to_be_of_another_donor_too_is_held(released: House):
    """Its certificate names one donor: whoever gives its doses is not told of the other one."""
    determine(released, OTHER)
    assert join(released, GIFT) == ""
    hold = the_hold(released)
    assert hold.cause == "cell bank"
    said = f"it names the donors {DONOR}; its banks are of {DONOR}, {OTHER}"
    assert hold.reason == f"cell_bank:{MCB} is made of donation:{GIFT} too: {said}"
    (gate,) = (one for one in released.study(OF_BANK).gates if one.name == "Genealogy")
    assert gate.reasons == (said,)
    with released.reading() as session:
        (certificate,) = certificates_of(session, the_lot(session, OF_BANK))
        assert state_of(session, certificate).withdrawn == hold.reason
    assert released.verify().problems == ()
