"""People who work at the same moment: numbers have no gap, the chain has no fork, one decides."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import select

from batchqc.actions.approval import approve_specification
from batchqc.actions.authenticators import prove_code, revoke_authenticator
from batchqc.actions.corrections import request_correction
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.dispositions import Decision, release_lot
from batchqc.actions.lots import NewLot, NewSample, register_lot, register_samples
from batchqc.actions.passwords import prove
from batchqc.actions.people import sign_in, the_person, who_is
from batchqc.actions.registers import register_donor
from batchqc.core.audit import first_break
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.errors import Conflict, NotSignedIn, ReleaseBlocked
from batchqc.records.audit import AuditEntry, AuditLink, all_links
from batchqc.records.base import Numbered
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.investigations import InvestigationRow
from batchqc.records.people import Attempt
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.records.uploads import Upload
from batchqc.settings import bundled
from tests.actions.proving import code, enrolled, keyed
from tests.cast import MADE_ON, TAKEN_AT
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    DON,
    DONOR,
    EXPIRES_ON,
    LOT,
    PASSWORD,
    PRODUCT,
    QA1,
    QA2,
    SPECIFICATION_FILE,
    Clock,
    House,
    alone,
    draft_in_review,
    results,
    see_impact,
    signing,
)  # fmt: skip
from tests.records.interleaving import DONE, interleaved

T = TypeVar("T")


def at_once(house: House, works: Sequence[Callable[[House], T]]) -> list[T]:
    """What each of ``works`` returns; they begin at one moment, each with a clock of its own."""
    barrier = Barrier(len(works))

    def work(place: int) -> T:
        own = replace(house, now=Clock(house.now.at + timedelta(seconds=place)))
        barrier.wait()
        return works[place](own)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(work, range(len(works))))


def numbers(house: House, table: type[Numbered]) -> list[int]:
    with house.reading() as session:
        return sorted(session.scalars(select(table.number)))


def assert_one_chain(house: House) -> None:
    """Every entry has one link, and the links follow from each other."""
    with house.reading() as session:
        assert first_break(all_links(session)) is None
        linked = set(session.scalars(select(AuditLink.entry_sha256)))
        assert linked == set(session.scalars(select(AuditEntry.sha256)))
    assert house.verify().problems == ()


def uploading(number: int) -> Callable[[House], str]:
    """An upload of a file of its own; every third one is refused."""
    run = {"run_id": f"VCB-250520-{number:02d}"} | ({"value": "much"} if number % 3 == 0 else {})
    return lambda house: house.upload(alone("viability", **run), name=f"{number}.csv").number


def determining(donor: str) -> Callable[[House], str]:
    def determine(house: House) -> str:
        with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
            row = determine_eligibility(
                tx,
                house.archive,
                NewDetermination(donor, "Screening", eligible=True),
                credentials=signing(DON),
            )
            return row.natural_key if hasattr(row, "natural_key") else row.code

    return determine


def donors(house: House, count: int) -> list[str]:
    codes = [f"DNR-UC-{number:02d}" for number in range(10, 10 + count)]
    for one in codes:
        with house.acting(DON, Permission.REGISTER_DONOR) as tx:
            register_donor(tx, code=one, tissue_source="umbilical cord")
    return codes


def test_uploads_at_once_have_numbers_without_gaps_refused_ones_too(house: House):
    found = at_once(house, [uploading(number) for number in range(6)])
    assert sorted(found) == [f"U-2026-{number:06d}" for number in range(1, 7)]
    assert numbers(house, Upload) == list(range(1, 7))
    assert_one_chain(house)


def test_the_same_file_uploaded_at_once_is_stored_once(house: House):
    assert at_once(house, [uploading(1)] * 4) == ["U-2026-000001"] * 4
    assert numbers(house, Upload) == [1]
    assert_one_chain(house)


def test_signatures_at_once_have_numbers_without_gaps(house: House):
    first = max(numbers(house, SignatureRow))
    codes = donors(house, 5)
    assert at_once(house, [determining(code) for code in codes]) == [f"{one}/1" for one in codes]
    assert numbers(house, SignatureRow) == list(range(1, first + 6))
    assert_one_chain(house)


def test_uploads_and_signatures_at_once_make_one_chain(house: House):
    codes = donors(house, 3)
    at_once(house, [*map(uploading, (1, 2, 4)), *map(determining, codes)])
    assert_one_chain(house)


@pytest.mark.requirement("1.06")
def test_two_people_who_release_a_lot_at_once_release_it_once(house: House):
    house.ready()

    def releasing(by: str) -> Callable[[House], str]:
        def release(own: House) -> str:
            try:
                return "released" if isinstance(own.release(by=by), Decision) else "refused"
            except ReleaseBlocked as blocked:
                return " ".join(blocked.reasons)

        return release

    assert sorted(at_once(house, [releasing(QA1), releasing(QA2)])) == [
        "Disposition: the lot is released",
        "released",
    ]
    assert numbers(house, Certificate) == [1]
    with house.reading() as session:
        assert len(session.scalars(select(DispositionRow)).all()) == 1
    assert_one_chain(house)


@pytest.mark.requirement("2.02")
def test_results_that_come_while_the_lot_is_released_block_it_or_stand_beside_it(house: House):
    house.ready()

    def upload(own: House) -> str:
        report = own.upload(alone("viability", value="50", run_id="VCB-250520-02"))
        assert report.accepted
        return "beside" if "W401" in {one.code for one in report.reading.problems} else "in time"

    def release(own: House) -> str:
        try:
            return "released" if isinstance(own.release(), Decision) else "refused"
        except ReleaseBlocked:
            return "blocked"

    found = at_once(house, [upload, release])
    assert found in (["in time", "blocked"], ["beside", "released"])
    case = house.study(LOT)
    assert (case.disposition == "released") == (found[0] == "beside")
    assert len(case.runs) == 8
    with house.reading() as session:
        opened = session.scalars(select(InvestigationRow)).all()
    assert len(opened) == 1
    assert_one_chain(house)


@pytest.mark.requirement("1.24")
def test_wrong_passwords_at_once_are_counted_one_by_one(house: House):
    def guess(own: House) -> str:
        with transaction(own.engine, SYSTEM, own.now()) as tx:
            refusal = prove(tx, user_id=AUD, password="a guess of somebody", purpose="sign-in")
        assert refusal is not None
        return refusal.code

    found = at_once(house, [guess] * 8)
    assert sorted(found) == ["BQC-SIG-001"] * 5 + ["BQC-SIG-002"] * 3
    with house.reading() as session:
        own = session.scalars(select(Attempt).where(Attempt.purpose == "sign-in")).all()
        assert sorted(one.number for one in own) == list(range(2, 10))
    assert_one_chain(house)


@pytest.mark.requirement("1.17")
def test_a_code_that_is_used_at_once_counts_once(house: House, tmp_path: Path):
    house = keyed(house, tmp_path)
    totp = enrolled(house, AUD)
    text = code(house, totp, steps=1)

    def sign(own: House) -> str:
        with own.alone(AUD) as tx:
            person = the_person(tx.session, AUD)
            refusal = prove_code(tx, person, code=text, purpose="signature")
        return refusal.code if refusal else "accepted"

    found = at_once(house, [sign] * 4)
    assert sorted(found) == ["BQC-SIG-011"] * 3 + ["accepted"]
    assert_one_chain(house)


@pytest.mark.requirement("1.17")
def test_a_code_lets_somebody_in_or_signs_whichever_comes_first(house: House, tmp_path: Path):
    house = keyed(house, tmp_path)
    totp = enrolled(house, AUD)
    text = code(house, totp, steps=1)

    def sign(own: House) -> bool:
        with own.alone(AUD) as tx:
            person = the_person(tx.session, AUD)
            return prove_code(tx, person, code=text, purpose="signature") is None

    def come(own: House) -> bool:
        token = f"token at {own.now.at}"
        with transaction(own.engine, SYSTEM, own.now()) as tx:
            came = sign_in(tx, user_id=AUD, password=PASSWORD, code=text, token=token, hours=8)
            return not isinstance(came, Refusal)

    assert sorted(at_once(house, [sign, come, sign, come])) == [False, False, False, True]
    assert_one_chain(house)


@pytest.mark.requirement("1.20")
def test_a_session_that_begins_while_its_authenticator_is_revoked_ends_with_it(
    house: House, tmp_path: Path
):
    house = keyed(house, tmp_path)
    text = code(house, enrolled(house, AUD), steps=1)
    later = replace(house, now=Clock(house.now.at + timedelta(minutes=1)))

    def revoked(own: House) -> None:
        with own.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            revoke_authenticator(tx, user_id=AUD, reason="The telephone was stolen")

    with ThreadPoolExecutor(1) as pool:
        with transaction(house.engine, SYSTEM, house.now()) as tx:
            came = sign_in(tx, user_id=AUD, password=PASSWORD, code=text, token="t", hours=8)
            assert not isinstance(came, Refusal)
            waiting = pool.submit(revoked, later)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        waiting.result()
    with house.reading() as session, pytest.raises(NotSignedIn):
        who_is(session, token="t", now=later.now())
    assert_one_chain(house)


@pytest.mark.requirement("1.17")
def test_a_code_that_is_tried_while_its_authenticator_is_revoked_counts_no_more(
    house: House, tmp_path: Path
):
    house = keyed(house, tmp_path)
    text = code(house, enrolled(house, AUD), steps=1)
    later = replace(house, now=Clock(house.now.at))

    def signs(own: House) -> bool:
        with own.alone(AUD) as tx:
            person = the_person(tx.session, AUD)
            return prove_code(tx, person, code=text, purpose="signature") is None

    with ThreadPoolExecutor(1) as pool:
        with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            revoke_authenticator(tx, user_id=AUD, reason="The telephone was stolen")
            waiting = pool.submit(signs, later)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        assert not waiting.result()
    assert_one_chain(house)


def ask_for_a_correction(house: House) -> str:
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        return request_correction(
            tx, subject=f"lot:{LOT}", field="expires_on", after="2026-05-18", reason="Misread label"
        ).natural_key


def add_a_sample(house: House) -> str:
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        late = NewSample(f"{LOT}-S09", "release", "cryovial", TAKEN_AT.isoformat())
        return register_samples(tx, lot=LOT, samples=[late])[0].sample


def upload_more(house: House) -> str:
    report = house.upload(alone("viability", run_id="VCB-250520-02"))
    if report.accepted:
        return report.number
    raise AssertionError(report.reading.problems)


@pytest.mark.requirement("1.06")
@pytest.mark.parametrize(
    ("change", "stands_beside"),
    [(upload_more, True), (ask_for_a_correction, False), (add_a_sample, True)],
)
def test_what_changes_a_lot_waits_for_its_release_and_stands_beside_it_or_is_refused(
    house: House, change: Callable[[House], str], stands_beside: bool
):
    house.ready()
    later = replace(house, now=Clock(house.now.at + timedelta(minutes=1)))
    with ThreadPoolExecutor(1) as pool:
        with house.acting(QA1, Permission.RELEASE_LOT) as tx:
            decision = release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
            assert isinstance(decision, Decision)
            waiting = pool.submit(change, later)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        with nullcontext() if stands_beside else pytest.raises(Conflict):
            assert waiting.result()
    assert house.study().disposition == Disposition.RELEASED
    assert_one_chain(house)


@pytest.mark.requirement("3.04")
def test_lots_registered_while_a_version_is_approved_are_judged_by_the_version_in_force(
    house: House,
):
    """Either the lots come first and the approval is refused, or they are bound to the new one."""
    text = (bundled("specs") / SPECIFICATION_FILE).read_text()
    text = text.replace("version   = 1", "version   = 2", 1)
    day = MADE_ON + timedelta(days=1)
    name, version = draft_in_review(
        house, text.replace("effective = 2020-01-01", f"effective = {day}", 1).encode(), "v2.toml"
    )
    seen = see_impact(house, name, version)

    def approve(own: House) -> str:
        try:
            with own.acting(QA1, Permission.APPROVE_SPECIFICATION) as tx:
                approve_specification(
                    tx, own.archive, specification=name, version=version, impact=seen,
                    credentials=signing(QA1),
                )  # fmt: skip
        except Conflict as refused:
            return refused.code
        return "approved"

    def registering(number: int) -> Callable[[House], str]:
        def register(own: House) -> str:
            with own.acting(ANA, Permission.REGISTER_LOT) as tx:
                new = NewLot(f"MSC-26-08{number:02d}", PRODUCT, day, EXPIRES_ON, (DONOR,))
                return register_lot(tx, new).specification_version.reference

        return register

    works = [registering(number) for number in range(6)]
    works.insert(3, approve)
    told = at_once(house, works)
    outcome = told.pop(3)
    assert outcome in {"approved", "BQC-SPC-013"}
    assert set(told) <= {f"{name} v1", f"{name} v2"}
    if outcome == "approved":
        assert set(told) == {f"{name} v2"}
    else:
        assert set(told) == {f"{name} v1"}
    for number in range(6):
        assert house.study(f"MSC-26-08{number:02d}").facts.specification_problem == ""
    assert_one_chain(house)


@pytest.mark.requirement("2.07")
def test_the_same_run_from_two_files_at_once_is_stored_once_and_refused_once(house: House):
    def send(value: str) -> Callable[[House], tuple[bool, str]]:
        def upload(own: House) -> tuple[bool, str]:
            report = own.upload(results(viability=value))
            return report.accepted, " ".join(one.code for one in report.reading.problems[:1])

        return upload

    found = at_once(house, [send("89"), send("93"), send("94")])
    assert sorted(found) == [(False, "E407"), (False, "E407"), (True, "")]
    assert len(house.study().runs) == len({run.test for run in house.study().runs})
    assert_one_chain(house)


@pytest.mark.requirement("2.07")
def test_files_that_supersede_one_run_at_once_supersede_one_another(house: House):
    house.upload(results(viability="89"))

    def send(value: str) -> Callable[[House], bool]:
        data = results(viability=value)
        return lambda own: own.upload(data, supersedes="Wrong cell was exported").accepted

    assert at_once(house, [send("93"), send("94"), send("95")]) == [True] * 3
    case = house.study()
    newest = [one for one in case.measurements if not one.superseded_by]
    assert len(newest) == len({one.analyte for one in newest})
    assert len(case.supersedings) == len(case.runs) * 3 // 4
    found = {one.criterion.id: str(one.outcome) for one in case.verdicts}
    assert found.pop("viability") == "CANNOT_JUDGE"
    assert set(found.values()) == {"PASS"}
    assert_one_chain(house)


@pytest.mark.requirement("3.04")
@pytest.mark.parametrize(("days", "told"), [(0, "BQC-SPC-013"), (1, DONE)])
def test_no_approval_reaches_the_lot_that_is_released_meanwhile(house: House, days: int, told: str):
    """An approval cannot change what judges a registered lot, so that neither waits."""
    house.ready()
    text = (bundled("specs") / SPECIFICATION_FILE).read_text()
    text = text.replace("version   = 1", "version   = 2", 1)
    day = MADE_ON + timedelta(days=days)
    name, version = draft_in_review(
        house, text.replace("effective = 2020-01-01", f"effective = {day}", 1).encode(), "v2.toml"
    )
    seen = see_impact(house, name, version)

    def approve(own: House) -> object:
        with own.acting(QA2, Permission.APPROVE_SPECIFICATION) as tx:
            return approve_specification(
                tx, own.archive, specification=name, version=version, impact=seen,
                credentials=signing(QA2),
            )  # fmt: skip

    def release(own: House) -> object:
        with own.acting(QA1, Permission.RELEASE_LOT) as tx:
            return release_lot(tx, own.archive, lot=LOT, credentials=signing(QA1))

    if told == DONE:
        assert interleaved(house, approve, release) == (DONE, DONE)
    else:
        assert interleaved(house, release, approve) == (DONE, told)
    case = house.study()
    assert case.disposition == "released"
    assert case.facts.specification_problem == ""
    assert case.version.version == 1
    assert_one_chain(house)
