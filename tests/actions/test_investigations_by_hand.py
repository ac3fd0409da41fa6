"""What cannot be judged and does not fail is investigated where a person asks for it."""

import pytest
from sqlalchemy import select

from batchqc.actions.investigation_opening import open_by_hand
from batchqc.core.conclusions import Cause
from batchqc.core.holds import Cause as HoldCause
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted
from batchqc.records.audit import AuditEntry
from batchqc.records.holds import holds_of
from batchqc.records.investigations import InvestigationRow
from tests.actions.investigating import (
    METHOD,
    OOS,
    case_of,
    conclude_cause,
    perform,
    plan,
    retest,
    review_phase,
)
from tests.actions.state import counts
from tests.actions.test_rebinding import RIGHT, correct, second
from tests.actions.typing_results import VIAB, enter, verify
from tests.records.house import ANA, AUD, LOT, House, alone
from tests.records.laboratory import adopt_method

WHY = "Measured twice: the run was thought to be lost"


def opened(house: House, criterion: str = "viability", *, by: str = ANA, reason: str = WHY) -> str:
    with house.acting(by, Permission.INVESTIGATE) as tx:
        row = open_by_hand(tx, house.archive, lot=LOT, criterion=criterion, reason=reason)
        return row.natural_key


def measured_twice(house: House) -> None:
    """Two runs that both pass, of which nobody may choose one."""
    adopt_method(house, METHOD)
    assert house.upload(alone("viability", value="95")).accepted
    assert house.upload(alone("viability", value="96", run_id="VCB-2")).accepted


def viability(house: House) -> tuple[str, str]:
    found = next(one for one in house.study().verdicts if one.criterion.id == "viability")
    return str(found.outcome), found.sentence


def gate(house: House) -> tuple[str, ...]:
    return next(one.reasons for one in house.study().gates if one.name == "Investigations")


@pytest.mark.requirement("3.06")
@pytest.mark.requirement("2.07")
def test_what_was_measured_twice_and_passes_is_investigated_and_measured_as_planned(house: House):
    measured_twice(house)
    assert viability(house)[0] == "CANNOT_JUDGE"
    assert gate(house) == ()
    assert opened(house) == OOS
    case = case_of(house)
    assert "two results, no authorised retest" in case.row.sentence
    assert sorted(one.run for one in case.now.runs) == ["VCB-2", "VCB-250520-01"]
    assert gate(house)[0].startswith(f"{OOS} (viability)")
    perform(house)
    review_phase(house)
    plan(house)
    retest(house, "95", "VCB-R1")
    retest(house, "97", "VCB-R2")
    assert viability(house)[0] == "CANNOT_JUDGE"
    house.review()
    conclude_cause(house, cause=Cause.ANALYST)
    outcome, said = viability(house)
    assert outcome == "PASS"
    for value, run in (("95", "VCB-250520-01"), ("96", "VCB-2")):
        assert f"{value} in run {run}" in said  # set aside, and named


def test_a_version_that_drops_a_row_counts_after_a_cause_in_the_data(house: House):
    plain = alone("viability", value="95", replicate="1")
    moved = alone("viability", value="95", replicate="1", aliquot="A9")
    assert house.upload(plain).accepted
    assert house.upload(moved, supersedes="Wrong aliquot").accepted
    outcome, said = viability(house)
    assert outcome == "CANNOT_JUDGE"
    assert "superseded results are not in the newest version" in said
    opened(house)
    perform(house)
    review_phase(house)
    house.review()
    conclude_cause(house, cause=Cause.DATA, corrected=True)
    assert viability(house)[0] == "PASS"


def test_who_opened_it_and_why_is_on_record(house: House):
    measured_twice(house)
    opened(house)
    with house.reading() as session:
        row = session.scalars(select(InvestigationRow)).one()
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.what == "investigation opened")
        ).one()
    assert row.opened_by == ANA
    assert WHY in entry.text


def test_what_passes_fails_or_is_investigated_is_not_opened_by_hand(house: House):
    measured_twice(house)
    opened(house)
    before = counts(house.engine)
    with pytest.raises(Conflict) as again:
        opened(house)
    assert again.value.code == "BQC-OOS-017"
    with pytest.raises(NotFound, match='a criterion "nothing"'):
        opened(house, "nothing")
    with pytest.raises(Conflict, match="that nothing investigates"):
        opened(house, "endotoxin")  # nothing is on record
    with pytest.raises(InvalidInput):
        opened(house, reason="")
    assert counts(house.engine) == before


@pytest.mark.requirement("2.01")
def test_what_fails_beside_something_else_has_its_own_investigation(house: House):
    assert house.upload(alone("viability", value="89")).accepted
    assert house.upload(alone("viability", value="95", run_id="VCB-2")).accepted
    assert viability(house)[0] == "CANNOT_JUDGE"
    with pytest.raises(Conflict) as refused:
        opened(house)
    assert refused.value.code == "BQC-OOS-018"
    assert refused.value.reasons


def test_who_may_not_investigate_opens_none(house: House):
    measured_twice(house)
    with pytest.raises(NotPermitted), house.acting(AUD, Permission.READ) as tx:
        open_by_hand(tx, house.archive, lot=LOT, criterion="viability", reason=WHY)


@pytest.mark.requirement("2.01")
def test_a_released_lot_is_held_for_it(house: House):
    house.ready()
    house.release()
    assert house.upload(alone("viability", value="96", run_id="VCB-2")).accepted
    assert viability(house)[0] == "CANNOT_JUDGE"
    number = opened(house)
    with house.reading() as session:
        holds = [one for one, _ in holds_of(session, [house.study().row.id])]
    assert [one.cause for one in holds] == [HoldCause.INVESTIGATION]
    assert number in holds[0].reason


@pytest.mark.requirement("2.01")
def test_what_fails_once_the_lot_is_bound_anew_opens_its_own_investigation(house: House):
    """What a person had opened before is of no failure, and sets none aside by itself."""
    second(house, ('accept   = "> 90"', 'accept   = "> 95.5"'))
    measured_twice(house)
    opened(house)
    perform(house)
    review_phase(house)
    plan(house)
    correct(house, "manufactured_on", RIGHT)
    correct(house, "specification", "UC-MSC-REL v2")
    other = "OOS-2026-000002"
    assert "95 % does not meet > 95.5 %" in case_of(house, other).row.sentence
    retest(house, "98", "VCB-R1")
    retest(house, "97", "VCB-R2")
    house.review()
    conclude_cause(house, cause=Cause.ANALYST)
    assert gate(house) == (f"{other} (viability): phase I is to be performed",)


@pytest.mark.requirement("2.01")
def test_what_waits_for_its_second_entry_fails_after_the_conclusion_and_is_investigated(
    house: House,
):
    measured_twice(house)
    opened(house)
    typed = enter(house, VIAB, values=("80",)).number
    perform(house)
    review_phase(house)
    plan(house)
    retest(house, "98", "VCB-R1")
    retest(house, "97", "VCB-R2")
    house.review()
    conclude_cause(house, cause=Cause.ANALYST)
    outcome, said = viability(house)
    assert (outcome, "not verified by a second person" in said) == ("CANNOT_JUDGE", True)
    assert verify(house, typed, "80", unit="%")
    assert viability(house)[0] == "CANNOT_JUDGE"
    assert gate(house) == ("OOS-2026-000002 (viability): phase I is to be performed",)
    assert "80 % does not meet > 90 %" in case_of(house, "OOS-2026-000002").row.sentence
