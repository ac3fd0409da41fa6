"""Certificates are filed when they are reserved, those of before by a command, and found."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from batchqc.actions.certificate_index import Wanted, file_earlier, find_certificates
from batchqc.actions.certificate_states import withdraw_certificate
from batchqc.actions.lots import the_lot
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.records.audit import newest_link
from batchqc.records.certificate_search import Hit
from batchqc.records.transaction import SYSTEM, transaction
from tests.records.house import DONOR, LOT, PRODUCT, QA1, REV, House
from tests.records.tampering import tampering

NUMBER = "COA-2026-000001"


@pytest.fixture
def released(house: House) -> House:
    house.ready()
    house.release()
    return house


def find(house: House, after: str = "", **wanted: Any) -> Sequence[Hit]:
    with house.reading() as session:
        return find_certificates(session, Wanted(**wanted), after=after, limit=10)


@pytest.mark.requirement("10.06")
def test_a_certificate_is_found_by_everything_that_people_know_of_it(released: House):
    today = released.now.at.date()
    for wanted in (
        {}, {"lot": LOT.lower()}, {"product": PRODUCT}, {"donor": DONOR},
        {"disposition": "Released"}, {"analyte": "cd73"}, {"signer": QA1}, {"signer": REV.upper()},
        {"text": "viability"}, {"text": f"{NUMBER} {LOT}"}, {"text": "Kynu* INHIB*"},
        {"status": "pending"}, {"since": today, "until": today}, {"until": date.max},
        {"signer": QA1, "analyte": "viability", "text": "release", "product": PRODUCT.lower()},
    ):  # fmt: skip
        (found,) = find(released, **wanted)
        assert (found.number, found.lot, found.product) == (NUMBER, LOT, PRODUCT)
        assert (found.disposition, found.status) == ("released", "pending")
    for wanted in (
        {"lot": "MSC-26-0300"}, {"donor": "DNR-X"}, {"disposition": "rejected"},
        {"analyte": "cd7"}, {"signer": "nobody"}, {"text": "viabilit"}, {"text": "viability x9"},
        {"status": "issued"}, {"status": "superseded"}, {"status": "withdrawn"},
        {"until": today - timedelta(days=1)}, {"signer": QA1, "donor": "DNR-X"},
        {"after": NUMBER},
    ):  # fmt: skip
        assert find(released, **wanted) == [], wanted
    for nothing in ("%", "* —"):
        with pytest.raises(InvalidInput) as refused:
            find(released, text=nothing)
        assert refused.value.code == "BQC-CRT-052"
    with pytest.raises(NotFound):
        find(released, after="COA-2026-000009")


def test_how_a_certificate_stands_is_asked_when_it_is_searched(released: House):
    with released.acting(QA1, Permission.HOLD_LOT) as tx:
        lot = the_lot(tx.session, LOT)
        withdraw_certificate(tx, lot, reason="A late failure", about=lot.key)
    for status in ("void", "withdrawn"):
        (found,) = find(released, status=status, text="viability")
        assert (found.status, found.withdrawn) == ("void", "A late failure")
    assert find(released, status="pending", text="viability") == []


def test_certificates_of_before_the_index_are_missed_loudly_until_they_are_filed(released: House):
    with tampering(released.engine) as connection:
        for table in ("certificate_term", "certificate_text"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
    for wanted in ({"text": "viability"}, {"lot": LOT}):
        with pytest.raises(Conflict) as missing:
            find(released, **wanted)
        assert missing.value.code == "BQC-CRT-051"
        assert NUMBER in str(missing.value)
    assert [one.number for one in find(released, status="pending")] == [NUMBER]
    for expected in (1, 0):
        with transaction(released.engine, SYSTEM, released.now()) as tx:
            assert file_earlier(tx, released.archive, limit=10) == expected
    assert [one.number for one in find(released, signer=QA1, lot=LOT)] == [NUMBER]
    assert released.verify().problems == ()


@pytest.mark.parametrize(
    "changed",
    [
        "DELETE FROM certificate_term WHERE kind = 'donor'",
        "UPDATE certificate_term SET value = 'x' WHERE kind = 'signer' AND value = 'rev'",
        "UPDATE certificate_text SET words = 'nothing'",
        "DELETE FROM certificate_text",
        "DELETE FROM certificate_term",
    ],
)
def test_an_index_that_says_otherwise_than_the_content_is_reported(released: House, changed: str):
    with tampering(released.engine) as connection:
        connection.exec_driver_sql(changed)
    assert any(
        f"the index does not say of certificate:{NUMBER} what" in one
        for one in released.verify().problems
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            (
                "INSERT INTO certificate_words (certificate_words, rowid, words)"
                " SELECT 'delete', certificate_id, words FROM certificate_text"
            ),
            f"the index of words does not say of certificate:{NUMBER} what is filed",
        ),
        (
            "INSERT INTO certificate_words (rowid, words) VALUES (77, 'viability')",
            "the index of words holds 1 certificates that are not there",
        ),
        (
            (
                "INSERT INTO certificate_words (rowid, words)"
                " SELECT certificate_id, 'karyotype99' FROM certificate_text"
            ),
            f"the index of words does not say of certificate:{NUMBER} what is filed",
        ),
        ("DELETE FROM certificate_words_data", "the index of words is damaged"),
    ],
)
def test_an_index_of_words_that_finds_something_else_is_reported(
    released: House, changed: str, told: str
):
    if released.engine.dialect.name == "postgresql":  # there it is an index of the text itself
        assert released.verify().problems == ()
        return
    with tampering(released.engine) as connection:
        connection.exec_driver_sql(changed)
    assert told in released.verify().problems


def test_a_certificate_whose_content_is_damaged_is_not_filed(released: House):
    with tampering(released.engine) as connection:
        connection.exec_driver_sql("DELETE FROM certificate_text")
        other = "a" * 64
        connection.exec_driver_sql(f"UPDATE certificate SET content_sha = '{other}'")  # noqa: S608
    with released.reading() as session:
        before = newest_link(session)
    with (
        pytest.raises(IntegrityFailure),
        transaction(released.engine, SYSTEM, released.now()) as tx,
    ):
        file_earlier(tx, released.archive, limit=10)
    with released.reading() as session:
        assert newest_link(session) == before
