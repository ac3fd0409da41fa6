"""What belongs to one person opens nothing for another, whatever role this one holds.

Roles are held against routes in ``test_permissions_of_routes.py``. Here it is about whose an object
is: a session, a secret, a key, a file that waits, what somebody measured, typed, wrote or asked
for. Lots, results and certificates belong to the site: who may read one may read each.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from batchqc.actions.attempts import LOCKED
from batchqc.api.app import open_door
from batchqc.core.permissions import Role
from batchqc.documents.component_key import create_component_key
from batchqc.records.audit_search import entries_after
from tests.actions.state import TRAIL, counts, grown
from tests.api.conftest import (  # noqa: F401 - fixtures
    Site,
    address,
    application,
    log_key,
    seal,
    settings,
    signed,
    site,
)
from tests.api.test_refusals import is_problem
from tests.compliance.test_permissions_of_routes import HOLDERS, register
from tests.records.house import ADM, ANA, BEN, LOT, QA1, QA2, REV, House, results, terms

GUESS = "another person's 1"


@pytest.fixture
def with_codes(site: Site, tmp_path: Path) -> Iterator[Site]:  # noqa: F811
    """A site with a key for the secrets of authenticators."""
    key = tmp_path / "components.key"
    create_component_key(key)
    door = site.app.state.door
    site.app.state.door = open_door(
        door.settings.model_copy(update={"component_key": key}), now=site.house.now
    )
    yield site
    site.app.state.door.engine.dispose()
    site.app.state.door = door


#: What is signed: the address, and what is sent beside the components.
SIGNED: dict[str, dict[str, Any]] = {
    f"/lots/{LOT}/disposition": {"decision": "released"},
    f"/lots/{LOT}/holds": {},
    "/archive/holds": {"lot": LOT},
    "/system-stops": {"began": "2026-06-01T09:00:00Z"},
    "/policies/supply by exception": {"value": "on"},
}


@pytest.mark.requirement("1.16", "1.19")
@pytest.mark.parametrize("path", SIGNED)
def test_nobody_signs_in_the_session_of_another(site: Site, path: str):  # noqa: F811
    """With the right components of another, or with one's own id and another's password."""
    site.house.ready()
    site.token(QA1)
    before = counts(site.house.engine)
    other = signed(QA2, **SIGNED[path])
    is_problem(site.send(QA1, "POST", path, json=other), 403, "BQC-SIG-003")
    mixed = signed(QA1, **SIGNED[path]) | {"password": GUESS}
    is_problem(site.send(QA1, "POST", path, json=mixed), 403, "BQC-SIG-001")
    assert set(grown(site.house.engine, before)) <= TRAIL | {"attempt"}


@pytest.mark.requirement("1.16")
def test_the_session_of_one_ends_no_session_of_another_and_changes_no_password_of_theirs(
    site: Site,  # noqa: F811
):
    first, second = site.token(ANA), site.token(BEN)
    site.send(ANA, "DELETE", "/session")
    assert site.send(BEN, "GET", "/me").json()["user_id"] == BEN
    answer = site.http.get("/me", headers={"Authorization": f"Bearer {first}"})
    is_problem(answer, 401, "BQC-ACC-001")
    assert first != second
    change = {"user_id": ANA, "old": "x" * 12, "new": "a third horse 3"}
    is_problem(site.send(BEN, "POST", "/password", json=change), 422, "BQC-API-001")


@pytest.mark.requirement("1.16")
def test_only_its_owner_confirms_and_revokes_an_authenticator(with_codes: Site):
    site = with_codes  # noqa: F811
    offer = site.send(QA1, "POST", "/authenticator", json=signed(QA1))
    assert offer.status_code == 201, offer.text
    authenticator = pyotp.parse_uri(offer.json()["otpauth"])
    first = {"code": authenticator.at(site.house.now.at)}
    path = "/authenticator/confirmation"
    is_problem(site.send(QA2, "POST", path, json=first), 409, "BQC-SIG-012")
    for path in ("/authenticator", "/authenticator/revocation"):
        is_problem(site.send(QA2, "POST", path, json=signed(QA1)), 403, "BQC-SIG-003")
    path = "/authenticator/confirmation"
    assert site.send(QA1, "POST", path, json=first).status_code == 200


@pytest.mark.requirement("2.06")
@pytest.mark.parametrize("role", [Role.REVIEWER, Role.QA])
def test_who_uploaded_or_measured_reviews_and_releases_it_in_no_role(
    site: Site,  # noqa: F811
    role: Role,
):
    """Even where the person may do both: it is about whose results these are."""
    house = site.house
    house.upload(results())
    grant = {"role": role, "reason": "Covers for a colleague"} | as_sent(role)
    assert site.send(ADM, "POST", f"/people/{ANA}/roles", json=grant).status_code == 201
    if role is Role.REVIEWER:
        answer = site.send(ANA, "POST", f"/lots/{LOT}/review", json=signed(ANA))
    else:
        house.review()
        body = signed(ANA, decision="released")
        answer = site.send(ANA, "POST", f"/lots/{LOT}/disposition", json=body)
    assert answer.status_code in {403, 409}, answer.text
    assert ANA in answer.text
    assert house.study().dispositions == ()


def as_sent(role: Role) -> dict[str, Any]:
    training = terms(role).training
    return {
        "training": {
            "reference": training.reference,
            "trained_on": f"{training.trained_on}",
            "expires_on": f"{training.expires_on}",
        }
    }


@pytest.mark.requirement("2.03", "1.63")
def test_who_asks_for_a_correction_does_not_decide_on_it(site: Site):  # noqa: F811
    asked = {
        "subject": f"lot:{LOT}", "field": "expires_on", "after": "2026-12-31",
        "reason": "Typed the wrong year",
    }  # fmt: skip
    number = site.send(QA1, "POST", "/corrections", json=asked).json()["number"]
    path = f"/corrections/{number}/decision"
    own = site.send(QA1, "POST", path, json=signed(QA1, approve=True))
    assert own.status_code in {403, 409}, own.text
    assert site.get(REV, f"/corrections/{number}")["state"] == "waits"
    assert site.send(QA2, "POST", path, json=signed(QA2, approve=True)).status_code == 201


@pytest.mark.requirement("1.52", "1.57")
def test_an_administrator_gives_themself_nothing(site: Site):  # noqa: F811
    for role in (Role.QA, Role.ANALYST, Role.QP):
        grant = {"role": role, "reason": "Only for a day"} | as_sent(role)
        answer = site.send(ADM, "POST", f"/people/{ADM}/roles", json=grant)
        assert answer.status_code in {403, 409, 422}, answer.text
    assert site.get(ADM, "/me")["roles"] == ["admin"]


@pytest.mark.requirement("1.24")
def test_failures_of_one_lock_no_other(site: Site):  # noqa: F811
    for _ in range(5):
        site.http.post("/session", json={"user_id": ANA, "password": GUESS})
    locked = site.http.post("/session", json={"user_id": ANA, "password": GUESS})
    is_problem(locked, 401, "BQC-SIG-002")
    assert site.get(BEN, "/me")["user_id"] == BEN
    with site.house.reading() as session:
        said = [entry.what for _link, entry in entries_after(session, 0, limit=5000)]
    assert said.count(LOCKED) == 1


def test_everybody_reads_only_what_is_their_own_of_their_account(site: Site):  # noqa: F811
    house: House = site.house
    register(house, "qp", Role.QP, ends=terms(Role.QP))
    for role, who in HOLDERS.items():
        assert site.get(who, "/me")["roles"] == [role]
        if role is not Role.ADMIN:
            is_problem(site.send(who, "GET", "/failed-attempts"), 403, "BQC-ACC-002")
            is_problem(site.send(who, "GET", "/locked-accounts"), 403, "BQC-ACC-002")
