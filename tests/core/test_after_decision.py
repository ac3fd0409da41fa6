"""What keeps doses where they are: what fails, and what later runs leave without a judgement."""

from collections.abc import Sequence

import pytest

from batchqc.core.after_decision import against_doses
from batchqc.core.assays import Measurement
from batchqc.core.judging import judge
from tests.core.world import criterion, measured, specification

FIRST, LATER = "U-2026-000001", "U-2026-000002"


def told(rows: Sequence[Measurement]) -> list[str]:
    plan = specification(criterion("> 90"))
    later = {one.run for one in rows if one.run.upload == LATER}
    return list(against_doses([(plan, judge(plan, rows, ()))], rows, later))


@pytest.mark.requirement("2.01")
@pytest.mark.parametrize(
    ("first", "later", "begins"),
    [
        ("93", None, None),
        ("89", None, "FAIL: "),
        (">80", None, None),  # the decision knew of it
        (None, "93", None),
        (None, "89", "FAIL: "),
        (None, ">80", "CANNOT JUDGE: "),
        ("93", "94", "CANNOT JUDGE: "),
        ("93", "89", "CANNOT JUDGE: "),
    ],
)
def test_a_later_run_that_is_no_pass_keeps_the_doses(
    first: str | None, later: str | None, begins: str | None
):
    texts = ((first, FIRST), (later, LATER))
    rows = [measured(text, upload=upload, run=upload) for text, upload in texts if text]
    found = told(rows)
    assert len(found) == (begins is not None)
    assert all(one.startswith(begins or "") for one in found)


def test_a_later_run_of_another_test_keeps_nothing():
    rows = [measured(">80", upload=FIRST), measured("5", upload=LATER, test="OTHER")]
    assert told(rows) == []
