"""Codes of authenticators as the second component of a signature."""

from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from batchqc.actions.attempts import LOOKED_AT
from batchqc.actions.authenticators import (
    confirm_authenticator,
    prove_code,
    revoke,
    revoke_authenticator,
)
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.passwords import prove
from batchqc.actions.people import register_person, the_person
from batchqc.actions.signing import Credentials
from batchqc.actions.signing_rule import set_signing_rule
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.documents.component_key import create_component_key
from batchqc.errors import BatchqcError, Conflict, InvalidInput, SigningUnavailable
from tests.actions.proving import code, enrolled, keyed, offered
from tests.actions.state import TRAIL, counts, grown
from tests.records.house import ADM, ANA, DON, DONOR, PASSWORD, QA1, WHY, House
from tests.records.tampering import tamper

COPY = """
UPDATE authenticator_change SET secret = (
  SELECT secret FROM authenticator_change
  WHERE person_id = (SELECT id FROM person WHERE user_id = 'ana') AND number = 1
) WHERE person_id = (SELECT id FROM person WHERE user_id = 'don') AND number = 1
"""


@pytest.fixture
def house(house: House, tmp_path: Path) -> House:
    return keyed(house, tmp_path)


def tried(house: House, user_id: str, text: str) -> str:
    """The code of the refusal, or nothing."""
    with house.alone(user_id) as tx:
        person = the_person(tx.session, user_id)
        refusal = prove_code(tx, person, code=text, purpose="signature")
    return refusal.code if refusal else ""


def signed(house: House, **components: str) -> str:
    """The code of the refusal of a signature of the donor officer, or nothing."""
    given = {"password": PASSWORD} | components
    with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
        answer = determine_eligibility(
            tx, house.archive, NewDetermination(DONOR, "Screening", eligible=True),
            credentials=Credentials(
                DON, given["password"], WHY, code=given.get("code", "")
            ),
        )  # fmt: skip
    return answer.code if isinstance(answer, Refusal) else ""


@pytest.mark.requirement("1.17")
def test_a_secret_counts_after_its_first_code_and_a_code_once(house: House):
    totp = offered(house, ANA)
    assert tried(house, ANA, code(house, totp)) == "BQC-SIG-011"
    first = code(house, totp)
    with house.alone(ANA) as tx:
        assert confirm_authenticator(tx, code=first) is None
    assert tried(house, ANA, first) == "BQC-SIG-011"
    following = code(house, totp, steps=1)
    assert tried(house, ANA, code(house, totp, steps=2)) == "BQC-SIG-011"
    assert tried(house, ANA, following) == ""
    house.now.at += timedelta(seconds=30)
    assert tried(house, ANA, following) == "BQC-SIG-011"
    assert house.verify().problems == ()


def test_a_replaced_authenticator_counts_until_the_new_one_is_confirmed(house: House):
    old = enrolled(house, ANA)
    new = offered(house, ANA)
    house.now.at += timedelta(minutes=1)
    assert tried(house, ANA, code(house, new)) == "BQC-SIG-011"
    assert tried(house, ANA, code(house, old)) == ""
    house.now.at += timedelta(minutes=1)
    with house.alone(ANA) as tx:
        assert confirm_authenticator(tx, code=code(house, new)) is None
    house.now.at += timedelta(minutes=1)
    assert tried(house, ANA, code(house, old)) == "BQC-SIG-011"
    assert tried(house, ANA, code(house, new)) == ""


def test_a_revoked_one_counts_no_more_and_who_offered_it_is_told_so(house: House):
    totp = enrolled(house, ANA)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        revoke_authenticator(tx, user_id=ANA, reason="The telephone was lost")
    house.now.at += timedelta(minutes=1)
    assert tried(house, ANA, code(house, totp)) == "BQC-SIG-011"
    with pytest.raises(Conflict) as refused, house.alone(ANA) as tx:
        revoke(tx, the_person(tx.session, ANA), reason="Again, to be sure")
    assert refused.value.code == "BQC-SIG-013"
    with pytest.raises(Conflict) as refused, house.alone(ANA) as tx:
        confirm_authenticator(tx, code="000000")
    assert refused.value.code == "BQC-SIG-012"


@pytest.mark.requirement("1.24")
def test_wrong_codes_and_passwords_count_into_one_lock_which_has_an_entry_of_its_own(house: House):
    totp = enrolled(house, DON)
    house.now.at += timedelta(minutes=1)
    assert [tried(house, DON, "no code") for _ in range(3)] == ["BQC-SIG-011"] * 3
    assert locks(house) == 0
    assert [signed(house, password="wrong") for _ in range(2)] == ["BQC-SIG-001"] * 2
    assert locks(house) == 1
    assert tried(house, DON, code(house, totp)) == "BQC-SIG-002"
    assert signed(house) == "BQC-SIG-002"
    assert locks(house) == 1
    house.now.at += timedelta(minutes=16)
    assert signed(house) == ""
    assert house.verify().problems == ()


@pytest.mark.requirement("1.24")
def test_who_knows_the_password_does_not_try_codes_without_end(house: House):
    totp = enrolled(house, DON)
    house.now.at += timedelta(minutes=1)
    assert [signed(house, code="000000") for _ in range(5)] == ["BQC-SIG-011"] * 5
    assert locks(house) == 1
    assert signed(house, code=code(house, totp)) == "BQC-SIG-002"


@pytest.mark.requirement("1.24")
def test_the_lock_has_its_entry_however_much_was_right_since_the_first_failure(house: House):
    enrolled(house, DON)
    assert [tried(house, DON, "000000") for _ in range(4)] == ["BQC-SIG-011"] * 4
    with house.alone(DON) as tx:
        for _ in range(LOOKED_AT):
            assert prove(tx, user_id=DON, password=PASSWORD, purpose="signature") is None
    assert tried(house, DON, "000000") == "BQC-SIG-011"
    assert locks(house) == 1
    assert tried(house, DON, "000000") == "BQC-SIG-002"


def locks(house: House) -> int:
    with house.engine.connect() as connection:
        texts = connection.exec_driver_sql("SELECT text FROM audit_entry").scalars().all()
    return sum('"account locked"' in text for text in texts)


@pytest.mark.requirement("1.19")
def test_the_rule_of_the_site_asks_for_password_and_code(house: House):
    totp = enrolled(house, DON)
    house.now.at += timedelta(minutes=1)
    assert signed(house) == ""
    assert signed(house, password="", code=code(house, totp)) == "BQC-SIG-001"
    assert signed(house, code="000000") == "BQC-SIG-011"  # what is given is right, or refused
    with house.acting(QA1, Permission.SET_SIGNING_RULE) as tx:
        set_signing_rule(tx, with_code=True, reason="Risk assessment 4")
    assert signed(house) == "BQC-SIG-011"
    assert signed(house, password="wrong", code=code(house, totp)) == "BQC-SIG-001"
    assert signed(house, code=code(house, totp)) == ""
    with house.acting(QA1, Permission.SET_SIGNING_RULE) as tx:
        set_signing_rule(tx, with_code=False, reason="Risk assessment 5")
    assert signed(house) == ""
    with pytest.raises(InvalidInput), house.acting(QA1, Permission.SET_SIGNING_RULE) as tx:
        set_signing_rule(tx, with_code=True, reason="")
    assert house.verify().problems == ()


def test_a_secret_is_stored_encrypted_and_belongs_to_its_row(house: House):
    totp = enrolled(house, ANA)
    assert isinstance(totp, pyotp.TOTP)
    with house.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT secret FROM authenticator_change").scalars().all()
        trail = connection.exec_driver_sql("SELECT text FROM audit_entry").scalars().all()
    assert not any(totp.secret in text for text in (*rows, *trail))
    enrolled(house, DON)
    house.now.at += timedelta(minutes=1)
    tamper(house.engine, COPY)
    with pytest.raises(SigningUnavailable) as refused:
        tried(house, DON, code(house, totp))
    assert refused.value.code == "BQC-SIG-021"
    assert house.verify().problems


def test_without_its_key_an_installation_enrols_nobody(house: House, tmp_path: Path):
    path = tmp_path / "components.key"
    with pytest.raises(Conflict):
        create_component_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("no key")
    before = counts(house.engine)
    with pytest.raises(SigningUnavailable):
        offered(house, ANA)
    assert grown(house.engine, before) == {}


def test_who_was_registered_without_a_password_has_nothing_to_guess(house: House):
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id="otto", name="Otto", roles=[Role.QA], password=None)
    before = counts(house.engine)
    assert tried(house, "otto", "000000") == "BQC-SIG-011"
    assert set(grown(house.engine, before)) <= TRAIL | {"attempt"}
    with pytest.raises(BatchqcError), house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        revoke_authenticator(tx, user_id="otto", reason="There is none yet")
