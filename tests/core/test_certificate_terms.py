"""By what a certificate is found."""

import sqlite3
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchqc.core.certificate_terms import Kind, Term, term, terms_of, words_of, words_said
from tests.documents.certificate_content import certificate_content, line, signature

NUMBERS = count(1)


@pytest.mark.requirement("10.06")
def test_a_certificate_is_found_by_each_kind_of_term_without_case():
    content = certificate_content(
        lines=[line("a", analyte="CD73"), line("b", analyte="CD73"), line("c", analyte="")],
        signatures=[signature(1, user_id="Anh.Nguyen")],
    )
    assert terms_of(content, "released") == [
        Term(Kind.LOT, "ucm-p2-t1"),
        Term(Kind.PRODUCT, "uc-msc"),
        Term(Kind.DISPOSITION, "released"),
        Term(Kind.DONOR, "d-0031"),
        Term(Kind.ANALYTE, "cd73"),
        Term(Kind.SIGNER, "anh.nguyen"),
        Term(Kind.SIGNER, "nguyễn thị minh anh"),
    ]
    assert term(Kind.SIGNER, " NGUYỄN Thị Minh Anh") in terms_of(content, "released")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Nguyễn Văn Đức", ["nguyen", "van", "duc"]),
        ("COA-2026-000017", ["coa", "2026", "000017"]),
        ("5 × 10⁶ cells/mL", ["5", "106", "cells", "ml"]),
        ("IFN-γ, Straße_3", ["ifn", "γ", "strasse", "3"]),
        ("· — “”", []),
        ("x" * 70, ["x" * 60]),
    ],
)
def test_words_are_compared_without_case_and_accents(text: str, words: list[str]):
    assert words_of(text) == words


@pytest.mark.requirement("10.06")
def test_what_people_read_is_searched_and_what_machines_read_is_not():
    said = words_said(certificate_content()).split()
    assert said == sorted(set(said))
    for word in ("ucm", "viability", "kynurenine", "pasteur", "phu", "prolif", "anh", "csv"):
        assert (word in said) is (word != "prolif")
    assert not [one for one in said if len(one) == 64 or one in {"operator", "limits", "batchqc"}]


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    """The index of words as SQLite has it."""
    database = sqlite3.connect(":memory:")
    database.execute(
        "CREATE VIRTUAL TABLE found USING fts5(words, content='', detail=none, columnsize=0,"
        " tokenize='unicode61 remove_diacritics 0')"
    )
    yield database
    database.close()


@given(text=st.text(max_size=60))
@example(text="ⅷ ² ½ ꙮ ᠠ 𝟗 ａ aᦰb")
def test_the_index_of_words_takes_each_word_for_one(index: sqlite3.Connection, text: str):
    words = words_of(text)
    added = next(NUMBERS)
    index.execute("INSERT INTO found (rowid, words) VALUES (?, ?)", (added, " ".join(words)))
    for word in words:
        query = "SELECT max(rowid) FROM found WHERE found MATCH ?"
        assert index.execute(query, (f'"{word}"',)).fetchone() == (added,)
