"""Accounts: which roles exclude each other, terms of grants, when they count, training."""

from datetime import date, timedelta

import pytest

from batchqc.core.accounts import (
    LONGEST_AUDIT,
    Grant,
    RoleTraining,
    Terms,
    Trained,
    exclusion,
    roles_on,
    terms_problems,
    time_over,
    trained,
    untrained,
)
from batchqc.core.permissions import Role

DAY = date(2026, 6, 1)
GMP = set(Role) - {Role.ADMIN, Role.AUDITOR}
TRAINING = RoleTraining("TR-7", DAY - timedelta(days=30), DAY)


@pytest.mark.requirement("1.52", "1.57", "2.04")
@pytest.mark.parametrize("alone", [Role.ADMIN, Role.AUDITOR])
def test_administrators_and_auditors_hold_no_other_role(alone: Role):
    assert exclusion([alone]) == exclusion([]) == exclusion(GMP) == ""
    for other in set(Role) - {alone}:
        assert "holds no other role" in exclusion([other, alone])
    told = exclusion([alone, Role.QA, Role.QP])
    assert told == f"who is {alone} holds no other role, and so not: QA, QP"


@pytest.mark.requirement("1.52")
def test_of_roles_of_before_that_exclude_each_other_the_one_that_stands_alone_counts():
    until = Terms(DAY)
    grants = [Grant(Role.QA), Grant(Role.AUDITOR, until), Grant(Role.ADMIN)]
    assert roles_on(grants, DAY) == {Role.ADMIN}
    assert roles_on(grants[:2], DAY) == {Role.AUDITOR}
    assert roles_on(grants[:1], DAY) == {Role.QA}
    assert roles_on([], DAY) == frozenset()


def test_a_role_counts_on_its_last_day_and_not_after_it():
    grants = [Grant(Role.AUDITOR, Terms(DAY))]
    assert roles_on(grants, DAY) == {Role.AUDITOR}
    assert time_over(grants, DAY) == ""
    after = DAY + timedelta(days=1)
    assert roles_on(grants, after) == frozenset()
    assert time_over(grants, after) == "your time as auditor ended on 2026-06-01"
    assert time_over([*grants, Grant(Role.ANALYST)], after) == ""
    assert time_over([], after) == ""
    latest = Grant(Role.QA, Terms(DAY - timedelta(days=3)))
    assert "as auditor ended" in time_over([latest, *grants], after)


def test_an_auditor_without_a_last_day_reads_nothing():
    grants = [Grant(Role.AUDITOR)]
    assert roles_on(grants, DAY) == frozenset()
    assert "has no last day" in time_over(grants, DAY)
    assert roles_on([Grant(Role.QA)], date.max) == {Role.QA}


def test_everything_that_is_wrong_with_a_grant_is_said_at_once():
    assert terms_problems(Role.QA, Terms(), DAY) == []
    assert terms_problems(Role.QA, Terms(date.max, TRAINING), DAY) == []
    today = Terms(DAY, RoleTraining("TR-8", DAY, DAY))
    assert terms_problems(Role.QA, today, DAY) == []
    assert terms_problems(Role.AUDITOR, Terms(DAY + LONGEST_AUDIT), DAY) == []
    assert terms_problems(Role.AUDITOR, Terms(), DAY) == [
        "an auditor is appointed for a time: give the last day"
    ]
    too_long = DAY + LONGEST_AUDIT + timedelta(days=1)
    assert len(terms_problems(Role.AUDITOR, Terms(too_long), DAY)) == 1
    tomorrow, yesterday = DAY + timedelta(days=1), DAY - timedelta(days=1)
    wrong = Terms(yesterday, RoleTraining(" ", tomorrow, yesterday))
    assert terms_problems(Role.AUDITOR, wrong, DAY) == [
        "the last day, 2026-05-31, is over",
        "the reference of the training is missing",
        "the training of 2026-06-02 is still to come",
        "the training expired on 2026-05-31",
    ]


@pytest.mark.requirement("1.09")
def test_training_counts_from_its_day_to_its_last():
    held = Grant(Role.QA, Terms(training=TRAINING))
    assert trained(held, DAY) is trained(held, TRAINING.trained_on) is Trained.IN_DATE
    assert untrained("qa1", held, DAY) == ""
    after = DAY + timedelta(days=1)
    assert trained(held, after) is Trained.EXPIRED
    assert (
        untrained("qa1", held, after) == "the training of qa1 as QA (TR-7) counts until 2026-06-01"
    )
    assert trained(held, TRAINING.trained_on - timedelta(days=1)) is Trained.EXPIRED
    assert trained(Grant(Role.QA), DAY) is Trained.NO_RECORD
    assert untrained("qa1", Grant(Role.QA), DAY).endswith("QA without a record of training")
    assert trained(Grant(Role.AUDITOR), DAY) is Trained.NOT_NEEDED
    assert untrained("aud", Grant(Role.AUDITOR), DAY) == ""
