"""What may follow a decision: a conditional release and its end, recall, supply, destruction."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from batchqc.actions.accounts import change_role, deactivate
from batchqc.actions.annex16 import check_manufacture, transfer_to_stock
from batchqc.actions.certificate_states import state_of, withdraw_certificate
from batchqc.actions.clinical_sites import NewSite, register_clinical_site
from batchqc.actions.conditional_release import release_conditionally
from batchqc.actions.containers import NewContainer, register_containers
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.actions.holds import hold_lot
from batchqc.actions.later_decisions import decide_later
from batchqc.actions.letting_go import let_go
from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.actions.open_work import open_work
from batchqc.actions.overdue import hold_what_is_overdue
from batchqc.actions.policies import set_policy
from batchqc.actions.quality_reviews import review_content
from batchqc.actions.shipments import NewShipment, ship
from batchqc.core.annex16 import POINTS
from batchqc.core.conclusions import Cause, Wanted
from batchqc.core.investigations import Finding
from batchqc.core.lot_states import Disposition, Overlay
from batchqc.core.open_work import Filter, Work
from batchqc.core.permissions import Permission, Role
from batchqc.core.policies import OFF, ON, Certifies, Policy
from batchqc.core.quality_reviews import Period
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, InvalidInput, NotPermitted, ReleaseBlocked
from batchqc.records.annex16 import LotCheck, Transfer
from batchqc.records.audit import entries_about
from batchqc.records.decisions import Certificate, certificates_of, dispositions_of
from batchqc.records.holds import HoldEnd, holds_of
from batchqc.records.investigations import InvestigationStep
from batchqc.records.lot_reviews import trail_about
from batchqc.records.policies import PolicyRow
from batchqc.records.registers import LotRow, lot_by
from tests.actions.investigating import OOS, conclude_cause, concluded, perform, review_phase
from tests.actions.large_files import Large, controls
from tests.actions.state import counts, grown
from tests.actions.typing_results import MYCO, enter, verify
from tests.actions.versions import FOR_EU, version
from tests.cast import NOW, SITE_ZONE, TAKEN_AT
from tests.records.genealogy import shipped, vials
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    DONOR,
    EXPIRES_ON,
    GOOD,
    LABORATORY,
    LOT,
    MADE_ON,
    PRODUCT,
    QA1,
    QA2,
    QA3,
    House,
    adopt,
    alone,
    good,
    results,
    signing,
    table,
)
from tests.records.tampering import tamper

LATER = "MSC-26-0077"
NO_CELLS: Mapping[str, str] = {}
GRAM = """
[criteria.gram]
title      = "Gram stain"
category   = "safety"
test       = "GRAM"
analyte    = "gram"
method     = "SOP-MB-001"
vocabulary = "growth"
accept     = "no growth"
[criteria.sterility]"""
STAGED = version(
    2, "2025-05-20", ("[criteria.sterility]", GRAM), ("planned_days = 14", 'interim = ["gram"]')
)
PLANNED = version(
    2, "2025-05-20", ("[criteria.sterility]", GRAM),
    ("planned_days = 14", 'interim = ["gram"]\nplanned_days = 14'),
)  # fmt: skip
STERILE = replace(
    MYCO, test="STER", analyte="growth_14d", values=("No growth",), instrument="BTA-001",
    started_at="2025-05-20T11:00:00-05:00", measured_at="2025-06-03T11:00:00-05:00",
    method="SOP-MB-002 v6",
)  # fmt: skip
SUPPLY = {
    "physician": "Dr. 17", "request": "R-9", "hazard": "Acute GvHD, no other dose in time",
    "alternatives": "None of the same type in stock", "risk_evaluation": "RE-4",
    "confirmation": "C-2", "notified": "Sponsor, 2026-06-01",
}  # fmt: skip


def registered(house: House, market: str = "", taken_at: datetime = TAKEN_AT) -> None:
    sample = NewSample(f"{LATER}-S01", "release", "cryovial", taken_at.isoformat())
    made_on = MADE_ON + timedelta(days=1)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(LATER, PRODUCT, made_on, EXPIRES_ON, (DONOR,), (sample,), market))


@pytest.fixture
def staged(house: House) -> House:
    """A lot whose sterility may stay pending while its Gram stain passes."""
    adopt(house, STAGED)
    with house.acting(QA1, Permission.SHIP) as tx:
        register_clinical_site(tx, NewSite("SITE-1", "Clinic", "1 Road", "Pharmacy"))
    registered(house)
    return house


def bring_in(
    house: House,
    *,
    gram: str = "No growth",
    cells: Mapping[str, str] = NO_CELLS,
    **changes: str | None,
) -> None:
    rows = dict.fromkeys(GOOD, cells) | {"growth_14d": None} | changes
    house.upload(results(lot=LATER, **rows))
    row = good("mycoplasma") | cells | {
        "lot_id": LATER, "sample_id": f"{LATER}-S01", "test_code": "GRAM", "analyte": "gram",
        "method_id": "SOP-MB-001", "run_id": "G-1", "value": gram,
    }  # fmt: skip
    assert house.upload(table([row])).accepted
    house.review(LATER)
    house.hand_to_qa(LATER)


def conditionally(
    house: House, *, sites: tuple[str, ...] = ("SITE-1",), **due: date
) -> Decision | Refusal:
    due = due or {"sterility": house.study(LATER).facts.today + timedelta(days=14)}
    with house.acting(QA1, Permission.RELEASE_LOT) as tx:
        return release_conditionally(
            tx, house.archive, lot=LATER, due=due, sites=sites, credentials=signing(QA1)
        )


def later(
    house: House, wanted: Disposition, lot: str = LOT, by: str = QA2, **said: str
) -> Disposition:
    with house.acting(by, Permission.DECIDE_LATER) as tx:
        signed = decide_later(
            tx, house.archive, lot=lot, wanted=wanted,
            particulars={name.replace("_", " "): text for name, text in said.items()},
            credentials=signing(by),
        )  # fmt: skip
        assert isinstance(signed, Decision)
    return house.study(lot).disposition


def waits(house: House, kind: Work) -> list[tuple[str, date | None]]:
    """What of a kind of work waits of the lot, and until when."""
    with house.reading() as session:
        _, found, _ = open_work(session, house.archive, wanted=Filter(kind, LATER), now=house.now())
    return [(one.what, one.due) for one in found]


def policy(house: House, name: Policy, value: str) -> PolicyRow | Refusal:
    with house.acting(QA1, Permission.SET_POLICY) as tx:
        return set_policy(tx, policy=name, value=value, credentials=signing(QA1))


def certificates(house: House, lot: str) -> list[dict]:
    """What the certificates of a lot say, oldest first, each with its state."""
    with house.reading() as session:
        row = lot_by(session, lot)
        assert row is not None
        found: list[Certificate] = list(certificates_of(session, row))
        return [
            json.loads(house.archive.get(one.content_sha))
            | {"counts": state_of(session, one).counts, "state": state_of(session, one)}
            for one in found
        ]


@pytest.mark.requirement("2.25")
def test_a_lot_is_released_conditionally_and_for_good_once_its_results_pass(staged: House):
    bring_in(staged)
    with pytest.raises(ReleaseBlocked) as blocked:
        staged.release(LATER)
    assert all("sterility" in reason for reason in blocked.value.reasons)
    assert isinstance(conditionally(staged), Decision)
    assert staged.study(LATER).disposition is Disposition.CONDITIONAL
    (preliminary,) = certificates(staged, LATER)
    assert preliminary["conclusion"].startswith("PRELIMINARY. Lot MSC-26-0077 is conditionally")
    assert [one["criterion"] for one in preliminary["pending"]] == ["sterility"]
    assert len(due_until(staged)) == 1
    assert staged.upload(alone("growth_14d", lot=LATER)).accepted
    assert staged.study(LATER).overlays == ()
    assert due_until(staged) == []
    staged.review(LATER)
    assert isinstance(staged.release(LATER), Decision)
    first, second = certificates(staged, LATER)
    assert (first["counts"], second["counts"]) == (False, True)
    assert first["state"].superseded_by == second["number"]
    assert second["supersedes"]["number"] == first["number"]
    assert second["complies"] is True
    assert "pending" not in second
    assert due_until(staged) == []
    assert staged.verify().problems == ()


def test_a_quality_review_tells_of_no_other_result_that_it_is_the_one_that_was_waited_for(
    staged: House,
):
    bring_in(staged)
    conditionally(staged)
    today = staged.study(LATER).facts.today
    due = today + timedelta(days=14)

    def came() -> str:
        with staged.reading() as session:
            found: Any = review_content(
                session, staged.archive, product=PRODUCT, period=Period(due, due)
            )
        ((*_, told),) = next(one["rows"] for one in found["tables"] if one["name"] == "pending")
        return str(told)

    row = good("mycoplasma") | {
        "lot_id": LATER, "sample_id": f"{LATER}-S01", "test_code": "GRAM", "analyte": "gram",
        "method_id": "SOP-MB-001", "run_id": "G-2", "value": "No growth",
    }  # fmt: skip
    assert staged.upload(table([row])).accepted
    assert came() == "none"
    assert staged.upload(alone("growth_14d", lot=LATER)).accepted
    assert came() == today.isoformat()


@pytest.mark.requirement("2.25")
def test_a_late_failure_holds_the_lot_by_itself_and_withdraws_its_certificate(staged: House):
    bring_in(staged)
    conditionally(staged)
    vials(staged, f"lot:{LATER}", "VL-1", "VL-2", "VL-3")
    shipment = shipped(staged, "VL-1", site="SITE-1", on=staged.study(LATER).facts.today)
    assert staged.upload(alone("growth_14d", lot=LATER, value="Growth")).accepted
    case = staged.study(LATER)
    assert case.overlays == (Overlay.ON_HOLD,)
    assert "does not meet no growth" in case.facts.holds.stops[0]
    assert due_until(staged) == []  # it came, and fails: nobody waits for it
    (certificate,) = certificates(staged, LATER)
    assert "does not meet no growth" in certificate["state"].withdrawn
    with staged.reading() as session:
        (held,) = trail_about(session, [f"lot:{LATER}"], only={"lot held"})
    first, *others = json.loads(held[1].text)["after"]["doses"]
    assert f"shipped to SITE-1 on {case.facts.today} with {shipment}" in first
    assert [one.partition(": ")[2] for one in others] == ["in storage, Tank 3"] * 2
    with staged.acting(QA1, Permission.HOLD_LOT) as tx, pytest.raises(Conflict) as refused:
        let_go(tx, staged.archive, lot=LATER, number=1, credentials=signing(QA1))
    assert [one.partition(": ")[0] for one in refused.value.reasons] == [
        "Results", "Review", "Investigations",
    ]  # fmt: skip
    with pytest.raises(Conflict) as refused:  # what fails stays where it is, held or not
        shipped(staged, "VL-2", site="SITE-1", on=case.facts.today)
    assert any("does not meet no growth" in reason for reason in refused.value.reasons)
    staged.review(LATER)
    with pytest.raises(ReleaseBlocked):
        staged.release(LATER)
    said = {"class": "I", "scope": "Every dose"}
    assert later(staged, Disposition.RECALLED, LATER, **said) is Disposition.RECALLED
    assert staged.verify().problems == ()


@pytest.mark.requirement("2.25", "5.07")
def test_a_certificate_anew_of_a_lot_released_conditionally_says_what_is_pending(staged: House):
    bring_in(staged)
    conditionally(staged)
    with staged.acting(QA1, Permission.HOLD_LOT) as tx:
        hold_lot(tx, lot=LATER, credentials=signing(QA1))
        lot = the_lot(tx.session, LATER)
        withdraw_certificate(tx, lot, reason="Label was wrong", about=lot.key)
    with staged.acting(QA1, Permission.HOLD_LOT) as tx:
        let_go(tx, staged.archive, lot=LATER, number=1, credentials=signing(QA1))
    before, anew = certificates(staged, LATER)
    assert (before["counts"], anew["counts"]) == (False, True)
    assert anew["pending"] == before["pending"] != []
    assert anew["conclusion"].startswith("PRELIMINARY. ")


@pytest.mark.requirement("2.25")
def test_an_overdue_result_holds_the_lot_once(staged: House):
    bring_in(staged)
    conditionally(staged)
    for days, held in ((14, []), (1, [LATER]), (1, [])):
        staged.now.at += timedelta(days=days)
        with staged.acting(QA1, Permission.HOLD_LOT) as tx:
            assert hold_what_is_overdue(tx, staged.archive) == held
    assert staged.study(LATER).overlays == (Overlay.ON_HOLD,)
    with staged.acting(QA1, Permission.HOLD_LOT) as tx, pytest.raises(Conflict) as refused:
        let_go(tx, staged.archive, lot=LATER, number=1, credentials=signing(QA1))
    late, open_one = refused.value.reasons
    assert late.startswith("Results: the result of sterility was due on ")
    assert open_one == f"Investigations: {OOS} (sterility): phase I is to be performed"
    assert "overdue" not in certificates(staged, LATER)[0]["conclusion"]
    assert certificates(staged, LATER)[0]["counts"] is False


def due_until(house: House) -> list[str]:
    """What a lot says of itself that it still waits for."""
    gates = house.study(LATER).gates
    return [one for gate in gates for one in gate.remarks if " is due until " in one]


def overdue(house: House, days: int = 15) -> str:
    """A conditional release whose due day passes without the daily work; what that would say."""
    bring_in(house)
    conditionally(house)
    day = house.study(LATER).facts.today + timedelta(days=14)
    house.now.at += timedelta(days=days)
    return f"the result of sterility was due on {day} and is not in"


def held_for(house: House) -> list[tuple[str, str]]:
    """Cause and reason of every hold there ever was."""
    with house.reading() as session:
        return [(one.cause, one.reason) for one, _ in holds_of(session, [_lot(session).id])]


def _lot(session: Session) -> LotRow:
    row = lot_by(session, LATER)
    assert row is not None
    return row


@pytest.mark.requirement("2.25", "2.26")
def test_a_pass_after_its_due_day_holds_the_lot_as_the_daily_work_would(staged: House):
    said = overdue(staged)
    assert staged.upload(alone("growth_14d", lot=LATER)).accepted
    assert held_for(staged) == [("overdue result", said)]
    assert certificates(staged, LATER)[0]["state"].withdrawn == said
    with staged.reading() as session:
        (held,) = trail_about(session, [f"lot:{LATER}"], only={"lot held"})
        told = entries_about(session, [f"lot:{LATER}"])
    entry = json.loads(held[1].text)
    assert entry["after"] == {"about": f"lot:{LATER}/sterility", "cause": "overdue result"}
    order = [one.what for one in told]
    assert order.index("lot held") < order.index("upload accepted", order.index("lot held"))
    with staged.acting(QA1, Permission.HOLD_LOT) as tx:
        assert hold_what_is_overdue(tx, staged.archive) == []
    staged.review(LATER)
    with pytest.raises(ReleaseBlocked) as blocked:
        staged.release(LATER)
    assert any(said in one for one in blocked.value.reasons)
    assert any(OOS in one for one in blocked.value.reasons)
    settle_overdue(staged)
    with staged.acting(QA1, Permission.HOLD_LOT) as tx:
        ended = let_go(tx, staged.archive, lot=LATER, number=1, credentials=signing(QA1))
        assert isinstance(ended, HoldEnd)
    assert isinstance(staged.release(LATER), Decision)
    assert held_for(staged) == [("overdue result", said)]
    assert staged.verify().problems == ()


def settle_overdue(house: House) -> None:
    """Why it was late is found out; there is nothing that a cause could set aside."""
    perform(house)
    review_phase(house)
    late = Wanted(Finding.RESULT_WAS_LATE, "The report lay at the contract laboratory")
    for finding in (Finding.ORIGINAL_STANDS, Finding.LABORATORY_CAUSE):
        with pytest.raises(Conflict) as refused:
            concluded(house, replace(late, finding=finding), by=QA3)
        assert any("no result, it was overdue" in one for one in refused.value.reasons)
    assert isinstance(concluded(house, late, by=QA3), InvestigationStep)


def test_a_pass_on_its_due_day_holds_nothing(staged: House):
    overdue(staged, days=14)
    assert staged.upload(alone("growth_14d", lot=LATER)).accepted
    assert held_for(staged) == []


@pytest.mark.requirement("1.31", "2.25")
def test_a_result_that_its_second_person_types_after_the_due_day_was_not_in_time(staged: House):
    said = overdue(staged, days=14)
    number = enter(staged, STERILE, lot=LATER, sample=f"{LATER}-S01", run="STER-9").number
    staged.now.at += timedelta(days=1)
    assert verify(staged, number, "No growth")
    assert held_for(staged) == [("overdue result", said)]


def test_a_conclusion_that_makes_a_result_count_after_its_due_day_finds_the_lot_held(staged: House):
    bring_in(staged)
    conditionally(staged)
    day = staged.study(LATER).facts.today + timedelta(days=14)
    assert staged.upload(alone("growth_14d", lot=LATER, value="Growth")).accepted
    assert staged.upload(alone("growth_14d", lot=LATER), supersedes="Misread by hand").accepted
    perform(staged)
    review_phase(staged)
    staged.review(LATER)
    staged.now.at += timedelta(days=15)
    assert conclude_cause(staged, cause=Cause.DATA, corrected=True, by=QA3)
    said = f"the result of sterility was due on {day} and is not in"
    assert ("overdue result", said) in held_for(staged)


def test_a_large_file_that_comes_after_the_due_day_finds_the_lot_held(
    staged: House, tmp_path: Path
):
    said = overdue(staged)
    rows = [
        *controls(lot=LATER),
        {"lot_id": LATER, "sample_id": f"{LATER}-S01"} | good("growth_14d"),
    ]
    assert Large(staged, tmp_path).upload(table(rows)).accepted
    assert held_for(staged) == [("overdue result", said)]


@pytest.mark.requirement("2.25")
def test_who_decides_anew_over_an_overdue_lot_finds_it_held(staged: House):
    said = overdue(staged)
    refused = staged.release(LATER)
    assert isinstance(refused, Refusal)
    assert (refused.code, said in refused.message) == ("BQC-REL-007", True)
    assert held_for(staged) == [("overdue result", said)]
    with pytest.raises(ReleaseBlocked):
        staged.release(LATER)
    assert held_for(staged) == [("overdue result", said)]


def test_who_may_not_release_leaves_no_hold_behind(staged: House):
    overdue(staged)
    with pytest.raises(NotPermitted), staged.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        release_lot(tx, staged.archive, lot=LATER, credentials=signing(ANA))
    assert held_for(staged) == []


def test_a_lot_that_is_rejected_or_recalled_while_overdue_says_that_it_was(staged: House):
    said = overdue(staged)
    particulars = {"class": "I", "scope": "Every dose"}
    assert later(staged, Disposition.RECALLED, LATER, **particulars) is Disposition.RECALLED
    assert held_for(staged) == [("overdue result", said)]
    assert staged.verify().problems == ()


@pytest.mark.requirement("2.25")
def test_no_dose_leaves_after_the_due_day_though_nobody_looked_for_what_is_overdue(staged: House):
    bring_in(staged)
    conditionally(staged)
    doses = [NewContainer(one, "vial", "1E7 cells", "Tank 3") for one in ("DOSE-1", "DOSE-2")]
    with staged.acting(QA1, Permission.KEEP_BANKS) as tx:
        register_containers(tx, of=LATER, containers=doses)
    staged.now.at += timedelta(days=14)
    send(staged, "DOSE-1")
    staged.now.at += timedelta(days=1)
    with pytest.raises(Conflict) as caught:
        send(staged, "DOSE-2")
    (reason,) = caught.value.reasons
    assert "sterility was due on" in reason


def send(house: House, dose: str) -> None:
    new = NewShipment("SITE-1", (dose,), house.study(LATER).facts.today, "C 7", "LOG-1")
    with house.acting(QA1, Permission.SHIP) as tx:
        ship(tx, house.archive, new)


@pytest.mark.requirement("2.26")
def test_what_may_not_stay_pending_is_not_released_conditionally(staged: House):
    bring_in(staged, kynurenine=None)
    with pytest.raises(ReleaseBlocked) as blocked:
        conditionally(staged)
    assert any("IDO activity" in reason for reason in blocked.value.reasons)
    assert staged.upload(alone("kynurenine", lot=LATER)).accepted
    staged.review(LATER)
    staged.hand_to_qa(LATER)
    before = counts(staged.engine)
    with pytest.raises(InvalidInput) as incomplete:
        conditionally(staged, sites=(), viability=date(2026, 7, 1))
    assert len(incomplete.value.reasons) == 3
    assert grown(staged.engine, before) == {}


@pytest.mark.requirement("2.25")
def test_a_pending_result_is_due_on_its_planned_day_at_the_latest(house: House):
    adopt(house, PLANNED)
    with house.acting(QA1, Permission.SHIP) as tx:
        register_clinical_site(tx, NewSite("SITE-1", "Clinic", "1 Road", "Pharmacy"))
    taken, measured = NOW - timedelta(hours=3), NOW - timedelta(hours=1)
    registered(house, taken_at=taken)
    bring_in(house, cells={"measured_at": measured.isoformat()})
    planned = taken.date() + timedelta(days=14)
    with pytest.raises(InvalidInput) as late:
        conditionally(house, sterility=planned + timedelta(days=1))
    (reason,) = late.value.reasons
    assert f"is after {planned}, the planned day 14 of the sample of {taken.date()}" in reason
    assert isinstance(conditionally(house, sterility=planned), Decision)


@pytest.mark.requirement("2.25")
def test_a_result_that_should_be_in_does_not_stay_pending(house: House):
    adopt(house, PLANNED)
    with house.acting(QA1, Permission.SHIP) as tx:
        register_clinical_site(tx, NewSite("SITE-1", "Clinic", "1 Road", "Pharmacy"))
    registered(house)
    bring_in(house)
    for day in (house.study(LATER).facts.today, EXPIRES_ON):
        with pytest.raises(InvalidInput) as late:
            conditionally(house, sterility=day)
        assert "is after 2025-06-03, the planned day 14" in late.value.reasons[0]


def test_a_surrogate_that_fails_lets_nothing_through(staged: House):
    bring_in(staged, gram="Growth")
    with pytest.raises(ReleaseBlocked) as blocked:
        conditionally(staged)
    assert any("gram stands in for sterility" in reason for reason in blocked.value.reasons)


@pytest.mark.requirement("2.24")
def test_a_rejected_lot_is_supplied_only_by_exception_and_never_released(house: House):
    house.upload(results(viability="89"))
    perform(house)
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        assert isinstance(
            reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1)), Decision
        )
    with pytest.raises(ReleaseBlocked), house.acting(QA1, Permission.RELEASE_LOT) as tx:
        release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    with pytest.raises(Conflict) as off:
        later(house, Disposition.SUPPLIED, **SUPPLY)
    assert "exceptional supply is off" in off.value.reasons[0]
    assert isinstance(policy(house, Policy.SUPPLY_BY_EXCEPTION, ON), PolicyRow)
    with pytest.raises(InvalidInput) as incomplete:
        later(house, Disposition.SUPPLIED, physician="Dr. 17")
    assert len(incomplete.value.reasons) == len(SUPPLY) - 1
    with pytest.raises(Conflict) as own:
        later(house, Disposition.SUPPLIED, by=QA1, **SUPPLY)
    assert 'qa1 lowered the policy "supply by exception" from off to on' in own.value.reasons[0]
    supplied = later(house, Disposition.SUPPLIED, **SUPPLY)
    assert supplied is Disposition.SUPPLIED
    (certificate,) = certificates(house, LOT)
    assert certificate["complies"] is False
    assert "DOES NOT COMPLY" in certificate["conclusion"]
    destroyed = later(house, Disposition.DESTROYED, method="Autoclave", witness="ben")
    assert destroyed is Disposition.DESTROYED
    assert house.verify().problems == ()


def test_a_released_lot_is_recalled_then_destroyed_before_a_witness(house: House):
    house.ready()
    house.release()
    with pytest.raises(Conflict) as early:
        later(house, Disposition.DESTROYED, method="Autoclave", witness=QA2.upper())
    assert len(early.value.reasons) == 2
    with pytest.raises(InvalidInput):
        later(house, Disposition.RECALLED, scope="All", **{"class": "IV"})
    assert later(house, Disposition.RECALLED, scope="All", **{"class": "II"})
    (certificate,) = certificates(house, LOT)
    assert certificate["state"].withdrawn.startswith("the lot is recalled")
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        deactivate(tx, user_id=AUD, reason="The audit is over")
    for witness, why in {
        QA2.upper(): "does not sign it", f"Ben of {SITE_ZONE}": "nobody has the user id",
        LABORATORY: "contract laboratory", AUD: "is closed",
    }.items():  # fmt: skip
        with pytest.raises(Conflict) as refused:
            later(house, Disposition.DESTROYED, method="Autoclave", witness=witness)
        (reason,) = refused.value.reasons
        assert why in reason
    assert later(house, Disposition.DESTROYED, method="Autoclave", witness="BEN")
    with house.reading() as session:
        row = dispositions_of(session, the_lot(session, LOT))[-1]
    assert json.loads(house.archive.get(row.content_sha))["witness"] == "ben"


@pytest.mark.requirement("2.06")
def test_who_lowered_a_policy_within_the_life_of_a_lot_does_not_release_it(house: House):
    assert isinstance(policy(house, Policy.QP_CERTIFIES, Certifies.EVERY_LOT), PolicyRow)
    house.ready()
    assert isinstance(policy(house, Policy.SUPPLY_BY_EXCEPTION, ON), PolicyRow)  # not of releases
    assert isinstance(policy(house, Policy.QP_CERTIFIES, Certifies.EU_MARKET), PolicyRow)
    house.hand_to_qa()
    assert house.study().is_ready
    with pytest.raises(NotPermitted) as own:
        house.release(by=QA1)
    (reason,) = own.value.reasons
    assert '"qualified person certifies" from every lot to lots for the EU market on' in reason
    assert isinstance(house.release(by=QA2), Decision)


@pytest.mark.requirement("1.35")
def test_a_policy_is_signed_once_for_each_change(house: House):
    with pytest.raises(InvalidInput):
        policy(house, Policy.SUPPLY_BY_EXCEPTION, "maybe")
    with pytest.raises(Conflict):
        policy(house, Policy.SUPPLY_BY_EXCEPTION, OFF)
    assert isinstance(policy(house, Policy.SUPPLY_BY_EXCEPTION, ON), PolicyRow)
    house.ready()
    tamper(house.engine, "UPDATE policy SET value = 'off'")
    assert any("policy" in one for one in house.study().facts.damaged)


@pytest.mark.requirement("1.39")
@pytest.mark.requirement("2.20")
def test_a_qualified_person_certifies_in_three_steps(house: House):
    adopt(house, version(2, "2025-05-20", FOR_EU))
    registered(house, market="EU")
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=QA2, role=Role.QP, granted=True, reason="Named in the licence")
    with house.acting(QA3, Permission.CHECK_LOT) as tx, pytest.raises(Conflict):
        check_manufacture(
            tx, house.archive, lot=LATER, answers=dict.fromkeys(POINTS, "QA"),
            credentials=signing(QA3),
        )  # fmt: skip
    assert house.upload(results(lot=LATER)).accepted
    house.review(LATER)
    house.hand_to_qa(LATER)
    with house.acting(QA3, Permission.CHECK_LOT) as tx, pytest.raises(InvalidInput):
        check_manufacture(tx, house.archive, lot=LATER, answers={}, credentials=signing(QA3))
    assert [gate.name for gate in house.study(LATER).gates if not gate.is_open] == ["Annex 16"]
    with house.acting(QA3, Permission.CHECK_LOT) as tx:
        assert isinstance(
            check_manufacture(
                tx, house.archive, lot=LATER, answers=dict.fromkeys(POINTS, "QA"),
                credentials=signing(QA3),
            ),
            LotCheck,
        )  # fmt: skip
    with pytest.raises(NotPermitted):
        house.release(LATER, by=QA1)
    with house.acting(QA3, Permission.CHECK_LOT) as tx, pytest.raises(Conflict):
        transfer_to_stock(tx, lot=LATER, credentials=signing(QA3))
    with house.acting(QA2, Permission.CERTIFY_LOT) as tx:
        decided = release_lot(tx, house.archive, lot=LATER, credentials=signing(QA2))
        assert isinstance(decided, Decision)
    assert [one for one, _ in waits(house, Work.TRANSFER)] == [
        "QP-2026-000001 waits for its transfer"
    ]
    with house.acting(QA3, Permission.CHECK_LOT) as tx:
        assert isinstance(transfer_to_stock(tx, lot=LATER, credentials=signing(QA3)), Transfer)
    with house.acting(QA3, Permission.CHECK_LOT) as tx, pytest.raises(Conflict):
        transfer_to_stock(tx, lot=LATER, credentials=signing(QA3))
    case = house.study(LATER)
    assert case.facts.damaged == ()
    tamper(house.engine, "DELETE FROM stock_transfer")
    assert any("stock_transfer" in one for one in house.study(LATER).facts.damaged)


@pytest.mark.requirement("1.58")
def test_a_check_does_not_stand_once_the_lot_changed(house: House):
    assert isinstance(policy(house, Policy.QP_CERTIFIES, Certifies.EVERY_LOT), PolicyRow)
    house.ready()
    with house.acting(QA3, Permission.CHECK_LOT) as tx:
        check_manufacture(
            tx, house.archive, lot=LOT, answers=dict.fromkeys(POINTS, "QA"),
            credentials=signing(QA3),
        )  # fmt: skip
    assert house.study().is_ready
    house.upload(alone("viability", run_id="VCB-2", value="95.0"))
    assert any("no longer what was checked" in one for one in house.study().facts.annex16.stops)


def test_of_a_conditional_release_the_pending_result_is_open_work_until_it_is_in(staged: House):
    bring_in(staged)
    day = staged.study(LATER).facts.today + timedelta(days=14)
    assert isinstance(conditionally(staged), Decision)
    assert waits(staged, Work.PENDING) == [("sterility is not in", day)]
    assert waits(staged, Work.RESULT) == waits(staged, Work.DECISION) == []
    assert staged.upload(alone("growth_14d", lot=LATER)).accepted
    assert waits(staged, Work.PENDING) == []
    assert len(waits(staged, Work.REVIEW)) == 1
