"""Electronic signatures: both components each time, bound to one record and its hash.

The first component is the user id. The second is the password; who has none signs with a code of
their authenticator, or with a sign-in at the provider that was made anew for this one signature.
A series of signings is one act: who signs proves it once, and each record has its own signature
(requirement 1.18). Nobody signs who has not accepted the statement of accountability (1.10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.authenticators import prove_code
from batchqc.actions.clock_evidence import check_clock
from batchqc.actions.late_signing import check_paper
from batchqc.actions.passwords import prove_own, require_own_password
from batchqc.actions.people import check_still_acting, the_person
from batchqc.actions.role_training import check_role_training
from batchqc.actions.visits import Ticket, use_proof
from batchqc.core.accountability import NOT_ACCEPTED, STATEMENT
from batchqc.core.drawable import undrawable
from batchqc.core.late_entries import Paper
from batchqc.core.signatures import Meaning, Refusal, Signing, reason_problem
from batchqc.errors import InvalidInput, NotPermitted
from batchqc.records.components import confirmed_secret, newest_rule
from batchqc.records.people import Person, newest_password
from batchqc.records.signatures import SignatureRow, has_signed, next_number
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Credentials:
    """The components of a signature, given anew at every signing, and the reason.

    ``code`` is of an authenticator; ``step_up`` is the ticket of a visit to single sign-on.
    ``paper`` is the form of what was signed while the system was down, and is entered late.
    """

    user_id: str
    password: str
    reason: str
    code: str = ""
    step_up: str = ""
    paper: Paper | None = None


def check_reason(reason: str) -> None:
    """Refuse a reason that explains nothing.

    Raises:
        InvalidInput: it is blank, has no word in it, is no single line of text, or cannot be shown
            on certificates.
    """
    problem = reason_problem(reason)
    if not reason.isprintable():
        problem = "write the reason in one line, without control characters"
    elif mark := undrawable(reason):
        problem = f"the reason is printed on certificates, and no font of theirs draws {mark}"
    if problem:
        raise InvalidInput("BQC-SIG-004", problem)


def sign(
    tx: Transaction,
    credentials: Credentials,
    *,
    meaning: Meaning,
    record: str,
    record_sha256: str,
    rests_on: Mapping[str, datetime] | None = None,
) -> SignatureRow | Refusal:
    """Sign a record as the person who acts; a refusal is returned, so that it is remembered.

    Args:
        tx: of the person who signs.
        credentials: of the person who acts; anybody else's are refused.
        meaning: what the signer takes responsibility for.
        record: the key of what is signed.
        record_sha256: the hash of what is signed.
        rests_on: the true time of all that it rests on, by what it is in words; ``None`` for what
            is never entered late from paper.

    Raises:
        InvalidInput: it cannot be entered late, with every reason.
        NotPermitted: the person has lost the role since the transaction was opened.
        ClockDoubtful: BQC-SYS-031 the clock stands before what is on record.
    """
    records = [(record, record_sha256)]
    signed = sign_series(tx, credentials, meaning=meaning, records=records, rests_on=rests_on)
    return signed if isinstance(signed, Refusal) else signed[0]


def sign_series(
    tx: Transaction,
    credentials: Credentials,
    *,
    meaning: Meaning,
    records: Sequence[tuple[str, str]],
    rests_on: Mapping[str, datetime] | None = None,
) -> list[SignatureRow] | Refusal:
    """Sign several records in one act, each by a signature of its own, or none of them.

    Args:
        tx: of the person who signs.
        credentials: of the person who acts, proved once.
        meaning: what the signer takes responsibility for.
        records: key and hash of each.
        rests_on: as of one signature.

    Raises:
        InvalidInput, NotPermitted, ClockDoubtful: as one signature.
    """
    check_clock(tx)
    person = the_person(tx.session, tx.actor.user_id)
    check_paper(tx, person, credentials.paper, rests_on)  # the stops, then who signs
    check_still_acting(tx, person)
    if not has_accepted(tx.session, person):
        return NOT_ACCEPTED
    keys = [record for record, _ in records]
    refusal = prove_components(tx, person, credentials, records=keys, meaning=meaning)
    refusal = refusal or check_role_training(tx, person)
    if refusal is not None:
        return refusal
    return write_signatures(tx, person, credentials, meaning=meaning, records=records)


def has_accepted(session: Session, person: Person) -> bool:
    """Whether a person has signed the statement of accountability as it reads now."""
    return has_signed(session, person, record=STATEMENT.key, sha256=STATEMENT.sha256)


def prove_components(
    tx: Transaction,
    person: Person,
    credentials: Credentials,
    *,
    records: Sequence[str],
    meaning: Meaning,
) -> Refusal | None:
    """Whether both components are of the person who acts; every attempt is written.

    Raises:
        NotPermitted: the password is one that somebody else set, or too old.
    """
    if credentials.user_id.casefold() != tx.actor.user_id.casefold():
        return Refusal(
            "BQC-SIG-003",
            f"{tx.actor.user_id} is signed in, but {credentials.user_id} was to sign",
            "Sign with your own user id and password.",
        )
    has_password = require_own_password(tx, person) is not None
    if not has_password and not credentials.code:
        ticket = Ticket(credentials.step_up)
        return use_proof(tx, person, ticket=ticket, records=records, meaning=meaning)
    refusal = None
    if has_password:
        refusal = prove_own(tx, person, password=credentials.password, purpose="signature")
    if refusal is None and (credentials.code or code_is_asked(tx.session, person, records=records)):
        refusal = prove_code(tx, person, code=credentials.code, purpose="signature")
    return refusal


def code_is_asked(session: Session, person: Person, *, records: Sequence[str] = ()) -> bool:
    """Whether this person is asked for a code besides the password: by the rule of the site.

    Whatever the rule is, who replaces or revokes their own authenticator gives a code of it.
    """
    rule = newest_rule(session)
    if (rule is None or not rule.with_code) and person.key not in records:
        return False
    has_password = newest_password(session, person) is not None
    return has_password and confirmed_secret(session, person) is not None


def write_signatures(
    tx: Transaction,
    person: Person,
    credentials: Credentials,
    *,
    meaning: Meaning,
    records: Sequence[tuple[str, str]],
) -> list[SignatureRow]:
    """Write the signatures of a person who has proved who they are; the caller audits them.

    Raises:
        NotPermitted: BQC-JOB-001 it is a job that acts for the person.
    """
    if tx.actor.job:
        raise NotPermitted("BQC-JOB-001", "a job signs for nobody", hint="Sign it yourself.")
    paper, year = credentials.paper or Paper("", ""), tx.now.year
    tx.lock(f"signatures of {year}")
    rows = []
    for number, (record, sha256) in enumerate(records, next_number(tx.session, SignatureRow, year)):
        signing = Signing(
            user_id=person.user_id,
            name=person.name,
            role=tx.actor.role,
            meaning=meaning,
            reason=credentials.reason,
            at=tx.now,
            record=record,
            record_sha256=sha256,
            happened_at=paper.happened_at,
            paper=paper.reference,
        )
        rows.append(_row(person, signing, year, number))
    tx.add(*rows)
    return rows


def _row(person: Person, signing: Signing, year: int, number: int) -> SignatureRow:
    return SignatureRow(
        year=year,
        number=number,
        person=person,
        name=signing.name,
        role=signing.role,
        meaning=signing.meaning.value,
        reason=signing.reason,
        at=signing.at,
        record=signing.record,
        record_sha256=signing.record_sha256,
        sha256=signing.sha256,
        happened_at=signing.happened_at,
        paper=signing.paper,
    )
