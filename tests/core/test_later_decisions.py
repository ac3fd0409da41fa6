"""What a recall, an exceptional supply, a destruction and a conditional release have to say."""

from dataclasses import replace
from datetime import date

import pytest

from batchqc.core.acceptance import ReportOnly
from batchqc.core.annex16 import POINTS, checklist_problems
from batchqc.core.conditional import Plan, conditional_gates, due_problems, overdue, pending_of
from batchqc.core.criteria import Category, Criterion
from batchqc.core.dispositions import readiness
from batchqc.core.failures import Failure
from batchqc.core.formulas import parse_formula
from batchqc.core.gates import Gate, blocking_reasons
from batchqc.core.investigations import Conclusion, Finding, Investigation
from batchqc.core.later_decisions import (
    PARTICULARS,
    Account,
    later_hindrances,
    particulars_problems,
    supply_hindrances,
    witness_problem,
)
from batchqc.core.lot_states import Disposition
from batchqc.core.policies import Certifies, needs_qp
from batchqc.core.subjects import Derived, Input
from batchqc.core.verdicts import Verdict
from tests.core.test_dispositions import FAILED, MISSING, READY
from tests.core.world import criterion, limits, measured, specification, verdict_of

RECALL = {"class": "II", "scope": "All doses at two sites"}
TODAY, LAST = date(2026, 2, 1), date(2028, 1, 5)


@pytest.mark.requirement("2.24")
@pytest.mark.parametrize("wanted", PARTICULARS)
def test_everything_that_is_missing_is_told(wanted: Disposition):
    asked = PARTICULARS[wanted]
    assert len(particulars_problems(wanted, {})) == len(asked)
    told = dict.fromkeys(asked, "I")
    assert particulars_problems(wanted, told) == ()
    for name in asked:
        (missing,) = particulars_problems(wanted, told | {name: " . "})[:1]
        assert name in missing
    (unknown,) = particulars_problems(wanted, told | {"colour": "red"})
    assert '"colour" belongs to no' in unknown


def test_a_recall_has_one_of_three_classes():
    assert particulars_problems(Disposition.RECALLED, RECALL) == ()
    (wrong,) = particulars_problems(Disposition.RECALLED, RECALL | {"class": "IV"})
    assert wrong == '"class" is one of I, II, III, not "IV"'


def hindered(current: Disposition, wanted: Disposition, **more: bool | str) -> list[str]:
    facts = {"is_usable": True, "supply_allowed": True, "witness": ""} | more
    return list(later_hindrances(current, wanted, **facts))


@pytest.mark.requirement("2.24")
def test_each_guard_of_a_later_decision_stands_alone():
    released, rejected = Disposition.RELEASED, Disposition.REJECTED
    assert hindered(released, Disposition.RECALLED) == []
    assert hindered(rejected, Disposition.RECALLED) == []
    assert len(hindered(Disposition.QUARANTINE, Disposition.RECALLED)) == 1
    assert len(hindered(released, Disposition.DESTROYED)) == 1
    assert hindered(released, Disposition.DESTROYED, is_usable=False) == []
    assert hindered(rejected, Disposition.SUPPLIED) == []
    (off,) = hindered(rejected, Disposition.SUPPLIED, supply_allowed=False)
    assert off.startswith("exceptional supply is off")
    assert hindered(rejected, Disposition.DESTROYED, witness="it is you") == ["it is you"]


@pytest.mark.requirement("2.24")
def test_a_destruction_is_witnessed_by_somebody_else_with_an_account_in_use():
    ben = Account("ben", is_person=True, is_open=True)
    assert witness_problem("BEN", ben, "qa1") == ""
    assert "does not sign it" in witness_problem("ben", ben, "ben")
    assert 'nobody has the user id "Ben of Chicago"' in witness_problem("Ben of Chicago", None, "q")
    assert "is closed" in witness_problem("ben", ben._replace(is_open=False), "qa1")
    assert "contract laboratory" in witness_problem("ben", ben._replace(is_person=False), "qa1")


GRAM = criterion("no growth", name="gram")
GRAM_PASSES = verdict_of(GRAM, measured("no growth", analyte="gram"))
STERILITY = criterion("no growth", name="sterility", interim=("gram",))
PENDING = verdict_of(STERILITY)
DUE = {"sterility": date(2026, 2, 14)}


def reasons(*verdicts: Verdict) -> tuple[str, ...]:
    facts = replace(READY, verdicts=verdicts)
    return blocking_reasons(conditional_gates(readiness(facts), facts.verdicts))


@pytest.mark.requirement("2.26")
def test_only_what_may_stay_pending_while_its_surrogate_passes_is_let_through():
    assert reasons(PENDING, GRAM_PASSES) == ()
    assert len(reasons(PENDING)) == 1
    assert "it is not in the specification" in reasons(PENDING)[0]
    grows = verdict_of(GRAM, measured("growth", analyte="gram"))
    assert len(reasons(PENDING, grows)) == 2
    assert len(reasons(PENDING, verdict_of(GRAM))) == 2
    assert len(reasons(MISSING, GRAM_PASSES)) == 1
    assert len(reasons(FAILED, PENDING, GRAM_PASSES)) == 1
    failed = verdict_of(STERILITY, measured("growth", analyte="sterility"))
    assert len(reasons(failed, GRAM_PASSES)) == 1  # it is not pending any more
    facts = replace(READY, verdicts=(PENDING, GRAM_PASSES))
    for due, said in (((PENDING.criterion.id,), 0), ((), 1)):  # it is let through while it is due
        gates = conditional_gates(readiness(facts), facts.verdicts, due)
        assert len(blocking_reasons(gates)) == said


def test_a_lot_is_supplied_with_its_donor_settled_and_every_failure_looked_at():
    looked = Investigation(
        "OOS-1", "viability", frozenset(), frozenset(), date(2026, 4, 30), "ana", "sue"
    )
    new = replace(looked, number="OOS-2", performed_by="", reviewed_by="")
    closed = replace(new, number="OOS-3", conclusion=Conclusion(Finding.ORIGINAL_STANDS, ""))
    failure = Failure("viability", "release", "S v1", "it fails", frozenset(), frozenset())
    gates = [
        Gate("Donor", ("donor D is stale",), "Determine"),
        Gate("Genealogy", ("bank B is quarantined",), "Clear"),
        Gate("Registers", ("reagent R had expired",), "Correct"),
        Gate("Deviations", ("DEV-1 blocks",), "Close"),
        Gate("Expiry", ("late",), "No"),
    ]
    assert list(supply_hindrances(gates, [looked, new, closed], [failure])) == [
        "Donor: donor D is stale",
        "Genealogy: bank B is quarantined",
        "Registers: reagent R had expired",
        "Deviations: DEV-1 blocks",
        "Investigations: OOS-2 (viability): phase I is to be performed",
    ]
    other = replace(failure, criterion="cd73")
    assert list(supply_hindrances([], [looked, closed], [failure, other])) == [
        "Investigations: nothing investigates: it fails"
    ]
    assert reasons() == ("Results: no criterion was judged",)


def problems(due: dict[str, date], *verdicts: Verdict, plan: Plan | None = None) -> tuple[str, ...]:
    plan = plan or Plan(specification(STERILITY), None)
    return due_problems(pending_of(verdicts), due, plan, today=TODAY, expires_on=LAST)


@pytest.mark.requirement("2.25")
def test_a_result_is_due_when_the_specification_plans_to_read_it_and_never_later():
    planned = replace(STERILITY, subject=replace(STERILITY.subject, planned_days=14))
    waits, taken = verdict_of(planned), date(2026, 1, 31)
    plan = Plan(specification(planned), taken)
    assert problems(DUE, waits, plan=plan) == ()
    assert problems({"sterility": TODAY}, waits, plan=plan) == ()
    (late,) = problems({"sterility": date(2026, 2, 15)}, waits, plan=plan)
    assert late == (
        "sterility: 2026-02-15 is after 2026-02-14, the planned day 14 of the sample of 2026-01-31"
    )
    (unknown,) = problems(DUE, waits, plan=Plan(specification(planned), None))
    assert "no sample of its stage is registered" in unknown
    assert problems({}, waits, plan=plan) == ("sterility: say when its result is due",)
    over = Plan(
        specification(planned), date(2026, 1, 1)
    )  # it should have been read: no day is in time
    assert len(problems({"sterility": TODAY}, waits, plan=over)) == 1


def test_what_is_computed_is_read_when_the_last_of_it_is():
    first, last = (
        replace(one, subject=replace(one.subject, planned_days=days))
        for one, days in ((criterion(name="a"), 3), (criterion(name="b"), 14))
    )
    ratio = Derived(parse_formula("a / b"), (Input("a", "a"), Input("b", "b")), "%")
    whole = Criterion("ratio", "Ratio", Category.QUANTITY, ratio, limits("> 0.5"))
    plan = Plan(specification(first, last, whole), TODAY)
    assert plan.days(verdict_of(whole)) == 14
    assert plan.days(verdict_of(first)) == 3


def test_every_pending_result_has_a_day_in_time_and_nothing_else_has():
    assert problems(DUE, PENDING, GRAM_PASSES) == ()
    assert problems({"sterility": TODAY}, PENDING) == ()
    assert problems({"sterility": LAST}, PENDING) == ()
    assert problems({}, PENDING) == ("sterility: say when its result is due",)
    assert problems(DUE | {"gram": LAST}, PENDING) == ("gram: its result is not pending",)
    assert problems({"sterility": date(2026, 1, 31)}, PENDING) == ("sterility: 2026-01-31 is over",)
    assert "after the last usable day" in problems({"sterility": date(2028, 1, 6)}, PENDING)[0]
    assert problems({}, GRAM_PASSES) == ("no result is pending that may be; decide on a release",)


def test_what_is_not_in_after_its_day_is_overdue():
    assert overdue(DUE, [PENDING], date(2026, 2, 14)) == ()
    assert overdue(DUE, [PENDING], date(2026, 2, 15)) == (("sterility", date(2026, 2, 14)),)
    came = verdict_of(STERILITY, measured("no growth", analyte="sterility"))
    assert overdue(DUE, [came], date(2026, 2, 15)) == ()


@pytest.mark.requirement("2.25")
def test_a_result_for_information_that_is_not_in_after_its_day_is_overdue_too():
    told = replace(STERILITY, accept=ReportOnly())
    (pending,) = pending_of([verdict_of(told)])
    assert overdue(DUE, [pending], date(2026, 2, 15)) == (("sterility", date(2026, 2, 14)),)
    came = verdict_of(told, measured("no growth", analyte="sterility"))
    assert overdue(DUE, [came], date(2026, 2, 15)) == ()


@pytest.mark.requirement("2.21")
def test_every_point_of_the_checklist_is_answered_and_none_with_no():
    whole = dict.fromkeys(POINTS, "SOP-QA-7, checked by qa1")
    assert checklist_problems(whole) == ()
    assert len(checklist_problems({})) == len(POINTS)
    assert checklist_problems(whole | {"gmp": "No, an audit is open"}) == (
        f'"gmp" is answered with no: {POINTS["gmp"]}',
    )
    for denied in ("no\nan audit is open", "No! See CAPA 7", "n.a.", "N/A", "not\tyet"):
        assert len(checklist_problems(whole | {"gmp": denied})) == 1
    for denied in (
        "NA",
        "n. a.",
        "(no)",
        '"No", said the auditor',
        "no\N{EN DASH}see CAPA 7",
        "no/n.a.",
        "Not-applicable",
        "not-yet audited",
        "N. A., the site is new",
    ):
        assert len(checklist_problems(whole | {"gmp": denied})) == 1
    for given in (
        "NA Smith, by audit 7",
        "N. Ahmed",
        "yes/no open CAPA",
        "Noah Reed",
        "No-objection letter 7",
    ):
        assert checklist_problems(whole | {"gmp": given}) == ()
    for blank in ("", " ", "-", "…"):
        assert checklist_problems(whole | {"gmp": blank}) == (
            f'"gmp" is not answered: {POINTS["gmp"]}',
        )
    assert checklist_problems(whole | {"weather": "fine"}) == ('"weather" is no point',)
    assert checklist_problems(whole | {"gmp": "Notes of the audit"}) == ()


@pytest.mark.requirement("2.21")
@pytest.mark.parametrize(
    "name", ["N.A. Smith, QA", "N. A. Smith, QA", "n.a. Smith", "No Hyun-woo, QA", "No\nPending"]
)
def test_a_name_that_begins_as_a_no_is_taken_neither_for_a_no_nor_for_a_yes(name):
    whole = dict.fromkeys(POINTS, "SOP-QA-7, checked by qa1")
    assert checklist_problems(whole | {"gmp": name}) == (
        '"gmp" begins as a no does; write a name with the family name first, as "Smith, N.A.": '
        + POINTS["gmp"],
    )
    assert checklist_problems(whole | {"gmp": "Smith, N.A., QA"}) == ()


@pytest.mark.requirement("1.39")
@pytest.mark.parametrize(
    ("certifies", "market", "needed"),
    [
        (Certifies.EU_MARKET, "EU", True),
        (Certifies.EU_MARKET, "", False),
        (Certifies.EVERY_LOT, "", True),
        (Certifies.NO_LOT, "EU", False),
    ],
)
def test_who_certifies_follows_the_policy_and_the_market(
    certifies: str, market: str, *, needed: bool
):
    assert needs_qp(certifies, market) is needed
