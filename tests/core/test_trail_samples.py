"""Random entries of the audit trail: drawn by nobody, the same for everybody."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from batchqc.core.trail_samples import drawn, unread

HEAD = sha256(b"a head").hexdigest()


@pytest.mark.requirement("1.66")
@given(st.integers(1, 10**7), st.integers(0, 10**7), st.integers(1, 200), st.binary())
def test_as_many_places_as_asked_for_each_once_and_within(first, more, size, seed):
    last, head = first + more, sha256(seed).hexdigest()
    places = drawn(first, last, head=head, size=size)
    assert len(places) == min(size, more + 1)
    assert list(places) == sorted(set(places))
    assert places[0] >= first
    assert places[-1] <= last
    assert places == drawn(first, last, head=head, size=size)


@pytest.mark.requirement("1.66")
def test_whoever_has_the_trail_draws_the_same_with_any_program():
    # By sha256sum and bc: printf '%s' "$HEAD:0" | sha256sum, modulo 1000, counted on from 501.
    assert drawn(501, 1500, head=HEAD, size=5) == (927, 940, 945, 959, 1190)


@pytest.mark.requirement("1.66")
@pytest.mark.parametrize("size", [3, 4])
def test_of_a_range_that_is_no_longer_all_are_taken(size: int):
    assert drawn(501, 503, head=HEAD, size=size) == (501, 502, 503)


@pytest.mark.requirement("1.66")
def test_every_place_is_as_likely_as_any_other():
    counts = [0] * 50
    for number in range(2000):
        head = sha256(str(number).encode()).hexdigest()
        for place in drawn(1, 50, head=head, size=5):
            counts[place - 1] += 1
    assert sum(counts) == 10_000
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.requirement("1.66")
def test_nobody_is_the_only_reader_of_what_they_did():
    did = {3: "ana", 7: "qa1", 9: "qa2"}
    assert unread(did, ()) == (3, 7, 9)
    assert unread(did, ("qa1",)) == (7,)
    assert unread(did, ("qa1", "qa2")) == ()
