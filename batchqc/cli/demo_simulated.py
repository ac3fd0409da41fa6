"""The simulated part of the demonstration's cast: one donor, one bank, two lots, one hospital."""

from datetime import date
from typing import Final

from batchqc.actions.cell_banks import NewBank
from batchqc.actions.clinical_sites import NewSite
from batchqc.actions.containers import NewContainer
from batchqc.actions.donations import NewDonation
from batchqc.actions.donor_tests import NewTests
from batchqc.actions.lots import NewLot, NewSample
from batchqc.core.cell_banks import BankKind
from batchqc.core.donation_ids import IdKind
from batchqc.core.eligibility import Person
from batchqc.core.specifications import Stage

SPECIFICATION: Final = "sim-msc-release-v1.toml"
PRODUCT: Final = {
    "code": "SIM-MSC",
    "name": "Simulated MSC, fresh",
    "form": "Cell suspension (simulated)",
    "storage": "2 to 8 °C (simulated)",
}
TISSUE: Final = "umbilical cord"
DONOR: Final = "DNR-SIM-01"
DONATION: Final = NewDonation(
    donor=DONOR,
    kind=IdKind.LOCAL,
    id="DON-SIM-01",
    donated_on=date(2026, 1, 5),
    establishment="Maternity (simulated)",
    address="2 Simulated Street\nHanoi",
    tissue=TISSUE,
    donor_age="0 days",
    tested_person=Person.MOTHER,
)
BANK: Final = NewBank(
    id="MCB-SIM-01",
    kind=BankKind.MASTER,
    made_of=(DONATION.id,),
    made_on=date(2026, 1, 26),
    expires_on=date(2036, 1, 25),
    place="Tank 1 (simulated)",
    containers=20,
    passage=2,
    basis="P0: first confluence (simulated)",
)
PASSES: Final = "SIM-26-001"
FAILS: Final = "SIM-26-002"
LOTS: Final = tuple(
    NewLot(
        lot,
        PRODUCT["code"],
        date(2026, 2, 12),
        date(2026, 4, 12),
        (DONOR,),
        (NewSample(f"{lot}-S01", Stage.RELEASE, "cryovial, 2 mL", "2026-02-12T10:30:00+07:00"),),
        made_of=(BANK.id,),
    )
    for lot in (PASSES, FAILS)
)
FIRST_DAYS: Final = "sim_first_days.csv"
STERILITY: Final = "sim_sterility.csv"
CRITERION: Final = "sterility"
DUE_ON: Final = date(2026, 2, 26)
WAIT_DAYS: Final = 8
HOSPITAL: Final = NewSite("HN01", "Hospital (simulated)", "3 Simulated Street, Hanoi", "pharmacy")
DOSES: Final = tuple(
    NewContainer(f"{PASSES}-V{number:03d}", "vial", "1E7 cells", "Tank 3 (simulated)")
    for number in range(1, 5)
)
SENT: Final = tuple(one.id for one in DOSES[:2])
RECIPIENT: Final = f"{HOSPITAL.code}-001"
LATE_TESTS: Final = NewTests(
    donor=DONOR,
    donation=DONATION.id,
    person=Person.MOTHER,
    specimen="SP-SIM-01",
    taken_at="2026-01-06T09:00:00+07:00",
    laboratory="Blood centre (simulated)",
    statement="Accredited (simulated)",
    kit="Screening kit (simulated)",
    document_sha256="51" * 32,
    results=(("HBV NAT", "reactive"),),
)
