"""Installation: files against the record of the wheel, libraries against the lock file."""

import csv
import platform
import sys
import tomllib
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Final

import batchqc
from batchqc import __version__
from batchqc.cli.qualification.protocol import Doing, Finding, held, not_tested
from batchqc.settings import lock_file

_PACKAGE: Final = "batchqc/"
_CONTROLLED: Final = "batchqc/_bundled/"
_INSTALLERS: Final = frozenset({"pip", "setuptools", "uv", "wheel"})
"""What installs libraries and is none of batchqc, whatever the lock file says of its tools."""
_BESIDE: Final = _INSTALLERS | {"batchqc"}
_IGNORED: Final = frozenset({".pyc", ".pyo"})


def doings() -> dict[str, Doing]:
    """The checks of this section, by id."""
    root = Path(batchqc.__file__).parent.parent
    return {
        "IQ-SW-01": lambda: files(root, recorded(), controlled=False),
        "IQ-SW-02": lambda: files(root, recorded(), controlled=True),
        "IQ-SW-03": _libraries,
        "IQ-SW-04": _platform,
    }


def recorded() -> dict[str, str]:
    """SHA-256 of each file of the package, as the record of its wheel has it; empty without one."""
    try:
        text = distribution("batchqc").read_text("RECORD") or ""
    except PackageNotFoundError:
        return {}
    rows = (row for row in csv.reader(text.splitlines()) if row)
    found = {
        name: digest.removeprefix("sha256=")
        for name, digest, _ in rows
        if name.startswith(_PACKAGE) and digest
    }
    return found if f"{_PACKAGE}__init__.py" in found else {}  # else it runs from a checkout


def files(root: Path, record: Mapping[str, str], *, controlled: bool) -> Finding:
    """Every file of the record, and every file beside them.

    Args:
        root: the folder that holds the package.
        record: SHA-256 by path, as wheels write it; empty where nothing was installed from one.
        controlled: whether the bundled specifications, layouts, fonts and migrations are looked
            at, or everything else.
    """
    wanted = {
        name: digest
        for name, digest in record.items()
        if name.startswith(_CONTROLLED) is controlled
    }
    if not wanted:
        return not_tested(
            f"batchqc {__version__} runs from {root}, and was not installed from a wheel: there is"
            " no record to compare its files with. Install the wheel of the release."
        )
    found = {name: _digest(root / name) for name in wanted}
    changed = sorted(name for name, digest in found.items() if digest not in {wanted[name], ""})
    missing = sorted(name for name, digest in found.items() if not digest)
    beside = sorted(set(_there(root, controlled=controlled)) - wanted.keys())
    said = [
        f"{word}: {', '.join(names[:10])}{' …' if len(names) > 10 else ''}."
        for word, names in (
            ("Changed", changed),
            ("Missing", missing),
            ("Not of the wheel", beside),
        )
        if names
    ]
    whole = sha256("".join(f"{n} {found[n]}\n" for n in sorted(found)).encode()).hexdigest()
    good = len(wanted) - len(changed) - len(missing)
    told = f"{good} of {len(wanted)} files are as recorded; together SHA-256 {whole[:16]}…."
    return held(
        not said,
        " ".join([told, *said]),
        {
            "version": __version__,
            "folder": str(root),
            "sha256 of the list": whole,
            "files": dict(found) if controlled else len(found),
            "changed": changed,
            "missing": missing,
            "beside": beside,
        },
    )


def locked(text: str) -> dict[str, set[str]]:
    """The versions of each library in the text of a lock file."""
    found: dict[str, set[str]] = {}
    for one in tomllib.loads(text)["package"]:
        if "version" in one:
            found.setdefault(_plain(one["name"]), set()).add(one["version"])
    return found


def installed() -> dict[str, str]:
    """Every library of this Python, with its version."""
    return {_plain(one.metadata["Name"]): one.version for one in distributions()}


def needed(text: str) -> set[str]:
    """The libraries without which batchqc does not work, in the text of a lock file."""
    own = [one for one in tomllib.loads(text)["package"] if one["name"] == "batchqc"]
    return {_plain(other["name"]) for one in own for other in one.get("dependencies", ())}


def libraries(
    lock: Mapping[str, set[str]], here: Mapping[str, str], needs: Collection[str] = ()
) -> Finding:
    """Whether what is installed is what was tested, of all libraries that the lock file knows."""
    ours = {name: here[name] for name in sorted((here.keys() & lock.keys()) - _BESIDE)}
    others = [
        f"{name} is {version}, tested with {' or '.join(sorted(lock[name]))}"
        for name, version in ours.items()
        if version not in lock[name]
    ]
    lacking = [f"{name} is not installed" for name in sorted({*needs} - here.keys())]
    wrong = others + lacking
    told = f" {'; '.join(wrong)}." if wrong else ""
    beside = sorted((here.keys() - lock.keys()) | (here.keys() & _INSTALLERS))
    also = f" Beside them: {', '.join(beside)}." if beside else ""
    return held(
        bool(ours) and not wrong,
        f"{len(ours) - len(others)} of {len(ours)} libraries have the tested version.{told}{also}",
        {"libraries": dict(ours), "beside": {name: here[name] for name in beside}},
    )


def environment() -> dict[str, str]:
    """Where it runs, for the first page and the evidence."""
    return {
        "Software": f"batchqc {__version__}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "Operating system": platform.platform(),
        "Machine": f"{platform.node()}, {platform.machine()}",
    }


def _libraries() -> Finding:
    text = lock_file().read_text(encoding="utf-8")
    return libraries(locked(text), installed(), needed(text))


def _platform() -> Finding:
    good = sys.version_info >= (3, 11) and platform.python_implementation() == "CPython"
    told = environment()
    return held(good, f"{told['Python']}; {told['Operating system']}.", told)


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    return urlsafe_b64encode(sha256(path.read_bytes()).digest()).rstrip(b"=").decode()


def _there(root: Path, *, controlled: bool) -> Iterator[str]:
    for path in (root / _PACKAGE).rglob("*"):
        name = path.relative_to(root).as_posix()
        looked_at = name.startswith(_CONTROLLED) is controlled
        if looked_at and path.is_file() and path.suffix not in _IGNORED:
            yield name


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
