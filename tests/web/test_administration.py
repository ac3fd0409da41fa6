"""Accounts, rules, registers and keys as their people keep them at a browser."""

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from batchqc.actions.links import link_account
from batchqc.actions.people import the_person
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.core.policies import Policy
from batchqc.records.components import confirmed_secret
from batchqc.records.laboratory import rule_of
from batchqc.records.people import is_active, roles_of
from batchqc.records.policies import policies_of
from tests.cast import SITE_ZONE
from tests.databases import Databases
from tests.records.house import ADM, ANA, BEN, PASSWORD, QA1, QA2, REV, SPEC
from tests.web.administration import HOOK, REPORT, administration
from tests.web.browsing import Visitor
from tests.web.conftest import Served, Server

AT = "/administration"
OWN = "my own password 7"


@pytest.fixture(scope="module")
def served(
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    server: Server,
    browser: Browser,
) -> Iterator[Served]:
    with administration(databases, tmp_path_factory, server, browser) as found:
        yield found


def fill(visitor: Visitor, **fields: str) -> None:
    for label, text in fields.items():
        visitor.page.get_by_label(label.replace("_", " "), exact=True).fill(text)


def secret_in(visitor: Visitor) -> str:
    visitor.sees("Shown this once")
    shown = visitor.page.get_by_text("Shown this once").locator("xpath=following-sibling::p")
    return shown.inner_text()


def registered(adm: Visitor) -> str:
    """Register a person after everything that is wrong was told; their first password."""
    adm.go(f"{AT}/accounts")
    adm.link("New account").click()
    fill(adm, User_id="New Person", Name="New Person", Record_of_training="TR-1")
    adm.press("Register the person")
    expect(adm.page.get_by_text("A record of training has a reference").last).to_be_visible()
    expect(adm.page.get_by_label("Name", exact=True)).to_have_value("New Person")
    fill(adm, Record_of_training="")
    adm.page.get_by_label("reviewer").check()
    adm.page.get_by_label("auditor").check()
    adm.press("Register the person")
    adm.sees("BQC-ACC-005")
    fill(adm, User_id="new.person")
    adm.press("Register the person")
    adm.sees("BQC-ACC-013")
    adm.page.get_by_label("auditor").uncheck()
    adm.press("Register the person")
    return secret_in(adm)


def own_password(new: Visitor, first: str) -> None:
    new.sees("Set a password of your own first")
    new.page.get_by_label("Password until now").fill(first)
    new.page.get_by_label("New password", exact=True).fill(OWN)
    new.page.get_by_label("New password, again").fill(OWN)
    new.page.get_by_role("checkbox").check()
    new.press("Set the password")


@pytest.mark.requirement("1.16")
@pytest.mark.requirement("1.23")
def test_an_account_is_made_used_and_closed_without_script(served: Served):
    with served.visitor(ADM, java_script_enabled=False) as adm:
        first = registered(adm)
        with served.visitor(java_script_enabled=False) as new:
            new.sign_in("new.person", first)
            own_password(new, first)
            expect(new.heading("My work")).to_be_visible()
            new.go(f"{AT}/accounts")
            new.sees("BQC-ACC-002")
            adm.go(f"{AT}/accounts/new.person")
            adm.link("Deactivate").click()
            adm.press("Deactivate the account")
            expect(adm.page.get_by_text("This is needed.").last).to_be_visible()
            fill(adm, Reason="Has left the company")
            adm.press("Deactivate the account")
            adm.sees("The account is deactivated.")
            new.go("/lots")
            expect(new.heading("Sign in")).to_be_visible()
        adm.link("Reactivate").click()
        fill(adm, Reason="Has come back")
        adm.press("Reactivate the account")
        adm.link("Withdraw").click()
        fill(adm, Reason="Works elsewhere now")
        adm.press("Withdraw the role")
        adm.sees("This account holds no role")
    with served.house.reading() as session:
        person = the_person(session, "new.person")
        assert (is_active(session, person), roles_of(session, person)) == (True, frozenset())


@pytest.mark.requirement("1.22")
def test_who_may_not_is_told_so_and_sees_no_button(served: Served):
    with served.visitor(ADM) as adm:
        adm.go(f"{AT}/accounts/{ADM}")
        adm.sees("The last administrator")
        adm.sees("Your own account is changed by another administrator.")
        expect(adm.page.get_by_role("link", name="Deactivate")).to_have_count(0)
        adm.go(f"{AT}/accounts/{ADM}/deactivation")
        adm.sees("You cannot do this.")
        expect(adm.button("Deactivate the account")).to_have_count(0)
        adm.go(f"{AT}/accounts/{ANA}/nonsense")
        adm.sees("the address does not fit")
        adm.go(f"{AT}/accounts/who.is.this")
        adm.sees("BQC-ACC-004")
    with served.visitor(QA1) as qa:
        qa.go(f"{AT}/accounts/{ANA}")
        qa.sees("Administrators change accounts.")
        expect(qa.page.get_by_role("link", name="Grant")).to_have_count(0)
    with served.visitor(ANA) as ana:
        ana.go(AT)
        ana.sees("QA, auditors and administrators see accounts.")
        expect(ana.page.get_by_role("link", name="Accounts", exact=True)).to_have_count(0)
        answer = ana.go(f"{AT}/account-reports")
        assert answer.status == 403


@pytest.mark.requirement("1.18")
def test_a_locked_account_is_seen_and_opened_with_a_one_time_password(served: Served):
    with served.visitor() as ben:
        for _ in range(5):
            ben.sign_in(BEN, "not my password")
        ben.sign_in(BEN)
        ben.sees("locked")
    with served.visitor(ADM) as adm:
        adm.go(f"{AT}/accounts?state=locked")
        adm.page.get_by_role("row").filter(has_text=BEN).get_by_role("link").first.click()
        adm.sees("Locked until")
        adm.link("Unlock with a one-time password").click()
        dialog = adm.page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("Forgot it; identity card seen")
        adm.press("Make a one-time password")
        once = secret_in(adm)
        adm.link("Done").click()
        expect(adm.page.get_by_text("Locked until")).to_have_count(0)
        assert once not in adm.page.content()
    with served.visitor() as ben:
        ben.sign_in(BEN, once)
        ben.sees("Set a password of your own first")


@pytest.mark.requirement("1.14", "1.22")
def test_qa_signs_the_review_of_accounts_over_the_hash_that_is_shown(served: Served):
    with served.visitor(QA2) as qa:
        qa.go(f"{AT}/account-reports")
        qa.link(REPORT).click()
        qa.link("Review").click()
        dialog = qa.page.get_by_role("dialog")
        expect(dialog.get_by_text("Record, SHA-256")).to_be_visible()
        qa.press("Sign the review")
        expect(dialog.get_by_text("Type your password.").last).to_be_visible()
        dialog.get_by_label("Reason").fill("Roles agree with the list of HR")
        dialog.get_by_label("Password", exact=True).fill("not my password")
        qa.press("Sign the review")
        expect(dialog.get_by_text("password is wrong").last).to_be_visible()
        expect(dialog.get_by_label("Reason")).to_have_value("Roles agree with the list of HR")
        dialog.get_by_label("Password", exact=True).fill(PASSWORD)
        qa.press("Sign the review")
        qa.sees(f"Reviewed by {QA2}")
        qa.sees("Roles agree with the list of HR")
        qa.sees("Meaning: reviewed")
        qa.go(f"{AT}/account-reports/{REPORT}/review")
        qa.sees("It was reviewed already")
        qa.go(AT)
        qa.sees(f"reviewed by {QA2}")


@pytest.mark.requirement("1.19")
def test_rules_are_set_by_who_may_with_a_reason_or_a_signature(served: Served):
    with served.visitor(QA1) as qa:
        qa.go(f"{AT}/rules/register-training")
        qa.page.get_by_label("From now on").select_option("refuse")
        fill(qa, Reason="Decided in CC-2026-03")
        qa.press("Set the rule")
        qa.sees("The rule is set.")
        row = qa.page.get_by_role("row").filter(has_text="Supply by exception")
        row.get_by_role("link", name="Change").click()
        dialog = qa.page.get_by_role("dialog")
        dialog.get_by_label("From now on").select_option("on")
        dialog.get_by_label("Reason").fill("Decided in CC-2026-04")
        qa.press("Sign and set")
        expect(dialog.get_by_text("Type your password.").last).to_be_visible()
        expect(dialog.get_by_label("From now on")).to_have_value("on")
        dialog.get_by_label("Password", exact=True).fill(PASSWORD)
        qa.press("Sign and set")
        expect(row.get_by_text("On", exact=True)).to_be_visible(timeout=20_000)
        expect(row).to_contain_text(f"{QA1.title()} of {SITE_ZONE} ({QA1}), approved, ")
        qa.go(f"{AT}/rules/password")
        qa.sees("Who may: admin.")
        assert qa.go(f"{AT}/rules/nothing").status == 404
    with served.visitor(ADM) as adm:
        for typed, told in (("many", "A whole number of days"), ("99999", "BQC-ACC-022")):
            adm.go(f"{AT}/rules/password")
            adm.page.evaluate("document.querySelector('#f-value').type = 'text'")
            fill(adm, From_now_on=typed, Reason="Decided in CC-2026-05")
            adm.press("Set the rule")
            expect(adm.page.get_by_text(told).last).to_be_visible()
    with served.house.reading() as session:
        assert rule_of(session, Register.TRAINING) is Rule.REFUSE
        assert policies_of(session)[Policy.SUPPLY_BY_EXCEPTION] == "on"


@pytest.mark.requirement("1.09")
def test_qa_keeps_the_registers_and_others_read_them(served: Served):
    with served.visitor(QA1) as qa:
        qa.go(f"{AT}/instruments?text=vcb")
        qa.sees("Overdue")
        qa.link("Calibrate again").click()
        dialog = qa.page.get_by_role("dialog")
        expect(dialog.get_by_label("Instrument")).to_have_value("VCB-001")
        dialog.get_by_label("Kind").fill("Cell counter")
        dialog.get_by_label("Calibrated on").fill("2026-05-30")
        dialog.get_by_label("Due again on").fill("2026-05-01")
        qa.press("Add to the register")
        expect(dialog.get_by_text("before it begins").last).to_be_visible()
        dialog.get_by_label("Due again on").fill("2027-05-30")
        qa.press("Add to the register")
        reason = "give a reason that a stranger understands"  # a later row says why
        expect(dialog.get_by_text(reason).last).to_be_visible()
        dialog.get_by_label("Reason").fill("Calibrated again")
        qa.press("Add to the register")
        qa.sees("It stands in the register.")
        qa.go(f"{AT}/instruments?text=vcb")
        qa.sees("In date")
    with served.visitor(ANA) as ana:
        ana.go(f"{AT}/training")
        expect(ana.page.get_by_role("row").filter(has_text="SOP-QC-040")).to_have_count(1)
        ana.sees("QA keeps the registers.")
        expect(ana.page.get_by_role("link", name="Train again")).to_have_count(0)
        answer = ana.page.request.get(f"{AT}/training.csv")
        assert "SOP-QC-040" in answer.text()


@pytest.mark.requirement("1.17")
def test_a_person_sets_up_an_authenticator_and_it_counts_from_its_first_code(served: Served):
    with served.visitor(SPEC) as spec:
        spec.go("/account")
        spec.link("Set up an authenticator").click()
        fill(spec, Reason="My new telephone", Password="not my password")
        spec.press("Make the secret")
        expect(spec.page.get_by_text("password is wrong").last).to_be_visible()
        fill(spec, Password=PASSWORD)
        spec.press("Make the secret")
        expect(spec.page.get_by_label("QR code of the secret")).to_be_visible()
        assert spec.violations() == []
        secret = spec.page.get_by_text("type the secret by hand").inner_text().partition(":")[2]
        totp = pyotp.TOTP(secret.replace(" ", ""))
        fill(spec, First_code="000000")
        spec.press("Confirm")
        expect(spec.page.get_by_text("the code is wrong").last).to_be_visible()
        assert secret.strip() not in spec.page.content()
        fill(spec, First_code=totp.at(served.house.now.at))
        spec.press("Confirm")
        spec.sees("Its codes count")
    with served.house.reading() as session:
        assert confirmed_secret(session, the_person(session, SPEC)) is not None
    with served.visitor(ADM) as adm:
        adm.go(f"{AT}/accounts/{SPEC}")
        adm.link("Revoke the authenticator").click()
        adm.page.get_by_role("dialog").get_by_label("Reason").fill("The telephone was lost")
        adm.press("Revoke the authenticator")
        adm.sees("none; they set it up themselves")


def test_a_webhook_is_registered_with_a_secret_that_is_shown_once_and_ended(served: Served):
    with served.visitor(ADM) as adm:
        adm.go(f"{AT}/webhooks")
        adm.link("New webhook").click()
        dialog = adm.page.get_by_role("dialog")
        dialog.get_by_label("Name").fill("lims")
        dialog.get_by_label("Address").fill("ftp://erp.example")
        adm.press("Register the webhook")
        expect(dialog.get_by_text("BQC-EVT").last).to_be_visible()
        dialog.get_by_label("Address").fill("https://lims.example/told")
        dialog.get_by_label("Kinds of events").fill("lot.*, certificate.issued")
        adm.press("Register the webhook")
        secret = secret_in(adm)
        adm.link("Done").click()
        adm.link("lims").click()
        adm.sees("lot.*, certificate.issued")
        assert secret not in adm.page.content()
        adm.link("End").click()
        dialog.get_by_label("Reason").fill("The system is gone")
        adm.press("End the webhook")
        adm.sees("Ended")
    with served.visitor(REV) as rev:
        rev.go(f"{AT}/webhooks/{HOOK}")
        rev.sees("Administrators end it.")


def test_a_checkpoint_is_signed_by_qa_and_shown_with_its_root(served: Served):
    with served.visitor(QA1) as qa:
        qa.go(f"{AT}/keys")
        qa.sees("Can be used")
        qa.sees("None is signed yet")
        qa.link("Sign a checkpoint").click()
        qa.press("Sign a checkpoint")
        qa.sees("The checkpoint is signed.")
        expect(qa.page.get_by_role("row").filter(has_text=QA1)).to_have_count(1)
        qa.go("/audit-trail/12")
        qa.sees("It is in the log that the newest checkpoint signs.")
        with qa.page.expect_download() as proof:
            qa.link("Proof").click()
        assert proof.value.path().read_text().startswith("c2sp.org/tlog-proof@v1")


def test_who_confirms_a_link_sees_which_subject_it_makes_them(served: Served):
    issuer, subject = "https://login.example.org", "a8f5f167f44f4964"
    with served.house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        link_account(tx, user_id=REV, issuer=issuer, subject=subject, reason="Card seen by HR")
    with served.visitor(REV) as rev:
        rev.go("/account/link")
        rev.sees(issuer)
        rev.sees(subject)
        rev.page.get_by_label("Password", exact=True).fill(PASSWORD)
        rev.press("Confirm the link")
        rev.sees("Your link is confirmed.")
        rev.go("/account/link")
        assert subject not in rev.page.content()
