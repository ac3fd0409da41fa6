"""Electronic signatures: user id and password each time, bound to one record and its hash."""

from dataclasses import dataclass

from batchqc.actions.people import prove, the_person
from batchqc.actions.role_training import check_role_training
from batchqc.core.signatures import Meaning, Refusal, Signing, reason_problem
from batchqc.errors import InvalidInput
from batchqc.records.signatures import SignatureRow, next_number
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Credentials:
    """The two components of a signature, given anew at every signing, and the reason."""

    user_id: str
    password: str
    reason: str


def check_reason(reason: str) -> None:
    """Refuse a reason that explains nothing.

    Raises:
        InvalidInput: it is blank, has no word in it, or is no single line of text.
    """
    problem = reason_problem(reason)
    if not reason.isprintable():
        problem = "write the reason in one line, without control characters"
    if problem:
        raise InvalidInput("BQC-SIG-004", problem)


def sign(
    tx: Transaction,
    credentials: Credentials,
    *,
    meaning: Meaning,
    record: str,
    record_sha256: str,
) -> SignatureRow | Refusal:
    """Sign a record as the person who acts; a refusal is returned, so that it is remembered.

    Args:
        tx: of the person who signs.
        credentials: of the person who acts; anybody else's are refused.
        meaning: what the signer takes responsibility for.
        record: the key of what is signed.
        record_sha256: the hash of what is signed.
    """
    if credentials.user_id.casefold() != tx.actor.user_id.casefold():
        return Refusal(
            "BQC-SIG-003",
            f"{tx.actor.user_id} is signed in, but {credentials.user_id} was to sign",
            "Sign with your own user id and password.",
        )
    refusal = prove(
        tx, user_id=credentials.user_id, password=credentials.password, purpose="signature"
    )
    if refusal is not None:
        return refusal
    person = the_person(tx.session, credentials.user_id)
    untrained = check_role_training(tx, person)
    if untrained is not None:
        return untrained
    signing = Signing(
        user_id=person.user_id,
        name=person.name,
        role=tx.actor.role,
        meaning=meaning,
        reason=credentials.reason,
        at=tx.now,
        record=record,
        record_sha256=record_sha256,
    )
    year = tx.now.year
    tx.lock(f"signatures of {year}")
    signature = SignatureRow(
        year=year,
        number=next_number(tx.session, SignatureRow, year),
        person=person,
        name=signing.name,
        role=signing.role,
        meaning=signing.meaning.value,
        reason=signing.reason,
        at=signing.at,
        record=record,
        record_sha256=record_sha256,
        sha256=signing.sha256,
    )
    tx.add(signature)
    return signature
