"""While what two people disposed of is removed, others work on its lots, or name the same bytes."""

import hashlib
from datetime import datetime

import pytest

from batchqc.actions.disposals import approve_disposal, request_disposal
from batchqc.actions.laboratory import keep_certificate
from batchqc.actions.registers import register_donor
from batchqc.actions.removals import finish_disposals
from batchqc.actions.retention import hold_legally
from batchqc.core.permissions import Permission
from batchqc.records.retention import Disposal
from tests.actions.test_disposals import LATE, set_rule
from tests.actions.test_open_work import register
from tests.records.house import (
    ANA,
    DON,
    LABORATORY,
    LOT,
    QA1,
    QA2,
    QA3,
    House,
    alone,
    good,
    signing,
    table,
)
from tests.records.interleaving import DONE, Work, interleaved
from tests.records.test_lock_order import meet

OTHER, THIRD = "MSC-26-0021", "MSC-26-0022"
REPORT = b"%PDF-1.7\nReport CL-88421\n%%EOF\n"


@pytest.fixture
def approved(house: House) -> House:
    """The raw data of two lots of one donor came in one file, and may be removed."""
    return approve(house, REPORT)


def approve(house: House, report: bytes) -> House:
    register(house, OTHER)
    assert house.upload(of_both()).accepted
    keep(house, "U-2026-000001", report, "CL-88421")
    set_rule(house)
    house.now.at = LATE
    approving(ask(house), QA2)(house)
    return house


def of_both() -> bytes:
    lots = (LOT, OTHER)
    return table([{"lot_id": one, "sample_id": f"{one}-S01"} | good("viability") for one in lots])


def ask(house: House, lot: str = LOT) -> str:
    with house.acting(QA1, Permission.DISPOSE) as tx:
        asked = request_disposal(tx, house.archive, lot=lot, credentials=signing(QA1))
        assert isinstance(asked, Disposal)
        return asked.natural_key


def approving(number: str, by: str) -> Work:
    def approve(house: House) -> object:
        with house.acting(by, Permission.DISPOSE) as tx:
            return approve_disposal(tx, house.archive, number=number, credentials=signing(by))

    return approve


def keep(house: House, upload: str, report: bytes = REPORT, name: str = "CL-88421.pdf") -> object:
    with house.acting(ANA, Permission.RECORD_USE) as tx:
        return keep_certificate(
            tx, house.archive, laboratory=LABORATORY, upload=upload, file=name,
            data=report,
        )  # fmt: skip


def finish(house: House) -> object:
    return finish_disposals(house.engine, house.archive, now=house.now())


def hold(house: House) -> object:
    with house.acting(QA3, Permission.HOLD_LEGALLY) as tx:
        return hold_legally(tx, lot=OTHER, credentials=signing(QA3))


def test_who_removes_the_file_of_two_lots_meets_who_holds_the_other_one(approved: House):
    removed, held = meet(approved, finish, "donor:", hold)
    assert (removed, held) == ("BQC-RET-020", DONE)  # the hold keeps what was not removed yet
    assert approved.verify().problems == ()


@pytest.mark.requirement("1.68")
def test_bytes_that_a_new_record_names_are_not_removed_at_that_moment(approved: House):
    report = approved.upload(alone("viability", run_id="VCB-9"))
    assert report.accepted
    told = interleaved(approved, lambda house: keep(house, report.number), finish)
    assert told == (DONE, "BQC-RET-020")
    assert approved.archive.get(hashlib.sha256(REPORT).hexdigest()) == REPORT
    assert approved.verify().problems == ()


@pytest.mark.requirement("1.68")
@pytest.mark.parametrize("at", [LATE, LATE.replace(month=12, day=31, hour=23, minute=59)])
def test_results_that_come_in_with_the_same_bytes_are_not_removed_either(
    house: House, at: datetime
):
    """Of the table that a laboratory sent along, kept as it was, and removed by and by.

    Also where it is the next year already for who removes it.
    """
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code="DNR-UC-09", tissue_source="umbilical cord")
    register(house, THIRD, donor="DNR-UC-09")
    row = {"lot_id": THIRD, "sample_id": f"{THIRD}-S01"} | good("viability")
    data = table([row | {"run_id": "VCB-9"}])
    approve(house, data)
    house.now.at = at
    assert interleaved(house, lambda house: house.upload(data), finish) == (DONE, "BQC-RET-020")
    assert house.archive.get(hashlib.sha256(data).hexdigest()) == data
    assert house.verify().problems == ()


def test_of_two_who_dispose_of_the_file_of_two_lots_at_once_one_does(house: House):
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code="DNR-UC-09", tissue_source="umbilical cord")
    register(house, OTHER, donor="DNR-UC-09")
    assert house.upload(of_both()).accepted
    set_rule(house)
    house.now.at = LATE
    first, second = approving(ask(house), QA2), approving(ask(house, OTHER), QA3)
    assert interleaved(house, first, second) == (DONE, "BQC-RET-005")
    assert house.verify().problems == ()
