"""The audit trail, the administration, one's own account, and the guide."""

import pyotp

from batchqc.cli.demo_cast import ADMIN, ANALYST, APPROVER, PASSWORD, RELEASER, SECOND_ANALYST
from tests.web.shots.stage import Stage, send

DECIDED = "UCM-P1-T1"
SAMPLE = "TS-2026-000001"


def prepare(address: str) -> None:
    """Verify the audit trail, keep a report on accounts, fill the registers, enrol somebody."""
    for instrument, kind, due in (
        ("PTS-001", "Endotoxin reader", "2027-03-14"),
        ("FAC-002", "Flow cytometer", "2026-12-05"),
        ("VCB-001", "Cell counter", "2026-11-02"),
    ):
        row = {"instrument": instrument, "kind": kind, "calibrated_on": "2026-01-12", "due_on": due}
        send(address, APPROVER, "POST", "/instruments", json=row)
    for person in (ANALYST, SECOND_ANALYST):
        days = {"trained_on": "2026-01-12", "expires_on": "2028-01-11"}
        row = {"person": person, "method": "SOP-QC-030", **days}
        send(address, APPROVER, "POST", "/training", json=row)
    send(address, ADMIN, "POST", "/account-reports", json={})
    send(address, APPROVER, "POST", "/audit/verification")
    send(address, RELEASER, "POST", "/audit-samples", json={"size": 8})
    proof = {"user_id": SECOND_ANALYST, "password": PASSWORD, "reason": "A telephone of my own"}
    offer = send(address, SECOND_ANALYST, "POST", "/authenticator", json=proof)
    totp = pyotp.parse_uri(offer["otpauth"])
    assert isinstance(totp, pyotp.TOTP)
    first = {"code": totp.now()}
    send(address, SECOND_ANALYST, "POST", "/authenticator/confirmation", json=first)


def tour(stage: Stage) -> None:
    """As who signs in with a code sees it, then QA, then an administrator."""
    stage.page.goto("/sign-in")
    stage.page.get_by_label("User id").fill(SECOND_ANALYST)
    stage.take("sign-in-code")
    stage.sign_in(RELEASER)
    stage.take("audit-trail", f"/audit-trail?record={DECIDED}")
    page = stage.page
    page.get_by_role("row").filter(has_text="Lot released").get_by_role("link").first.click()
    stage.take("audit-entry")
    stage.take("audit-verification", "/audit-trail/verification")
    stage.take("audit-sample", f"/audit-trail/samples/{SAMPLE}")
    stage.take("instruments", "/administration/instruments")
    stage.take("rules", "/administration/rules")
    stage.take("keys", "/administration/keys")
    stage.take("account", "/account")
    stage.take("guide", "/guide")
    stage.take("guide-page", "/guide/log")
    stage.sign_in(ADMIN)
    stage.take("administration", "/administration")
    stage.take("accounts", "/administration/accounts")
    stage.take("one-account", f"/administration/accounts/{ANALYST}")
    page.get_by_role("link", name="Deactivate").click()
    page.get_by_label("Reason").fill("Has left the company")
    stage.take("deactivation")
