"""Attempts to prove who one is: each on record, five failures in a row lock the account.

Whatever component fails counts into the same lock (requirement 1.24). Failures count since an
administrator set the password: a reset unlocks. A component that is right opens no account that is
closed, which is told only to who knows it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batchqc.actions.role_terms import site_day
from batchqc.actions.standing import closed
from batchqc.core.canonical import utc_text
from batchqc.core.components import Component
from batchqc.core.signatures import FAILURES_BEFORE_LOCK, LOCK_MINUTES, Refusal
from batchqc.records.components import confirmed_secret
from batchqc.records.people import (
    Attempt,
    Password,
    Person,
    grants_of,
    newest_attempts,
    newest_password,
)
from batchqc.records.transaction import Transaction

LOCKED: Final = "account locked"
#: For what the first code of an authenticator is given.
CONFIRMATION: Final = "confirmation of an authenticator"
_CODES: Final = (Component.CODE, Component.WITH_CODE)
#: How many attempts are looked at for one that failed; only then for all that count.
LOOKED_AT: Final = FAILURES_BEFORE_LOCK * len(Component)
WRONG: Final = Refusal(
    "BQC-SIG-001", "user id or password is wrong", "Try again; five failures lock the account."
)


@dataclass(frozen=True, slots=True)
class Tried:
    """What was tried, and what is said where it fails."""

    component: Component
    purpose: str
    wrong: Refusal = WRONG


def attempt(
    tx: Transaction,
    person: Person,
    tried: Tried,
    *,
    check: Callable[[Password | None], str | Refusal | None],
) -> Refusal | None:
    """Try a component, unless the account is locked; the attempt is written either way.

    Args:
        tx: in which it is written.
        person: whose component it is.
        tried: what was tried.
        check: the time step of a right code, blank for what has none, ``None`` where it is wrong,
            a refusal where it is right but opens nothing. It is asked under the lock of the
            person's attempts, with the password that counts now.
    """
    tx.lock(f"attempts of {person.folded}")
    newest = newest_attempts(tx.session, person, limit=LOOKED_AT)
    password = newest_password(tx.session, person)
    counted = counting(tx.session, person, newest)
    until = locked_until(counted, tx.now)
    found = check(password) if until is None else None
    refusal = _refusal(tx, person, tried, found)
    row = Attempt(
        person=person,
        number=newest[0].number + 1 if newest else 1,
        purpose=tried.purpose,
        succeeded=int(refusal is None),
        at=tx.now,
        component=tried.component.value,
        step=found if isinstance(found, str) and refusal is None else "",
    )
    tx.add(row)
    outcome = "accepted" if row.succeeded else "refused, locked" if until else "refused"
    after = {"purpose": tried.purpose}
    tx.audit(f"{tried.component.word} {outcome}", rows=[row], about=[person.key], after=after)
    if until is not None:
        return _locked(person, tx.now)
    if refusal is not None:
        _lock(tx, person, counting(tx.session, person, [row, *newest]))
    return refusal


def counting(session: Session, person: Person, newest: Sequence[Attempt]) -> list[Attempt]:
    """Of a person's attempts those that may lock the account, newest first.

    Where one failed of late, the newest of each component are read: what lies between them, however
    much of another component, hides none. A password that somebody else set forgives whatever
    failed before. One's own forgives nothing: who knows the old one would try codes without end.

    Args:
        session: only read.
        person: whose they are.
        newest: the newest ones, ``LOOKED_AT`` at least.
    """
    if all(one.succeeded for one in newest):
        return []
    resets = (Password.person_id == person.id, Password.set_by_other == 1)
    reset_at = session.scalar(select(func.max(Password.set_at)).where(*resets))
    found = _of_each_component(session, person)
    if confirmed_secret(session, person) is None:
        found = _without_codes(found)
    return [one for one in found if reset_at is None or one.at > reset_at]


def _without_codes(found: Sequence[Attempt]) -> list[Attempt]:
    """Without wrong codes before what was right last: where none counts, none can be guessed.

    They would count for ever, since nothing is right with a code there.
    """
    right = max((one.number for one in found if one.succeeded), default=0)
    return [one for one in found if one.component not in _CODES or one.number > right]


def _of_each_component(session: Session, person: Person) -> list[Attempt]:
    """Of each component as many of the newest attempts as lock an account, newest first."""
    newest = func.row_number().over(partition_by=Attempt.component, order_by=Attempt.number.desc())
    ranked = select(Attempt.id, newest.label("place")).where(Attempt.person_id == person.id)
    places = ranked.subquery()
    query = select(Attempt).join(places, places.c.id == Attempt.id)
    query = query.where(places.c.place <= FAILURES_BEFORE_LOCK).order_by(Attempt.number.desc())
    return [*session.scalars(query)]


def locked_until(newest: Iterable[Attempt], now: datetime) -> datetime | None:
    """Until when an account is locked: counted from its newest failure.

    A component that is right forgives the failures of the same component only: who knows the
    password does not try codes without end. Password and code together forgive those of each, and
    the first code of an authenticator those of both together: they were of none, or of another.
    """
    failures, right = [], set[str]()
    for one in newest:
        if one.succeeded:
            right.add(one.component)
            if one.component == Component.WITH_CODE:
                right |= {Component.PASSWORD.value, Component.CODE.value}
            if one.purpose == CONFIRMATION:
                right.add(Component.WITH_CODE.value)
        elif one.component not in right:
            failures.append(one.at)
    if len(failures) < FAILURES_BEFORE_LOCK:
        return None
    until = failures[0] + timedelta(minutes=LOCK_MINUTES)
    return until if now < until else None


def _refusal(
    tx: Transaction, person: Person, tried: Tried, found: str | Refusal | None
) -> Refusal | None:
    """Why what was found opens nothing; whether the account is closed hears who knows it."""
    if found is None:
        return tried.wrong
    day = site_day(tx.session, tx.now)
    shut = closed(tx.session, person, grants_of(tx.session, person), day=day)
    return shut or (found if isinstance(found, Refusal) else None)


def _lock(tx: Transaction, person: Person, counted: list[Attempt]) -> None:
    """Say so in an entry of its own where the last failure locks the account."""
    until = locked_until(counted, tx.now)
    if until is not None:
        tx.audit(
            LOCKED,
            about=[person.key],
            after={"until": utc_text(until), "failures": FAILURES_BEFORE_LOCK},
        )


def _locked(person: Person, now: datetime) -> Refusal:
    """Until when, with this attempt, which is the newest failure; the minute told is not before."""
    until = now + timedelta(minutes=LOCK_MINUTES + 1, microseconds=-1)
    return Refusal(
        "BQC-SIG-002",
        f"{person.user_id} is locked after {FAILURES_BEFORE_LOCK} failures",
        f"Wait until {until:%H:%M} UTC, or ask an administrator. Who tries before waits anew.",
    )
