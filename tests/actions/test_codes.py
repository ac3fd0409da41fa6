"""Coming in with password and code: what is asked of whom, and what an answer tells."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import event, select

from batchqc.actions import codes, passwords
from batchqc.actions.accountability import accept_accountability
from batchqc.actions.accounts import reset_password
from batchqc.actions.attempts import LOOKED_AT
from batchqc.actions.authenticators import (
    confirm_authenticator,
    prove_code,
    revoke,
    revoke_authenticator,
)
from batchqc.actions.codes import NOT_IN, needs_code
from batchqc.actions.links import confirm_link
from batchqc.actions.people import (
    Principal,
    change_password,
    register_person,
    sign_in,
    the_person,
    who_is,
)
from batchqc.actions.policies import set_policy
from batchqc.actions.signing import Credentials, prove_components
from batchqc.core.accountability import STATEMENT
from batchqc.core.components import CodeState
from batchqc.core.permissions import Permission
from batchqc.core.policies import CodeAtSignIn, Policy
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import Conflict, NotPermitted, NotSignedIn, SigningUnavailable
from batchqc.records.components import AuthenticatorChange, code_counts, confirmed_secret
from batchqc.records.people import Attempt, Person, SignIn
from batchqc.records.policies import PolicyRow
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.proving import code, enrolled, keyed, offered
from tests.actions.state import counts, grown
from tests.records.house import ADM, ANA, BEN, FIRST_PASSWORD, PASSWORD, QA1, WHY, House, signing

LOST = "The telephone was lost"
_numbers = count()


@pytest.fixture
def house(house: House, tmp_path: Path) -> House:
    return keyed(house, tmp_path)


def come(house: House, user_id: str = ANA, password: str = PASSWORD, typed: str = "") -> Any:
    """What a sign-in comes to: a session under a token of its own, or why not."""
    token = f"token {next(_numbers)}"
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        return sign_in(tx, user_id=user_id, password=password, code=typed, token=token, hours=8)


def in_session(house: House, user_id: str = ANA, typed: str = "") -> Iterator[Principal]:
    """Who comes in, as each request of the session finds them then."""
    token = f"token {next(_numbers)}"
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        began = sign_in(tx, user_id=user_id, password=PASSWORD, code=typed, token=token, hours=8)
        assert isinstance(began, SignIn), began
    while True:
        with house.reading() as session:
            found, _ = who_is(session, token=token, now=house.now())
        yield found


def with_code(house: House, user_id: str = ANA) -> pyotp.TOTP:
    """An authenticator whose code of now was not used yet."""
    totp = enrolled(house, user_id)
    house.now.at += timedelta(minutes=1)
    return totp


def ask_everybody(house: House, value: str = CodeAtSignIn.EVERYBODY) -> object:
    with house.acting(QA1, Permission.SET_POLICY) as tx:
        return set_policy(tx, policy=Policy.CODE_AT_SIGN_IN, value=value, credentials=signing(QA1))


def signs(house: House, user_id: str, typed: str) -> str:
    """The code of the refusal of a code that is to sign, or nothing."""
    with house.alone(user_id) as tx:
        refusal = prove_code(tx, the_person(tx.session, user_id), code=typed, purpose="signature")
    return refusal.code if refusal else ""


@pytest.mark.requirement("1.17")
def test_who_has_an_authenticator_comes_in_with_password_and_code_and_with_nothing_less(
    house: House,
):
    totp = with_code(house)
    now, old = code(house, totp), code(house, totp, steps=-2)
    unknown = come(house, "nobody", typed=now)
    assert unknown == NOT_IN
    for password, typed in (
        (PASSWORD, ""), (PASSWORD, "000000"), (PASSWORD, old), ("guess guess", now), ("", now),
    ):  # fmt: skip
        assert come(house, password=password, typed=typed) == unknown
    house.now.at += timedelta(minutes=16)
    began = come(house, typed=f" {code(house, totp)} ")
    assert isinstance(began, SignIn)
    with house.engine.connect() as connection:
        trail = connection.exec_driver_sql("SELECT text FROM audit_entry").scalars().all()
    assert sum('"by":"password and code"' in text for text in trail) == 1
    assert not any("password accepted" in text and "sign-in" in text for text in trail)
    assert house.verify().problems == ()


@pytest.mark.requirement("1.17")
def test_a_code_that_let_somebody_in_does_not_sign_and_one_that_signed_lets_nobody_in(
    house: House,
):
    totp = with_code(house)
    first, second = code(house, totp), code(house, totp, steps=1)
    assert isinstance(come(house, typed=first), SignIn)
    assert signs(house, ANA, first) == "BQC-SIG-011"
    assert come(house, typed=first) == NOT_IN
    assert signs(house, ANA, second) == ""
    assert come(house, typed=second) == NOT_IN
    house.now.at += timedelta(seconds=30)
    assert come(house, typed=second) == NOT_IN
    assert isinstance(come(house, typed=code(house, totp, steps=1)), SignIn)


def test_an_authenticator_is_asked_for_from_its_first_code_on_and_until_it_is_revoked(
    house: House,
):
    totp = offered(house, ANA)
    assert isinstance(come(house), SignIn)
    assert come(house, typed=code(house, totp)) == NOT_IN  # what is given counts, or is refused
    with house.alone(ANA) as tx:
        assert confirm_authenticator(tx, code=code(house, totp)) is None
    assert come(house) == NOT_IN
    new = offered(house, ANA)
    house.now.at += timedelta(minutes=1)
    assert come(house, typed=code(house, new)) == NOT_IN
    assert isinstance(come(house, typed=code(house, totp)), SignIn)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        revoke_authenticator(tx, user_id=ANA, reason=LOST)
    house.now.at += timedelta(minutes=1)
    assert come(house, typed=code(house, totp)) == NOT_IN
    assert isinstance(come(house), SignIn)


@pytest.mark.requirement("1.24")
def test_each_sign_in_is_one_attempt_and_five_that_fail_lock_the_account(house: House):
    totp = with_code(house)
    right = code(house, totp)
    before = counts(house.engine)
    for password, typed in (
        (PASSWORD, ""), (PASSWORD, "000000"), ("guess guess", right), ("guess guess", "000000"),
    ):  # fmt: skip
        assert come(house, password=password, typed=typed) == NOT_IN
    assert grown(house.engine, before)["attempt"] == 4
    assert isinstance(come(house, typed=right), SignIn)
    house.now.at += timedelta(minutes=1)
    for _ in range(4):
        assert come(house) == NOT_IN
    assert signs(house, ANA, code(house, totp)) == ""  # forgives no sign-in
    with house.alone(ANA) as tx:
        assert passwords.prove(tx, user_id=ANA, password=PASSWORD, purpose="signature") is None
    assert come(house) == NOT_IN
    locked = come(house, typed=code(house, totp, steps=1))
    assert isinstance(locked, Refusal)
    assert locked.code == "BQC-SIG-002"
    house.now.at += timedelta(minutes=16)
    assert isinstance(come(house, typed=code(house, totp)), SignIn)


def test_who_comes_in_with_both_is_forgiven_what_failed_of_each(house: House):
    totp = with_code(house)
    assert [signs(house, ANA, "000000") for _ in range(2)] == ["BQC-SIG-011"] * 2
    with house.alone(ANA) as tx:
        for _ in range(2):
            assert passwords.prove(tx, user_id=ANA, password="guess guess", purpose="signature")
    assert isinstance(come(house, typed=code(house, totp)), SignIn)
    assert [signs(house, ANA, "000000") for _ in range(4)] == ["BQC-SIG-011"] * 4
    assert signs(house, ANA, code(house, totp, steps=1)) == ""


def test_who_changes_the_password_or_proves_it_again_does_not_try_codes_without_end(house: House):
    """A session left open and a password that was seen: neither forgives a code that was wrong."""
    totp = with_code(house)
    old, new = PASSWORD, "quite other words 88 entirely"
    for _ in range(2):
        assert signs(house, ANA, "000000") == "BQC-SIG-011"
        house.now.at += timedelta(seconds=1)
        with house.alone(ANA) as tx:
            assert change_password(tx, user_id=ANA, old=old, new=new) is None
        old, new = new, old
    for _ in range(2):
        assert signs(house, ANA, "000000") == "BQC-SIG-011"
        with house.alone(ANA) as tx:
            for _ in range(LOOKED_AT):
                assert passwords.prove(tx, user_id=ANA, password=old, purpose="signature") is None
    assert signs(house, ANA, "000000") == "BQC-SIG-011"
    assert signs(house, ANA, code(house, totp)) == "BQC-SIG-002"
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        reset_password(tx, user_id=ANA, password=FIRST_PASSWORD, reason=WHY)
    assert signs(house, ANA, code(house, totp)) == ""


def test_whether_the_password_was_right_is_not_told_by_the_work_nor_by_the_record(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    """Counted, not timed: hashes, codes, statements and rows; what is written is the same."""
    work: list[str] = []

    class Counted:
        def verify(self, stored: str, password: str) -> bool:
            work.append("hash")
            return cheap.verify(stored, password)

    class Shown(pyotp.TOTP):
        def generate_otp(self, input: int) -> str:  # noqa: A002 - as pyotp names it
            work.append("code")
            return super().generate_otp(input)

    cheap = passwords.HASHER
    totp = with_code(house)
    assert signs(house, ANA, "000000") == "BQC-SIG-011"  # after a failure, more is looked at
    assert signs(house, ANA, code(house, totp)) == ""
    house.now.at += timedelta(minutes=1)
    event.listen(house.engine, "before_cursor_execute", lambda *told: work.append(told[2]))
    monkeypatch.setattr(passwords, "HASHER", Counted())
    monkeypatch.setattr(codes.pyotp, "TOTP", Shown)
    found = []
    for password, typed in (
        (PASSWORD, "000000"), ("guess guess", "000000"), ("guess guess", code(house, totp)),
        (PASSWORD, ""),
    ):  # fmt: skip
        before = counts(house.engine)
        work.clear()
        assert come(house, password=password, typed=typed) == NOT_IN
        done = tuple(work)
        with house.reading() as session:
            row = session.scalars(select(Attempt).order_by(Attempt.id.desc())).first()
            assert row is not None
            written = (row.purpose, row.succeeded, row.component, row.step)
        found.append((done, written, frozenset(grown(house.engine, before).items())))
    assert set(found) == {found[0]}
    assert [one for one in found[0][0] if one in {"code", "hash"}] == ["code"] * 3 + ["hash"]


def test_without_the_key_of_the_secrets_nobody_who_has_one_comes_in(house: House, tmp_path: Path):
    with_code(house)
    (tmp_path / "components.key").unlink()
    before = counts(house.engine)
    for password in (PASSWORD, "guess guess"):
        with pytest.raises(SigningUnavailable):
            come(house, password=password, typed="000000")
    assert grown(house.engine, before) == {}
    assert isinstance(come(house, BEN), SignIn)


@pytest.mark.requirement("1.20")
def test_a_one_time_password_opens_nothing_without_the_code(house: House):
    totp = with_code(house)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        reset_password(tx, user_id=ANA, password=FIRST_PASSWORD, reason="Forgot it on holiday")
    assert come(house, password=FIRST_PASSWORD) == NOT_IN
    assert come(house, password=FIRST_PASSWORD, typed="000000") == NOT_IN
    house.now.at += timedelta(hours=25)
    assert come(house, password=FIRST_PASSWORD) == NOT_IN
    over = come(house, password=FIRST_PASSWORD, typed=code(house, totp))
    assert isinstance(over, Refusal)
    assert over.code == "BQC-ACC-020"


def test_who_replaces_or_revokes_an_authenticator_gives_a_code_of_it(house: House):
    totp = with_code(house)

    def proved(typed: str, record: str = f"person:{ANA}") -> str:
        with house.alone(ANA) as tx:
            given = Credentials(ANA, PASSWORD, WHY, code=typed)
            refusal = prove_components(
                tx, the_person(tx.session, ANA), given, records=[record], meaning=Meaning.VERIFIED
            )
        return refusal.code if refusal else ""

    assert proved("") == "BQC-SIG-011"
    assert proved("", record="lot:any") == ""
    assert proved(code(house, totp)) == ""


def test_no_administrator_revokes_their_own_authenticator_without_a_code_of_it(house: House):
    enrolled(house, ADM)
    before = counts(house.engine)
    with (
        pytest.raises(NotPermitted) as refused,
        house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx,
    ):
        revoke_authenticator(tx, user_id=f" {ADM.upper()}", reason=LOST)
    assert refused.value.code == "BQC-ACC-048"
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("1.16")
def test_where_everybody_is_asked_who_has_none_enrols_one_and_does_nothing_else(house: House):
    """The policy meets a session that is open: from its next request on."""
    hers = in_session(house)
    assert next(hers).acting(Permission.UPLOAD_RESULTS)
    qa = in_session(house, QA1, code(house, with_code(house, QA1)))
    assert not next(qa).must_enrol
    assert isinstance(ask_everybody(house), PolicyRow)
    assert next(qa).acting(Permission.READ)
    ana = next(hers)
    assert ana.must_enrol
    for permission in (Permission.READ, Permission.UPLOAD_RESULTS):
        with pytest.raises(NotPermitted) as refused:
            ana.acting(permission)
        assert refused.value.code == "BQC-ACC-047"
    before = counts(house.engine)
    with pytest.raises(NotPermitted), house.alone(ANA) as tx:
        accept_accountability(tx, read=STATEMENT.sha256, credentials=signing(ANA))
    with pytest.raises(NotPermitted), house.alone(ANA) as tx:
        confirm_link(tx, password=PASSWORD)
    assert grown(house.engine, before) == {}
    assert next(in_session(house)).must_enrol  # neither does a session that begins now


@pytest.mark.requirement("1.16")
def test_who_enrols_where_everybody_is_asked_does_all_as_before(house: House):
    for user_id in (ADM, QA1):
        with_code(house, user_id)
    ask_everybody(house)
    hers = in_session(house)
    totp = offered(house, ANA)
    ana = next(hers)
    assert ana.must_enrol
    with transaction(house.engine, ana.themself(), house.now()) as tx:
        assert confirm_authenticator(tx, code=code(house, totp)) is None
    assert next(hers).acting(Permission.UPLOAD_RESULTS)
    assert come(house) == NOT_IN
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        revoke_authenticator(tx, user_id=ANA, reason=LOST)
    hers = in_session(house)
    assert next(hers).must_enrol
    ask_everybody(house, CodeAtSignIn.WHO_HAS_ONE)
    assert next(hers).acting(Permission.UPLOAD_RESULTS)
    assert house.verify().problems == ()


def ended(session: Iterator[Principal]) -> bool:
    try:
        next(session)
    except NotSignedIn:
        return True
    return False


@pytest.mark.requirement("1.16")
def test_a_session_ends_with_what_it_began_with_but_the_one_that_changes_it(house: House):
    own, other, bens = in_session(house), in_session(house), in_session(house, BEN)
    actor = next(own).themself()
    assert not ended(other)
    totp = offered(house, ANA)
    assert (ended(own), ended(other)) == (False, False)
    with transaction(house.engine, actor, house.now()) as tx:
        assert confirm_authenticator(tx, code=code(house, totp)) is None
    assert (ended(own), ended(other)) == (False, True)
    house.now.at += timedelta(minutes=1)
    other = in_session(house, typed=code(house, totp))
    assert not ended(other)
    with transaction(house.engine, actor, house.now()) as tx:
        revoke(tx, the_person(tx.session, ANA), reason=LOST)
    assert (ended(own), ended(other)) == (False, True)
    offered(house, ANA)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        revoke_authenticator(tx, user_id=ANA, reason=LOST)
    assert (ended(own), ended(bens)) == (True, False)


def test_a_first_password_is_changed_before_an_authenticator_is_enrolled(house: House):
    for user_id in (ADM, QA1):
        with_code(house, user_id)
    ask_everybody(house)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id="new", name="New", roles=[], password=FIRST_PASSWORD)
        register_person(tx, user_id="otto", name="Otto", roles=[], password=None)
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        token = "a token of the new"
        sign_in(tx, user_id="new", password=FIRST_PASSWORD, token=token, hours=8)
        new, _ = who_is(tx.session, token=token, now=house.now())
        with pytest.raises(NotPermitted) as refused:
            new.acting(Permission.READ)
    assert refused.value.code == "BQC-ACC-003"
    with house.reading() as session:  # who has no password comes in at the provider only
        codes.require_enrolled(session, the_person(session, "otto"))


def test_who_asks_everybody_for_a_code_has_one_and_others_can_enrol(house: House, tmp_path: Path):
    before = counts(house.engine)
    with pytest.raises(Conflict) as refused:
        ask_everybody(house)
    assert refused.value.code == "BQC-POL-003"
    with_code(house, QA1)
    key = tmp_path / "components.key"
    kept = key.read_text()
    key.unlink()
    with pytest.raises(SigningUnavailable):
        ask_everybody(house)
    assert "policy" not in grown(house.engine, before)
    key.write_text(kept)
    assert isinstance(ask_everybody(house), PolicyRow)


def test_one_question_and_the_walk_through_all_changes_agree_on_whose_codes_count(house: House):
    """Whatever is offered, confirmed and revoked, in whatever order that can be."""
    states = {one.value[0].upper(): one for one in CodeState}
    seen = set()
    for number, letter in enumerate("OOOCOOROCOCROOCRROROC", start=1):
        with house.alone(ANA) as tx:
            person = the_person(tx.session, ANA)
            change = AuthenticatorChange(
                person=person, number=number, state=states[letter].value, secret="", reason="",
                changed_by=ANA, changed_at=tx.now,
            )  # fmt: skip
            tx.add(change)
            tx.audit("authenticator changed", rows=[change])
        with house.reading() as session:
            person = the_person(session, ANA)
            asked = session.scalar(select(code_counts(Person.id)).where(Person.id == person.id))
            walked = confirmed_secret(session, person) is not None
            assert (bool(asked), needs_code(session, ANA)) == (walked, walked), number
            seen.add(walked)
    assert seen == {True, False}
