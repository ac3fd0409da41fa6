"""What two people do where a result has no file."""

from collections.abc import Sequence
from dataclasses import replace

from batchqc.actions.attachments import Document
from batchqc.actions.entries import enter_result, verify_entry
from batchqc.actions.signing import Credentials
from batchqc.actions.uploads import UploadReport
from batchqc.core.entries import Typed, TypedAnalyte
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.intake.typed import TypedResult
from batchqc.records.entries import EntryVerification
from tests.records.house import ANA, LABORATORY, LOT, REV, SAMPLES, House, signing

REPORT = b"%PDF-1.7\nReport CL-88421: mycoplasma negative\n%%EOF\n"
MYCO = TypedResult(
    lot=LOT, sample=SAMPLES[0], test="MYCO", analyte="mycoplasma", values=("Negative",), unit="",
    measured_at="2025-05-26T10:00:00-05:00", analyst=LABORATORY, aliquot="A1",
    instrument="QS5-001", run="MYCO-250526-01", method="SOP-MB-007 v1",
)  # fmt: skip
VIAB = TypedResult(
    lot=LOT, sample=SAMPLES[0], test="VIAB", analyte="viability", values=("93.40",), unit="%",
    measured_at="2025-05-20T10:00:00-05:00", analyst=ANA, run="VCB-9", method="SOP-QC-014 v3",
)  # fmt: skip


def enter(
    house: House,
    result: TypedResult = MYCO,
    *,
    by: str = ANA,
    documents: Sequence[Document] = (),
    **changes: object,
) -> UploadReport:
    """Type a result."""
    result = replace(result, **changes)  # type: ignore[arg-type]
    with house.acting(by, Permission.UPLOAD_RESULTS) as tx:
        return enter_result(tx, house.archive, result=result, client="tests", documents=documents)


def try_to_verify(
    house: House,
    number: str,
    *values: str,
    unit: str = "",
    by: str = REV,
    credentials: Credentials | None = None,
    also: Sequence[TypedAnalyte] = (),
) -> EntryVerification | Refusal:
    """Type a result as the second person."""
    with house.acting(by, Permission.REVIEW_RESULTS) as tx:
        return verify_entry(
            tx,
            house.archive,
            number=number,
            typed=[Typed(one, unit) for one in values or ("Negative",)],
            credentials=credentials or signing(by),
            also=also,
        )


def verify(
    house: House,
    number: str,
    *values: str,
    unit: str = "",
    by: str = REV,
    also: Sequence[TypedAnalyte] = (),
) -> bool:
    """Whether both typed the same."""
    with house.acting(by, Permission.REVIEW_RESULTS) as tx:
        done = verify_entry(
            tx,
            house.archive,
            number=number,
            typed=[Typed(one, unit) for one in values or ("Negative",)],
            credentials=signing(by),
            also=also,
        )
        assert isinstance(done, EntryVerification)
        return bool(done.matches)
