"""A result that fails is investigated; what is measured again counts by the conclusion alone."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.investigation_opening import sweep
from batchqc.actions.investigations import (
    extend_due_date,
    perform_phase_one,
    reopen,
)
from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.actions.recheck import recheck
from batchqc.actions.retest_plans import NewPlan
from batchqc.actions.siblings import Sibling, siblings_of
from batchqc.actions.tracing import trace_cell
from batchqc.core.conclusions import Cause, Wanted
from batchqc.core.investigations import Finding, State
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict, InvalidInput, NotFound, NotPermitted, ReleaseBlocked
from batchqc.records.decisions import Certificate
from batchqc.records.investigations import InvestigationRow, InvestigationStep
from batchqc.records.uploads import Upload
from tests.actions.investigating import (
    EVERY_YES,
    METHOD,
    OOS,
    PLAN,
    case_of,
    conclude_cause,
    concluded,
    perform,
    plan,
    planned,
    retest,
    review_phase,
)
from tests.actions.large_files import Large
from tests.actions.state import counts, grown
from tests.cast import MADE_ON, TAKEN_AT
from tests.records.house import (
    ANA,
    BEN,
    DONOR,
    EXPIRES_ON,
    LOT,
    PRODUCT,
    QA1,
    House,
    alone,
    but_reviews,
    results,
    signing,
)  # fmt: skip
from tests.records.laboratory import adopt_method
from tests.records.tampering import tamper

STANDS = Wanted(Finding.ORIGINAL_STANDS, "No cause was found in the laboratory")


def gate(house: House, name: str = "Investigations") -> tuple[str, ...]:
    return next(one.reasons for one in house.study().gates if one.name == name)


def viability(house: House) -> tuple[str, str]:
    found = next(one for one in house.study().verdicts if one.criterion.id == "viability")
    return str(found.outcome), found.sentence


def numbers(house: House) -> list[str]:
    with house.reading() as session:
        rows = session.scalars(select(InvestigationRow).order_by(InvestigationRow.id))
        return [row.natural_key for row in rows]


@pytest.mark.requirement("2.01")
@pytest.mark.requirement("3.14")
def test_a_result_that_fails_opens_its_investigation_and_closes_the_gate(house: House):
    assert house.upload(results(viability="89.1")).accepted
    case = case_of(house)
    assert (case.row.criterion, case.now.state) == ("viability", State.PHASE_I)
    assert case.row.sentence.startswith("FAIL: 89.1 % does not meet > 90 %")
    assert case.now.due_on == date(2026, 7, 1)
    assert [one[:3] for one in json.loads(case.row.runs)] == [
        ["U-2026-000001", "VIAB", "VCB-250520-01"]
    ]
    assert gate(house) == (f"{OOS} (viability): phase I is to be performed",)
    assert house.upload(alone("viability", value="95", run_id="")).accepted
    assert house.upload(alone("viability", value="96"), supersedes="Exported anew").accepted
    assert numbers(house) == [OOS]
    house.now.at += timedelta(days=40)
    remarks = next(one.remarks for one in house.study().gates if one.name == "Investigations")
    assert remarks == (f"{OOS} is overdue since 2026-07-01",)


@pytest.mark.requirement("3.01")
def test_what_fails_beside_something_else_is_investigated_too(house: House):
    assert house.upload(results(viability="93")).accepted
    assert numbers(house) == []
    assert house.upload(alone("viability", value="89", run_id="VCB-2")).accepted
    assert house.upload(alone("viability", value="88"), supersedes="Exported anew").accepted
    found = [next(iter(case_of(house, number).now.runs)).upload for number in numbers(house)]
    assert found == ["U-2026-000002", "U-2026-000003"]


@pytest.mark.requirement("3.06")
def test_no_file_takes_the_place_of_the_one_retest_that_counts(house: House):
    adopt_method(house, METHOD)
    assert house.upload(alone("viability", value="89.1")).accepted
    perform(house)
    review_phase(house)
    plan(house, replace(PLAN, retests=1))
    assert house.upload(results(viability=None)).accepted
    assert retest(house, "95.1", "VCB-R1").accepted
    assert isinstance(house.review(), list)
    assert isinstance(conclude_cause(house), InvestigationStep)
    assert viability(house)[0] == "PASS"
    unplanned = alone("viability", value="99", run_id="VCB-R1")
    assert house.upload(unplanned, supersedes="Wrong cell").accepted
    outcome, said = viability(house)
    assert outcome == "CANNOT_JUDGE"
    assert "two results, no authorised retest: 95.1 in run VCB-R1" in said


@pytest.mark.requirement("3.06")
@pytest.mark.requirement("3.08")
@pytest.mark.requirement("1.33")
def test_retests_count_by_the_conclusion_and_the_certificate_says_so(house: House):
    planned(house)
    assert house.upload(results(viability=None)).accepted
    for text, run in (("95.1", "VCB-R1"), ("94.2", "VCB-R2")):
        report = retest(house, text, run)
        assert report.accepted, report.reading.problems
        outcome, said = viability(house)
        assert outcome == "FAIL"
        assert f"{text} in run {run} (VIAB) of {report.number}, retest under {OOS}" in said
    assert isinstance(house.review(), list)
    assert isinstance(conclude_cause(house), InvestigationStep)
    outcome, said = viability(house)
    assert outcome == "PASS"
    assert "original invalidated by OOS-2026-000001 (instrument failure)" in said
    assert gate(house) == ()
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        certificate = session.scalars(select(Certificate)).one()
        content = json.loads(house.archive.get(certificate.content_sha))
    line = next(one for one in content["lines"] if one["criterion"] == "viability")
    assert line["result"] == "95.1; 94.2"
    notes = " ".join(content["notes"][number - 1] for number in line["notes"])
    assert f"retested under {OOS} (retests: 2, each judged alone)" in notes
    assert "89.1 in run VCB-250520-01 (VIAB) of U-2026-000001, original invalidated" in notes
    assert any(f"contradictory: 1 ({OOS})" in one for one in content["statements"])
    with house.acting(QA1, Permission.CONCLUDE_INVESTIGATION) as tx:
        assert isinstance(reopen(tx, number=OOS, credentials=signing(QA1)), InvestigationStep)
    (held,) = gate(house, "Hold")
    assert held.endswith(f"(investigation, hold 1): {OOS} is open again")
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()
    assert house.verify().problems == ()


@pytest.mark.requirement("3.09")
def test_one_retest_that_fails_is_enough(house: House):
    planned(house)
    retest(house, "99", "VCB-R1")
    retest(house, "89.9", "VCB-R2")
    house.review()
    conclude_cause(house)
    outcome, said = viability(house)
    assert outcome == "FAIL"
    assert "each judged alone" in said
    assert numbers(house) == [OOS]


@pytest.mark.requirement("3.08")
def test_where_the_original_stands_it_fails_whatever_the_retests_say(house: House):
    planned(house)
    retest(house, "95", "VCB-R1")
    retest(house, "95", "VCB-R2")
    assert isinstance(concluded(house, STANDS), InvestigationStep)
    assert viability(house)[0] == "FAIL"
    assert "which does not let it count" in viability(house)[1]
    assert gate(house) == ()
    with house.reading() as session:
        place = (2, "value")
        found = trace_cell(
            session, house.archive, number="U-2026-000002", place=place, now=house.now()
        )
    assert found.not_used == f"it is a retest under {OOS}, and no conclusion lets it count"


def test_what_comes_in_after_the_conclusion_is_a_second_result(house: House):
    planned(house)
    retest(house, "95", "VCB-R1")
    retest(house, "95", "VCB-R2")
    house.review()
    conclude_cause(house)
    assert viability(house)[0] == "PASS"
    house.upload(alone("viability", value="96", run_id="VCB-9"))
    assert viability(house)[0] == "CANNOT_JUDGE"


def test_a_conclusion_that_is_opened_again_counts_no_more(house: House):
    planned(house)
    retest(house, "95", "VCB-R1")
    retest(house, "95", "VCB-R2")
    house.review()
    conclude_cause(house)
    with house.acting(QA1, Permission.CONCLUDE_INVESTIGATION) as tx:
        assert isinstance(reopen(tx, number=OOS, credentials=signing(QA1)), InvestigationStep)
    assert viability(house)[0] == "FAIL"
    assert case_of(house).now.state is State.RETESTS
    with pytest.raises(Conflict, match="retests are in"):
        plan(house)


@pytest.mark.requirement("3.06")
def test_a_run_without_a_plan_is_set_aside_with_the_original_and_never_counts(house: House):
    assert house.upload(alone("viability", value="89")).accepted
    assert house.upload(alone("viability", value="95", run_id="VCB-2")).accepted
    assert viability(house)[0] == "CANNOT_JUDGE"
    perform(house)
    review_phase(house)
    conclude_cause(house)
    outcome, said = viability(house)
    assert outcome == "CANNOT_JUDGE"
    assert "95 in run VCB-2 (VIAB) of U-2026-000002, set aside by" in said


def test_a_corrected_version_counts_after_a_cause_in_the_data(house: House):
    assert house.upload(alone("viability", value="8.91")).accepted
    assert house.upload(alone("viability", value="98.1"), supersedes="Wrong cell").accepted
    perform(house)
    review_phase(house)
    with pytest.raises(Conflict, match="a cause in data only"):
        conclude_cause(house, corrected=True)
    assert viability(house)[0] == "CANNOT_JUDGE"
    house.review()
    conclude_cause(house, cause=Cause.DATA, corrected=True)
    assert viability(house)[0] == "PASS"


@pytest.mark.requirement("3.05")
@pytest.mark.requirement("3.03")
@pytest.mark.requirement("3.04")
@pytest.mark.requirement("3.07")
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"measured_at": "2026-05-31T10:00:00-05:00"}, "before the plan was approved"),
        ({"started_at": "2026-05-31T10:00:00-05:00"}, "before the plan was approved"),
        ({"analyst": ANA}, "ana measured it; the plan names ben"),
        ({"method_id": "SOP-QC-014 v2"}, "SOP-QC-014 v2 is not SOP-QC-014 v3"),
        ({"method_id": "SOP-QC-014"}, "SOP-QC-014 is not SOP-QC-014 v3"),
        ({"sample_id": f"{LOT}-S02"}, "is not a sample of the plan"),
        ({"result_type": "investigational"}, "an investigational result replaces no original"),
        ({"run_id": ""}, "a retest has a run id of its own"),
    ],
)  # fmt: skip
def test_a_retest_that_is_not_as_planned_is_refused(house: House, cells: dict[str, str], said: str):
    planned(house)
    before = counts(house.engine)
    report = retest(house, "95", "VCB-R1", **cells)
    assert not report.accepted
    assert any(said in one.message for one in report.reading.problems if one.code == "E408")
    assert set(grown(house.engine, before)) == {"upload", *_TRAIL}


_TRAIL = ("audit_entry", "audit_link", "audit_subject", "event")


@pytest.mark.requirement("3.03")
def test_the_retest_too_many_is_refused_and_a_plan_is_never_raised(house: House):
    planned(house)
    assert retest(house, "95", "VCB-R1").accepted
    with pytest.raises(Conflict, match="retests are in"):
        plan(house)
    assert retest(house, "95", "VCB-R2").accepted
    report = retest(house, "95", "VCB-R3")
    assert [one.message for one in report.reading.problems] == [
        "retest 3 of 2 that the plan allows; 2 are in"
    ]


@pytest.mark.requirement("3.06")
@pytest.mark.parametrize("number", [OOS, "OOS-2026-000009", "nonsense"])
def test_there_is_no_retest_without_an_investigation_and_its_plan(house: House, number: str):
    assert house.upload(alone("viability", value="89.1")).accepted
    report = retest(house, "95", "VCB-R1", number)
    assert not report.accepted
    assert [one.code for one in report.reading.problems] == ["E408"]


def test_a_file_of_retests_holds_nothing_else(house: House):
    planned(house)
    report = house.upload(results(viability="95"), by=BEN, retest=OOS)
    said = {one.message for one in report.reading.problems}
    assert "FLOW CD73 is not what OOS-2026-000001 retests" in said
    with pytest.raises(InvalidInput, match="BQC-OOS-013"):
        house.upload(alone("viability"), supersedes="Exported anew", retest=OOS)


def test_the_number_is_read_as_people_write_it(house: House):
    planned(house)
    assert retest(house, "95", "VCB-R1", OOS.lower()).accepted
    with house.reading() as session:
        assert session.scalars(select(Upload.retest).where(Upload.retest != "")).all() == [OOS]


@pytest.mark.requirement("3.02")
@pytest.mark.requirement("3.10")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"retests": 3}, "allows 2 retests, and the plan asks for 3"),
        ({"retests": 1, "resamples": 2}, "allows 2 retests"),
        ({"retests": 0}, "one retest at least"),
        ({"analysts": (ANA,)}, "name a second analyst"),
        ({"analysts": ("nobody",)}, "nobody has the user id nobody"),
        ({"analysts": ()}, "no second analyst is named"),
        ({"method": "SOP-QC-021", "version": "5"}, "another method"),
        ({"version": "4"}, "does not say how many retests"),
        ({"test": "FLOW"}, "nothing of FLOW is under investigation"),
        ({"resamples": 1, "retests": 1}, "new samples are named"),
        ({"resamples": 1, "retests": 1, "new_samples": (f"{LOT}-S02",)}, "record why a new sample"),
        ({"resamples": 1, "retests": 1, "new_samples": (f"{LOT}-S09",)}, "no registered sample"),
        ({"analysts": (ANA,), "same_analyst": "Dixon shows an outlier"}, "informational only"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_approved_says_why(
    house: House, change: dict[str, object], said: str
):
    adopt_method(house, METHOD)
    house.upload(alone("viability", value="89.1"))
    perform(house)
    review_phase(house)
    with pytest.raises(Conflict) as refused:
        plan(house, replace(PLAN, **change))  # type: ignore[arg-type]
    assert any(said in one for one in refused.value.reasons)


@pytest.mark.requirement("3.05")
def test_a_new_sample_is_drawn_where_qa_agreed_with_a_reason(house: House):
    adopt_method(house, METHOD)
    house.upload(alone("viability", value="89.1"))
    perform(house)
    review_phase(house)
    new = NewPlan(
        "SOP-QC-014", "3", (BEN, ANA), 1, 1, (f"{LOT}-S02",),
        same_analyst="Nobody else is trained", resample_because="The vial was spilt",
    )  # fmt: skip
    plan(house, new)
    assert retest(house, "95", "VCB-R1", sample_id=f"{LOT}-S02").accepted
    assert not retest(house, "95", "VCB-R2", sample_id=f"{LOT}-S02").accepted
    with pytest.raises(Conflict, match="2 valid retests; 1 are in"):
        conclude_cause(house)
    assert retest(house, "95", "VCB-R3", analyst=ANA).accepted
    house.review()
    assert isinstance(conclude_cause(house), InvestigationStep)


@pytest.mark.requirement("3.02")
def test_nothing_follows_before_phase_one_is_performed_and_reviewed_by_another(house: House):
    adopt_method(house, METHOD)
    house.upload(alone("viability", value="89.1"))
    for work in (lambda: plan(house), lambda: concluded(house, STANDS)):
        with pytest.raises(Conflict, match="phase I is to be performed"):
            work()
    answers = EVERY_YES | {"method": ("no", ""), "moon": ("yes", "")}
    del answers["identity"]
    with pytest.raises(InvalidInput) as refused, house.acting(ANA, Permission.INVESTIGATE) as tx:
        perform_phase_one(tx, number=OOS, answers=answers, hypothesis="", credentials=signing(ANA))
    assert len(refused.value.reasons) == 3
    perform(house)
    with pytest.raises(NotPermitted, match="BQC-OOS-006"):
        review_phase(house, by=ANA)
    review_phase(house)
    with pytest.raises(Conflict, match="BQC-OOS-003"):
        perform(house)
    with pytest.raises(Conflict, match="BQC-OOS-005"):
        review_phase(house)


@pytest.mark.requirement("2.07")
@pytest.mark.requirement("3.10")
@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(Finding.LABORATORY_CAUSE, "The counter was blocked"), "name the cause"),
        (Wanted(Finding.LABORATORY_CAUSE, "The counter", cause=Cause.REAGENT, document="0" * 64),
         "name the document with the evidence"),
        (Wanted(Finding.LABORATORY_CAUSE, "It is an outlier", cause=Cause.ANALYST),
         "informational only"),
        (Wanted(Finding.ORIGINAL_STANDS, "It stands", cause=Cause.ANALYST), "there is no cause"),
        (Wanted(Finding.LABORATORY_CAUSE, "The counter", "FLOW", Cause.REAGENT), "name the test"),
        (Wanted(Finding.LABORATORY_CAUSE, "The counter", "", Cause.DATA, corrected=True),
         "a cause in data only"),
    ],
)  # fmt: skip
def test_a_conclusion_without_grounds_says_what_is_missing(house: House, wanted: Wanted, said: str):
    planned(house)
    with pytest.raises(Conflict) as refused:
        concluded(house, wanted)
    assert any(said in one for one in refused.value.reasons)


@pytest.mark.requirement("3.08")
def test_who_reviewed_does_not_conclude_and_a_conclusion_is_one(house: House):
    house.upload(alone("viability", value="89.1"))
    perform(house)
    review_phase(house, by=QA1)
    with pytest.raises(Conflict, match="another QA person concludes"):
        concluded(house, STANDS, by=QA1)
    assert isinstance(concluded(house, STANDS), InvestigationStep)
    with pytest.raises(Conflict, match="concluded"):
        concluded(house, STANDS)
    with pytest.raises(Conflict, match="BQC-OOS-007"):
        conclude_cause(house)


@pytest.mark.requirement("3.14")
def test_a_due_day_moves_later_with_a_reason(house: House):
    house.upload(alone("viability", value="89.1"))

    def due(day: date) -> None:
        with house.acting(QA1, Permission.CONCLUDE_INVESTIGATION) as tx:
            extend_due_date(tx, number=OOS, due_on=day, credentials=signing(QA1))

    due(date(2026, 8, 1))
    assert case_of(house).now.due_on == date(2026, 8, 1)
    with pytest.raises(InvalidInput, match="BQC-OOS-009"):
        due(date(2026, 7, 1))
    with (
        pytest.raises(Conflict, match="BQC-OOS-010"),
        house.acting(QA1, Permission.CONCLUDE_INVESTIGATION) as tx,
    ):
        reopen(tx, number=OOS, credentials=signing(QA1))
    with pytest.raises(NotFound, match="BQC-OOS-001"):
        case_of(house, "OOS-2026-000002")
    perform(house)
    review_phase(house)
    concluded(house, STANDS)
    with pytest.raises(Conflict, match="BQC-OOS-008"):
        due(date(2026, 9, 1))


@pytest.mark.requirement("3.12")
def test_an_investigation_goes_on_where_the_lot_is_rejected(house: House):
    house.upload(alone("viability", value="89.1"))
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        assert isinstance(
            reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1)), Decision
        )
    perform(house)
    review_phase(house)
    assert isinstance(concluded(house, STANDS), InvestigationStep)
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()


@pytest.mark.requirement("2.01")
def test_what_nothing_investigates_closes_the_gate_until_a_sweep_opens_it(
    house: House, tmp_path: Path
):
    """Files that are too large for verdicts open nothing."""
    assert Large(house, tmp_path).upload(alone("viability", value="89.1")).accepted
    (reason,) = gate(house)
    assert reason.startswith("nothing investigates: FAIL: 89.1 %")
    for opened in ([OOS], []):
        with house.acting(ANA, Permission.INVESTIGATE) as tx:
            found, after = sweep(tx, house.archive)
            assert found == opened
        with house.acting(ANA, Permission.INVESTIGATE) as tx:
            assert sweep(tx, house.archive, after=after) == ([], 0)


@pytest.mark.requirement("2.01")
def test_lots_that_share_something_are_listed_with_their_disposition(house: House):
    other = "MSC-26-0099"
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        sample = NewSample(f"{other}-S01", "release", "cryovial", TAKEN_AT.isoformat())
        register_lot(tx, NewLot(other, PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,), (sample,)))
    house.upload(alone("viability", value="89.1"))
    with house.reading() as session:
        assert siblings_of(session, the_lot(session, LOT)) == [
            Sibling(other, (f"donor {DONOR}",), "quarantine")
        ]


@pytest.mark.requirement("1.05")
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM investigation_step WHERE kind = 'conclusion'", "is missing"),
        (
            "UPDATE investigation_step SET detail = '{}' WHERE kind = 'conclusion'",
            "of other content",
        ),
        ("UPDATE investigation SET runs = '[]'", "is not as its audit entry says"),
    ],
)
def test_whoever_changes_an_investigation_is_noticed(house: House, statement: str, said: str):
    house.upload(alone("viability", value="89.1"))
    perform(house)
    review_phase(house)
    concluded(house, STANDS)
    tamper(house.engine, statement)
    assert any(said in one for one in house.study().facts.damaged)
    assert house.verify().problems != ()


def test_a_blocked_release_names_the_investigation(house: House):
    house.upload(results(viability="89.1"))
    house.review()
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    told = [one.split(":")[0] for one in but_reviews(blocked.value.reasons)]
    assert told == ["Results", "Investigations"]


@pytest.mark.requirement("3.06")
@pytest.mark.parametrize("how", ["another run", "an edited file"])
def test_after_a_cause_without_a_retest_nothing_new_counts_alone(house: House, how: str):
    assert house.upload(results(viability="89.1")).accepted
    perform(house)
    review_phase(house)
    house.review()
    conclude_cause(house)
    if how == "another run":
        early = "2025-05-20T12:00:00-05:00"
        again = alone("viability", value="93.4", run_id="VCB-OTHER", measured_at=early)
        assert house.upload(again).accepted
    else:
        assert house.upload(alone("viability", value="93.4"), supersedes="typing error").accepted
    house.review()
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert any("viability" in one for one in blocked.value.reasons)
