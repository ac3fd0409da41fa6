"""An investigation that a person asks for: from the verdict that nobody can give to its page."""

import pytest
from playwright.sync_api import expect

from tests.actions.investigating import conclude_cause, perform, review_phase
from tests.records.house import ANA, AUD, LOT, alone
from tests.web.conftest import Served
from tests.web.looking import look_at


@pytest.mark.requirement("3.06")
def test_who_finds_what_nobody_may_choose_from_opens_its_investigation(site: Served):
    assert site.house.upload(alone("viability", value="95")).accepted
    assert site.house.upload(alone("viability", value="96", run_id="VCB-2")).accepted
    with site.visitor(AUD) as auditor:
        auditor.go(f"/lots/{LOT}?show=viability")
        auditor.sees("two results, no authorised retest")
        expect(auditor.link("Open an investigation")).to_have_count(0)
        auditor.go(f"/lots/{LOT}/investigation?criterion=viability")
        auditor.sees("You cannot open it.")
    with site.visitor(ANA) as ana:
        ana.go(f"/lots/{LOT}?show=CD73")
        expect(ana.link("Open an investigation")).to_have_count(0)
        ana.go(f"/lots/{LOT}?show=viability")
        ana.link("Open an investigation").click()
        look_at(ana, f"/lots/{LOT}/investigation?criterion=viability")
        ana.press("Open the investigation")
        ana.sees("Say why it is to be investigated.")
        ana.page.get_by_label("Why it is to be investigated").fill("Measured twice by mistake")
        ana.press("Open the investigation")
        ana.sees("The investigation is open.")
        ana.sees("opened by hand: Measured twice by mistake")
        ana.go(f"/lots/{LOT}?show=viability")
        expect(ana.link("Open an investigation")).to_have_count(0)
        ana.go(f"/lots/{LOT}/investigation?criterion=viability")
        ana.sees("There is nothing to open.")


@pytest.mark.requirement("2.01")
def test_beside_a_result_that_fails_none_is_offered(site: Served):
    """What fails has its own investigation, which may be opened again."""
    assert site.house.upload(alone("viability", value="85")).accepted
    perform(site.house)
    review_phase(site.house)
    conclude_cause(site.house)
    assert site.house.upload(alone("viability", value="96", run_id="VCB-2")).accepted
    with site.visitor(ANA) as ana:
        ana.go(f"/lots/{LOT}?show=viability")
        ana.sees("two results, no authorised retest")
        expect(ana.link("Open an investigation")).to_have_count(0)
        ana.go(f"/lots/{LOT}/investigation?criterion=viability")
        ana.sees("There is nothing to open.")
