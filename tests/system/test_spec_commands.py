"""``batchqc spec`` on files: what an author types before anything is imported."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc.cli.main import app
from batchqc.errors import InvalidInput
from batchqc.settings import bundled

SHIPPED = bundled("specs") / "uc-msc" / "uc-msc-release-v1.toml"


def spec(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["spec", *map(str, arguments)], env={"COLUMNS": "250"})


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """Another version, in which viability passes under USP and CD73 is looser."""
    text = SHIPPED.read_text().replace('accept   = "> 90"', 'accept   = "> 90"\nrounding = "usp"')
    path = tmp_path / "draft.toml"
    path.write_text(text.replace('accept   = ">= 95"', 'accept   = ">= 90"', 1))
    return path


def test_lint_says_what_is_doubtful_and_ends_with_an_error(draft: Path):
    told = spec("lint", draft)
    assert told.exit_code == 1
    assert "viability: dead-band: > 90 under usp passes 90.5 and up." in told.output
    assert 'rounding = "absolute"' in told.output
    text = draft.read_text().replace(
        'rounding = "usp"\n', 'rounding = "usp"\nacknowledge = { dead-band = "as registered" }\n', 1
    )
    draft.write_text(text)
    again = spec("lint", draft)
    assert again.exit_code == 0, again.output
    assert "Acknowledged: as registered" in again.output
    assert "draft.toml is clean" in again.output


def test_lint_says_everything_that_is_wrong(tmp_path: Path):
    path = tmp_path / "wrong.toml"
    path.write_text('schema = "other"\ncolour = "red"\n')
    told = spec("lint", path)
    assert told.exit_code == 1
    assert "wrong.toml, line 1: schema" in told.output
    assert "wrong.toml, line 2: colour: unknown key" in told.output


def test_boundary_shows_where_each_criterion_turns(draft: Path):
    told = spec("boundary", draft)
    assert told.exit_code == 0, told.output
    assert "90.5 and up %" in told.output
    assert "90 fails, 91 passes" in told.output
    missing = spec("boundary", "nowhere.toml")
    assert isinstance(missing.exception, InvalidInput)
    assert missing.exception.code == "BQC-SPC-009"


def test_diff_shows_what_became_stricter_and_looser(draft: Path):
    told = spec("diff", "UC-MSC-REL", SHIPPED, draft)
    assert told.exit_code == 0, told.output
    assert "Viability: > 90 % became > 90 %, usp" in told.output
    assert "Identity, CD73+: >= 95 % became >= 90 %" in told.output
    assert "stricter" in told.output
    assert "looser" in told.output
    assert "Nothing changed" in spec("diff", "UC-MSC-REL", SHIPPED, SHIPPED).output
