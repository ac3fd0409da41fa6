"""Review, release and rejection: who, when, and every reason why not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from batchqc.actions.accounts import change_role
from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.core.canonical import sha256_of
from batchqc.core.certificates import content_sha256
from batchqc.core.gates import blocking_reasons
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, InvalidInput, NotPermitted, ReleaseBlocked
from batchqc.records.people import person_by
from batchqc.records.transaction import transaction
from tests.actions.state import TRAIL, counts, grown
from tests.cast import NOW
from tests.records.house import (
    ADM,
    ANA,
    BEN,
    GOOD,
    LOT,
    QA1,
    QA2,
    REV,
    House,
    but_reviews,
    results,
    signing,
)

ATTEMPT = TRAIL | {"attempt"}


def grant(house: House, user_id: str, role: Role) -> None:
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=user_id, role=role, granted=True, reason="Stands in for a while")


def only(analyte: str) -> dict[str, None]:
    """What to leave out of a file so that one analyte remains."""
    return {name: None for name in GOOD if name != analyte}


@pytest.mark.requirement("2.09")
def test_a_lot_with_good_reviewed_results_is_released_with_its_certificate(house: House):
    house.ready()
    decision = house.release()
    assert isinstance(decision, Decision)
    case = house.study()
    assert case.disposition is Disposition.RELEASED
    with house.reading() as session:
        certificate = the_certificate(session, "COA-2026-000001")
        content = content_of_certificate(house.archive, certificate)
        assert certificate.content_sha == content_sha256(content) == sha256_of(content)  # type: ignore[arg-type]
    assert content["lot"]["id"] == LOT
    assert {line["verdict"] for line in content["lines"]} == {"PASS"}
    assert house.verify().problems == ()


@pytest.mark.requirement("1.13", "1.38", "2.40")
def test_the_signature_binds_the_decision_content_and_all_its_parts(house: House):
    house.ready()
    house.release()
    (row,) = house.study().dispositions
    with house.reading() as session:
        row = session.merge(row, load=False)
        signature = row.signature
        assert signature.record_sha256 == row.content_sha
        assert signature.sha256 == signature.signing.sha256
        assert (signature.meaning, signature.role, signature.name) == (
            "certified", "QA", person_by(session, QA1).name,  # type: ignore[union-attr]
        )  # fmt: skip
    assert house.archive.get(row.content_sha)


@pytest.mark.requirement("2.06")
@pytest.mark.parametrize("who", [ANA, BEN])
def test_who_measured_or_uploaded_may_not_review(house: House, who: str):
    house.upload(results())
    grant(house, who, Role.REVIEWER)
    before = counts(house.engine)
    with pytest.raises(NotPermitted) as refused:
        house.review(by=who)
    assert refused.value.code == "BQC-REV-004"
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("2.06")
@pytest.mark.parametrize("who", [ANA, BEN, REV])
def test_who_measured_uploaded_or_reviewed_may_not_release(house: House, who: str):
    house.ready()
    grant(house, who, Role.QA)
    before = counts(house.engine)
    with pytest.raises(NotPermitted) as refused:
        house.release(by=who)
    assert refused.value.code == "BQC-REL-002"
    assert all(who in reason for reason in refused.value.reasons)
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("2.04")
def test_an_analyst_may_not_release(house: House):
    house.ready()
    before = counts(house.engine)
    with pytest.raises(NotPermitted) as refused:
        house.release(by=BEN)
    assert refused.value.code == "BQC-ACC-002"
    assert grown(house.engine, before) == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"viability": "90.0"}, "FAIL: 90.0 % does not meet > 90 %"),
        ({"CD73": "94.9"}, "FAIL: 94.9 % does not meet >= 95 %"),
        ({"growth_14d": "Growth"}, "FAIL: Growth, read on day 14 of 14, does not meet no growth"),
        ({"kynurenine": None}, "CANNOT JUDGE: no result for IDO activity"),
        ({"viability": ">85"}, "CANNOT JUDGE"),
    ],
)
def test_a_failed_missing_or_undecidable_result_blocks(
    house: House, changes: dict[str, str | None], reason: str
):
    house.upload(results(**changes))
    house.review()
    house.hand_to_qa()
    before = counts(house.engine)
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    first, *others = but_reviews(blocked.value.reasons)
    assert reason in first
    failed = ["Investigations"] if reason.startswith("FAIL") else []
    assert [one.split(":")[0] for one in others] == failed
    assert grown(house.engine, before) == {}


def test_all_reasons_are_told_at_once(house: House):
    house.upload(results(viability="80", CD73="80", kynurenine=None))
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    told = "\n".join(blocked.value.reasons)
    assert told.count("FAIL") == 2
    assert told.count("CANNOT JUDGE") == 1
    assert told.count("has not been reviewed") == len(house.study().runs)


@pytest.mark.requirement("4.30")
@pytest.mark.parametrize(
    "order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
)
def test_a_fail_stays_whatever_is_uploaded_after_or_before_it(house: House, order: tuple[int, ...]):
    fail = results(viability="89")
    later = {"run_id": "VCB-250521-02", "measured_at": "2025-05-21T10:00:00-05:00"}
    rerun = results(**only("viability"), viability={"value": "92"} | later)
    corrected = results(**only("viability"), viability="92")
    files = (fail, rerun, corrected)
    is_on_record = False
    for place in order:
        same_run = files[place] is not rerun
        why = "Wrong cell was exported" if same_run and is_on_record else None
        assert house.upload(files[place], supersedes=why).accepted
        is_on_record = is_on_record or same_run
    house.review()
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert any("viability" in reason for reason in blocked.value.reasons)


@pytest.mark.requirement("1.16")
def test_a_wrong_password_signs_nothing_and_is_remembered(house: House):
    house.ready()
    before = counts(house.engine)
    with house.acting(QA1, Permission.RELEASE_LOT) as tx:
        refusal = release_lot(
            tx, house.archive, lot=LOT, credentials=signing(QA1, password="guess guess")
        )
    assert isinstance(refusal, Refusal)
    new = grown(house.engine, before)
    assert new["attempt"] == 1
    assert set(new) <= ATTEMPT
    assert house.study().disposition is Disposition.QUARANTINE


@pytest.mark.requirement("1.16")
def test_five_wrong_passwords_lock_signing_for_a_quarter_of_an_hour(house: House):
    house.ready()

    def attempt(password: str | None = None) -> Decision | Refusal:
        with house.acting(QA1, Permission.RELEASE_LOT) as tx:
            credentials = signing(QA1, password=password) if password else signing(QA1)
            return release_lot(tx, house.archive, lot=LOT, credentials=credentials)

    for _ in range(5):
        assert isinstance(attempt("guess guess"), Refusal)
    locked = attempt()
    assert isinstance(locked, Refusal)
    assert locked.code == "BQC-SIG-002"
    house.now.at = house.now.at.replace(hour=house.now.at.hour + 1)
    assert isinstance(attempt(), Decision)


def test_another_persons_password_signs_nothing(house: House):
    house.ready()
    with house.acting(QA1, Permission.RELEASE_LOT) as tx:
        refusal = release_lot(tx, house.archive, lot=LOT, credentials=signing(QA2))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "BQC-SIG-003"


@pytest.mark.parametrize("reason", ["", "   ", "ok", "....", "xxxx", "two\nlines", "hid\u202eden"])
def test_a_decision_needs_a_reason_with_a_word_in_it(house: House, reason: str):
    house.ready()
    with (
        pytest.raises(InvalidInput) as refused,
        house.acting(QA1, Permission.RELEASE_LOT) as tx,
    ):
        release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1, reason))
    assert refused.value.code == "BQC-SIG-004"


def test_two_people_who_release_at_once_make_one_release(house: House):
    house.ready()
    together = Barrier(2)

    def release(who: str) -> str:
        actor = house.actor(who, Permission.RELEASE_LOT)
        together.wait()
        try:
            with transaction(house.engine, actor, NOW) as tx:
                release_lot(tx, house.archive, lot=LOT, credentials=signing(who))
        except Conflict as conflict:
            return conflict.code
        return "released"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(release, (QA1, QA2)))
    assert outcomes == ["BQC-REL-001", "released"]
    assert len(house.study().dispositions) == 1
    assert house.verify().problems == ()


def test_a_failed_lot_is_rejected_and_stays_so(house: House):
    house.upload(results(viability="89"))
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        decision = reject_lot(
            tx,
            house.archive,
            lot=LOT,
            credentials=signing(QA1, "Viability is out of specification"),
        )
        assert isinstance(decision, Decision)
        assert decision.certificate is None
    case = house.study()
    assert case.disposition is Disposition.REJECTED
    assert "Disposition: the lot is rejected" in blocking_reasons(case.gates)
    with pytest.raises(ReleaseBlocked):
        house.release()
    with pytest.raises(Conflict), house.acting(QA2, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA2))


def test_an_expired_lot_cannot_be_released_from_the_day_after_its_last(house: House):
    house.ready()
    for day, is_open in ((18, True), (19, False)):
        house.now.at = datetime(2027, 5, day, 18, tzinfo=UTC)
        gate = next(gate for gate in house.study().gates if gate.name == "Expiry")
        assert gate.is_open is is_open


def test_results_that_come_after_the_review_need_a_review_of_their_own(house: House):
    house.upload(results(kynurenine=None))
    house.review()
    house.upload(results(**only("kynurenine")))
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    (said,) = but_reviews(blocked.value.reasons)
    assert "has not been reviewed" in said
    house.review()
    assert isinstance(house.release(), Decision)
