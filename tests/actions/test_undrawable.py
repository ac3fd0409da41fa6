"""What no font of the certificates draws is refused where it is typed, by its name and place."""

import pytest

from batchqc.actions.holds import hold_lot
from batchqc.actions.registers import register_product
from batchqc.actions.setup import NewSite, create_site
from batchqc.actions.specifications import import_specification
from batchqc.core.permissions import Permission
from batchqc.errors import InvalidInput
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import bundled
from tests.actions.state import counts, grown
from tests.actions.typing_results import enter, try_to_verify
from tests.cast import NOW
from tests.databases import Databases
from tests.records.house import LOT, QA1, SPEC, SPECIFICATION_FILE, House, signing

CELL = "U+80DE (CJK UNIFIED IDEOGRAPH-80DE)"


def test_a_product_has_a_name_that_can_be_printed(house: House):
    before = counts(house.engine)
    with house.acting(QA1, Permission.REGISTER_PRODUCT) as tx, pytest.raises(InvalidInput) as no:
        register_product(tx, code="NEW", name="胞", form="胞 in bags", storage="-150 °C")
    said = "is printed on certificates, and no font of theirs draws"
    assert no.value.reasons == (f"the name {said} {CELL}", f"the form {said} {CELL}")
    assert grown(house.engine, before) == {}


def test_a_reason_can_be_printed(house: House):
    wrong = signing(QA1, "Broken vial 🧬 found")
    with house.acting(QA1, Permission.HOLD_LOT) as tx, pytest.raises(InvalidInput) as no:
        hold_lot(tx, lot=LOT, credentials=wrong)
    assert no.value.code == "BQC-SIG-004"
    assert "U+1F9EC (DNA DOUBLE HELIX)" in no.value.message


def test_every_text_of_a_specification_can_be_printed(house: House):
    text = (bundled("specs") / SPECIFICATION_FILE).read_text()
    text = text.replace("version   = 1", "version   = 2")
    titles = [line for line in text.splitlines() if line.startswith("title")]
    for title in titles[:2]:
        text = text.replace(title, title.replace('= "', '= "胞 '), 1)
    text += "# 胞 in a comment is printed nowhere\n"
    acting = house.acting(SPEC, Permission.IMPORT_SPECIFICATION)
    with acting as tx, pytest.raises(InvalidInput) as no:
        import_specification(tx, house.archive, data=text.encode(), file="v2.toml")
    assert no.value.code == "BQC-SPC-023"
    assert len(no.value.reasons) == 2
    assert no.value.reasons[0] == f"title: no font of the certificates draws {CELL}"
    assert no.value.reasons[1].startswith("criteria.")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title    = "Viability"', 'title    = "Viab\\u0007ility"', "U+0007"),
        ("[criteria.viability]", '[criteria."viability\\u0007"]', "U+0007"),
        ("[criteria.viability]", '[criteria."viability 胞"]', CELL),
    ],
)
def test_a_specification_holds_no_control_character_and_no_name_that_cannot_be_printed(
    house: House, old: str, new: str, said: str
):
    text = (bundled("specs") / SPECIFICATION_FILE).read_text()
    assert old in text
    text = text.replace("version   = 1", "version   = 2").replace(old, new)
    acting = house.acting(SPEC, Permission.IMPORT_SPECIFICATION)
    with acting as tx, pytest.raises(InvalidInput) as no:
        import_specification(tx, house.archive, data=text.encode(), file="v2.toml")
    assert no.value.code == "BQC-SPC-023"
    assert said in no.value.reasons[0]


def test_a_result_that_is_typed_twice_can_be_printed(house: House):
    number = enter(house).number
    with pytest.raises(InvalidInput) as no:
        try_to_verify(house, number, "Negative胞")
    assert no.value.code == "BQC-ENT-005"


def test_a_site_has_a_name_and_statements_that_can_be_printed(database: str, databases: Databases):
    new = NewSite("细 Therapy", "1 Pier", "UTC", "COA", statements=("Good.", "胞"))
    with (
        databases.copy(database) as engine,
        pytest.raises(InvalidInput) as no,
        transaction(engine, SYSTEM, NOW) as tx,
    ):
        create_site(tx, new)
    assert no.value.code == "BQC-SYS-004"
    assert [one.partition(":")[0] for one in no.value.reasons] == ["name", "statements, 2"]
