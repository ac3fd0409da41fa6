"""Accounts: deactivation, one-time passwords, their age, roles on terms, training of who signs."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from batchqc.actions.accounts import change_role, deactivate
from batchqc.actions.dispositions import Decision, release_lot
from batchqc.actions.laboratory import set_rule
from batchqc.actions.people import change_password, register_person, sign_in, who_is
from batchqc.actions.role_training import FLAGGED
from batchqc.core.accounts import RoleTraining, Terms
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.errors import BatchqcError, InvalidInput, NotPermitted, NotSignedIn
from batchqc.records.audit import AuditEntry
from batchqc.records.people import Attempt
from batchqc.records.transaction import SYSTEM, Actor, transaction
from tests.actions.state import counts, grown
from tests.records.accounts import ONE_TIME, close, password_days, reopen, reset
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    AUDIT_ENDS,
    FIRST_PASSWORD,
    LABORATORY,
    LOT,
    PASSWORD,
    QA1,
    QA2,
    REV,
    House,
    signing,
    terms,
)
from tests.records.test_at_once import at_once

NEW = "my own password 7"


def enter(house: House, user_id: str, password: str = PASSWORD) -> str | Refusal:
    """Sign in for a year: the token, or why not."""
    token = f"{user_id} at {house.now.at}"
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        begun = sign_in(tx, user_id=user_id, password=password, token=token, hours=9999)
    return begun if isinstance(begun, Refusal) else token


def entered(house: House, user_id: str) -> str:
    token = enter(house, user_id)
    assert isinstance(token, str)
    return token


def code_at_entry(house: House, user_id: str, password: str = PASSWORD) -> str:
    found = enter(house, user_id, password)
    return found.code if isinstance(found, Refusal) else ""


def who(house: House, token: str) -> str:
    with house.reading() as session:
        return who_is(session, token=token, now=house.now())[0].user_id


def grant(house: House, user_id: str, role: Role, on: Terms = Terms()) -> None:  # noqa: B008
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=user_id, role=role, granted=True, reason="Appointed", terms=on)


def withdraw(house: House, user_id: str, role: Role, by: str = ADM) -> None:
    with house.acting(by, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=user_id, role=role, granted=False, reason="No longer needed")


def second_administrator(house: House) -> str:
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(
            tx, user_id="adm2", name="Another", roles=[Role.ADMIN], password=FIRST_PASSWORD
        )
    with house.alone("adm2") as tx:
        assert not change_password(tx, user_id="adm2", old=FIRST_PASSWORD, new=PASSWORD)
    return "adm2"


class TestDeactivation:
    @pytest.mark.requirement("1.16", "1.23")
    def test_a_closed_account_is_nobodys_from_the_next_request_on(self, house: House):
        token = entered(house, QA1)
        house.ready()
        close(house, QA1)
        with pytest.raises(NotSignedIn):
            who(house, token)
        assert code_at_entry(house, QA1) == "BQC-ACC-014"
        assert code_at_entry(house, QA1, "guess guess") == "BQC-SIG-001"  # told only to QA1
        with pytest.raises(NotSignedIn) as refused:
            house.actor(QA1, Permission.RELEASE_LOT)
        assert refused.value.code == "BQC-ACC-014"
        assert house.verify().problems == ()

    @pytest.mark.requirement("1.23")
    def test_who_began_to_sign_before_the_account_was_closed_signs_no_more(self, house: House):
        house.ready()
        actor = house.actor(QA1, Permission.RELEASE_LOT)
        close(house, QA1)
        before = counts(house.engine)
        refused = _release_as(house, actor)
        assert isinstance(refused, Refusal)
        assert refused.code == "BQC-ACC-014"
        assert "disposition" not in grown(house.engine, before)

    def test_a_reactivated_account_has_its_roles_and_no_session_of_before(self, house: House):
        token = entered(house, REV)
        close(house, REV)
        reopen(house, REV)
        with pytest.raises(NotSignedIn):
            who(house, token)
        assert who(house, entered(house, REV)) == REV
        assert house.actor(REV, Permission.REVIEW_RESULTS).role == "reviewer"

    def test_a_one_time_password_dies_with_the_account_and_stays_dead(self, house: House):
        reset(house, ANA)
        close(house, ANA)
        reopen(house, ANA)
        assert code_at_entry(house, ANA, ONE_TIME) == "BQC-ACC-020"
        reset(house, ANA)
        assert code_at_entry(house, ANA, ONE_TIME) == ""

    @pytest.mark.requirement("1.16")
    def test_what_cannot_be_changes_nothing(self, house: House):
        close(house, ANA)
        before = counts(house.engine)
        for code, act in (
            ("BQC-ACC-017", lambda: close(house, ADM)),
            ("BQC-ACC-017", lambda: reset(house, ADM)),
            ("BQC-ACC-019", lambda: close(house, ANA)),
            ("BQC-ACC-019", lambda: reopen(house, REV)),
            ("BQC-ACC-016", lambda: reset(house, ANA)),
            ("BQC-ACC-016", lambda: grant(house, ANA, Role.REVIEWER)),
            ("BQC-ACC-011", lambda: close(house, LABORATORY)),
            ("BQC-ACC-011", lambda: reset(house, LABORATORY)),
            ("BQC-ACC-004", lambda: close(house, "nobody")),
            ("BQC-ACC-006", lambda: _again(house, "ANA")),
        ):
            with pytest.raises(BatchqcError) as refused:
                act()
            assert refused.value.code == code
        with (
            pytest.raises(InvalidInput) as no_reason,
            house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx,
        ):
            deactivate(tx, user_id=REV, reason="...")
        assert no_reason.value.code == "BQC-SIG-004"
        assert grown(house.engine, before) == {}

    @pytest.mark.requirement("1.21")
    def test_the_last_administrator_stays_whoever_wants_it_gone(self, house: House):
        other = second_administrator(house)
        stale = house.actor(ADM, Permission.MANAGE_ACCOUNTS)
        close(house, ADM, by=other)
        drop = partial(change_role, role=Role.ADMIN, granted=False)
        for act in (deactivate, drop):
            with (
                pytest.raises(BatchqcError) as refused,
                transaction(house.engine, stale, house.now()) as tx,
            ):
                act(tx, user_id=other, reason="Has left as well")
            assert refused.value.code == "BQC-ACC-018"

    @pytest.mark.requirement("1.21")
    def test_the_last_administrator_without_a_last_day_stays(self, house: House):
        """What is left would end by itself, and nobody could appoint another one."""
        other, soon = second_administrator(house), date(2026, 7, 1)
        with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            change_role(
                tx, user_id=other, role=Role.ADMIN, granted=True, reason="Stands in for a month",
                terms=Terms(soon),
            )  # fmt: skip
        change = partial(change_role, user_id=ADM, role=Role.ADMIN, reason="Goes on leave")
        for act in (
            partial(deactivate, user_id=ADM, reason="Goes on leave"),
            partial(change, granted=False),
            partial(change, granted=True, terms=Terms(soon)),
        ):
            with (
                pytest.raises(BatchqcError) as refused,
                house.acting(other, Permission.MANAGE_ACCOUNTS) as tx,
            ):
                act(tx)
            assert refused.value.code == "BQC-ACC-018"
            assert refused.value.message.endswith("without a last day")
        close(house, other)

    def test_of_two_administrators_who_close_each_others_account_one_stays(self, house: House):
        other = second_administrator(house)
        stale = {who: house.actor(who, Permission.MANAGE_ACCOUNTS) for who in (ADM, other)}

        def act(by: str, whom: str) -> Callable[[House], str]:
            def work(own: House) -> str:
                try:
                    with transaction(own.engine, stale[by], own.now()) as tx:
                        deactivate(tx, user_id=whom, reason="Has left the company")
                except BatchqcError as refused:
                    return refused.code
                return "done"

            return work

        assert sorted(at_once(house, [act(ADM, other), act(other, ADM)])) == ["BQC-ACC-018", "done"]


class TestRolesOnTerms:
    @pytest.mark.requirement("1.52", "2.04")
    @pytest.mark.parametrize(
        ("user_id", "role", "on"),
        [
            (QA1, Role.ADMIN, Terms()),
            (QA1, Role.AUDITOR, Terms(AUDIT_ENDS)),
            (AUD, Role.QA, Terms()),
            (ANA, Role.AUDITOR, Terms()),
        ],
    )
    def test_roles_that_exclude_each_other_are_not_granted(
        self, house: House, user_id: str, role: Role, on: Terms
    ):
        before = counts(house.engine)
        with pytest.raises(InvalidInput) as refused:
            grant(house, user_id, role, on)
        assert refused.value.code == "BQC-ACC-013"
        assert "holds no other role" in refused.value.reasons[0]
        assert len(refused.value.reasons) == (2 if on == Terms() and role is Role.AUDITOR else 1)
        assert grown(house.engine, before) == {}

    @pytest.mark.requirement("1.52", "2.04")
    def test_nobody_is_registered_with_them_or_as_auditor_without_end(self, house: House):
        for roles, reasons in (([Role.ADMIN, Role.QA], 1), ([Role.AUDITOR, Role.QP], 2)):
            with (
                pytest.raises(InvalidInput) as refused,
                house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx,
            ):
                register_person(
                    tx, user_id="both", name="Both", roles=roles, password=FIRST_PASSWORD
                )
            assert (refused.value.code, len(refused.value.reasons)) == ("BQC-ACC-013", reasons)

    @pytest.mark.requirement("2.04")
    def test_an_auditors_time_ends_after_the_last_day_at_the_site(self, house: House):
        house.now.at = datetime.fromisoformat(f"{AUDIT_ENDS}T23:59:00-06:00")
        token = entered(house, AUD)
        assert who(house, token) == AUD
        house.now.at += timedelta(minutes=1)
        with pytest.raises(NotPermitted) as refused:
            who(house, token)
        assert (refused.value.code, refused.value.message) == (
            "BQC-ACC-015",
            f"your time as auditor ended on {AUDIT_ENDS}",
        )
        assert code_at_entry(house, AUD) == "BQC-ACC-015"
        grant(house, AUD, Role.AUDITOR, Terms(AUDIT_ENDS + timedelta(days=30)))
        assert who(house, token) == AUD

    def test_a_renewal_keeps_what_its_terms_leave_open(self, house: House):
        grant(house, REV, Role.ANALYST, Terms(AUDIT_ENDS))
        grant(house, REV, Role.ANALYST, terms(Role.ANALYST))
        with house.reading() as session:
            texts = session.scalars(
                select(AuditEntry.text).where(AuditEntry.what == "role granted")
            )
            newest = texts.all()[-1]
        assert f'"last day":"{AUDIT_ENDS}"' in newest
        assert '"training":"TR-7"' in newest
        withdraw(house, REV, Role.ANALYST)
        grant(house, REV, Role.ANALYST)
        house.now.at += timedelta(days=365)
        assert house.actor(REV, Permission.UPLOAD_RESULTS).role == "analyst"


class TestPasswords:
    @pytest.mark.requirement("1.20", "1.23")
    def test_a_reset_ends_sessions_and_opens_nothing_but_a_change_for_a_day(self, house: House):
        token = entered(house, REV)
        reset(house, REV)
        with pytest.raises(NotSignedIn):
            who(house, token)
        assert code_at_entry(house, REV) == "BQC-SIG-001"
        with pytest.raises(NotPermitted) as refused:
            house.actor(REV, Permission.REVIEW_RESULTS)
        assert refused.value.code == "BQC-ACC-003"
        with house.alone(REV) as tx:
            assert change_password(tx, user_id=REV, old=ONE_TIME, new=NEW) is None
        assert code_at_entry(house, REV, ONE_TIME) == "BQC-SIG-001"
        assert code_at_entry(house, REV, NEW) == ""
        assert house.verify().problems == ()

    @pytest.mark.requirement("1.20")
    def test_a_one_time_password_is_over_after_a_day(self, house: House):
        reset(house, REV)
        house.now.at += timedelta(hours=24)
        assert code_at_entry(house, REV, ONE_TIME) == "BQC-ACC-020"
        with house.alone(REV) as tx:
            late = change_password(tx, user_id=REV, old=ONE_TIME, new=NEW)
        assert isinstance(late, Refusal)
        with house.reading() as session:
            assert not session.scalars(
                select(Attempt.succeeded).order_by(Attempt.id.desc())
            ).first()

    def test_a_reset_opens_a_locked_account(self, house: House):
        for _ in range(5):
            enter(house, REV, "guess guess")
        assert code_at_entry(house, REV) == "BQC-SIG-002"
        reset(house, REV)
        assert code_at_entry(house, REV, ONE_TIME) == ""

    @pytest.mark.requirement("1.22")
    def test_passwords_age_only_where_a_rule_says_so(self, house: House):
        house.now.at += timedelta(days=80)
        assert house.actor(REV, Permission.REVIEW_RESULTS)
        password_days(house, 90)
        assert house.actor(REV, Permission.REVIEW_RESULTS)
        house.now.at += timedelta(days=10)
        with pytest.raises(NotPermitted) as refused:
            house.actor(REV, Permission.REVIEW_RESULTS)
        assert refused.value.code == "BQC-ACC-021"
        with house.alone(REV) as tx:
            assert change_password(tx, user_id=REV, old=PASSWORD, new=NEW) is None
        assert house.actor(REV, Permission.REVIEW_RESULTS)

    @pytest.mark.parametrize("days", [-1, 3651])
    def test_a_rule_that_cannot_be_is_refused(self, house: House, days: int):
        with pytest.raises(InvalidInput) as refused:
            password_days(house, days)
        assert refused.value.code == "BQC-ACC-022"


class TestTrainingForRoles:
    """The rule of training is asked of the role in which somebody signs (1.09)."""

    def rule(self, house: House, rule: Rule) -> None:
        with house.acting(QA2, Permission.SET_REGISTER_RULE) as tx:
            set_rule(tx, register=Register.TRAINING, rule=rule, reason="As the SOP has it")

    def renew(self, house: House, until: date) -> None:
        record = RoleTraining("TR-8", date(2026, 5, 2), until)
        grant(house, QA1, Role.QA, Terms(training=record))

    @pytest.mark.requirement("1.09")
    def test_expired_training_keeps_from_signing_where_the_rule_refuses(self, house: House):
        house.ready()
        self.renew(house, date(2026, 6, 30))
        house.now.at += timedelta(days=30)
        self.rule(house, Rule.REFUSE)
        house.hand_to_qa()  # a rule was set since the trail was read
        before = counts(house.engine)
        refused = house.release()
        assert isinstance(refused, Refusal)
        assert refused.code == "BQC-ACC-023"
        assert refused.message == "the training of qa1 as QA (TR-8) counts until 2026-06-30"
        assert "signature" not in grown(house.engine, before)
        self.renew(house, date(2026, 7, 1))
        assert not isinstance(house.release(), Refusal)

    @pytest.mark.requirement("1.09")
    def test_a_role_without_record_is_not_granted_and_does_not_sign(self, house: House):
        house.ready()
        grant(house, REV, Role.QP)
        self.rule(house, Rule.REFUSE)
        with pytest.raises(InvalidInput) as refused:
            grant(house, ANA, Role.REVIEWER)
        assert "asks for a record of training" in refused.value.reasons[0]
        grant(house, AUD, Role.AUDITOR, Terms(AUDIT_ENDS - timedelta(days=1)))  # needs none
        with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            change_role(tx, user_id=QA1, role=Role.QA, granted=False, reason="To be appointed anew")
        self.rule(house, Rule.OFF)
        grant(house, QA1, Role.QA)
        self.rule(house, Rule.REFUSE)
        without = house.release()
        assert isinstance(without, Refusal)
        assert without.message == "qa1 holds the role QA without a record of training"

    @pytest.mark.requirement("1.09")
    def test_a_flag_is_an_entry_and_the_rule_off_is_silent(self, house: House):
        house.ready()
        self.renew(house, date(2026, 6, 1))
        house.now.at += timedelta(days=1)
        self.rule(house, Rule.FLAG)
        assert isinstance(house.release(), Decision)
        with house.reading() as session:
            told = session.scalars(select(AuditEntry).where(AuditEntry.what == FLAGGED)).all()
        assert [one.who for one in told] == [QA1]
        assert "(TR-8) counts until 2026-06-01" in told[0].text


def _again(house: House, user_id: str) -> None:
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id=user_id, name="New", roles=[], password=FIRST_PASSWORD)


def _release_as(house: House, actor: Actor) -> object:
    with transaction(house.engine, actor, house.now()) as tx:
        return release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
