"""``batchqc investigation`` and ``batchqc deviation``, over a failing lot of the demonstration."""

import re
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc.cli.demo_cast import ANALYST, APPROVER, PASSWORD, RELEASER
from batchqc.cli.main import app
from batchqc.core.conclusions import CHECKLIST
from batchqc.errors import Conflict, InvalidInput
from tests.actions.typing_results import REPORT

LOT = "SIM-26-002"
SIMULATED = Path(__file__).parents[2] / "batchqc" / "cli" / "demo_lots" / "sim_first_days.csv"
WHY = ("--reason", "As the SOP has it")
ANSWERS = [part for name in CHECKLIST for part in ("--answer", f"{name}=yes")]


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def batchqc(home: Path, *arguments: str | Path, who: str = "") -> Result:
    user = ["--user", who] if who else []
    return CliRunner().invoke(
        app,
        ["--home", str(home), *map(str, arguments), *user],
        input=f"{PASSWORD}\n" if who else "",
        env={"COLUMNS": "250"},
    )


def done(home: Path, *arguments: str | Path, who: str = "") -> str:
    result = batchqc(home, *arguments, who=who)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(home: Path, *arguments: str | Path, who: str) -> BaseException:
    result = batchqc(home, *arguments, who=who)
    assert result.exception is not None
    return result.exception


@pytest.mark.requirement("3.12")
def test_a_failing_lot_is_investigated_on_the_command_line(home: Path, tmp_path: Path):
    file = tmp_path / "log.pdf"
    file.write_bytes(REPORT)
    number = re.findall(r"OOS-\d{4}-\d{6}", done(home, "investigation", "list", "--lot", LOT))[0]
    shown = done(home, "investigation", "show", number)
    assert "does not meet no growth" in shown
    assert re.search("SIM-26-001 .* bank MCB-SIM-01, upload", shown)
    step = ("investigation", "phase-one", number)
    wrong = refused(home, *step, "--answer", "method=no", *WHY, who=ANALYST)
    assert isinstance(wrong, InvalidInput)
    assert len(wrong.reasons) == len(CHECKLIST)
    done(home, *step, *ANSWERS, *WHY, who=ANALYST)
    done(home, "investigation", "review", number, *WHY, who=APPROVER)
    said = done(home, "investigation", "file", number, file, who=ANALYST)
    document = re.findall(r"[0-9a-f]{64}", said)[0]
    plan = ("--method", "SOP-MB-002 v6", "--analyst", "an.tran", "--retests", "1")
    error = refused(home, "investigation", "plan", number, *plan, *WHY, who=RELEASER)
    assert isinstance(error, Conflict)
    assert any("max_retests" in one for one in error.reasons)
    done(home, "investigation", "extend", number, "2099-01-01", *WHY, who=RELEASER)
    cause = (
        "assignable laboratory cause", "--cause", "instrument failure", "--document", document,
        "--evidence", "The counter was blocked",
    )  # fmt: skip
    concluded = done(home, "investigation", "conclude", number, *cause, *WHY, who=RELEASER)
    assert f"{number} is concluded: assignable laboratory cause" in concluded
    done(home, "investigation", "reopen", number, *WHY, who=RELEASER)
    assert "reopened" in done(home, "investigation", "show", number)
    assert "0 investigations were opened" in done(home, "investigation", "sweep", who=ANALYST)
    assert "due in 20 days" in done(home, "investigation", "due-days", "20", *WHY, who=RELEASER)
    told = done(home, "investigation", "patterns", "--lot", LOT)
    assert "There is no such pattern" in told


def test_a_deviation_is_recorded_and_listed(home: Path):
    assert "No deviation is recorded" in done(home, "deviation", "list")
    record = ("deviation", "record", "DEV-26-014", "open", "--title", "Freezer", "--link", "QMS 1")
    done(home, *record, "--blocking", "--lot", LOT, *WHY, who=RELEASER)
    assert LOT in done(home, "deviation", "list")


def test_what_does_not_fail_is_opened_by_hand_where_it_cannot_be_judged(home: Path, tmp_path: Path):
    asked = ("investigation", "open", LOT, "viability", "--reason", "Measured twice by mistake")
    passes = refused(home, *asked, who=ANALYST)
    assert isinstance(passes, Conflict)
    assert passes.code == "BQC-OOS-017"
    header, *rows = SIMULATED.read_text().splitlines()
    (row,) = [one for one in rows if one.startswith(LOT) and ",viability," in one]
    run = row.split(",")[12]
    again = tmp_path / "again.csv"
    again.write_text(f"{header}\n{row.replace(run, 'VIAB-AGAIN')}\n")
    done(home, "upload", again, who=ANALYST)
    number = re.findall(r"OOS-\d{4}-\d{6}", done(home, *asked, who=ANALYST))[0]
    shown = done(home, "investigation", "show", number)
    assert "two results, no authorised retest" in shown
    assert "opened by hand: Measured twice by mistake" in shown
