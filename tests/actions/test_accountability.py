"""Nobody signs who has not accepted the statement of accountability; links of accounts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from batchqc.actions.accountability import accept_accountability, change_password_and_accept
from batchqc.actions.clock_evidence import BEHIND
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.links import confirm_link, link_account, remove_link
from batchqc.actions.people import change_password, principal, register_person, sign_in, who_is
from batchqc.actions.signing import prove_components
from batchqc.actions.signing_rule import set_signing_rule
from batchqc.core.accountability import STATEMENT
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import (
    BatchqcError,
    ClockDoubtful,
    Conflict,
    InvalidInput,
    NotPermitted,
    NotSignedIn,
)
from batchqc.records.people import person_by
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import SYSTEM, Actor, Transaction, transaction
from tests.actions.proving import enrolled, keyed
from tests.actions.state import counts, grown
from tests.cast import SITE_ZONE
from tests.records.house import (
    ADM,
    ANA,
    DONOR,
    FIRST_PASSWORD,
    LABORATORY,
    PASSWORD,
    QA1,
    REV,
    House,
    signing,
)
from tests.records.test_at_once import at_once

NEW = "new.officer"


@pytest.fixture
def house(house: House) -> House:
    """With a donor officer who has a first password."""
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(
            tx, user_id=NEW, name="New", roles=[Role.DONOR_OFFICER], password=FIRST_PASSWORD
        )
    return house


def determine(house: House) -> object:
    with house.acting(NEW, Permission.DETERMINE_ELIGIBILITY) as tx:
        signed = determine_eligibility(
            tx,
            house.archive,
            NewDetermination(DONOR, "Screening", eligible=True),
            credentials=signing(NEW),
        )
        return signed.code if isinstance(signed, Refusal) else signed.signature.meaning


def test_who_accepts_at_two_windows_at_one_moment_signs_once(house: House):
    with house.alone(NEW) as tx:
        assert change_password(tx, user_id=NEW, old=FIRST_PASSWORD, new=PASSWORD) is None

    def accept(own: House) -> str:
        try:
            with own.alone(NEW) as tx:
                accept_accountability(tx, read=STATEMENT.sha256, credentials=signing(NEW))
        except BatchqcError as refused:
            return refused.code
        return "done"

    assert sorted(at_once(house, [accept, accept])) == ["BQC-ACC-041", "done"]


@pytest.mark.requirement("1.32")
def test_the_statement_is_not_accepted_by_a_clock_that_stands_before_what_is_on_record(
    house: House,
):
    before = counts(house.engine)
    house.now.at -= BEHIND * 3
    with (
        pytest.raises(ClockDoubtful),
        transaction(house.engine, Actor(NEW, "self", SITE_ZONE), house.now.at) as tx,
    ):
        change_password_and_accept(
            tx, user_id=NEW, old=FIRST_PASSWORD, new="four words of my own",
            read=STATEMENT.sha256,
        )  # fmt: skip
    with (
        pytest.raises(ClockDoubtful),
        transaction(house.engine, Actor(NEW, "self", SITE_ZONE), house.now.at) as tx,
    ):
        accept_accountability(tx, read=STATEMENT.sha256, credentials=signing(NEW))
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("1.19")
def test_where_signatures_take_a_code_the_statement_is_not_accepted_without_one(
    house: House, tmp_path: Path
):
    house = keyed(house, tmp_path)
    own, again = "four words of my own", "four other words of mine"

    def change(old: str, new: str, read: str) -> None:
        with house.alone(NEW) as tx:
            refusal = change_password_and_accept(tx, user_id=NEW, old=old, new=new, read=read)
        assert refusal is None

    change(FIRST_PASSWORD, own, "")
    enrolled(house, NEW)
    with house.acting(QA1, Permission.SET_SIGNING_RULE) as tx:
        set_signing_rule(tx, with_code=True, reason="Risk assessment 4")
    before = counts(house.engine)
    with pytest.raises(NotPermitted) as refused:
        change(own, again, STATEMENT.sha256)
    assert (refused.value.code, grown(house.engine, before)) == ("BQC-ACC-049", {})
    change(own, again, "")


@pytest.mark.requirement("1.10")
def test_who_accepts_with_the_first_change_of_password_signs_from_then_on(house: House):
    with house.alone(NEW) as tx:
        refusal = change_password_and_accept(
            tx, user_id=NEW, old=FIRST_PASSWORD, new=PASSWORD, read=STATEMENT.sha256
        )
    assert refusal is None
    assert determine(house) == "approved"
    with house.reading() as session:
        row = session.query(SignatureRow).filter_by(meaning="accepted").all()[-1]
        assert (row.person.user_id, row.record) == (NEW, STATEMENT.key)
        assert row.record_sha256 == STATEMENT.sha256
        assert row.sha256 == row.signing.sha256
    assert house.verify().problems == ()


@pytest.mark.requirement("1.10")
def test_who_does_not_accept_signs_nothing_until_they_do(house: House):
    with house.alone(NEW) as tx:
        assert change_password(tx, user_id=NEW, old=FIRST_PASSWORD, new=PASSWORD) is None
    before = counts(house.engine)
    assert determine(house) == "BQC-SIG-010"
    assert grown(house.engine, before) == {}
    with house.alone(NEW) as tx:
        wrong = accept_accountability(
            tx, read=STATEMENT.sha256, credentials=signing(NEW, password="wrong")
        )
        assert isinstance(wrong, Refusal)
    with house.alone(NEW) as tx:
        other = accept_accountability(tx, read=STATEMENT.sha256, credentials=signing(REV))
        assert isinstance(other, Refusal)
        assert other.code == "BQC-SIG-003"
    with house.alone(NEW) as tx:
        accepted = accept_accountability(tx, read=STATEMENT.sha256, credentials=signing(NEW))
        assert not isinstance(accepted, Refusal)
    assert determine(house) == "approved"


OTHER_TEXT: dict[str, Callable[[Transaction], object]] = {
    "by itself": lambda tx: accept_accountability(tx, read="another", credentials=signing(NEW)),
    "with the password": lambda tx: change_password_and_accept(
        tx, user_id=NEW, old=FIRST_PASSWORD, new=PASSWORD, read="another"
    ),
}


@pytest.mark.parametrize("way", OTHER_TEXT)
def test_what_was_not_read_is_not_accepted(house: House, way: str):
    before = counts(house.engine)
    with pytest.raises(InvalidInput) as refused, house.alone(NEW) as tx:
        OTHER_TEXT[way](tx)
    assert refused.value.code == "BQC-ACC-040"
    assert grown(house.engine, before) == {}
    with pytest.raises(Conflict), house.alone(REV) as tx:
        accept_accountability(tx, read=STATEMENT.sha256, credentials=signing(REV))


FIRST: dict[str, Callable[[Transaction], object]] = {
    "accept the statement": lambda tx: accept_accountability(
        tx, read=STATEMENT.sha256, credentials=signing(NEW, password=FIRST_PASSWORD)
    ),
    "confirm a link": lambda tx: confirm_link(tx, password=FIRST_PASSWORD),
    "prove a second component": lambda tx: prove_components(
        tx,
        person_by(tx.session, NEW),  # type: ignore[arg-type]
        signing(NEW, password=FIRST_PASSWORD),
        records=["person:new.officer"],
        meaning=Meaning.VERIFIED,
    ),
}


@pytest.mark.requirement("1.20")
@pytest.mark.parametrize("what", FIRST)
def test_a_password_that_an_administrator_knows_makes_nothing_count(house: House, what: str):
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        link_account(tx, user_id=NEW, issuer="https://a.example", subject="x", reason="Seen by HR")
    with pytest.raises(NotPermitted) as refused, house.alone(NEW) as tx:
        FIRST[what](tx)
    assert refused.value.code == "BQC-ACC-003"


@pytest.mark.requirement("1.16")
@pytest.mark.parametrize(
    ("user_id", "subject", "reason", "code"),
    [
        (ADM, "x", "Seen by HR", "BQC-ACC-032"),
        (LABORATORY, "x", "Seen by HR", "BQC-ACC-031"),
        (NEW, " ", "Seen by HR", "BQC-ACC-030"),
        (NEW, "x", "", "BQC-ACC-030"),
        (NEW, "of ana", "Seen by HR", "BQC-ACC-034"),
        (REV, "x", "Seen by HR", "BQC-ACC-033"),
        ("nobody", "x", "Seen by HR", "BQC-ACC-004"),
    ],
)
def test_a_link_that_cannot_be_is_refused_and_a_subject_is_one_person_for_ever(
    house: House, user_id: str, subject: str, reason: str, code: str
):
    issuer = "https://login.example.org"
    for other, own in ((ANA, "of ana"), (REV, "of rev")):
        with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            link_account(tx, user_id=other, issuer=issuer, subject=own, reason="Seen by HR")
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        remove_link(tx, user_id=ANA, reason="Another account there")
    before = counts(house.engine)
    with (
        pytest.raises(BatchqcError) as refused,
        house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx,
    ):
        link_account(tx, user_id=user_id, issuer=issuer, subject=subject, reason=reason)
    assert refused.value.code == code
    assert grown(house.engine, before) == {}
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        link_account(tx, user_id=ANA, issuer=issuer, subject="of ana", reason="Back again")


def test_a_removed_link_ends_sessions_of_that_person_only(house: House):
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        link_account(tx, user_id=ANA, issuer="https://a.example", subject="x", reason="Seen by HR")
    for user_id in (ANA, REV):
        with transaction(house.engine, SYSTEM, house.now()) as tx:
            sign_in(tx, user_id=user_id, password=PASSWORD, token=f"token of {user_id}", hours=8)
    with pytest.raises(InvalidInput), house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        remove_link(tx, user_id=ANA, reason=" ")
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        remove_link(tx, user_id=ANA, reason="Left the company")
    with house.reading() as session:
        found = who_is(session, token=f"token of {REV}", now=house.now())[0]
        assert found.user_id == REV
        with pytest.raises(NotSignedIn):
            who_is(session, token=f"token of {ANA}", now=house.now())[0]
        assert principal(session, user_id=ANA, time_zone=SITE_ZONE, now=house.now()).sign_in == ""
    with pytest.raises(Conflict), house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        remove_link(tx, user_id=ANA, reason="Left the company")
