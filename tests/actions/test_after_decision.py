"""Results that come after a decision: taken, told as such, and never without their consequence."""

import json
from datetime import date, timedelta

import pytest

from batchqc.actions.after_decision import came_after
from batchqc.actions.certificate_states import state_of
from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.holds import hold_lot
from batchqc.actions.later_decisions import decide_later
from batchqc.actions.letting_go import let_go
from batchqc.actions.lots import NewLot, NewSample, register_lot, register_samples, the_lot
from batchqc.actions.open_work import open_work
from batchqc.actions.policies import set_policy
from batchqc.actions.recheck import recheck
from batchqc.core.lot_states import Disposition, Overlay
from batchqc.core.open_work import Filter, Work
from batchqc.core.permissions import Permission
from batchqc.core.policies import ON, Policy
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, NotPermitted
from batchqc.records.decisions import certificates_of, dispositions_of
from batchqc.records.events import events_after, newest_event
from batchqc.records.holds import Hold, holds_of
from batchqc.records.lot_reviews import trail_about
from tests.actions.investigating import (
    conclude_cause,
    perform,
    planned,
    retest,
)
from tests.actions.large_files import Large, controls
from tests.actions.typing_results import VIAB, enter, verify
from tests.actions.versions import STAGED, lot_of_stages, version
from tests.cast import NOW
from tests.records.genealogy import clinic, shipped, vials
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    GOOD,
    LOT,
    PRODUCT,
    QA1,
    QA2,
    House,
    adopt,
    alone,
    good,
    results,
    signing,
    table,
)

V1, V2 = f"{LOT}-V1", f"{LOT}-V2"
RUN = "LATE-1"
SUPPLY = {
    "physician": "Dr. 17", "request": "R-9", "hazard": "Acute GvHD, no other dose in time",
    "alternatives": "None of the same type in stock", "risk_evaluation": "RE-4",
    "confirmation": "C-2", "notified": "Sponsor, 2026-06-01",
}  # fmt: skip


@pytest.fixture
def released(house: House) -> House:
    """A released lot of which one vial is at a site, and one in storage."""
    house.ready()
    assert isinstance(house.release(), Decision)
    vials(house, LOT, V1, V2)
    clinic(house)
    shipped(house, V1)
    return house


def late(value: str = "50", analyte: str = "viability", run: str = RUN, **cells: str) -> bytes:
    return alone(analyte, value=value, run_id=run, **cells)


def holds(house: House, lot: str = LOT) -> list[Hold]:
    with house.reading() as session:
        return [hold for hold, _ in holds_of(session, [the_lot(session, lot).id])]


def decide(house: House, wanted: Disposition, **said: str) -> None:
    with house.acting(QA2, Permission.DECIDE_LATER) as tx:
        signed = decide_later(
            tx, house.archive, lot=LOT, wanted=wanted,
            particulars={name.replace("_", " "): text for name, text in said.items()},
            credentials=signing(QA2),
        )  # fmt: skip
        assert isinstance(signed, Decision)


def reject(house: House) -> None:
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        signed = reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
        assert isinstance(signed, Decision)


def frozen(house: House) -> list[tuple[str, bytes]]:
    """Every decision and certificate of the lot with its bytes."""
    with house.reading() as session:
        lot = the_lot(session, LOT)
        rows = (*dispositions_of(session, lot), *certificates_of(session, lot))
        return [(one.key, house.archive.get(one.content_sha)) for one in rows]


def withdrawn(house: House) -> list[str]:
    with house.reading() as session:
        found = certificates_of(session, the_lot(session, LOT))
        return [state_of(session, one).withdrawn for one in found]


def refused(house: House) -> tuple[str, ...]:
    """Why the second vial is not shipped."""
    with pytest.raises(Conflict) as found:
        shipped(house, V2)
    return found.value.reasons


def sound(house: House) -> None:
    """Whatever came, what was recorded is as it was recorded."""
    assert house.verify().problems == ()
    assert house.study().facts.damaged == ()
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()


@pytest.mark.requirement("2.01", "2.25")
def test_what_fails_after_the_release_holds_the_lot_at_once_and_tells_where_the_doses_are(
    released: House,
):
    before = frozen(released)
    with released.reading() as session:
        last = newest_event(session)
    report = released.upload(late())
    assert report.accepted
    (told,) = report.reading.problems
    assert (told.code, told.severity, told.row, told.column) == ("W401", "warning", 2, "lot_id")
    assert "released" in told.message
    case = released.study()
    assert (case.disposition, case.overlays) == (Disposition.RELEASED, (Overlay.ON_HOLD,))
    (hold,) = holds(released)
    assert (hold.cause, hold.about) == ("late failure", "investigation:OOS-2026-000001")
    (why,) = withdrawn(released)
    assert why == hold.reason
    assert "OOS-2026-000001" in why
    with released.reading() as session:
        (held,) = trail_about(session, [f"lot:{LOT}"], only={"lot held"})
        kinds = [one.kind for one in events_after(session, last, limit=100)]
    doses = json.loads(held[1].text)["after"]["doses"]
    assert "shipped to" in doses[0]
    assert "in storage" in doses[1]
    for kind in ("upload.accepted", "investigation.opened", "lot.held", "certificate.withdrawn"):
        assert kinds.count(kind) == 1
    assert frozen(released) == before
    sound(released)


@pytest.mark.requirement("2.01")
@pytest.mark.requirement("3.01")
def test_what_waits_for_its_second_entry_hides_no_failure_beside_it(released: House):
    assert enter(released, VIAB, run="VCB-TYPED").accepted
    assert holds(released) == []
    assert released.upload(late()).accepted
    (hold,) = holds(released)
    assert (hold.cause, hold.about) == ("late failure", "investigation:OOS-2026-000001")
    assert withdrawn(released) == [hold.reason]
    sound(released)


@pytest.mark.requirement("2.01")
def test_nothing_is_let_go_or_shipped_while_what_came_later_fails(released: House):
    assert released.upload(late()).accepted
    with (
        pytest.raises(Conflict, match="OOS-2026-000001"),
        released.acting(QA1, Permission.HOLD_LOT) as tx,
    ):
        let_go(tx, released.archive, lot=LOT, number=1, credentials=signing(QA1))
    reasons = refused(released)
    assert any("two results" in one for one in reasons), reasons
    assert any("OOS-2026-000001" in one for one in reasons)


@pytest.mark.parametrize("value", [">80", "95"])
def test_what_came_later_and_cannot_be_judged_keeps_the_doses_though_nothing_fails(
    released: House, value: str
):
    assert released.upload(late(value)).accepted
    assert holds(released) == []
    assert withdrawn(released) == [""]
    judged, unseen = refused(released)
    assert judged.startswith(f"lot {LOT}: CANNOT JUDGE")
    assert unseen.startswith(f"lot {LOT}: Review: run {RUN}")


@pytest.mark.requirement("1.31", "2.06")
def test_what_came_later_is_told_as_such_and_waits_for_its_review(released: House):
    assert came_after(released.archive, released.study()) == frozenset()
    released.upload(late("95"))
    case = released.study()
    (run,) = came_after(released.archive, case)
    assert run.run == RUN
    with released.reading() as session:
        wanted = Filter(Work.REVIEW, LOT)
        _, waits, _ = open_work(session, released.archive, wanted=wanted, now=released.now())
    assert [one.what for one in waits] == [f"run {RUN} (VIAB) of {run.upload}"]
    with pytest.raises(NotPermitted):
        released.review(by=ANA)
    signed = released.review()
    assert isinstance(signed, list)
    assert len(signed) == 1
    with released.reading() as session:
        _, waits, _ = open_work(session, released.archive, wanted=wanted, now=released.now())
    assert waits == []
    sound(released)


def test_where_the_decision_cannot_be_read_no_run_is_said_to_be_in_it(released: House):
    with released.reading() as session:
        (decision,) = dispositions_of(session, the_lot(session, LOT))
    released.archive.path_of(decision.content_sha).unlink()
    case = released.study()
    assert came_after(released.archive, case) == {run.run_key for run in case.runs}


@pytest.mark.requirement("2.01")
def test_what_fails_after_a_recall_opens_its_investigation_only(released: House):
    decide(released, Disposition.RECALLED, **{"class": "I", "scope": "Every dose"})
    before = withdrawn(released)
    report = released.upload(late())
    assert [one.code for one in report.reading.problems] == ["W401"]
    case = released.study()
    assert [one.number for one in case.known.investigations] == ["OOS-2026-000001"]
    assert holds(released) == []
    assert withdrawn(released) == before
    sound(released)


@pytest.mark.requirement("3.02", "3.03")
def test_a_rejected_lot_takes_the_retests_of_its_open_investigation_and_no_more(house: House):
    planned(house)
    reject(house)
    for run in ("V-2", "V-3"):
        report = retest(house, "93.4", run)
        assert {one.code for one in report.reading.problems} == {"W401"}
        assert report.accepted
    beyond = retest(house, "93.4", "V-4")
    assert "E408" in {one.code for one in beyond.reading.problems}
    assert not beyond.accepted
    house.review()
    assert not isinstance(conclude_cause(house), Refusal)
    assert house.study().disposition is Disposition.REJECTED
    assert holds(house) == []
    sound(house)


def test_what_fails_of_a_rejected_lot_is_investigated_and_nothing_is_held(house: House):
    reject(house)
    assert house.upload(late()).accepted
    assert [one.number for one in house.study().known.investigations] == ["OOS-2026-000001"]
    assert holds(house) == []
    sound(house)


def test_what_fails_of_a_lot_that_was_supplied_by_exception_holds_it(house: House):
    house.upload(results(viability="50"))
    house.review()
    with house.acting(QA1, Permission.SET_POLICY) as tx:
        set_policy(tx, policy=Policy.SUPPLY_BY_EXCEPTION, value=ON, credentials=signing(QA1))
    perform(house)
    reject(house)
    decide(house, Disposition.SUPPLIED, **SUPPLY)
    assert house.upload(late("95", run="AGAIN")).accepted
    assert holds(house) == []
    assert withdrawn(house) == [""]
    assert house.upload(late("9", "endotoxin", run="ENDO-2")).accepted
    (hold,) = holds(house)
    assert hold.cause == "late failure"
    assert "endotoxin" in withdrawn(house)[0]
    sound(house)


@pytest.mark.requirement("1.31")
def test_a_result_typed_after_the_release_keeps_the_doses_until_two_people_agree(released: House):
    number = enter(released, values=("Positive",), run="MYCO-2").number
    assert holds(released) == []
    assert any("second" in one for one in refused(released))
    assert verify(released, number, "Positive")
    (hold,) = holds(released)
    assert hold.cause == "late failure"
    sound(released)


def test_a_sample_that_is_drawn_after_the_release_is_registered_and_its_result_judged(house: House):
    adopt(house, STAGED)
    house.ready()
    lot_of_stages(house, "post-thaw")
    other = "MSC-26-0042"
    assert house.upload(results(lot=other, **_runs_of(other))).accepted
    row = {"lot_id": other, "sample_id": f"{other}-S02"} | good("viability")
    assert house.upload(table([row | {"run_id": "THAW-1"}])).accepted
    house.review(other)
    assert isinstance(house.release(other), Decision)
    drawn = (NewSample(f"{other}-S03", "post-thaw", "vial", NOW.isoformat()),)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_samples(tx, lot=other, samples=drawn)
    house.now.at += timedelta(hours=1)
    thawed = row | {
        "sample_id": f"{other}-S03", "run_id": "THAW-2", "value": "12",
        "measured_at": NOW.isoformat(),
    }  # fmt: skip
    assert house.upload(table([thawed])).accepted
    assert [one.cause for one in holds(house, other)] == ["late failure"]


@pytest.mark.requirement("2.01")
def test_a_result_of_another_stage_that_cannot_be_judged_keeps_a_lot_in_use_held(house: House):
    adopt(house, STAGED)
    house.ready()
    lot_of_stages(house, "post-thaw")
    other = "MSC-26-0042"
    assert house.upload(results(lot=other, **_runs_of(other))).accepted
    row = {"lot_id": other, "sample_id": f"{other}-S02"} | good("viability")
    assert house.upload(table([row | {"run_id": "THAW-1"}])).accepted
    house.review(other)
    assert isinstance(house.release(other), Decision)
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        assert isinstance(hold_lot(tx, lot=other, credentials=signing(QA1)), Hold)
    assert house.upload(table([row | {"run_id": "THAW-2", "value": "95"}])).accepted
    house.review(other)
    with pytest.raises(Conflict) as kept, house.acting(QA2, Permission.HOLD_LOT) as tx:
        let_go(tx, house.archive, lot=other, number=1, credentials=signing(QA2))
    (reason,) = kept.value.reasons
    assert reason.startswith("Other stages: CANNOT JUDGE: two results, no authorised retest")


def _runs_of(lot: str) -> dict[str, dict[str, str]]:
    return {
        name: {"run_id": f"{good(name)['run_id']}-{lot[-2:]}"}
        for name in ("CD73", "CD90", "CD105", "negative_panel", "viability", "inhibition",
                     "kynurenine", "endotoxin", "growth_14d", "mycoplasma")
    }  # fmt: skip


@pytest.mark.requirement("2.01")
def test_a_large_file_that_would_hold_a_lot_is_refused_and_says_how_it_is_uploaded(
    released: House, tmp_path
):
    big = Large(released, tmp_path)
    cells = {"lot_id": LOT, "sample_id": f"{LOT}-S01"} | good("viability") | {"run_id": RUN}
    rows = [*controls(), cells | {"value": "50"}]
    report = big.upload(table(rows))
    assert not report.accepted
    (told,) = [one for one in report.reading.problems if one.code == "E410"]
    assert (told.row, told.column) == (len(rows) + 1, "lot_id")
    assert "ordinary file" in told.hint
    assert holds(released) == []
    assert RUN not in {run.run for run in released.study().runs}
    passing = big.upload(table([*controls(), cells | {"value": "95"}]))
    assert passing.accepted
    assert [one.code for one in passing.reading.problems] == ["W401"]
    sound(released)
    assert released.upload(table([cells | {"run_id": "LATE-2", "value": "50"}])).accepted
    assert [one.cause for one in holds(released)] == ["late failure"]


DERIVED = """
[criteria.loss]
title    = "Loss of viability"
category = "quantity"
formula  = "all - viable"
inputs   = { all = "100 %", viable = "viability" }
unit     = "%"
accept   = "<= 10"
"""


@pytest.mark.requirement("2.01")
def test_what_is_computed_fails_late_by_a_run_beside_the_first_and_holds_the_lot(house: House):
    told = ('accept   = "> 90"', 'accept   = "for information"')
    adopt(house, version(2, "2026-05-01", told) + DERIVED.encode())
    lot, made_on = "UC-26-DERIVED", date(2026, 5, 2)
    samples = (NewSample(f"{lot}-S01", "release", "cryovial", "2026-05-03T08:00:00-05:00"),)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(lot, PRODUCT, made_on, EXPIRES_ON, (DONOR,), samples))
    days = {"measured_at": "2026-05-20T10:00:00-05:00", "started_at": "2026-05-04T10:00:00-05:00"}
    assert house.upload(results(lot=lot, **{name: good(name) | days for name in GOOD})).accepted
    assert isinstance(house.review(lot), list)
    assert isinstance(house.release(lot), Decision)
    assert house.upload(late("80", lot=lot, **days)).accepted
    (hold,) = holds(house, lot)
    assert (hold.cause, hold.about) == ("late failure", "investigation:OOS-2026-000001")
    assert hold.reason.startswith("loss fails: OOS-2026-000001: FAIL: 20 %")
