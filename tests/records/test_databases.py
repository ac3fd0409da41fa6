"""The databases of the tests themselves, and the rule that tests run on both kinds."""

import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from batchqc.core.lot_states import Disposition
from batchqc.records.audit import AuditEntry
from batchqc.records.people import Person
from batchqc.records.transaction import reading
from tests.records.house import PEOPLE, House

ROOT = Path(__file__).parents[2]
FAIR = "def test_fair(database): pass\n"
BY_HAND = """
import pytest
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_by_hand(database): pass
"""
REPLACED = """
import pytest
@pytest.mark.parametrize("engine", ["sqlite"])
def test_replaced(engine): pass
"""
KINDS_ALONE = """
import pytest
@pytest.fixture(params=["sqlite", "postgresql"])
def database(request): return request.param
"""
ONE_KIND = """
import pytest
@pytest.mark.only_on("sqlite", "it is about files")
def test_of_files(database): pass
"""


def arguments(folder: Path, tests: str, options: tuple[str, ...]) -> list[str]:
    path = folder / "test_it.py"
    path.write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    only_on(database, reason)\n")
    return [
        "-p", "tests.conftest", "-p", "no:cacheprovider", "--import-mode=importlib",
        "-c", str(folder / "pytest.ini"), "--rootdir", str(folder), *(options or (str(path),)),
    ]  # fmt: skip


def run(folder: Path, tests: str, *options: str) -> tuple[int, str]:
    """Exit code and output of a run of its own over ``tests``, within this one."""
    told = StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        code = pytest.main(arguments(folder, tests, options))
    sys.modules.pop("test_it", None)  # the next one is another
    return int(code), told.getvalue()


def test_each_test_gets_a_database_with_tables_and_without_rows(engine: Engine, database: str):
    assert engine.dialect.name == database
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == 0


def test_a_house_is_furnished_and_its_audit_trail_is_whole(house: House):
    with house.reading() as session:
        assert set(session.scalars(select(Person.user_id))) > set(PEOPLE)
    assert house.verify().problems == ()


def test_a_lot_of_the_house_can_be_released(house: House):
    house.ready()
    assert house.study().is_ready
    house.release()
    assert house.study().disposition is Disposition.RELEASED
    assert house.verify().problems == ()


def test_what_people_do_is_shared_between_the_kinds_and_all_else_runs_on_both(tmp_path: Path):
    tests = "import pytest\n" + "".join(
        f"def test_{n}(database):\n    print('ran', {n}, database)\n" for n in range(12)
    )
    ran = {}
    for name in ("actions", "records"):
        folder = tmp_path / name
        folder.mkdir()
        code, told = run(folder, tests, "--share", "-s", str(folder / "test_it.py"))
        assert code == 0, told
        ran[name] = [line.split("ran ")[1].split() for line in told.splitlines() if "ran " in line]
    assert sorted(int(n) for n, _ in ran["actions"]) == list(range(12))
    assert {kind for _, kind in ran["actions"]} == {"sqlite", "postgresql"}
    assert len(ran["records"]) == 24


@pytest.mark.parametrize("tests", [BY_HAND, REPLACED], ids=["by hand", "replaced"])
def test_a_test_that_is_put_onto_one_kind_by_hand_fails_the_run(tests: str, tmp_path: Path):
    code, told = run(tmp_path, FAIR + tests)
    assert code == 1
    assert "every test of a database runs on both kinds, but not" in told
    assert "1 failed" in told


def test_a_choice_by_words_does_not_hide_it(tmp_path: Path):
    code, told = run(tmp_path, FAIR + BY_HAND, str(tmp_path / "test_it.py"), "-k", "fair")
    assert code == 1
    assert "test_by_hand: 1 on sqlite" in told


def test_it_fails_the_run_of_several_workers_too(tmp_path: Path):
    """Its workers load no houses, as those of the core do not: it counts names of kinds alone."""
    options = (str(tmp_path / "test_it.py"), "-n", "2", "-p", "no:tests.houses")
    tests = KINDS_ALONE + FAIR + BY_HAND
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments(tmp_path, tests, options)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "test_by_hand: 1 on sqlite" in done.stdout


def test_who_names_one_variant_or_one_test_is_let_alone(tmp_path: Path):
    for choice, passed in (("test_fair[sqlite]", "1 passed"), ("test_fair", "2 passed")):
        code, told = run(tmp_path, FAIR, f"{tmp_path / 'test_it.py'}::{choice}")
        assert code == 0, told
        assert passed in told


def test_a_test_of_one_kind_states_its_reason_which_is_listed(tmp_path: Path):
    code, told = run(tmp_path, ONE_KIND)
    assert code == 0, told
    assert "1 passed" in told
    assert "sqlite: it is about files: test_it.py::test_of_files" in told
    code, told = run(tmp_path, ONE_KIND.replace("it is about files", ""))
    assert code != 0
    assert "only_on names a kind and a reason" in told
