"""The wheel carries all that it needs: installed elsewhere, it runs the main job."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel and what it needs, in the versions of the lock file."""
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--wheel", "--no-build-isolation", "--quiet", "-o", folder, cwd=ROOT)
    wheel = next(folder.glob("*.whl"))
    pins = run(UV, "export", "--frozen", "--no-dev", "--no-hashes", "--no-emit-project", cwd=ROOT)
    (folder / "pins.txt").write_text(pins)
    run(UV, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
    run(
        UV, "pip", "install", "--quiet", "--python", folder / "venv" / "bin" / "python",
        "-r", folder / "pins.txt", wheel, cwd=folder,
    )  # fmt: skip
    return folder / "venv" / "bin"


def test_the_installed_wheel_runs_the_demonstration_from_another_folder(
    environment: Path, tmp_path: Path
):
    run(environment / "batchqc", "demo", "--to", "shown", cwd=tmp_path)
    summary = json.loads((tmp_path / "shown" / "summary.json").read_text())
    assert sum(lot["certificate"] is not None for lot in summary["lots"]) == 6


def test_the_wheel_carries_guide_licence_and_typing(environment: Path, tmp_path: Path):
    code = "import batchqc, pathlib; print(pathlib.Path(batchqc.__file__).parent)"
    package = Path(run(environment / "python", "-c", code, cwd=tmp_path).strip())
    assert (package / "py.typed").is_file()
    assert (package / "guide" / "journey.md").is_file()
    assert (package / "_bundled" / "reports" / "fonts" / "LICENSE-DejaVu.txt").is_file()
    assert list(package.parent.glob("batchqc-*.dist-info/licenses/LICENSE"))
