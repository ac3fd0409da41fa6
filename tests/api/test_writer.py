"""What takes long is done before a transaction begins: nobody waits for it who writes meanwhile."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Engine, text

from batchqc.actions import passwords, trends_of_product
from tests.actions.test_trends import make
from tests.api.conftest import Site, signed
from tests.records.house import ANA, DON, DONOR, LOT, PASSWORD, REV, results

_HELD = text(
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)


def is_free(engine: Engine) -> bool:
    """Whether anybody may write now."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            return connection.scalar(_HELD) == 0
    with closing(sqlite3.connect(str(engine.url.database), timeout=0)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.rollback()
        return True


@pytest.mark.parametrize(("password", "status"), [(PASSWORD, 201), ("guess guess", 403)])
def test_the_password_of_a_signature_is_checked_before_the_transaction(
    site: Site, monkeypatch: pytest.MonkeyPatch, password: str, status: int
):
    site.token(DON)
    found = watched(site, monkeypatch)
    sent = signed(DON, password=password, eligible=True, basis="Screened again")
    answer = site.send(DON, "POST", f"/donors/{DONOR}/eligibility", json=sent)
    assert answer.status_code == status, answer.text
    assert found == [True]


@pytest.mark.parametrize(("user_id", "password"), [(ANA, PASSWORD), (ANA, "-"), ("nobody", "-")])
def test_a_sign_in_is_checked_before_the_transaction(
    site: Site, monkeypatch: pytest.MonkeyPatch, user_id: str, password: str
):
    found = watched(site, monkeypatch)
    answer = site.http.post("/session", json={"user_id": user_id, "password": password})
    assert answer.is_success == (password == PASSWORD)
    assert found == [True]


def watched(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether anybody could write when a password was checked."""
    found: list[bool] = []

    class Watching:
        def verify(self, stored: str, password: str) -> bool:
            found.append(is_free(site.house.engine))
            return cheap.verify(stored, password)

    cheap = passwords.HASHER
    monkeypatch.setattr(passwords, "HASHER", Watching())
    return found


@pytest.mark.parametrize(
    ("path", "more"), [(f"/lots/{LOT}/qc-review", {}), ("/qc-reviews", {"lots": [LOT]})]
)
def test_series_are_read_before_the_transaction_of_the_review_that_is_signed_with_them(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str, more: dict[str, list[str]]
):
    make(site.house)
    assert site.house.upload(results(lot=LOT)).accepted
    site.house.review()
    site.token(REV)
    found: list[bool] = []

    read = trends_of_product.read_together

    def watching(*of: Any) -> Any:
        found.append(is_free(site.house.engine))
        return read(*of)

    monkeypatch.setattr(trends_of_product, "read_together", watching)
    answer = site.send(REV, "POST", path, json=signed(REV) | more)
    assert answer.status_code == 201, answer.text
    assert found
    assert all(found)
