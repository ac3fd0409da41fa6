"""Databases for every test, and the rule that a test of one runs on both kinds.

A test that asks for ``database``, ``engine`` or ``house`` runs on SQLite and on PostgreSQL. One
that can mean only one of them says so: ``@pytest.mark.only_on("sqlite", "the reason")``. Any other
test that runs on one kind more often than on the other adds a failing test to the run.

The rule counts what was collected, before ``-k``, ``-m`` and ``--lf`` take their choice, test by
test: so it holds for one file as it holds for all. Only who names a variant in brackets on the
command line (``test_x[sqlite]``) collects one variant on purpose, and is let alone.

With ``--share`` (``make test``) what people do, by command or over HTTP, is tried on one of the
two, which the name of the test chooses: a quarter of them on PostgreSQL, where each takes twice as
long, and half of the attacks and meetings. Records are tried on both. A test that is marked
``long`` waits for ``make long``, which tries everything on both.

What Hypothesis draws in ``tests/core`` is tried without counting branches (``make core``): cases
by name reach them in every run, and to count takes longer than to try.
"""

import gc
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: every worker has one core
os.environ.setdefault("BATCHQC_DISK_REQUIRED", "false")  # tests.databases wait for no disk

import pytest
from hypothesis import settings

from tests.kinds import KINDS, POSTGRESQL, SQLITE, in_memory

settings.register_profile("batchqc", deadline=None)  # a slow machine is no defect
settings.load_profile("batchqc")

RULE = "every test of a database runs on both kinds"
#: Of folders and files that are shared: one of how many tests is tried on PostgreSQL.
_SHARED = {
    "actions": 4,
    "api": 4,
    "system": 4,
    "web": 4,
    "qualification": 4,
    "test_permissions_of_routes.py": 4,
    "test_others_objects.py": 4,
    "test_audit_attacks.py": 2,
    "test_log_attacks.py": 2,
    "test_interleaved.py": 2,
}
_FIXTURES = {"database", "engine", "house", "full_house"}
#: Files of few tests that take long: begun first, so that no worker waits for another at the end.
_FIRST = (
    "test_journeys.py",
    "test_sources.py",
    "test_review.py",
    "test_administration.py",
    "test_investigations.py",
    "test_certificates.py",
    "test_trends.py",
    "test_life_of_lots.py",
    "test_walkthrough.py",
    "test_wheel.py",
    "test_contract.py",
    "test_command_line.py",
    "test_permissions_of_routes.py",
    "test_later_decisions.py",
    "test_large_uploads.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--share``."""
    parser.addoption(
        "--share", action="store_true", help="try actions and doors on one kind of database each"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let the folders of tests lie in memory: a disk is waited for at each commit and each file.

    Who only hands tests out to workers needs no house, nor do tests of the core (`make core`), and
    to load what houses are made of takes seconds.
    """
    if (memory := in_memory()) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))
    if not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("tests.houses")


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that is marked ``only_on`` its one kind."""
    marker = metafunc.definition.get_closest_marker("only_on")
    if marker is None:
        return
    kind, reason = marker.args
    if kind not in KINDS or not reason.strip():
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: only_on names a kind and a reason")
    if "database" in metafunc.fixturenames:
        one = pytest.mark.parametrize("database", [kind], indirect=True)
        metafunc.definition.add_marker(one)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage meanwhile: of what is loaded nothing goes."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Let the garbage collector be: modules and tests stay, and tests leave few cycles behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class _Rule(pytest.Item):
    """Fails, and tells which tests break the rule."""

    def __init__(self, *, lopsided: list[str], **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self._lopsided = lopsided

    def runtest(self) -> None:
        pytest.fail("\n".join([f"{RULE}, but not", *self._lopsided]), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        return Path(__file__), 0, self.name


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Count before anything is deselected, and add the verdict after it."""
    lopsided = [] if any("[" in one for one in config.args) else _lopsided(items)
    for item in items:
        marker = item.get_closest_marker("only_on")
        if marker is not None:
            item.user_properties.append(("only_on", ": ".join(marker.args)))
    if config.getoption("share"):
        other = [one for one in items if _is_for_later(one)]
        items[:] = [one for one in items if not _is_for_later(one)]
        config.hook.pytest_deselected(items=other)
    yield
    for item in items:
        if item.path.parent.name == "core" and item.get_closest_marker("hypothesis"):
            item.add_marker("no_cover")
    items.sort(key=lambda one: one.path.name not in _FIRST)
    if lopsided:
        items.append(_Rule.from_parent(session, name=RULE, lopsided=lopsided))


def _is_for_later(item: pytest.Item) -> bool:
    """Whether a test is long, or its name gives this variant to the other kind of database."""
    if item.get_closest_marker("long"):
        return True
    kind = item.callspec.params.get("database") if hasattr(item, "callspec") else None
    one_of = _SHARED.get(item.path.name) or _SHARED.get(item.path.parent.name)
    if kind is None or one_of is None or item.get_closest_marker("only_on"):
        return False
    number = crc32(item.nodeid.replace(kind, "").encode())
    return kind != (POSTGRESQL if number % one_of == 0 else SQLITE)


def _lopsided(items: list[pytest.Item]) -> list[str]:
    counts: dict[str, Counter[str]] = {}
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & _FIXTURES and item.get_closest_marker("only_on") is None:
            params = item.callspec.params if hasattr(item, "callspec") else {}
            own = counts.setdefault(item.nodeid.partition("[")[0], Counter())
            own[params.get("database", "another")] += 1
    return [
        f"  {test}: {', '.join(f'{count} on {kind}' for kind, count in own.items())}"
        for test, own in counts.items()
        if own != Counter(dict.fromkeys(KINDS, own.total() // 2))
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the tests that run on one kind only; reports bring them from xdist's workers."""
    found = {
        (reason, report.nodeid.partition("[")[0])
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, reason in report.user_properties
        if name == "only_on"
    }
    if found:
        terminalreporter.section("tests of one kind of database")
        for reason, test in sorted(found):
            terminalreporter.write_line(f"{reason}: {test}")
