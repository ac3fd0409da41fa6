"""A house with the key of second components, authenticators in it, and codes."""

from dataclasses import replace
from pathlib import Path

import pyotp

from batchqc.actions.authenticators import confirm_authenticator, offer_authenticator
from batchqc.actions.people import the_person
from batchqc.core.components import step_of
from batchqc.documents.component_key import create_component_key
from batchqc.records.database import COMPONENT_KEY
from tests.records.house import House


def keyed(house: House, folder: Path) -> House:
    """The same house, as an installation with a key opens it."""
    path = folder / "components.key"
    create_component_key(path)
    return replace(house, engine=house.engine.execution_options(**{COMPONENT_KEY: path}))


def offered(house: House, user_id: str) -> pyotp.TOTP:
    """A new authenticator of a person, which waits for its first code."""
    with house.alone(user_id) as tx:
        address = offer_authenticator(tx, the_person(tx.session, user_id))
    parsed = pyotp.parse_uri(address)
    assert isinstance(parsed, pyotp.TOTP)
    assert parsed.name == user_id
    return parsed


def enrolled(house: House, user_id: str) -> pyotp.TOTP:
    """An authenticator of a person, confirmed; the next code that counts is the next step's."""
    totp = offered(house, user_id)
    with house.alone(user_id) as tx:
        assert confirm_authenticator(tx, code=code(house, totp)) is None
    return totp


def code(house: House, totp: pyotp.TOTP, *, steps: int = 0) -> str:
    """The code that it shows now, or so many steps later."""
    return totp.generate_otp(step_of(house.now.at) + steps)
