"""What a site must qualify again when it goes from one version to another: from their two wheels.

Coarse: a requirement is *touched* where its tests import a changed module themselves, and *reached*
where something that they import does so, however far away. What cannot be told is told as that, and
everything is to be done again.
"""

import ast
import json
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from batchqc.errors import InvalidInput

_MODULES: Final = "batchqc/guide/requirements-modules.json"
_CHECKS: Final = "batchqc/cli/qualification/checks.toml"
_LOCK: Final = "batchqc/_bundled/uv.lock"
_MIGRATIONS: Final = "batchqc/_bundled/migrations/versions/"
#: Read by people. All else that is no module decides, or is signed: profiles, methods, pages.
_GUIDE: Final = "batchqc/guide/"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A version of batchqc as its wheel has it: files by name."""

    version: str
    files: Mapping[str, bytes]

    @classmethod
    def read(cls, path: Path) -> "Wheel":
        """A wheel from its file.

        Raises:
            InvalidInput: BQC-VAL-001 it is no wheel of batchqc.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                names = [one for one in archive.namelist() if one.startswith("batchqc")]
                files = {name: archive.read(name) for name in names}
        except (OSError, zipfile.BadZipFile) as problem:
            raise _no_wheel(path) from problem
        about = next((one for one in files if one.endswith(".dist-info/METADATA")), "")
        if not about.startswith("batchqc-"):
            raise _no_wheel(path)
        code = {name: data for name, data in files.items() if name.startswith("batchqc/")}
        return cls(about.removeprefix("batchqc-").partition(".dist-info")[0], code)

    @property
    def modules(self) -> dict[str, bytes]:
        """The source of each module, by its name."""
        return {_module(name): data for name, data in self.files.items() if _is_module(name)}

    @property
    def tested_by(self) -> dict[str, set[str]]:
        """The modules that the tests of each requirement import; empty where it does not say."""
        found = json.loads(self.files.get(_MODULES, b"{}"))
        return {number: set(modules) for number, modules in found.items()}

    @property
    def libraries(self) -> dict[str, str]:
        """Versions of the libraries that it was tested with."""
        packages = tomllib.loads(self.files.get(_LOCK, b"").decode()).get("package", [])
        return {one["name"]: one["version"] for one in packages if "version" in one}


@dataclass(frozen=True, slots=True)
class Impact:
    """What differs between two versions, and what that touches."""

    old: str
    new: str
    modules: tuple[str, ...]
    controlled: tuple[str, ...]
    libraries: tuple[str, ...]
    migrations: tuple[str, ...]
    touched: tuple[str, ...]
    reached: tuple[str, ...]
    is_known: bool

    @property
    def is_nothing(self) -> bool:
        """Whether both versions are the same, byte for byte; the guide may be another."""
        return not (self.modules or self.controlled or self.libraries or self.migrations)

    @property
    def is_everything(self) -> bool:
        """Whether every section of the operation is to be done again."""
        return bool(self.controlled or self.libraries or self.migrations) or not self.is_known


def impact(old: Wheel, new: Wheel) -> Impact:
    """What differs between two versions, and what that touches."""
    modules = _different(old.modules, new.modules)
    files = _different(_beside(old), _beside(new))
    libraries = [
        f"{name} {old.libraries.get(name, 'none')} -> {new.libraries.get(name, 'none')}"
        for name in _different(old.libraries, new.libraries)
    ]
    tests = {
        number: old.tested_by.get(number, set()) | new.tested_by.get(number, set())
        for number in old.tested_by.keys() | new.tested_by.keys()
    }
    nearer = {number for number, own in tests.items() if own & set(modules)}
    changed = _reaching(set(modules), old.modules, new.modules)
    farther = {number for number, own in tests.items() if own & changed} - nearer
    return Impact(
        old=old.version,
        new=new.version,
        modules=tuple(modules),
        controlled=tuple(one for one in files if one != _LOCK and not one.startswith(_MIGRATIONS)),
        libraries=tuple(libraries),
        migrations=tuple(one for one in files if one.startswith(_MIGRATIONS)),
        touched=tuple(sorted(nearer, key=by_number)),
        reached=tuple(sorted(farther, key=by_number)),
        is_known=bool(old.tested_by and new.tested_by),
    )


def sections_of(found: Impact, new: Wheel) -> dict[str, str]:
    """Why a section of the qualification is to be done again, for each that is."""
    protocol = tomllib.loads(new.files.get(_CHECKS, b"").decode())
    why: dict[str, str] = {}
    for name in protocol.get("sections", {}):
        own = {
            number
            for check, one in protocol["checks"].items()
            if check.startswith(name)
            for number in one["requirements"]
        }
        if found.is_nothing:
            continue
        if name.startswith("IQ") or found.is_everything:
            why[name] = "whatever was changed" if name.startswith("IQ") else "see above"
        elif own & set(found.touched):
            why[name] = f"touched: {', '.join(sorted(own & set(found.touched), key=by_number))}"
        elif own & set(found.reached):
            why[name] = f"reached: {', '.join(sorted(own & set(found.reached), key=by_number))}"
    return why


def by_number(number: str) -> tuple[int, ...]:
    """Requirements in the order of their numbers."""
    return tuple(int(part) for part in number.split("."))


def _different(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _beside(wheel: Wheel) -> dict[str, bytes]:
    return {
        name: data
        for name, data in wheel.files.items()
        if not name.startswith(_GUIDE) and not _is_module(name)
    }


def _reaching(changed: set[str], *versions: Mapping[str, bytes]) -> set[str]:
    """The changed modules, and every module that imports one of them, in either version."""
    importers: dict[str, set[str]] = {}
    for modules in versions:
        for name, source in modules.items():
            for imported in _imports(source, modules):
                importers.setdefault(imported, set()).add(name)
    found, waiting = set(changed), list(changed)
    while waiting:
        new = importers.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _imports(source: bytes, modules: Iterable[str]) -> Iterator[str]:
    known = set(modules)
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        yield from known & set(names)


def _is_module(name: str) -> bool:
    return name.endswith(".py") and not name.startswith("batchqc/_bundled/")


def _module(name: str) -> str:
    parts = PurePosixPath(name).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _no_wheel(path: Path) -> InvalidInput:
    return InvalidInput(
        "BQC-VAL-001",
        f"{path} is no wheel of batchqc",
        hint="Name the wheel of the version in use, then that of the new one.",
    )
