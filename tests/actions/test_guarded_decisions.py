"""What a later decision, and a way back to stock, is refused for; and what no damage holds up."""

import json
from datetime import UTC, datetime, time, timedelta

import pytest

from batchqc.actions.accounts import change_role
from batchqc.actions.agreement import agreement_findings
from batchqc.actions.annex16 import check_manufacture, transfer_to_stock
from batchqc.actions.containers import Move, move_containers
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.actions.doses import doses_of
from batchqc.actions.holds import hold_lot
from batchqc.actions.letting_go import let_go
from batchqc.actions.lots import the_lot
from batchqc.actions.open_work import open_work
from batchqc.actions.shipments import take_back
from batchqc.core.annex16 import POINTS
from batchqc.core.conclusions import Wanted
from batchqc.core.containers import ContainerStatus
from batchqc.core.investigations import Finding
from batchqc.core.lot_states import Disposition, Overlay
from batchqc.core.open_work import Filter, Work
from batchqc.core.permissions import Permission, Role
from batchqc.core.policies import ON, Certifies, Policy
from batchqc.core.signatures import Refusal
from batchqc.core.soundness import Grade
from batchqc.errors import Conflict, InvalidInput, ReleaseBlocked
from batchqc.records.annex16 import LotCheck, Transfer
from batchqc.records.containers import containers_by, events_of
from batchqc.records.decisions import certificates_of, dispositions_of
from batchqc.records.holds import Hold, HoldEnd
from batchqc.records.investigations import InvestigationStep
from batchqc.records.lot_reviews import AuditReview
from batchqc.records.registers import lot_by
from tests.actions.investigating import concluded, perform, review_phase
from tests.actions.state import counts, grown
from tests.actions.test_later_decisions import SUPPLY, later, policy
from tests.records.genealogy import SHIPPED_ON, SITE, clinic, shipped, vials
from tests.records.house import (
    ADM,
    ANA,
    EXPIRES_ON,
    LOT,
    QA1,
    QA2,
    QA3,
    House,
    alone,
    results,
    signing,
)
from tests.records.tampering import tamper

SHIPMENT = "SHP-2026-000001"
V1, V2 = f"{LOT}-V1", f"{LOT}-V2"
LATE = "2026-06-01T07:00:50-05:00"
RECALL = {"class": "I", "scope": "Every dose"}
DESTROY = {"method": "Autoclave", "witness": "ben"}


@pytest.fixture
def stock(house: House) -> House:
    """A released lot with two vials, of which one is at a site."""
    house.ready()
    assert isinstance(house.release(), Decision)
    vials(house, LOT, V1, V2)
    clinic(house)
    assert shipped(house, V1) == SHIPMENT
    return house


def hold(house: House) -> None:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        assert isinstance(hold_lot(tx, lot=LOT, credentials=signing(QA1)), Hold)


def move(house: House, status: ContainerStatus, container: str) -> None:
    wanted = Permission.KEEP_BANKS
    if status is ContainerStatus.IN_STORAGE:
        wanted = Permission.END_QUARANTINE
    with house.acting(QA1, wanted) as tx:
        move_containers(tx, Move((container,), status, "Tank 3", LATE, "As the log has it"))


def back(house: House) -> None:
    """The vial that was shipped comes back, and waits in quarantine."""
    with house.acting(QA1, Permission.SHIP) as tx:
        take_back(
            tx, shipment=SHIPMENT, containers=[V1], returned_on=SHIPPED_ON, place="Tank 9",
            reason="It was recalled",
        )  # fmt: skip
    move(house, ContainerStatus.QUARANTINED, V1)


@pytest.mark.requirement("2.24")
def test_supply_by_exception_is_refused_to_who_measured_and_of_a_held_or_expired_lot(house: House):
    assert house.upload(results(viability="89")).accepted
    perform(house)
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        assert isinstance(
            reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1)), Decision
        )
    assert not isinstance(policy(house, Policy.SUPPLY_BY_EXCEPTION, ON), Refusal)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=ANA, role=Role.QA, granted=True, reason="Stands in for QA")
    hold(house)
    with pytest.raises(Conflict) as refused:
        later(house, Disposition.SUPPLIED, **SUPPLY)
    assert refused.value.reasons == ("the lot is on hold",)
    house.now.at += timedelta(days=(EXPIRES_ON - house.now.at.date()).days + 2)
    before = counts(house.engine)
    with pytest.raises(Conflict) as refused:
        later(house, Disposition.SUPPLIED, by=ANA, **SUPPLY)
    assert refused.value.code == "BQC-REL-005"
    own = [one for one in refused.value.reasons if one.startswith("ana entered or measured run ")]
    assert len(own) == 7
    assert refused.value.reasons[len(own) :] == ("the lot is on hold", "the lot is expired")
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("8.12")
def test_a_lot_is_not_destroyed_while_doses_are_at_a_site(stock: House):
    hold(stock)
    said = "1 containers are at clinical sites; recall them"
    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            later(stock, Disposition.DESTROYED, **DESTROY)
        assert refused.value.reasons == (said,)
        if stock.study().disposition is Disposition.RELEASED:
            later(stock, Disposition.RECALLED, **RECALL)
    back(stock)
    assert later(stock, Disposition.DESTROYED, **DESTROY) is Disposition.DESTROYED
    assert stock.verify().problems == ()


@pytest.mark.requirement("8.12")
def test_a_lot_is_not_destroyed_while_a_dose_is_thawed_at_a_site(stock: House):
    hold(stock)
    move(stock, ContainerStatus.THAWED, V2)  # at home
    move(stock, ContainerStatus.THAWED, V1)
    with pytest.raises(Conflict) as refused:
        later(stock, Disposition.DESTROYED, **DESTROY)
    assert refused.value.reasons == ("1 containers are at clinical sites; recall them",)
    move(stock, ContainerStatus.DESTROYED, V1)
    assert later(stock, Disposition.DESTROYED, **DESTROY) is Disposition.DESTROYED


def test_a_released_lot_of_which_nothing_is_left_is_no_more_destroyed_than_any_other(stock: House):
    for one in (V1, V2):
        move(stock, ContainerStatus.BROKEN, one)
    assert [*stock.study().overlays] == [Overlay.DEPLETED]
    with pytest.raises(Conflict) as refused:
        later(stock, Disposition.DESTROYED, **DESTROY)
    (reason,) = refused.value.reasons
    assert reason.endswith("is not destroyed: it is neither expired nor on hold")


@pytest.mark.requirement("2.24")
def test_a_lot_that_was_rejected_before_any_release_is_not_recalled(house: House):
    house.ready()
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    with pytest.raises(Conflict) as refused:
        later(house, Disposition.RECALLED, **RECALL)
    said = "no dose of the lot can have left: it was rejected before any release"
    assert refused.value.reasons == (said,)


@pytest.mark.requirement("8.12")
def test_a_recall_goes_through_though_records_are_damaged_and_its_content_says_so(stock: House):
    for statement in (
        "UPDATE measurement SET value = '99' WHERE analyte = 'viability'",
        f"UPDATE container SET place = 'Tank 4' WHERE container = '{V2}'",  # noqa: S608 - our own id
    ):
        tamper(stock.engine, statement)
    with pytest.raises(Conflict) as refused:
        later(stock, Disposition.DESTROYED, **DESTROY)
    assert any(one.startswith("Records: ") for one in refused.value.reasons)
    assert later(stock, Disposition.RECALLED, **RECALL) is Disposition.RECALLED
    with stock.reading() as session:
        lot = lot_by(session, LOT)
        assert lot is not None
        signed = json.loads(stock.archive.get(dispositions_of(session, lot)[-1].content_sha))
    damaged = dict(signed["gates"])["Records"]
    assert any("VCB-250520-01" in one for one in damaged)
    assert signed["incomplete"] == [f"container:{V2} is not as its audit entry says"]
    assert {one["container"] for one in signed["doses"]} == {V1, V2}


@pytest.mark.requirement("1.01")
def test_while_the_audit_trail_is_broken_no_lot_is_supplied_or_destroyed(
    house: House,
):
    assert house.upload(results(viability="89")).accepted
    perform(house)
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    assert not isinstance(policy(house, Policy.SUPPLY_BY_EXCEPTION, ON), Refusal)
    tamper(
        house.engine,
        "UPDATE audit_link SET previous = 'x'"
        " WHERE sequence = (SELECT max(sequence) - 1 FROM audit_link)",
    )
    for wanted, said in ((Disposition.SUPPLIED, SUPPLY), (Disposition.DESTROYED, DESTROY)):
        with pytest.raises(Conflict) as refused:
            later(house, wanted, **said)
        (reason,) = refused.value.reasons
        assert reason.startswith("Audit chain: entry ")


@pytest.mark.requirement("2.42")
def test_no_container_of_a_held_or_recalled_lot_goes_back_to_stock(stock: House):
    move(stock, ContainerStatus.QUARANTINED, V2)
    back(stock)
    hold(stock)
    with pytest.raises(Conflict) as refused:
        move(stock, ContainerStatus.IN_STORAGE, V2)
    (reason,) = refused.value.reasons
    assert reason.startswith(f"{V2}: lot {LOT} is on hold: ")
    later(stock, Disposition.RECALLED, **RECALL)
    before = counts(stock.engine)
    with pytest.raises(Conflict) as refused:
        move(stock, ContainerStatus.IN_STORAGE, V1)
    assert refused.value.reasons[0] == f"{V1}: lot {LOT} is recalled"
    assert len(refused.value.reasons) == 2
    assert grown(stock.engine, before) == {}
    move(stock, ContainerStatus.DESTROYED, V1)


def check(house: House, **answers: str) -> LotCheck | Refusal:
    with house.acting(QA3, Permission.CHECK_LOT) as tx:
        return check_manufacture(
            tx, house.archive, lot=LOT, answers=dict.fromkeys(POINTS, "QA") | answers,
            credentials=signing(QA3),
        )  # fmt: skip


def certified(house: House) -> None:
    """Every lot is certified by a qualified person; the lot is ready but for its check."""
    assert not isinstance(policy(house, Policy.QP_CERTIFIES, Certifies.EVERY_LOT), Refusal)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=QA2, role=Role.QP, granted=True, reason="Named in the licence")
    house.ready()


def transfers(house: House) -> list[str]:
    """The lots whose transfer to stock waits for somebody."""
    with house.reading() as session:
        wanted = Filter(Work.TRANSFER)
        found = open_work(session, house.archive, wanted=wanted, now=house.now())
    return [one.lot for one in found.items]


def certify(house: House) -> Decision | Refusal:
    with house.acting(QA2, Permission.CERTIFY_LOT) as tx:
        return release_lot(tx, house.archive, lot=LOT, credentials=signing(QA2))


@pytest.mark.requirement("1.56")
@pytest.mark.requirement("2.21")
def test_a_check_from_before_a_newer_review_of_the_trail_is_stale(house: House):
    certified(house)
    assert isinstance(check(house), LotCheck)
    assert house.study().is_ready
    assert isinstance(house.read_trail(), AuditReview)
    assert house.study().facts.annex16.stops == (
        "the audit trail was reviewed again since manufacture and testing were checked",
    )
    with pytest.raises(ReleaseBlocked) as blocked:
        certify(house)
    assert [one.partition(": ")[0] for one in blocked.value.reasons] == ["Annex 16"]
    assert isinstance(check(house), LotCheck)
    assert isinstance(certify(house), Decision)


@pytest.mark.requirement("2.21")
@pytest.mark.parametrize("answer", ["Not ensured yet", "not", "No: see CAPA-4", "N/A", " none. "])
def test_a_point_that_is_answered_with_no_forbids_the_check(house: House, answer: str):
    with pytest.raises(InvalidInput) as refused:
        check(house, gmp=answer)
    assert refused.value.reasons == (f'"gmp" is answered with no: {POINTS["gmp"]}',)


@pytest.mark.requirement("2.20")
@pytest.mark.parametrize("became", ["recalled", "held", "expired"])
def test_a_certified_lot_that_is_recalled_held_or_expired_is_not_transferred_to_stock(
    house: House, became: str
):
    certified(house)
    assert isinstance(check(house), LotCheck)
    assert isinstance(certify(house), Decision)
    assert len(transfers(house)) == 1
    if became == "recalled":
        later(house, Disposition.RECALLED, **RECALL)
    elif became == "held":
        hold(house)
    else:
        house.now.at = datetime.combine(EXPIRES_ON + timedelta(days=2), time(), UTC)
    assert transfers(house) == []
    before = counts(house.engine)
    with house.acting(QA3, Permission.CHECK_LOT) as tx, pytest.raises(Conflict) as refused:
        transfer_to_stock(tx, lot=LOT, credentials=signing(QA3))
    assert refused.value.code == "BQC-QPC-003"
    said = {"recalled": "it is recalled", "held": "hold ", "expired": f"expired: {EXPIRES_ON}"}
    assert [one for one in refused.value.reasons if said[became] in one]
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("2.20")
def test_no_shipment_is_recorded_as_of_a_day_before_the_transfer_to_stock(house: House):
    certified(house)
    assert isinstance(check(house), LotCheck)
    assert isinstance(certify(house), Decision)
    vials(house, LOT, V1)
    clinic(house)
    house.now.at += timedelta(days=5)
    with house.acting(QA3, Permission.CHECK_LOT) as tx:
        assert isinstance(transfer_to_stock(tx, lot=LOT, credentials=signing(QA3)), Transfer)
    today = house.now.at.date()
    with pytest.raises(Conflict) as refused:
        shipped(house, V1, on=today - timedelta(days=2))
    said = f"lot {LOT} is in saleable stock since {today} only, not on {today - timedelta(days=2)}"
    assert refused.value.reasons == (said,)
    assert shipped(house, V1, on=today)


@pytest.mark.requirement("2.20")
def test_a_lot_released_before_the_policy_is_certified_after_and_goes_to_stock(house: House):
    house.ready()
    assert isinstance(house.release(), Decision)
    with pytest.raises(ReleaseBlocked) as twice:
        house.release()
    assert "Disposition: the lot is released" in twice.value.reasons
    assert not isinstance(policy(house, Policy.QP_CERTIFIES, Certifies.EVERY_LOT), Refusal)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=QA2, role=Role.QP, granted=True, reason="Named in the licence")
    with pytest.raises(ReleaseBlocked) as unchecked:
        certify(house)
    assert {one.partition(": ")[0] for one in unchecked.value.reasons} == {
        "Audit trail review",
        "Annex 16",
    }
    assert isinstance(house.read_trail(), AuditReview)
    assert isinstance(check(house), LotCheck)
    assert isinstance(certify(house), Decision)
    with house.reading() as session:
        first, second = certificates_of(session, the_lot(session, LOT))
        assert second.supersedes_id == first.id
    with house.acting(QA3, Permission.CHECK_LOT) as tx:
        assert isinstance(transfer_to_stock(tx, lot=LOT, credentials=signing(QA3)), Transfer)
    vials(house, LOT, V1)
    clinic(house)
    assert shipped(house, V1, on=house.now.at.date())
    with pytest.raises(ReleaseBlocked) as again:
        certify(house)
    assert "Disposition: the lot is released" in again.value.reasons
    assert not house.study().facts.damaged
    with house.reading() as session:
        assert [
            one for one in agreement_findings(session, house.archive) if one.grade is Grade.LOSS
        ] == []


def failed(house: House) -> None:
    """The lot failed, is rejected, and has two vials."""
    house.upload(results(viability="89"))
    house.review()
    perform(house)
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        assert isinstance(
            reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1)), Decision
        )
    vials(house, LOT, V1, V2)
    clinic(house)


@pytest.mark.requirement("2.24")
def test_doses_supplied_by_exception_leave_under_it_and_a_hold_of_them_ends(house: House):
    failed(house)
    today = house.now.at.date()
    with pytest.raises(Conflict) as rejected:
        shipped(house, V1, on=today)
    assert f"lot {LOT} is rejected, not released" in rejected.value.reasons
    assert not isinstance(policy(house, Policy.SUPPLY_BY_EXCEPTION, ON), Refusal)
    assert later(house, Disposition.SUPPLIED, **SUPPLY) is Disposition.SUPPLIED
    number = shipped(house, V1, on=today)
    with house.reading() as session:
        (event,) = events_of(session, [one.id for one in containers_by(session, [V1])])
        assert event.reason.startswith(f"Shipped with {number}; supplied by exception: ")
        doses = doses_of(session, the_lot(session, LOT), house.now())
    assert sum(SITE in one.sentence for one in doses) == 1
    hold(house)
    with pytest.raises(Conflict) as held:
        shipped(house, V2, on=today)
    assert all("on hold" in one for one in held.value.reasons)
    review_phase(house)
    stands = Wanted(Finding.ORIGINAL_STANDS, "No cause was found in the laboratory")
    assert isinstance(concluded(house, stands, by=QA3), InvestigationStep)
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        ended = let_go(tx, house.archive, lot=LOT, number=1, credentials=signing(QA2))
        assert isinstance(ended, HoldEnd)
    house.upload(alone("viability", run_id="VCB-2", value="50"))
    with pytest.raises(Conflict) as again:
        shipped(house, V2, on=today)
    assert any("viability" in one.casefold() for one in again.value.reasons)
