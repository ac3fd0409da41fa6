"""A file of retests is held against the approved plan of its investigation."""

from collections.abc import Sequence

from batchqc.core.assays import Measurement
from batchqc.core.retests import Retest, retest_problems
from batchqc.intake.problems import WHOLE_FILE, Place, Report, Wrong


def check_retests(parsed: Sequence[Measurement], retest: Retest | None, report: Report) -> None:
    """Report everything in a file of retests that is not as planned."""
    if retest is None:
        return
    for one, said, todo in retest_problems(retest, parsed):
        place = WHOLE_FILE if one is None else Place(one.cell.row, one.cell.line, one.cell.column)
        report.add(Wrong("E408", said, todo), place=place, text=one.text if one else "")
