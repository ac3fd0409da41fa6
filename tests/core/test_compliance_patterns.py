"""Patterns of testing into compliance are found, and clean histories are silent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from batchqc.core.assays import INVESTIGATIONAL, RunKey
from batchqc.core.compliance_patterns import Kind, ResultAlone, Sent, patterns
from batchqc.core.entries import SecondEntry
from batchqc.core.runs import Validity
from batchqc.core.verdicts import Outcome
from tests.core.world import AT

FAIL, PASS = Outcome.FAIL, Outcome.PASS
OOS = "OOS-2026-000001"
KEY = ("MSC-1", "s01", "a1", "VIAB", "viability", "r-1", 1)


def seen(number: int, outcome: Outcome | None, **more: object) -> ResultAlone:
    """The how many-th run, an hour after the one before."""
    run = RunKey(f"U-{number}", "VIAB", str(more.pop("run", f"R-{number}")))
    one = ResultAlone(
        "MSC-1", ("release", "VIAB", "viability"), run, ("89",), outcome, "SOP-1", "ana",
        frozenset({"ana"}), AT + timedelta(hours=number),
    )  # fmt: skip
    return replace(one, **more)  # type: ignore[arg-type]


def kinds(*rows: ResultAlone, planned: int = 0) -> list[Kind]:
    return [one.kind for one in patterns(rows, {OOS: planned})]


@pytest.mark.requirement("3.06")
def test_a_pass_after_a_fail_without_a_plan_is_told_with_everything_to_look_at():
    rows = seen(1, FAIL), seen(2, None), seen(3, PASS, people=frozenset({"ben"}))
    (found,) = patterns(rows, {})
    assert found.kind is Kind.RETEST
    assert found.lots == ("MSC-1",)
    assert found.people == ("ana", "ben")
    assert found.uploads == ("U-1", "U-2", "U-3")
    assert found.times == tuple(one.at for one in rows)
    assert "89 (FAIL) in run R-1 (VIAB) of U-1; 89 (not judged) in run R-2" in found.said


@pytest.mark.parametrize(
    ("rows", "planned"),
    [
        ([seen(1, PASS), seen(2, FAIL)], 0),
        ([seen(1, FAIL), seen(2, FAIL)], 0),
        ([seen(1, FAIL), seen(2, PASS, retest_of=OOS), seen(3, PASS, retest_of=OOS)], 2),
        ([seen(1, FAIL, validity=Validity.INVALID), seen(2, PASS)], 0),
        ([seen(1, FAIL), seen(2, PASS, validity=Validity.INVALID)], 0),
        ([seen(1, FAIL), seen(2, PASS, lot="MSC-2")], 0),
        ([seen(1, FAIL), seen(2, PASS, second=SecondEntry.WAITS)], 0),
        ([seen(1, PASS), seen(2, PASS, run="R-1")], 0),
        ([seen(1, FAIL), seen(2, FAIL, run="R-1")], 0),
        ([seen(1, PASS, second=SecondEntry.MISMATCH), seen(2, PASS)], 0),
    ],
)
def test_clean_histories_are_silent(rows: list[ResultAlone], planned: int):
    assert kinds(*rows, planned=planned) == []


@pytest.mark.requirement("3.07")
def test_what_fails_where_it_is_not_reported_and_passes_where_it_is_is_told():
    raw = seen(1, FAIL, result_type="raw")
    hypothesis = seen(2, FAIL, result_type=INVESTIGATIONAL)
    retests = seen(3, PASS, retest_of=OOS), seen(4, PASS, retest_of=OOS)
    (found,) = patterns([raw, hypothesis, *retests], {OOS: 2})
    assert found.kind is Kind.UNREPORTED
    assert found.uploads == ("U-1", "U-2", "U-3", "U-4")
    assert "89 (FAIL, raw) in run R-1 (VIAB) of U-1; 89 (FAIL, investigational)" in found.said
    together = replace(retests[0], at=raw.at, retest_of="")
    assert kinds(together, raw) == [Kind.UNREPORTED]
    assert kinds(replace(raw, run=together.run), together) == [Kind.UNREPORTED]


@pytest.mark.parametrize(
    "rows",
    [
        [seen(1, PASS), seen(2, FAIL, result_type="raw")],
        [seen(1, FAIL, result_type="raw"), seen(2, PASS, lot="MSC-2")],
        [seen(1, FAIL, result_type="raw"), seen(2, PASS, result_type="raw")],
        [seen(1, FAIL, result_type="raw", validity=Validity.INVALID), seen(2, PASS)],
        [seen(1, FAIL, result_type="raw"), seen(2, PASS, validity=Validity.INVALID)],
        [seen(1, FAIL, result_type="raw"), seen(2, FAIL)],
        [seen(1, None, result_type="raw"), seen(2, PASS)],
        [seen(1, PASS, result_type="raw"), seen(2, PASS)],
    ],
)
def test_what_is_not_reported_and_hides_no_failure_is_silent(rows: list[ResultAlone]):
    assert kinds(*rows) == []


@pytest.mark.requirement("3.03")
def test_a_retest_beyond_the_plan_is_told():
    rows = seen(1, FAIL), seen(2, FAIL, retest_of=OOS), seen(3, PASS, retest_of=OOS)
    assert kinds(*rows, planned=1) == [Kind.RETEST]


def test_the_same_run_with_other_content_that_passes_is_told():
    assert kinds(seen(1, FAIL, run="R-1"), seen(2, PASS, run="r-1")) == [Kind.EDITED]


def test_a_typed_result_that_is_typed_anew_and_passes_is_told():
    mismatch = seen(1, FAIL, second=SecondEntry.MISMATCH)
    verified = seen(2, PASS, second=SecondEntry.VERIFIED)
    assert kinds(mismatch, verified) == [Kind.EDITED]
    assert kinds(replace(mismatch, outcome=PASS), verified) == []
    waits = replace(verified, second=SecondEntry.WAITS)
    assert kinds(mismatch, waits) == []


@pytest.mark.requirement("3.15")
def test_runs_that_are_invalid_rather_where_they_fail_are_told_with_counts():
    invalid, valid = Validity.INVALID, Validity.VALID

    def found(*each: tuple[Outcome, Validity]) -> list[str]:
        rows = [
            seen(number, outcome, validity=validity, lot=f"MSC-{number}")
            for number, (outcome, validity) in enumerate(each)
        ]
        return [one.said for one in patterns(rows, {}) if one.kind is Kind.INVALID]

    (said,) = found((FAIL, invalid), (FAIL, invalid), (PASS, valid), (FAIL, valid))
    assert said.startswith(
        "VIAB by SOP-1, ana: 2 of 3 failing and 0 of 1 passing results are of invalid runs"
    )
    assert found((FAIL, invalid), (FAIL, invalid)) != []
    assert found((FAIL, invalid), (PASS, valid)) == []
    assert found((FAIL, invalid), (FAIL, invalid), (PASS, invalid)) == []


def test_cells_that_a_refused_file_filled_otherwise_are_told():
    refused = Sent("U-1", "ana", AT, {KEY: "89"})
    later = Sent("U-2", "ben", AT + timedelta(hours=1), {KEY: "95"})
    (found,) = patterns((), {}, [refused], [later])
    assert (found.kind, found.uploads, found.people) == (
        Kind.CHANGED, ("U-1", "U-2"), ("ana", "ben"),
    )  # fmt: skip
    assert found.said == "U-1 was refused; U-2 has other values in viability of MSC-1 (r-1)"
    for clean in (
        replace(later, cells={KEY: "89"}),
        replace(later, at=AT - timedelta(hours=1)),
        replace(later, cells={("MSC-2", *KEY[1:]): "95"}),
    ):
        assert patterns((), {}, [refused], [clean]) == ()
