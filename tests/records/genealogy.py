"""Donations, banks, lots and containers, as the tests of a house need them."""

from collections.abc import Sequence
from datetime import date

from batchqc.actions.administrations import NewAdministration, record_administration
from batchqc.actions.cell_banks import NewBank, NewPassage, record_passage, register_bank
from batchqc.actions.clinical_sites import NewSite, register_clinical_site
from batchqc.actions.containers import NewContainer, register_containers
from batchqc.actions.look_backs import NewLookBack, close_look_back, start_look_back
from batchqc.actions.lots import NewLot, register_lot
from batchqc.actions.registers import register_donor
from batchqc.actions.retains import NewRetain, register_retain
from batchqc.actions.shipments import NewShipment, receive, ship
from batchqc.core.cell_banks import BankKind
from batchqc.core.identifiers import fold
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.records.donations import Donation
from batchqc.records.look_backs import LookBack, LookBackClosing
from batchqc.records.registers import DonorRow, donor_by
from batchqc.records.transaction import Transaction
from tests.records.house import ANA, DON, DONOR, EXPIRES_ON, MADE_ON, PRODUCT, QA1, House, signing

GIVEN, MCB, WCB, OF_BANK = "GIFT-UC-01", "MCB-UC-01", "WCB-UC-01", "MSC-26-0050"
DONATED_ON, BANKED_ON, WORKING_ON = date(2024, 1, 10), date(2024, 2, 10), date(2024, 6, 10)
BANK_EXPIRES_ON = date(2034, 2, 10)
SITE, SITE_2 = "CH01", "ZH02"
SHIPPED_ON = date(2026, 6, 1)


def donate(house: House, donation: str = GIVEN, donor: str = DONOR) -> str:
    """Register a donation, and its donor where there is none: its key."""
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        if donor_by(tx.session, donor) is None:
            register_donor(tx, code=donor, tissue_source="umbilical cord")
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        row = donor_by(tx.session, donor)
        assert row is not None
        return gift_of(tx, row, donation).key


def gift_of(tx: Transaction, donor: DonorRow, donation: str, number: int = 1) -> Donation:
    """A donation of a donor, in a transaction at hand."""
    gift = Donation(
        donor=donor, number=number, donation=donation, folded=fold(donation), kind="local",
        donated_on=DONATED_ON.isoformat(), establishment="Lakeside Maternity", address="1 Pier",
        tissue="umbilical cord", donor_age="", donor_sex="", tested_person="donor",
        registered_by=DON, registered_at=tx.now,
    )  # fmt: skip
    tx.add(gift)
    tx.audit("donation registered", rows=[gift], about=[donor.key])
    return gift


def new_bank(
    bank: str,
    kind: BankKind,
    *made_of: str,
    made_on: date = BANKED_ON,
    expires_on: date = BANK_EXPIRES_ON,
    is_pool: bool = False,
    basis: str = "P0: adherent cells at first confluence",
    **more: str,
) -> NewBank:
    return NewBank(
        bank, kind, made_of, made_on, expires_on, "Tank 1, rack 2", 40, 2,
        is_pool=is_pool, basis=basis, **more,
    )  # fmt: skip


def bank(house: House, new: NewBank) -> str:
    """Register a bank: its key."""
    with house.acting(ANA, Permission.KEEP_BANKS) as tx:
        return register_bank(tx, new).key


def lot_of(house: House, lot: str, *made_of: str, donors: Sequence[str] = (DONOR,)) -> str:
    """Register a lot of banks: its key."""
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        new = NewLot(lot, PRODUCT, MADE_ON, EXPIRES_ON, tuple(donors), made_of=made_of)
        return register_lot(tx, new).key


def vials(house: House, of: str, *ids: str) -> None:
    """Register vials of a lot or bank."""
    with house.acting(ANA, Permission.KEEP_BANKS) as tx:
        register_containers(
            tx, of=of, containers=[NewContainer(one, "vial", "1E7 cells", "Tank 3") for one in ids]
        )


def line(house: House, donor: str = DONOR) -> None:
    """Donation, MCB, WCB and a lot of it, with two vials each of the WCB and the lot."""
    donate(house, donor=donor)
    bank(house, new_bank(MCB, BankKind.MASTER, GIVEN))
    bank(house, new_bank(WCB, BankKind.WORKING, MCB, made_on=WORKING_ON, basis=""))
    lot_of(house, OF_BANK, WCB, donors=(donor,))
    vials(house, f"cell_bank:{WCB}", "WCB-UC-01-V1", "WCB-UC-01-V2")
    vials(house, OF_BANK, f"{OF_BANK}-V1", f"{OF_BANK}-V2")


def clinic(house: House, code: str = SITE, reason: str = "") -> None:
    """Register a clinical site, or its next version."""
    with house.acting(QA1, Permission.SHIP) as tx:
        register_clinical_site(
            tx, NewSite(code, "Clinic", "2 Road, Chicago", "pharmacy@example.org", reason)
        )


def shipped(house: House, *containers: str, site: str = SITE, on: date = SHIPPED_ON) -> str:
    """Ship containers: the number of the shipment."""
    with house.acting(QA1, Permission.SHIP) as tx:
        return ship(
            tx, house.archive, NewShipment(site, containers, on, "Courier 77", "T-LOG-5")
        ).natural_key


def live_on(house: House, lot: str) -> None:
    """A row in every table of genealogy; the look-back is from another donor than the lot's."""
    line(house, "DNR-UC-03")
    vials(house, lot, f"{lot}-V1")
    clinic(house)
    number = shipped(house, f"{lot}-V1")
    with house.acting(QA1, Permission.SHIP) as tx:
        receive(
            tx, shipment=number, received_on=SHIPPED_ON, condition="Frozen", reported_by="Ward 3"
        )
        new = NewAdministration(f"{lot}-V1", SITE, f"{SITE}-001", SHIPPED_ON, "Ward 3")
        record_administration(tx, new)
    with house.acting(ANA, Permission.KEEP_BANKS) as tx:
        record_passage(tx, NewPassage(f"cell_bank:{MCB}", 1, "1E6", "8E6", BANKED_ON))
        kept = NewRetain(
            "RET-001",
            f"lot:{lot}",
            "final product",
            "3",
            "vials",
            date(2058, 5, 18),
            "Tank 7",
            "QC",
        )
        register_retain(tx, kept)
    source = NewLookBack("donor:DNR-UC-03", LookBackCause.SEROCONVERSION, "A late result")
    with house.acting(QA1, Permission.START_LOOK_BACK) as tx:
        found = start_look_back(tx, house.archive, source, credentials=signing(QA1))
        assert isinstance(found, LookBack)
        started = found.natural_key
    with house.acting(QA1, Permission.CLOSE_LOOK_BACK) as tx:
        closed = close_look_back(
            tx, number=started, conclusion="It was another donor", credentials=signing(QA1)
        )
        assert isinstance(closed, LookBackClosing)
