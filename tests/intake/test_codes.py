"""Every code can come, says what it means, and is explained in the guide by a small file."""

import re
from pathlib import Path

import pytest

from batchqc.intake import contract
from batchqc.intake.problems import CODES
from tests.intake.provoked import GUIDE, PROVOKED, name_of, page, reading_of


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_comes_from_a_small_file(code: str):
    problems = [one for one in reading_of(code).problems if one.code == code]
    assert problems
    assert {one.severity for one in problems} == {"error" if code[0] == "E" else "warning"}
    assert all(one.message and one.hint for one in problems)


def test_every_code_in_the_source_is_explained():
    folder = Path(contract.__file__).parent
    source = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    written = set(re.findall(r'"([EW]\d{3})"', source))
    written |= {f"{kind}{code}" for code in re.findall(r'"(7\d{2})"', source) for kind in "EW"}
    assert written == set(CODES)
    assert list(CODES) == sorted(CODES)


def test_the_guide_explains_each_code_by_the_file_in_which_it_comes():
    """Written anew by ``python -m tests.intake.provoked``."""
    assert set(PROVOKED) == set(CODES)
    assert (GUIDE / "problems.md").read_text(encoding="utf-8") == page()
    files = {path.name: path.read_bytes() for path in (GUIDE / "problems").iterdir()}
    assert files == {name_of(code): data for code, data in PROVOKED.items()}
