"""May this lot be released? Every reason why not, and nothing that turns a no into a yes."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchqc.core.assays import RunKey
from batchqc.core.dispositions import (
    LotFacts,
    RunFacts,
    overlays,
    progress,
    readiness,
    review_problem,
    signer_gate,
)
from batchqc.core.donors import Donor
from batchqc.core.gates import Against, blocking_reasons
from batchqc.core.hypotheses import Unreported
from batchqc.core.lot_states import Disposition, Overlay, Progress
from batchqc.core.lots import Lot
from batchqc.core.lowering import Lowered
from batchqc.core.opening import Opened
from batchqc.core.register_remarks import RegistersSay
from batchqc.core.verdicts import Verdict
from tests.core.world import DONOR, criterion, measured, verdict_of

MADE = date(2026, 1, 5)
LOT = Lot("MSC-1", "MSC", MADE, date(2028, 1, 5))
RUN = RunFacts(
    RunKey("U-2026-000001", "VIAB", "R-1"), "ana", frozenset({"ben"}), frozenset({"rev"})
)
PASSED = verdict_of(criterion(), measured("95"))
FAILED = verdict_of(criterion(), measured("89"))
MISSING = verdict_of(criterion())
READY = LotFacts(
    lot=LOT,
    disposition=Disposition.QUARANTINE,
    specification_problem="",
    verdicts=(PASSED,),
    donors=(DONOR,),
    runs=(RUN,),
    today=date(2026, 2, 1),
)


@pytest.mark.requirement("1.31")
def test_who_typed_a_result_as_the_second_person_does_not_release_it():
    facts = replace(READY, runs=(replace(RUN, verified_by="qa1"),))
    assert not signer_gate(facts, "qa1").is_open
    assert signer_gate(facts, "qa2").is_open
    assert closed(facts) == []


@pytest.mark.requirement("2.07")
def test_who_set_a_failing_result_of_a_lot_aside_does_not_release_it():
    facts = replace(READY, excused=(("OOS-2026-000001", "qa1"),))
    (why,) = signer_gate(facts, "qa1").reasons
    assert why.startswith("qa1 concluded OOS-2026-000001")
    assert signer_gate(facts, "qa2").is_open
    assert closed(facts) == []


@pytest.mark.requirement("2.06")
def test_who_lowered_a_policy_or_a_rule_within_the_life_of_a_lot_does_not_release_it():
    facts = replace(READY, lowered=(Lowered("qa1", 'the rule "donors"'),))
    assert signer_gate(facts, "qa1").reasons == ('qa1 lowered the rule "donors"',)
    facts = replace(READY, opened=(Opened("qa1", "ended the quarantine of bank B"),))
    assert signer_gate(facts, "qa1").reasons == ("qa1 ended the quarantine of bank B",)
    assert signer_gate(facts, "qa2").is_open
    assert signer_gate(facts, "qa2").is_open
    assert closed(facts) == []


def closed(facts: LotFacts) -> list[str]:
    return [gate.name for gate in readiness(facts) if not gate.is_open]


def test_a_lot_with_nothing_against_it_is_ready():
    assert closed(READY) == []
    assert blocking_reasons(readiness(READY)) == ()


BESIDE = (
    "holds",
    "lot_review",
    "audit_review",
    "chain",
    "annex16",
    "investigations",
    "deviations",
    "origin",
    "genealogy",
)
CLOSED_BY = {
    "Disposition": replace(READY, disposition=Disposition.REJECTED),
    "Hold": replace(READY, holds=Against(("held by QA",))),
    "Specification": replace(READY, specification_problem="REL v1 is not approved"),
    "Results": replace(READY, verdicts=(PASSED, FAILED)),
    "Other stages": replace(READY, beside=("FAIL: 70 % does not meet > 80 %",)),
    "Review": replace(READY, runs=(replace(RUN, reviewed_by=frozenset()),)),
    "QC review": replace(READY, lot_review=Against(("QC has not reviewed",))),
    "Registers": replace(READY, registers=RegistersSay(stops=("LAL-1 expired",))),
    "Investigations": replace(READY, investigations=Against(("OOS-2026-000001 is open",))),
    "Deviations": replace(READY, deviations=Against(("DEV-7 is open",))),
    "Donor": replace(READY, donors=(replace(DONOR, eligibility=""),)),
    "Genealogy": replace(READY, genealogy=Against(("bank W-1 has no donation",))),
    "Expiry": replace(READY, today=LOT.expires_on + timedelta(days=1)),
    "Corrections": replace(READY, open_corrections=("C-2026-000001 waits",)),
    "Audit trail review": replace(READY, audit_review=Against(("QA has not read it",))),
    "Annex 16": replace(READY, annex16=Against(("not checked",))),
    "Audit chain": replace(READY, chain=Against(("entry 5 does not follow",))),
    "Records": replace(READY, damaged=("a measurement",)),
}


@pytest.mark.requirement("2.09")
@pytest.mark.parametrize("name", CLOSED_BY)
def test_each_gate_is_closed_by_its_own_fact_alone_and_says_what_to_do(name: str):
    facts = CLOSED_BY[name]
    assert closed(facts) == [name]
    (gate,) = (gate for gate in readiness(facts) if not gate.is_open)
    assert gate.todo
    assert blocking_reasons((gate,)) == tuple(f"{name}: {reason}" for reason in gate.reasons)


def test_a_remark_of_a_register_is_told_and_closes_nothing():
    facts = replace(READY, registers=RegistersSay(("of a measurement",), ("of a material",)))
    assert closed(facts) == []
    (gate,) = (gate for gate in readiness(facts) if gate.remarks)
    assert (gate.name, gate.remarks) == ("Registers", ("of a measurement", "of a material"))


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_looked_at_stops_is_told_and_names_its_evidence(name: str):
    found = Against(("stops", "stops too"), ("remark",), ("kind:key",))
    (gate,) = (gate for gate in readiness(replace(READY, **{name: found})) if not gate.is_open)
    assert gate.reasons == ("stops", "stops too")
    assert (gate.remarks, gate.evidence) == (("remark",), ("kind:key",))


@pytest.mark.requirement("2.07")
def test_what_was_measured_and_not_reported_is_told_beside_the_results_as_is_what_is_due():
    raw = measured("60", result_type="raw")
    unreported = Unreported(raw.run, ("release", "VIAB", "viability"), (raw,), FAILED)
    due = Against(remarks=("sterility is due on 2026-02-14",))
    facts = replace(READY, pending=due, unreported=(unreported,))
    (gate,) = (gate for gate in readiness(facts) if gate.remarks)
    assert (gate.name, gate.is_open) == ("Results", True)
    told, said = gate.remarks
    assert told == "sterility is due on 2026-02-14"
    assert "60" in said
    assert "is not reported" in said


@pytest.mark.requirement("2.06")
def test_who_reviewed_the_lot_for_qc_does_not_release_it():
    gate = signer_gate(replace(READY, qc_reviewers=frozenset({"rev2"})), "rev2")
    assert gate.reasons == ("rev2 reviewed lot MSC-1 for QC",)


def test_progress_goes_forward_with_what_was_signed_and_back_where_it_no_longer_stands():
    signed = replace(READY, qc_reviewers=frozenset({"rev"}))
    unread = replace(signed, audit_review=Against(("QA has not read it",)))
    stale = replace(signed, lot_review=Against(("the lot changed",)))
    assert progress(signed, has_samples=False) is Progress.REGISTERED
    assert progress(READY, has_samples=True) is Progress.IN_TEST
    assert progress(stale, has_samples=True) is Progress.IN_TEST
    assert progress(unread, has_samples=True) is Progress.QC_REVIEWED
    assert progress(signed, has_samples=True) is Progress.QA_REVIEW


def test_hold_and_expiry_lie_over_whatever_the_disposition_is():
    assert overlays(READY) == ()
    held = replace(READY, holds=Against(("held",)), today=LOT.expires_on + timedelta(days=1))
    assert overlays(held) == (Overlay.ON_HOLD, Overlay.EXPIRED)
    assert overlays(replace(READY, today=LOT.expires_on)) == ()
    assert overlays(replace(READY, is_depleted=True)) == (Overlay.DEPLETED,)


def test_every_gate_is_covered_above():
    assert [gate.name for gate in readiness(READY)] == list(CLOSED_BY)


def test_all_reasons_are_told_at_once():
    facts = replace(
        READY, verdicts=(FAILED, MISSING), donors=(), runs=(), specification_problem="no",
        beside=("z",), registers=RegistersSay(stops=("r",)), open_corrections=("a", "b"),
        damaged=("c",), today=date(2030, 1, 1), disposition=Disposition.RELEASED,
        **dict.fromkeys(BESIDE, Against(("s",))),
    )  # fmt: skip
    assert closed(facts) == list(CLOSED_BY)
    assert len(blocking_reasons(readiness(facts))) == 21


@pytest.mark.parametrize(
    "facts",
    [
        replace(READY, verdicts=()),
        replace(READY, runs=()),
        replace(READY, donors=()),
        replace(READY, donors=(DONOR, Donor("D2", "umbilical cord", "ineligible"))),
        replace(READY, runs=(RUN, replace(RUN, reviewed_by=frozenset({"ana", "ben"})))),
        replace(READY, disposition=Disposition.RELEASED),
    ],
)
def test_nothing_at_all_is_never_enough(facts: LotFacts):
    assert len(closed(facts)) == 1


@pytest.mark.parametrize(("days", "is_open"), [(-1, True), (0, True), (1, False)])
def test_the_expiry_date_is_the_last_usable_day(days: int, is_open: bool):
    facts = replace(READY, today=LOT.expires_on + timedelta(days=days))
    assert ("Expiry" not in closed(facts)) is is_open


@pytest.mark.requirement("2.06")
@pytest.mark.parametrize(("who", "count"), [("ana", 1), ("ben", 1), ("rev", 1), ("qa1", 0)])
def test_who_entered_measured_or_reviewed_may_not_sign_the_release(who: str, count: int):
    assert len(signer_gate(READY, who).reasons) == count


def test_who_did_both_is_told_both():
    both = replace(RUN, reviewed_by=frozenset({"ana"}))
    assert len(signer_gate(replace(READY, runs=(both,)), "ana").reasons) == 2


@pytest.mark.requirement("2.06")
def test_who_entered_or_measured_may_not_review():
    assert "a second person" in (review_problem(RUN, "ana") or "")
    assert "a second person" in (review_problem(RUN, "ben") or "")
    assert review_problem(RUN, "rev") is None


VERDICTS = st.sampled_from([PASSED, FAILED, MISSING])
FACTS = st.builds(
    LotFacts,
    lot=st.just(LOT),
    disposition=st.sampled_from(list(Disposition)),
    specification_problem=st.sampled_from(["", "none"]),
    verdicts=st.lists(VERDICTS, max_size=3).map(tuple),
    donors=st.lists(st.sampled_from([DONOR, replace(DONOR, eligibility="")]), max_size=2).map(
        tuple
    ),
    runs=st.lists(st.sampled_from([RUN, replace(RUN, reviewed_by=frozenset())]), max_size=2).map(
        tuple
    ),
    today=st.dates(date(2027, 12, 1), date(2028, 2, 1)),
    open_corrections=st.sampled_from([(), ("C",)]),
    damaged=st.sampled_from([(), ("x",)]),
    **dict.fromkeys(BESIDE, st.sampled_from([Against(), Against(("s",)), Against((), ("r",))])),
)


@settings(max_examples=200)
@given(facts=FACTS, bad=st.sampled_from([FAILED, MISSING]))
def test_a_fail_a_missing_result_or_anything_open_never_makes_a_lot_releasable(
    facts: LotFacts, bad: Verdict
):
    before = set(closed(facts))
    worse = (
        replace(facts, verdicts=(*facts.verdicts, bad)),
        replace(facts, runs=(*facts.runs, replace(RUN, reviewed_by=frozenset()))),
        replace(facts, donors=(*facts.donors, replace(DONOR, eligibility="ineligible"))),
        replace(facts, open_corrections=(*facts.open_corrections, "C-2")),
        replace(facts, damaged=(*facts.damaged, "y")),
        *(replace(facts, **{name: Against(("s",))}) for name in BESIDE),
        replace(facts, verdicts=()),
        replace(facts, runs=()),
        replace(facts, today=facts.today + timedelta(days=400)),
    )
    for one in worse:
        after = set(closed(one))
        assert after
        assert before - {"Results", "Review", "Donor"} <= after
    assert "Results" in closed(worse[0])


def test_another_result_never_turns_a_blocked_attribute_into_a_passed_one():
    for texts in (("89", "92"), ("92", "89"), ("92", "92"), ("n/a", "92")):
        rows = [measured(text, run=f"R-{n}") for n, text in enumerate(texts)]
        assert verdict_of(criterion(), *rows).blocks


@pytest.mark.requirement("2.20")
def test_a_release_that_is_to_be_certified_yet_leads_to_one_that_is():
    released = replace(READY, disposition=Disposition.RELEASED)
    assert not released.is_undecided
    assert [one.name for one in readiness(released) if not one.is_open] == ["Disposition"]
    lacking = replace(released, lacks_certification=True)
    assert lacking.is_undecided
    assert all(one.is_open for one in readiness(lacking))
