"""Authenticators (TOTP, RFC 6238): offered to their owner, confirmed by a first code, revoked.

The secret is made here, shown once, and stored encrypted. Nobody sets or learns it for another;
an administrator only revokes it. A code counts once. With one, its owner comes in.
"""

from typing import Final

import pyotp

from batchqc.actions.attempts import CONFIRMATION, Tried, attempt
from batchqc.actions.codes import counting_step, secret_name
from batchqc.actions.people import ends_of_sessions, the_person
from batchqc.actions.permission import require
from batchqc.core.components import CodeState, Component
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal, reason_problem
from batchqc.documents.component_key import load_component_key
from batchqc.errors import Conflict, InvalidInput, NotPermitted
from batchqc.records.components import (
    AuthenticatorChange,
    confirmed_secret,
    newest_authenticator,
    with_authenticator,
)
from batchqc.records.people import Person, SignOut
from batchqc.records.transaction import Transaction

_WRONG: Final = Refusal(
    "BQC-SIG-011",
    "the code is wrong, too old, or was used before",
    "Wait for the next code; five failures lock the account.",
)


def offer_authenticator(tx: Transaction, person: Person) -> str:
    """Make a new secret for the person who acts, and say it once.

    What was confirmed before counts until the new one is confirmed.

    Returns:
        The ``otpauth`` address for the authenticator.

    Raises:
        SigningUnavailable: the installation has no key to store it under.
    """
    key = load_component_key(tx.component_key)
    secret = pyotp.random_base32()
    _lock(tx, person)
    change = _change(tx, person, CodeState.OFFERED)
    change.secret = key.lock(secret, name=secret_name(change))
    tx.add(change)
    tx.audit("authenticator offered", rows=[change], about=[person.key])
    return pyotp.TOTP(secret).provisioning_uri(name=person.user_id, issuer_name="batchqc")


def confirm_authenticator(tx: Transaction, *, code: str) -> Refusal | None:
    """Confirm what was offered by its first code; from now on its codes count, no other's.

    Sessions that began with less, all but the own one, end.

    Raises:
        Conflict: nothing is offered.
    """
    person = the_person(tx.session, tx.actor.user_id)
    offer = _waiting(tx, person)
    refusal = _check(tx, person, offer, code=code, purpose=CONFIRMATION)
    if refusal is None:
        _lock(tx, person)
        if _waiting(tx, person).id != offer.id:
            raise Conflict("BQC-SIG-012", "another authenticator was offered meanwhile")
        change = _change(tx, person, CodeState.CONFIRMED)
        ended = _other_sessions(tx, person)
        tx.add(change, *ended)
        tx.audit("authenticator confirmed", rows=[change, *ended], about=[person.key])
    return refusal


def revoke_authenticator(tx: Transaction, *, user_id: str, reason: str) -> None:
    """Revoke the authenticator of a person, as an administrator; its codes count no more.

    Raises:
        NotPermitted: it is the administrator's own, which a code of it revokes.
    """
    require(tx, Permission.MANAGE_ACCOUNTS)
    person = the_person(tx.session, user_id)
    if person.user_id == tx.actor.user_id:
        raise NotPermitted(
            "BQC-ACC-048",
            "nobody revokes their own authenticator without a code of it",
            hint="With one: POST /api/v1/authenticator/revocation. Else ask another administrator.",
        )
    revoke(tx, person, reason=reason)


def revoke_every(tx: Transaction, *, reason: str) -> int:
    """Revoke every authenticator, as an administrator: the key of their secrets is lost.

    Returns:
        How many there were.

    Raises:
        InvalidInput: the reason explains nothing.
    """
    require(tx, Permission.MANAGE_ACCOUNTS)
    problem = reason_problem(reason)
    if problem:
        raise InvalidInput("BQC-SIG-004", problem)
    found = sorted(with_authenticator(tx.session))
    for user_id in found:
        revoke(tx, the_person(tx.session, user_id), reason=reason)
    return len(found)


def revoke(tx: Transaction, person: Person, *, reason: str) -> None:
    """Revoke an authenticator, and end every other session; the caller has checked who asks.

    Raises:
        Conflict: there is none.
    """
    tx.lock(f"attempts of {person.folded}")  # nobody begins a session with a code of it meanwhile
    _lock(tx, person)
    newest = newest_authenticator(tx.session, person)
    if newest is None or newest.state == CodeState.REVOKED:
        raise Conflict("BQC-SIG-013", f"{person.user_id} has no authenticator")
    change = _change(tx, person, CodeState.REVOKED, reason=reason)
    ended = _other_sessions(tx, person)
    tx.add(change, *ended)
    tx.audit("authenticator revoked", rows=[change, *ended], about=[person.key], reason=reason)


def prove_code(tx: Transaction, person: Person, *, code: str, purpose: str) -> Refusal | None:
    """Whether a code of a person's confirmed authenticator is right now; the attempt is written."""
    tx.lock(f"attempts of {person.folded}")  # none is revoked meanwhile
    return _check(tx, person, confirmed_secret(tx.session, person), code=code, purpose=purpose)


def _waiting(tx: Transaction, person: Person) -> AuthenticatorChange:
    """The offer that waits for its first code."""
    newest = newest_authenticator(tx.session, person)
    if newest is None or newest.state != CodeState.OFFERED:
        raise Conflict("BQC-SIG-012", "no authenticator waits for its first code")
    return newest


def _other_sessions(tx: Transaction, person: Person) -> list[SignOut]:
    """The ends of every session of a person but that of who acts."""
    own = tx.actor.sign_in
    return [one for one in ends_of_sessions(tx, person) if one.sign_in.token_sha256 != own]


def _lock(tx: Transaction, person: Person) -> None:
    """Hold a person's authenticators; the lock of attempts comes before it, never after."""
    tx.lock(f"authenticators of {person.folded}")


def _check(
    tx: Transaction, person: Person, offer: AuthenticatorChange | None, *, code: str, purpose: str
) -> Refusal | None:
    tried = Tried(Component.CODE, purpose, _WRONG)
    return attempt(tx, person, tried, check=lambda _: counting_step(tx, person, offer, code=code))


def _change(
    tx: Transaction, person: Person, state: CodeState, *, reason: str = ""
) -> AuthenticatorChange:
    newest = newest_authenticator(tx.session, person)
    return AuthenticatorChange(
        person=person,
        number=newest.number + 1 if newest else 1,
        state=state.value,
        secret="",
        reason=reason,
        changed_by=tx.actor.user_id,
        changed_at=tx.now,
    )
