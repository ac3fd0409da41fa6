"""Donors, banks, genealogy, look-backs, and registering a lot."""

from batchqc.cli.demo_cast import ANALYST, APPROVER, DONOR_OFFICER
from tests.web.shots.stage import Stage

DONOR, BANK, LOT, LOOK_BACK = "DNR-SIM-01", "MCB-SIM-01", "SIM-26-001", "LB-2026-000001"


def tour(stage: Stage) -> None:
    """Each screen as the one sees it who works with it."""
    page = stage.page
    stage.sign_in(DONOR_OFFICER)
    stage.take("donors", "/donors")
    stage.take("donor", f"/donors/{DONOR}")
    stage.take("eligibility", f"/donors/{DONOR}/eligibility")
    stage.take("look-back-start", "/look-backs/new?source=donor:DNR-UC-01")
    stage.sign_in(APPROVER)
    stage.take("banks", "/banks")
    stage.take("bank", f"/banks/{BANK}")
    stage.take("genealogy", f"/genealogy/donor:{DONOR}")
    stage.take("look-back", f"/look-backs/{LOOK_BACK}")
    stage.take("doses", f"/lots/{LOT}/doses")
    stage.take("products", "/products")
    stage.sign_in(ANALYST)
    page.goto("/lots/new")
    main = page.get_by_role("main")
    main.get_by_label("Lot", exact=True).fill("UCM-P5-T1")
    main.get_by_label("Product").select_option("UC-MSC")
    main.get_by_label("Made on").fill("2026-02-02")
    main.get_by_label("Last usable day").fill("2028-02-02")
    main.get_by_label("Donors").fill("DNR-UC-01")
    main.get_by_role("button", name="Show what will judge it").click()
    page.get_by_text("in force on the date of manufacture").wait_for()
    stage.take("lot-new")
