"""Open work: what is expected and not in, until when, and who can do it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from batchqc.core.lots import Sample
from batchqc.core.next_steps import Signed, next_steps
from batchqc.core.open_work import (
    Filter,
    Item,
    Work,
    chosen,
    expected_results,
    pending_results,
)
from batchqc.core.permissions import Role
from batchqc.core.specifications import Specification, Stage
from batchqc.core.subjects import Measured
from tests.core.world import TISSUE, criterion, specification

ZONE = ZoneInfo("America/Chicago")
TAKEN = datetime(2025, 5, 20, 3, tzinfo=UTC)  # the 19th in Chicago
SAMPLE = Sample("MSC-1-S01", "MSC-1", "release", "vial", TAKEN)


def plan(*, stage: Stage = Stage.RELEASE, **days: int | None) -> Specification:
    """A specification with a required criterion for each analyte, all of one test."""
    base = criterion("> 90")
    found = [
        replace(base, id=name, subject=Measured("STER", name, "SOP-1", "%", planned_days=planned))
        for name, planned in days.items()
    ]
    return replace(specification(TISSUE, *found), stage=stage)


def expected(
    *plans: Specification, samples: tuple[Sample, ...] = (SAMPLE,), reported: tuple[str, ...] = ()
) -> list[Item]:
    on_record = {("release", "STER", analyte) for analyte in reported}
    return list(expected_results("MSC-1", plans, samples, on_record, ZONE))


def test_what_is_not_in_is_expected_by_test_until_its_reading_day():
    (item,) = expected(plan(growth=14, late=20, other=None), reported=("other",))
    assert (item.kind, item.lot, item.since) == (Work.RESULT, "MSC-1", TAKEN)
    assert item.what == "STER: growth, late (release)"
    assert item.due == date(2025, 6, 2)
    assert item.roles == (Role.ANALYST,)


def test_what_is_in_is_not_expected_and_no_day_is_made_up():
    assert expected(plan(growth=14), reported=("growth",)) == []
    (item,) = expected(plan(growth=None))
    assert item.due is None
    assert not item.is_overdue(date(9999, 12, 31))


def test_what_may_be_absent_is_not_expected():
    may_be_absent = replace(plan(growth=14).criteria[1], required=False)
    whole = plan(growth=14)
    assert expected(replace(whole, criteria=(whole.criteria[0], may_be_absent))) == []


def test_the_first_sample_counts_and_without_one_nothing_is_due():
    later = replace(SAMPLE, id="MSC-1-S00", taken_at=TAKEN + timedelta(days=3))
    assert expected(plan(growth=14), samples=(later, SAMPLE)) == expected(plan(growth=14))
    (item,) = expected(plan(growth=14), samples=())
    assert (item.since, item.due) == (None, None)
    assert item.what.endswith("no sample yet")


@pytest.mark.parametrize("stage", [Stage.POST_THAW, Stage.STABILITY])
def test_what_comes_after_release_is_expected_once_a_sample_was_taken(stage: Stage):
    assert expected(plan(stage=stage, growth=14)) == []
    sample = replace(SAMPLE, stage=stage)
    assert len(expected(plan(stage=stage, growth=14), samples=(sample,))) == 1


def item(kind: Work, lot: str = "MSC-1", due: date | None = None) -> Item:
    return Item(kind, lot, "something", None, due, "/lots")


T0 = datetime(2026, 1, 5, tzinfo=UTC)
T1, T2, T3, T4 = (T0 + timedelta(hours=n) for n in range(1, 5))


def step(*waiting: Work, **signed: datetime | bool) -> list[Work]:
    items = [item(kind, "MSC-1") for kind in waiting]
    return [one.kind for one in next_steps(items, [Signed("MSC-1", **signed)])]


def test_a_lot_goes_over_qc_and_qa_and_the_check_to_its_decision():
    assert step(runs=T1) == [Work.QC_REVIEW]
    assert step() == [Work.QC_REVIEW]
    assert step(runs=T2, qc_review=T1) == [Work.QC_REVIEW]
    assert step(runs=T1, qc_review=T1) == [Work.AUDIT_REVIEW]
    assert step(qc_review=T2, audit_review=T1) == [Work.AUDIT_REVIEW]
    done = {"runs": T1, "qc_review": T2, "audit_review": T3}
    assert step(**done) == [Work.DECISION]
    assert step(**done, needs_check=True) == [Work.CHECK]
    assert step(**done, needs_check=True, check=T1) == [Work.CHECK]
    assert step(**done, needs_check=True, check=T4) == [Work.DECISION]


@pytest.mark.parametrize("kind", [Work.RESULT, Work.PENDING, Work.SECOND_ENTRY, Work.REVIEW])
def test_before_what_is_expected_of_qc_nothing_comes_next(kind: Work):
    assert step(kind) == []


@pytest.mark.parametrize(
    "kind", [Work.CORRECTION, Work.ELIGIBILITY, Work.CONSENT, Work.INVESTIGATION, Work.HOLD]
)
def test_before_what_closes_a_gate_a_lot_is_not_decided(kind: Work):
    assert step(kind) == [Work.QC_REVIEW]
    assert step(kind, qc_review=T1, audit_review=T2) == []
    other = [item(kind, "MSC-2"), item(Work.EXPIRY, "MSC-1")]
    (next_one,) = next_steps(other, [Signed("MSC-1", qc_review=T1, audit_review=T2)])
    assert (next_one.kind, next_one.lot) == (Work.DECISION, "MSC-1")


def test_a_pending_result_is_due_until_all_of_it_is_in():
    day = date(2026, 3, 1)

    def pending(*reported: str, **due: date) -> list[tuple[str, date | None]]:
        on_record = {("release", "STER", analyte) for analyte in reported}
        found = pending_results("MSC-1", [plan(growth=14, late=20)], due, on_record)
        return [(one.what, one.due) for one in found]

    assert pending(growth=day) == [("growth is not in", day)]
    assert pending("growth", growth=day) == []
    assert pending("growth", growth=day, gone=day) == [("gone is not in", day)]
    assert pending() == []


def test_items_are_chosen_and_stand_by_their_due_day():
    today = date(2026, 1, 10)
    late = item(Work.RESULT, "MSC-2", today - timedelta(days=1))
    now = item(Work.ELIGIBILITY, "MSC-1", today)
    some_day = item(Work.REVIEW, "MSC-0")
    everything = [some_day, now, late, now]
    assert chosen(everything, Filter(), today) == [late, now, some_day]
    assert chosen(everything, Filter(overdue=True), today) == [late]
    assert chosen(everything, Filter(kind=Work.REVIEW), today) == [some_day]
    assert chosen(everything, Filter(lot="MSC-1"), today) == [now]
    assert chosen(everything, Filter(role=Role.DONOR_OFFICER), today) == [now]
    assert chosen(everything, Filter(role=Role.AUDITOR), today) == []


def test_every_kind_of_work_is_for_somebody():
    assert all(item(kind).roles for kind in Work)
