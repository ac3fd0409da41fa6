"""What a search finds is what it should find: compared with looking at every certificate."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import product
from operator import attrgetter

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.core.certificate_terms import Kind, Term
from batchqc.records.certificate_search import FEW, Search, certificate_ids, hits
from batchqc.records.transaction import reading
from tests.databases import Databases
from tests.records.many_certificates import SINCE, Made, fill, lot_of, made

MANY = 210
TERMS = (
    (),
    (Term(Kind.LOT, lot_of(77).lower()),),
    (Term(Kind.PRODUCT, "p-03"), Term(Kind.SIGNER, "bao.tran")),
    (Term(Kind.DONOR, "dnr-000019"), Term(Kind.DISPOSITION, "released")),
    (Term(Kind.ANALYTE, "cd73"),),
    (Term(Kind.ANALYTE, "karyotype"), Term(Kind.ANALYTE, "cd73")),
    (Term(Kind.PRODUCT, "p-03"), Term(Kind.LOT, "msc-000001")),
)
WORDS = ((), ("viability",), ("potency", "msc", "0000*"), ("value*", "p", "03"), ("nowhere",))
STANDINGS = (
    ("", None, None),
    ("issued", SINCE + timedelta(days=1), SINCE + timedelta(days=2)),
    ("pending", None, None),
    ("void", None, None),
    ("superseded", SINCE + timedelta(days=1), None),
    ("withdrawn", None, None),
)


@cache
def every_one() -> list[Made]:
    return [made(number, MANY) for number in range(1, MANY + 1)]


@pytest.fixture
def session(database: str, databases: Databases) -> Iterator[Session]:
    def put(engine: Engine) -> None:
        fill(engine, MANY)

    with databases.copy(database, "certificates", put) as engine, reading(engine) as session:
        yield session


def should_find(wanted: Search) -> list[int]:
    return [one.id for one in every_one() if is_wanted(one, wanted)]


def is_wanted(one: Made, wanted: Search) -> bool:
    if wanted.status in {"issued", "pending"}:
        stands = one.status == wanted.status
    else:
        stands = {"": True, "superseded": one.superseded}.get(wanted.status, False)
    return (
        stands
        and one.terms.issuperset(wanted.terms)
        and all(
            any(
                word == asked or (asked[-1] == "*" and word.startswith(asked[:-1]))
                for word in one.words
            )
            for asked in wanted.words
        )
        and (wanted.since is None or one.reserved_at >= wanted.since)
        and (wanted.until is None or one.reserved_at < wanted.until)
    )


@pytest.mark.requirement("10.06")
def test_everything_that_is_asked_for_holds_together_whatever_leads(session: Session):
    found = 0
    for terms, words, (status, since, until) in product(TERMS, WORDS, STANDINGS):
        wanted = Search(terms, words, status, since, until)
        expected = should_find(wanted)
        for few in (FEW, 0):
            told = certificate_ids(session, wanted, after=0, limit=MANY, few=few)
            assert told == expected, (wanted, few)
        found += bool(expected)
    assert found > 50


@pytest.mark.requirement("10.06")
def test_pages_of_what_is_found_are_whole(session: Session):
    for wanted in (
        Search(),
        Search(words=("viability",)),
        Search(TERMS[4]),
        Search(status="issued"),
    ):
        expected, told = should_find(wanted), []
        while some := certificate_ids(session, wanted, after=max(told, default=0), limit=17):
            assert len(some) <= 17
            told += some
        assert told == expected


@pytest.mark.requirement("10.06")
def test_the_newest_are_found_first_and_pages_go_backwards(session: Session):
    for wanted, few in product(
        (Search(), Search(words=("viability",)), Search(TERMS[4]), Search(status="issued")),
        (FEW, 0),
    ):
        newest, told = replace(wanted, newest_first=True), list[int]()
        while some := certificate_ids(
            session, newest, after=min(told, default=0), limit=17, few=few
        ):
            assert len(some) <= 17
            told += some
        assert told == should_find(wanted)[::-1]


def test_what_is_found_is_told_with_how_it_stands(session: Session):
    told = hits(session, [49, 50, MANY])
    assert [attrgetter("number", "lot", "status")(one) for one in told] == [
        ("COA-2026-000049", lot_of(49), "issued"),
        ("COA-2026-000050", lot_of(50), "issued"),
        (f"COA-2026-{MANY:06}", lot_of(MANY), "pending"),
    ]
    assert (told[0].superseded_by, told[1].supersedes) == (told[1].number, told[0].number)
    assert [one.product for one in told] == ["P-09", "P-10", "P-10"]
