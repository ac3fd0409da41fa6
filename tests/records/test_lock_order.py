"""Whoever holds a lock and waits for another never waits for who waits for the first."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import replace
from datetime import timedelta
from threading import get_ident
from time import monotonic

import pytest

from batchqc.actions.lots import NewSample, register_samples
from batchqc.actions.registers import register_donor
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.records.transaction import Transaction
from tests.actions.test_deviations import OPEN, keep
from tests.actions.test_joined import GIFT, OTHER, join, pooled, react
from tests.actions.test_later_decisions import LATER, later, overdue, staged
from tests.actions.test_potency import declared, fit, send, value_of
from tests.actions.typing_results import VIAB, enter, try_to_verify
from tests.cast import TAKEN_AT
from tests.plates import method_file, plate
from tests.records.donors import determine
from tests.records.genealogy import OF_BANK, lot_of
from tests.records.house import ANA, DON, LOT, Clock, House, alone
from tests.records.interleaving import DONE, Work, _attempt, _watch
from tests.records.laboratory import adopt_method

__all__ = ["pooled", "staged"]
LONGEST = 30


def meet(house: House, first: Work, at: str, second: Work) -> tuple[str, str]:
    """What becomes of both, where the second begins once the first has taken a lock."""
    own, later_one, lock = get_ident(), list[Future[str]](), Transaction.lock
    with (
        _watch(house.engine, own) as is_stuck,
        ThreadPoolExecutor(1) as pool,
        pytest.MonkeyPatch.context() as patch,
    ):

        def pause(tx: Transaction, name: str) -> None:
            lock(tx, name)
            if get_ident() == own and name.startswith(at) and not later_one:
                other = replace(house, now=Clock(house.now.at + timedelta(minutes=1)))
                later_one.append(pool.submit(_attempt, other, second))
                until = monotonic() + LONGEST
                while not wait_for(later_one, timeout=0.005).done and not is_stuck():
                    assert monotonic() < until, "the second neither ends nor waits"

        patch.setattr(Transaction, "lock", pause)
        told = _attempt(house, first)
        assert later_one, f"the first did not come to {at}: {told}"
        return told, later_one[0].result(LONGEST)


def uploading(data: bytes) -> Callable[[House], object]:
    return lambda house: house.upload(data)


def test_who_declares_a_value_of_a_lot_meets_who_uploads_results_of_it(house: House):
    adopt_method(house, method_file())
    number = fit(house, send(house, plate(0.8)))
    value = value_of(house, number)

    def declare(house: House) -> object:
        return declared(house, number, value=value)

    assert meet(house, declare, "lot:", uploading(alone("viability"))) == (DONE, DONE)
    assert house.verify().problems == ()


def test_who_decides_over_an_overdue_lot_meets_who_types_a_failing_result_of_another(
    staged: House,
):
    overdue(staged)
    with staged.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code=OTHER, tissue_source="umbilical cord")
    lot_of(staged, OF_BANK, donors=(OTHER,))
    drawn = (NewSample(f"{OF_BANK}-S01", "release", "vial", TAKEN_AT.isoformat()),)
    with staged.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_samples(tx, lot=OF_BANK, samples=drawn)
    own = {"lot": OF_BANK, "sample": f"{OF_BANK}-S01", "values": ("50",)}
    number = enter(staged, VIAB, **own).number

    def recall(house: House) -> object:
        particulars = {"class": "I", "scope": "Every dose"}
        assert later(house, Disposition.RECALLED, LATER, **particulars) is Disposition.RECALLED
        return None

    def verify(house: House) -> object:
        return try_to_verify(house, number, "50", unit="%")

    assert meet(staged, recall, "investigations of", verify) == (DONE, DONE)
    assert staged.verify().problems == ()


def test_who_finds_more_in_a_bank_meets_who_works_on_its_lots_and_on_others(pooled: House):
    react(pooled)
    determine(pooled, OTHER, eligible=False)

    def deviate(house: House) -> object:
        return keep(house, replace(OPEN, lots=(LOT, OF_BANK)))

    assert LOT < OF_BANK

    def find_more(house: House) -> object:
        return join(house, f"donation:{GIFT}")

    assert meet(pooled, find_more, f"lot:{OF_BANK.lower()}", deviate) == (DONE, DONE)
    assert pooled.verify().problems == ()
