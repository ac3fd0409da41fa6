"""Wrong codes of who has no authenticator, or has another by now, lock nobody for ever."""

from datetime import timedelta
from pathlib import Path

import pytest

from batchqc.actions.authenticators import confirm_authenticator, revoke_authenticator
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.people import SignIn
from tests.actions.proving import code, keyed, offered
from tests.actions.test_codes import come, with_code
from tests.records.house import ADM, ANA, House

TYPO = "a slip of the hand"


@pytest.fixture
def house(house: House, tmp_path: Path) -> House:
    return keyed(house, tmp_path)


def stray(house: House, times: int) -> None:
    """Something is typed, or filled in by the browser, where a code is asked of who has one."""
    for _ in range(times):
        assert refused(come(house, typed="123456")) == "BQC-SIG-001"


def refused(answer: object) -> str:
    return answer.code if isinstance(answer, Refusal) else ""


@pytest.mark.requirement("1.24")
def test_codes_of_who_has_none_are_forgiven_by_a_sign_in(house: House):
    stray(house, 4)
    assert isinstance(come(house), SignIn)
    assert refused(come(house, password=TYPO)) == "BQC-SIG-001"
    assert isinstance(come(house), SignIn)
    stray(house, 4)
    assert refused(come(house, password=TYPO)) == "BQC-SIG-001"
    assert refused(come(house)) == "BQC-SIG-002"  # five in a row, of whatever


@pytest.mark.requirement("1.24")
def test_codes_of_an_authenticator_that_was_revoked_are_forgiven_by_a_sign_in(house: House):
    with_code(house)
    stray(house, 5)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        revoke_authenticator(tx, user_id=ANA, reason="The telephone was lost")
    assert refused(come(house)) == "BQC-SIG-002"  # a revocation opens no account
    house.now.at += timedelta(minutes=16)
    assert isinstance(come(house), SignIn)
    assert refused(come(house, password=TYPO)) == "BQC-SIG-001"
    assert isinstance(come(house), SignIn)


@pytest.mark.requirement("1.24")
def test_the_first_code_of_an_authenticator_forgives_codes_of_before(house: House):
    stray(house, 4)
    totp = offered(house, ANA)
    with house.alone(ANA) as tx:
        assert confirm_authenticator(tx, code=code(house, totp)) is None
    stray(house, 1)
    assert isinstance(come(house, typed=code(house, totp, steps=1)), SignIn)
