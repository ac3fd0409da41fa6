"""The wheel carries all that it needs: installed elsewhere, it runs the main job."""

import json
import subprocess
from pathlib import Path

import pytest


def test_the_installed_wheel_runs_the_demonstration_from_another_folder(made: Path):
    summary = json.loads((made / "demo" / "summary.json").read_text())
    assert sum(lot["certificate"] is not None for lot in summary["lots"]) == 6


@pytest.mark.requirement("1.11")
def test_the_wheel_carries_guide_licence_and_typing(made: Path, tmp_path: Path):
    code = "import batchqc, pathlib; print(pathlib.Path(batchqc.__file__).parent)"
    done = subprocess.run(
        [made / "venv" / "bin" / "python", "-c", code],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    package = Path(done.stdout.strip())
    assert package.is_relative_to(made)
    assert (package / "py.typed").is_file()
    assert (package / "guide" / "journey.md").is_file()
    assert (package / "_bundled" / "reports" / "fonts" / "LICENSE-DejaVu.txt").is_file()
    assert list(package.parent.glob("batchqc-*.dist-info/licenses/LICENSE"))
