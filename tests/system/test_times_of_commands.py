"""Every time that a command tells says of which zone it is."""

import shutil
from pathlib import Path

from batchqc.cli.demo_cast import PASSWORD
from tests.system.test_command_line import batchqc


def test_the_life_of_a_certificate_says_the_offset_of_its_times(demo: Path):
    told = batchqc(demo, "certificate", "show", "COA-2026-000007").output
    assert "2026-02-18 08:32 +0700" in told


def test_the_trail_that_is_reviewed_says_the_zone_of_its_times(demo: Path, tmp_path: Path):
    """The entry was made at 08:30 of the site."""
    home = shutil.copytree(demo, tmp_path / "site")
    told = batchqc(
        home, "lot", "audit-review", "UCM-P1-T2", "-u", "em.ngo", "--reason", "Read",
        typed=PASSWORD,
    ).output  # fmt: skip
    assert "2026-02-16 01:30" in told
    assert "When (UTC)" in told
