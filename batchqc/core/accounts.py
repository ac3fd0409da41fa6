"""Accounts: which roles exclude each other, on what terms one is granted, and when it counts.

- An administrator holds no other role, and neither does an auditor (requirements 1.52, 1.57, 2.4).
- Each role may be granted with a last day at the site; that of an auditor always is, and one
  without it does not count.
- A grant names a record of training. Who has none in date is not trained for the role (1.09).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from batchqc.core.identifiers import line_problem
from batchqc.core.permissions import Role

ALONE: Final = (Role.ADMIN, Role.AUDITOR)
LONGEST_AUDIT: Final = timedelta(days=366)
ONE_TIME_HOURS: Final = 24
FIRST_PASSWORD_HOURS: Final = 7 * 24
LONGEST_PASSWORD_DAYS: Final = 3650


@dataclass(frozen=True, slots=True)
class RoleTraining:
    """The record of a training for a role: reference, its day, the last day on which it counts."""

    reference: str
    trained_on: date
    expires_on: date


@dataclass(frozen=True, slots=True)
class Terms:
    """On what a role is granted: its last day, ``None`` for no end, and the record of training."""

    last_day: date | None = None
    training: RoleTraining | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that a person was granted, and that was not withdrawn."""

    role: Role
    terms: Terms = Terms()

    def counts_on(self, day: date) -> bool:
        """Whether the role is held on ``day``."""
        last = self.terms.last_day
        return self.role is not Role.AUDITOR if last is None else day <= last


class Trained(StrEnum):
    """Whether the holder of a role was trained for it on a day."""

    IN_DATE = "in date"
    EXPIRED = "expired"
    NO_RECORD = "no record"
    NOT_NEEDED = "not needed"


def exclusion(roles: Iterable[Role]) -> str:
    """Why no person holds these roles together, or ""."""
    held = sorted(set(roles))
    alone = [role for role in ALONE if role in held]
    if not alone or len(held) == 1:
        return ""
    others = ", ".join(role for role in held if role is not alone[0])
    return f"who is {alone[0]} holds no other role, and so not: {others}"


def roles_on(grants: Iterable[Grant], day: date) -> frozenset[Role]:
    """The roles that count on ``day``.

    Where records of before hold roles that exclude each other, the one that stands alone counts.
    """
    held = frozenset(grant.role for grant in grants if grant.counts_on(day))
    return next((frozenset({role}) for role in ALONE if role in held), held)


def time_over(grants: Iterable[Grant], day: date) -> str:
    """Why nothing is left of roles that were granted for a time, or "" where something is."""
    grants = list(grants)
    if not grants or roles_on(grants, day):
        return ""
    last = max(grants, key=lambda grant: grant.terms.last_day or date.min)
    if last.terms.last_day is None:
        return f"your time as {last.role} has no last day, so it does not count"
    return f"your time as {last.role} ended on {last.terms.last_day}"


def terms_problems(role: Role, terms: Terms, day: date) -> list[str]:
    """Everything that is wrong with granting ``role`` on ``day`` on these terms."""
    return [*_end_problems(role, terms.last_day, day), *_training_problems(terms.training, day)]


def trained(grant: Grant, day: date) -> Trained:
    """Whether the holder of a grant is trained for its role on ``day``; auditors need not be."""
    if grant.role is Role.AUDITOR:
        return Trained.NOT_NEEDED
    training = grant.terms.training
    if training is None:
        return Trained.NO_RECORD
    in_date = training.trained_on <= day <= training.expires_on
    return Trained.IN_DATE if in_date else Trained.EXPIRED


def untrained(user_id: str, grant: Grant, day: date) -> str:
    """What speaks against the training of a person for a role on ``day``, or ""."""
    match trained(grant, day), grant.terms.training:
        case Trained.NO_RECORD, _:
            return f"{user_id} holds the role {grant.role} without a record of training"
        case Trained.EXPIRED, RoleTraining(reference, _, expires_on):
            return (
                f"the training of {user_id} as {grant.role} ({reference}) counts until {expires_on}"
            )
        case _:
            return ""


def _end_problems(role: Role, last_day: date | None, day: date) -> Iterable[str]:
    if last_day is None:
        if role is Role.AUDITOR:
            yield "an auditor is appointed for a time: give the last day"
        return
    if last_day < day:
        yield f"the last day, {last_day}, is over"
    if role is Role.AUDITOR and last_day - day > LONGEST_AUDIT:
        yield f"an auditor is appointed for {LONGEST_AUDIT.days} days at most, not to {last_day}"


def _training_problems(training: RoleTraining | None, day: date) -> Iterable[str]:
    if training is None:
        return
    problem = line_problem("the reference of the training", training.reference)
    if problem:
        yield problem
    if training.trained_on > day:
        yield f"the training of {training.trained_on} is still to come"
    if training.expires_on < day:
        yield f"the training expired on {training.expires_on}"
