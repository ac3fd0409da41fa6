"""What the bundled specifications say of percentages that cannot be."""

from pathlib import Path

import pytest

from batchqc.core.judging import judge
from batchqc.core.subjects import Measured
from batchqc.core.verdicts import Outcome
from batchqc.documents.spec_file import read_specification
from batchqc.settings import bundled
from tests.core.world import measured

SHIPPED = bundled("specs")


@pytest.mark.requirement("4.27")
@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*/*.toml")), ids=lambda file: file.stem)
def test_no_shipped_specification_passes_a_percentage_that_cannot_be(file: Path):
    specification = read_specification(file.read_bytes(), file=file.name).specification
    assert specification is not None
    for one in specification.criteria:
        subject = one.subject
        if not isinstance(subject, Measured) or one.unit != "%" or not one.is_judged:
            continue
        for text in ("250", "101", "-101"):
            rows = [
                measured(
                    text, number, test=subject.test, analyte=subject.analyte, unit="%",
                    stage=specification.stage, method=subject.method,
                )
                for number in range(1, subject.replicates.n + 1)
            ]  # fmt: skip
            found = judge(specification, rows, ())
            (own,) = (verdict for verdict in found if verdict.criterion.id == one.id)
            assert own.outcome is not Outcome.PASS, own.sentence


def test_exchanged_counts_of_viable_and_all_cells_do_not_pass():
    file = SHIPPED / "adipose-msc" / "adipose-msc-release-v1.toml"
    specification = read_specification(file.read_bytes(), file=file.name).specification
    assert specification is not None
    rows = [
        measured(
            text, test="COUNT", analyte=analyte, method="SOP-QC-015", unit="cells/mL",
            stage=specification.stage,
        )
        for text, analyte in (("2E6", "viable_cells"), ("1E6", "total_cells"))
    ]  # fmt: skip
    (own,) = (one for one in judge(specification, rows, ()) if one.criterion.id == "viability")
    assert own.derivation.result == "200"
    assert own.outcome is Outcome.FAIL
