"""Letting go of a lot in use: who may, what it rests on and signs, and the certificate anew."""

import json
from datetime import timedelta

import pytest

from batchqc.actions.accounts import change_role
from batchqc.actions.cell_banks import set_bank_status
from batchqc.actions.certificate_states import CertificateState, state_of, status_of
from batchqc.actions.dispositions import Decision
from batchqc.actions.holds import hold_lot
from batchqc.actions.letting_go import let_go
from batchqc.actions.lot_origins import name_origin
from batchqc.actions.lots import the_lot
from batchqc.actions.open_work import open_work
from batchqc.actions.policies import set_policy
from batchqc.core.cell_banks import BankStatus
from batchqc.core.conclusions import Cause
from batchqc.core.lot_states import Disposition
from batchqc.core.open_work import Filter, Work
from batchqc.core.permissions import Permission, Role
from batchqc.core.policies import ON, Policy
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, NotPermitted
from batchqc.records.annex16 import LotCheck
from batchqc.records.decisions import certificates_of
from batchqc.records.holds import HoldEnd, holds_of
from batchqc.records.lists import CertificatesWanted, certificates_wanted
from tests.actions.investigating import (
    METHOD,
    adopt_method,
    conclude_cause,
    perform,
    plan,
    retest,
    review_phase,
)
from tests.actions.state import counts, grown
from tests.actions.test_after_decision import (
    SUPPLY,
    V2,
    decide,
    late,
    reject,
    released,
    sound,
    withdrawn,
)
from tests.actions.test_certificates import issue, keys, press
from tests.actions.test_guarded_decisions import certified, certify, check
from tests.records import donors
from tests.records.genealogy import WCB, line, shipped
from tests.records.house import ADM, ANA, BEN, LOT, QA1, QA3, House, results, signing, terms

__all__ = ["keys", "press", "released"]
FIRST, SECOND = "COA-2026-000001", "COA-2026-000002"


def retested(house: House) -> None:
    """A late failure, with an approved plan and two retests by BEN that pass."""
    adopt_method(house, METHOD)
    assert house.upload(late("50")).accepted
    perform(house)
    review_phase(house)
    plan(house)
    for run in ("V-2", "V-3"):
        assert retest(house, "93.4", run).accepted


def settled(house: House) -> None:
    """The same, reviewed and concluded with a cause."""
    retested(house)
    house.review()
    assert not isinstance(conclude_cause(house), Refusal)


def go(house: House, number: int = 1, *, by: str = QA1) -> HoldEnd | Refusal:
    with house.acting(by, Permission.HOLD_LOT) as tx:
        return let_go(tx, house.archive, lot=LOT, number=number, credentials=signing(by))


def hold(house: House) -> None:
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        assert not isinstance(hold_lot(tx, lot=LOT, credentials=signing(QA1)), Refusal)


def certificates(house: House) -> list[tuple[str, str, CertificateState]]:
    """Number, status and state of each certificate of the lot."""
    with house.reading() as session:
        found = certificates_of(session, the_lot(session, LOT))
        return [(one.natural_key, status_of(session, one), state_of(session, one)) for one in found]


def shipping(house: House) -> tuple[str, ...]:
    """Why the second vial is not shipped today."""
    with pytest.raises(Conflict) as found:
        shipped(house, V2, on=house.now.at.date())
    return found.value.reasons


@pytest.mark.requirement("2.06", "3.08")
def test_no_retest_counts_that_nobody_has_reviewed(released: House):
    retested(released)
    with pytest.raises(Conflict) as found:
        conclude_cause(released)
    unseen = [one for one in found.value.reasons if "is to count and nobody has reviewed" in one]
    assert len(unseen) == 2
    released.review()
    assert not isinstance(conclude_cause(released), Refusal)


@pytest.mark.requirement("2.06", "3.08")
def test_no_corrected_run_counts_that_nobody_has_reviewed(released: House):
    released.upload(late("50"))
    assert released.upload(late("95"), supersedes="Wrong cell exported").accepted
    perform(released)
    review_phase(released)
    with pytest.raises(Conflict) as found:
        conclude_cause(released, cause=Cause.DATA, corrected=True)
    assert any("is to count and nobody has reviewed" in one for one in found.value.reasons)


@pytest.mark.requirement("2.06")
def test_no_dose_leaves_and_no_hold_ends_while_a_late_run_is_not_reviewed(released: House):
    assert released.upload(late("95", analyte="viability")).accepted
    hold(released)
    with pytest.raises(Conflict) as found:
        go(released)
    assert any(one.startswith("Review: ") for one in found.value.reasons)
    assert any("Review: " in one for one in shipping(released))


@pytest.mark.requirement("2.01", "1.24")
def test_who_measured_what_counts_does_not_let_go(released: House):
    settled(released)
    with released.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(
            tx, user_id=BEN, role=Role.QA, granted=True, reason="Moved to QA", terms=terms(Role.QA)
        )
    with pytest.raises(NotPermitted) as found:
        go(released, by=BEN)
    assert found.value.code == "BQC-HLD-004"
    assert all(one.startswith(f"{BEN} entered or measured") for one in found.value.reasons)
    assert isinstance(go(released), HoldEnd)


@pytest.mark.requirement("2.01", "5.07")
def test_letting_go_signs_the_lot_as_it_counts_now_and_supersedes_the_withdrawn_certificate(
    released: House,
):
    settled(released)
    before = withdrawn(released)
    assert any("was withdrawn" in one for one in shipping(released))
    assert isinstance(go(released), HoldEnd)
    with released.reading() as session:
        row = the_lot(session, LOT)
        ((_, end),) = holds_of(session, [row.id])
        assert end is not None
        assert end.signature.record_sha256 == end.content_sha
        signed = json.loads(released.archive.get(end.content_sha))
        signature = end.signature.natural_key
        _, anew = certificates_of(session, row)
        content = json.loads(released.archive.get(anew.content_sha))
    (viability,) = [one for one in signed["verdicts"] if one["criterion"] == "viability"]
    assert viability["verdict"] == "PASS"
    assert [run.split()[1] for run, _, _ in viability["cells"]] == ["V-2"]
    assert {"V-2", "V-3", "LATE-1"} <= {key.split("/")[-1] for key, _ in signed["runs"]}
    assert signed["certificates"][0][0] == FIRST
    assert [(one[0], one[2].counts) for one in certificates(released)] == [
        (FIRST, False), (SECOND, True),
    ]  # fmt: skip
    assert certificates(released)[0][2].superseded_by == SECOND
    assert content["supersedes"]["number"] == FIRST
    assert content["signatures"][-1]["id"] == signature
    assert content["complies"] is True
    assert withdrawn(released)[0] == before[0]
    sound(released)
    assert shipped(released, V2, on=released.now.at.date())


def test_the_end_of_the_last_hold_reserves_the_certificate_and_no_other(released: House):
    settled(released)
    hold(released)
    assert isinstance(go(released, 1), HoldEnd)
    assert len(certificates(released)) == 1
    assert isinstance(go(released, 2), HoldEnd)
    assert len(certificates(released)) == 2
    hold(released)
    assert isinstance(go(released, 3), HoldEnd)  # nothing was withdrawn
    assert len(certificates(released)) == 2


def test_what_letting_go_signed_is_verified_and_computed_anew(released: House):
    settled(released)
    go(released)
    with released.reading() as session:
        ((_, end),) = holds_of(session, [the_lot(session, LOT).id])
        assert end is not None
    path = released.archive.path_of(end.content_sha)
    path.chmod(0o600)
    path.unlink()
    assert any("hold_end:" in one for one in released.verify().problems)


@pytest.mark.requirement("5.07", "5.08")
def test_a_certificate_that_was_withdrawn_before_its_seal_is_void(released: House, press: object):
    assert released.upload(late("50")).accepted
    with pytest.raises(Conflict) as found:
        issue(released, press)
    assert found.value.code == "BQC-CRT-033"
    assert [(number, status) for number, status, _ in certificates(released)] == [(FIRST, "void")]
    with released.reading() as session:
        for status, count in (("void", 1), ("pending", 0), ("issued", 0)):
            query = certificates_wanted(CertificatesWanted(status=status))
            assert len(session.scalars(query).all()) == count
        wanted = Filter(Work.CERTIFICATE, LOT)
        _, waits, _ = open_work(session, released.archive, wanted=wanted, now=released.now())
    assert [one.what for one in waits] == [f"{FIRST} is void: no certificate counts"]


def test_nothing_is_shipped_as_of_a_day_on_which_the_lot_was_held(released: House):
    held = released.now.at.date()
    hold(released)
    released.now.at += timedelta(days=5)
    assert isinstance(go(released), HoldEnd)
    for day in (held, held + timedelta(days=2)):
        with pytest.raises(Conflict) as found:
            shipped(released, V2, on=day)
        assert any(f"hold {LOT}/1 lay over it" in one for one in found.value.reasons)
    assert shipped(released, V2, on=released.now.at.date())


@pytest.mark.requirement("2.24")
def test_a_lot_is_not_supplied_by_exception_before_donor_and_failure_are_looked_at(house: House):
    house.upload(results(viability="50"))
    house.review()
    donors.donate(house)
    donors.take_tests(house)
    with house.acting(QA1, Permission.SET_POLICY) as tx:
        set_policy(tx, policy=Policy.SUPPLY_BY_EXCEPTION, value=ON, credentials=signing(QA1))
    reject(house)
    with pytest.raises(Conflict) as found:
        decide(house, Disposition.SUPPLIED, **SUPPLY)
    assert {one.partition(": ")[0] for one in found.value.reasons} == {"Donor", "Investigations"}


@pytest.mark.requirement("2.24", "8.12")
def test_a_lot_is_not_supplied_by_exception_while_its_bank_is_in_quarantine(house: House):
    line(house)
    donors.determine(house)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        name_origin(tx, lot=LOT, made_of=[WCB], reason="From the batch record")
    house.upload(results(viability="50"))
    house.review()
    perform(house)
    reject(house)
    with house.acting(QA1, Permission.SET_POLICY) as tx:
        set_policy(tx, policy=Policy.SUPPLY_BY_EXCEPTION, value=ON, credentials=signing(QA1))
    with house.acting(ANA, Permission.KEEP_BANKS) as tx:  # a lot not in use is not held by it
        set_bank_status(tx, bank=WCB, status=BankStatus.QUARANTINED, reason="Mycoplasma was found")
    with pytest.raises(Conflict) as found:
        decide(house, Disposition.SUPPLIED, **SUPPLY)
    assert found.value.reasons == (f"Genealogy: cell_bank:{WCB} is quarantined",)
    with house.acting(QA1, Permission.END_QUARANTINE) as tx:
        set_bank_status(tx, bank=WCB, status=BankStatus.AVAILABLE, reason="A second test is clean")
    decide(house, Disposition.SUPPLIED, **SUPPLY)


@pytest.mark.requirement("1.39", "2.20")
def test_no_certificate_of_a_certified_lot_is_reserved_by_who_is_no_qualified_person(house: House):
    certified(house)
    assert isinstance(check(house), LotCheck)
    assert isinstance(certify(house), Decision)
    settled(house)
    hold(house)
    assert isinstance(go(house, by=QA3), HoldEnd)  # another hold stays
    before = counts(house.engine)
    with pytest.raises(NotPermitted) as refused:
        go(house, 2, by=QA3)
    assert refused.value.code == "BQC-HLD-004"
    (reason,) = refused.value.reasons
    assert "a qualified person certifies the lot" in reason
    assert grown(house.engine, before) == {}
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=QA3, role=Role.QP, granted=True, reason="Named in the licence")
    assert isinstance(go(house, 2, by=QA3), HoldEnd)
    assert [(number, state.counts) for number, _, state in certificates(house)] == [
        (FIRST, False), (SECOND, True),
    ]  # fmt: skip


def test_what_qa_holds_of_a_certified_lot_qa_lets_go_while_its_certificate_counts(house: House):
    certified(house)
    assert isinstance(check(house), LotCheck)
    assert isinstance(certify(house), Decision)
    hold(house)
    assert isinstance(go(house, by=QA3), HoldEnd)
