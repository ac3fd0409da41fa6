"""A donation that is pooled while somebody corrects its day: one of both is refused."""

from datetime import date

import pytest

from batchqc.actions.corrections import decide_correction
from batchqc.actions.donations import pool_donations
from batchqc.core.permissions import Permission
from tests.actions.correcting import request
from tests.records.donors import DIN, donate
from tests.records.house import DON, QA2, House, signing
from tests.records.interleaving import DONE, Work, interleaved

OTHER, NUMBER = "DON-25-2", "C-2026-000001"


@pytest.fixture
def given(house: House) -> House:
    """Two donations, and a correction of the day of one that waits for its second person."""
    donate(house, donated_on=date(2025, 4, 1))
    donate(house, kind="local", id=OTHER, donated_on=date(2025, 4, 1))
    assert request(house, f"donation:{OTHER}", "donated_on", "2025-04-20") == NUMBER
    return house


def pool(house: House) -> object:
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        return pool_donations(
            tx, kind="local", pool="POOL-25-1", donations=(DIN, OTHER),
            pooled_on=date(2025, 4, 10), reason="As the batch record says",
        )  # fmt: skip


def correct(house: House) -> object:
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        return decide_correction(
            tx, house.archive, number=NUMBER, approve=True, credentials=signing(QA2)
        )


@pytest.mark.requirement("8.10")
@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [(pool, correct, "BQC-COR-009"), (correct, pool, "BQC-DNR-015")],
)
def test_no_donation_was_given_after_it_was_pooled_whoever_was_first(
    given: House, first: Work, second: Work, refused: str
):
    assert interleaved(given, first, second) == (DONE, refused)
    assert given.verify().problems == ()
