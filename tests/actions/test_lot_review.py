"""QC reviews a lot as a whole, QA its audit trail; both stand only while nothing changed."""

import pytest

from batchqc.actions.accounts import change_role
from batchqc.actions.audit_review import review_audit_trail, trail_to_read
from batchqc.actions.dispositions import Decision, release_lot
from batchqc.actions.evaluation import study
from batchqc.actions.laboratory import set_rule
from batchqc.actions.lot_review import review_whole_lot, seen_runs
from batchqc.actions.lots import the_lot
from batchqc.actions.people import sign_in
from batchqc.actions.policies import set_policy
from batchqc.actions.views import VIEWED, log_view
from batchqc.core.audit_review import OF_PEOPLE
from batchqc.core.laboratory import Register, Rule
from batchqc.core.lot_states import Progress
from batchqc.core.permissions import Permission, Role
from batchqc.core.policies import ON, Policy
from batchqc.core.review_by_exception import Why
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, NotPermitted, ReleaseBlocked
from batchqc.records.audit import newest_link
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.correcting import decide, request
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    LOT,
    QA1,
    QA2,
    QA3,
    REV,
    House,
    alone,
    results,
    signing,
)
from tests.records.tampering import tamper


def review_whole(house: House, by: str = REV) -> LotReview | Refusal:
    with house.acting(by, Permission.REVIEW_RESULTS) as tx:
        return review_whole_lot(tx, house.archive, lot=LOT, credentials=signing(by))


def read(house: House, *, by: str = QA3, **other) -> AuditReview | Refusal:
    with house.reading() as session:
        case = study(session, house.archive, lot=the_lot(session, LOT), now=house.now())
        found = trail_to_read(session, case)
    given = {"last": found.last, "head": found.head} | other
    with house.acting(by, Permission.REVIEW_AUDIT_TRAIL) as tx:
        return review_audit_trail(tx, house.archive, lot=LOT, credentials=signing(by), **given)


def closed(house: House) -> set[str]:
    return {gate.name for gate in house.study().gates if not gate.is_open}


@pytest.mark.requirement("1.06")
def test_a_lot_goes_step_by_step_and_each_step_is_signed(house: House):
    assert house.study().progress is Progress.IN_TEST
    house.upload(results())
    with pytest.raises(Conflict) as early:
        review_whole(house)
    assert early.value.code == "BQC-REV-007"
    assert all(reason.startswith("Review: ") for reason in early.value.reasons)
    house.review()
    assert isinstance(review_whole(house), LotReview)
    assert house.study().progress is Progress.QC_REVIEWED
    assert closed(house) == {"Audit trail review"}
    assert isinstance(read(house), AuditReview)
    assert house.study().progress is Progress.QA_REVIEW
    assert isinstance(house.release(), Decision)
    assert house.verify().problems == ()


@pytest.mark.requirement("1.55", "10.06")
def test_what_an_auditor_asks_for_is_routine_and_leaves_a_review_standing(house: House):
    assert VIEWED in OF_PEOPLE
    house.upload(results())
    house.review()
    review_whole(house)
    assert isinstance(read(house), AuditReview)
    for asked in (f"GET /api/v1/lots/{LOT}", f"GET /api/v1/lots/{LOT}/audit-review"):
        with house.acting(AUD, Permission.READ) as tx:
            log_view(tx, request=asked, route="GET /lots/{lot}", records={"lot": LOT})
    assert closed(house) == set()
    with house.reading() as session:
        case = study(session, house.archive, lot=the_lot(session, LOT), now=house.now())
        found = trail_to_read(session, case).selection
    assert VIEWED not in {one.entry.what for one in found.entries} | set(found.routine)
    assert isinstance(house.release(), Decision)


@pytest.mark.requirement("1.56", "1.60")
def test_a_lot_is_not_released_with_an_unread_audit_trail(house: House):
    house.upload(results())
    house.review()
    review_whole(house)
    with house.acting(QA1, Permission.RELEASE_LOT) as tx, pytest.raises(ReleaseBlocked) as blocked:
        release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    assert blocked.value.reasons == (
        "Audit trail review: QA has not reviewed the audit trail of the lot",
    )


def test_what_comes_after_the_reviews_makes_them_out_of_date(house: House):
    house.ready()
    assert closed(house) == set()
    house.upload(alone("viability", run_id="VCB-2", value="95.0"))
    assert {"QC review", "Audit trail review"} <= closed(house)
    assert house.study().progress is Progress.IN_TEST


@pytest.mark.requirement("1.54")
def test_who_did_what_is_worth_reading_does_not_review_it(house: House):
    decide(house, request(house, f"lot:{LOT}", "expires_on", "2027-05-17"))
    house.upload(results())
    house.review()
    review_whole(house)
    with pytest.raises(NotPermitted) as refused:
        read(house, by=QA2)
    assert any("correction approved" in reason for reason in refused.value.reasons)
    assert isinstance(read(house, by=QA3), AuditReview)


@pytest.mark.requirement("1.55")
def test_refused_passwords_and_changed_rights_of_its_people_and_late_results_are_read(
    house: House,
):
    house.upload(results())
    house.review()
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        assert isinstance(
            sign_in(tx, user_id=REV, password="guess guess", token="t", hours=8), Refusal
        )
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=ANA, role=Role.REVIEWER, granted=True, reason="Stands in")
    with house.reading() as session:
        case = study(session, house.archive, lot=the_lot(session, LOT), now=house.now())
        found = trail_to_read(session, case).selection
    why = {one.entry.what: one.because for one in found.entries}
    assert {"password refused", "role granted"} <= why.keys()
    assert why["upload accepted"].endswith("days after it was measured")


def test_only_the_range_that_is_there_and_nothing_unseen_is_signed(house: House):
    house.upload(results())
    with house.reading() as session:
        seen = newest_link(session)
    assert seen is not None
    assert isinstance(read(house), AuditReview)
    with pytest.raises(Conflict, match="has no entry"):
        read(house, head="0" * 64)
    with pytest.raises(Conflict, match="has no entry"):
        read(house, last=10**6)
    house.review()
    with pytest.raises(Conflict) as refused:
        read(house, last=seen.sequence, head=seen.sha256)
    assert any("results reviewed" in reason for reason in refused.value.reasons)


def test_a_rule_that_changed_after_it_was_read_is_read_before_it_is_signed(house: House):
    house.upload(results())
    house.review()
    review_whole(house)
    with house.reading() as session:
        seen = newest_link(session)
    assert seen is not None
    with house.acting(QA1, Permission.SET_POLICY) as tx:
        set_policy(tx, policy=Policy.SUPPLY_BY_EXCEPTION, value=ON, credentials=signing(QA1))
    with pytest.raises(Conflict) as refused:
        read(house, last=seen.sequence, head=seen.sha256)
    assert refused.value.code == "BQC-ATR-003"
    assert any("policy" in reason for reason in refused.value.reasons), refused.value.reasons


def test_who_uploaded_does_not_review_the_lot_as_a_whole(house: House):
    house.ready()
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=ANA, role=Role.REVIEWER, granted=True, reason="On leave")
    with pytest.raises(NotPermitted) as refused:
        review_whole(house, by=ANA)
    assert refused.value.code == "BQC-REV-006"


def test_runs_are_seen_by_exception(house: House):
    house.upload(results(viability="89"))
    case = house.study()
    with house.reading() as session:
        seen = seen_runs(session, house.archive, study(
            session, house.archive, lot=the_lot(session, LOT), now=house.now()
        ))  # fmt: skip
    assert len(seen) == len(case.runs)
    listed = {one.run.test: {each.why for each in one.exceptions} for one in seen}
    assert Why.OOS in listed["VIAB"]
    assert all(Why.LATE in whys for whys in listed.values())  # the house enters a year late


@pytest.mark.requirement("1.15")
@pytest.mark.parametrize("table", ["lot_review", "audit_review"])
def test_a_removed_or_changed_review_is_found(house: House, table: str):
    house.ready()
    tamper(house.engine, f"UPDATE {table} SET content_sha = '{'0' * 64}'")  # noqa: S608
    assert "Records" in closed(house)
    tamper(house.engine, f"DELETE FROM {table}")  # noqa: S608
    assert "Records" in closed(house)
    assert any(table in problem for problem in house.verify().problems)


_SIGNED = "(SELECT max(last) FROM audit_review)"
_NEWEST = "(SELECT * FROM (SELECT max(sequence) FROM audit_link) AS newest)"


@pytest.mark.requirement("1.15")
@pytest.mark.parametrize(
    ("altered", "said"),
    [
        ("UPDATE audit_link SET entry_sha256 = '00' WHERE sequence = <newest>", "not follow"),
        ("DELETE FROM audit_link WHERE sequence = <signed> + 1", "does not follow"),
        ("DELETE FROM audit_link WHERE sequence = <signed>", "not the one whose head QA signed"),
        ("DELETE FROM audit_link WHERE sequence >= <signed>", "is missing"),
        ("UPDATE audit_review SET head = ''", "not the one whose head QA signed"),
    ],
)
def test_links_since_what_qa_signed_follow_from_it(house: House, altered: str, said: str):
    house.ready()
    for number in range(3):
        with house.acting(AUD, Permission.READ) as tx:
            log_view(tx, request=f"{number}", route="GET /lots/{lot}", records={"lot": LOT})
    assert not closed(house)
    tamper(house.engine, altered.replace("<newest>", _NEWEST).replace("<signed>", _SIGNED))
    told = [said for gate in house.study().gates for said in gate.reasons]
    assert any("of the audit trail" in one and said in one for one in told), told


@pytest.mark.requirement("1.55")
@pytest.mark.parametrize("what", ["rule", "policy"])
def test_a_changed_rule_is_read_before_the_release_and_not_by_who_changed_it(
    house: House, what: str
):
    house.ready()
    if what == "rule":
        with house.acting(QA1, Permission.SET_REGISTER_RULE) as tx:
            set_rule(tx, register=Register.LABORATORIES, rule=Rule.FLAG, reason="As the SOP has it")
    else:
        with house.acting(QA1, Permission.SET_POLICY) as tx:
            set_policy(tx, policy=Policy.SUPPLY_BY_EXCEPTION, value=ON, credentials=signing(QA1))
    assert closed(house) == {"Audit trail review"}
    with pytest.raises(NotPermitted):
        read(house, by=QA1)
    assert isinstance(read(house, by=QA3), AuditReview)


@pytest.mark.requirement("1.54")
@pytest.mark.parametrize("person", [ANA, REV])
def test_who_worked_on_a_lot_does_not_read_its_trail(house: House, person: str):
    house.upload(results())
    house.review()
    review_whole(house)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=person, role=Role.QA, granted=True, reason="On leave")
    with pytest.raises(NotPermitted) as refused:
        read(house, by=person)
    assert any("you entered, measured, typed" in one for one in refused.value.reasons)
    assert ("you reviewed the lot for QC" in refused.value.reasons) == (person == REV)


def test_a_lot_that_is_decided_is_reviewed_no_more(house: House):
    house.ready()
    assert isinstance(house.release(), Decision)
    with pytest.raises(Conflict):
        review_whole(house)
