"""The demonstration, run once as a user would, and pdfsig's database with its root."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents.external import nss_database

BATCHQC = Path(sys.executable).with_name("batchqc")


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that knows nothing of the checkout."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="session")
def told(elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the demonstration prints; of several workers the first runs it, and each has a copy."""
    base = tmp_path_factory.getbasetemp()
    made = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made"
    made.mkdir(exist_ok=True)
    with (made / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        printed = made / "printed"
        if not printed.exists():
            printed.write_text(_run(made))
    shutil.copytree(made / "demo", elsewhere / "demo")
    return printed.read_text()


def _run(folder: Path) -> str:
    done = subprocess.run(
        [BATCHQC, "demo", "--to", "demo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def demo(elsewhere: Path, told: str) -> Path:
    """The folder that it wrote."""
    assert told
    return elsewhere / "demo"


@pytest.fixture(scope="session")
def nss(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nss_database(tmp_path_factory.mktemp("trust") / "nss", demo / "trust" / "root.pem")
