"""What a certificate states of the laboratory's registers and of donors, as they are frozen."""

from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.donor_records import DonorRecords, records_of
from batchqc.actions.evaluation import LotCase
from batchqc.core.genealogy import id_of
from batchqc.core.laboratory import Register, Rule
from batchqc.records.donors import EligibilityRow
from batchqc.records.laboratory import RegisterRule

UNBANKED: Final = "Genealogy: donors as stated; no cell bank is recorded."
UNREGISTERED: Final = "Instruments and method versions are as stated in the files, not in register."
REGISTERED: Final = "Instruments and method versions are as stated in the files, and in register."


def register_statements(session: Session, case: LotCase) -> list[str]:
    """Whether everything is in register, what a register says against the lot, certificates."""
    found = case.registers.against
    rows = (one for one in case.registers.rows if isinstance(one, RegisterRule))
    rules = {Register(one.register): Rule(one.rule) for one in rows}  # the newest comes last
    checked = (Register.INSTRUMENTS, Register.METHODS)
    known = not found.measured and all(rules.get(one, Rule.OFF) is not Rule.OFF for one in checked)
    return [
        REGISTERED if known else UNREGISTERED,
        *(f"Register: {said}." for said in found.remarks),
        *donor_statements(session, case),
        *genealogy_statements(case),
        *(
            f"Certificate of {one.person.name} over {one.upload.natural_key}: {one.file},"
            f" SHA-256 {one.sha256}."
            for one in case.registers.certificates
        ),
    ]


def donor_statements(session: Session, case: LotCase) -> list[str]:
    """Of each donor by whom and against what it was determined, and how each test was read.

    These are the records that accompany what is distributed (requirement 8.05); no name is in them.
    """
    site, zone = case.row.site, ZoneInfo(case.row.site.time_zone)
    place = ", ".join([site.name, *site.address.splitlines()])
    records = records_of(session, case.donor_rows)
    said = []
    for one in case.further.origin.rows:
        if isinstance(one, EligibilityRow) and one.panel:
            against = " v".join(one.panel.rsplit("/", 1))
            text = f"Donor {one.donor.code}: {one.eligibility} against {against}, determined by"
            tests = "; ".join(_tested(records[one.donor_id], zone))
            said.append(f"{text} {place}; {tests}.")
    return [*said, *(f"Donor: {remark}." for remark in case.facts.origin.remarks)]


def genealogy_statements(case: LotCase) -> list[str]:
    """From which banks the lot comes, or that none is recorded; and what is remarked on that."""
    found = case.facts.genealogy
    banks = ", ".join(id_of(one) for one in found.evidence)
    said = f"Genealogy: cell banks {banks}." if banks else UNBANKED
    return [said, *(f"Genealogy: {remark}." for remark in found.remarks)]


def _tested(records: DonorRecords, zone: ZoneInfo) -> list[str]:
    by = sorted({f"{one.laboratory} ({one.statement})" for one in records.tests})
    found = [
        f"{one.name}: " + ", ".join(f"{test.marker} {test.result}" for test in one.tests)
        for one in records.donated(zone)
    ]
    return [*found, f"tested by {', '.join(by)}"]
