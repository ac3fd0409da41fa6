"""One's own sessions: from where each began, and how one ends them, proven like a signature.

Of somebody else's, of one that ended and of none at all the same is said.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.codes import require_enrolled
from batchqc.actions.people import SIGNED_IN, ends_of_sessions, the_person
from batchqc.actions.signing import Credentials, check_reason, prove_components
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import NotFound
from batchqc.records.audit import AuditEntry, AuditSubject
from batchqc.records.people import Person, SignIn, SignOut
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Ended:
    """How many sessions were ended."""

    sessions: int


def began_from(session: Session, found: Sequence[SignIn]) -> dict[str, str]:
    """Address and program that sessions began from, by their keys, where that is on record."""
    query = (
        select(AuditSubject.subject, AuditEntry.text)
        .join(AuditEntry, AuditSubject.entry_id == AuditEntry.id)
        .where(AuditSubject.subject.in_([one.key for one in found]), AuditEntry.what == SIGNED_IN)
    )
    told = {subject: json.loads(text)["after"] for subject, text in session.execute(query)}
    return {key: after["from"] for key, after in told.items() if "from" in after}


def end_session(tx: Transaction, *, token_sha256: str, credentials: Credentials) -> Ended | Refusal:
    """End one open session of the person who acts, the own one too.

    Raises:
        NotFound: it is no open session of theirs.
        NotPermitted: something else comes first.
    """
    person = _person(tx, credentials)
    _chosen(tx, person, token_sha256)  # before a component is tried, which a refusal would forget
    refusal = _proved(tx, person, credentials)
    if refusal is not None:
        return refusal
    end = _chosen(tx, person, token_sha256)
    tx.add(end)
    tx.audit("session ended", rows=[end], about=[person.key], reason=credentials.reason)
    return Ended(1)


def end_other_sessions(tx: Transaction, *, credentials: Credentials) -> Ended | Refusal:
    """End every open session of the person who acts but the one that they act in.

    Raises:
        NotPermitted: something else comes first.
    """
    person = _person(tx, credentials)
    refusal = _proved(tx, person, credentials)
    if refusal is not None:
        return refusal
    own = tx.actor.sign_in
    ends = [one for one in ends_of_sessions(tx, person) if one.sign_in.token_sha256 != own]
    if ends:
        tx.add(*ends)
        tx.audit("other sessions ended", rows=ends, about=[person.key], reason=credentials.reason)
    return Ended(len(ends))


def _person(tx: Transaction, credentials: Credentials) -> Person:
    check_reason(credentials.reason)
    person = the_person(tx.session, tx.actor.user_id)
    require_enrolled(tx.session, person)
    return person


def _proved(tx: Transaction, person: Person, credentials: Credentials) -> Refusal | None:
    records = [person.key]
    return prove_components(tx, person, credentials, records=records, meaning=Meaning.VERIFIED)


def _chosen(tx: Transaction, person: Person, token_sha256: str) -> SignOut:
    """The end of one open session of a person, behind the lock of their sessions."""
    for end in ends_of_sessions(tx, person):
        if end.sign_in.token_sha256 == token_sha256:
            return end
    raise NotFound(
        "BQC-ACC-050",
        "this is no open session of yours",
        hint="GET /api/v1/sessions tells which are.",
    )
