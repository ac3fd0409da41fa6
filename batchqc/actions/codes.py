"""Codes of authenticators: whether one counts, and who comes in with the password and one.

Who has a confirmed authenticator comes in with both, in one attempt. Whatever of it is wrong is
refused and remembered in the same words after the same work, so that nobody learns from a sign-in
whether the password alone was right. Where the policy of the site asks everybody, who has a
password and no authenticator comes in to enrol one, and for nothing else.
"""

from pathlib import Path
from typing import Final

import pyotp
from sqlalchemy.orm import Session

from batchqc.actions.attempts import Tried, attempt
from batchqc.actions.passwords import holder_of_password, matches, right_password
from batchqc.core.components import Component, accepted_step, steps_around
from batchqc.core.signatures import Refusal
from batchqc.documents.component_key import load_component_key
from batchqc.errors import NotPermitted
from batchqc.records.components import (
    AuthenticatorChange,
    any_confirmed_secret,
    confirmed_secret,
    last_step,
)
from batchqc.records.people import Password, Person, person_by
from batchqc.records.standings import standing_of
from batchqc.records.transaction import Transaction

NOT_IN: Final = Refusal(
    "BQC-SIG-001",
    "user id or password is wrong, or the code of your authenticator is wrong or missing",
    "Try again, each code once; five failures lock the account.",
)


def prove_to_come_in(
    tx: Transaction, *, user_id: str, password: str, code: str, purpose: str
) -> Refusal | None:
    """Whether a person comes in; the attempt is written either way, as one.

    A code that is given counts, or nobody comes in: also where none is asked for.

    Raises:
        SigningUnavailable: the secret cannot be read, whether or not the password is right.
    """
    person = holder_of_password(tx, user_id=user_id, password=password, purpose=purpose)
    if person is None:
        return NOT_IN
    tx.lock(f"attempts of {person.folded}")  # no authenticator is confirmed meanwhile
    offer = confirmed_secret(tx.session, person)
    with_code = offer is not None or bool(code)
    step = counting_step(tx, person, offer, code=code) if with_code else ""

    def check(stored: Password | None) -> str | Refusal | None:
        if step is None:  # the same work, whether the password is right or not
            matches(tx, stored, password)
            return None
        found = right_password(tx, person, password, stored)
        return None if found is None else found or step

    by = Component.WITH_CODE if with_code else Component.PASSWORD
    return attempt(tx, person, Tried(by, purpose, NOT_IN), check=check)


def counting_step(
    tx: Transaction, person: Person, offer: AuthenticatorChange | None, *, code: str
) -> str | None:
    """The time step that a code of ``offer`` counts for now, ``None`` where it does not.

    Raises:
        SigningUnavailable: the secret cannot be read.
    """
    if offer is None:
        return None
    key = load_component_key(tx.component_key)
    totp = pyotp.TOTP(key.unlock(offer.secret, name=secret_name(offer)))
    expected = {one: totp.generate_otp(one) for one in steps_around(tx.now)}
    found = accepted_step(code, expected, last=last_step(tx.session, person))
    return None if found is None else str(found)


def check_component_key(session: Session, path: Path | None) -> None:
    """Refuse another key than the one under which the secrets of authenticators are stored.

    Raises:
        SigningUnavailable: BQC-SIG-021.
    """
    offer = any_confirmed_secret(session)
    if offer is not None:
        load_component_key(path).unlock(offer.secret, name=secret_name(offer))


def secret_name(offer: AuthenticatorChange) -> str:
    """Under which the secret of an offer is encrypted."""
    return f"{offer.person.user_id}/{offer.number}"


def needs_code(session: Session, user_id: str) -> bool:
    """Whether somebody comes in with a code besides the password."""
    person = person_by(session, user_id)
    return person is not None and confirmed_secret(session, person) is not None


def require_enrolled(session: Session, person: Person) -> None:
    """Refuse who has to enrol an authenticator before anything else.

    Raises:
        NotPermitted: BQC-ACC-047.
    """
    if standing_of(session, person).must_enrol:
        raise not_enrolled()


def not_enrolled() -> NotPermitted:
    """What is said to who acts without the authenticator that the site asks of everybody."""
    return NotPermitted(
        "BQC-ACC-047",
        "this site asks everybody for a code at sign-in, and you have no authenticator",
        hint="Enrol one first: POST /api/v1/authenticator or `batchqc user authenticator`.",
    )
