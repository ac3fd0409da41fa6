"""What people or files call themselves moves no cursor of who reads it on a terminal."""

import subprocess
from pathlib import Path

import pytest

from batchqc.cli.show import facts, say, table
from tests.system.conftest import BATCHQC

HOSTILE = "x\x1b[8m\u202e\x07.zip"
ESCAPED = r"x\x1b[8m\u202e\x07.zip"


def test_a_file_that_is_refused_hides_nothing_of_the_refusal(tmp_path: Path):
    file = tmp_path / HOSTILE
    file.write_bytes(b"no dossier")
    command = [
        BATCHQC,
        "--home",
        tmp_path / "home",
        "archive",
        "import",
        file,
        "--reason",
        "For the authority",
    ]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode
    assert ESCAPED in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_what_is_printed_holds_lines_and_nothing_else_that_controls(
    capsys: pytest.CaptureFixture[str],
):
    say(f"{HOSTILE}\nµg/mL")
    facts([("file", HOSTILE)])
    table(("file",), [(HOSTILE,)], empty="none")
    said = capsys.readouterr().out
    assert said.count(ESCAPED) == 3
    assert "\nµg/mL\n" in said
    assert "\x1b[8m" not in said
