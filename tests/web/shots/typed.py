"""Typed results: what may be typed, what is wrong, what is recorded, the list; and Annex 16."""

from batchqc.cli.demo_cast import PASSWORD, RELEASER, SECOND_ANALYST
from batchqc.core.annex16 import POINTS
from tests.web.shots import lots
from tests.web.shots.stage import Stage, send

LOT, CHECKED = "UCM-P5-T2", "UCM-P1-T2"
_DAY = "2026-02-02"


def prepare(address: str) -> None:
    """A lot that has no result yet but one that is typed; a lot that is checked for its QP."""
    sample = {
        "id": f"{LOT}-S01", "stage": "release", "container": "cryovial, 2 mL",
        "taken_at": f"{_DAY}T10:30:00+07:00",
    }  # fmt: skip
    lot = {
        "id": LOT, "product": "UC-MSC", "manufactured_on": _DAY, "expires_on": "2028-02-02",
        "donors": ["DNR-UC-01"], "samples": [sample],
    }  # fmt: skip
    send(address, SECOND_ANALYST, "POST", "/lots", json=lot)
    typed = {
        "lot": LOT, "sample": f"{LOT}-S01", "test": "MYCO", "analyte": "mycoplasma",
        "values": ["not detected"], "measured_at": f"{_DAY}T16:00:00+07:00",
        "analyst": SECOND_ANALYST, "run": "MYCO-260202-01", "comment": "simulated",
    }  # fmt: skip
    send(address, SECOND_ANALYST, "POST", "/results/manual", json=typed)
    policy = {
        "value": "every lot", "user_id": RELEASER, "password": PASSWORD,
        "reason": "As the authorisation of the site asks",
    }  # fmt: skip
    send(address, RELEASER, "POST", "/policies/qualified person certifies", json=policy)
    lots.prepare(address)
    check = {
        "user_id": RELEASER, "password": PASSWORD, "reason": "Batch record and results are checked",
        "answers": dict.fromkeys(POINTS, "Batch record BR-26-0107 (simulated)"),
    }  # fmt: skip
    send(address, RELEASER, "POST", f"/lots/{CHECKED}/annex16/check", json=check)


def tour(stage: Stage) -> None:
    """As an analyst sees it, then QA; nothing is recorded."""
    page = stage.page
    stage.sign_in(SECOND_ANALYST)
    stage.take("typed-choice", f"/manual/new?lot={LOT}")
    of = "&".join(f"of={LOT}-S01:{one}" for one in ("VIAB:viability", "STER:growth_14d"))
    page.goto(f"/manual/new?lot={LOT}&{of}")
    viability = page.get_by_role("group", name="VIAB")
    viability.get_by_label("Viability", exact=True).fill("93,40")
    viability.get_by_label("Measured at").fill("02.02.2026 12:00")
    page.get_by_role("button", name="Show what is recorded").click()
    page.get_by_text("Nothing was recorded").wait_for()
    stage.take("typed-wrong")
    viability.get_by_label("Viability", exact=True).fill("93.40")
    sterility = page.get_by_role("group", name="STER")
    sterility.get_by_label("Sterility").select_option("no growth")
    for run in (viability, sterility):
        run.get_by_label("Measured at").fill(f"{_DAY}T12:00:00+07:00")
        begun = run.get_by_label("Started at")
        if begun.count():
            begun.fill(f"{_DAY}T11:45:00+07:00")
    page.get_by_role("button", name="Show what is recorded").click()
    page.get_by_role("heading", name="What is recorded").wait_for()
    stage.take("typed-preview")
    stage.take("typed-list", "/manual")
    page.get_by_role("main").get_by_role("link", name="U-2026-").first.click()
    stage.take("typed-entry")
    stage.sign_in(RELEASER)
    stage.take("annex16", f"/lots/{CHECKED}/annex16")
