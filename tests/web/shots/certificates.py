"""The archive of certificates, one certificate, verification, status, bundles with their job."""

from batchqc.cli.demo_cast import PASSWORD, RELEASER
from tests.web.shots.stage import Stage, send

IN_FORCE, SUPERSEDED, LOT = "COA-2026-000009", "COA-2026-000007", "SIM-26-001"
KEPT = {"after_expiry": 30, "after_manufacture": 0}


def prepare(address: str) -> None:
    """Set the rule of retention, lay a hold, print a copy, and export a bundle."""
    by = {"user_id": RELEASER, "password": PASSWORD}
    rule = by | KEPT | {"reason": "Traceability of cell therapy products"}
    send(address, RELEASER, "POST", "/archive/retention-rules", json=rule)
    hold = by | {"lot": LOT, "reason": "Complaint 2026-17 (simulated)"}
    send(address, RELEASER, "POST", "/archive/holds", json=hold)
    read = {"sample": 20}
    send(address, RELEASER, "POST", "/jobs/archive-scrubs", json=read)
    copy = {"recipient": "Regional Hospital Da Lat, pharmacy"}
    send(address, RELEASER, "POST", f"/certificates/{IN_FORCE}/copies", json=copy)


def tour(stage: Stage) -> None:
    """As QA sees them; then as a stranger does."""
    page = stage.page
    stage.sign_in(RELEASER)
    stage.take("certificates", "/certificates")
    stage.take("certificate", f"/certificates/{IN_FORCE}")
    stage.take("certificate-superseded", f"/certificates/{SUPERSEDED}")
    sealed = page.context.request.get(f"/certificates/{SUPERSEDED}/pdf").body()
    status = page.get_by_role("link", name="What whoever holds it sees").get_attribute("href")
    stage.take("bundle", "/exports/new?product=SIM-MSC")
    page.get_by_role("button", name="Make the bundle").click()
    page.get_by_role("link", name="Download").wait_for()
    stage.take("job")
    stage.take("jobs", "/jobs")
    stage.take("exports", "/exports")
    stage.take("archive", f"/archive?lot={LOT}")
    page.get_by_role("link", name="Lay a legal hold").click()
    page.get_by_label("Reason").fill("Complaint 2026-18 (simulated)")
    stage.take("archive-sign")
    stage.take("certificate-status", status or "")
    page.goto("/verify")
    stage.take("verify")
    for name, data in (("verified", sealed), ("not-genuine", sealed.replace(b"SIM", b"XYZ"))):
        page.get_by_label("PDF of the certificate").set_input_files(
            {"name": "received.pdf", "mimeType": "application/pdf", "buffer": data}
        )
        page.get_by_role("button", name="Verify").click()
        page.get_by_role("heading", name="genuine").wait_for()
        stage.take(name)
