"""What two people do to put a registration right."""

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.corrections import CorrectionDecision
from tests.records.house import ANA, QA2, House, signing

WHY = "Typed the wrong one"


def request(house: House, subject: str, field: str, after: str, *, by: str = ANA) -> str:
    with house.acting(by, Permission.REQUEST_CORRECTION) as tx:
        return request_correction(
            tx, subject=subject, field=field, after=after, reason=WHY
        ).natural_key


def decide(
    house: House, number: str, *, approve: bool = True, by: str = QA2
) -> CorrectionDecision | Refusal:
    with house.acting(by, Permission.APPROVE_CORRECTION) as tx:
        return decide_correction(
            tx, house.archive, number=number, approve=approve, credentials=signing(by)
        )
