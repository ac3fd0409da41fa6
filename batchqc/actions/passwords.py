"""Passwords: proved, set by somebody else for a time, and how old they may become.

A password that somebody else set opens nothing but its change, and so does one that is too old.
Who signs in at the provider of single sign-on may have none: nothing here touches them.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.attempts import WRONG, Tried, attempt
from batchqc.core.accounts import FIRST_PASSWORD_HOURS
from batchqc.core.canonical import utc_text
from batchqc.core.components import Component
from batchqc.core.signatures import Refusal
from batchqc.errors import InvalidInput, NotPermitted
from batchqc.records.people import (
    UNKNOWN,
    Password,
    PasswordRule,
    Person,
    newest_account_change,
    newest_password,
    newest_password_rule,
    person_by,
)
from batchqc.records.registers import Product, the_site
from batchqc.records.transaction import SYSTEM, Checked, Transaction

SHORTEST_PASSWORD: Final = 12
_GUESSES: Final = 5 * 10**8
"""Tries at least: more than zxcvbn calls safe where guessing is slow, as argon2id makes it."""
_LOOKED_AT: Final = 72
"""Characters; what is longer is not guessed, and would only take time."""
# argon2id at parameters that OWASP lists as sufficient: every signature hashes once, in parallel
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
#: It costs as much to compare with as any other, and no password is known that has it.
_ANY_HASH: Final = (
    f"$argon2id$v=19$m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    f"${'A' * 22}${'A' * 43}"
)
_CHANGE_IT: Final = "Change it first: POST /api/v1/password or `batchqc user password`."


def prove(tx: Transaction, *, user_id: str, password: str, purpose: str) -> Refusal | None:
    """Whether a password is right now; the attempt is written either way.

    An unknown user id costs as much time and says the same as a wrong password.
    """
    person = holder_of_password(tx, user_id=user_id, password=password, purpose=purpose)
    if person is None:
        return WRONG
    return prove_own(tx, person, password=password, purpose=purpose)


def holder_of_password(
    tx: Transaction, *, user_id: str, password: str, purpose: str
) -> Person | None:
    """The person whose password is to be proved; for who has none the work is done all the same."""
    person = person_by(tx.session, user_id)
    if person is None or newest_password(tx.session, person) is None:
        _is_right(tx, _ANY_HASH, password)
        tx.audit(UNKNOWN, after={"purpose": purpose})
        return None
    return person


def right_password(
    tx: Transaction, person: Person, password: str, stored: Password | None
) -> str | Refusal | None:
    """Whether it is right, against what is stored once the attempts are held.

    Returns:
        Blank where it is, ``None`` where it is not, a refusal where it is but its time is over.
    """
    if stored is None or not matches(tx, stored, password):
        return None
    change = newest_account_change(tx.session, person)
    is_over = bool(stored.ends_at) and utc_text(tx.now) > stored.ends_at
    if is_over or (stored.set_by_other and change and change.changed_at > stored.set_at):
        return Refusal(
            "BQC-ACC-020", "the time of this one-time password is over", "Ask an administrator."
        )
    return ""


def prove_own(tx: Transaction, person: Person, *, password: str, purpose: str) -> Refusal | None:
    """The same of a person who has a password."""
    tried = Tried(Component.PASSWORD, purpose)
    return attempt(tx, person, tried, check=partial(right_password, tx, person, password))


def checked_before(stored: str, password: str) -> Checked:
    """Whether a password belongs to a hash, for a transaction that begins then.

    It takes a while, and who writes is waited for. Which hash counts, the transaction asks: where
    it is another one, the password is checked there.

    Args:
        stored: the hash; blank where there is none, which takes as long.
        password: what was given.
    """
    stored = stored or _ANY_HASH
    return {(stored, password): _belongs(stored, password)}


def require_own_password(tx: Transaction, person: Person) -> Password | None:
    """The password of a person; refuse one that opens nothing but its change.

    Raises:
        NotPermitted: somebody else set it, or it is too old.
    """
    password = newest_password(tx.session, person)
    days = too_old(tx.session, password, tx.now)
    if days:
        raise aged(days)
    if password is not None and password.set_by_other:
        raise not_own()
    return password


def too_old(session: Session, password: Password | None, now: datetime) -> int:
    """The age in days beyond which a password must be changed, where this one is older; else 0."""
    return days_beyond(newest_password_rule(session), password, now)


def days_beyond(rule: PasswordRule | None, password: Password | None, now: datetime) -> int:
    """The same by a rule that is at hand."""
    if rule is None or not rule.days or password is None or password.set_by_other:
        return 0
    return rule.days if now - password.set_at > timedelta(days=rule.days) else 0


def not_own() -> NotPermitted:
    """What is said to who acts with a password that somebody else set."""
    return NotPermitted("BQC-ACC-003", "somebody else set your password", hint=_CHANGE_IT)


def aged(days: int) -> NotPermitted:
    """What is said to who acts with a password that is older than ``days``."""
    return NotPermitted("BQC-ACC-021", f"your password is older than {days} days", hint=_CHANGE_IT)


def check_password(session: Session, person: Person, password: str) -> None:
    """Refuse a password that is short, monotonous, or among the first that somebody would try.

    Tried first are passwords that many people have, words and names of several languages, rows of
    keys, and the words of this place: the person's, the site's, those of the products.

    Raises:
        InvalidInput: BQC-ACC-008 it is short or monotonous; BQC-ACC-046 it is tried early.
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415 - a second of lists that only who sets one waits for

    if len(password) < SHORTEST_PASSWORD or len(set(password)) < 5:
        raise InvalidInput(
            "BQC-ACC-008",
            f"a password has at least {SHORTEST_PASSWORD} characters, five of them different",
        )
    found = zxcvbn(password[:_LOOKED_AT], user_inputs=list(_words(session, person)))
    if found["guesses"] < _GUESSES:
        raise InvalidInput(
            "BQC-ACC-046",
            "the password is one of the first that somebody would try",
            hint="Take several words that have nothing to do with you, each other or this site.",
        )


def _words(session: Session, person: Person) -> Iterator[str]:
    """The words of the context, whole and in their parts."""
    site = the_site(session)
    told = [person.user_id, person.name, site.name if site else ""]
    told += [word for one in session.scalars(select(Product)) for word in (one.code, one.name)]
    yield "batchqc"
    for one in told:
        yield from {one, *re.split(r"[\W_]+", one)} - {""}


def own_password(tx: Transaction, person: Person, number: int, password: str) -> Password:
    """A password that a person sets themself."""
    return Password(
        person=person, number=number, hash=HASHER.hash(password), set_by_other=0, set_at=tx.now
    )


def matches(tx: Transaction, stored: Password | None, password: str) -> bool:
    """Whether it is the stored one, whatever that opens."""
    return stored is not None and _is_right(tx, stored.hash, password)


def first_password(tx: Transaction, person: Person, password: str) -> Password:
    """The first password of a person, which whoever registers them sets."""
    check_password(tx.session, person, password)
    # nobody could give the first administrator another one
    hours = FIRST_PASSWORD_HOURS if tx.actor != SYSTEM else 0
    return one_time_password(tx, person, 1, password, hours=hours)


def one_time_password(
    tx: Transaction, person: Person, number: int, password: str, *, hours: int
) -> Password:
    """A password that somebody else sets, for ``hours``; 0 for no end."""
    return Password(
        person=person,
        number=number,
        hash=HASHER.hash(password),
        set_by_other=1,
        set_at=tx.now,
        ends_at=utc_text(tx.now + timedelta(hours=hours)) if hours else "",
    )


def _is_right(tx: Transaction, stored: str, password: str) -> bool:
    known = tx.checked.get((stored, password))
    return _belongs(stored, password) if known is None else known


def _belongs(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
