"""Where the site asks everybody for a code: what opens to who has no authenticator, route by route.

Each route is asked as it would be done: what refuses the person does so before it looks at more.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyotp
import pytest
from fastapi import FastAPI

from batchqc.actions.policies import set_policy
from batchqc.api.app import open_door
from batchqc.core.permissions import Permission
from batchqc.core.policies import CodeAtSignIn, Policy
from batchqc.settings import Settings
from tests.actions.proving import enrolled, keyed
from tests.api.conftest import application, log_key, seal, settings, signed  # noqa: F401 - fixtures
from tests.compliance.test_permissions_of_routes import (
    ANYONE,
    OWN,
    ROUTES,
    Everyone,
    code_of,
    enter,
)
from tests.kinds import KINDS
from tests.records.house import ANA, QA1, House, signing

#: Of what concerns only the person: what signs them in and out, and enrols an authenticator.
OPEN = OWN - {
    "POST /authenticator/revocation", "POST /accountability", "POST /link/confirmation",
    "POST /sessions/end", "POST /sessions/{sha256}/end",
}  # fmt: skip


@pytest.fixture
def everyone(
    application: FastAPI,  # noqa: F811
    house: House,
    settings: Settings,  # noqa: F811
    tmp_path: Path,
) -> Iterator[Everyone]:
    """The analyst, whose session is older than the policy."""
    house = keyed(house, tmp_path)
    key = {"component_key": tmp_path / "components.key"}
    application.state.door = open_door(settings.model_copy(update=key), now=house.now)
    tokens = {ANA: enter(house, ANA)}
    enrolled(house, QA1)
    with house.acting(QA1, Permission.SET_POLICY) as tx:
        set_policy(
            tx, policy=Policy.CODE_AT_SIGN_IN, value=CodeAtSignIn.EVERYBODY,
            credentials=signing(QA1),
        )  # fmt: skip
    found = Everyone(house, application, tokens)
    yield found
    found.leave()
    application.state.door.engine.dispose()


@pytest.mark.requirement("1.16", "2.04")
def test_who_has_to_enrol_an_authenticator_reaches_no_other_route(
    everyone: Everyone, database: str
):
    """Each route is asked of one of the databases, in turn."""
    lines = [line for line, sent in ROUTES.items() if sent["who"] != ANYONE]
    closed = [line for line in lines if " ".join(line.split(" ")[:2]) not in OPEN]
    assert len(closed) > 200
    asked = islice(closed, KINDS.index(database), None, len(KINDS))
    told = {line: code_of(everyone.ask(ANA, line)) for line in asked}
    assert {line: code for line, code in told.items() if code != "BQC-ACC-047"} == {}


def test_the_routes_that_are_open_lead_out(everyone: Everyone):
    assert everyone.ask(ANA, "GET /me").json()["must_enrol_authenticator"] is True
    assert everyone.ask(ANA, "GET /accountability").status_code == 200
    offer = everyone.send(ANA, "POST", "/authenticator", json=signed(ANA))
    assert offer.status_code == 201, offer.text
    totp = pyotp.parse_uri(offer.json()["otpauth"])
    assert isinstance(totp, pyotp.TOTP)
    first = {"code": totp.at(everyone.house.now.at)}
    assert everyone.send(ANA, "POST", "/authenticator/confirmation", json=first).status_code == 200
    assert everyone.ask(ANA, "GET /me").json()["must_enrol_authenticator"] is False
    assert everyone.ask(ANA, "GET /site").status_code == 200
