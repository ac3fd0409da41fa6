"""Sign-in, work, lots, and the decision over one."""

from batchqc.cli.demo_cast import APPROVER, PASSWORD, RELEASER, REVIEWER, SECOND_ANALYST
from tests.web.shots.stage import Stage, send

READY, BLOCKED, DECIDED = "UCM-P1-T2", "SIM-26-002", "UCM-P1-T1"
RESULT = (
    "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,started_at,measured_at,"
    "analyst,instrument_id,run_id,method_id,result_type,comment\n"
    f"{READY},{READY}-S01,A6,IDO,kynurenine,1,13.6,µmol/L,2026-01-09T14:00:00+07:00,"
    f"2026-01-12T14:00:00+07:00,{SECOND_ANALYST},PHS-001,IDO-260112-01,SOP-QC-030 v2,reportable,"
    "simulated\n"
)


def prepare(address: str) -> None:
    """Upload what is missing, review it, and hand the lot to QA."""
    signed = {"password": PASSWORD, "reason": "Agrees with the raw data"}
    send(
        address,
        SECOND_ANALYST,
        "POST",
        "/uploads?file=potency_ido_late.csv",
        content=RESULT.encode(),
    )
    by = signed | {"user_id": REVIEWER}
    send(address, REVIEWER, "POST", f"/lots/{READY}/review", json=by)
    send(address, REVIEWER, "POST", f"/lots/{READY}/qc-review", json=by)
    trail = send(address, APPROVER, "GET", f"/lots/{READY}/audit-review")
    read = {name: trail[name] for name in ("last", "head")}
    by = signed | {"user_id": APPROVER} | read
    send(address, APPROVER, "POST", f"/lots/{READY}/audit-review", json=by)


def tour(stage: Stage) -> None:
    """Every screen, as QA sees it."""
    page = stage.page
    stage.sign_in(RELEASER, shown="sign-in")
    stage.take("my-work", "/")
    stage.take("lots", "/lots")
    stage.take("lot-blocked", f"/lots/{BLOCKED}")
    stage.take("lot-decided", f"/lots/{DECIDED}?show=ido")
    stage.take("not-found", "/lots/UCM-P9-T9")
    stage.take("password", "/password")
    stage.take("lot", f"/lots/{READY}?show=ido")
    page.get_by_role("button", name="value, row 2").click()
    stage.take("cell")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Release").click()
    page.get_by_label("Reason").fill("Complies with its specification")
    stage.take("release")
    page.get_by_role("button", name="Sign and release").click()
    page.get_by_text("Not signed.").wait_for()
    stage.take("release-refused")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_label("Lot, record or place").fill("P1")
    page.get_by_role("dialog").get_by_role("link", name=READY).wait_for()
    stage.take("palette")
