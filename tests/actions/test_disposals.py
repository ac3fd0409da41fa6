"""Raw data is kept by rule and by legal hold, and disposed of by two people after its date."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest

from batchqc.actions.disposals import (
    approve_disposal,
    due_of_lot,
    request_disposal,
)
from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.actions.raw_objects import (
    hold_in_store,
    protect,
    raw_hashes,
    rule_now,
    today_at_site,
)
from batchqc.actions.removals import finish_disposals
from batchqc.actions.retention import hold_legally, release_legally, set_retention
from batchqc.actions.scrubs import ScrubWanted, restore, scrub
from batchqc.core.permissions import Permission
from batchqc.core.retention import RetentionRule
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import FolderArchive
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound, NotPermitted
from batchqc.records.methods import MethodVersion
from batchqc.records.transaction import SYSTEM
from batchqc.records.uploads import runs_of
from tests.cast import MADE_ON, TAKEN_AT
from tests.records.house import (
    ADM,
    ANA,
    DONOR,
    EXPIRES_ON,
    LOT,
    PRODUCT,
    QA1,
    QA2,
    House,
    alone,
    results,
    signing,
)
from tests.records.tampering import tamper

DATA = results()
SHA256 = hashlib.sha256(DATA).hexdigest()
RULE = RetentionRule(after_expiry=1, after_manufacture=0)
LATE = datetime(2029, 1, 1, 12, tzinfo=UTC)


def set_rule(house: House, rule: RetentionRule = RULE) -> None:
    with house.acting(QA1, Permission.SET_RETENTION) as tx:
        assert not isinstance(set_retention(tx, rule=rule, credentials=signing(QA1)), Refusal)


def ask(house: House, *, by: str = QA1, password: str = "") -> str:
    with house.acting(by, Permission.DISPOSE) as tx:
        credentials = signing(by, password=password) if password else signing(by)
        asked = request_disposal(tx, house.archive, lot=LOT, credentials=credentials)
        return "" if isinstance(asked, Refusal) else asked.natural_key


def approve(house: House, number: str, *, by: str = QA2) -> list[str]:
    with house.acting(by, Permission.DISPOSE) as tx:
        found = approve_disposal(tx, house.archive, number=number, credentials=signing(by))
        assert not isinstance(found, Refusal)
    return finish_disposals(house.engine, house.archive, now=house.now())


def hold(house: House) -> str:
    with house.acting(QA1, Permission.HOLD_LEGALLY) as tx:
        laid = hold_legally(tx, lot=LOT, credentials=signing(QA1))
        assert not isinstance(laid, Refusal)
        return laid.natural_key


def release(house: House, number: str) -> None:
    with house.acting(QA2, Permission.HOLD_LEGALLY) as tx:
        found = release_legally(tx, number=number, credentials=signing(QA2))
        assert not isinstance(found, Refusal)


def reasons(house: House) -> tuple[str, ...]:
    with pytest.raises(Conflict) as refusal:
        ask(house)
    assert refusal.value.code == "BQC-RET-005"
    return refusal.value.reasons


@pytest.fixture
def late(house: House) -> House:
    """The lot's raw data is due by a rule that was set in time."""
    assert house.upload(DATA).accepted
    set_rule(house)
    house.now.at = LATE
    return house


@pytest.mark.requirement("1.68", "10.03")
def test_two_people_dispose_of_raw_data_and_every_reader_is_told(late: House):
    number = ask(late)
    assert late.archive.get(SHA256) == DATA
    assert approve(late, number) == [SHA256]
    with pytest.raises(IntegrityFailure) as told:
        late.archive.get(SHA256)
    assert told.value.code == "BQC-ARC-005"
    assert "disposed of on 2029-01-01 by qa1 and qa2" in told.value.message
    assert late.verify().problems == ()
    *_, done = scrub(late.engine, late.archive, ScrubWanted(), actor=SYSTEM, clock=late.now)
    assert done.found == ()
    with late.reading() as session:
        assert due_of_lot(session, the_lot(session, LOT), today=LATE.date()) == []
        assert list(raw_hashes(session)) == []
        assert finish_disposals(late.engine, late.archive, now=late.now()) == []
    assert any("there is none" in one for one in reasons(late))
    with pytest.raises(Conflict) as again:
        approve(late, number)
    assert again.value.code == "BQC-RET-008"
    with pytest.raises(Conflict) as back:
        late.archive.put(DATA)
    assert back.value.code == "BQC-ARC-013"
    with late.acting(QA1, Permission.KEEP_ARCHIVE) as tx, pytest.raises(Conflict) as restored:
        restore(tx, late.archive, sha256=SHA256, chunks=[DATA], reason="From a copy")
    assert restored.value.code == "BQC-ARC-013"


@pytest.mark.requirement("10.03")
def test_nothing_is_due_without_a_rule_nor_before_the_date_of_the_newest(house: House):
    assert house.upload(DATA).accepted
    assert "the site has no rule of retention" in reasons(house)
    set_rule(house)
    with house.reading() as session:
        (one,) = due_of_lot(session, the_lot(session, LOT), today=house.now().date())
    assert one.until == EXPIRES_ON.replace(year=EXPIRES_ON.year + 1)
    assert one.reasons == (f"it is kept until {one.until}",)
    house.now.at = datetime(2028, 5, 19, 1, tzinfo=UTC)  # at the site it is still the day before
    assert any("is kept until 2028-05-18" in one for one in reasons(house))
    house.now.at = datetime(2028, 5, 19, 12, tzinfo=UTC)
    assert ask(house) == "DSP-2028-000001"
    set_rule(house, RetentionRule(30, 0))
    assert any("is kept until 2057-05-18" in one for one in reasons(house))
    with pytest.raises(Conflict) as longer:  # what was asked for by the rule before is kept now
        approve(house, "DSP-2028-000001")
    assert longer.value.code == "BQC-RET-005"


@pytest.mark.requirement("10.03")
def test_a_legal_hold_keeps_everything_of_its_lot_until_each_is_released(late: House):
    asked = ask(late)
    first, second = hold(late), hold(late)
    assert any(first in one for one in reasons(late))
    with pytest.raises(Conflict) as held:
        approve(late, asked)
    assert held.value.code == "BQC-RET-005"
    release(late, first)
    (reason,) = reasons(late)
    assert second in reason
    with pytest.raises(Conflict) as twice:
        release(late, first)
    assert twice.value.code == "BQC-RET-004"
    with pytest.raises(NotFound) as none:
        release(late, "LH-2029-000009")
    assert none.value.code == "BQC-RET-003"
    release(late, second)
    assert approve(late, asked) == [SHA256]


@pytest.mark.requirement("1.68")
def test_who_asked_does_not_approve_and_no_administrator_disposes(late: House):
    number = ask(late)
    with pytest.raises(NotPermitted) as same:
        approve(late, number, by=QA1)
    assert same.value.code == "BQC-RET-007"
    for other in (ADM, ANA):
        with pytest.raises(NotPermitted):
            late.actor(other, Permission.DISPOSE)
    assert ask(late, password="a guess") == ""
    assert late.archive.get(SHA256) == DATA
    with pytest.raises(NotFound) as none:
        approve(late, "DSP-2029-000077")
    assert none.value.code == "BQC-RET-009"


def test_what_was_asked_for_is_what_is_approved_or_nothing(late: House):
    number = ask(late)
    late.now.at = datetime(2026, 6, 2, 12, tzinfo=UTC)
    other = alone("viability", run_id="VCB-250521-01", value="94.0")
    assert late.upload(other).accepted
    late.now.at = LATE
    with pytest.raises(Conflict) as changed:
        approve(late, number)
    assert changed.value.code == "BQC-RET-006"
    assert sorted(approve(late, ask(late))) == sorted([SHA256, hashlib.sha256(other).hexdigest()])


def with_same_bytes(house: House) -> str:
    """As if a method had the same bytes: its key."""
    with house.acting(QA1, Permission.DISPOSE) as tx:
        row = MethodVersion(
            method="M-1", version="1", title="As if", effective="2026-01-01", file="m.toml",
            sha256=SHA256, author="spec", imported_at=tx.now,
        )  # fmt: skip
        tx.add(row)
        tx.audit("method imported", rows=[row])
        return row.key


def test_what_another_record_names_too_is_never_disposed_of(late: House):
    with_same_bytes(late)
    (reason,) = reasons(late)
    assert "names the same bytes, and is never disposed of" in reason


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize(
    ("attack", "told"),
    [
        ("DELETE FROM legal_hold", "legal_hold:LH-2029-000001 is missing"),
        ("UPDATE retention_rule SET after_manufacture = 1", "retention_rule:1 is not as"),
        ("UPDATE lot SET expires_on = '2020-01-01'", f"lot:{LOT} is not as"),
    ],
)
def test_what_was_changed_behind_the_audit_trail_frees_nothing(late: House, attack: str, told: str):
    hold(late)
    tamper(late.engine, attack)
    assert any(told in one for one in reasons(late))


@pytest.mark.requirement("1.05", "1.68")
@pytest.mark.parametrize(
    ("attack", "told"),
    [
        (
            "UPDATE assay_run SET lot_id = (SELECT min(id) FROM lot)",
            "{0} is missing; an audit entry speaks of it",
        ),
        ("UPDATE upload SET file = 'other.csv'", "upload:U-2026-000001 is not as"),
    ],
)
def test_a_file_of_another_lot_is_not_disposed_of_with_this_one(
    late: House, attack: str, told: str
):
    other = "MSC-26-0050"
    sample = NewSample(f"{other}-S01", "release", "cryovial", TAKEN_AT.isoformat())
    with late.acting(ANA, Permission.REGISTER_LOT) as tx:
        until = date(2039, 1, 1)
        register_lot(tx, NewLot(other, PRODUCT, MADE_ON, until, (DONOR,), (sample,)))
    assert late.upload(alone("viability", lot=other)).accepted
    with late.reading() as session:
        (run,) = runs_of(session, the_lot(session, other))
        key = run.key
    tamper(late.engine, attack)
    assert any(told.format(key) in one for one in reasons(late))


@pytest.mark.requirement("1.05", "1.68")
def test_a_tombstone_that_nobody_signed_removes_nothing(late: House):
    assert approve(late, ask(late)) == [SHA256]
    late.now.at += timedelta(days=1)
    kept = next(late.archive.names())
    tamper(late.engine, f"UPDATE disposed_object SET sha256 = '{kept}'")  # noqa: S608
    with pytest.raises(IntegrityFailure) as refusal:
        finish_disposals(late.engine, late.archive, now=late.now())
    assert refusal.value.code == "BQC-RET-011"
    assert f"{kept} is not on the list that they signed" in refusal.value.reasons
    assert late.archive.get(kept)


def test_a_stop_before_the_bytes_went_is_finished_later(late: House):
    number = ask(late)
    with late.acting(QA2, Permission.DISPOSE) as tx:
        approve_disposal(tx, late.archive, number=number, credentials=signing(QA2))
    assert late.archive.get(SHA256) == DATA  # the process stopped here
    assert late.verify().problems == ()
    assert finish_disposals(late.engine, late.archive, now=late.now()) == [SHA256]
    assert finish_disposals(late.engine, late.archive, now=late.now()) == []
    assert late.verify().problems == ()


@pytest.mark.requirement("1.68")
def test_a_hold_that_is_laid_before_the_bytes_went_keeps_them(late: House):
    number = ask(late)
    with late.acting(QA2, Permission.DISPOSE) as tx:
        approve_disposal(tx, late.archive, number=number, credentials=signing(QA2))
    laid = hold(late)
    with pytest.raises(Conflict) as kept:
        finish_disposals(late.engine, late.archive, now=late.now())
    assert kept.value.code == "BQC-RET-020"
    assert kept.value.reasons == (f"{SHA256}: legal hold {laid} lies on lot {LOT}",)
    assert late.archive.get(SHA256) == DATA
    release(late, laid)
    method = with_same_bytes(late)
    with pytest.raises(Conflict) as named:
        finish_disposals(late.engine, late.archive, now=late.now())
    assert named.value.reasons == (f"{SHA256}: {method} names the same bytes",)
    assert late.archive.get(SHA256) == DATA


@pytest.mark.requirement("1.68")
def test_a_hold_that_is_laid_while_disposals_are_finished_keeps_what_is_not_removed_yet(
    late: House,
):
    number = ask(late)
    with late.acting(QA2, Permission.DISPOSE) as tx:
        approve_disposal(tx, late.archive, number=number, credentials=signing(QA2))
    laid: list[str] = []

    class Slow(FolderArchive):
        """A store in which somebody else acts while it is asked."""

        def stored_at(self, sha256: str) -> datetime | None:
            laid.extend([] if laid else [hold(late)])
            return super().stored_at(sha256)

    archive = Slow(late.archive.root)
    with pytest.raises(Conflict) as kept:
        finish_disposals(late.engine, archive, now=late.now())
    assert kept.value.reasons == (f"{SHA256}: legal hold {laid[0]} lies on lot {LOT}",)
    assert late.archive.get(SHA256) == DATA


@pytest.mark.requirement("1.19", "1.68")
def test_who_does_not_sign_an_approval_lifts_no_hold_of_the_store(late: House):
    said: list[tuple[str, bool]] = []

    class Locking(FolderArchive):
        """A store that knows holds."""

        def hold(self, sha256: str, *, is_held: bool) -> None:
            said.append((sha256, is_held))

    number, archive = ask(late), Locking(late.archive.root)
    with late.acting(QA2, Permission.DISPOSE) as tx:
        wrong = signing(QA2, password="not the one")
        refused = approve_disposal(tx, archive, number=number, credentials=wrong)
        assert isinstance(refused, Refusal)
    with late.acting(QA2, Permission.DISPOSE) as tx:
        approve_disposal(tx, archive, number=number, credentials=signing(QA2))
    assert said == []
    assert finish_disposals(late.engine, archive, now=late.now()) == [SHA256]
    assert said == [(SHA256, False)]


def test_a_rule_is_numbered_signed_and_refused_where_it_is_none(house: House):
    for years in ((0, 5), (1, -1), (500, 0)):
        with pytest.raises(InvalidInput) as refusal:
            set_rule(house, RetentionRule(*years))
        assert refusal.value.code == "BQC-RET-001"
    set_rule(house)
    with pytest.raises(Conflict) as same:
        set_rule(house)
    assert same.value.code == "BQC-RET-002"
    set_rule(house, RetentionRule(30, 0))
    with house.reading() as session:
        assert rule_now(session) == RetentionRule(30, 0)


def test_the_store_is_told_of_retention_and_holds(late: House):
    told: dict[str, object] = {}

    class Locking(FolderArchive):
        """A store that knows locks."""

        def retain(self, sha256: str, until: datetime) -> None:
            told[sha256] = until

        def hold(self, sha256: str, *, is_held: bool) -> None:
            told[f"hold {sha256}"] = is_held

    archive = Locking(late.archive.root)
    hold(late)
    with late.reading() as session:
        hashes = list(raw_hashes(session))
    for one in hashes:
        protect(late.engine, archive, one)
    with late.reading() as session:
        assert today_at_site(session, LATE) == date(2029, 1, 1)
    until = told[SHA256]
    assert isinstance(until, datetime)
    assert until.isoformat() == "2028-05-18T23:59:59-05:00"
    assert told[f"hold {SHA256}"] is True


@pytest.mark.parametrize("meanwhile", ["hold", "release"])
def test_the_store_keeps_what_is_on_record_where_two_tell_it_at_once(late: House, meanwhile: str):
    """Between one's look at the records and its word to the store another one does both."""
    said: list[tuple[str, bool]] = []
    numbers = [hold(late)] if meanwhile == "release" else []

    class Locking(FolderArchive):
        """A store that knows locks."""

        def hold(self, sha256: str, *, is_held: bool) -> None:
            if not said:
                said.append(("the other one begins", True))
                if meanwhile == "hold":
                    hold(late)
                else:
                    release(late, *numbers)
                hold_in_store(late.engine, self, LOT, recorded="it")
            said.append((sha256, is_held))

    hold_in_store(late.engine, Locking(late.archive.root), LOT, recorded="it")
    assert said[-1] == (SHA256, meanwhile == "hold")
