"""Change impact: what differs between two wheels, and what that touches."""

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from batchqc.cli.main import app
from batchqc.cli.qualification.impact import Wheel, impact, sections_of
from batchqc.errors import InvalidInput

CHECKS = """
[sections]
IQ-SW = "Software"
OQ-GV = "Vectors"
OQ-SG = "Signatures"
OQ-ST = "Statistics"
[checks.IQ-SW-01]
requirements = ["1.80"]
[checks.OQ-GV-01]
requirements = ["4.01"]
[checks.OQ-SG-01]
requirements = ["1.17", "1.19"]
[checks.OQ-ST-01]
requirements = ["9.04"]
"""
FILES = {
    "batchqc/__init__.py": "",
    "batchqc/core/__init__.py": "",
    "batchqc/core/rounding.py": "PLACES = 1",
    "batchqc/core/verdicts.py": "from batchqc.core import rounding",
    "batchqc/actions/signing.py": "from batchqc.core.verdicts import compare",
    "batchqc/statistics/charts.py": "import math",
    "batchqc/guide/requirements-modules.json": json.dumps(
        {
            "4.01": ["batchqc.core.rounding"],
            "1.17": ["batchqc.actions.signing"],
            "9.04": ["batchqc.statistics.charts"],
        }
    ),
    "batchqc/cli/qualification/checks.toml": CHECKS,
    "batchqc/_bundled/uv.lock": '[[package]]\nname = "sqlalchemy"\nversion = "2.0.1"\n',
    "batchqc/_bundled/specs/x.toml": "a = 1",
    "batchqc/_bundled/migrations/versions/0001_first.py": "revision = '0001'",
    "batchqc-1.0.dist-info/METADATA": "Name: batchqc",
}


def wheel(path: Path, version: str = "1.0", **changes: str | None) -> Wheel:
    files = {**FILES, **{name.replace("__", "/"): text for name, text in changes.items()}}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            if text is not None:
                archive.writestr(name.replace("1.0.dist", f"{version}.dist"), text)
    return Wheel.read(path)


@pytest.fixture
def old(tmp_path: Path) -> Wheel:
    return wheel(tmp_path / "old.whl")


def changed(tmp_path: Path, changes: dict[str, str | None]) -> Wheel:
    return wheel(tmp_path / "new.whl", "1.1", **changes)


@pytest.mark.requirement("1.80")
def test_the_same_version_leaves_nothing_to_do(old: Wheel):
    found = impact(old, old)
    assert found.is_nothing
    assert (found.touched, found.reached, sections_of(found, old)) == ((), (), {})


@pytest.mark.requirement("1.80")
def test_a_changed_module_touches_what_tests_it_and_reaches_what_imports_it(
    old: Wheel, tmp_path: Path
):
    new = changed(tmp_path, {"batchqc/core/rounding.py": "PLACES = 2"})
    found = impact(old, new)
    assert (found.old, found.new) == ("1.0", "1.1")
    assert found.modules == ("batchqc.core.rounding",)
    assert (found.touched, found.reached) == (("4.01",), ("1.17",))
    assert sections_of(found, new) == {
        "IQ-SW": "whatever was changed", "OQ-GV": "touched: 4.01", "OQ-SG": "reached: 1.17",
    }  # fmt: skip


def test_a_module_that_is_gone_reaches_what_imported_it_before(old: Wheel, tmp_path: Path):
    gone = {"batchqc/core/rounding.py": None, "batchqc/core/verdicts.py": "import decimal"}
    found = impact(old, changed(tmp_path, gone))
    assert found.modules == ("batchqc.core.rounding", "batchqc.core.verdicts")
    assert found.touched == ("4.01",)
    assert found.reached == ("1.17",)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"batchqc/_bundled/specs/x.toml": "a = 2"}, "batchqc/_bundled/specs/x.toml"),
        ({"batchqc/intake/profiles/x.toml": "mark = ','"}, "batchqc/intake/profiles/x.toml"),
        ({"batchqc/web/templates/lot.html": "PASS"}, "batchqc/web/templates/lot.html"),
        (
            {"batchqc/_bundled/migrations/versions/0002_more.py": ""},
            "batchqc/_bundled/migrations/versions/0002_more.py",
        ),
        (
            {"batchqc/_bundled/uv.lock": '[[package]]\nname = "sqlalchemy"\nversion = "2.1"\n'},
            "sqlalchemy 2.0.1 -> 2.1",
        ),
        ({"batchqc/guide/requirements-modules.json": None, "batchqc/new.py": ""}, "batchqc.new"),
    ],
)
def test_what_no_import_tells_of_asks_for_everything(
    old: Wheel, tmp_path: Path, changes: dict[str, str | None], told: str
):
    new = changed(tmp_path, changes)
    found = impact(old, new)
    everything = (*found.modules, *found.controlled, *found.libraries, *found.migrations)
    assert everything == (told,)
    assert set(sections_of(found, new)) == {"IQ-SW", "OQ-GV", "OQ-SG", "OQ-ST"}


def test_what_is_no_wheel_of_batchqc_is_refused(tmp_path: Path):
    (tmp_path / "text.whl").write_text("no archive")
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("other-1.0.dist-info/METADATA", "Name: other")
    for name in ("text.whl", "other.whl", "none.whl"):
        with pytest.raises(InvalidInput, match="is no wheel of batchqc"):
            Wheel.read(tmp_path / name)


def test_the_command_says_all_of_it(old: Wheel, tmp_path: Path):
    assert old.version == "1.0"
    changed(tmp_path, {"batchqc/core/rounding.py": "PLACES = 2"})
    paths = [str(tmp_path / name) for name in ("old.whl", "new.whl")]
    done = CliRunner().invoke(app, ["change-impact", *paths])
    assert done.exit_code == 0, done.output
    for words in ("batchqc 1.0 to 1.1", "4.01 Rounding of USP", "OQ-GV: touched: 4.01"):
        assert words in done.output
    same = CliRunner().invoke(app, ["change-impact", paths[0], paths[0]])
    assert "nothing is to be done again" in same.output
