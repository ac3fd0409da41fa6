"""What a certificate states of the registers of the laboratory, as they stand when it is frozen."""

from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase
from batchqc.core.laboratory import Register, Rule
from batchqc.records.laboratory import rules_of

UNREGISTERED: Final = "Instruments and method versions are as stated in the files, not in register."
REGISTERED: Final = "Instruments and method versions are as stated in the files, and in register."


def register_statements(session: Session, case: LotCase) -> list[str]:
    """Whether everything is in register, what a register says against the lot, certificates."""
    found, rules = case.registers.against, rules_of(session)
    checked = (Register.INSTRUMENTS, Register.METHODS)
    known = not found.measured and all(rules.get(one, Rule.OFF) is not Rule.OFF for one in checked)
    return [
        REGISTERED if known else UNREGISTERED,
        *(f"Register: {said}." for said in found.remarks),
        *(
            f"Certificate of {one.person.name} over {one.upload.natural_key}: {one.file},"
            f" SHA-256 {one.sha256}."
            for one in case.registers.certificates
        ),
    ]
