"""Methods and registers of the laboratory, as the tests of a house need them."""

from batchqc.actions.methods import approve_method, import_method
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from tests.records.house import QA2, SPEC, House, signing

METHOD = ("SOP-QC-040", "4")
METHOD_FILE = b"""schema = "batchqc/method/1"
id = "SOP-QC-040"
version = 4
title = "Endotoxin, kinetic chromogenic"
effective = 2025-01-01

[validity.recovery]
result_type = "control"
analyte = "recovery"
aliquot = "PPC"
unit = "%"
accept = "50 to 200"
"""
RECOVERY = {
    "test_code": "ENDO",
    "analyte": "recovery",
    "result_type": "control",
    "aliquot": "PPC",
    "unit": "%",
    "value": "104",
    "method_id": "SOP-QC-040 v4",
    "instrument_id": "PTS-001",
    "run_id": "ENDO-250520-01",
}


def adopt_method(house: House, data: bytes = METHOD_FILE) -> tuple[str, str]:
    """Import and approve a method: code and version."""
    with house.acting(SPEC, Permission.IMPORT_METHOD) as tx:
        row = import_method(tx, house.archive, data=data, file="method.toml")
        code, version = row.method, row.version
    with house.acting(QA2, Permission.APPROVE_METHOD) as tx:
        approved = approve_method(
            tx, method=code, version=version, credentials=signing(QA2, "As the SOP has it")
        )
        assert not isinstance(approved, Refusal)
    return code, version
