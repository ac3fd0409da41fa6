"""What changes a verdict after the decision without a further result of the lot."""

import pytest

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.dispositions import Decision
from batchqc.actions.letting_go import let_go
from batchqc.core.permissions import Permission
from batchqc.core.verdicts import Outcome
from batchqc.errors import Conflict
from batchqc.records.corrections import CorrectionDecision
from batchqc.records.holds import HoldEnd
from batchqc.records.lot_reviews import trail_about
from tests.actions.correcting import decide as put_right
from tests.actions.correcting import request
from tests.actions.test_after_decision import V1, holds, refused, released, sound, withdrawn
from tests.actions.test_methods import OTHER, another_lot, endotoxin, recovery, row, send
from tests.records.donors import DIN, adopt_panel, complete, determine, take_tests
from tests.records.genealogy import clinic, shipped, vials
from tests.records.house import DON, DONOR, LOT, QA2, House, results, signing, table
from tests.records.laboratory import METHOD_FILE, adopt_method
from tests.records.tampering import tamper

__all__ = ["released"]
WHY = "Wrong control was exported"


@pytest.fixture
def shared(house: House) -> House:
    """A run of two lots; its control is filed with the other one. Both are reviewed."""
    adopt_method(house, METHOD_FILE)
    another_lot(house)
    assert house.upload(results(endotoxin=None)).accepted
    send(house, row("endotoxin"), row("endotoxin", OTHER, aliquot="A2"), recovery("104", OTHER))
    house.review()
    house.review(OTHER)
    return house


def supersede(house: House, control: str) -> list[tuple[str, str]]:
    """Send the other lot's part anew: what is wrong with it."""
    rows = [row("endotoxin", OTHER, aliquot="A2"), recovery(control, OTHER)]
    report = house.upload(table(rows), supersedes=WHY)
    assert report.accepted is not any(one.code == "E409" for one in report.reading.problems)
    return [(one.code, one.message) for one in report.reading.problems]


def correct(house: House, after: str) -> str:
    """Correct the tissue of the donor of the lot: the number of the correction."""
    with house.acting(DON, Permission.REQUEST_CORRECTION) as tx:
        number = request_correction(
            tx, subject=f"donor:{DONOR}", field="tissue_source", after=after, reason="Misread label"
        ).natural_key
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decided = decide_correction(
            tx, house.archive, number=number, approve=True,
            credentials=signing(QA2),
        )  # fmt: skip
        assert isinstance(decided, CorrectionDecision)
    return number


@pytest.mark.requirement("2.01", "3.15")
def test_a_run_on_which_a_decision_rests_is_superseded_through_no_other_lot(shared: House):
    assert isinstance(shared.release(), Decision)
    vials(shared, LOT, V1)
    clinic(shared)
    (told,) = supersede(shared, "30")
    assert told[0] == "E409"
    assert f"the decision over lot {LOT} rests on run" in told[1]
    assert endotoxin(shared).outcome is Outcome.PASS
    assert shipped(shared, V1)
    sound(shared)


def test_before_any_decision_a_part_of_a_shared_run_is_superseded(shared: House):
    assert supersede(shared, "30") == []
    assert endotoxin(shared).outcome is Outcome.CANNOT_JUDGE


@pytest.mark.requirement("2.01")
def test_a_method_that_is_approved_after_the_release_keeps_doses_of_runs_it_does_not_hold_for(
    released: House,
):
    adopt_method(released, METHOD_FILE)
    (reason,) = refused(released)
    assert reason.startswith(f"lot {LOT}: CANNOT JUDGE")
    assert "not known to be valid" in reason


@pytest.mark.requirement("2.01", "8.02")
def test_a_corrected_donor_who_fails_holds_every_lot_in_use_and_tells_where_the_doses_are(
    released: House,
):
    another_lot(released)  # of the same donor, and not decided
    number = correct(released, "bone marrow")
    (hold,) = holds(released)
    assert (hold.cause, hold.about) == ("late failure", f"correction:{number}")
    assert number in hold.reason
    assert "FAIL" in hold.reason
    assert withdrawn(released) == [hold.reason]
    assert holds(released, OTHER) == []
    with released.reading() as session:
        (entry,) = trail_about(session, [f"lot:{LOT}"], only={"lot held"})
    assert V1 in entry[1].text
    assert any("FAIL" in one for one in refused(released))
    sound(released)


def test_a_corrected_donor_who_fails_nothing_holds_nothing(released: House):
    correct(released, "Wharton's jelly")
    assert holds(released) == []
    assert withdrawn(released) == [""]
    sound(released)


@pytest.mark.requirement("1.05", "8.02", "8.13")
def test_a_corrected_donor_who_is_not_eligible_any_more_holds_what_is_in_use(house: House):
    panel = adopt_panel(house)
    complete(house)
    determine(house, panel=panel)
    house.ready()
    assert isinstance(house.release(), Decision)
    for subject, field, after in (
        (f"donation:{DIN}", "donated_on", "2025-04-02"),
        (f"donation:{DIN}", "donation", "W000009000001"),
        (f"consent:{DONOR}/1", "version", "2.1"),
        (f"donor_test:{DIN}/2", "taken_text", "2025-04-03T09:00:00-05:00"),
    ):
        assert isinstance(
            put_right(house, request(house, subject, field, after)), CorrectionDecision
        )
        assert holds(house) == []
    number = request(house, f"donor_test:{DIN}/4", "person", "donor")
    assert isinstance(put_right(house, number), CorrectionDecision)
    (hold,) = holds(house)
    said = "HBsAg was tested of the donor, and not of the birth mother"
    assert hold.reason == f"{number} (person): donor {DONOR}: W000009000001: {said}"
    assert all(withdrawn(house))
    with house.acting(QA2, Permission.HOLD_LOT) as tx, pytest.raises(Conflict) as still:
        let_go(tx, house.archive, lot=LOT, number=1, credentials=signing(QA2))
    assert any("was determined before" in one for one in still.value.reasons)
    take_tests(house, results=(("HBsAg", "nonreactive"),))
    determine(house, panel=panel)
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        ended = let_go(tx, house.archive, lot=LOT, number=1, credentials=signing(QA2))
        assert isinstance(ended, HoldEnd)
    assert house.verify().problems == ()


@pytest.mark.parametrize("panel", [True, False])
def test_a_corrected_result_is_looked_back_for_and_holds_by_that_alone(
    house: House, *, panel: bool
):
    name = adopt_panel(house) if panel else ""
    complete(house)
    determine(house, panel=name)
    house.ready()
    assert isinstance(house.release(), Decision)
    put_right(house, request(house, f"donor_test:{DIN}/4", "result", "reactive"))
    (hold,) = holds(house)
    assert hold.cause == "look-back"


@pytest.mark.requirement("1.01")
def test_no_dose_leaves_while_the_audit_trail_is_broken(released: House):
    """A release is refused then, and so is the end of a hold."""
    tamper(
        released.engine,
        "UPDATE audit_link SET previous = 'x'"
        " WHERE sequence = (SELECT max(sequence) - 1 FROM audit_link)",
    )
    assert released.study().facts.chain.stops
    assert any(": Audit chain: entry" in one for one in refused(released))
