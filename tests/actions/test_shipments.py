"""Containers leave, arrive, come back and are given; what forbids it is told whole."""

from datetime import date, timedelta

import pytest

from batchqc.actions.administrations import (
    Administered,
    NewAdministration,
    record_administration,
)
from batchqc.actions.containers import Move, NewContainer, move_containers, register_containers
from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.dispositions import Decision
from batchqc.actions.genealogy import trace
from batchqc.actions.holds import hold_by_system
from batchqc.actions.lots import the_lot
from batchqc.actions.retains import Handing, NewRetain, hand_over, register_retain
from batchqc.actions.shipments import receive, take_back
from batchqc.core.containers import ContainerStatus
from batchqc.core.genealogy import Direction
from batchqc.core.holds import Cause
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.records.containers import inventory, retain_by
from batchqc.records.donors import EligibilityRow
from tests.actions.state import counts, grown
from tests.records.donors import determine
from tests.records.genealogy import SHIPPED_ON, SITE, SITE_2, WCB, clinic, line, shipped, vials
from tests.records.house import ANA, LOT, MADE_ON, QA1, QA2, House, signing
from tests.records.tampering import tamper

V1, V2, V3 = VIALS = tuple(f"{LOT}-V{number}" for number in (1, 2, 3))
ELSEWHERE = "in storage, broken, destroyed, used for testing"
NOW = "2026-06-01T07:00:30-05:00"


@pytest.fixture
def stock(house: House) -> House:
    """A released lot with three vials, and two clinical sites."""
    house.ready()
    assert isinstance(house.release(), Decision)
    vials(house, LOT, *VIALS)
    clinic(house)
    clinic(house, SITE_2)
    return house


def move(
    house: House, status: ContainerStatus, *containers: str, at: str = NOW, by: str = ANA
) -> None:
    out = status is ContainerStatus.IN_STORAGE
    to = Permission.END_QUARANTINE if out else Permission.KEEP_BANKS
    with house.acting(QA1 if out else by, to) as tx:
        move_containers(tx, Move(containers, status, "Tank 3", at, "As the log has it"))


def give(
    house: House, container: str, recipient: str = f"{SITE}-001", site: str = SITE,
    on: date = SHIPPED_ON,
) -> Administered:  # fmt: skip
    with house.acting(QA1, Permission.SHIP) as tx:
        new = NewAdministration(container, site, recipient, on, "Dr Ward")
        return record_administration(tx, new)


def left(house: House) -> dict[str, int]:
    with house.reading() as session:
        lot = the_lot(session, LOT)
        found = inventory(session, [lot.id])[lot.id]
        return {one.value: count for one, count in found.counts.items()} | (
            {"depleted": 1} if found.is_depleted else {}
        )


@pytest.mark.requirement("8.12")
def test_a_dose_is_traced_to_its_recipient_and_back(stock: House):
    number = shipped(stock, V1, V2)
    with stock.acting(QA1, Permission.SHIP) as tx:
        receive(
            tx, shipment=number, received_on=SHIPPED_ON, condition="Frozen", reported_by="Ward 3"
        )
    assert give(stock, V1).doubts == ()
    with stock.reading() as session:
        back = trace(session, node=f"{SITE}-001", direction=Direction.BACK, now=stock.now())
        forward = trace(session, node=LOT, direction=Direction.FORWARD, now=stock.now())
    assert f"lot:{LOT}" in {one.key for one in back.nodes}
    statuses = {one.key: one.status for one in forward.nodes}
    assert statuses[f"shipment:{number}"] == f"to {SITE} on {SHIPPED_ON}, received on {SHIPPED_ON}"
    assert statuses[f"container:{V1}"] == f"administered, {SITE}"
    assert statuses[f"container:{V2}"] == f"shipped, {SITE}"
    assert f"recipient:{SITE}-001" in statuses
    assert left(stock) == {"administered": 1, "shipped": 1, "in storage": 1}
    move(stock, ContainerStatus.BROKEN, V3)
    assert left(stock) == {"administered": 1, "shipped": 1, "broken": 1, "depleted": 1}
    with stock.reading() as session:
        found = trace(session, node=LOT, direction=Direction.BACK, now=stock.now())
    assert found.nodes[0].status == "released, depleted"
    assert stock.verify().problems == ()
    with (
        pytest.raises(Conflict, match="received already"),
        stock.acting(QA1, Permission.SHIP) as tx,
    ):
        receive(tx, shipment=number, received_on=SHIPPED_ON, condition="Frozen", reported_by="W")


@pytest.mark.requirement("2.42")
def test_nothing_leaves_of_a_lot_that_may_not_and_every_reason_is_told(house: House):
    line(house)
    vials(house, LOT, V1)
    clinic(house)
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        lot = the_lot(tx.session, LOT)
        hold_by_system(tx, lot, cause=Cause.LOOK_BACK, reason="late result", about=lot.key)
    move(house, ContainerStatus.QUARANTINED, V1)
    before = counts(house.engine)
    with pytest.raises(Conflict) as refused:
        shipped(house, V1, f"{WCB}-V1", on=date(2025, 5, 1))
    assert refused.value.reasons == (
        f"{WCB}-V1 is of a bank; doses of lots go to sites",
        f"lot {LOT} is quarantine, not released",
        f"lot {LOT} is on hold: late result",
        f"lot {LOT}: Review: no assay run is on record",
        f"lot {LOT}: Donor: donor DNR-UC-01 was determined before donation:GIFT-UC-01 was recorded",
        f"{V1} is quarantined, not to become shipped; it can become: {ELSEWHERE}",
        f"{V1}: the shipping day 2025-05-01 lies before 2026-06-01",
    )
    assert grown(house.engine, before) == {}


def test_an_expired_lot_and_an_expired_vial_stay(stock: House):
    with stock.acting(ANA, Permission.KEEP_BANKS) as tx:
        short = NewContainer("SHORT-V1", "bag", "50 mL", "Tank 3", date(2026, 5, 31))
        register_containers(tx, of=LOT, containers=[short])
    with pytest.raises(Conflict) as refused:
        shipped(stock, "SHORT-V1")
    assert refused.value.reasons == ("SHORT-V1 expired on 2026-05-31",)
    stock.now.at = stock.now.at.replace(year=2028)
    with pytest.raises(Conflict) as refused:
        shipped(stock, V1)
    assert f"lot {LOT} expired on 2027-05-18" in refused.value.reasons


def test_a_release_that_somebody_wrote_into_the_database_ships_nothing(house: House):
    vials(house, LOT, V1)
    clinic(house)
    tamper(
        house.engine,
        "INSERT INTO disposition (lot_id, number, disposition, reason, content_sha, signature_id,"
        " decided_at) SELECT lot.id, 1, 'released', '', '', signature.id, signature.at"
        " FROM lot, signature LIMIT 1",
    )
    with pytest.raises(IntegrityFailure) as refused:
        shipped(house, V1)
    assert f"no audit entry mentions disposition:{LOT}/1" in refused.value.reasons


def test_an_expiry_that_somebody_moved_ships_nothing(house: House):
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        asked = request_correction(
            tx, subject=f"lot:{LOT}", field="expires_on", after="2026-06-01", reason="Misread label"
        ).natural_key
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        decide_correction(tx, house.archive, number=asked, approve=True, credentials=signing(QA2))
    house.ready()
    assert isinstance(house.release(), Decision)
    vials(house, LOT, V1, V2)
    clinic(house)
    shipped(house, V1)
    tamper(house.engine, "UPDATE correction SET after = '2027-05-31'")
    with pytest.raises(IntegrityFailure) as damaged:
        shipped(house, V2)
    assert damaged.value.reasons == (f"correction:{asked} is not as its audit entry says",)


def test_what_came_back_waits_in_quarantine_and_only_qa_lets_it_out(stock: House):
    number = shipped(stock, V1)

    def back(*containers: str) -> None:
        with stock.acting(QA1, Permission.SHIP) as tx:
            take_back(
                tx, shipment=number, containers=containers, returned_on=SHIPPED_ON,
                place="Tank 9", reason="Recipient withdrew",
            )  # fmt: skip

    with pytest.raises(Conflict) as refused:
        back(V1, V2)
    assert refused.value.reasons[0] == f"{V2} did not go with {number}"
    back(V1)
    assert left(stock) == {"in storage": 2, "returned": 1}
    with pytest.raises(Conflict, match="stay as they are"):
        move(stock, ContainerStatus.IN_STORAGE, V1)
    move(stock, ContainerStatus.QUARANTINED, V1)
    move(stock, ContainerStatus.IN_STORAGE, V1)
    with pytest.raises(Conflict, match="nothing is shipped"):
        shipped(stock, V1, on=date(2026, 5, 31))
    assert shipped(stock, V1) != number


def test_what_went_again_comes_back_with_the_newer_shipment_only(stock: House):
    def back(number: str) -> None:
        with stock.acting(QA1, Permission.SHIP) as tx:
            take_back(
                tx, shipment=number, containers=[V1], returned_on=SHIPPED_ON,
                place="Tank 9", reason="Recipient withdrew",
            )  # fmt: skip

    first = shipped(stock, V1)
    back(first)
    move(stock, ContainerStatus.QUARANTINED, V1)
    move(stock, ContainerStatus.IN_STORAGE, V1)
    second = shipped(stock, V1)
    with pytest.raises(Conflict) as refused:
        back(first)
    assert refused.value.reasons == (f"{V1} went with {second} since",)
    back(second)
    assert left(stock)["returned"] == 1


def test_days_are_those_of_the_site_whatever_offset_a_time_was_stated_with(stock: House):
    """It is 1 June at the site in Chicago, and 2 June already in Auckland."""
    move(stock, ContainerStatus.QUARANTINED, V1, at="2026-06-01T23:30:00+12:00")
    move(stock, ContainerStatus.IN_STORAGE, V1, at="2026-06-02T00:00:00+12:00")
    assert shipped(stock, V1)
    move(stock, ContainerStatus.THAWED, V2, at="2026-06-02T00:00:00+12:00")
    give(stock, V2)
    assert left(stock)["administered"] == 1
    stock.now.at += timedelta(hours=14)  # 2 June in UTC
    today = NewRetain("RET-D", f"lot:{LOT}", "vials", "3", "vials", SHIPPED_ON, "Tank 7", "QC")
    with stock.acting(ANA, Permission.KEEP_BANKS) as tx:
        register_retain(tx, today)
    with stock.reading() as session:
        assert retain_by(session, "RET-D") is not None


def test_a_container_moves_only_as_time_and_status_go(stock: House):
    move(stock, ContainerStatus.THAWED, V1)
    for status, at in (
        (ContainerStatus.ADMINISTERED, NOW),
        (ContainerStatus.BROKEN, "2026-06-02T00:00:00-05:00"),
        (ContainerStatus.BROKEN, "today"),
        (ContainerStatus.BROKEN, "2026-06-01T07:00:00"),
        (ContainerStatus.BROKEN, "0001-01-01T00:00:00+14:00"),  # no calendar goes on before it
    ):
        with pytest.raises(InvalidInput):
            move(stock, status, V1, at=at)
    with pytest.raises(Conflict) as refused:
        move(stock, ContainerStatus.DESTROYED, V1, V2, at="2026-05-01T07:00:00-05:00")
    assert refused.value.reasons == (f"{V1} became thawed later, at {NOW}",)
    with pytest.raises(Conflict) as early:
        move(stock, ContainerStatus.DESTROYED, V2, at="2016-06-01T07:00:00-05:00")
    made = f"{V2} holds what was made on {MADE_ON} only, after 2016-06-01"
    assert early.value.reasons == (made,)
    assert left(stock) == {"in storage": 2, "thawed": 1}
    with pytest.raises(NotFound, match="v-99"):
        move(stock, ContainerStatus.DESTROYED, V1, "V-99")


@pytest.mark.requirement("10.07")
def test_what_was_given_is_recorded_with_what_stood_against_it(stock: House):
    shipped(stock, V1)
    for recipient, site, error in (
        ("Jane Smith", SITE, InvalidInput), (f"{SITE}-JS-19800517", SITE, InvalidInput),
        (f"{SITE_2}-001", SITE_2, Conflict),
    ):  # fmt: skip
        before = counts(stock.engine)
        with pytest.raises(error):
            give(stock, V1, recipient, site)
        assert grown(stock.engine, before) == {}
    with pytest.raises(InvalidInput, match="not recorded"):
        give(stock, V1, on=date(2026, 5, 31))
    with stock.acting(QA1, Permission.HOLD_LOT) as tx:
        lot = the_lot(tx.session, LOT)
        hold_by_system(tx, lot, cause=Cause.LOOK_BACK, reason="late result", about=lot.key)
    assert give(stock, V1).doubts == (
        f"lot {LOT} is on hold: late result",
        "no receipt of SHP-2026-000001 is recorded",
    )
    with pytest.raises(Conflict, match="not recorded"):
        give(stock, V1)
    move(stock, ContainerStatus.THAWED, V2)
    assert give(stock, V2).doubts[-1] == f"{V2} never went to a site with a shipment"


def test_containers_are_registered_whole_or_not_at_all(stock: House):
    wrong = [
        NewContainer("V-4", "vial", "1E7 cells", "Tank 3"),
        NewContainer(V1, "jar", "", "Tank 3", date(2030, 1, 1)),
    ]
    before = counts(stock.engine)
    with stock.acting(ANA, Permission.KEEP_BANKS) as tx, pytest.raises(InvalidInput) as refused:
        register_containers(tx, of=LOT, containers=wrong)
    assert len(refused.value.reasons) == 5
    with stock.acting(ANA, Permission.KEEP_BANKS) as tx, pytest.raises(InvalidInput):
        register_containers(tx, of=LOT, containers=[])
    assert grown(stock.engine, before) == {}


def test_a_clinical_site_has_versions_and_each_later_one_its_reason(house: House):
    clinic(house)
    with pytest.raises(InvalidInput):
        clinic(house)
    clinic(house, reason="Moved to another street")
    with pytest.raises(InvalidInput, match="cannot be registered"):
        clinic(house, "a b")


def test_a_retain_sample_has_an_unbroken_custody(house: House):
    def retain(**other: str) -> None:
        new = NewRetain(**{
            "id": "RET-001", "of": LOT, "kind": "final product", "amount": "3", "unit": "vials",
            "keep_until": date(2058, 5, 18), "place": "Tank 7", "handed_to": "Retain store",
            **other,
        })  # type: ignore[arg-type]  # fmt: skip
        with house.acting(ANA, Permission.KEEP_BANKS) as tx:
            register_retain(tx, new)

    def hand(by: str, left: str) -> None:
        with house.acting(ANA, Permission.KEEP_BANKS) as tx:
            hand_over(tx, Handing("RET-001", by, "QC", "Lab 2", left, "Complaint C-7"))

    with pytest.raises(InvalidInput):
        retain(amount="some")
    retain()
    with pytest.raises(Conflict):
        retain()
    with pytest.raises(InvalidInput) as refused:
        hand("Somebody", "4")
    assert refused.value.reasons == (
        "4 would be left of 3", "Retain store has it, not Somebody",
    )  # fmt: skip
    hand("Retain store", "2")
    with house.reading() as session:
        found = trace(session, node=LOT, direction=Direction.FORWARD, now=house.now())
    assert "at Lab 2, 2 vials left" in {one.status for one in found.nodes}
    with pytest.raises(NotFound), house.acting(ANA, Permission.KEEP_BANKS) as tx:
        hand_over(tx, Handing("RET-002", "QC", "QC", "Lab 2", "0", "Complaint C-7"))


@pytest.mark.requirement("8.04")
def test_no_dose_leaves_of_a_lot_whose_donor_is_no_longer_eligible(stock: House):
    assert isinstance(determine(stock, eligible=False), EligibilityRow)
    with pytest.raises(Conflict) as refused:
        shipped(stock, V1)
    assert any("Donor: donor DNR-UC-01 is ineligible" in one for one in refused.value.reasons)
