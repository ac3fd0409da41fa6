"""Second components, links, locks and the statement at the command line."""

import re
from pathlib import Path

import pyotp
from click.testing import Result

from batchqc import clock
from batchqc.actions.authenticators import confirm_authenticator
from batchqc.cli.demo_cast import PASSWORD
from batchqc.core.components import step_of
from batchqc.documents.component_key import create_component_key
from batchqc.errors import Conflict, NotPermitted, NotSignedIn, SignatureRefused, SigningUnavailable
from batchqc.records.database import open_database
from batchqc.records.transaction import Actor, transaction
from tests.system.test_command_line import batchqc, first_password, home, refused  # noqa: F401 - a fixture

ADMIN, QA, OFFICER = "ha.admin", "giang.do", "huong.ly"


def by(user_id: str, home: Path, *arguments: str, typed: str = PASSWORD) -> Result:  # noqa: F811
    return batchqc(home, *arguments, "-u", user_id, typed=typed)


def enrolled(home: Path, user_id: str) -> pyotp.TOTP:  # noqa: F811
    """Enrolled at the keyboard up to the code, which only who sees the secret can type.

    The first code is that of the step before: those of now and of the next still count.
    """
    key = home / "keys" / "components.key"
    begun = by(user_id, home, "user", "authenticator", typed=f"{PASSWORD}\n000000")
    refused(begun, SignatureRefused, "BQC-SIG-011")
    address = re.search(r"otpauth://\S+", begun.output)
    assert address, begun.output
    totp = pyotp.parse_uri(address[0])
    assert isinstance(totp, pyotp.TOTP)
    engine = open_database(f"sqlite:///{home / 'batchqc.db'}", component_key=key)
    with transaction(engine, Actor(user_id, "self"), clock.now()) as tx:
        before = totp.generate_otp(step_of(tx.now) - 1)
        assert confirm_authenticator(tx, code=before) is None
    engine.dispose()
    return totp


def test_an_authenticator_is_enrolled_asked_for_by_the_rule_and_revoked(home: Path):  # noqa: F811
    key = home / "keys" / "components.key"
    key.unlink()
    without = by(QA, home, "user", "authenticator")
    refused(without, SigningUnavailable, "BQC-SIG-021")
    create_component_key(key)
    totp = enrolled(home, QA)
    set_rule = ("user", "signing-rule", "--with-code", "--reason", "Risk assessment 4")
    for wrong in (f"{PASSWORD}\n000000", "a guess\n000000"):
        refused(by(QA, home, *set_rule, typed=wrong), NotSignedIn, "BQC-SIG-001")
    rule = by(QA, home, *set_rule, typed=f"{PASSWORD}\n{totp.at(clock.now())}")
    assert "password and code" in rule.output, rule.exception
    reject = ("lot", "reject", "UCM-P1-T2", "--reason", "Never to be used")
    unsigned = by(QA, home, *reject, typed=f"{PASSWORD}\n000000")
    refused(unsigned, SignatureRefused, "BQC-SIG-011")
    following = totp.generate_otp(step_of(clock.now()) + 1)
    right = by(QA, home, *reject, typed=f"{PASSWORD}\n{following}")
    assert right.exit_code == 0, (right.output, right.exception)
    revoke = ("user", "revoke-authenticator", QA, "--reason", "The telephone was lost")
    refused(by("an.tran", home, *revoke), NotPermitted, "BQC-ACC-002")
    assert "count no more" in by(ADMIN, home, *revoke).output
    assert batchqc(home, "audit", "verify").exit_code == 0


def test_who_replaces_an_authenticator_at_the_keyboard_types_one_code_of_it(home: Path):  # noqa: F811
    totp = enrolled(home, QA)
    replace = ("user", "authenticator")
    for wrong, error, why in (
        (f"{PASSWORD}\n000000", SignatureRefused, "BQC-SIG-011"),
        ("a guess\n000000", NotSignedIn, "BQC-SIG-001"),
    ):
        told = by(QA, home, *replace, typed=wrong)
        refused(told, error, why)
        assert "otpauth" not in told.output
    right = by(QA, home, *replace, typed=f"{PASSWORD}\n{totp.at(clock.now())}\n000000")
    refused(right, SignatureRefused, "BQC-SIG-011")
    assert "otpauth" in right.output


def test_where_the_key_is_lost_an_administrator_makes_a_new_one_and_all_enrol_anew(
    home: Path,  # noqa: F811
):
    for user_id in (QA, ADMIN):
        enrolled(home, user_id)
    key, new = home / "keys" / "components.key", ("user", "component-key", "--reason", "Disk lost")
    old = key.read_text()
    refused(by(ADMIN, home, *new), Conflict, "BQC-SIG-020")
    key.unlink()
    lost = by(ADMIN, home, "user", "locked", typed=f"{PASSWORD}\n000000")
    refused(lost, SigningUnavailable, "BQC-SIG-021")
    refused(by(QA, home, *new), NotPermitted, "BQC-ACC-002")
    refused(by(ADMIN, home, *new, typed="a guess"), NotSignedIn, "BQC-SIG-001")
    assert not key.exists()
    assert "2 authenticators are revoked" in by(ADMIN, home, *new).output
    assert key.read_text() != old
    assert "No account is locked." in by(ADMIN, home, "user", "locked").output
    begun = by(QA, home, "user", "authenticator", typed=f"{PASSWORD}\n000000")
    assert "otpauth" in begun.output
    assert batchqc(home, "audit", "verify").exit_code == 0


def test_links_and_locks_are_the_administrators(home: Path):  # noqa: F811
    link = ("user", "link", QA, "https://login.example.org", "subject", "--reason", "Seen by HR")
    refused(by(QA, home, *link), NotPermitted, "BQC-ACC-002")
    assert "is linked" in by(ADMIN, home, *link).output
    unlink = ("user", "unlink", QA, "--reason", "Left the company")
    assert "not linked any more" in by(ADMIN, home, *unlink).output
    assert "No account is locked." in by(ADMIN, home, "user", "locked").output
    for _ in range(5):
        refused(by(QA, home, "user", "locked", typed="a guess"), NotSignedIn, "BQC-SIG-001")
    told = by(ADMIN, home, "user", "locked").output
    assert re.search(rf"{re.escape(QA)}\s+│ \d{{4}}-", told), told
    refused(by(QA, home, "user", "locked"), NotSignedIn, "BQC-SIG-002")
    refused(by("an.tran", home, "user", "locked"), NotPermitted, "BQC-ACC-002")


def test_who_has_not_accepted_the_statement_accepts_it_at_the_keyboard(home: Path):  # noqa: F811
    added = by(
        ADMIN, home, "user", "add", "new.qa", "--name", "New QA", "--role", "QA",
    )  # fmt: skip
    assert added.exit_code == 0, added.output
    first = first_password(added.output)
    changed = by(
        "new.qa", home, "user", "password",
        typed=f"{first}\nmy-own-password-2\nmy-own-password-2\nn",
    )  # fmt: skip
    assert changed.exit_code == 0, changed.output
    reject = ("lot", "reject", "UCM-P1-T2", "--reason", "Never to be used")
    early = by("new.qa", home, *reject, typed="my-own-password-2")
    refused(early, SignatureRefused, "BQC-SIG-010")
    declined = by("new.qa", home, "user", "accept", typed="my-own-password-2\nn")
    assert "Nothing was accepted." in declined.output
    accepted = by("new.qa", home, "user", "accept", typed="my-own-password-2\ny")
    assert "The statement is accepted." in accepted.output, accepted.exception
    again = by("new.qa", home, *reject, typed="my-own-password-2")
    assert again.exit_code == 0, (again.output, again.exception)
    sso = by(
        ADMIN, home, "user", "add", "otto", "--name", "Otto", "--role", "QA", "--single-sign-on"
    )
    assert sso.exit_code == 0, sso.output
    refused(by("otto", home, "user", "accept", typed="a guess"), NotSignedIn, "BQC-SIG-001")
