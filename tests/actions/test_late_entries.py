"""What was signed on paper while the system was down is entered with its true time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from batchqc.actions.accounts import change_role, deactivate, reactivate
from batchqc.actions.audit_review import trail_to_read
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.actions.holds import hold_lot
from batchqc.actions.letting_go import let_go
from batchqc.actions.lot_review import review_whole_lot
from batchqc.actions.reviews import review_lot
from batchqc.actions.signing import Credentials
from batchqc.actions.system_stops import end_stop, record_stop, withdraw_stop
from batchqc.core.accounts import Terms
from batchqc.core.late_entries import Paper
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted
from batchqc.records.entries import EntryVerification
from batchqc.records.system_stops import SystemStop, stop_rows
from batchqc.records.transaction import Transaction
from tests.actions.investigating import METHOD
from tests.actions.typing_results import enter, try_to_verify
from tests.cast import NOW
from tests.records.house import (
    ADM,
    DON,
    DONOR,
    LOT,
    QA1,
    QA2,
    QA3,
    REV,
    House,
    results,
    signing,
)  # fmt: skip
from tests.records.laboratory import adopt_method

BEGAN, ENDED = "2026-05-31T08:00:00-05:00", "2026-06-01T06:00:00-05:00"


def at(hour: int, minute: int = 0) -> str:
    """A time of the night in which the system was down."""
    return f"2026-06-01T{hour:02}:{minute:02}:00-05:00"


def paper(user_id: str, happened_at: str, form: str = "F-12") -> Credentials:
    return replace(signing(user_id), paper=Paper(happened_at, form))


def stop(house: House, *, by: str = QA3, ended: str = ENDED) -> int:
    with house.acting(by, Permission.RECORD_STOP) as tx:
        row = record_stop(tx, began=BEGAN, ended=ended, credentials=signing(by, "Power cut"))
        assert isinstance(row, SystemStop)
        return row.stop


def review(house: House, happened_at: str) -> object:
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        signed = review_lot(tx, house.archive, lot=LOT, credentials=paper(REV, happened_at))
        assert isinstance(signed, list)
        return signed[0].signature


def review_whole(house: House, happened_at: str) -> None:
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        review_whole_lot(tx, house.archive, lot=LOT, credentials=paper(REV, happened_at))


def release(house: House, happened_at: str) -> Decision | Refusal:
    with house.acting(QA1, Permission.RELEASE_LOT) as tx:
        return release_lot(tx, house.archive, lot=LOT, credentials=paper(QA1, happened_at))


def reasons(act: Callable[[], object]) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        act()
    assert refused.value.code == "BQC-LAT-001"
    return list(refused.value.reasons)


@pytest.mark.requirement("1.40", "1.62", "1.69")
def test_a_lot_that_was_reviewed_and_released_on_paper_is_entered_with_both_times(house: House):
    stop(house)
    assert house.upload(results()).accepted
    review(house, at(1))
    before = reasons(lambda: review_whole(house, at(0, 59)))
    assert before
    assert all(one.startswith(f"{at(0, 59)} is before review:") for one in before)
    review_whole(house, at(2))
    house.read_trail(by=QA2)
    (said,) = reasons(lambda: release(house, at(1, 59)))
    assert said.startswith(f"{at(1, 59)} is before lot_review:{LOT}/1 was signed")
    decision = release(house, at(3))
    assert isinstance(decision, Decision)
    with house.reading() as session:
        signature = session.merge(decision.disposition, load=False).signature
        assert (signature.happened_at, signature.paper) == (at(3), "F-12")
        assert signature.at > NOW
        assert signature.sha256 == signature.signing.sha256
        assert signature.sha256 != replace(signature.signing, happened_at=at(4)).sha256
    assert house.verify().problems == ()


@pytest.mark.requirement("2.03")
def test_nothing_rests_on_paper_on_what_was_approved_afterwards(house: House):
    adopt_method(house, METHOD)
    stop(house)
    assert house.upload(results()).accepted
    review(house, at(1))
    said = reasons(lambda: review_whole(house, at(2)))
    assert any(f"{at(2)} is before method_approval:" in one for one in said)


@pytest.mark.requirement("1.55")
def test_what_is_entered_late_is_read_with_the_audit_trail(house: House):
    stop(house)
    assert house.upload(results()).accepted
    review(house, at(1))
    with house.reading() as session:
        read = trail_to_read(session, house.study()).selection.entries
    assert [(one.entry.what, one.because) for one in read if "F-12" in one.because] == [
        ("results reviewed", f"late entry of F-12, signed at {at(1)}")
    ]


def test_a_review_is_not_older_than_what_it_looks_at_nor_than_the_stop(house: House):
    stop(house)
    assert house.upload(results()).accepted
    measured = "2025-05-19T10:00:00-05:00"
    said = reasons(lambda: review(house, measured))
    assert f"{measured} lies in no stop of the system that ended" in said
    assert sum(" was measured " in one for one in said) == len(house.study().runs)
    assert f"{REV} was not reviewer at {measured}" in said


@pytest.mark.requirement("1.40", "1.62")
@pytest.mark.parametrize("is_active", [True, False])
def test_who_had_the_role_for_a_time_or_no_open_account_signed_nothing_on_paper(
    house: House, *, is_active: bool
):
    assert house.upload(results()).accepted
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        if is_active:  # the role is over on the day of the paper
            change_role(
                tx, user_id=REV, role=Role.REVIEWER, granted=True, reason="Helps out this week",
                terms=Terms(last_day=NOW.date()),
            )  # fmt: skip
        else:
            deactivate(tx, user_id=REV, reason="Works elsewhere for a week")
    house.now.at = NOW + timedelta(days=6)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        if is_active:
            change_role(tx, user_id=REV, role=Role.REVIEWER, granted=True, reason="Helps out again")
        else:
            reactivate(tx, user_id=REV, reason="Is back at the site")
    began, ended = "2026-06-03T08:00:00-05:00", "2026-06-05T08:00:00-05:00"
    with house.acting(QA3, Permission.RECORD_STOP) as tx:
        record_stop(tx, began=began, ended=ended, credentials=signing(QA3, "Power cut"))
    then = "2026-06-04T12:00:00-05:00"
    said = reasons(lambda: review(house, then))
    assert said == [f"{REV} was not reviewer at {then}"]


def test_before_a_stop_has_ended_nothing_of_it_is_entered(house: House):
    first = stop(house, ended="")
    late = paper(QA1, at(1))

    def hold(tx: Transaction) -> object:
        return hold_lot(tx, lot=LOT, credentials=late)

    def act() -> object:
        with house.acting(QA1, Permission.HOLD_LOT) as tx:
            return hold(tx)

    assert reasons(act) == [f"{at(1)} lies in no stop of the system that ended"]
    with house.acting(QA2, Permission.RECORD_STOP) as tx:
        assert not isinstance(
            end_stop(tx, stop=first, ended=ENDED, credentials=signing(QA2)), Refusal
        )
    assert not isinstance(act(), Refusal)
    with house.reading() as session:
        assert [row.natural_key for row in stop_rows(session)] == ["1/1", "1/2"]
    with house.acting(QA2, Permission.RECORD_STOP) as tx, pytest.raises(Conflict) as ended:
        end_stop(tx, stop=first, ended=ENDED, credentials=signing(QA2))
    assert ended.value.code == "BQC-LAT-006"


def test_who_recorded_the_stop_enters_nothing_of_it(house: House):
    stop(house, by=QA1)

    def act() -> object:
        with house.acting(QA1, Permission.REJECT_LOT) as tx:
            return reject_lot(tx, house.archive, lot=LOT, credentials=paper(QA1, at(1)))

    assert reasons(act) == [f"{QA1} recorded stop 1, and does not enter what happened in it"]
    with house.acting(QA2, Permission.REJECT_LOT) as tx:
        rejected = reject_lot(tx, house.archive, lot=LOT, credentials=paper(QA2, at(1)))
        assert isinstance(rejected, Decision)


def test_a_second_entry_and_a_determination_are_entered_late(house: House):
    stop(house)
    number = enter(house).number
    verified = try_to_verify(house, number, credentials=paper(REV, at(2)))
    assert isinstance(verified, EntryVerification)
    with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
        late = determine_eligibility(
            tx,
            house.archive,
            NewDetermination(DONOR, "A late result", eligible=False),
            credentials=paper(DON, at(1)),
        )
        assert not isinstance(late, Refusal)
        assert late.signature.happened_at == at(1)

    def again() -> object:
        with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
            return determine_eligibility(
                tx,
                house.archive,
                NewDetermination(DONOR, "The very same", eligible=True),
                credentials=paper(DON, at(0)),
            )

    (said,) = reasons(again)
    assert said.startswith(f"{at(0)} is before it was determined")


def test_what_is_signed_in_the_system_only_is_not_entered_late(house: House):
    stop(house)
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        hold_lot(tx, lot=LOT, credentials=signing(QA1))
    with house.acting(QA2, Permission.HOLD_LOT) as tx, pytest.raises(InvalidInput) as refused:
        let_go(tx, house.archive, lot=LOT, number=1, credentials=paper(QA2, at(1)))
    assert refused.value.code == "BQC-LAT-002"


@pytest.mark.requirement("1.40")
def test_a_system_that_wrote_entries_was_not_down(house: House):
    assert house.upload(results()).accepted
    house.review()
    later = (NOW + timedelta(hours=2)).isoformat()
    house.now.at += timedelta(days=1)
    with pytest.raises(InvalidInput) as refused:
        stop(house, ended=later)
    (said,) = refused.value.reasons
    first, last = said.removeprefix("the audit trail was written meanwhile: ").split(" to ")
    assert "(upload accepted, ana, 2026-06-01T12:00:0" in first
    assert "(results reviewed, rev, 2026-06-01T12:00:0" in last
    going_on = stop(house, ended="")
    with house.acting(QA2, Permission.RECORD_STOP) as tx, pytest.raises(InvalidInput) as refused:
        end_stop(tx, stop=going_on, ended=later, credentials=signing(QA2))
    assert "was written meanwhile" in refused.value.reasons[0]


@pytest.mark.requirement("1.40")
def test_a_wrong_stop_is_withdrawn_and_told_anew_until_paper_rests_on_it(house: House):
    def withdraw(number: int) -> bool:
        with house.acting(QA2, Permission.RECORD_STOP) as tx:
            row = withdraw_stop(tx, stop=number, credentials=signing(QA2, "Wrong day"))
            assert isinstance(row, SystemStop)
            return row.is_withdrawn

    def refused(act: Callable[[], object]) -> str:
        with pytest.raises(Conflict) as caught:
            act()
        return " ".join((caught.value.code, *caught.value.reasons))

    first = stop(house)
    with pytest.raises(InvalidInput) as overlapping:
        stop(house)
    assert overlapping.value.reasons[0].startswith(f"stop {first} is of the same time")
    assert withdraw(first)
    assert refused(lambda: withdraw(first)) == "BQC-LAT-007"
    with house.acting(QA2, Permission.RECORD_STOP) as tx, pytest.raises(Conflict) as ended:
        end_stop(tx, stop=first, ended=ENDED, credentials=signing(QA2))
    assert ended.value.code == "BQC-LAT-007"

    def hold() -> object:
        with house.acting(QA1, Permission.HOLD_LOT) as tx:
            return hold_lot(tx, lot=LOT, credentials=paper(QA1, at(1)))

    assert reasons(hold) == [f"{at(1)} lies in no stop of the system that ended"]
    second = stop(house)
    assert second == first + 1
    assert not isinstance(hold(), Refusal)
    told = refused(lambda: withdraw(second))
    assert told.startswith("BQC-LAT-008")
    assert f"on F-12 at {at(1)}" in told
    with pytest.raises(NotFound):
        withdraw(7)
    assert house.verify().problems == ()


def test_only_qa_records_stops_with_times_that_can_be(house: House):
    with pytest.raises(NotPermitted):
        house.actor(REV, Permission.RECORD_STOP)
    ahead = (NOW + timedelta(days=1)).isoformat()
    with house.acting(QA1, Permission.RECORD_STOP) as tx:
        with pytest.raises(InvalidInput) as refused:
            record_stop(tx, began=ahead, ended="soon", credentials=signing(QA1))
        assert len(refused.value.reasons) == 2
        with pytest.raises(NotFound):
            end_stop(tx, stop=7, ended=ENDED, credentials=signing(QA1))


def test_stops_are_held_before_who_signs_by_whoever_signs(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    """Else one person who enters a paper and withdraws a stop at one moment waits for ever."""
    number, held = stop(house), list[str]()
    lock = Transaction.lock

    def noted(tx: Transaction, name: str) -> None:
        held.append(name)
        lock(tx, name)

    def hold_on_paper() -> None:
        with house.acting(QA1, Permission.HOLD_LOT) as tx:
            hold_lot(tx, lot=LOT, credentials=paper(QA1, at(3)))

    def tell_of_the_stop() -> None:
        with house.acting(QA1, Permission.RECORD_STOP) as tx, pytest.raises(Conflict):
            withdraw_stop(tx, stop=number, credentials=signing(QA1))
        began, ended = "2026-05-29T08:00:00-05:00", "2026-05-30T06:00:00-05:00"
        with house.acting(QA1, Permission.RECORD_STOP) as tx:
            record_stop(tx, began=began, ended=ended, credentials=signing(QA1, "Another cut"))

    monkeypatch.setattr(Transaction, "lock", noted)
    for act in (hold_on_paper, tell_of_the_stop):
        held.clear()
        act()
        assert held.index("system stops") < held.index(f"person:{QA1}")
