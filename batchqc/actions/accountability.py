"""The statement of accountability is accepted with a signature of its own."""

from batchqc.actions.clock_evidence import check_clock
from batchqc.actions.codes import require_enrolled
from batchqc.actions.late_signing import check_paper
from batchqc.actions.people import change_password, the_person
from batchqc.actions.signing import (
    Credentials,
    check_reason,
    code_is_asked,
    has_accepted,
    prove_components,
    write_signatures,
)
from batchqc.core.accountability import STATEMENT
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import Conflict, InvalidInput, NotPermitted
from batchqc.records.people import Person
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import Transaction


def accept_accountability(
    tx: Transaction, *, read: str, credentials: Credentials
) -> SignatureRow | Refusal:
    """Accept the statement with one's signature.

    Args:
        tx: of the person who accepts.
        read: the hash of the text that they read.
        credentials: of the person who acts.

    Raises:
        InvalidInput: another text was read, or the reason explains nothing.
        NotPermitted: an authenticator is to be enrolled first.
        Conflict: it is accepted already.
        ClockDoubtful: BQC-SYS-031 the clock stands before what is on record.
    """
    check_clock(tx)
    person = the_person(tx.session, tx.actor.user_id)
    require_enrolled(tx.session, person)
    check_reason(credentials.reason)
    _check_read(read)
    tx.lock(f"attempts of {person.folded}")  # under which it is accepted, here or with a password
    if has_accepted(tx.session, person):
        raise Conflict("BQC-ACC-041", "you have accepted this statement already")
    check_paper(tx, person, credentials.paper, None)
    refusal = prove_components(
        tx, person, credentials, records=[STATEMENT.key], meaning=Meaning.ACCEPTED
    )
    return refusal or _accept(tx, person, credentials.reason)


def change_password_and_accept(
    tx: Transaction, *, user_id: str, old: str, new: str, read: str
) -> Refusal | None:
    """Change one's own password, and accept the statement with it where ``read`` is its hash.

    Raises:
        NotPermitted: a signature takes a code of theirs, for which the change has no place.
        ClockDoubtful: BQC-SYS-031 it is accepted by a clock that stands before what is on record.
    """
    if read:
        check_clock(tx)
        _check_read(read)
    refusal = change_password(tx, user_id=user_id, old=old, new=new)
    person = None if refusal else the_person(tx.session, user_id)
    if person is not None and read and not has_accepted(tx.session, person):
        if code_is_asked(tx.session, person):
            raise NotPermitted(
                "BQC-ACC-049",
                "signatures take a code here, so the statement is not accepted with the password",
                hint="Change the password alone; then POST /api/v1/accountability with a code.",
            )
        _accept(tx, person, "Accepted with the change of password")
    return refusal


def _check_read(read: str) -> None:
    if read != STATEMENT.sha256:
        raise InvalidInput(
            "BQC-ACC-040",
            "this is not the hash of the statement of accountability as it reads now",
            hint="Read it again: GET /api/v1/accountability.",
        )


def _accept(tx: Transaction, person: Person, reason: str) -> SignatureRow:
    (signature,) = write_signatures(
        tx,
        person,
        Credentials(person.user_id, "", reason),
        meaning=Meaning.ACCEPTED,
        records=[(STATEMENT.key, STATEMENT.sha256)],
    )
    tx.audit(
        "accountability accepted",
        rows=[signature],
        about=[person.key],
        reason=reason,
        after={"version": STATEMENT.version, "text": STATEMENT.text},
    )
    return signature
