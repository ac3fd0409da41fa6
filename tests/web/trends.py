"""Lots whose trends can be looked at, with limits, controls, and a quality review."""

from datetime import date

from batchqc.actions.quality_reviews import keep_review
from batchqc.core.permissions import Permission
from batchqc.core.quality_reviews import Period
from batchqc.core.signatures import Refusal
from batchqc.settings import bundled
from tests.actions.test_trends import READ_AT, approve, make, propose
from tests.records.house import LOT, PRODUCT, QA2, House, good, table
from tests.records.laboratory import RECOVERY

ODD = "TRD-26-020"
"""The lot whose viability fails, far beyond the limits that hold."""
OF = f"/trends/{PRODUCT}/viability"
REVIEW = "QR-2026-000001"
_CD73 = ("97.1", "98.4", "96.9", "99.0", "97.7", "98.1", "96.5", "98.8")


def add_trends(house: House) -> None:
    """Nine lots; limits that hold and limits that wait; a control; a review of May."""
    lots = make(house)
    rows = [
        good("CD73") | {"lot_id": lot, "sample_id": f"{lot}-S01", "value": one, "run_id": lot}
        | {"measured_at": READ_AT}
        for lot, one in zip(lots, _CD73, strict=True)
    ]  # fmt: skip
    lot = {"lot_id": LOT, "sample_id": f"{LOT}-S01", "run_id": "ENDO-250521-01"}
    for sheet in (rows, [good("endotoxin") | RECOVERY | lot]):
        report = house.upload(table(sheet))
        assert report.accepted, report.reading.problems
    assert not isinstance(approve(house, propose(house)), Refusal)
    propose(house)
    make(house, ["60"], first=20)
    keep(house)


def keep(house: House) -> str:
    """The number of a review of May that is kept."""
    with house.acting(QA2, Permission.KEEP_QUALITY_REVIEW) as tx:
        period = Period(date(2025, 5, 1), date(2025, 5, 31))
        row = keep_review(
            tx, house.archive, product=PRODUCT, period=period, fonts=bundled("reports") / "fonts"
        )
        return row.natural_key
