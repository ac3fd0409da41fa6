"""Two people register the same id at one moment: the second is told that it is taken."""

from collections.abc import Callable

from batchqc.actions.lots import NewLot, NewSample, register_lot, register_samples
from batchqc.actions.registers import register_donor
from batchqc.core.permissions import Permission
from tests.cast import MADE_ON, TAKEN_AT
from tests.records.house import ANA, DON, DONOR, EXPIRES_ON, LOT, PRODUCT, House
from tests.records.interleaving import DONE, interleaved

OTHER_DONOR, OTHER = "DNR-UC-77", "MSC-26-0500"


def register_a_donor(house: House) -> object:
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        return register_donor(tx, code=OTHER_DONOR, tissue_source="umbilical cord")


def register_a_lot(house: House, *, donor: str = OTHER_DONOR) -> object:
    new = NewLot(OTHER, PRODUCT, MADE_ON, EXPIRES_ON, (donor,))
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        return register_lot(tx, new)


def register_a_sample(lot: str) -> Callable[[House], object]:
    new = NewSample("MSC-26-0700-S01", "release", "cryovial", TAKEN_AT.isoformat())

    def register(house: House) -> object:
        with house.acting(ANA, Permission.REGISTER_LOT) as tx:
            return register_samples(tx, lot=lot, samples=[new])

    return register


def test_of_a_donor(house: House):
    assert interleaved(house, register_a_donor, register_a_donor) == (DONE, "BQC-REG-005")


def test_of_a_lot(house: House):
    def register(house: House) -> object:
        return register_a_lot(house, donor=DONOR)

    assert interleaved(house, register, register) == (DONE, "BQC-REG-007")


def test_of_samples_of_lots_that_share_no_donor(house: House):
    register_a_donor(house)
    register_a_lot(house)
    first, second = register_a_sample(LOT), register_a_sample(OTHER)
    assert interleaved(house, first, second) == (DONE, "BQC-REG-009")
