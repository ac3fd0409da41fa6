"""Mutants of the rules: each changes one decision, and the tests that must notice do so.

    python tests/mutation.py
    python tests/mutation.py dispositions actions/export_plan

Run by `make long` on copies of the tree; what survives is printed, and written into the guide. Of
some modules only, it is only printed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from batchqc.clock import now  # noqa: E402 - the checkout first
from tests.mutants.mutant import Mutant  # noqa: E402 - as above
from tests.mutants.of_records import OF_RECORDS  # noqa: E402 - as above
from tests.mutants.of_release import OF_RELEASE  # noqa: E402 - as above
from tests.mutants.of_rules import OF_RULES  # noqa: E402 - as above

MUTANTS = (*OF_RULES, *OF_RELEASE, *OF_RECORDS)
#: What notices a slip in a rule of the core, in the table language, or in reading large files.
TESTS_OF_RULES = (
    *(f"core/{one.name}" for one in sorted((ROOT / "tests" / "core").glob("test_*.py"))),
    "documents/test_language.py",
    "documents/test_language_of_limits.py",
    "documents/test_language_total.py",
    "documents/test_impact.py",
    "documents/test_language_of_versions.py",
    "intake/test_large.py",
)
#: They ask for no house, and to make one takes longer than they do.
WITHOUT_HOUSES = ("-p", "no:tests.houses")


def copied(folder: Path) -> Path:
    """A copy of the tree with its compiled modules."""
    for name in ("batchqc", "tests", "specs", "reports", "migrations"):
        left_out = shutil.ignore_patterns("node_modules")
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def survives(mutant: Mutant, trees: SimpleQueue[Path]) -> str:
    """ "" where a test noticed; else what survived."""
    tree = trees.get()
    path = mutant.path(tree)
    source, stat = path.read_text(), path.stat()
    try:
        if mutant.old not in source:
            return f"{mutant.module}: not found: {mutant.old!r}"
        path.write_text(mutant.made_of(source))
        status = 0
        for some in rounds(mutant):
            status = tested(tree, some)
            if status == 1:
                return ""
    finally:
        path.write_text(source)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        trees.put(tree)
    return f"{mutant.module}: {mutant.old!r} -> {mutant.new!r} (exit {status})"


def rounds(mutant: Mutant) -> Iterator[list[str]]:
    """What pytest is given, one after the other, until something notices a mutant."""
    if mutant.tests:
        yield [f"tests/{one}" for one in mutant.tests]
        return
    near = [one for one in TESTS_OF_RULES if is_near(mutant, one)]
    own = [one for one in near if one.endswith(f"/test_{mutant.module}.py")]
    for some in (own, [one for one in near if one not in own], TESTS_OF_RULES):
        if some:
            yield [*WITHOUT_HOUSES, *(f"tests/{one}" for one in some)]


def is_near(mutant: Mutant, test: str) -> bool:
    """Whether a test imports the module of a mutant: it notices sooner than others do."""
    return f"from batchqc.core.{mutant.module} import" in (ROOT / "tests" / test).read_text()


def tested(tree: Path, what: Iterable[str]) -> int:
    """How the first failure, or none, ends the tests; of a database one kind is enough."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
         "-k", "not postgresql", *what],
        cwd=tree, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(tree)},
    )  # fmt: skip
    return done.returncode


def survivors(mutants: Iterable[Mutant]) -> list[str]:
    """What survives, in the order of the mutants."""
    workers = os.cpu_count() or 1
    trees: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        for number in range(workers):
            trees.put(copied(Path(folder, str(number))))
        return [one for one in pool.map(lambda each: survives(each, trees), mutants) if one]


def write_down(lines: Iterable[str]) -> None:
    """Into the guide."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    title = "# Mutants of the rules, and of what keeps and shows records"
    when = f"Run {now():%Y-%m-%d} at commit {commit}, by `make long`."
    measured = ROOT / "batchqc" / "guide" / "measured" / "mutation.md"
    measured.write_text("\n".join([title, "", when, "", "```", *lines, "```", ""]))


def main() -> None:
    wanted = sys.argv[1:]
    chosen = [one for one in MUTANTS if not wanted or one.module in wanted]
    found = survivors(chosen)
    holds = "DOES NOT HOLD" if found else "holds"
    noticed = f"{len(chosen) - len(found)} of {len(chosen)} mutants noticed"
    lines = [f"{noticed}, limit {len(chosen)}: {holds}", *found]
    print("\n".join(lines))
    if not wanted:
        write_down(lines)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
