"""The report over history, with planted patterns; a house that works well has none."""

from datetime import timedelta

import pytest

from batchqc.actions import compliance_patterns
from batchqc.actions.compliance_patterns import find_patterns
from batchqc.actions.lots import the_lot
from batchqc.actions.lots_of_days import lots_of_days
from batchqc.actions.uploads import reading_of
from batchqc.core.compliance_patterns import Kind, Pattern
from batchqc.errors import InvalidInput
from tests.actions.investigating import conclude_cause, planned, retest
from tests.actions.typing_results import enter, verify
from tests.records.house import BEN, LOT, House, alone, results


def found(house: House, *lots: str) -> list[Pattern]:
    with house.reading() as session:
        rows = [the_lot(session, lot) for lot in lots]
        return list(find_patterns(session, house.archive, lots=rows or None))


def test_a_house_that_works_well_has_no_pattern(house: House):
    planned(house)
    assert house.upload(results(viability=None, mycoplasma=None)).accepted
    assert not house.upload(alone("CD73", value="much")).accepted
    retest(house, "95.1", "VCB-R1")
    retest(house, "94.2", "VCB-R2")
    house.review()
    conclude_cause(house)
    number = enter(house).number
    assert verify(house, number)
    assert found(house) == []


@pytest.mark.requirement("3.06")
def test_planted_patterns_are_told_with_lots_runs_people_and_uploads(house: House):
    refused = house.upload(alone("CD73", value="94.1", unit="1"))
    assert not refused.accepted
    assert house.upload(alone("CD73", value="97.9"), by=BEN).accepted
    assert house.upload(alone("viability", value="89.1")).accepted
    assert house.upload(alone("viability", value="95", run_id="VCB-2"), by=BEN).accepted
    assert house.upload(alone("endotoxin", value="9")).accepted
    assert house.upload(alone("endotoxin", value="<0.05"), supersedes="Wrong cell").accepted
    by_kind = {one.kind: one for one in found(house, LOT)}
    assert set(by_kind) == {Kind.RETEST, Kind.EDITED}
    again = by_kind[Kind.RETEST]
    assert (again.lots, again.people) == ((LOT,), ("ana", "ben"))
    assert again.uploads == ("U-2026-000003", "U-2026-000004")
    assert "95 (PASS) in run VCB-2 (VIAB)" in again.said
    assert by_kind[Kind.EDITED].uploads == ("U-2026-000005", "U-2026-000006")


def test_cells_that_changed_after_a_refusal_are_told(house: House):
    """A file is refused for one row; another row of it comes back with another value."""
    first = results(viability="89.1", CD73="much")
    assert not house.upload(first).accepted
    assert house.upload(results()).accepted
    (pattern,) = found(house)
    assert pattern.kind is Kind.CHANGED
    assert pattern.uploads == ("U-2026-000001", "U-2026-000002")
    assert pattern.said == (
        "U-2026-000001 was refused; U-2026-000002 has other values in viability of"
        f" {LOT} (vcb-250520-01)"
    )


def test_refused_files_are_read_that_came_while_some_lots_were_tested_or_shortly_before(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    assert not house.upload(results(viability="89.1", CD73="much")).accepted
    later = house.upload(results())
    assert later.accepted
    (changed,) = found(house, LOT)
    assert (changed.kind, changed.uploads[1]) == (Kind.CHANGED, later.number)
    assert not house.upload(alone("CD73", value="much")).accepted
    asked: list[str] = []
    monkeypatch.setattr(
        compliance_patterns,
        "reading_of",
        lambda *told: asked.append(told[2].natural_key) or reading_of(*told),
    )
    assert found(house, LOT) == [changed] == found(house)
    assert asked == ["U-2026-000001", "U-2026-000001", "U-2026-000003"]


def test_a_file_that_was_refused_long_before_is_read_if_the_lot_was_made_by_then(house: House):
    refused = house.upload(results(viability="89.1", CD73="much"))
    assert not refused.accepted
    house.now.at += timedelta(days=45)
    assert house.upload(results()).accepted
    (changed,) = found(house, LOT)
    assert (changed.kind, changed.uploads[0]) == (Kind.CHANGED, refused.number)


def test_a_look_at_some_days_takes_a_limited_number_of_lots(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    house.upload(results())
    today = house.now().date()
    with house.reading() as session:
        assert [one.lot for one in lots_of_days(session, now=house.now()).lots] == [LOT]
        day = lots_of_days(session, now=house.now(), since=today, until=today)
        before = lots_of_days(session, now=house.now(), until=today - timedelta(days=1))
        assert (len(day.lots), len(before.lots), before.since) == (1, 0, today - timedelta(31))
        monkeypatch.setattr("batchqc.actions.lots_of_days.MOST_LOTS", 0)
        with pytest.raises(InvalidInput, match="BQC-OOS-015"):
            lots_of_days(session, now=house.now())
