"""The guide's walk with curl, block by block, in a shell, against a server that was set up new."""

import os
import re
import subprocess
from pathlib import Path

from typer.testing import CliRunner

from batchqc import clock
from batchqc.cli.demo_cast import PASSWORD
from batchqc.cli.main import app
from batchqc.documents.certificate_check import check
from tests.system.serving import serving

GUIDE = Path(__file__).parents[2] / "batchqc" / "guide"
FIRST = "a first password 1"
SITE = {
    "--name": "Walking Cells", "--address": "1 Pier;Riga", "--time-zone": "Europe/Riga",
    "--admin": "ada", "--admin-name": "Ada Min", "--crl-url": "http://crl.example/root.crl",
}  # fmt: skip


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page that are in a language."""
    text = (GUIDE / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def set_up(home: Path) -> None:
    typed = [each for one in ("root passphrase", PASSWORD, FIRST) for each in (one, one)]
    done = CliRunner().invoke(
        app,
        ["--home", str(home), "init", *(word for pair in SITE.items() for word in pair)],
        input="\n".join(typed) + "\n",
    )
    assert done.exit_code == 0, done.output


def test_every_block_of_the_walk_does_what_it_says(tmp_path: Path):
    home, work = tmp_path / "home", tmp_path / "work"
    set_up(home)
    work.mkdir()
    found = blocks("walkthrough.md", "bash")
    script = "\n".join(f"echo; echo '== block {n}'\n{one}" for n, one in enumerate(found, start=1))
    with serving(home) as server:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ | {"api": server.address, "first": FIRST},
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert len(re.findall("^== block", done.stdout, re.MULTILINE)) == len(found) >= 12
    assert "STER: growth_14d (release)" in done.stdout
    assert "Review: " in done.stdout  # among the reasons of the refused release
    assert '"lot.released"' in done.stdout
    assert '"disposition":"recalled"' in done.stdout
    assert "has no plan that is open: phase I is to be performed" in done.stdout
    assert '"state":"concluded"' in done.stdout
    assert '"disposition":"rejected"' in done.stdout
    report = check(
        (work / "certificate.pdf").read_bytes(),
        root_pem=(home / "trust" / "root.pem").read_bytes(),
        lot="WALK-26-0001",
        at=clock.now(),
    )
    assert report.passed, report.checks
