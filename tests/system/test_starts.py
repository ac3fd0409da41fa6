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
SAY = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def loaded(program: str, *arguments: str | Path) -> set[str]:
    """The modules that a new process has after a program; the last line that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{SAY}", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("batchqc.cli.workplace", RARE | SERVER | NETWORK | {"numpy"}),
        ("batchqc.api.app", RARE | NETWORK | {"numpy"}),
        ("batchqc.web.app", RARE | NETWORK | {"numpy", "jinja2", "batchqc.web.screens"}),
        ("batchqc.web.screens", RARE | NETWORK | NUMERICS),
    ],
)
def test_no_door_loads_what_only_some_of_its_work_needs(module: str, never: set[str]):
    found = loaded(f"import {module}")
    assert "sqlalchemy" in found
    assert not found & never


def test_the_catalogue_of_words_is_read_for_the_first_page_and_not_before():
    found = loaded(
        "import batchqc.web.screens as _, batchqc.web.wording as words\n"
        "assert not words.translations.cache_info().currsize"
    )
    assert "batchqc.web.typed_form" in found


def test_no_command_is_loaded_before_it_is_given_and_none_loads_what_is_rare():
    found = loaded("import batchqc.cli.main")
    assert not found & {"sqlalchemy", "pydantic"}
    found = loaded("from batchqc.cli.commands import KINDS\nfor one in KINDS: one()")
    assert {"sqlalchemy", "batchqc.cli.lot", "batchqc.cli.pki"} <= found
    assert not found & (RARE | SERVER | {"numpy"})


@pytest.mark.parametrize("command", ["serve", "configuration", "change-impact"])
def test_a_command_that_opens_no_database_loads_nothing_of_one(command: str):
    found = loaded(
        "from typer.main import get_command\n"
        "from batchqc.cli.main import app\n"
        f"assert get_command(app).get_command(None, {command!r})"
    )
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
import sys
from typer.testing import CliRunner
from batchqc.cli.main import app
wanted = ["--home", sys.argv[1], "upload", sys.argv[2], "-u", "an.tran"]
done = CliRunner().invoke(app, wanted, input="{PASSWORD}\\n")
assert "The file is accepted." in done.output, done.output
"""
    assert not loaded(program, home, file) & (RARE | SERVER)


def test_a_server_looks_for_cycles_only_in_what_came_after_its_start(demo: Path, tmp_path: Path):
    home = shutil.copytree(demo, tmp_path / "site")
    program = f"""
import gc, sys, uvicorn
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
    modules = loaded(program, home)
    assert "uvicorn" in modules
    assert not modules & (NETWORK | {"batchqc.cli.demo", "batchqc.cli.lot", "batchqc.cli.pki"})
