"""``batchqc spec`` on files: what an author types before anything is imported."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batchqc.cli.demo_cast import APPROVER, AUTHOR, PASSWORD
from batchqc.cli.main import app
from batchqc.core.findings import findings
from batchqc.documents.spec_file import read_specification
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.settings import bundled

SHIPPED = bundled("specs") / "uc-msc" / "uc-msc-release-v1.toml"


def spec(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["spec", *map(str, arguments)], env={"COLUMNS": "250"})


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """Another version, in which viability passes under USP and CD73 is looser."""
    text = SHIPPED.read_text().replace('accept   = "> 90"', 'accept   = "> 90"\nrounding = "usp"')
    path = tmp_path / "draft.toml"
    path.write_text(text.replace('accept   = ">= 95"', 'accept   = ">= 90"', 1))
    return path


def test_lint_says_what_is_doubtful_and_ends_with_an_error(draft: Path):
    told = spec("lint", draft)
    assert told.exit_code == 1
    assert "viability: dead-band: > 90 under USP passes 90.5 and up." in told.output
    assert 'rounding = "absolute"' in told.output
    text = draft.read_text().replace(
        'rounding = "usp"\n', 'rounding = "usp"\nacknowledge = { dead-band = "as registered" }\n', 1
    )
    draft.write_text(text)
    again = spec("lint", draft)
    assert again.exit_code == 0, again.output
    assert "Acknowledged: as registered" in again.output
    assert "draft.toml is clean" in again.output


def test_lint_says_everything_that_is_wrong(tmp_path: Path):
    path = tmp_path / "wrong.toml"
    path.write_text('schema = "other"\ncolour = "red"\n')
    told = spec("lint", path)
    assert told.exit_code == 1
    assert "wrong.toml, line 1: schema" in told.output
    assert "wrong.toml, line 2: colour: unknown key" in told.output


def test_boundary_shows_where_each_criterion_turns(draft: Path):
    told = spec("boundary", draft)
    assert told.exit_code == 0, told.output
    assert "90.5 and up, in %" in told.output
    assert "90 fails, 91 passes" in told.output
    missing = spec("boundary", "nowhere.toml")
    assert isinstance(missing.exception, InvalidInput)
    assert missing.exception.code == "BQC-SPC-009"


def test_diff_shows_what_became_stricter_and_looser(draft: Path):
    told = spec("diff", "UC-MSC-REL", SHIPPED, draft)
    assert told.exit_code == 0, told.output
    assert "Viability: > 90 % became > 90 %, USP" in told.output
    assert "Identity, CD73+: >= 95 % became >= 90 %" in told.output
    assert "stricter" in told.output
    assert "looser" in told.output
    assert "Nothing changed" in spec("diff", "UC-MSC-REL", SHIPPED, SHIPPED).output


TEMPLATES = (
    "adipose-msc-release", "bm-msc-release", "donor-eligibility", "msc-bank", "uc-msc-release",
    "wj-msc-release",
)  # fmt: skip


def test_the_shipped_templates_are_listed_with_their_titles():
    told = spec("new")
    assert told.exit_code == 0
    for name in TEMPLATES:
        assert name in told.output


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_draft_from_a_template_is_clean_and_keeps_its_sources(name: str, tmp_path: Path):
    file = tmp_path / "my.toml"
    wanted = ("--from", name, "--id", "MY-REL-1", "--product", "MY-MSC")
    made = spec("new", file, *wanted, "--effective", "2026-12-01")
    assert made.exit_code == 0, made.output
    draft = read_specification(file.read_bytes(), file="my.toml").specification
    assert draft is not None
    assert (draft.id, draft.version, draft.product) == ("MY-REL-1", 1, "MY-MSC")
    assert draft.effective.isoformat() == "2026-12-01"
    assert draft.sources
    assert findings(draft) == ()
    assert spec("lint", file).exit_code == 0
    again = spec("new", file, *wanted)
    assert isinstance(again.exception, InvalidInput)  # nothing is written over


def test_a_draft_is_for_any_product_that_can_be_registered_and_for_a_place_that_is_there(
    tmp_path: Path,
):
    wanted = ("--from", "uc-msc-release", "--id", "MY-REL-1", "--product", "MSC")
    made = spec("new", tmp_path / "my.toml", *wanted)
    assert made.exit_code == 0, made.exception
    assert b'product   = "MSC"' in (tmp_path / "my.toml").read_bytes()
    for place in (tmp_path / "nowhere" / "my.toml", tmp_path):
        refused = spec("new", place, *wanted)
        assert isinstance(refused.exception, InvalidInput), refused.exception
        assert refused.exception.code == "BQC-SPC-022"
        assert "cannot be written" in refused.exception.message


def test_a_version_of_many_digits_is_none():
    for command in ("show", "boundary", "impact"):
        assert spec(command, "UC-MSC-REL", "9" * 20).exit_code == 2
    told = spec("diff", "UC-MSC-REL", SHIPPED, "9" * 20)
    assert isinstance(told.exception, InvalidInput)
    assert told.exception.code == "BQC-SPC-009"


def test_a_template_that_is_not_there_or_a_bad_name_is_told(tmp_path: Path):
    missing = spec("new", tmp_path / "x.toml", "--from", "unicorn")
    assert isinstance(missing.exception, NotFound)
    assert "wj-msc-release" in missing.exception.message
    bad = spec("new", tmp_path / "x.toml", "--from", "wj-msc-release", "--id", "X", "--product", "")
    assert isinstance(bad.exception, InvalidInput)
    assert len(bad.exception.reasons) == 2
    day = spec("new", tmp_path / "x.toml", "--from", "wj-msc-release", "--effective", "soon")
    assert isinstance(day.exception, InvalidInput)
    assert not (tmp_path / "x.toml").exists()
    nowhere = spec("new", tmp_path / "no folder" / "x.toml", "--from", "wj-msc-release",
                   "--id", "X", "--product", "P")  # fmt: skip
    assert isinstance(nowhere.exception, InvalidInput)


@pytest.fixture
def home(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo, tmp_path / "site")


def at(home: Path, *arguments: str | Path, typed: str = "") -> Result:
    return CliRunner().invoke(
        app,
        ["--home", str(home), "spec", *map(str, arguments)],
        input=f"{typed}\n" if typed else "",
        env={"COLUMNS": "250"},
    )


def test_a_version_goes_its_way_on_the_command_line(home: Path, tmp_path: Path):
    """From draft to withdrawal; two of the eight lots would flip under a viability above 97.5."""
    draft = tmp_path / "v2.toml"
    text = SHIPPED.read_text().replace("version   = 1", "version   = 2", 1)
    text = text.replace("effective = 2020-01-01", "effective = 2099-12-24", 1)
    draft.write_text(text.replace('accept   = "> 90"', 'accept   = "> 97.5"'))
    looked = at(home, "impact", draft)
    assert looked.exit_code == 0, looked.output
    assert "viability" in looked.output
    assert "Kept as report" not in looked.output
    author, approver = ("-u", AUTHOR), ("-u", APPROVER)
    assert at(home, "import", draft, *author, typed=PASSWORD).exit_code == 0
    assert "v2  " in at(home, "list").output.replace("UC-MSC-REL v2", "v2  ")
    early = at(home, "approve", "UC-MSC-REL", "2", *approver, "--reason", "Right", typed=PASSWORD)
    assert isinstance(early.exception, Conflict)
    assert at(home, "submit", "UC-MSC-REL", "2", *author, typed=PASSWORD).exit_code == 0
    assert "in review" in at(home, "list").output
    kept = at(home, "impact", "UC-MSC-REL", "2", "--user", AUTHOR, typed=PASSWORD)
    assert "Kept as report UC-MSC-REL/2/1" in kept.output, kept.output
    approved = at(
        home, "approve", "UC-MSC-REL", "2", *approver, "--reason", "Seen and right", typed=PASSWORD
    )
    assert approved.exit_code == 0, approved.output
    assert "of 8 past lots would flip" in approved.output
    assert "approved" in at(home, "list").output
    assert "> 90 % became > 97.5 %" in at(home, "diff", "UC-MSC-REL", "1", "2").output
    assert "97.5" in at(home, "boundary", "UC-MSC-REL", "2").output
    withdrawn = at(
        home, "withdraw", "UC-MSC-REL", "2", *approver, "--reason", "Not needed",
        "--from", "2099-12-24", typed=PASSWORD,
    )  # fmt: skip
    assert withdrawn.exit_code == 0, withdrawn.output
    assert "withdrawn" in at(home, "list").output


def test_recheck_computes_every_verdict_anew_and_names_what_differs(home: Path):
    told = at(home, "recheck")
    assert told.exit_code == 0, told.output
    assert "10 decisions, 93 verdicts computed anew" in told.output
    assert "None differs" in told.output
    lots = {one["lot"] for one in json.loads((home / "summary.json").read_text())["lots"]}
    assert "UCM-P1-T1" in lots
    for path in (home / "store").rglob("*"):
        if path.is_file() and b"UCM-P4-T2-S01" in path.read_bytes()[:4000]:
            path.chmod(0o644)
            path.write_bytes(path.read_bytes() + b" ")
    again = at(home, "recheck")
    assert again.exit_code == 7
    assert "is damaged" in again.output


def test_the_folder_of_the_site_is_compared(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "specifications"
    folder.mkdir()
    (folder / "one.toml").write_bytes(SHIPPED.read_bytes())
    monkeypatch.setenv("BATCHQC_SPECIFICATION_FOLDER", str(folder))
    assert "the same" in at(home, "compare").output
    (folder / "one.toml").write_bytes(SHIPPED.read_bytes().replace(b'"> 90"', b'"> 80"'))
    told = at(home, "compare")
    assert told.exit_code == 1
    assert "differs from UC-MSC-REL v1" in told.output


def test_a_report_is_kept_of_an_imported_version_only(home: Path):
    told = at(home, "impact", SHIPPED, "--user", AUTHOR)
    assert isinstance(told.exception, InvalidInput)
    assert told.exception.code == "BQC-SPC-017"
    soon = at(home, "impact", SHIPPED, "--since", "soon")
    assert isinstance(soon.exception, InvalidInput)
    assert soon.exception.code == "BQC-SPC-018"
    bad = at(
        home, "withdraw", "UC-MSC-REL", "1", "-u", APPROVER, "--reason", "Not needed",
        "--from", "tomorrow", typed=PASSWORD,
    )  # fmt: skip
    assert isinstance(bad.exception, InvalidInput)
    assert bad.exception.code == "BQC-SPC-018"
