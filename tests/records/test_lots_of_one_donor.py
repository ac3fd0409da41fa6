"""Whoever works on several lots of one donor waits for others, and they for them, never both."""

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import replace
from datetime import timedelta
from threading import get_ident
from time import monotonic

import pytest

from batchqc.actions.holds import hold_lot
from batchqc.actions.reviews import review_lots
from batchqc.core.permissions import Permission
from batchqc.records.transaction import Transaction
from tests.actions.test_deviations import OPEN, keep
from tests.actions.test_open_work import register
from tests.records.house import LOT, QA3, REV, Clock, House, results, signing
from tests.records.interleaving import DONE, Work, _attempt, _watch

OTHER = "MSC-26-0021"
LONGEST = 30


def review_both(house: House) -> object:
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        return review_lots(tx, house.archive, lots=(LOT, OTHER), credentials=signing(REV))


def deviate(house: House) -> object:
    return keep(house, replace(OPEN, lots=(LOT, OTHER)))


def hold_other(house: House) -> object:
    with house.acting(QA3, Permission.HOLD_LOT) as tx:
        return hold_lot(tx, lot=OTHER, credentials=signing(QA3))


@pytest.mark.parametrize("first", [review_both, deviate])
def test_who_comes_while_the_first_holds_the_donor_waits(house: House, first: Work):
    """The second lot is not held yet by the first when the second person asks for it."""
    register(house, OTHER)
    for lot in (LOT, OTHER):
        assert house.upload(results(lot=lot)).accepted
    own, later, lock = get_ident(), list[Future[str]](), Transaction.lock
    with (
        _watch(house.engine, own) as is_stuck,
        ThreadPoolExecutor(1) as pool,
        pytest.MonkeyPatch.context() as patch,
    ):

        def pause(tx: Transaction, name: str) -> None:
            lock(tx, name)
            if get_ident() == own and name.startswith("donor:") and not later:
                other = replace(house, now=Clock(house.now.at + timedelta(minutes=1)))
                later.append(pool.submit(_attempt, other, hold_other))
                until = monotonic() + LONGEST
                while not wait_for(later, timeout=0.005).done and not is_stuck():
                    assert monotonic() < until, "the second neither ends nor waits"

        patch.setattr(Transaction, "lock", pause)
        told = _attempt(house, first)
        assert (told, later[0].result(LONGEST)) == (DONE, DONE)
    assert house.verify().problems == ()
