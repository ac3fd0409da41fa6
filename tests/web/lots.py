"""Lots besides the one that every house has."""

from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.core.permissions import Permission
from tests.cast import MADE_ON
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    PRODUCT,
    House,
    good,
    results,
)

BAD = "MSC-26-0013"
"""A lot with a result that fails and one that is missing."""


def add_lots(house: House, *lots: str) -> None:
    """Register lots, each with its sample."""
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        for lot in lots:
            sample = NewSample(f"{lot}-S01", "release", "cryovial", "2025-05-20T08:00:00-05:00")
            register_lot(tx, NewLot(lot, PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,), (sample,)))


def add_bad_lot(house: House) -> None:
    """Register the lot whose viability fails and whose kynurenine is missing."""
    add_lots(house, BAD)
    changes = {
        analyte: {"run_id": f"B-{good(analyte)['run_id']}"}
        for analyte in ("CD73", "CD90", "CD105", "negative_panel", "inhibition", "endotoxin")
    }
    own = {"viability": {"value": "89", "run_id": "B-VIAB"}, "kynurenine": None}
    report = house.upload(results(lot=BAD, **changes | own))
    assert report.accepted, report.reading.problems
