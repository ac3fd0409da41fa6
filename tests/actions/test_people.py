"""People: passwords, sessions, lockout, roles."""

from datetime import timedelta

import pytest
from argon2 import extract_parameters
from sqlalchemy import event

from batchqc.actions import passwords
from batchqc.actions.accounts import change_role
from batchqc.actions.holds import hold_lot
from batchqc.actions.passwords import checked_before
from batchqc.actions.people import (
    change_password,
    principal,
    register_person,
    sign_in,
    sign_out,
    the_person,
    who_is,
)
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.errors import (
    BatchqcError,
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    NotSignedIn,
)
from batchqc.records.people import hash_of, newest_password
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.state import TRAIL, counts, grown
from tests.cast import SITE_ZONE
from tests.records.house import (
    ADM,
    ANA,
    FIRST_PASSWORD,
    LABORATORY,
    LOT,
    PASSWORD,
    QA1,
    House,
    signing,
)

TOKEN = "an unguessable token"


def enter(house: House, user_id: str = ANA, password: str = PASSWORD, token: str = TOKEN) -> object:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        return sign_in(tx, user_id=user_id, password=password, token=token, hours=8)


def holder(house: House, token: str = TOKEN) -> str:
    with house.reading() as session:
        return who_is(session, token=token, now=house.now())[0].user_id


def test_who_shows_a_token_is_asked_for_by_one_statement(house: House):
    assert not isinstance(enter(house), Refusal)
    asked: list[str] = []
    event.listen(house.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert holder(house) == ANA
    assert len([one for one in asked if "\nFROM " in one]) == 1


@pytest.mark.requirement("1.20")
def test_a_session_begins_with_the_password_and_ends_in_time_or_at_once(house: House):
    assert not isinstance(enter(house), Refusal)
    assert holder(house) == ANA
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        sign_out(tx, token=TOKEN)
    with pytest.raises(NotSignedIn):
        holder(house)
    enter(house, token="another")
    house.now.at += timedelta(hours=9)
    with pytest.raises(NotSignedIn):
        holder(house, "another")


def test_a_token_is_stored_as_its_hash_only_and_a_password_as_argon2id(house: House):
    enter(house)
    with house.reading() as session:
        newest = newest_password(session, the_person(session, ANA))
        assert newest is not None
        assert newest.hash.startswith("$argon2id$")
    with house.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT token_sha256 FROM sign_in").scalars().all()
        trail = connection.exec_driver_sql("SELECT text FROM audit_entry").scalars().all()
    assert TOKEN not in stored
    assert not any(PASSWORD in text or TOKEN in text for text in trail)


def test_an_unknown_user_and_a_wrong_password_are_told_apart_by_nobody(house: House):
    wrong, unknown = enter(house, password="guess guess"), enter(house, user_id="nobody")
    assert wrong == unknown
    assert isinstance(wrong, Refusal)


def test_whether_somebody_is_known_is_not_told_by_the_work_of_a_refusal(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    """Counted, not timed: one hash of the same cost, whoever is named."""
    work: list[object] = []

    class Counted:
        def verify(self, stored: str, password: str) -> bool:
            work.append(extract_parameters(stored))
            return cheap.verify(stored, password)

    cheap = passwords.HASHER
    monkeypatch.setattr(passwords, "HASHER", Counted())
    for user_id in (ANA, "nobody", LABORATORY, "' OR 1=1 --", "", ANA.upper()):
        assert isinstance(enter(house, user_id=user_id, password="guess guess"), Refusal)
    assert work == work[:1] * 6


@pytest.mark.requirement("1.16")
@pytest.mark.parametrize("given", [PASSWORD, "A new password, quite long"])
def test_what_was_found_of_a_password_before_is_nothing_once_there_is_another(
    house: House, given: str
):
    with house.reading() as session:
        checked = checked_before(hash_of(session, ANA), given)
    with house.alone(ANA) as tx:
        new = "A new password, quite long"
        assert change_password(tx, user_id=ANA, old=PASSWORD, new=new) is None
    house.now.at += timedelta(minutes=1)
    with transaction(house.engine, SYSTEM, house.now(), checked=checked) as tx:
        found = sign_in(tx, user_id=ANA, password=given, token=TOKEN, hours=8)
    assert isinstance(found, Refusal) == (given == PASSWORD)


@pytest.mark.requirement("1.16")
def test_wrong_passwords_that_were_found_before_lock_the_account(house: House):
    with house.reading() as session:
        stored = hash_of(session, ANA.upper())
    found = []
    for given in ["guess guess"] * 5 + [PASSWORD]:
        checked = checked_before(stored, given)
        with transaction(house.engine, SYSTEM, house.now(), checked=checked) as tx:
            found.append(sign_in(tx, user_id=ANA, password=given, token=TOKEN, hours=8))
    assert [one.code for one in found if isinstance(one, Refusal)] == [
        *["BQC-SIG-001"] * 5,
        "BQC-SIG-002",
    ]


def test_a_laboratory_cannot_sign_in(house: House):
    assert isinstance(enter(house, user_id=LABORATORY), Refusal)


@pytest.mark.requirement("1.16")
def test_sign_in_locks_after_five_failures_and_opens_again(house: House):
    for _ in range(5):
        enter(house, password="guess guess")
    locked = enter(house)
    assert isinstance(locked, Refusal)
    assert locked.code == "BQC-SIG-002"
    house.now.at += timedelta(minutes=16)
    assert not isinstance(enter(house), Refusal)


@pytest.mark.requirement("1.16")
def test_the_lock_is_counted_from_the_newest_failure(house: House):
    for _ in range(5):
        house.now.at += timedelta(minutes=4)
        enter(house, password="guess guess")
    house.now.at += timedelta(minutes=14)
    locked = enter(house)
    assert isinstance(locked, Refusal)
    assert locked.code == "BQC-SIG-002"


@pytest.mark.requirement("1.16")
def test_who_waits_as_long_as_a_locked_account_says_comes_in(house: House):
    for _ in range(5):
        enter(house, password="guess guess")
    for minutes in (0, 10):
        house.now.at += timedelta(minutes=minutes)
        locked = enter(house)
        assert isinstance(locked, Refusal)
    hour, minute = map(int, locked.hint.split()[2].split(":"))
    house.now.at = house.now.at.replace(hour=hour, minute=minute, second=0)
    assert not isinstance(enter(house), Refusal)


@pytest.mark.requirement("1.13", "1.52")
def test_who_lost_the_role_behind_the_door_signs_nothing(house: House):
    qa = house.actor(QA1, Permission.HOLD_LOT)  # let in; then an administrator comes between
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=QA1, role=Role.QA, granted=False, reason="Left the department")
    with (
        pytest.raises(NotPermitted),
        transaction(house.engine, qa, house.now()) as tx,
    ):
        hold_lot(tx, lot=LOT, credentials=signing(QA1))
    assert not house.study().facts.holds.stops


def test_a_first_password_opens_nothing_but_its_change(house: House):
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(
            tx, user_id="new.one", name="New One", roles=[Role.QA], password=FIRST_PASSWORD
        )
    with house.reading() as session:
        person = principal(session, user_id="new.one", time_zone=SITE_ZONE, now=house.now())
    with pytest.raises(NotPermitted) as refused:
        person.acting(Permission.RELEASE_LOT)
    assert refused.value.code == "BQC-ACC-003"
    with house.alone("new.one") as tx:
        assert change_password(tx, user_id="new.one", old=FIRST_PASSWORD, new=PASSWORD) is None
    assert house.actor("new.one", Permission.RELEASE_LOT).role == "QA"


def test_a_withdrawn_role_is_gone_at_once_and_both_changes_stay_on_record(house: House):
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=ANA, role=Role.ANALYST, granted=False, reason="Left the team")
    with pytest.raises(NotPermitted):
        house.actor(ANA, Permission.UPLOAD_RESULTS)
    assert house.verify().problems == ()


@pytest.mark.parametrize(
    ("user_id", "role", "granted", "code"),
    [
        (ADM, Role.QA, True, "BQC-ACC-010"),
        (ADM, Role.ADMIN, False, "BQC-ACC-010"),
        (LABORATORY, Role.QA, True, "BQC-ACC-011"),
        (ANA, Role.ANALYST, True, "BQC-ACC-012"),
        (ANA, Role.QA, False, "BQC-ACC-012"),
    ],
)
def test_a_change_of_roles_that_cannot_be_changes_nothing(
    house: House, user_id: str, role: Role, granted: bool, code: str
):
    before = counts(house.engine)
    with (
        pytest.raises(BatchqcError) as refused,
        house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx,
    ):
        change_role(tx, user_id=user_id, role=role, granted=granted, reason="To see who may")
    assert refused.value.code == code
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("1.21")
@pytest.mark.parametrize(
    ("user_id", "name", "password", "kind", "code"),
    [
        ("ANA", "Another Ana", PASSWORD, Conflict, "BQC-ACC-006"),
        ("system", "The System", PASSWORD, Conflict, "BQC-ACC-006"),
        ("a b", "Space", PASSWORD, InvalidInput, "BQC-ACC-005"),
        ("fine", "  ", PASSWORD, InvalidInput, "BQC-ACC-005"),
        ("fine", "Ana\nQA director", PASSWORD, InvalidInput, "BQC-ACC-005"),
        ("fine", "Ana \u202eDirector", PASSWORD, InvalidInput, "BQC-ACC-005"),
        ("fine", "Fine", "short", InvalidInput, "BQC-ACC-008"),
        ("fine", "Fine", "a" * 20, InvalidInput, "BQC-ACC-008"),
    ],
)
def test_a_bad_registration_registers_nobody(
    house: House, user_id: str, name: str, password: str, kind: type[BatchqcError], code: str
):
    before = counts(house.engine)
    with pytest.raises(kind) as refused, house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id=user_id, name=name, roles=[], password=password)
    assert refused.value.code == code
    assert grown(house.engine, before) == {}


def test_a_new_password_ends_every_session_but_the_one_that_set_it(house: House):
    """Who changes it because somebody else knows it wants nobody else to be in."""
    for token in (TOKEN, "another", "a third"):
        enter(house, token=token)
    with house.reading() as session:
        own = who_is(session, token=TOKEN, now=house.now())[0]
    with transaction(house.engine, own.themself(), house.now()) as tx:
        assert change_password(tx, user_id=ANA, old=PASSWORD, new="another horse 2") is None
    assert holder(house) == ANA
    for token in ("another", "a third"):
        with pytest.raises(NotSignedIn):
            holder(house, token)
    assert house.verify().problems == ()


def test_a_password_is_changed_with_the_old_one_only(house: House):
    before = counts(house.engine)
    with house.alone(ANA) as tx:
        refusal = change_password(tx, user_id=ANA, old="guess guess", new="new password 22")
    assert isinstance(refusal, Refusal)
    assert set(grown(house.engine, before)) <= TRAIL | {"attempt"}
    with pytest.raises(InvalidInput), house.alone(ANA) as tx:
        change_password(tx, user_id=ANA, old=PASSWORD, new=PASSWORD)


def test_a_transaction_for_one_thing_does_no_other(house: House):
    with pytest.raises(NotPermitted) as refused, house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        register_person(tx, user_id="friend", name="Friend", roles=[Role.QA], password=PASSWORD)
    assert refused.value.code == "BQC-ACC-009"


def test_nobody_is_found_under_an_unknown_user_id(house: House):
    with house.reading() as session, pytest.raises(NotFound):
        the_person(session, "nobody")


@pytest.mark.requirement("1.22")
@pytest.mark.parametrize(
    "password",
    [
        "password1234", "qwertyuiop123", "iloveyou1234", "Administrator", "Password2026!",
        "batchqc 2026", "UC-MSC 2026!", "Massachusetts",
    ],
)  # fmt: skip
def test_a_password_that_somebody_would_try_first_is_refused(house: House, password: str):
    with house.alone(ANA) as tx, pytest.raises(InvalidInput) as refused:
        change_password(tx, user_id=ANA, old=PASSWORD, new=password)
    assert refused.value.code == "BQC-ACC-046"


def test_a_long_password_is_measured_by_its_beginning_and_taken(house: House):
    with house.alone(ANA) as tx:
        assert change_password(tx, user_id=ANA, old=PASSWORD, new="another horse 2 " * 60) is None
