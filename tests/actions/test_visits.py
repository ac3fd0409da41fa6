"""What the provider says is held against what was asked for: once, in time, and anew."""

from datetime import timedelta

import pytest

from batchqc.actions.links import link_account, remove_link
from batchqc.actions.people import register_person, the_person
from batchqc.actions.visits import (
    Ticket,
    Vouched,
    begin_visit,
    prove_by_visit,
    sign_in_by_visit,
    use_proof,
)
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import Conflict, NotSignedIn
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.state import TRAIL, counts, grown
from tests.records.house import ADM, ANA, House

ISSUER, SUBJECT, OTTO = "https://login.example.org", "subject of otto", "otto"
TICKET = Ticket("a ticket")


@pytest.fixture
def house(house: House) -> House:
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id=OTTO, name="Otto", roles=[Role.QA], password=None)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        link_account(tx, user_id=OTTO, issuer=ISSUER, subject=SUBJECT, reason="Seen by HR")
    return house


def begin(house: House, ticket: Ticket = TICKET) -> None:
    with house.alone(OTTO) as tx:
        begin_visit(tx, ticket=ticket, record="lot:X", meaning=Meaning.APPROVED)


def come_back(house: House, *, seconds: int | None = 0, user_id: str = OTTO) -> str:
    """The code of the refusal, or nothing; ``seconds`` after now the provider saw the person."""
    with house.alone(user_id) as tx:
        seen = None if seconds is None else tx.now + timedelta(seconds=seconds)
        found = prove_by_visit(tx, ticket=TICKET, vouched=Vouched(ISSUER, SUBJECT, seen))
    return found.code if isinstance(found, Refusal) else ""


def sign_in(house: House, ticket: Ticket, hours: int) -> object:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        vouched = Vouched(ISSUER, SUBJECT, tx.now - timedelta(hours=hours))
        return sign_in_by_visit(tx, ticket=ticket, vouched=vouched, token=ticket.text, hours=8)


@pytest.mark.requirement("1.19")
def test_a_sign_in_that_stood_at_the_provider_before_proves_nothing(house: House):
    begin(house)
    house.now.at += timedelta(minutes=2)
    assert come_back(house, seconds=-300) == "BQC-SIG-015"
    assert come_back(house, seconds=None) == "BQC-SIG-015"
    assert come_back(house, seconds=300) == "BQC-SIG-015"
    assert come_back(house, seconds=-30) == ""


def test_a_visit_ends_once_and_in_time_and_is_the_persons_own(house: House):
    begin(house)
    before = counts(house.engine)
    with pytest.raises(NotSignedIn):
        come_back(house, user_id=ANA)
    with pytest.raises(NotSignedIn):
        sign_in(house, TICKET, 0)  # it was begun to sign
    assert grown(house.engine, before) == {}
    assert come_back(house) == ""
    with pytest.raises(Conflict) as refused:
        come_back(house)
    assert refused.value.code == "BQC-ACC-039"
    other = Ticket("another ticket")
    begin(house, other)
    house.now.at += timedelta(minutes=11)
    with pytest.raises(NotSignedIn) as late, house.alone(OTTO) as tx:
        prove_by_visit(tx, ticket=other, vouched=Vouched(ISSUER, SUBJECT, tx.now))
    assert late.value.code == "BQC-ACC-038"


@pytest.mark.requirement("1.23")
@pytest.mark.parametrize("another", ["", "another subject of otto"])
def test_a_proof_signs_nothing_once_the_link_that_it_rests_on_is_removed(
    house: House, another: str
):
    """Sessions end with the link; a request that was under way then is refused, too."""
    begin(house)
    assert come_back(house) == ""
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        remove_link(tx, user_id=OTTO, reason="The card was stolen")
    if another:
        house.now.at += timedelta(seconds=1)
        with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            link_account(tx, user_id=OTTO, issuer=ISSUER, subject=another, reason="A new card")
    with house.alone(OTTO) as tx:
        person = the_person(tx.session, OTTO)
        found = use_proof(tx, person, ticket=TICKET, records=["lot:X"], meaning=Meaning.APPROVED)
    assert found is not None
    assert found.code == "BQC-SIG-014"


def test_a_session_begins_with_a_sign_in_of_today_and_an_unknown_subject_is_remembered(
    house: House,
):
    for text in ("one", "two"):
        with transaction(house.engine, SYSTEM, house.now()) as tx:
            begin_visit(tx, ticket=Ticket(text))
    assert not isinstance(sign_in(house, Ticket("one"), 11), Refusal)
    old = sign_in(house, Ticket("two"), 13)
    assert isinstance(old, Refusal)
    assert old.code == "BQC-SIG-015"
    before = counts(house.engine)
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        vouched = Vouched(ISSUER, "nobody's", tx.now)
        unknown = sign_in_by_visit(tx, ticket=Ticket("two"), vouched=vouched, token="t", hours=8)
    assert isinstance(unknown, Refusal)
    assert unknown.code == "BQC-ACC-037"
    assert set(grown(house.engine, before)) <= TRAIL
    assert house.verify().problems == ()
