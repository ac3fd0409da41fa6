"""The guide knows every code, and what it tells a reader to type exists."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from batchqc.cli.main import app
from batchqc.intake.problems import CODES

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "batchqc" / "guide"


def codes_in(*paths: Path) -> set[str]:
    return {code for path in paths for code in re.findall(r"BQC-[A-Z]{3}-\d{3}", path.read_text())}


def test_every_error_code_is_documented_and_every_documented_one_exists():
    raised = codes_in(*(ROOT / "batchqc").rglob("*.py"))
    assert raised == codes_in(GUIDE / "errors.md")


def test_error_codes_are_found_by_their_order_and_each_says_what_it_means():
    rows = re.findall(
        r"^\| (BQC-[A-Z]{3}-\d{3}) \| (\d{3}(?:, \d{3})*|the status itself) \| \S.* \|.*\|$",
        (GUIDE / "errors.md").read_text(),
        re.MULTILINE,
    )
    codes = [code for code, _ in rows]
    assert set(codes) == codes_in(GUIDE / "errors.md")
    assert codes == sorted(set(codes))


def test_every_problem_code_of_the_intake_is_documented_with_its_meaning():
    table = dict(
        re.findall(r"^\| ([EW]\d{3}) \| (.+) \|$", (GUIDE / "uploads.md").read_text(), re.MULTILINE)
    )
    assert table == dict(CODES)


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(GUIDE.rglob("*.md"))])
def test_links_and_paths_in_the_guide_lead_somewhere(page: Path):
    text = page.read_text()
    links = [target for target in re.findall(r"\]\(([^)#:]+)\)", text) if target]
    pictures = re.findall(r'src="([^"]+)"', text)
    missing = [one for one in (*links, *pictures) if not (page.parent / one).exists()]
    named = re.findall(r"`((?:batchqc|tests|specs|reports|migrations)/[\w./-]+)`", text)
    missing += [one for one in named if not (ROOT / one).exists()]
    assert missing == []


def test_the_commands_of_the_readme_are_targets():
    commands = re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert commands[:2] == ["demo", "test"]
    assert set(commands) <= set(targets)


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(GUIDE.glob("*.md"))])
def test_every_command_that_a_reader_is_to_type_exists(page: Path):
    code = re.findall(r"(?ms)^```\w*\n.*?^```$|^    batchqc .*?$|`[^`]+`", page.read_text())
    typed = re.findall(r"(?m)(?:^ *|`)batchqc((?:\s[a-z][a-z-]*)+)(?=[\s`]|$)", "\n".join(code))
    known = get_command(app)
    for command in typed:
        found: Any = known
        for word in command.split():
            if not hasattr(found, "commands"):
                break
            found = found.get_command(None, word)
            assert found is not None, command


def test_the_readme_fits_a_screen():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 50


def test_every_screenshot_has_both_looks_and_stands_in_the_guide():
    taken = {path.name for path in (GUIDE / "screens").iterdir()}
    screens = {re.sub(r"-(?:light|dark)\.png$", "", name) for name in taken}
    assert taken == {f"{name}-{look}.png" for name in screens for look in ("light", "dark")}
    text = "".join(path.read_text() for path in GUIDE.glob("*.md"))
    assert set(re.findall(r'src="screens/([\w-]+)-(?:light|dark)\.png"', text)) == screens


def test_the_readme_shows_one_screenshot():
    shown = re.findall(r'src="([^"]+)"', (ROOT / "README.md").read_text())
    assert [Path(one).parent for one in shown] == [Path("batchqc/guide/screens")]


def test_the_overview_of_the_pages_leads_to_each_that_is_told_elsewhere():
    told = {path.name for path in GUIDE.glob("*.md") if "\n## On the pages\n" in path.read_text()}
    overview = (GUIDE / "pages.md").read_text()
    assert told == set(re.findall(r"\]\(([\w-]+\.md)#on-the-pages\)", overview))
