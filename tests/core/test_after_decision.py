"""What keeps doses where they are: what fails, and what blocks and did not when it was decided."""

from collections.abc import Collection, Sequence

import pytest

from batchqc.core.after_decision import Named, against_doses, failing_now
from batchqc.core.assays import Measurement
from batchqc.core.judging import judge
from tests.core.world import criterion, measured, specification

FIRST, LATER = "U-2026-000001", "U-2026-000002"


PLAN = specification(criterion("> 90"))
KNOWN = {(PLAN.reference, PLAN.criteria[0].id)}


def told(rows: Sequence[Measurement], known: Collection[Named] = KNOWN) -> list[str]:
    later = {one.run for one in rows if one.run.upload == LATER}
    return list(against_doses([(PLAN, judge(PLAN, rows, ()))], rows, later, known))


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


@pytest.mark.requirement("2.01")
@pytest.mark.parametrize("text", [">80", "89", None])
def test_what_blocks_now_and_did_not_when_it_was_decided_keeps_the_doses(text: str | None):
    rows = [measured(text, upload=FIRST)] if text else []
    other = {("OTHER v1", PLAN.criteria[0].id), (PLAN.reference, "other")}
    for known in (frozenset[Named](), other):
        (said,) = told(rows, known)
        assert said.startswith(("FAIL: ", "CANNOT JUDGE: "))
    assert told([measured("93", upload=FIRST)], frozenset()) == []


@pytest.mark.parametrize(("text", "count"), [("89", 1), (">80", 0), ("93", 0)])
def test_what_fails_is_told_unless_it_failed_when_it_was_decided(text: str, count: int):
    judged = [(PLAN, judge(PLAN, [measured(text)], ()))]
    assert [one[:6] for one in failing_now(judged, ())] == ["FAIL: "] * count
    assert list(failing_now(judged, KNOWN)) == []


@pytest.mark.requirement("2.24")
def test_what_failed_when_it_was_supplied_by_exception_keeps_no_dose_until_a_later_run_speaks():
    first, later = measured("89", upload=FIRST), measured("88", upload=LATER, run=LATER)

    def kept(*rows: Measurement, accepted: Collection[Named] = KNOWN) -> list[str]:
        runs = {one.run for one in rows if one.run.upload == LATER}
        judged = [(PLAN, judge(PLAN, rows, ()))]
        return list(against_doses(judged, rows, runs, KNOWN, accepted))

    assert kept(first) == []
    assert len(kept(first, accepted={(PLAN.reference, "other")})) == 1
    assert len(kept(first, later)) == 1
