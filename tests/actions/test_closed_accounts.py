"""What opens no account, opens none by a code, by single sign-on or by a step-up either."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from batchqc.actions.access import locked_accounts
from batchqc.actions.accountability import accept_accountability
from batchqc.actions.accounts import reset_password
from batchqc.actions.authenticators import prove_code
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.laboratory import set_rule
from batchqc.actions.links import link_account
from batchqc.actions.people import principal, register_person, the_person, who_is
from batchqc.actions.signing import Credentials, prove_components
from batchqc.actions.visits import Ticket, Vouched, begin_visit, prove_by_visit, sign_in_by_visit
from batchqc.core.accountability import STATEMENT
from batchqc.core.accounts import RoleTraining, Terms
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import Conflict, NotPermitted, NotSignedIn
from batchqc.records.people import SignIn
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.proving import code, enrolled, keyed
from tests.actions.state import counts, grown
from tests.cast import SITE_ZONE
from tests.records.accounts import ONE_TIME, close, password_days, reopen, reset
from tests.records.house import ADM, DON, DONOR, LABORATORY, PASSWORD, QA2, WHY, House, terms

ISSUER, VERA = "https://login.example.org", "vera"
RECORD = "lot:X"


@pytest.fixture
def house(house: House, tmp_path: Path) -> House:
    return keyed(house, tmp_path)


def admit(house: House, role: Role, of: Terms) -> None:
    """Vera has no password: she is linked to single sign-on."""
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id=VERA, name="Vera", roles=[role], password=None, terms=of)
        link_account(tx, user_id=VERA, issuer=ISSUER, subject=VERA, reason="Seen by HR")


def come(house: House, text: str) -> SignIn | Refusal:
    """Sign in at the provider and come back, with a token of this text."""
    ticket = Ticket(text)
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        begin_visit(tx, ticket=ticket)
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        seen = Vouched(ISSUER, VERA, tx.now)
        return sign_in_by_visit(tx, ticket=ticket, vouched=seen, token=text, hours=999)


def refused(answer: object) -> str:
    return answer.code if isinstance(answer, Refusal) else ""


def who(house: House, token: str) -> str:
    with house.reading() as session:
        return who_is(session, token=token, now=house.now())[0].user_id


def tried(house: House, user_id: str, text: str) -> str:
    """The code of the refusal of a code, or nothing."""
    with house.alone(user_id) as tx:
        person = the_person(tx.session, user_id)
        return refused(prove_code(tx, person, code=text, purpose="signature"))


@pytest.mark.requirement("1.04", "1.16", "1.23")
def test_a_deactivated_person_does_not_come_by_single_sign_on(house: House):
    admit(house, Role.REVIEWER, terms(Role.REVIEWER))
    assert refused(come(house, "before")) == ""
    assert who(house, "before") == VERA
    close(house, VERA)
    with pytest.raises(NotSignedIn):
        who(house, "before")
    before = counts(house.engine)
    assert refused(come(house, "meanwhile")) == "BQC-ACC-014"
    new = grown(house.engine, before)
    assert new["attempt"] == 1
    assert "sign_in" not in new
    assert "provider_return" not in new
    reopen(house, VERA)
    with pytest.raises(NotSignedIn):
        who(house, "before")
    assert refused(come(house, "again")) == ""
    assert house.verify().problems == ()


@pytest.mark.requirement("1.16", "1.19")
def test_a_deactivated_person_steps_up_for_nothing(house: House):
    admit(house, Role.REVIEWER, terms(Role.REVIEWER))
    first, second = Ticket("first"), Ticket("second")
    for ticket in (first, second):
        with house.alone(VERA) as tx:
            begin_visit(tx, ticket=ticket, record=RECORD, meaning=Meaning.APPROVED)
    with house.alone(VERA) as tx:
        seen = Vouched(ISSUER, VERA, tx.now)
        assert refused(prove_by_visit(tx, ticket=first, vouched=seen)) == ""
    close(house, VERA)
    with house.alone(VERA) as tx:
        seen = Vouched(ISSUER, VERA, tx.now)
        assert refused(prove_by_visit(tx, ticket=second, vouched=seen)) == "BQC-ACC-014"
    before = counts(house.engine)
    with house.alone(VERA) as tx:
        proof = Credentials(VERA, "", WHY, step_up=first.text)
        person = the_person(tx.session, VERA)
        answer = prove_components(tx, person, proof, records=[RECORD], meaning=Meaning.APPROVED)
    assert refused(answer) == "BQC-ACC-014"
    assert "proof_use" not in grown(house.engine, before)


@pytest.mark.requirement("1.16", "1.17")
def test_a_deactivated_person_signs_by_no_code_which_only_who_knows_one_is_told(house: House):
    totp = enrolled(house, DON)
    house.now.at += timedelta(minutes=1)
    close(house, DON)
    assert tried(house, DON, "000000") == "BQC-SIG-011"
    assert tried(house, DON, code(house, totp)) == "BQC-ACC-014"
    reopen(house, DON)
    assert tried(house, DON, code(house, totp, steps=1)) == ""


@pytest.mark.requirement("2.04")
def test_an_auditor_past_the_end_does_not_come_by_single_sign_on(house: House):
    last_day = house.now.at.date()
    admit(house, Role.AUDITOR, Terms(last_day))
    assert refused(come(house, "in time")) == ""
    house.now.at += timedelta(days=1)
    with pytest.raises(NotPermitted) as over:
        who(house, "in time")
    assert over.value.code == "BQC-ACC-015"
    before = counts(house.engine)
    late = come(house, "late")
    assert isinstance(late, Refusal)
    assert (late.code, late.message) == (
        "BQC-ACC-015",
        f"your time as auditor ended on {last_day}",
    )
    assert "sign_in" not in grown(house.engine, before)


@pytest.mark.requirement("1.09", "1.17")
def test_expired_training_keeps_from_signing_by_code_where_the_rule_refuses(house: House):
    until = house.now.at.date()
    record = RoleTraining("TR-9", date(2026, 1, 1), until)
    admit(house, Role.DONOR_OFFICER, Terms(training=record))
    totp = enrolled(house, VERA)

    def shown() -> Credentials:
        house.now.at += timedelta(minutes=1)
        return Credentials(VERA, "", WHY, code=code(house, totp))

    def determine() -> str:
        credentials = shown()
        with house.acting(VERA, Permission.DETERMINE_ELIGIBILITY) as tx:
            return refused(
                determine_eligibility(
                    tx,
                    house.archive,
                    NewDetermination(DONOR, "Screening", eligible=True),
                    credentials=credentials,
                )
            )

    credentials = shown()
    with house.alone(VERA) as tx:
        accepted = accept_accountability(tx, read=STATEMENT.sha256, credentials=credentials)
        assert refused(accepted) == ""
    with house.acting(QA2, Permission.SET_REGISTER_RULE) as tx:
        set_rule(tx, register=Register.TRAINING, rule=Rule.REFUSE, reason="As the SOP has it")
    assert determine() == ""
    house.now.at += timedelta(days=1)
    before = counts(house.engine)
    assert determine() == "BQC-ACC-023"
    assert "signature" not in grown(house.engine, before)


def test_a_reset_opens_what_wrong_codes_locked(house: House):
    totp = enrolled(house, DON)
    house.now.at += timedelta(minutes=1)
    for _ in range(5):
        assert tried(house, DON, "000000") == "BQC-SIG-011"
    assert tried(house, DON, code(house, totp)) == "BQC-SIG-002"
    with house.reading() as session:
        assert [one for one, _ in locked_accounts(session, now=house.now.at)] == [DON]
    reset(house, DON)
    with house.reading() as session:
        assert locked_accounts(session, now=house.now.at) == []
    house.now.at += timedelta(minutes=1)
    assert tried(house, DON, code(house, totp)) == ""


@pytest.mark.requirement("1.20", "1.22")
def test_resets_and_the_age_of_passwords_do_not_touch_who_has_none(house: House):
    admit(house, Role.REVIEWER, terms(Role.REVIEWER))
    with (
        pytest.raises(Conflict) as none,
        house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx,
    ):
        reset_password(tx, user_id=VERA, password=ONE_TIME, reason="Forgot the password")
    assert none.value.code == "BQC-ACC-028"
    password_days(house, 1)
    house.now.at += timedelta(days=2)
    with house.reading() as session:
        found = {
            one: principal(session, user_id=one, time_zone=SITE_ZONE, now=house.now.at)
            for one in (VERA, DON, LABORATORY)
        }
    assert {
        one: (person.must_change_password, person.too_old) for one, person in found.items()
    } == {
        VERA: (False, 0),
        DON: (True, 1),
        LABORATORY: (True, 0),
    }
    assert house.actor(VERA, Permission.REVIEW_RESULTS)


@pytest.mark.requirement("1.22")
def test_a_password_that_is_too_old_proves_nothing_that_is_ones_own_either(house: House):
    password_days(house, 1)
    house.now.at += timedelta(days=2)
    before = counts(house.engine)
    with house.alone(DON) as tx:
        person = the_person(tx.session, DON)
        given = Credentials(DON, PASSWORD, WHY)
        with pytest.raises(NotPermitted) as old:
            prove_components(tx, person, given, records=[person.key], meaning=Meaning.VERIFIED)
    assert old.value.code == "BQC-ACC-021"
    assert grown(house.engine, before) == {}
