"""Review by exception, the audit trail of a lot, corrections, and a recall."""

from batchqc.cli.demo_cast import ANALYST, APPROVER, RELEASER, REVIEWER
from tests.web.shots.stage import Stage, send

LOT, FAILED, RELEASED = "UCM-P1-T2", "UCM-P4-T2", "UCM-P1-T1"


def prepare(address: str) -> None:
    """Ask for a correction, which waits while the pictures are taken."""
    wrong = {
        "subject": "donor:DNR-UC-03",
        "field": "tissue_source",
        "after": "Wharton's jelly",
        "reason": "The form of the donation says so",
    }
    if not send(address, ANALYST, "GET", "/corrections")["items"]:
        send(address, ANALYST, "POST", "/corrections", json=wrong)


def tour(stage: Stage) -> None:
    """The reviewer, then QA."""
    page = stage.page
    stage.sign_in(REVIEWER)
    stage.take("review", f"/lots/{FAILED}/review")
    stage.sign_in(APPROVER)
    stage.take("reviews", "/reviews")
    stage.take("audit-review", f"/lots/{LOT}/audit-review")
    stage.take("work-of-all", "/?of=all")
    stage.take("correction-new", f"/corrections/new?subject=lot:{LOT}&field=expires_on")
    stage.take("correction", "/corrections/C-2026-000001")
    page.get_by_role("link", name="Approve").click()
    page.get_by_label("Reason").fill("Compared with the batch record")
    stage.take("correction-approve")
    stage.sign_in(RELEASER)
    page.goto(f"/lots/{RELEASED}")
    page.get_by_role("link", name="Recall").click()
    page.get_by_label("Class of the recall").select_option("II")
    page.get_by_label("Scope").fill("Every dose of the lot, from every site")
    stage.take("recall")
