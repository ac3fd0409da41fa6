"""Every requirement leads to its tests; what the guide shows of it is as the marks are."""

import json
import re
from pathlib import Path

import pytest

from batchqc.cli.qualification.protocol import protocol
from batchqc.settings import requirements
from tests.matrix import GUIDE, MATRIX, MODULES, matrix, modules, proofs, untested

KINDS = {"shall", "should", "site", "context"}
#: What the product does not do yet. This list may only become shorter.
NOT_MET = {"1.66"}
DRAFTS = sorted(GUIDE.glob("validation*.md"))
AGED = "type: make matrix"


@pytest.mark.requirement("1.81")
def test_nothing_that_shall_be_done_is_without_a_test():
    assert untested(requirements(), proofs()) == []  # type: ignore[arg-type]


def test_a_requirement_without_a_test_is_found():
    known = {
        "1.01": {"kind": "shall"}, "1.02": {"kind": "shall"}, "1.03": {"kind": "context"},
        "1.04": {"kind": "shall", "not_met": "Not yet."},
    }  # fmt: skip
    assert untested(known, {"1.01": {}}) == ["1.02"]


def test_every_mark_names_a_requirement_that_exists():
    assert set(proofs()) - requirements().keys() == set()


def test_what_is_not_met_is_said_with_its_reason_and_only_becomes_less():
    unmet = {number: one["not_met"] for number, one in requirements().items() if "not_met" in one}
    assert unmet.keys() <= NOT_MET
    assert all(len(reason.split()) > 5 for reason in unmet.values())
    assert not unmet.keys() & proofs().keys()


def test_every_requirement_has_a_kind_and_a_title_of_its_own():
    found = requirements()
    assert {one["kind"] for one in found.values()} == KINDS
    titles = [one["title"] for one in found.values()]
    assert len(set(titles)) == len(titles)
    assert all(title[0].isupper() and not title.endswith(".") for title in titles)


@pytest.mark.requirement("1.81")
def test_the_matrix_of_the_guide_is_as_the_marks_are():
    assert MATRIX.read_text() == matrix(), AGED


def test_the_modules_beside_it_are_those_that_the_tests_import():
    assert MODULES.read_text() == modules(), AGED


def test_marks_of_a_class_of_a_file_and_of_several_numbers_are_read(tmp_path: Path):
    (tmp_path / "test_x.py").write_text(
        'import pytest\npytestmark = pytest.mark.requirement("1.01")\n'
        '@pytest.mark.requirement("1.02", "1.03")\ndef test_one(): pass\n'
        '@pytest.mark.requirement("1.04")\nclass TestAll:\n'
        '    @pytest.mark.parametrize("x", [1])\n    def test_two(self, x): pass\n'
        "def helper(): pass\n"
    )
    found = {number: [*files.values()] for number, files in proofs(tmp_path).items()}
    assert found == {
        "1.01": [["test_one", "test_two"]], "1.02": [["test_one"]], "1.03": [["test_one"]],
        "1.04": [["test_two"]],
    }  # fmt: skip


@pytest.mark.parametrize("page", DRAFTS, ids=lambda page: page.stem)
def test_the_drafts_name_requirements_and_checks_that_exist(page: Path):
    text = page.read_text()
    checks = {one.id for one in protocol()} | {one.section for one in protocol()}
    assert set(re.findall(r"\b[IO]Q-[A-Z]{2}(?:-\d{2})?\b", text)) <= checks
    cited = {
        number
        for cell in re.findall(r"\[((?:\d+(?:\.\d+)?(?:, )?)+)\]", text)
        for number in cell.split(", ")
    }
    assert cited <= requirements().keys()


@pytest.mark.requirement("1.80")
def test_the_drafts_leave_no_requirement_of_the_software_out():
    """The user requirements hold each one; the risks and functions name what bears on a lot."""
    text = (GUIDE / "validation-urs.md").read_text()
    asked = {number for number, one in requirements().items() if one["kind"] in {"shall", "should"}}
    held = {
        number
        for cell in re.findall(r"\[((?:\d+(?:\.\d+)?(?:, )?)+)\]", text)
        for number in cell.split(", ")
    }
    assert asked - held == set()


def test_every_hazard_of_the_risk_assessment_has_its_control_its_requirement_and_its_proof():
    rows = re.findall(
        r"^\| (R\d\d) \|(.+)\|$", (GUIDE / "validation-risk.md").read_text(), re.MULTILINE
    )
    assert len(rows) >= 15
    for name, row in rows:
        cells = [cell.strip() for cell in row.split("|")]
        assert len(cells) == 8, name
        assert all(cells), name
        assert set(cells[2]) <= set("123 SPD") | set(","), name


def test_the_modules_are_one_list_for_each_requirement():
    found = json.loads(MODULES.read_text())
    assert set(found) == set(proofs())
    assert "batchqc.core.rounding" in found["4.01"]
