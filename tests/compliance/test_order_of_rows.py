"""What holds now is folded from rows in the order of their ids, and searches compare texts.

No hash of a row holds its id, or how a moment is spelt: an owner who changes these is named too.
"""

import pytest
from sqlalchemy import Connection, select, text

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.layouts import layout_in_force
from batchqc.core.permissions import Permission
from batchqc.errors import ReleaseBlocked
from batchqc.records.audit import AuditEntry
from batchqc.records.lists import as_corrected
from batchqc.records.registers import LotRow
from tests.records.house import ANA, LOT, PRODUCT, QA2, House, signing
from tests.records.layouts import LAYOUT, adopt_layout
from tests.records.tampering import CONTENT, tamper, tampering


def swap(connection: Connection, table: str, first: int, second: int) -> None:
    """Let two rows have each other's id, and whatever refers to them go along."""
    columns = [
        (one.name, column.name)
        for one in CONTENT.values()
        for column in one.columns
        if any(key.column.table.name == table for key in column.foreign_keys)
    ]
    for old, new in ((first, -1), (second, first), (-1, second)):
        for name, column in [(table, "id"), *columns]:
            values = {"new": new, "old": old}
            change = text(f'UPDATE {name} SET "{column}" = :new WHERE "{column}" = :old')  # noqa: S608 - of our own names
            connection.execute(change, values)


def correct(house: House, after: str) -> None:
    """Let two people correct the day on which the lot expires."""
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        number = request_correction(
            tx, subject=f"lot:{LOT}", field="expires_on", after=after, reason="Misread label"
        ).natural_key
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decide_correction(tx, house.archive, number=number, approve=True, credentials=signing(QA2))


@pytest.mark.requirement("1.01", "1.05")
def test_an_earlier_correction_that_is_made_the_newest_releases_nothing(house: House):
    house.ready()
    correct(house, "2027-05-17")
    correct(house, "2026-01-01")
    house.read_trail()
    expired = [one.name for one in house.study().gates if not one.is_open]
    with tampering(house.engine) as connection:
        swap(connection, "correction", 1, 2)
    said = "correction:C-2026-000001 does not stand where its number says: ids were changed"
    assert expired
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert f"Records: {said}" in blocked.value.reasons
    assert house.verify().problems == (said,)


@pytest.mark.requirement("1.05")
def test_the_newest_correction_is_that_of_the_highest_number_whatever_its_id(house: House):
    """The years of corrections are not held against their ids."""
    correct(house, "2027-05-17")
    house.now.at = house.now.at.replace(year=2027, month=1)
    correct(house, "2026-11-30")
    with tampering(house.engine) as connection:
        swap(connection, "correction", 1, 2)
    assert house.study().lot.expires_on.isoformat() == "2026-11-30"
    with house.reading() as session:
        (line,) = session.execute(select(LotRow.lot, as_corrected("expires_on", LotRow.expires_on)))
    assert line[1] == "2026-11-30"


@pytest.mark.requirement("1.05")
def test_an_earlier_layout_that_is_made_the_newest_is_not_in_force(house: House):
    """Approvals have no numbers of their own; their signatures have."""
    adopt_layout(house, LAYOUT)
    adopt_layout(house, LAYOUT.replace(b"COA-DE", b"COA-DE-NEW"))
    with tampering(house.engine) as connection:
        swap(connection, "layout_approval", 1, 2)
    with house.reading() as session:
        layout = layout_in_force(session, house.archive, PRODUCT)
    assert layout is not None
    assert layout.id == "COA-DE-NEW"


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize("form", ["%Y%m%dT%H%M%S.%fZ", "%Y-%m-%dt%H:%M:%S.%fZ", "%Y-%m-%dT%H:%MZ"])
def test_a_moment_that_is_spelt_in_another_way_is_named(full_house: House, form: str):
    query = select(AuditEntry.id, AuditEntry.at).order_by(AuditEntry.id)
    with full_house.reading() as session:
        number, at = next(one for one in session.execute(query) if not one.at.second)
    change = text("UPDATE audit_entry SET at = :spelt WHERE id = :id")
    with tampering(full_house.engine) as connection:
        connection.execute(change, {"spelt": at.strftime(form), "id": number})
    assert full_house.verify().problems == (
        f"a moment in audit_entry #{number} is spelt in another way: searches can miss it",
    )


@pytest.mark.requirement("1.05")
def test_results_that_are_sorted_by_another_moment_than_they_say_are_named(full_house: House):
    """The hash of a run holds the time as typed; charts of controls are sorted by the other."""
    tamper(
        full_house.engine,
        "UPDATE measurement SET measured_at = '2020-01-01T00:00:00.000000Z'"
        " WHERE assay_run_id = (SELECT min(id) FROM assay_run WHERE test = 'VIAB')",
    )
    run = f"assay_run:U-2026-000002/{LOT}/VIAB/VCB-250520-01"
    assert full_house.verify().problems == (f"results of {run} are sorted by another moment",)
