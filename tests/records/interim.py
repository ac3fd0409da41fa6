"""A version of which sterility may stay pending while the Gram stain passes, and a lot of it.

It plans no reading day: the sample is a year old.
"""

from datetime import timedelta
from typing import Final

from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.core.permissions import Permission
from tests.actions.versions import version
from tests.cast import TAKEN_AT
from tests.records.house import ANA, DONOR, EXPIRES_ON, MADE_ON, PRODUCT, House

_GRAM: Final = """
[criteria.gram]
title      = "Gram stain"
category   = "safety"
test       = "GRAM"
analyte    = "gram"
method     = "SOP-MB-001"
vocabulary = "growth"
accept     = "no growth"
[criteria.sterility]"""
INTERIM: Final = version(
    2, "2025-05-20", ("[criteria.sterility]", _GRAM),
    ("planned_days = 14", 'interim = ["gram"]'),
)  # fmt: skip


def register_interim(house: House, lot: str) -> None:
    """Register a lot that is made under that version."""
    sample = NewSample(f"{lot}-S01", "release", "cryovial", TAKEN_AT.isoformat())
    new = NewLot(lot, PRODUCT, MADE_ON + timedelta(days=1), EXPIRES_ON, (DONOR,), (sample,))
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, new)
