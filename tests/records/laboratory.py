"""Methods and registers of the laboratory, as the tests of a house need them."""

from datetime import date

from sqlalchemy import select

from batchqc.actions.laboratory import (
    keep_certificate,
    record_use,
    register_instrument,
    register_material,
    register_training,
    set_rule,
)
from batchqc.actions.methods import approve_method, import_method
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.uploads import Upload
from tests.records.house import ANA, LABORATORY, QA2, SPEC, House, signing

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


def use_registers(house: House) -> None:
    """A row in every register, and a run that used a material."""
    with house.acting(QA2, Permission.SET_REGISTER_RULE) as tx:
        set_rule(tx, register=Register.MATERIALS, rule=Rule.FLAG, reason="From the audit plan")
    with house.acting(QA2, Permission.KEEP_REGISTERS) as tx:
        first, last = date(2025, 1, 1), date(2027, 1, 1)
        register_instrument(
            tx,
            instrument="PTS-001",
            kind="Endotoxin reader",
            calibrated_on=first,
            due_on=last,
            reason="",
        )
        register_training(
            tx, person=ANA, method="SOP-QC-040", trained_on=first, expires_on=last, reason=""
        )
        register_material(tx, material="LAL-1", kind="kit", lot="L7", expires_on=last, reason="")
    with house.acting(ANA, Permission.RECORD_USE) as tx:
        upload = tx.session.scalars(select(Upload).where(Upload.accepted == 1)).first()
        assert upload is not None
        number = upload.natural_key
        record_use(tx, upload=number, test="ENDO", run="ENDO-250520-01", material="LAL-1")
        keep_certificate(
            tx, house.archive, laboratory=LABORATORY, upload=number, file="c.txt", data=b"theirs"
        )
