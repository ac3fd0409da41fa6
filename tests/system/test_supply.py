"""What is delivered: one wheel from one source, and a list of all that it brings along."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from tests.system.conftest import ROOT, UV

EXTRAS: Final = ("pkcs11", "pki-dev", "s3")


def built(folder: Path, *, umask: int, made_at: int, **world: str) -> bytes:
    """The wheel of a copy of the source, made in a world of its own."""
    source = folder / "source"
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, files.split("\0")):
        place = source / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copyfile(ROOT / name, place)
            place.chmod(0o666 & ~umask)
            os.utime(place, (made_at, made_at))
    done = subprocess.run(
        [UV, "build", "--wheel", "--no-build-isolation", "--quiet", "-o", folder,
         "--python", sys.executable],
        cwd=source, env=dict(os.environ) | world, umask=umask, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel.read_bytes()


def test_the_same_source_makes_the_same_wheel_wherever_and_whenever_it_is_built(tmp_path: Path):
    """Another folder, other rights, zone and language; files of another time."""
    here = built(tmp_path / "here", umask=0o022, made_at=1_700_000_000, TZ="UTC", LANG="C.UTF-8")
    there = built(
        tmp_path / "some" / "where else", umask=0o077, made_at=1_780_000_000,
        TZ="Asia/Tokyo", LANG="C", PYTHONHASHSEED="7",
    )  # fmt: skip
    assert here == there


def locked() -> dict[str, dict[str, Any]]:
    """Every package that the installed system may bring along, as the lock file has it."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    known = {one["name"]: one for one in packages}
    own = known["batchqc"]
    waiting = [*own["dependencies"]]
    for extra in EXTRAS:
        waiting += own["optional-dependencies"][extra]
    found: dict[str, dict[str, Any]] = {}
    done: set[tuple[str, str]] = set()
    while waiting:
        asked = waiting.pop()
        for extra in ("", *asked.get("extra", ())):
            if (asked["name"], extra) in done:
                continue
            done.add((asked["name"], extra))
            one = found[asked["name"]] = known[asked["name"]]
            more = one.get("optional-dependencies", {}).get(extra) if extra else None
            waiting += (more or []) if extra else one.get("dependencies", [])
    return found


@pytest.mark.requirement("1.80")
def test_the_bill_of_materials_names_all_that_is_delivered_with_version_and_hashes(tmp_path: Path):
    file = tmp_path / "batchqc.cdx.json"
    subprocess.run(["make", "-s", "sbom", f"SBOM={file}"], cwd=ROOT, check=True)
    bill = json.loads(file.read_text())
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "batchqc")
    named = {one["name"]: one for one in bill["components"]}
    expected = locked()
    assert named.keys() == expected.keys()
    assert set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]) == set(EXTRAS)  # fmt: skip
    for name, one in expected.items():
        told = named[name]
        assert (told["version"], told["purl"]) == (
            one["version"], f"pkg:pypi/{name}@{one['version']}"
        ), name  # fmt: skip
        hashes = {
            hashed["content"]
            for reference in told["externalReferences"]
            for hashed in reference.get("hashes", ())
        }
        files = [*one.get("wheels", ()), *([one["sdist"]] if "sdist" in one else ())]
        assert hashes == {each["hash"].removeprefix("sha256:") for each in files}, name
