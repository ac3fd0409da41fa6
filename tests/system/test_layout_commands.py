"""``batchqc layout``, previews and renditions, over a copy of the demonstration's records."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from batchqc.cli.demo_cast import APPROVER, AUTHOR, PASSWORD, RELEASER
from batchqc.cli.main import app
from batchqc.documents.layout_file import read_layout
from batchqc.errors import Conflict, NotFound
from tests.documents.external import pages_of
from tests.records.layouts import FOR_CLINIC
from tests.system.test_laboratory_commands import batchqc, done

WHY = ("--reason", "As marketing and QA agreed")


@pytest.fixture(scope="module")
def home(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo, tmp_path_factory.mktemp("layouts") / "site")


def adopt(home: Path, file: Path, layout: str) -> None:
    assert f"{layout} v1 is imported" in done(home, "layout", "import", file, who=AUTHOR)
    assert "in review" in done(home, "layout", "submit", layout, "1", who=AUTHOR)
    told = done(home, "layout", "approve", layout, "1", *WHY, who=APPROVER)
    assert f"{layout} v1 is approved." in told


def test_a_shipped_layout_is_copied_once(home: Path, tmp_path: Path):
    told = done(home, "layout", "templates")
    for name in ("coa-de-a4", "coa-en-letter", "coa-fr-a4", "coa-es-a4", "recipient-de"):
        assert name in told
    own = tmp_path / "own.toml"
    done(home, "layout", "new", "coa-de-a4", own)
    assert read_layout(own.read_bytes(), file="own.toml").problems == ()
    assert isinstance(batchqc(home, "layout", "new", "coa-de-a4", own).exception, Conflict)
    assert isinstance(batchqc(home, "layout", "new", "../x", own).exception, NotFound)
    assert "No layout." in done(home, "layout", "list")


def test_a_site_adopts_its_layout_and_a_recipient_gets_a_rendition(home: Path, tmp_path: Path):
    own, clinic = tmp_path / "own.toml", tmp_path / "clinic.toml"
    done(home, "layout", "new", "coa-de-a4", own)
    adopt(home, own, "COA-DE-A4")
    clinic.write_bytes(FOR_CLINIC.replace(b'withhold = ["ido"]\n', b""))
    adopt(home, clinic, "COA-CLINIC")
    listed = done(home, "layout", "list")
    assert f"approved by {APPROVER}" in listed
    assert "Klinik am See, Hamburg" in listed
    assert "de, Letter" in done(home, "layout", "show", "COA-CLINIC", "1")
    number = done(home, "certificate", "list").split("COA-")[1].split()[0]
    certificate = f"COA-{number}"
    draft = tmp_path / "draft.pdf"
    shown = ("certificate", "preview", certificate, "--layout", "COA-DE-A4", "--version", "1")
    assert "It is a draft" in done(home, *shown, "--to", draft)
    assert "Vorschau mit Layout COA-DE-A4 v1" in pages_of(draft)[0]
    assert "Analysenzertifikat" in pages_of(draft)[0]
    made = tmp_path / "clinic.pdf"
    wanted = ["certificate", "rendition", certificate, "--layout", "COA-CLINIC", "--to", str(made)]
    done_by = CliRunner().invoke(
        app, ["--home", str(home), *wanted, "-u", RELEASER], input=f"{PASSWORD}\n{PASSWORD}\n"
    )
    assert done_by.exit_code == 0, (done_by.output, done_by.exception)
    assert "for Klinik am See, Hamburg" in done_by.output
    assert "Ausfertigung des Zertifikats" in pages_of(made)[0]
    verify = ("certificate", "verify", made, "--root", home / "trust" / "root.pem")
    said = done(home, *verify)
    assert f"a rendition of certificate {certificate} for Klinik am See, Hamburg" in said
    assert "results withheld: 0" in said
    assert "records     on record it counts now" in done(home, *verify, "--status")
    own_layout = batchqc(
        home, "certificate", "rendition", certificate, "--layout", "COA-DE-A4", who=RELEASER
    )
    assert isinstance(own_layout.exception, Conflict)


def test_a_layout_that_was_withdrawn_is_listed_as_such(home: Path, tmp_path: Path):
    file = tmp_path / "french.toml"
    done(home, "layout", "new", "coa-fr-a4", file)
    adopt(home, file, "COA-FR-A4")
    gone = ("layout", "withdraw", "COA-FR-A4", "1", *WHY)
    assert "is withdrawn" in done(home, *gone, who=APPROVER)
    assert "withdrawn" in done(home, "layout", "list")
