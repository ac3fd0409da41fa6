"""Every example of the guide on specifications is read as it stands, and has no finding."""

import re
from pathlib import Path

import pytest

import batchqc
from batchqc.core.findings import findings
from batchqc.documents.spec_file import read_specification
from tests.documents.language import HEAD

GUIDE = Path(batchqc.__file__).parent / "guide" / "specifications.md"
BLOCKS = re.findall(r"(?ms)^```toml\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"))
TOP = HEAD.split("[vocabularies", maxsplit=1)[0]


@pytest.mark.parametrize(
    "block", BLOCKS, ids=lambda one: re.findall(r"\[criteria\.(\S+)\]", one)[-1]
)
def test_each_example_is_a_specification_without_findings(block: str):
    text = block if block.startswith("schema") else TOP + block
    reading = read_specification(text.encode(), file="example.toml")
    assert reading.specification is not None, [str(one) for one in reading.problems]
    assert [one for one in findings(reading.specification) if not one.acknowledged] == []


def test_the_guide_has_examples_of_every_kind():
    whole = "\n".join(BLOCKS)
    for key in (
        "accept", "alert", "action", "resolution", "plausible", "replicates", "vocabulary",
        "planned_days", "interim", "formula", "inputs", "any_of", "bands", "control", "per_dose",
        "donor", "acknowledge", "rounding",
    ):  # fmt: skip
        assert re.search(rf"(?m)^{key}\s*= ", whole), key
    assert len(BLOCKS) >= 10


def test_every_finding_of_the_linter_is_explained():
    source = (Path(batchqc.__file__).parent / "core" / "findings.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'(?m)^ +"([a-z]+(?:-[a-z]+)+)",$', source)) | {"resolution"}
    codes |= {"alert-outside", "action-outside"}
    told = GUIDE.read_text(encoding="utf-8")
    assert len(codes) >= 9
    assert all(f"`{code}`" in told for code in codes), codes
