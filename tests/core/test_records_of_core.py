"""Canonical bytes, audit chain, signatures: what is hashed, and what a change of it shows."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.audit import Entry, Link, entry_sha256, first_break, next_link
from batchqc.core.canonical import canonical_bytes, sha256_of, utc_text
from batchqc.core.certificates import content_sha256
from batchqc.core.signatures import Meaning, Signing, reason_problem
from tests.documents.certificate_content import certificate_content

AT = datetime(2026, 3, 21, 16, 56, 1, 5, tzinfo=UTC)


@pytest.mark.requirement("1.05")
def test_objects_are_ordered_and_escaped_as_rfc_8785_shows():
    # RFC 8785, section 3.2.3 (sorting by UTF-16 code units) and 3.2.2.2 (strings)
    content = {
        "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One", "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }  # fmt: skip
    text = canonical_bytes({key: content[key] for key in content if key != "\ufb33"}).decode()
    values = ["Carriage Return", "One", "Control", "Latin Small", "Euro Sign", "Emoji"]
    places = [text.index(value) for value in values]
    assert places == sorted(places)
    assert canonical_bytes("\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/") == (
        '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()
    )
    assert canonical_bytes([None, True, False, 0, -5, {}, []]) == b"[null,true,false,0,-5,{},[]]"


@pytest.mark.parametrize("value", [1.0, b"x", {1, 2}, object(), AT, {"a": 1.5}, [0.1]])
def test_what_has_no_canonical_form_is_refused(value: object):
    with pytest.raises(TypeError):
        canonical_bytes(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [2**53, -(2**53), {"e\u0301": 1, "\u00e9": 2}])
def test_numbers_that_json_loses_and_keys_that_are_equal_are_refused(value: object):
    with pytest.raises(ValueError):
        canonical_bytes(value)  # type: ignore[arg-type]
    assert canonical_bytes(2**53 - 1) == b"9007199254740991"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=8,
)


@given(JSON)
def test_the_order_of_members_is_irrelevant_and_nfc_is_applied(value: object):
    def turned(one: object) -> object:
        if isinstance(one, dict):
            return {key: turned(one[key]) for key in reversed(one)}
        return [turned(item) for item in one] if isinstance(one, list) else one

    try:
        text = canonical_bytes(value)  # type: ignore[arg-type]
    except UnicodeEncodeError:
        return
    assert canonical_bytes(turned(value)) == text  # type: ignore[arg-type]
    assert sha256_of(value) == hashlib.sha256(text).hexdigest()  # type: ignore[arg-type]
    assert canonical_bytes("e\u0301") == canonical_bytes("\u00e9")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    )
)
def test_the_bytes_are_those_of_a_library_for_rfc_8785(value: object):
    try:
        text = canonical_bytes(value)  # type: ignore[arg-type]
    except ValueError:  # half a surrogate pair, or keys that are equal in NFC
        return
    assert text == rfc8785.dumps(json.loads(text))


def test_a_time_is_utc_with_six_digits_and_a_z():
    assert utc_text(AT) == "2026-03-21T16:56:01.000005Z"
    there = AT.astimezone(timezone(timedelta(hours=7)))
    assert utc_text(there) == utc_text(AT)
    with pytest.raises(ValueError):
        utc_text(AT.replace(tzinfo=None))


def entry(number: int) -> Entry:
    return Entry(
        "ana", "analyst", AT + timedelta(seconds=number), -300, "upload accepted", "",
        (f"upload:{number}",), {}, {"rows": number}, {f"upload:{number}": "0" * 64},
    )  # fmt: skip


def chain(count: int) -> list[Link]:
    links: list[Link] = []
    for number in range(count):
        links.append(next_link(links[-1] if links else None, entry_sha256(entry(number).text)))
    return links


@pytest.mark.requirement("1.51")
def test_an_entry_says_who_role_when_what_why_before_and_after():
    body = entry(1).body
    assert body["type"] == "batchqc/audit-entry/1"
    assert {"who", "role", "at", "offset_minutes", "what", "why", "before", "after"} <= set(body)
    assert "sequence" not in body
    assert "previous" not in body


@pytest.mark.requirement("1.05")
def test_a_whole_chain_has_no_break():
    assert first_break(chain(6)) is None
    assert first_break([]) is None
    assert [link.sequence for link in chain(3)] == [1, 2, 3]


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize("place", range(5))
def test_a_link_that_was_dropped_changed_or_swapped_is_named(place: int):
    links = chain(6)
    dropped = links[:place] + links[place + 1 :]
    assert first_break(dropped) == f"entry {place + 1} is missing (found {place + 2} in its place)"
    swapped = [*links]
    swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    assert first_break(swapped) == f"entry {place + 1} is missing (found {place + 2} in its place)"
    for change in (
        {"entry_sha256": "f" * 64}, {"previous": "f" * 64}, {"sha256": "f" * 64},
    ):  # fmt: skip
        changed = [*links]
        changed[place] = replace(links[place], **change)  # type: ignore[arg-type]
        assert first_break(changed) == f"entry {place + 1} does not follow from the one before it"


SIGNING = Signing(
    "qa1", "Q A", "QA", Meaning.CERTIFIED, "Complies", AT, "lot:MSC-1", "a" * 64
)  # fmt: skip


@pytest.mark.requirement("1.13")
@pytest.mark.parametrize(
    "change",
    [
        {"user_id": "qa2"}, {"name": "Q B"}, {"role": "QP"}, {"meaning": Meaning.APPROVED},
        {"reason": "Complies!"}, {"at": AT + timedelta(microseconds=1)}, {"record": "lot:MSC-2"},
        {"record_sha256": "b" * 64},
    ],
)  # fmt: skip
def test_every_part_of_a_signature_is_bound_by_its_hash(change: dict[str, object]):
    assert replace(SIGNING, **change).sha256 != SIGNING.sha256  # type: ignore[arg-type]
    assert replace(SIGNING).sha256 == SIGNING.sha256


@pytest.mark.requirement("1.34")
@pytest.mark.parametrize(
    ("reason", "is_fine"),
    [
        ("", False),
        ("...", False),
        ("ok", False),
        ("abc", False),
        ("aaaa", False),
        ("Typo", True),
        ("2nd run", True),
    ],
)
def test_a_reason_has_a_word_in_it(reason: str, is_fine: bool):
    assert (reason_problem(reason) is None) is is_fine


@pytest.mark.requirement("5.03")
def test_the_hash_of_a_certificates_content_is_of_every_word_of_it():
    content = certificate_content()
    assert content_sha256(content) == content_sha256(certificate_content())
    assert content_sha256(certificate_content(conclusion="x")) != content_sha256(content)
