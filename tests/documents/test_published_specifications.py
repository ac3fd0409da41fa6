"""Every line of 14 published MSC specifications is written in the language, and judged.

The files under `tests/published` carry the limits over as facts, each with its source; `tried.csv`
holds, for each criterion, the lines it stands for and values written by hand.
"""

import csv
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from batchqc.core.judging import judge
from batchqc.core.specifications import Specification
from batchqc.core.verdicts import Outcome, Verdict
from batchqc.documents.spec_file import read_specification
from tests.core.world import AT
from tests.documents.language import DONOR, results

if TYPE_CHECKING:
    from batchqc.core.assays import Measurement

FOLDER = Path(__file__).parents[1] / "published"
LINES = 167
FILES = sorted(path.stem for path in FOLDER.glob("*.toml"))
with (FOLDER / "tried.csv").open(encoding="utf-8", newline="") as handle:
    TRIED = list(csv.DictReader(handle))
JUDGED = [row for row in TRIED if row["passing"]]
SHOWN = [row for row in TRIED if not row["passing"]]


def published(name: str) -> Specification:
    reading = read_specification((FOLDER / f"{name}.toml").read_bytes(), file=f"{name}.toml")
    assert reading.specification is not None, "\n".join(str(one) for one in reading.problems)
    return reading.specification


def verdict(row: dict[str, str], value: str) -> Verdict:
    """The verdict of the row's criterion: ``value``, ``value@control`` or ``criterion=value``…"""
    one = published(row["file"])
    by_id = {criterion.id: criterion for criterion in one.criteria}
    words = value.split(" ") if "=" in value.lstrip("<>=") and " " in value else [value]
    found: list[Measurement] = []
    for word in words:
        name, given, text = word.partition("=") if len(words) > 1 else (row["criterion"], "=", word)
        assert given
        text, control, reference = text.partition("@")
        stage = {"stage": one.stage, "started_at": AT - timedelta(days=14)}
        found += results(by_id[name], text, **stage)
        if control:
            found += results(
                by_id[name], reference, result_type="control", aliquot="positive-control", **stage
            )
    verdicts = {one.criterion.id: one for one in judge(one, found, [DONOR])}
    return verdicts[row["criterion"]]


@pytest.mark.requirement("4.2")
@pytest.mark.parametrize("name", FILES)
def test_each_published_specification_loads(name: str):
    one = published(name)
    assert one.sources
    tried = {row["criterion"] for row in TRIED if row["file"] == name}
    assert tried <= {criterion.id for criterion in one.criteria}


def test_every_published_line_has_its_criterion():
    lines = [int(line) for row in TRIED for line in row["lines"].split()]
    assert sorted(lines) == list(range(1, LINES + 1))
    assert len(FILES) == 21


@pytest.mark.requirement("4.2")
@pytest.mark.parametrize("row", JUDGED, ids=lambda row: f"{row['file']}-{row['criterion']}")
def test_each_judged_line_passes_fails_and_stays_undecided(row: dict[str, str]):
    for column, outcome in (
        ("passing", Outcome.PASS),
        ("failing", Outcome.FAIL),
        ("undecided", Outcome.CANNOT_JUDGE),
    ):
        found = verdict(row, row[column])
        assert found.outcome is outcome, found.sentence
        assert found.criterion.id in found.sentence


@pytest.mark.parametrize(
    ("criterion", "value", "said"),
    [
        ("hla-dr", "12.5", "for information: 12.5 %"),
        ("immunoregulatory-assay", "suppression seen", "for information: suppression seen"),
        ("hgf-secretion", ">1000", "for information: >1000 pg/mL"),
        ("gene-expression-panel", "28", "for information: 28 Ct is strong"),
        ("gene-expression-panel", "31.5", "for information: 31.5 Ct is positive"),
        ("gene-expression-panel", "40", "for information: 40 Ct is poor"),
        ("gene-expression-panel", "29.5", "CANNOT JUDGE: 29.5 Ct lies in no one class"),
    ],
)
def test_lines_that_are_not_judged_show_what_was_found(criterion: str, value: str, said: str):
    rows = [row for row in SHOWN if row["criterion"] == criterion]
    for row in rows:
        found = verdict(row, value)
        assert found.sentence.startswith(said)
        assert found.outcome is (Outcome.CANNOT_JUDGE if "CANNOT" in said else None)
    assert rows


def test_every_line_that_is_not_judged_is_tried():
    assert {row["criterion"] for row in SHOWN} == {
        "hla-dr", "immunoregulatory-assay", "hgf-secretion", "gene-expression-panel",
    }  # fmt: skip


@pytest.mark.requirement("4.4")
def test_the_published_endotoxin_limit_without_per_what_is_refused():
    """J Orthop Surg Res 2020, Table 4: < 2.5 EU, total in the dose; written EU/{dose} here."""
    text = (FOLDER / "ua-adrc.toml").read_text(encoding="utf-8")
    assert 'unit = "EU/{dose}"' in text
    reading = read_specification(text.replace("EU/{dose}", "EU").encode(), file="x.toml")
    assert reading.specification is None
    (problem,) = reading.problems
    assert problem.key == "criteria.endotoxin.unit"
    assert "per what" in problem.message
