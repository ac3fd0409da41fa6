"""What the system wrote is told in words and in the viewer's time; what it reads stays on hover."""

from zoneinfo import ZoneInfo

import pytest

from batchqc.web.rendering import _environment, printed


def told(text: str) -> str:
    """A sentence as a viewer in Chicago is told it."""
    template = _environment().from_string("{{ text|told }}")
    return template.render(text=text, zone=ZoneInfo("America/Chicago"))


def test_keys_moments_and_days_are_told_in_words():
    found = told("from donor:DNR-UC-01 (cell_bank:MCB/2), at 2026-01-06T09:00:00+07:00, 2026-01-07")
    assert '<span title="donor:DNR-UC-01">donor DNR-UC-01</span> (' in found
    assert '<span title="cell_bank:MCB/2">cell bank MCB/2</span>), at <time' in found
    assert 'title="2026-01-06 02:00:00 UTC">5 Jan 2026 20:00</time>, ' in found
    assert found.endswith('<span title="2026-01-07">7 Jan 2026</span>')


@pytest.mark.parametrize(
    "text",
    ["U-2026-01-02", "2026-02-31", "12026-01-02", "note: a donor: DNR", "https://lot.example/lot:1",
     "2026-01-02/7", "SIM-2026-01-02T10:00Z", "2026-13-06T09:00:00+07:00"],
)  # fmt: skip
def test_what_only_looks_like_one_stays_as_it_is(text: str):
    assert told(text) == text


def test_what_somebody_typed_is_never_read_as_markup():
    assert told("lot:<b>1</b> & <i>") == "lot:&lt;b&gt;1&lt;/b&gt; &amp; &lt;i&gt;"
    assert told('lot:a"><b>') == '<span title="lot:a">lot a</span>&#34;&gt;&lt;b&gt;'


def test_a_moment_of_a_certificate_is_as_it_is_printed_with_utc_on_hover():
    told = printed("2026-05-20 01:30 +0700")
    assert 'title="2026-05-19 18:30 UTC">2026-05-20 01:30 +0700</time>' in told
    assert printed("on <some> day") == "on &lt;some&gt; day"
