"""What comes into doubt of a donor looks back at once, whatever record says so (8.13)."""

import json

import pytest
from sqlalchemy import select, text

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.dispositions import Decision
from batchqc.actions.look_backs import close_look_back, frozen_list
from batchqc.actions.states import contested_correction, contested_donor
from batchqc.core.donors import EXCEPTION
from batchqc.core.identifiers import fold
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict
from batchqc.records.corrections import CorrectionDecision
from batchqc.records.events import EventRow
from batchqc.records.holds import Hold, open_holds
from batchqc.records.look_backs import LookBack, look_backs_from
from batchqc.records.lot_reviews import trail_about
from batchqc.records.registers import lot_by
from batchqc.records.transaction import Transaction
from tests.actions.state import counts, grown
from tests.records.donors import DIN, adopt_panel, complete, determine, take_tests
from tests.records.genealogy import SITE, clinic, shipped, vials
from tests.records.house import DON, DONOR, LOT, QA1, QA2, House, signing

SUSPECT, SURE = LookBackCause.DONOR_INFORMATION, LookBackCause.SEROCONVERSION


@pytest.fixture
def released(house: House) -> House:
    """A released lot with a dose in storage, of a donor with records."""
    complete(house)
    assert not isinstance(determine(house), Refusal)
    house.ready()
    assert isinstance(house.release(), Decision)
    vials(house, LOT, f"{LOT}-V1", f"{LOT}-V2")
    clinic(house)
    shipped(house, f"{LOT}-V1")
    return house


def locked(tx: Transaction) -> set[str]:
    """What of these a transaction holds; SQLite has one writer, who holds everything."""
    names = ["genealogy", f"lot:{fold(LOT)}", f"donor:{DONOR}"]
    if tx.session.get_bind().dialect.name != "postgresql":
        return set(names)
    own = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        " AND (classid::bigint << 32) | objid::bigint = hashtextextended(:name, 0)"
    )
    return {name for name in names if tx.session.scalar(own, {"name": name})}


def test_who_compares_a_donor_with_what_was_seen_holds_what_came_of_it_too(released: House):
    """In the order of a look-back, which may follow in the same transaction."""
    with released.acting(DON, Permission.REQUEST_CORRECTION) as tx:
        asked = request_correction(
            tx, subject=HBSAG, field="result", after="reactive", reason="It was misread"
        ).natural_key
    for of in (contested_donor(DONOR), contested_correction(asked)):
        with released.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
            of.hold(tx)
            assert locked(tx) == {"genealogy", f"lot:{fold(LOT)}", f"donor:{DONOR}"}


def look_backs(house: House) -> list[LookBack]:
    with house.reading() as session:
        return list(look_backs_from(session, [f"donor:{DONOR}"]))


def holds(house: House) -> list[Hold]:
    with house.reading() as session:
        lot = lot_by(session, LOT)
        assert lot is not None
        return list(open_holds(session, [lot.id]))


def is_held_once(house: House, cause: LookBackCause, about: str, said: str) -> None:
    """One look-back, one hold for it with its reason, the doses, and an event."""
    (row,) = look_backs(house)
    assert (row.cause, row.about) == (cause.value, about)
    assert said in row.reason
    (hold,) = holds(house)
    assert (hold.cause, hold.about) == ("look-back", row.key)
    assert said in hold.reason
    doses = {one["container"]: one["status"] for one in frozen_list(house.archive, row)["doses"]}
    assert doses == {f"{LOT}-V1": f"shipped, {SITE}", f"{LOT}-V2": "in storage, Tank 3"}
    with house.reading() as session:
        (held,) = trail_about(session, [f"lot:{LOT}"], only={"lot held"})
        told = session.scalars(select(EventRow).where(EventRow.kind == "lot.held")).all()
    assert json.loads(held[1].text)["after"]["about"] == row.key
    assert len(told) == 1
    with pytest.raises(Conflict) as refused:
        shipped(house, f"{LOT}-V2")
    assert any(said in one for one in refused.value.reasons)
    assert house.verify().problems == ()


HBSAG = f"donor_test:{DIN}/4"


def correct(
    house: House, after: str, *, approve: bool = True, password: str = ""
) -> CorrectionDecision | Refusal:
    with house.acting(DON, Permission.REQUEST_CORRECTION) as tx:
        asked = request_correction(
            tx, subject=HBSAG, field="result", after=after,
            reason="The report was misread",
        ).natural_key  # fmt: skip
    credentials = signing(QA2, password=password) if password else signing(QA2)
    with house.acting(QA2, Permission.APPROVE_CORRECTION) as tx:
        return decide_correction(
            tx, house.archive, number=asked, approve=approve, credentials=credentials
        )


@pytest.mark.requirement("8.13")
def test_an_indeterminate_result_holds_the_lot_and_looks_back(released: House):
    take_tests(released, results=(("HBV NAT", "nonreactive"), ("HBsAg", "indeterminate")))
    is_held_once(released, SUSPECT, f"donor_test:{DIN}/14", "indeterminate: HBsAg, specimen of")


@pytest.mark.requirement("8.13")
def test_of_a_panel_with_both_the_reactive_result_is_the_cause(released: House):
    take_tests(
        released,
        results=(("HBsAg", "indeterminate"), ("HBV NAT", "reactive"), ("HCV Ab", "not done")),
    )
    (row,) = look_backs(released)
    assert row.cause == SURE.value
    assert row.reason.startswith("reactive: HBV NAT; indeterminate: HBsAg, specimen of")


@pytest.mark.requirement("8.13")
@pytest.mark.parametrize(("after", "cause"), [("reactive", SURE), ("indeterminate", SUSPECT)])
def test_a_correction_to_an_unfavourable_result_holds_the_lot_and_looks_back(
    released: House, after: str, cause: LookBackCause
):
    assert isinstance(correct(released, after), CorrectionDecision)
    said = f"corrected to {after}: HBsAg: The report was misread"
    is_held_once(released, cause, HBSAG, said)


def test_what_was_unfavourable_before_a_correction_looks_back_once_more_only_where_it_is_worse(
    released: House,
):
    assert isinstance(correct(released, "indeterminate"), CorrectionDecision)
    assert isinstance(correct(released, "reactive"), CorrectionDecision)
    assert isinstance(correct(released, "indeterminate"), CorrectionDecision)
    assert [one.cause for one in look_backs(released)] == [SUSPECT.value, SURE.value]


def test_a_correction_that_is_refused_not_signed_or_favourable_starts_nothing(released: House):
    assert isinstance(correct(released, "reactive", approve=False), CorrectionDecision)
    assert isinstance(correct(released, "not done"), CorrectionDecision)
    assert isinstance(correct(released, "reactive", password="wrong"), Refusal)
    assert look_backs(released) == []
    assert holds(released) == []


@pytest.mark.requirement("8.13")
def test_a_donor_who_is_determined_to_be_ineligible_holds_the_lot_and_looks_back_once(
    released: House,
):
    assert not isinstance(determine(released, eligible=False), Refusal)
    said = "determined to be ineligible: Screening and testing of the mother"
    is_held_once(released, SUSPECT, f"eligibility:{DONOR}/3", said)
    before = counts(released.engine)
    assert not isinstance(determine(released, eligible=False), Refusal)
    assert "look_back" not in grown(released.engine, before)
    assert "hold" not in grown(released.engine, before)
    with released.acting(QA1, Permission.CLOSE_LOOK_BACK) as tx:
        close_look_back(
            tx, number=look_backs(released)[0].natural_key, conclusion="The wrong donor",
            credentials=signing(QA1),
        )  # fmt: skip
    assert not isinstance(determine(released, eligible=False), Refusal)
    assert len(look_backs(released)) == 2


def test_an_ineligible_donor_after_a_reactive_result_has_one_look_back(released: House):
    take_tests(released, results=(("HBsAg", "reactive"),))
    assert not isinstance(determine(released, eligible=False), Refusal)
    assert [one.cause for one in look_backs(released)] == [SURE.value]
    assert len(holds(released)) == 1


@pytest.mark.requirement("8.13")
def test_a_donor_who_is_no_longer_eligible_but_by_exception_holds_the_lot(released: House):
    panel = adopt_panel(released)
    assert not isinstance(determine(released, panel=panel, by_exception=True), Refusal)
    said = f"determined to be {EXCEPTION}: Screening and testing of the mother"
    is_held_once(released, SUSPECT, f"eligibility:{DONOR}/3", said)
    before = counts(released.engine)  # who was not eligible before brings nothing new into doubt
    assert not isinstance(determine(released, panel=panel, by_exception=True), Refusal)
    assert "look_back" not in grown(released.engine, before)


def test_nothing_is_looked_back_for_a_favourable_or_unsigned_determination(released: House):
    assert not isinstance(determine(released), Refusal)
    with released.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
        refused = determine_eligibility(
            tx, released.archive, NewDetermination(DONOR, "A late result", eligible=False),
            credentials=signing(DON, password="wrong"),
        )  # fmt: skip
    assert isinstance(refused, Refusal)
    assert look_backs(released) == []
