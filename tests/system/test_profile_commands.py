"""``batchqc profile``: what batchqc ships, and a copy of one's own."""

from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from batchqc.cli.main import app
from batchqc.documents.profile_file import read_profile
from batchqc.errors import InvalidInput, NotFound


def profile(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["profile", *map(str, arguments)], env={"COLUMNS": "200"})


def test_templates_are_listed_with_what_they_ask_for():
    told = profile("templates")
    assert told.exit_code == 0
    for name in ("vi-cell-blu", "nc-view-nc202", "cellaca-matrix", "flowjo-table", "quantstudio"):
        assert name in told.output
    assert "analyst, instrument_id, run_id" in told.output


def test_a_copy_is_written_once_and_is_sound(tmp_path: Path):
    path = tmp_path / "ours.toml"
    assert profile("new", "vi-cell-blu", path).exit_code == 0
    assert read_profile(path.read_bytes(), file="ours.toml").problems == ()
    assert isinstance(profile("new", "vi-cell-blu", path).exception, InvalidInput)
    nowhere = profile("new", "vi-cell-blu", path / "more.toml")
    assert isinstance(nowhere.exception, InvalidInput)
    for name in ("none", "../settings"):
        assert isinstance(profile("new", name, tmp_path / "other.toml").exception, NotFound)
    assert not (tmp_path / "other.toml").exists()
