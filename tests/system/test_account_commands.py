"""``batchqc account`` and the terms of roles, over a copy of the demonstration's records."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc import clock
from batchqc.cli.demo_cast import ADMIN, ANALYST, APPROVER, PASSWORD, RELEASER, REVIEWER
from batchqc.cli.main import app
from batchqc.errors import Conflict, InvalidInput, NotPermitted, NotSignedIn

AUDITOR = "minh.bui"
WHY = ("--reason", "Only for the test")


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def batchqc(home: Path, *arguments: str | Path, who: str, typed: str = PASSWORD) -> Result:
    return CliRunner().invoke(
        app,
        ["--home", str(home), *map(str, arguments), "--user", who],
        input=f"{typed}\n",
        env={"COLUMNS": "300"},
    )


def done(home: Path, *arguments: str | Path, who: str, typed: str = PASSWORD) -> str:
    result = batchqc(home, *arguments, who=who, typed=typed)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(result: Result, kind: type[Exception], code: str) -> None:
    assert isinstance(result.exception, kind)
    assert getattr(result.exception, "code", "") == code


@pytest.mark.requirement("1.16", "1.20", "1.22")
def test_an_account_is_closed_opened_reset_and_its_password_ages(home: Path):
    refused(
        batchqc(home, "account", "deactivate", ADMIN, *WHY, who=ADMIN),
        NotPermitted, "BQC-ACC-017",
    )  # fmt: skip
    done(home, "account", "deactivate", ANALYST, *WHY, who=ADMIN)
    listed = CliRunner().invoke(app, ["--home", str(home), "user", "list"], env={"COLUMNS": "300"})
    assert "deactivated (analyst)" in listed.output
    gone = batchqc(home, "user", "password", who=ANALYST)
    refused(gone, NotSignedIn, "BQC-ACC-014")
    refused(batchqc(home, "account", "reset", ANALYST, *WHY, who=ADMIN), Conflict, "BQC-ACC-016")
    done(home, "account", "reactivate", ANALYST, *WHY, who=ADMIN)
    told = done(home, "account", "reset", ANALYST, *WHY, who=ADMIN)
    one_time = told.split("One-time password: ")[1].split("\n")[0]
    typed = f"{one_time}\nmy own password 7\nmy own password 7"
    done(home, "user", "password", who=ANALYST, typed=typed)
    done(home, "account", "password-days", "1", *WHY, who=ADMIN)
    aged = batchqc(home, "account", "training", who=APPROVER)  # set when the story was told
    refused(aged, NotPermitted, "BQC-ACC-021")


@pytest.mark.requirement("1.09", "1.22")
def test_the_report_is_kept_shown_reviewed_and_exported(home: Path, tmp_path: Path):
    file = tmp_path / "accounts.csv"
    told = done(home, "account", "report", "--csv", file, "--since", "2026-01-01", who=APPROVER)
    assert "2027-02-15" in told
    assert file.read_bytes().startswith(b"\xef\xbb\xbfuser_id")
    kept = done(home, "account", "report", "--keep", who=ADMIN)
    number = kept.split("Report: ")[1].split("\n")[0]
    assert number.startswith("AR-")
    refused(batchqc(home, "account", "report", "--keep", who=APPROVER), NotPermitted, "BQC-ACC-002")
    told = done(home, "account", "review", number, *WHY, who=APPROVER)
    assert "Attempts with unknown user ids: 0 since 202" in told
    assert "password set at: " in told  # a line for each fact: a terminal cut a table to letters
    listed = CliRunner().invoke(
        app, ["--home", str(home), "account", "reports"], env={"COLUMNS": "300"}
    )
    assert APPROVER in listed.output
    assert WHY[-1] in listed.output  # where QA says what is not as it should be
    refused(batchqc(home, "account", "review", number, *WHY, who=RELEASER), Conflict, "BQC-ACC-026")
    training = done(home, "account", "training", "--csv", tmp_path / "t.csv", who=APPROVER)
    assert "role: reviewer" in training


@pytest.mark.requirement("10.06", "2.04")
def test_a_role_is_granted_on_terms_and_an_auditors_command_is_on_record(home: Path):
    refused(
        batchqc(home, "user", "role", REVIEWER, "auditor", *WHY, who=ADMIN),
        InvalidInput, "BQC-ACC-013",
    )  # fmt: skip
    soon = (clock.now() + timedelta(days=2)).date().isoformat()
    terms = ("--until", "2099-12-31", "--training", "TR-1", "2026-01-05", "2099-12-31")
    done(home, "user", "role", REVIEWER, "analyst", *WHY, *terms, who=ADMIN)
    assert "TR-1" in done(home, "account", "training", who=APPROVER)
    assert "No auditor" in done(home, "account", "views", who=ADMIN)
    done(home, "user", "role", AUDITOR, "auditor", *WHY, "--until", soon, who=ADMIN)
    done(home, "account", "report", who=AUDITOR)
    views = done(home, "account", "views", who=ADMIN)
    assert AUDITOR in views
    assert "account report" in views
