"""Random samples of the audit trail, as the tests of a house draw and review them."""

from batchqc.actions.trail_samples import draw_sample, review_sample
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from tests.records.house import QA1, House, signing


def draw(house: House, size: int = 5, by: str = QA1) -> tuple[str, str]:
    """Draw a sample: its number and hash."""
    with house.acting(by, Permission.REVIEW_AUDIT_TRAIL) as tx:
        row = draw_sample(tx, house.archive, size=size)
        return row.natural_key, row.content_sha


def review(house: House, number: str, sha256: str, by: str = QA1) -> object:
    """Sign the review of a sample."""
    with house.acting(by, Permission.REVIEW_AUDIT_TRAIL) as tx:
        signed = review_sample(
            tx, house.archive, number=number, sha256=sha256, credentials=signing(by)
        )
        return signed if isinstance(signed, Refusal) else signed.natural_key
