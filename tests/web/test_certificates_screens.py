"""The screens of certificates, exports and the archive, with an account and without."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from batchqc.actions.retention import hold_legally
from batchqc.actions.scrubs import ScrubWanted, scrub
from batchqc.core.permissions import Permission
from batchqc.records.transaction import SYSTEM
from tests.records.house import AUD, LOT, QA1, signing
from tests.web.browsing import Visitor
from tests.web.certified import (
    FIRST,
    SECOND,
    content_hash,
    released,
    superseded,
    with_root,
)
from tests.web.conftest import Served, Server
from tests.web.looking import look_at, point_of

SCREENS = {
    "certificates": "/certificates",
    "none like that": "/certificates?text=nothinglikeit&donor=none",
    "no word": "/certificates?text=%2B%2B",
    "superseded": f"/certificates/{FIRST}",
    "pending": f"/certificates/{SECOND}",
    "seal": f"/certificates/{SECOND}/make/issue",
    "no rendition": f"/certificates/{FIRST}/make/rendition",
    "exports": "/exports",
    "bundle": "/exports/new",
    "bundle of nothing": f"/exports/new?lots=NONE-1+{LOT}",
    "archive": f"/archive?lot={LOT}",
    "rule": "/archive/sign/rule",
    "verify": "/verify",
    "status for a stranger": f"/status/{FIRST}",
}


@pytest.fixture(scope="module")
def site(served: Served, server: Server) -> Iterator[Served]:
    house = served.house
    with with_root(server):
        released(served, server)
        superseded(house)
        with house.acting(QA1, Permission.HOLD_LEGALLY) as tx:
            hold_legally(tx, lot=LOT, credentials=signing(QA1))
        list(scrub(house.engine, house.archive, ScrubWanted(), actor=SYSTEM, clock=house.now))
        yield served


@pytest.fixture(scope="module")
def qa(site: Served) -> Iterator[Visitor]:
    with site.visitor(QA1) as visitor:
        yield visitor


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_is_accessible_stays_in_its_window_and_does_not_move(qa: Visitor, path: str):
    look_at(qa, path)


def test_the_public_pages_are_accessible_in_their_states(site: Served):
    document = site.house.archive.root.parent / "received.pdf"
    with site.visitor() as stranger:
        look_at(stranger, f"/status/{FIRST}?sha256={content_hash(site.house, FIRST)}")
        expect(stranger.page.get_by_text("Superseded", exact=True).first).to_be_visible()
        document.write_bytes(b"%PDF-1.7 nothing")
        for scheme in ("light", "dark"):
            stranger.page.emulate_media(color_scheme=scheme)
            stranger.go("/verify")
            stranger.page.get_by_label("PDF of the certificate").set_input_files(document)
            stranger.press("Verify")
            expect(stranger.heading("Not genuine")).to_be_visible()
            assert stranger.violations() == []


def test_who_may_not_make_anything_is_told_who_may(site: Served):
    with site.visitor(AUD) as auditor:
        auditor.go(f"/certificates/{FIRST}")
        told = "QA and qualified persons make copies and renditions."
        expect(auditor.page.get_by_text(told)).to_be_visible()
        expect(auditor.link("Print a copy")).to_have_count(0)
        for path, says in {
            f"/certificates/{FIRST}/make/copy": "QA and qualified persons do this.",
            f"/archive/sign/hold?of={LOT}": "QA signs for the archive.",
        }.items():
            auditor.go(path)
            expect(auditor.page.get_by_text(says)).to_be_visible()
            expect(auditor.page.get_by_role("main").get_by_role("button")).to_have_count(0)
            assert auditor.violations() == []


def test_numbers_of_a_certificate_stand_with_their_points_below_each_other(qa: Visitor):
    qa.go(f"/certificates/{FIRST}")
    table = qa.page.get_by_role("region", name="Results on the certificate")
    numbers = [table.get_by_text(text, exact=True) for text in ("93.40", "100", "<0.05")]
    assert len({point_of(one.first) for one in numbers}) == 1


def test_moments_of_a_certificate_are_those_of_its_site_with_utc_on_hover(qa: Visitor):
    qa.go(f"/certificates/{FIRST}")
    signed = qa.page.get_by_role("region", name="Who signed what").get_by_role("time")
    for one in signed.all():
        expect(one).to_have_text(re.compile(r" -0[56]00$"))
        expect(one).to_have_attribute("title", re.compile(r"\d\d:\d\d UTC$"))
    assert signed.count() >= 3
