"""Investigations from the list to the conclusion, a deviation, and the holds of a lot."""

from batchqc.cli.demo_cast import ANALYST, APPROVER, PASSWORD, RELEASER, REVIEWER
from batchqc.core.conclusions import CHECKLIST
from tests.web.shots.stage import Stage, send

NUMBER, LOT, DEVIATION = "OOS-2026-000002", "SIM-26-002", "DEV-26-014"
REPORT = b"%PDF-1.7\nReading of the bottles on day 14, simulated\n%%EOF\n"


def prepare(address: str) -> None:
    """Perform and review phase I, file the evidence, and record a deviation."""
    signed = {"password": PASSWORD, "reason": "Checked at the bench (simulated)"}
    answers = {name: {"answer": "yes"} for name in CHECKLIST}
    answers["history"] = {"answer": "no", "remark": "No other lot of this incubator grew"}
    path = f"/investigations/{NUMBER}"
    sent = signed | {"user_id": ANALYST, "answers": answers, "hypothesis": "None is supported"}
    send(address, ANALYST, "POST", f"{path}/phase-one", json=sent)
    by = signed | {"user_id": REVIEWER, "reason": "Phase I is complete"}
    send(address, REVIEWER, "POST", f"{path}/phase-one/review", json=by)
    where = f"/investigations/documents?file=bottles_day_14.pdf&investigation={NUMBER}"
    send(address, ANALYST, "POST", where, content=REPORT)
    deviation = {
        "id": DEVIATION, "title": "Incubator at 35 °C for six hours", "link": "QMS 4711",
        "state": "open", "blocking": True, "lots": [LOT],
    }  # fmt: skip
    by = signed | {"user_id": APPROVER, "reason": "As the quality system has it (simulated)"}
    send(address, APPROVER, "POST", "/deviations", json=by | deviation)


def tour(stage: Stage) -> None:
    """Every screen, as QA sees it; phase I as an analyst does."""
    page = stage.page
    stage.sign_in(RELEASER)
    stage.take("investigations", "/investigations")
    stage.take("investigation", f"/investigations/{NUMBER}")
    page.get_by_role("link", name="Conclude").first.click()
    page.get_by_label("The original stands").check()
    page.get_by_label("Evidence").fill(
        "Growth in both bottles; nothing in the laboratory explains it"
    )
    stage.take("investigation-conclusion")
    stage.take(
        "patterns", "/investigations/patterns?scope=tested&since=2026-01-01&until=2026-02-28"
    )
    stage.take("deviation", f"/deviations/{DEVIATION}")
    stage.take("holds", f"/lots/{LOT}/hold")
