"""What a start waits for: the modules that it loads."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from batchqc import __version__
from batchqc.cli.commands import KINDS
from batchqc.cli.demo_cast import PASSWORD
from batchqc.cli.main import app
from tests.system.test_command_line import IDO

RARE = {"alembic", "pandas", "pyhanko", "pypdf", "reportlab"}
SERVER = {"fastapi", "starlette", "uvicorn"}
NETWORK = {"authlib", "httpx2", "joserfc", "rfc3161_client"}
NUMERICS = {"scipy.optimize", "scipy.special", "scipy.stats"}
SAY = "print(json.dumps(sorted(sys.modules)))"
NEVER = {
    "batchqc.cli.workplace": RARE | SERVER | NETWORK | {"numpy"},
    "batchqc.api.app": RARE | NETWORK | {"numpy"},
    "batchqc.web.app": RARE | NETWORK | {"numpy", "jinja2", "batchqc.web.screens"},
    "batchqc.web.screens": RARE | NETWORK | NUMERICS,
}
WORDS = """import batchqc.web.wording as words
assert not words.translations.cache_info().currsize"""
WITHOUT = ("serve", "configuration", "change-impact")


def loaded(*programs: str, given: tuple[str | Path, ...] = ()) -> list[set[str]]:
    """The modules that one new process has after each of some programs, run one after another.

    What a program loads is there after it and after all that follow, so that what the last one
    never loads none before it did.
    """
    said = [f"{one}\n{SAY}" for one in programs]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(["import json, sys", *said]), *map(str, given)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [one for one in done.stdout.splitlines() if one.startswith("[")]
    return [set(json.loads(line)) for line in lines[-len(programs) :]]


@pytest.fixture(scope="module")
def doors() -> dict[str, set[str]]:
    """What is loaded after each door; it stands on the one before it."""
    *after, _ = loaded(*(f"import {one}" for one in NEVER), WORDS)
    return dict(zip(NEVER, after, strict=True))


@pytest.fixture(scope="module")
def commands() -> dict[str, set[str]]:
    """What is loaded after the command line, after each of some commands, and after all."""
    programs = {
        "main": "import batchqc.cli.main",
        "finding": "from typer.main import get_command\nfrom batchqc.cli.main import app",
        **{one: f"assert get_command(app).get_command(None, {one!r})" for one in WITHOUT},
        "all": "from batchqc.cli.commands import KINDS\nfor one in KINDS: one()",
    }
    return dict(zip(programs, loaded(*programs.values()), strict=True))


@pytest.mark.parametrize("module", NEVER)
def test_no_door_loads_what_only_some_of_its_work_needs(doors: dict[str, set[str]], module: str):
    found = doors[module]
    assert {"sqlalchemy", module} <= found
    assert not found & NEVER[module]


def test_the_catalogue_of_words_is_read_for_the_first_page_and_not_before(
    doors: dict[str, set[str]],
):
    """The process of the doors says so after the last one, else there are no doors."""
    assert "batchqc.web.typed_form" in doors["batchqc.web.screens"]


def test_no_command_is_loaded_before_it_is_given_and_none_loads_what_is_rare(
    commands: dict[str, set[str]],
):
    assert not commands["main"] & {"sqlalchemy", "pydantic"}
    found = commands["all"]
    assert {"sqlalchemy", "batchqc.cli.lot", "batchqc.cli.pki"} <= found
    assert not found & (RARE | SERVER | {"numpy"})


@pytest.mark.parametrize("command", WITHOUT)
def test_a_command_that_opens_no_database_loads_nothing_of_one(
    commands: dict[str, set[str]], command: str
):
    found = commands[command]
    assert "batchqc.cli.main" in found
    assert not found & {"sqlalchemy", "batchqc.cli.workplace"}


def test_every_command_is_found_under_its_name_and_no_other():
    assert {names: tuple(get_group(kind()).commands) for kind, names in KINDS.items()} == {
        names: names for names in KINDS.values()
    }


def test_the_version_is_told_without_a_command():
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"batchqc {__version__}\n")


def test_an_unknown_command_is_refused_with_those_that_come_near():
    done = CliRunner().invoke(app, ["serv"])
    assert done.exit_code == 2
    assert "'serve'" in done.output


def test_an_upload_loads_neither_the_server_nor_what_makes_certificates(demo: Path, tmp_path: Path):
    file, home = tmp_path / "ido.csv", shutil.copytree(demo, tmp_path / "site")
    file.write_text(IDO.format(value="13.0"))
    program = f"""
from typer.testing import CliRunner
from batchqc.cli.main import app
wanted = ["--home", sys.argv[1], "upload", sys.argv[2], "-u", "an.tran"]
done = CliRunner().invoke(app, wanted, input="{PASSWORD}\\n")
assert "The file is accepted." in done.output, done.output
"""
    (found,) = loaded(program, given=(home, file))
    assert not found & (RARE | SERVER)


def test_a_server_looks_for_cycles_only_in_what_came_after_its_start(demo: Path, tmp_path: Path):
    home = shutil.copytree(demo, tmp_path / "site")
    program = f"""
import gc, uvicorn
from typer.testing import CliRunner
from batchqc.cli.main import app
found = []
uvicorn.run = lambda application, **_: found.append((gc.get_freeze_count(), len(gc.get_objects())))
done = CliRunner().invoke(
    app, ["--home", sys.argv[1], "serve"], env={{"BATCHQC_SEAL_PASSPHRASE": {PASSWORD!r}}}
)
assert done.exit_code == 0, done.output
(kept, looked_at), = found
assert kept > 100 * looked_at, found
"""
    (modules,) = loaded(program, given=(home,))
    assert "uvicorn" in modules
    assert not modules & (NETWORK | {"batchqc.cli.demo", "batchqc.cli.lot", "batchqc.cli.pki"})
