"""One entry and its link, looked at alone: what is wrong with them."""

from dataclasses import replace

from batchqc.core.audit import START, entry_sha256, next_link, own_break

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
