"""Several lots are reviewed in one act: proved once, each signed by itself, all or none."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from batchqc.actions.accountability import accept_accountability
from batchqc.actions.accounts import change_role
from batchqc.actions.audit_review import (
    TrailRead,
    review_audit_trails,
    trail_content,
    trail_to_read,
)
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.links import link_account
from batchqc.actions.lot_review import lot_review_content, review_whole_lots, seen_runs
from batchqc.actions.lots import the_lot
from batchqc.actions.people import register_person
from batchqc.actions.reviews import review_lots
from batchqc.actions.run_facts import review_content
from batchqc.actions.signing import Credentials
from batchqc.actions.visits import Ticket, Vouched, begin_visit, prove_by_visit
from batchqc.core.accountability import STATEMENT
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.late_entries import Paper
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import FAILURES_BEFORE_LOCK, Meaning, Refusal
from batchqc.errors import BatchqcError, Conflict, InvalidInput
from batchqc.records.lot_reviews import AuditReview, LotReview, audit_reviews_of, lot_reviews_of
from batchqc.records.uploads import Review, reviews_of, runs_of
from tests.actions.state import counts, grown
from tests.actions.test_open_work import register
from tests.records.house import ADM, ANA, LOT, QA3, REV, WHY, House, results, signing

OTHER, THIRD, OTTO = "MSC-26-0021", "MSC-26-0022", "otto"
TWO = (LOT, OTHER)


@pytest.fixture
def house(house: House) -> House:
    """Two lots whose results are in, and one without."""
    for lot in (OTHER, THIRD):
        register(house, lot)
    for lot in TWO:
        assert house.upload(results(lot=lot)).accepted
    return house


def review(house: House, *lots: str, by: str = REV, **told: str) -> list[list[Review]] | Refusal:
    with house.acting(by, Permission.REVIEW_RESULTS) as tx:
        return review_lots(tx, house.archive, lots=lots, credentials=signing(by, **told))


def review_whole(house: House, *lots: str) -> list[LotReview] | Refusal:
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        return review_whole_lots(tx, house.archive, lots=lots, credentials=signing(REV))


def read(house: House, *lots: str) -> list[TrailRead]:
    found = []
    with house.reading() as session:
        for lot in lots:
            case = study(session, house.archive, lot=the_lot(session, lot), now=house.now())
            told = trail_to_read(session, case)
            found.append(TrailRead(lot, told.last, told.head))
    return found


def review_trails(
    house: House, trails: Sequence[TrailRead], *, by: str = QA3, given: Credentials | None = None
) -> list[AuditReview] | Refusal:
    with house.acting(by, Permission.REVIEW_AUDIT_TRAIL) as tx:
        return review_audit_trails(tx, house.archive, read=trails, credentials=given or signing(by))


def refused(house: House, act: object) -> BatchqcError:
    """The error, after which nothing is written."""
    before = counts(house.engine)
    with pytest.raises(BatchqcError) as error:
        act()  # type: ignore[operator]
    assert grown(house.engine, before) == {}
    return error.value


def contents(house: House, look: Callable[[Session, LotCase], Json]) -> list[str]:
    """The hash of what would be signed of each lot alone."""
    with house.reading() as session:
        cases = [
            study(session, house.archive, lot=the_lot(session, one), now=house.now()) for one in TWO
        ]
        return [sha256_of(look(session, case)) for case in cases]


@pytest.mark.requirement("1.18")
def test_each_lot_of_a_series_is_signed_as_it_is_alone(house: House):
    before = counts(house.engine)
    assert isinstance(review(house, *TWO), list)
    grew = grown(house.engine, before)
    assert (grew["signature"], grew["attempt"]) == (2, 1)
    whole = contents(
        house,
        lambda session, case: lot_review_content(case, seen_runs(session, house.archive, case)),
    )
    assert isinstance(review_whole(house, *TWO), list)
    trails = {one.lot: one for one in read(house, *TWO)}

    def trail(session: Session, case: LotCase) -> Json:
        one = trails[case.row.lot]
        return trail_content(case, trail_to_read(session, case), one.last, one.head)

    trail_shas = contents(house, trail)
    assert isinstance(review_trails(house, list(trails.values())), list)
    with house.reading() as session:
        rows = [the_lot(session, lot) for lot in TWO]
        runs = [runs_of(session, row) for row in rows]
        reviews = [reviews_of(session, each) for each in runs]
        assert [len(each) for each in reviews] == [len(each) for each in runs]
        signed = [{one.signature.record_sha256 for one in each} for each in reviews]
        assert signed == [{review_content(each)} for each in runs]
        kept = [lot_reviews_of(session, row)[0] for row in rows]
        kept_trails = [audit_reviews_of(session, row)[0] for row in rows]
        assert [one.content_sha for one in kept] == whole
        assert [one.content_sha for one in kept_trails] == trail_shas
        for one in (*kept, *kept_trails):
            assert house.archive.get(one.content_sha)
            assert one.signature.record == one.lot.key
            assert one.signature.meaning == Meaning.REVIEWED
            assert one.signature.sha256 == one.signature.signing.sha256
    assert all(house.study(lot).is_ready for lot in TWO)
    assert house.verify().problems == ()


@pytest.mark.requirement("1.18")
def test_all_that_speaks_against_any_lot_is_told_and_nothing_is_written(house: House):
    house.review(OTHER)
    error = refused(house, lambda: review(house, LOT, OTHER, THIRD, "MSC-26-9999"))
    assert isinstance(error, Conflict)
    assert error.code == "BQC-REV-008"
    assert error.reasons == (
        "MSC-26-9999: there is no lot MSC-26-9999 (BQC-REG-012)",
        f"{OTHER}: lot {OTHER} has no run left for rev to review (BQC-REV-003)",
        f"{THIRD}: lot {THIRD} has no run left for rev to review (BQC-REV-003)",
    )
    error = refused(house, lambda: review_whole(house, *TWO))
    assert error.code == "BQC-REV-008"
    assert len(error.reasons) > 1
    assert all(one.startswith(f"{LOT}: lot {LOT} is not ready") for one in error.reasons)
    house.review()
    assert isinstance(review_whole(house, *TWO), list)
    trails = read(house, *TWO)
    wrong = [trails[0], TrailRead(OTHER, trails[1].last, "0" * 64)]
    (reason,) = refused(house, lambda: review_trails(house, wrong)).reasons
    assert reason.startswith(f"{OTHER}: the audit trail has no entry")


@pytest.mark.requirement("2.06")
def test_who_entered_one_of_the_lots_signs_none_of_them(house: House):
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=ANA, role=Role.REVIEWER, granted=True, reason="On leave")
    error = refused(house, lambda: review(house, *TWO, by=ANA))
    assert error.code == "BQC-REV-008"
    assert {one.split(":")[0] for one in error.reasons} == set(TWO)
    assert all("(BQC-REV-004): " in one for one in error.reasons)


@pytest.mark.parametrize("lots", [(), (LOT, LOT.lower()), tuple(f"MSC-26-{n}" for n in range(51))])
def test_a_series_names_each_lot_once_and_not_too_many(house: House, lots: tuple[str, ...]):
    error = refused(house, lambda: review(house, *lots))
    assert isinstance(error, InvalidInput)
    assert error.code == "BQC-REV-009"


@pytest.mark.requirement("1.18", "1.24")
def test_a_wrong_password_is_one_failed_attempt_and_signs_nothing(house: House):
    for _ in range(FAILURES_BEFORE_LOCK - 1):
        before = counts(house.engine)
        found = review(house, *TWO, password="not the password")
        assert isinstance(found, Refusal)
        assert found.code == "BQC-SIG-001"
        grew = grown(house.engine, before)
        assert grew["attempt"] == 1
        assert not {"signature", "review"} & grew.keys()
    assert isinstance(review(house, *TWO), list)


def test_a_series_is_not_entered_from_paper(house: House):
    review(house, *TWO)
    paper = Paper("2026-02-02T10:00:00-06:00", "F-12")
    given = Credentials(REV, signing(REV).password, WHY, paper=paper)

    def act() -> None:
        with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
            review_whole_lots(tx, house.archive, lots=TWO, credentials=given)

    assert refused(house, act).code == "BQC-LAT-002"


@pytest.mark.requirement("1.18", "1.19")
def test_a_step_up_proves_the_lots_that_it_names_and_no_others(house: House):
    review(house, *TWO)
    review_whole(house, *TWO)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        register_person(tx, user_id=OTTO, name="Otto", roles=[Role.QA], password=None)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        link_account(tx, user_id=OTTO, issuer="https://a", subject="otto", reason="Seen by HR")

    def proof(record: str, meaning: Meaning) -> Credentials:
        ticket = Ticket(f"{record} {house.now()}")
        with house.alone(OTTO) as tx:
            begin_visit(tx, ticket=ticket, record=record, meaning=meaning)
        with house.alone(OTTO) as tx:
            vouched = Vouched("https://a", "otto", tx.now + timedelta(seconds=1))
            assert not isinstance(prove_by_visit(tx, ticket=ticket, vouched=vouched), Refusal)
        return Credentials(OTTO, "", WHY, step_up=ticket.text)

    given = proof(STATEMENT.key, Meaning.ACCEPTED)
    with house.alone(OTTO) as tx:
        accepted = accept_accountability(tx, read=STATEMENT.sha256, credentials=given)
        assert not isinstance(accepted, Refusal)
    trails = read(house, *TWO)
    for named in (f"lot:{LOT}", f"lot:{LOT}, lot:{OTHER}, lot:{THIRD}"):
        given = proof(named, Meaning.REVIEWED)
        found = review_trails(house, trails, by=OTTO, given=given)
        assert isinstance(found, Refusal)
        assert found.code == "BQC-SIG-014"
    given = proof(f"lot:{LOT}, lot:{OTHER}", Meaning.REVIEWED)
    assert isinstance(review_trails(house, trails, by=OTTO, given=given), list)
    assert all(house.study(lot).is_ready for lot in TWO)  # the proof does not outdate the review
    given = proof(f"lot:{LOT}, lot:{OTHER}", Meaning.REVIEWED)
    again = review_trails(house, read(house, *TWO), by=OTTO, given=given)
    assert isinstance(again, list)  # nor is it something that its reader did with the lot
    assert all(house.study(lot).is_ready for lot in TWO)
