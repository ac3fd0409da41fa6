"""One entry and its link, looked at alone: what is wrong with them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.audit import START, Link, entry_sha256, link_body, next_link, own_break
from batchqc.core.canonical import sha256_of

FIRST = next_link(None, entry_sha256("first"))
SECOND = next_link(FIRST, entry_sha256("second"))


def test_an_entry_that_is_as_it_was_written_is_whole():
    assert own_break(FIRST, "first") == ""
    assert own_break(SECOND, "second") == ""


def test_a_changed_text_a_changed_link_and_a_wrong_beginning_are_each_told():
    assert own_break(SECOND, "Second") == "entry 2 was changed: its text has another hash"
    told = "entry 2 does not follow from the one before it"
    assert own_break(replace(SECOND, previous="0" * 63 + "1"), "second") == told
    assert own_break(replace(SECOND, sha256="0" * 64), "second") == told
    cut = next_link(replace(FIRST, sequence=0), SECOND.entry_sha256)
    assert cut.sequence == 1
    assert cut.previous != START
    assert own_break(cut, "second") == "entry 1 does not follow from the one before it"


@pytest.mark.requirement("1.01")
@given(st.one_of(st.text(), st.from_regex("[0-9a-f]{64}", fullmatch=True)), st.integers(0, 2**53))
def test_a_link_is_hashed_as_its_canonical_body_whatever_stands_in_it(entry: str, before: int):
    previous = Link(before, "", "", sha256_of(entry))
    if before >= 2**53 - 1:
        with pytest.raises(ValueError, match="beyond"):
            next_link(previous, entry)
        return
    body = link_body(before + 1, entry, previous.sha256)
    assert next_link(previous, entry).sha256 == sha256_of(body)


@pytest.mark.requirement("1.01")
@pytest.mark.parametrize("entry", ['a"b', "ü", "Ａ", "", "\\", "a\n"])
def test_what_is_no_hash_is_hashed_as_canonical_text_as_well(entry: str):
    assert next_link(None, entry).sha256 == sha256_of(link_body(1, entry, START))
