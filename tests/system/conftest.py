"""The demonstration, run once from an installed wheel, and pdfsig's database with its root."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents.external import nss_database

ROOT = Path(__file__).parents[2]
BATCHQC, UV = (Path(sys.executable).with_name(name) for name in ("batchqc", "uv"))


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that knows nothing of the checkout."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the installed wheel ran its demonstration; of several workers the first does it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        printed = folder / "printed"
        if not printed.exists():
            _install(folder)
            nothing = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "200"}
            batchqc = folder / "venv" / "bin" / "batchqc"
            printed.write_text(_run(batchqc, "demo", "--to", "demo", cwd=folder, env=nothing))
    return folder


@pytest.fixture(scope="session")
def told(elsewhere: Path, made: Path) -> str:
    """What the demonstration prints; each worker has a copy of what it wrote."""
    shutil.copytree(made / "demo", elsewhere / "demo")
    return (made / "printed").read_text()


def _install(folder: Path) -> None:
    """Install the wheel and what it needs, in the versions of the lock file, where nothing is."""
    _run(UV, "build", "--wheel", "--no-build-isolation", "--quiet", "-o", folder, cwd=ROOT)
    pins = _run(UV, "export", "--frozen", "--no-dev", "--no-hashes", "--no-emit-project", cwd=ROOT)
    (folder / "pins.txt").write_text(pins)
    _run(UV, "venv", "--quiet", "--python", sys.executable, "venv", cwd=folder)
    wheel = next(folder.glob("*.whl"))
    python = folder / "venv" / "bin" / "python"
    _run(UV, "pip", "install", "--quiet", "--python", python, "-r", "pins.txt", wheel, cwd=folder)


def _run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="session")
def demo(elsewhere: Path, told: str) -> Path:
    """The folder that it wrote."""
    assert told
    return elsewhere / "demo"


@pytest.fixture(scope="session")
def nss(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nss_database(tmp_path_factory.mktemp("trust") / "nss", demo / "trust" / "root.pem")
