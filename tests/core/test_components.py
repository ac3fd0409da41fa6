"""When a code, a sign-in at the provider, or a link counts; the statement of accountability."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from batchqc.core.accountability import STATEMENT
from batchqc.core.components import (
    LinkState,
    accepted_step,
    link_counts,
    sign_in_problem,
    step_of,
    steps_around,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CODES = {7: "111111", 8: "222222", 9: "333333"}


@pytest.mark.requirement("1.17")
@pytest.mark.parametrize(
    ("code", "last", "step"),
    [
        ("222222", 0, 8),
        (" 222222 ", 7, 8),
        ("222 222", 7, 8),  # as authenticators show it
        ("333333", 8, 9),
        ("222222", 8, None),  # again
        ("111111", 8, None),  # an older one, after a newer
        ("444444", 0, None),
        ("", 0, None),
        ("２２２２２２", 0, None),  # digits, but not those
    ],
)
def test_a_code_counts_once_and_never_after_a_newer_one(code: str, last: int, step: int | None):
    assert accepted_step(code, CODES, last=last) == step


def test_the_same_digits_in_two_steps_count_for_the_one_that_was_not_used():
    assert accepted_step("111111", {7: "111111", 8: "111111"}, last=7) == 8


def test_a_code_may_be_one_step_away():
    assert list(steps_around(NOW)) == [step_of(NOW) - 1, step_of(NOW), step_of(NOW) + 1]
    assert list(steps_around(NOW, drift=0)) == [step_of(NOW)]
    assert step_of(NOW + timedelta(seconds=30)) == step_of(NOW) + 1
    assert step_of(NOW + timedelta(seconds=29)) == step_of(NOW)


@pytest.mark.requirement("1.19")
@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (0, ""),
        (-60, ""),
        (-61, "the provider did not ask the person anew"),
        (120 + 60, ""),
        (120 + 61, "the provider says that it saw the person later than now"),
    ],
)
def test_a_sign_in_at_the_provider_is_the_one_that_was_asked_for(seen: int, problem: str):
    authenticated, back = NOW + timedelta(seconds=seen), NOW + timedelta(seconds=120)
    assert sign_in_problem(authenticated, asked=NOW, now=back) == problem


def test_a_provider_that_does_not_say_when_proves_nothing():
    assert sign_in_problem(None, asked=NOW, now=NOW)


@pytest.mark.requirement("1.20")
@pytest.mark.parametrize(
    ("state", "has_password", "counts"),
    [
        (LinkState.LINKED, False, True),
        (LinkState.LINKED, True, False),
        (LinkState.CONFIRMED, False, True),
        (LinkState.CONFIRMED, True, True),
        (LinkState.REMOVED, False, False),
        (LinkState.REMOVED, True, False),
    ],
)
def test_a_link_of_who_has_a_password_counts_once_they_confirmed_it(
    state: LinkState, has_password: bool, counts: bool
):
    assert link_counts(state, has_password=has_password) is counts


@pytest.mark.requirement("1.10")
def test_another_text_or_version_of_the_statement_is_accepted_anew():
    other = replace(STATEMENT, text=f"{STATEMENT.text} And more.")
    newer = replace(STATEMENT, version=2)
    assert len({STATEMENT.sha256, other.sha256, newer.sha256}) == 3
    assert newer.key != STATEMENT.key
