"""Later decisions, Annex 16 and policies on the command line, over a copy of the demonstration."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from batchqc import clock
from batchqc.cli import demo_simulated as simulated
from batchqc.cli.demo_cast import ADMIN, ANALYST, APPROVER, PASSWORD, RELEASER, REVIEWER
from batchqc.cli.demo_files import FOLDER
from batchqc.cli.main import app
from batchqc.core.annex16 import POINTS
from batchqc.errors import Conflict, InvalidInput, NotPermitted, ReleaseBlocked
from tests.system.test_command_line import first_password
from tests.system.test_laboratory_commands import batchqc, done

WHY = ("--reason", "As the procedure has it")
#: The day on which a lot is made and sampled, and the one on which its sterility is read.
MADE, READ = ((clock.now() + timedelta(days=days)).date().isoformat() for days in (-2, 12))
RELEASED, REJECTED, CONDITIONAL, WAITS = "UCM-P1-T1", "UCM-P4-T2", "SIM-26-002", "UCM-P1-T2"
SUPPLY = (
    "--physician", "Dr. 17", "--request", "R-9", "--hazard", "No other dose in time",
    "--alternatives", "None of this type", "--risk-evaluation", "RE-4", "--confirmation", "C-2",
    "--notified", "Sponsor, today",
)  # fmt: skip


@pytest.fixture(scope="module")
def home(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo, tmp_path_factory.mktemp("decisions") / "site")


def said_by(error: BaseException | None) -> str:
    assert error is not None
    return f"{error}"


@pytest.mark.requirement("2.03")
def test_a_recalled_lot_loses_its_certificate_and_can_be_destroyed(home: Path):
    wrong = batchqc(home, "lot", "recall", RELEASED, "--class", "IV", "--scope", "all", *WHY,
                    who=RELEASER).exception  # fmt: skip
    assert isinstance(wrong, InvalidInput)
    recall = ("lot", "recall", RELEASED, "--class", "II", "--scope", "Every dose", *WHY)
    assert isinstance(batchqc(home, *recall, who=ANALYST).exception, NotPermitted)
    assert f"Lot {RELEASED} is recalled." in done(home, *recall, who=RELEASER)
    assert "recalled" in done(home, "lot", "show", RELEASED)
    alone = ("lot", "destroy", RELEASED, "--method", "Autoclave", *WHY, "--witness")
    assert isinstance(batchqc(home, *alone, RELEASER, who=RELEASER).exception, Conflict)
    unknown = batchqc(home, *alone, "Somebody of QC", who=RELEASER).exception
    assert 'nobody has the user id "Somebody of QC"' in said_by(unknown)
    assert "is destroyed" in done(home, *alone, REVIEWER, who=RELEASER)


@pytest.mark.requirement("2.24")
def test_a_rejected_lot_is_supplied_by_exception_only_under_the_policy(home: Path):
    supply = ("lot", "supply", REJECTED, *SUPPLY, *WHY)
    refused = batchqc(home, *supply, who=RELEASER).exception
    assert isinstance(refused, Conflict)
    assert "exceptional supply is off" in said_by(refused)
    assert "off | on" in done(home, "policy", "list")
    allow = ("policy", "set", "supply by exception")
    assert isinstance(batchqc(home, *allow, "maybe", *WHY, who=APPROVER).exception, InvalidInput)
    assert "is on from now on" in done(home, *allow, "on", *WHY, who=APPROVER)
    assert "As the procedure has it" in done(home, "policy", "list")
    told = _sealed(home, *supply, who=RELEASER)
    assert f"Lot {REJECTED} is supplied by exception." in told
    assert "Certificate COA-" in told


@pytest.mark.requirement("2.26")
def test_a_conditional_release_tells_everything_that_is_missing(home: Path):
    place = ("--site", "HN01")
    wanted = ("lot", "release-conditionally", WAITS, "--due", "ido=2027-01-01", *place, *WHY)
    refused = batchqc(home, *wanted, who=RELEASER).exception
    assert isinstance(refused, ReleaseBlocked)
    assert any("IDO" in reason for reason in refused.reasons)
    decided = ("lot", "release-conditionally", CONDITIONAL, "--due", "x=2027-01-01", *place, *WHY)
    assert isinstance(batchqc(home, *decided, who=RELEASER).exception, Conflict)
    wrong = ("lot", "release-conditionally", WAITS, "--due", "tomorrow", *place, *WHY)
    assert isinstance(batchqc(home, *wanted[:3], *wrong[3:], who=RELEASER).exception, InvalidInput)


@pytest.mark.requirement("2.20")
def test_a_qualified_person_certifies_what_waits_for_sterility(home: Path, tmp_path: Path):
    every = ("policy", "set", "qualified person certifies", "every lot", *WHY)
    assert "every lot from now on" in done(home, *every, who=APPROVER)
    _person(home, "qp.vu", "QP")
    _lot(home, tmp_path)
    answers = [part for name in POINTS for part in ("--answer", f"{name}=QA, record R-1")]
    check = ("lot", "annex16-check", "SIM-26-003", *WHY)
    missing = batchqc(home, *check, "--answer", "gmp=QA", who=APPROVER).exception
    assert isinstance(missing, InvalidInput)
    assert len(missing.reasons) == len(POINTS) - 1
    assert "is checked" in done(home, *check, *answers, who=APPROVER)
    release = ("lot", "release-conditionally", "SIM-26-003", "--site", "HN01", *WHY, "--due")
    due = f"sterility={READ}"
    assert isinstance(batchqc(home, *release, due, who=RELEASER).exception, NotPermitted)
    incomplete = batchqc(home, *release, "viability=2039-12-01", who="qp.vu").exception
    assert isinstance(incomplete, InvalidInput)
    late = batchqc(home, *release, "sterility=2039-12-01", who="qp.vu").exception
    assert f"2039-12-01 is after {READ}, the planned day 14" in said_by(late)
    told = _sealed(home, *release, due, who="qp.vu")
    assert f"conditionally released to HN01; pending: sterility until {READ}" in told
    assert "Certificate COA-" in told
    transfer = ("lot", "annex16-transfer", "SIM-26-003", *WHY)
    assert "saleable stock" in done(home, *transfer, who=APPROVER)
    assert "Vu" in done(home, "lot", "certifications")
    file = tmp_path / "certifications.csv"
    done(home, "lot", "certifications", "--to", file)
    assert "SIM-26-003,SIM-MSC,conditionally released" in file.read_text("utf-8-sig")
    assert file.read_text("utf-8-sig").splitlines()[0].endswith(",signed on paper,paper")
    assert "0 lots were put on hold" in done(home, "lot", "overdue", who=RELEASER)


def _lot(home: Path, tmp_path: Path) -> None:
    """A lot of another donor whose sterility is not read, handed to QA."""
    days = ("--made", MADE, "--expires", "2040-01-01")
    made = ("lot", "add", "SIM-26-003", "--product", "SIM-MSC", *days, "--donor", "DNR-UC-01")
    done(home, *made, who=ANALYST)
    taken = ("--stage", "release", "--container", "vial", "--taken-at", f"{MADE}T10:30+07:00")
    done(home, "sample", "add", "SIM-26-003", "SIM-26-003-S01", *taken, who=ANALYST)
    header, *rows = (FOLDER / simulated.FIRST_DAYS).read_text().splitlines()
    rows = [row.replace("SIM-26-001", "SIM-26-003") for row in rows if "SIM-26-001" in row]
    file = tmp_path / "first_days.csv"
    file.write_text("\n".join([header, *rows]).replace("2026-02-12", MADE))
    done(home, "upload", file, who=ANALYST)
    done(home, "lot", "review", "SIM-26-003", *WHY, who=REVIEWER)
    done(home, "lot", "qc-review", "SIM-26-003", *WHY, who=REVIEWER)
    done(home, "lot", "audit-review", "SIM-26-003", *WHY, who=APPROVER)


def _person(home: Path, user_id: str, role: str) -> None:
    """A person of the site, with the password of the others."""
    added = ("user", "add", user_id, "--name", "Vu", "--role", role, "-u", ADMIN)
    first = first_password(_typed(home, *added, typed=(PASSWORD,)))
    _typed(home, "user", "password", "-u", user_id, typed=(first, PASSWORD, PASSWORD, "y"))


def _sealed(home: Path, *arguments: str, who: str) -> str:
    """A command that asks for the password of the person, and then for that of the seal."""
    return _typed(home, *arguments, "-u", who, typed=(PASSWORD, PASSWORD))


def _typed(home: Path, *arguments: str, typed: Sequence[str]) -> str:
    result = CliRunner().invoke(
        app, ["--home", str(home), *arguments], input="\n".join((*typed, "")),
        env={"COLUMNS": "250"},
    )  # fmt: skip
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output
