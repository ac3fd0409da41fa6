"""Registrations: everything wrong at once, and nothing half."""

from datetime import date

import pytest

from batchqc.actions.approval import approve_specification
from batchqc.actions.lots import NewLot, NewSample, register_lot, register_samples
from batchqc.actions.registers import register_donor, register_product
from batchqc.actions.setup import NewSite, create_site
from batchqc.actions.specifications import import_specification
from batchqc.core.permissions import Permission
from batchqc.errors import BatchqcError, Conflict, InvalidInput, NotFound
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import bundled
from tests.actions.state import counts, grown
from tests.cast import MADE_ON
from tests.records.house import (
    ANA,
    DON,
    DONOR,
    EXPIRES_ON,
    LOT,
    PRODUCT,
    QA1,
    QA2,
    SPEC,
    SPECIFICATION_FILE,
    House,
    adopt,
    signing,
)

TAKEN = "2025-05-20T08:00:00-05:00"
SHIPPED = (bundled("specs") / SPECIFICATION_FILE).read_bytes()


def new_lot(**changes: object) -> NewLot:
    facts = {
        "id": "MSC-26-0013", "product": PRODUCT, "manufactured_on": MADE_ON,
        "expires_on": EXPIRES_ON, "donors": (DONOR,),
    }  # fmt: skip
    return NewLot(**(facts | changes))  # type: ignore[arg-type]


def add(house: House, lot: NewLot) -> None:
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, lot)


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"id": LOT.lower()}, Conflict, "BQC-REG-007"),
        ({"id": "SEP2"}, InvalidInput, "BQC-REG-006"),
        ({"donors": ()}, InvalidInput, "BQC-REG-006"),
        ({"donors": (DONOR, DONOR.lower())}, InvalidInput, "BQC-REG-006"),
        ({"donors": ("DNR-UC-99",)}, NotFound, "BQC-REG-011"),
        ({"product": "OTHER"}, NotFound, "BQC-REG-010"),
        ({"expires_on": date(2025, 5, 18)}, InvalidInput, "BQC-REG-006"),
        ({"manufactured_on": date(2026, 12, 1)}, InvalidInput, "BQC-REG-006"),
        ({"manufactured_on": date(2019, 12, 31)}, Conflict, "BQC-SPC-007"),
        ({"samples": (NewSample("MSC-26-0013-S1", "release", "vial", "yesterday"),)},
         InvalidInput, "BQC-REG-009"),
    ],
)  # fmt: skip
def test_a_lot_that_cannot_be_is_refused_whole(
    house: House, changes: dict[str, object], kind: type[BatchqcError], code: str
):
    before = counts(house.engine)
    with pytest.raises(kind) as refused:
        add(house, new_lot(**changes))
    assert refused.value.code == code
    assert grown(house.engine, before) == {}


def test_everything_that_is_wrong_with_a_lot_and_its_samples_is_told_at_once(house: House):
    with pytest.raises(InvalidInput) as refused:
        add(house, new_lot(id="1-Mar", donors=(), expires_on=date(2020, 1, 1)))
    assert len(refused.value.reasons) == 3
    samples = [
        NewSample("MSC-26-0012-S01", "release", "vial", TAKEN),
        NewSample("MSC-26-0012-S09", "phase 2", " ", "2025-05-20T08:00:00"),
        NewSample("MSC-26-0012-S10", "release", "vial", "2025-05-18T08:00:00-05:00"),
        NewSample("MSC-26-0012-S11", "release", "vial", "2027-05-18T08:00:00-05:00"),
        NewSample("MSC-26-0012-S12", "release", "vial", "0001-01-01T00:00:00+14:00"),
    ]
    with pytest.raises(InvalidInput) as refused, house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_samples(tx, lot=LOT, samples=samples)
    assert len(refused.value.reasons) == 7


def test_texts_that_would_break_a_line_of_a_certificate_are_refused(house: House):
    before = counts(house.engine)
    with (
        pytest.raises(InvalidInput) as refused,
        house.acting(QA1, Permission.REGISTER_PRODUCT) as tx,
    ):
        register_product(tx, code="OTHER", name="MSC\nreleased", form=" ", storage="below\x00-150")
    assert refused.value.reasons == (
        "the name is one line of printable characters; this one holds U+000A",
        "the form is missing",
        "the storage condition is one line of printable characters; this one holds U+0000",
    )
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("3.04")
def test_the_version_in_force_on_the_date_of_manufacture_is_bound(house: House):
    second = SHIPPED.replace(b"version   = 1", b"version   = 2").replace(
        b"effective = 2020-01-01", b"effective = 2025-06-01"
    )
    adopt(house, second)
    add(house, new_lot(id="MSC-26-0015", manufactured_on=date(2025, 5, 31)))
    add(house, new_lot(id="MSC-26-0016", manufactured_on=date(2025, 6, 1)))
    bound = {lot: house.study(lot).version.version for lot in ("MSC-26-0015", "MSC-26-0016")}
    assert bound == {"MSC-26-0015": 1, "MSC-26-0016": 2}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((b'unit     = "%"\naccept   = "> 90"', b'accept   = "> 90"'), "unit"),
        ((b'accept   = "> 90"', b'accept   = "> 90 and < 80"'), "accept"),
        ((b'accept   = "> 90"', b'acept    = "> 90"'), "acept"),
        ((b"[criteria.cd90]", b"[criteria.cd73]"), "cd73"),
    ],
)
def test_a_bad_specification_is_refused_with_its_line_and_changes_nothing(
    house: House, change: tuple[bytes, bytes], told: str
):
    data = SHIPPED.replace(*change, 1).replace(b"version   = 1", b"version   = 7", 1)
    assert data.count(change[1])
    before = counts(house.engine)
    with (
        pytest.raises(InvalidInput) as refused,
        house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx,
    ):
        import_specification(tx, house.archive, data=data, file="bad.toml")
    assert any(told in reason and "line" in reason for reason in refused.value.reasons)
    assert grown(house.engine, before) == {}


def test_an_imported_version_is_never_replaced_and_its_author_may_not_approve(house: House):
    with (
        pytest.raises(Conflict) as refused,
        house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx,
    ):
        import_specification(tx, house.archive, data=SHIPPED, file="again.toml")
    assert refused.value.code == "BQC-SPC-002"
    with (
        pytest.raises(Conflict) as refused,
        house.acting(QA1, Permission.APPROVE_SPECIFICATION) as tx,
    ):
        approve_specification(
            tx, house.archive, specification="UC-MSC-REL", version=1, impact="",
            credentials=signing(QA1),
        )  # fmt: skip
    assert refused.value.code == "BQC-SPC-003"


def test_products_and_donors_are_registered_once_by_code(house: House):
    with pytest.raises(Conflict), house.acting(QA2, Permission.REGISTER_PRODUCT) as tx:
        register_product(tx, code=PRODUCT.lower(), name="Same", form="Same", storage="Same")
    with pytest.raises(InvalidInput), house.acting(QA2, Permission.REGISTER_PRODUCT) as tx:
        register_product(tx, code="NEW", name=" ", form="x", storage="x")
    with pytest.raises(Conflict), house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code=DONOR, tissue_source="umbilical cord")
    with pytest.raises(InvalidInput), house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code="DNR-UC-02", tissue_source="unicorn")


def test_a_database_has_one_site(house: House):
    with pytest.raises(Conflict) as refused, transaction(house.engine, SYSTEM, house.now()) as tx:
        create_site(tx, NewSite("Another", "1 Way", "UTC", "COB"))
    assert refused.value.code == "BQC-SYS-002"
