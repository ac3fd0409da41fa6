"""Measurements by columns and back."""

from dataclasses import replace
from datetime import datetime

from batchqc.core.assays import Cell, RunKey
from batchqc.core.blocks import Block, block_of, measurements_of
from tests.core.world import measured

ONE = replace(
    measured("93.40", replicate=2, aliquot="A7", comment='said "so"', instrument="VCB-001"),
    cell=Cell(7, 9, "Viability (%)", "93.40", "93,40"),
    measured_at=datetime.fromisoformat("2026-03-21T16:56:00.500000-05:00"),
)
OTHER = replace(measured("<0.05", run="R-2"), started_at=None, sample="MSC-1-S02", stage="donor")


def test_what_goes_into_columns_comes_out_again():
    block = block_of([ONE, OTHER])
    assert block.measured_at == ("2026-03-21T21:56:00.500000Z", block.measured_at[1])
    assert block.started[1] == ""
    assert not block.is_plain
    stages = {one.sample: one.stage for one in (ONE, OTHER)}
    again = list(measurements_of(block, "U-2026-000009", stages.__getitem__))
    assert again == [
        replace(one, run=RunKey("U-2026-000009", one.run.test, one.run.run)) for one in (ONE, OTHER)
    ]


def test_no_measurement_is_an_empty_block():
    assert block_of([]) == Block()
    assert list(measurements_of(Block(), "U-2026-000001", str)) == []
