"""The report on accounts, its signed review, and who is trained for what."""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from batchqc.actions.account_facts import accounts_content
from batchqc.actions.account_reports import keep_account_report
from batchqc.actions.account_tables import account_rows, training_rows
from batchqc.actions.accounts import change_role
from batchqc.actions.laboratory import register_training
from batchqc.actions.people import sign_in, the_person
from batchqc.actions.training_report import SOON, TrainingReport, training_report
from batchqc.api.account_reports import AccountsOut
from batchqc.core.accounts import RoleTraining, Terms
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.errors import BatchqcError, InvalidInput
from batchqc.records.account_reports import report_by, review_of
from batchqc.records.audit import newest_link
from batchqc.records.components import AuthenticatorChange, LinkChange
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.state import counts, grown
from tests.records.accounts import close, keep_report, reset, review
from tests.records.house import (
    ADM,
    ANA,
    AUD,
    AUDIT_ENDS,
    BEN,
    LABORATORY,
    PASSWORD,
    PEOPLE,
    QA1,
    QA2,
    REV,
    House,
)


def enter(house: House, user_id: str, password: str) -> None:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        sign_in(tx, user_id=user_id, password=password, token=str(house.now.at), hours=8)


def content(house: House, since: date | None = None) -> Mapping[str, Any]:
    with house.reading() as session:
        head = newest_link(session)
        return accounts_content(session, now=house.now(), since=since, head=head)


def trained(house: House, within: int = 30) -> TrainingReport:
    with house.reading() as session:
        return training_report(session, now=house.now(), within=within)


@pytest.mark.only_on("sqlite", "PostgreSQL reads all of so few; see the plans of simulated sites")
def test_of_attempts_those_of_the_time_are_read_and_no_others(house: House):
    said: list[tuple[str, Any]] = []
    with house.reading() as session:
        event.listen(
            session.connection(), "before_cursor_execute", lambda *of: said.append(of[2:4])
        )
        accounts_content(session, now=house.now(), since=None, head=newest_link(session))
    with house.engine.connect() as connection:
        plans = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
            for statement, given in said
            if "FROM attempt" in statement
        ]
    assert plans
    assert all(row[3].startswith("SEARCH") for plan in plans for row in plan)


@pytest.mark.requirement("1.22", "1.24")
def test_the_report_tells_of_every_account_what_a_reviewer_asks(house: House):
    for _ in range(5):
        enter(house, REV, "guess guess")
    enter(house, "nobody", PASSWORD)
    enter(house, ANA, PASSWORD)
    began = house.now.at
    close(house, BEN)
    reset(house, QA2)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=REV, role=Role.ANALYST, granted=True, reason="Stands in")
    found = content(house)
    of = {one["user_id"]: one for one in found["accounts"]}
    assert set(of) == set(PEOPLE)
    assert LABORATORY not in of
    assert found["unknown_user_ids"] == 1
    assert (of[REV]["failed_attempts"], of[ANA]["failed_attempts"]) == (5, 0)
    assert of[REV]["locked_until"] > of[REV]["password_set_at"]
    assert (of[ANA]["locked_until"], of[REV]["last_sign_in"]) == ("", "")
    assert began.strftime("%Y-%m-%dT%H:%M") in of[ANA]["last_sign_in"]
    assert (of[BEN]["active"], of[BEN]["changed_by"]) == (False, ADM)
    assert of[BEN]["change_reason"] == "Has left the company"
    assert [of[QA2]["password_is_one_time"], of[QA1]["password_is_one_time"]] == [True, False]
    (auditor,) = of[AUD]["roles"]
    assert (auditor["last_day"], auditor["counts"]) == (str(AUDIT_ENDS), True)
    assert (auditor["granted_by"], auditor["trained"]) == ("system", "not needed")
    by_role = {one["role"]: one for one in of[REV]["roles"]}
    assert by_role["reviewer"]["trained"] == "in date"
    assert by_role["analyst"]["trained"] == "no record"
    assert by_role["analyst"]["granted_by"] == ADM
    house.now.at += timedelta(days=91)
    later = {one["user_id"]: one for one in content(house)["accounts"]}
    assert (later[REV]["failed_attempts"], later[REV]["locked_until"]) == (0, "")


@pytest.mark.requirement("1.22")
def test_the_report_tells_by_what_each_account_is_opened(house: House):
    """Password, authenticator and single sign-on: who reviews access asks for all of them."""
    at, later = house.now.at, house.now.at + timedelta(hours=1)

    def changed(number: int, state: str, when: datetime, user_id: str) -> AuthenticatorChange:
        return AuthenticatorChange(
            person=the_person(tx.session, user_id), number=number, state=state, secret="",
            reason="", changed_by=user_id, changed_at=when,
        )  # fmt: skip

    def linked(number: int, state: str, user_id: str) -> LinkChange:
        return LinkChange(
            person=the_person(tx.session, user_id), number=number, state=state,
            issuer="https://id.example", subject=f"of {user_id}", reason="", changed_by=ADM,
            changed_at=later,
        )  # fmt: skip

    with house.alone(ADM) as tx:
        rows = [
            changed(1, "offered", at, REV), changed(2, "confirmed", later, REV),
            changed(3, "offered", later, REV),  # another one, which does not count yet
            changed(1, "offered", at, ANA),
            changed(1, "offered", at, BEN), changed(2, "confirmed", at, BEN),
            changed(3, "revoked", later, BEN),
            linked(1, "linked", QA1), linked(1, "linked", QA2), linked(2, "confirmed", QA2),
            linked(1, "linked", BEN), linked(2, "removed", BEN),
        ]  # fmt: skip
        for row in rows:
            tx.add(row)
        tx.audit("changed", rows=rows, reason="A test")
    of = {one["user_id"]: one for one in content(house)["accounts"]}
    since = {name: one["authenticator_since"] for name, one in of.items()}
    assert {name for name, one in since.items() if one} == {REV}
    assert since[REV].startswith(f"{later:%Y-%m-%dT%H:%M}")
    links = {name: (one["single_sign_on"], one["subject"]) for name, one in of.items()}
    assert {name: one for name, one in links.items() if one[0]} == {
        QA1: ("linked", "of qa1"), QA2: ("confirmed", "of qa2"),
    }  # fmt: skip
    assert of[QA1]["issuer"] == "https://id.example"
    assert (bool(of[QA1]["linked_at"]), of[BEN]["issuer"], of[BEN]["linked_at"]) == (True, "", "")
    assert of[QA1]["has_password"]
    header, *_ = account_rows(content(house))
    assert header[-6:-4] == ("has_password", "authenticator_since")


def test_a_report_of_type_1_is_read_as_it_was_kept(house: House):
    old = dict(content(house))
    told = ("has_password", "authenticator_since", "single_sign_on", "issuer", "subject")
    old["accounts"] = [
        {name: one[name] for name in one if name not in {*told, "linked_at"}}
        for one in old["accounts"]
    ]
    header, *rows = account_rows(old)
    assert {row[header.index("has_password")] for row in rows} == {""}
    read = AccountsOut.model_validate(old)
    assert {(one.has_password, one.issuer) for one in read.accounts} == {(None, "")}


def test_as_rows_each_role_of_each_account_has_one(house: House):
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        change_role(tx, user_id=BEN, role=Role.ANALYST, granted=False, reason="No longer needed")
    header, *rows = account_rows(content(house))
    assert {len(row) for row in rows} == {len(header)}
    assert sorted(row[0] for row in rows) == sorted(PEOPLE)
    assert {row[0]: row[header.index("role")] for row in rows}[BEN] == ""
    assert {row[header.index("active")] for row in rows} == {"true"}


@pytest.mark.parametrize("since", [date.min, date(2026, 6, 1)])
def test_a_period_may_begin_any_day_until_today(house: House, since: date):
    assert content(house, since)["since"] == since.isoformat()
    with pytest.raises(InvalidInput) as refused:
        content(house, date(2026, 6, 2))
    assert refused.value.code == "BQC-ACC-024"


@pytest.mark.requirement("1.22")
def test_qa_signs_the_review_of_a_kept_report_once(house: House):
    number, sha256 = keep_report(house)
    kept = json.loads(house.archive.get(sha256))
    assert kept["type"] == "batchqc/account-report/2"
    before = counts(house.engine)
    for name, said, code in (
        (number, "0" * 64, "BQC-ACC-027"),
        ("AR-2026-000009", sha256, "BQC-ACC-025"),
        ("U-2026-000001", sha256, "BQC-ACC-025"),
    ):
        with pytest.raises(BatchqcError) as refused:
            review(house, name, said)
        assert refused.value.code == code
    assert grown(house.engine, before) == {}
    assert review(house, number, sha256) == number
    with house.reading() as session:
        report = report_by(session, number)
        assert report is not None
        signed = review_of(session, report)
        assert signed is not None
        assert (signed.signature.meaning, signed.signature.record_sha256) == ("reviewed", sha256)
        assert (report.head, report.sequence) == (kept["audit"]["head"], kept["audit"]["sequence"])
        assert signed.signature.person.user_id == QA1
    with pytest.raises(BatchqcError) as again:
        review(house, number, sha256)
    assert again.value.code == "BQC-ACC-026"
    assert house.verify().problems == ()


def test_a_report_that_somebody_changed_is_not_signed_and_the_trail_tells(house: House):
    number, sha256 = keep_report(house)
    path = house.archive.path_of(sha256)
    path.chmod(0o600)
    path.write_bytes(b"{}")
    with pytest.raises(BatchqcError):
        review(house, number, sha256)
    assert any(sha256 in one or "account_report" in one for one in house.verify().problems)


def test_two_reports_are_two_numbers(house: House):
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        rows = [keep_account_report(tx, house.archive, since=date(2026, 1, 1)) for _ in range(2)]
        numbers = [row.natural_key for row in rows]
    assert numbers == ["AR-2026-000001", "AR-2026-000002"]


@pytest.mark.requirement("1.09")
def test_the_report_of_training_tells_what_expires_and_who_signed_without(house: House):
    house.ready()
    record = RoleTraining("TR-9", date(2026, 1, 1), date(2026, 6, 20))
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        on = Terms(training=record)
        change_role(tx, user_id=QA1, role=Role.QA, granted=True, reason="Trained anew", terms=on)
    with house.acting(QA2, Permission.KEEP_REGISTERS) as tx:
        for method, since, until in (
            ("SOP-1", "2026-01-01", "2026-05-31"),
            ("SOP-2", "2026-01-01", "2026-06-30"),
            ("SOP-3", "2026-07-01", "2027-07-01"),
            ("SOP-4", "2026-01-01", "2027-07-01"),
        ):
            days = [date.fromisoformat(day) for day in (since, until)]
            register_training(
                tx, person=ANA, method=method, trained_on=days[0], expires_on=days[1], reason=""
            )
    close(house, BEN)
    states = {(one.user_id, one.subject): one.state for one in trained(house).trainees}
    assert states[QA1, "role: QA"] == SOON
    assert states[QA2, "role: QA"] == "in date"
    assert [states[ANA, f"method: SOP-{n}"] for n in range(1, 5)] == [
        "expired", SOON, "still to come", "in date",
    ]  # fmt: skip
    assert not [one for one in states if one[0] in {BEN, AUD}]
    assert trained(house).without == ()
    house.now.at += timedelta(days=20)
    assert not isinstance(house.release(), Refusal)
    later = trained(house, 5)
    assert {(one.user_id, one.subject): one.state for one in later.trainees}[
        QA1, "role: QA"
    ] == "expired"
    (bad,) = later.without
    assert (bad.user_id, bad.role, bad.signatures) == (QA1, "QA", 1)
    assert "(TR-9) counts until 2026-06-20" in bad.why
    header, *rows = training_rows(later)
    assert {len(row) for row in rows} == {len(header)}
    assert rows[-1][header.index("state")] == f"signed without: {bad.why}"
    house.now.at += timedelta(days=6)
    assert trained(house, 5).without == ()
