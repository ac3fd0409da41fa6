"""No retest counts before a signed conclusion, none beyond the plan, and none of a hypothesis."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.acceptance import AtLeast, Relative, ReportOnly
from batchqc.core.assays import INVESTIGATIONAL, Measurement, RunKey
from batchqc.core.conclusions import (
    CHECKLIST,
    Cause,
    OnRecord,
    Wanted,
    checklist_problems,
    conclusion_of,
    conclusion_problems,
    people_behind,
)
from batchqc.core.criteria import Category, Criterion
from batchqc.core.deviations import Deviation, deviations_against
from batchqc.core.deviations import State as DeviationState
from batchqc.core.failures import failures
from batchqc.core.formulas import parse_formula
from batchqc.core.investigations import (
    Conclusion,
    Finding,
    Investigation,
    Plan,
    State,
    investigations_against,
)
from batchqc.core.judging import judge
from batchqc.core.retested import worlds
from batchqc.core.retests import Retest, grounds_problem, plan_problems, retest_problems
from batchqc.core.rounding import Rounding
from batchqc.core.specifications import Specification, Stage
from batchqc.core.subjects import Derived, Group, Input, Measured
from batchqc.core.verdicts import Outcome, Verdict
from tests.core.world import AT, criterion, limits, measured, specification

OOS = "OOS-2026-000001"
VIABILITY = ("release", "VIAB", "viability")
ORIGINAL = measured("89")
APPROVED = AT + timedelta(days=1)
LATER = APPROVED + timedelta(hours=1)
PLAN = Plan(APPROVED, "VIAB", "SOP-1", "1", frozenset({"ben"}), 2, 0, frozenset({"msc-1-s01"}))
OPEN = Investigation(
    OOS, "viability", frozenset({VIABILITY}), frozenset({ORIGINAL.run}), date(2026, 4, 30),
    "ana", "sue", PLAN,
)  # fmt: skip
STANDS = Conclusion(Finding.ORIGINAL_STANDS, "")
CAUSE = Wanted(Finding.LABORATORY_CAUSE, "The counter", cause=Cause.INSTRUMENT, document="d")


def retest(text: str, number: int, **more: object) -> Measurement:
    own = {
        "upload": f"U-2026-{number:06d}", "run": f"R-{number}", "retest_of": OOS,
        "analyst": "ben", "measured_at": LATER, "started_at": None,
    }  # fmt: skip
    return measured(text, **(own | more))


def on_record(*rows: Measurement, **more: object) -> OnRecord:
    known = OnRecord([ORIGINAL, *rows], (), frozenset(), frozenset({"d"}), {"ana": "measured it"})
    return replace(known, **more)  # type: ignore[arg-type]


def caused(*rows: Measurement, of: Investigation = OPEN, **more: object) -> Investigation:
    return replace(of, conclusion=conclusion_of(CAUSE, of, on_record(*rows, **more)))


def verdict(*rows: Measurement, by: tuple[Investigation, ...] = (OPEN,)) -> Verdict:
    (found,) = judge(specification(criterion()), rows, (), investigations=by)
    return found


TEXTS = st.sampled_from(["89", "90", "90.1", "95", "99", "<80", "much"])


@pytest.mark.requirement("3.06")
@given(st.lists(st.tuples(TEXTS, st.booleans(), st.booleans()), max_size=6), st.booleans())
def test_nothing_measured_again_makes_a_failure_pass_without_a_conclusion(
    again: list[tuple[str, bool, bool]], stands: bool
):
    rows = [
        retest(
            text, number, retest_of=OOS if named else "",
            result_type=INVESTIGATIONAL if hypothesis else "reportable",
        )
        for number, (text, named, hypothesis) in enumerate(again, 2)
    ]  # fmt: skip
    by = replace(OPEN, conclusion=STANDS) if stands else OPEN
    found = verdict(ORIGINAL, *rows, by=(by,))
    assert found.outcome in {Outcome.FAIL, Outcome.CANNOT_JUDGE}
    if stands or not any(not named and not hypothesis for _, named, hypothesis in again):
        assert found.outcome is Outcome.FAIL


@pytest.mark.requirement("3.03")
@pytest.mark.requirement("3.07")
@given(st.lists(TEXTS, min_size=1, max_size=4), st.lists(TEXTS, max_size=3))
def test_what_the_conclusion_does_not_list_never_counts(planned: list[str], beyond: list[str]):
    plan = replace(PLAN, retests=len(planned))
    own = replace(OPEN, plan=plan)
    rows = [retest(text, number) for number, text in enumerate(planned, 2)]
    done = caused(*rows, of=own)
    more = [retest(text, number) for number, text in enumerate(beyond, 20)]
    more.append(retest("95", 40, result_type=INVESTIGATIONAL))
    found = verdict(ORIGINAL, *rows, *more, by=(done,))
    assert found.outcome is verdict(ORIGINAL, *rows, by=(done,)).outcome
    alone = {verdict(replace(one, retest_of=""), by=()).outcome for one in rows}
    assert (found.outcome is Outcome.PASS) is (alone == {Outcome.PASS})
    assert (found.outcome is Outcome.FAIL) is (Outcome.FAIL in alone)


@pytest.mark.requirement("3.08")
def test_each_retest_is_told_and_the_original_stays_visible():
    rows = retest("95", 2), retest("96", 3)
    found = verdict(ORIGINAL, *rows, by=(caused(*rows),))
    assert found.derivation.result == "95; 96"
    assert "each judged alone" in found.sentence
    (told,) = found.derivation.set_aside
    assert told == (
        "89 in run R-1 (VIAB) of U-2026-000001, original invalidated by OOS-2026-000001"
        " (instrument failure)"
    )
    one = replace(OPEN, plan=replace(PLAN, retests=1))
    same = verdict(ORIGINAL, *rows[:1], by=(caused(*rows[:1], of=one),))
    assert "each judged alone" not in same.sentence


def test_rounded_retests_and_report_only_lines_are_merged_too():
    rows = retest("90.6", 2), retest("91.4", 3)
    by = (caused(*rows),)
    (found,) = judge(
        specification(criterion(rounding=Rounding.USP)), [ORIGINAL, *rows], (), investigations=by
    )
    assert (found.outcome, found.derivation.rounded) == (Outcome.PASS, "91; 91")
    told = replace(criterion(), accept=ReportOnly())
    found, other = judge(
        specification(told, criterion(name="other")), [ORIGINAL, *rows], (), investigations=by
    )
    assert (found.outcome, found.derivation.result) == (None, "90.6; 91.4")
    assert "not counted" not in other.sentence


@pytest.mark.requirement("3.08")
def test_what_the_same_run_says_of_another_stage_is_not_set_aside():
    thawed = replace(ORIGINAL, stage="post-thaw")
    rows = retest("95", 2), retest("96", 3)
    later = replace(specification(criterion()), stage=Stage.POST_THAW)
    done = caused(*rows, thawed)
    (found,) = judge(later, [ORIGINAL, thawed, *rows], (), investigations=[done])
    assert found.outcome is Outcome.FAIL
    assert "invalidated" not in found.sentence


def test_too_many_combinations_count_for_nothing():
    rows = [retest("95", number) for number in range(2, 1005)]
    plan = replace(PLAN, retests=len(rows))
    found = verdict(ORIGINAL, *rows, by=(caused(*rows, of=replace(OPEN, plan=plan)),))
    assert found.outcome is Outcome.CANNOT_JUDGE


def test_an_original_that_stands_counts_in_every_version():
    old = replace(ORIGINAL, superseded_by="U-2026-000002")
    new = measured("95", upload="U-2026-000002")
    assert verdict(old, new).outcome is Outcome.CANNOT_JUDGE
    assert verdict(old, new, by=(replace(OPEN, conclusion=STANDS),)).outcome is Outcome.FAIL


def test_a_corrected_version_counts_where_the_cause_is_in_the_data():
    old = replace(ORIGINAL, superseded_by="U-2026-000002")
    new = measured("95", upload="U-2026-000002")
    bare = replace(OPEN, plan=None)
    wanted = replace(CAUSE, cause=Cause.DATA, corrected=True)
    known = replace(on_record(), measurements=[old, new])
    assert conclusion_problems(wanted, bare, known, signer="q") == []
    assert conclusion_problems(wanted, OPEN, known, signer="q") != []
    done = replace(bare, conclusion=conclusion_of(wanted, bare, known))
    assert verdict(old, new, by=(done,)).outcome is Outcome.PASS
    alone = replace(known, measurements=[ORIGINAL])
    assert "no other version" in conclusion_problems(wanted, bare, alone, signer="q")[0]


@pytest.mark.requirement("3.06")
def test_a_file_that_supersedes_a_retest_stands_beside_it_and_not_in_its_place():
    of = replace(OPEN, plan=replace(PLAN, retests=1))
    again = retest("95", 2)
    done = caused(again, of=of)
    assert verdict(ORIGINAL, again, by=(done,)).outcome is Outcome.PASS
    older = replace(again, superseded_by="U-2026-000009")
    unplanned = measured("99", upload="U-2026-000009", run="R-2", analyst="ana")
    found = verdict(ORIGINAL, older, unplanned, by=(done,))
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "two results, no authorised retest: 95 in run R-2" in found.sentence


def test_what_nobody_corrected_counts_beside_a_corrected_version():
    formula = Derived(parse_formula("a + b"), (Input("a", "viability"), Input("b", "other")), "%")
    told = [replace(criterion(name=name), accept=ReportOnly()) for name in ("viability", "other")]
    of = specification(*told, Criterion("d", "D", Category.QUANTITY, formula, limits("> 90")))
    old = replace(ORIGINAL, superseded_by="U-2026-000002")
    new = measured("95", upload="U-2026-000002")
    other = measured("1", analyte="other", upload="U-2026-000003", run="R-3")
    bare = replace(
        OPEN, criterion="d", attributes=frozenset({VIABILITY, ("release", "VIAB", "other")}),
        runs=frozenset({old.run, other.run}), plan=None,
    )  # fmt: skip
    wanted = replace(CAUSE, cause=Cause.DATA, corrected=True)
    known = replace(on_record(), measurements=[old, new, other])
    assert conclusion_problems(wanted, bare, known, signer="q") == []
    done = replace(bare, conclusion=conclusion_of(wanted, bare, known))
    assert done.conclusion is not None
    assert done.conclusion.set_aside == {(old.run, "viability")}
    assert judge(of, [old, new, other], (), investigations=(done,))[2].outcome is Outcome.PASS
    low = replace(other, cell=replace(other.cell, text="-10"))
    assert judge(of, [old, new, low], (), investigations=(done,))[2].outcome is Outcome.FAIL


@pytest.mark.requirement("3.06")
def test_what_comes_after_a_cause_without_a_retest_stands_beside_the_original_and_not_alone():
    bare = replace(OPEN, plan=None)
    done = caused(of=bare)
    assert done.conclusion is not None
    assert not done.conclusion.counting
    assert verdict(ORIGINAL, by=(done,)).outcome is Outcome.CANNOT_JUDGE
    for newcomer in (
        measured("95", upload="U-2026-000002", run="R-2"),
        measured("95", upload="U-2026-000002"),
    ):
        found = verdict(replace(ORIGINAL, superseded_by="U-2026-000002"), newcomer, by=(done,))
        assert found.outcome is Outcome.CANNOT_JUDGE
        assert verdict(ORIGINAL, newcomer, by=(done,)).outcome is Outcome.CANNOT_JUDGE
    elsewhere = measured("2", test="VCD", analyte="density", upload="U-2026-000002")
    assert verdict(ORIGINAL, elsewhere, by=(done,)).outcome is Outcome.CANNOT_JUDGE


@pytest.mark.requirement("3.06")
def test_what_a_retest_does_not_measure_is_replaced_by_nothing_that_came_later():
    other = ("release", "VIAB", "other")
    of = replace(OPEN, attributes=frozenset({VIABILITY, other}), plan=replace(PLAN, retests=1))
    first = measured("60", analyte="other")
    again = retest("95", 2)  # of viability alone
    done = caused(again, first, of=of)
    assert done.conclusion is not None
    assert done.conclusion.set_aside == {(ORIGINAL.run, "viability"), (ORIGINAL.run, "other")}
    both = specification(criterion(), criterion(name="other"))

    def outcomes(*more: Measurement) -> list[Outcome | None]:
        rows = (ORIGINAL, first, again, *more)
        return [one.outcome for one in judge(both, rows, (), investigations=(done,))]

    assert outcomes() == [Outcome.PASS, Outcome.CANNOT_JUDGE]
    unplanned = measured("95", analyte="other", upload="U-2026-000009", run="R-9")
    assert outcomes(unplanned) == [Outcome.PASS, Outcome.CANNOT_JUDGE]


@pytest.mark.requirement("2.07")
@pytest.mark.parametrize("interim", [(), ("gram",)])
def test_what_is_set_aside_and_replaced_by_nothing_blocks_where_absence_would_not(
    interim: tuple[str, ...],
):
    done = caused(of=replace(OPEN, plan=None))
    optional = criterion(required=False, interim=interim)
    (absent,) = judge(specification(optional), [], ())
    assert not absent.blocks
    (found,) = judge(specification(optional), [ORIGINAL], (), investigations=(done,))
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert (found.missing, found.blocks) == (False, True)
    required = replace(optional, required=True)
    (pending,) = judge(specification(required), [ORIGINAL], (), investigations=(done,))
    assert (pending.missing, pending.blocks) == (bool(interim), True)


def test_a_second_failure_keeps_its_own_investigation():
    second = measured("88", upload="U-2026-000005", run="R-5")
    other = replace(OPEN, number="OOS-2026-000002", runs=frozenset({second.run}), plan=None)
    rows = retest("95", 2), retest("96", 3)
    done = caused(*rows, second, others=(other,))
    assert done.conclusion is not None
    assert {run for run, _ in done.conclusion.set_aside} == {ORIGINAL.run}
    assert verdict(ORIGINAL, second, *rows, by=(done, other)).outcome is Outcome.CANNOT_JUDGE
    both = replace(other, conclusion=STANDS)
    assert verdict(ORIGINAL, second, *rows, by=(done, both)).outcome is Outcome.FAIL


@pytest.mark.requirement("3.08")
def test_a_result_that_fails_two_criteria_is_set_aside_once_both_are_concluded():
    twice = Criterion(
        "dose", "Dose", Category.QUANTITY,
        Derived(parse_formula("1 * x"), (Input("x", "viability"),), "%"), limits("> 91"),
    )  # fmt: skip
    both = specification(criterion(), twice)
    failed = [*failures(both, judge(both, [ORIGINAL], ()), [ORIGINAL], (), {})]
    assert {one.criterion for one in failed} == {"viability", "dose"}
    other = replace(OPEN, number="OOS-2026-000002", criterion="dose", plan=None)
    rows = retest("95", 2), retest("96", 3)

    def outcomes(*by: Investigation) -> set[Outcome | None]:
        return {one.outcome for one in judge(both, [ORIGINAL, *rows], (), investigations=by)}

    first = caused(*rows, others=(other,))
    second = caused(*rows, of=other, others=(first,))
    assert outcomes(first, second) == {Outcome.PASS}
    stands = replace(other, conclusion=STANDS)
    assert outcomes(first, stands) == {Outcome.FAIL}
    assert outcomes(replace(OPEN, conclusion=STANDS), second) == {Outcome.FAIL}
    fails = retest("91", 3)
    third = caused(rows[0], fails, others=(other,))
    found = judge(both, [ORIGINAL, rows[0], fails], (), investigations=(third, second))
    assert [one.outcome for one in found] == [Outcome.PASS, Outcome.FAIL]


@pytest.mark.requirement("3.15")
def test_an_invalid_retest_uses_none_of_the_number_and_does_not_count():
    rows = retest("95", 2), retest("96", 3), retest("50", 4)
    invalid = frozenset({rows[2].run})
    assert conclusion_problems(CAUSE, OPEN, on_record(*rows, invalid=invalid), signer="q") == []
    short = conclusion_problems(CAUSE, OPEN, on_record(*rows), signer="q")
    assert short == ["the plan asks for 2 valid retests; 3 are in"]
    (one,) = conclusion_problems(CAUSE, OPEN, on_record(rows[0]), signer="q")
    assert one == "the plan asks for 2 valid retests; 1 are in"
    done = replace(OPEN, conclusion=conclusion_of(CAUSE, OPEN, on_record(*rows, invalid=invalid)))
    found = verdict(ORIGINAL, *rows, by=(done,))
    assert found.outcome is Outcome.PASS
    assert "which does not let it count" in found.sentence


@pytest.mark.requirement("3.08")
def test_nothing_is_concluded_to_count_that_nobody_has_reviewed():
    rows = retest("95", 2), retest("96", 3)
    unseen = frozenset({rows[1].run, ORIGINAL.run})
    (one,) = conclusion_problems(CAUSE, OPEN, on_record(*rows, unreviewed=unseen), signer="q")
    assert one == f"{rows[1].run} is to count and nobody has reviewed it"
    bare = replace(OPEN, plan=None)
    assert conclusion_problems(CAUSE, bare, on_record(unreviewed=unseen), signer="q") == []
    old = replace(ORIGINAL, superseded_by="U-2026-000002")
    corrected = replace(CAUSE, cause=Cause.DATA, corrected=True)
    new = measured("95", upload="U-2026-000002")
    known = replace(on_record(), measurements=[old, new], unreviewed=frozenset({new.run}))
    (one,) = conclusion_problems(corrected, bare, known, signer="q")
    assert one == f"{new.run} is to count and nobody has reviewed it"


def test_only_the_test_of_the_cause_is_set_aside():
    other = ("release", "VCD", "density")
    both = replace(OPEN, attributes=frozenset({VIABILITY, other}), plan=None)
    assert "name the test" in conclusion_problems(CAUSE, both, on_record(), signer="q")[0]
    named = replace(CAUSE, test="VIAB")
    assert conclusion_problems(named, both, on_record(), signer="q") == []
    density = measured("2", test="VCD", analyte="density")
    found = conclusion_of(named, both, on_record(density))
    assert found.set_aside == {(ORIGINAL.run, "viability")}
    planned = replace(both, plan=replace(PLAN, test="VCD"))
    assert "the plan retests VCD" in conclusion_problems(named, planned, on_record(), signer="q")


@pytest.mark.parametrize(
    ("wanted", "of", "said"),
    [
        (replace(CAUSE, cause=None), OPEN, "name the cause"),
        (replace(CAUSE, document=""), OPEN, "name the document"),
        (replace(CAUSE, evidence="Grubbs shows it"), OPEN, "informational only"),
        (Wanted(Finding.ORIGINAL_STANDS, "x", cause=Cause.DATA), OPEN, "there is no cause"),
        (CAUSE, replace(OPEN, reviewed_by=""), "phase I is to be reviewed"),
        (Wanted(Finding.RESULT_WAS_LATE, "x"), OPEN, "a result is under investigation"),
        (CAUSE, replace(OPEN, runs=frozenset()), "no result, it was overdue"),
    ],
)
def test_a_conclusion_without_grounds_says_why(wanted: Wanted, of: Investigation, said: str):
    known = on_record(retest("95", 2), retest("95", 3))
    assert any(said in one for one in conclusion_problems(wanted, of, known, signer="q"))


def test_a_result_that_was_late_counts_once_it_is_in():
    overdue = replace(OPEN, runs=frozenset(), plan=None)
    wanted = Wanted(Finding.RESULT_WAS_LATE, "The courier lost it")
    assert conclusion_problems(wanted, overdue, on_record(), signer="q") == []
    done = replace(overdue, conclusion=conclusion_of(wanted, overdue, on_record()))
    assert worlds([ORIGINAL], [done]) == ((ORIGINAL,),)


def test_who_measured_does_not_conclude():
    assert conclusion_problems(
        Wanted(Finding.ORIGINAL_STANDS, "No cause found"), OPEN, on_record(), signer="ana"
    ) == ["ana measured it; another QA person concludes"]
    assert conclusion_of(Wanted(Finding.ORIGINAL_STANDS, "x"), OPEN, on_record()) == STANDS
    bare = replace(OPEN, plan=None)
    nothing = conclusion_of(replace(CAUSE, cause=None), bare, on_record())
    assert (nothing.cause, nothing.counting) == ("", frozenset())
    who = people_behind([(ORIGINAL.run, ["ana"], ["rev"])], OPEN)
    assert who == {
        "ana": "entered or measured run R-1 (VIAB) of U-2026-000001",
        "rev": "reviewed run R-1 (VIAB) of U-2026-000001",
        "sue": "reviewed phase I",
    }
    assert people_behind([], replace(OPEN, performed_by="", reviewed_by="")) == {}


def test_every_question_is_answered():
    every = dict.fromkeys(CHECKLIST, ("yes", ""))
    assert checklist_problems(every) == []
    wrong = every | {"method": ("no", " "), "analyst": ("maybe", ""), "moon": ("yes", "")}
    del wrong["identity"]
    assert len(checklist_problems(wrong)) == 4
    assert checklist_problems(every | {"method": ("no", "The timer stopped")}) == []


def test_what_an_investigation_waits_for():
    steps = [
        replace(OPEN, performed_by="", reviewed_by="", plan=None),
        replace(OPEN, reviewed_by="", plan=None),
        replace(OPEN, plan=None),
        OPEN,
        replace(OPEN, conclusion=STANDS),
    ]
    assert [one.state for one in steps] == list(State)
    late = OPEN.due_on + timedelta(days=1)
    assert [one.is_overdue(late) for one in steps] == [True, True, True, True, False]
    assert not OPEN.is_overdue(OPEN.due_on)


@pytest.mark.requirement("3.14")
def test_what_investigations_say_of_a_release():
    late = OPEN.due_on + timedelta(days=1)
    cause = replace(OPEN, conclusion=Conclusion(Finding.LABORATORY_CAUSE, "VIAB", "reagent"))
    found = investigations_against(
        [OPEN, replace(OPEN, conclusion=STANDS), cause], ["FAIL: x"], late
    )
    assert found.stops == (
        "nothing investigates: FAIL: x",
        f"{OOS} (viability): retests are under way, or it is to be concluded",
    )
    assert found.remarks == (
        f"{OOS} is overdue since 2026-04-30",
        f"{OOS} (viability): original stands",
        f"{OOS} (viability): assignable laboratory cause (reagent)",
    )
    assert found.evidence == (f"investigation:{OOS}",) * 3


@pytest.mark.requirement("2.22")
def test_an_open_deviation_that_blocks_stops_and_others_are_told():
    found = deviations_against(
        Deviation(f"DEV-{number}", "Freezer", state, is_blocking)
        for number, (state, is_blocking) in enumerate(
            [(DeviationState.OPEN, True), (DeviationState.OPEN, False),
             (DeviationState.CLOSED, True)]
        )
    )  # fmt: skip
    assert found.stops == ("deviation DEV-0 is open: Freezer",)
    assert found.remarks == (
        "deviation DEV-1 is open, and does not block: Freezer",
        "deviation DEV-2 is closed: Freezer",
    )


@pytest.mark.requirement("3.10")
@pytest.mark.parametrize("text", ["an Outlier", "Dixon's Q", "by Q-test", "Ausreißer", "Grubbs"])
def test_an_outlier_test_is_no_ground(text: str):
    assert grounds_problem(text)
    assert grounds_problem("The pipette was out of calibration") == ""


PLANNED = {
    "": {},
    "one retest at least": {"retests": 0},
    "allows 2 retests, and the plan asks for 3": {"retests": 3},
    "nothing of VCD": {"test": "VCD"},
    "nothing of no test": {"test": ""},
    "another method": {"method": "SOP-2"},
    "no second analyst": {"analysts": frozenset()},
    "name a second analyst": {"analysts": frozenset({"ana"})},
    "new samples are named": {"resamples": 1, "retests": 1},
    "is the original sample": {
        "resamples": 1, "retests": 1, "new_samples": frozenset({"msc-1-s01"})
    },
}  # fmt: skip


@pytest.mark.requirement("3.02")
@pytest.mark.parametrize("said", PLANNED)
def test_a_plan_is_refused_with_each_reason(said: str):
    plan = replace(PLAN, **PLANNED[said])  # type: ignore[arg-type]
    bare = replace(OPEN, plan=None)
    found = plan_problems(plan, bare, originals=[ORIGINAL], retests=[], most=2)
    assert any(said in one for one in found) if said else found == []


def test_a_plan_comes_in_time_and_where_the_method_allows_it():
    bare = replace(OPEN, plan=None, reviewed_by="")
    early = plan_problems(PLAN, bare, originals=[ORIGINAL], retests=[], most=2)
    assert early == [f"{OOS}: phase I is to be reviewed"]
    again = [retest("95", 2)]
    late = plan_problems(PLAN, OPEN, originals=[ORIGINAL], retests=again, most=None)
    assert len(late) == 2
    same = replace(PLAN, analysts=frozenset({"ana"}), same_analyst="Nobody else is trained")
    assert plan_problems(same, OPEN, originals=[ORIGINAL], retests=[], most=2) == []


HELD = Retest(OOS, "MSC-1", OPEN, (ORIGINAL,), replicates={VIABILITY: 1})


@pytest.mark.requirement("3.05")
@pytest.mark.requirement("3.09")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"lot": "MSC-2"}, "is of lot MSC-1"),
        ({"result_type": INVESTIGATIONAL}, "replaces no original"),
        ({"analyte": "other"}, "is not what OOS-2026-000001 retests"),
        ({"measured_at": APPROVED}, "before the plan was approved"),
        ({"started_at": AT}, "before the plan was approved"),
        ({"method": "SOP-2"}, "SOP-2 v1 is not SOP-1 v1"),
        ({"version": ""}, "SOP-1 is not SOP-1 v1"),
        ({"analyst": "ana"}, "ana measured it; the plan names ben"),
        ({"sample": "MSC-1-S09"}, "is not a sample of the plan"),
        ({"run": "VIAB (no run_id)"}, "a run id of its own"),
    ],
)
def test_a_retest_is_held_against_its_plan(change: dict[str, object], said: str):
    found = retest_problems(HELD, [retest("95", 2, **change)])
    assert any(said in one for _, one, _ in found) if said else found == []


def test_a_mean_that_somebody_computed_lacks_replicates():
    held = replace(HELD, replicates={VIABILITY: 3})
    assert [one for _, one, _ in retest_problems(held, [retest("95", 2)])] == [
        "the method asks for 3 replicates, the run has 1"
    ]
    three = [replace(retest("95", 2), replicate=number) for number in (1, 2, 3)]
    assert retest_problems(held, three) == []
    assert retest_problems(replace(held, replicates={}), three) == []


@pytest.mark.requirement("3.03")
def test_a_retest_reports_all_that_its_original_did():
    other = ("release", "VIAB", "other")
    both = replace(OPEN, attributes=frozenset({VIABILITY, other}))
    first = measured("60", analyte="other")
    elsewhere = measured("60", analyte="third", upload="U-2026-000008", run="R-8")
    counted = measured("60", analyte="counted", result_type="raw")
    held = Retest(OOS, "MSC-1", both, (ORIGINAL, first, elsewhere, counted))
    alone, beside = retest("95", 4), retest("61", 4, analyte="other")
    assert [said for _, said, _ in retest_problems(held, [alone])] == [
        "the original measured other too, and the run does not report it"
    ]
    assert retest_problems(held, [alone, beside]) == []
    raw = replace(beside, result_type="raw")
    assert len(retest_problems(held, [alone, raw])) == 1


@pytest.mark.requirement("3.03")
def test_what_two_runs_measured_is_retested_as_often_as_planned_each():
    other = ("release", "VIAB", "other")
    second = measured("60", analyte="other", upload="U-2026-000008", run="R-8")
    both = replace(OPEN, attributes=frozenset({VIABILITY, other}), runs=OPEN.runs | {second.run})
    rows = [
        retest("95", 2), retest("61", 3, analyte="other"),
        retest("96", 4), retest("62", 5, analyte="other"),
    ]  # fmt: skip

    def problems(*there: Measurement) -> list[str]:
        return conclusion_problems(CAUSE, both, on_record(second, *there), signer="q")

    assert problems(*rows[:2]) == [
        "the plan asks for 2 valid retests of other; 1 are in",
        "the plan asks for 2 valid retests of viability; 1 are in",
    ]
    assert problems(*rows) == []
    held = Retest(OOS, "MSC-1", both, (ORIGINAL, second), earlier=tuple(rows[:3]))
    assert retest_problems(held, [rows[3]]) == []
    (found,) = retest_problems(held, [retest("97", 6)])
    assert found[1] == "retest 3 of 2 that the plan allows; 2 are in"


def test_the_one_too_many_is_refused_and_invalid_runs_are_none():
    earlier = retest("95", 2), retest("95", 3, result_type="raw"), retest("95", 4)
    held = replace(HELD, earlier=earlier)
    (found,) = retest_problems(held, [retest("95", 5)])
    assert found[1] == "retest 3 of 2 that the plan allows; 2 are in"
    spared = replace(held, invalid=frozenset({RunKey("U-2026-000002", "VIAB", "R-2")}))
    assert retest_problems(spared, [retest("95", 5)]) == []
    assert len(retest_problems(HELD, [retest("95", number) for number in (5, 6, 7)])) == 1


def test_without_an_open_plan_there_is_no_retest():
    assert "there is no investigation" in retest_problems(Retest("OOS-1"), [])[0][1]
    for one in (replace(OPEN, plan=None), replace(OPEN, conclusion=STANDS)):
        held = replace(HELD, investigation=one)
        assert "no plan that is open" in retest_problems(held, [retest("95", 2)])[0][1]
    (found,) = retest_problems(HELD, [retest("1", 2, result_type="raw")])
    assert "no reportable retest" in found[1]


def failing(*rows: Measurement, of: Specification | None = None) -> list[tuple[str, set[RunKey]]]:
    specified = of or specification(criterion())
    found = failures(specified, judge(specified, rows, ()), rows, (), {})
    return [(one.criterion, set(one.runs)) for one in found]


@pytest.mark.requirement("3.01")
def test_each_run_that_fails_alone_is_a_failure():
    second = measured("80", upload="U-2026-000002", run="R-2")
    good = measured("95", upload="U-2026-000003", run="R-3")
    assert failing(good) == []
    assert failing(ORIGINAL) == [("viability", {ORIGINAL.run})]
    assert failing(ORIGINAL, good, second) == [
        ("viability", {ORIGINAL.run}),
        ("viability", {second.run}),
    ]
    assert failing(retest("80", 4)) == []
    assert failing(measured("much")) == []
    (one,) = failures(specification(criterion()), [verdict(ORIGINAL)], [ORIGINAL], (), {})
    assert one.is_covered([OPEN])
    assert not one.is_covered([replace(OPEN, runs=frozenset({good.run}))])


def test_a_control_is_that_of_its_result_in_whatever_case_its_analyte_is_written():
    one = replace(
        criterion(accept="> 90"),
        subject=Measured("VIAB", "viability", "SOP-1", "%", control="PC"),
        accept=Relative("> control", ">", Decimal(1)),
    )
    control = measured("90", analyte="VIABILITY", aliquot="PC", result_type="control")
    of = specification(one)
    assert failing(measured("95"), control, of=of) == []
    assert failing(ORIGINAL, control, of=of) == [("viability", {ORIGINAL.run})]
    elsewhere = replace(control, analyte="other")
    assert failing(ORIGINAL, elsewhere, of=of) == []
    again = retest("95", 2)
    beside = retest("96", 2, analyte="VIABILITY", aliquot="pc", result_type="control")
    done = caused(again, of=replace(OPEN, plan=replace(PLAN, retests=1)))
    (found,) = judge(of, [ORIGINAL, control, again, beside], (), investigations=(done,))
    assert found.outcome is Outcome.FAIL


def test_a_group_that_passes_is_no_failure_of_its_members():
    members = criterion(name="a"), criterion(name="b")
    group = Criterion("both", "Both", Category.POTENCY, Group(("a", "b")), AtLeast(1, 2))
    of = specification(*members, group)
    bad, good = measured("80", analyte="a"), measured("95", analyte="b")
    assert failing(bad, good, of=of) == []
    worse = replace(good, cell=replace(good.cell, text="70"))
    assert [name for name, _ in failing(bad, worse, of=of)] == ["a", "b"]


def test_what_is_computed_fails_with_all_that_it_hangs_on():
    formula = Derived(parse_formula("a"), (Input("a", "viability"),), "%")
    told = replace(criterion(), accept=ReportOnly())
    of = specification(told, Criterion("d", "D", Category.QUANTITY, formula, limits("> 90")))
    old = replace(ORIGINAL, superseded_by="U-2026-000002")
    new = measured("80", upload="U-2026-000002")
    assert failing(ORIGINAL, of=of) == [("d", {ORIGINAL.run})]
    assert failing(old, new, of=of) == [("d", {new.run})]
    assert failing(ORIGINAL, retest("80", 4), of=of) == [("d", {ORIGINAL.run})]


@pytest.mark.requirement("3.01")
def test_what_is_computed_fails_by_any_run_that_may_be_chosen():
    formula = Derived(parse_formula("a + b"), (Input("a", "viability"), Input("b", "other")), "%")
    told = [replace(criterion(name=name), accept=ReportOnly()) for name in ("viability", "other")]
    of = specification(*told, Criterion("d", "D", Category.QUANTITY, formula, limits("> 90")))
    good, other = measured("95"), measured("0", analyte="other", upload="U-2026-000003", run="R-3")
    assert failing(good, other, of=of) == []
    bad = measured("80", upload="U-2026-000002", run="R-2")
    assert failing(good, bad, other, of=of) == [("d", {bad.run, other.run})]
    more = [replace(bad, run=RunKey("U-2026-000002", "VIAB", f"R-{n}")) for n in range(200)]
    assert failing(good, other, *more[:99], of=of)[98:] == [("d", {more[98].run, other.run})]
    assert failing(good, other, *more, of=of) == []  # nobody can look at each; it cannot be judged


@pytest.mark.requirement("3.01")
def test_what_is_computed_fails_by_an_older_version_also_where_an_input_came_after_it():
    formula = Derived(parse_formula("a + b"), (Input("a", "viability"), Input("b", "other")), "%")
    told = [replace(criterion(name=name), accept=ReportOnly()) for name in ("viability", "other")]
    of = specification(*told, Criterion("d", "D", Category.QUANTITY, formula, limits("> 90")))
    old = replace(measured("80"), superseded_by="U-2026-000002")
    new = measured("95", upload="U-2026-000002")
    other = measured("0", analyte="other", upload="U-2026-000003", run="R-3")
    assert failing(old, new, of=of) == []  # nothing is computed yet
    assert judge(of, [old, new, other], ())[2].outcome is Outcome.CANNOT_JUDGE
    assert failing(old, new, other, of=of) == [("d", {old.run, other.run})]
    better = replace(old, cell=replace(old.cell, text="94"))
    assert failing(better, new, other, of=of) == []
    versions = [replace(old, run=RunKey(f"U-2026-{n:06d}", "VIAB", "R-1")) for n in range(5, 2000)]
    assert failing(*versions, new, other, of=of) == []  # nobody looks at each


@pytest.mark.requirement("3.01")
def test_two_runs_that_both_report_all_inputs_are_not_mixed_and_a_failure_is_told_once():
    formula = Derived(parse_formula("a + b"), (Input("a", "viability"), Input("b", "other")), "%")
    told = [replace(criterion(name=name), accept=ReportOnly()) for name in ("viability", "other")]
    exact = Criterion("d", "D", Category.QUANTITY, formula, limits("90 to 110"))
    of = specification(*told, exact)

    def run(a: str, b: str, number: int) -> tuple[Measurement, Measurement]:
        own = {"upload": f"U-2026-{number:06d}", "run": f"R-{number}"}
        return measured(a, **own), measured(b, analyte="other", **own)

    first, second = run("20", "80", 5), run("80", "20", 6)
    assert failing(*first, *second, of=of) == []  # 20 + 20 was measured by nobody
    alone = measured("10", upload="U-2026-000007", run="R-7")
    assert failing(*second, alone, of=of) == [("d", {alone.run, second[0].run})]
    stray = replace(second[1], result_type="raw")  # what is not reported is no result of a run
    both = {first[0].run, second[0].run}
    assert failing(*first, second[0], stray, of=of) == [("d", both)]
    verdicts = [replace(one, outcome=Outcome.FAIL) for one in judge(of, (*first, *second), ())]
    (found,) = failures(of, verdicts[2:], [*first, *second], (), {})
    assert found.runs == both  # it fails: whichever of them is meant, once


@pytest.mark.requirement("3.01")
def test_runs_that_each_report_all_of_many_inputs_are_looked_at_one_by_one():
    """Of five inputs three runs would make 243 choices, were they mixed."""
    names = ("viability", "cd73", "cd90", "cd105", "cd44")
    inputs = tuple(Input(name, name) for name in names)
    formula = Derived(parse_formula(" + ".join(names)), inputs, "%")
    told = [replace(criterion(name=name), accept=ReportOnly()) for name in names]
    of = specification(*told, Criterion("d", "D", Category.QUANTITY, formula, limits("> 90")))

    def run(text: str, number: int) -> list[Measurement]:
        own = {"upload": f"U-2026-{number:06d}", "run": f"R-{number}"}
        return [measured(text, analyte=name, **own) for name in names]

    bad = run("10", 5)
    assert failing(*run("20", 6), *bad, *run("30", 7), of=of) == [("d", {bad[0].run})]


def test_what_lacks_a_part_of_its_inputs_fails_by_no_choice_of_runs():
    inputs = (Input("a", "viability"), Input("b", "other"))
    told = [replace(criterion(name=name), accept=ReportOnly()) for name in ("viability", "other")]
    d = Criterion(
        "d", "D", Category.QUANTITY, Derived(parse_formula("a + b"), inputs, "%"), limits("> 90")
    )
    again = (Input("d", "d"), Input("a", "viability"))
    e = Criterion(
        "e", "E", Category.QUANTITY, Derived(parse_formula("d + a"), again, "%"), limits("> 90")
    )
    of = specification(*told, d, e)

    def found(*rows: Measurement, by: tuple[Investigation, ...] = ()) -> list[tuple[bool, bool]]:
        return [(one.missing, one.lacking) for one in judge(of, rows, (), investigations=by)[2:]]

    first, second = measured("50"), measured("60", upload="U-2026-000002", run="R-2")
    other = measured("0", analyte="other")
    assert found() == [(True, False)] * 2
    assert found(first) == found(first, second) == [(False, True)] * 2
    assert found(first, second, other) == found(first, other) == [(False, False)] * 2
    aside = caused(first, of=replace(OPEN, criterion="d"))
    assert found(first, other, by=(aside,)) == [(False, False)] * 2
