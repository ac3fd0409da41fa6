"""Visits to the provider of single sign-on: to begin a session, or to prove who signs one record.

Who is sent there holds a ticket, of which only the hash is stored. State, nonce and the verifier of
PKCE are made of the ticket, so that a return fits one visit of one client. The provider's word is
checked by the door; here it is held against what was asked for. A visit ends once.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from batchqc.actions.attempts import Tried, attempt
from batchqc.actions.people import (
    begin_session,
    ends_of_sessions,
    sha256_of_token,
    the_person,
)
from batchqc.core.components import (
    PROOF_MINUTES,
    SIGN_IN_HOURS,
    VISIT_MINUTES,
    Component,
    LinkState,
    sign_in_problem,
)
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import Conflict, NotSignedIn
from batchqc.records.components import (
    ProofUse,
    ProviderReturn,
    ProviderVisit,
    newest_link,
    person_of,
    return_of,
    use_of,
    visit_by,
)
from batchqc.records.people import Password, Person, SignIn
from batchqc.records.transaction import Transaction

UNKNOWN: Final = "unknown subject refused"
_WRONG: Final = Refusal(
    "BQC-SIG-014",
    "single sign-on does not prove who signs this",
    "Begin again: POST /api/v1/step-up with this record and meaning; each proof signs once.",
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What only the client of a visit knows, and what is made of it."""

    text: str

    @property
    def sha256(self) -> str:
        """Under which the visit is stored."""
        return sha256_of_token(self.text)

    @property
    def state(self) -> str:
        """What the provider gives back."""
        return self._made("state")

    @property
    def nonce(self) -> str:
        """What the provider signs."""
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """What redeems the provider's code."""
        return self._made("verifier")

    def _made(self, what: str) -> str:
        made = hmac.digest(self.text.encode(), f"batchqc/{what}".encode(), hashlib.sha256)
        return urlsafe_b64encode(made).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the provider says, after its signature, audience, nonce and times were checked."""

    issuer: str
    subject: str
    authenticated_at: datetime | None


def begin_visit(
    tx: Transaction, *, ticket: Ticket, record: str = "", meaning: Meaning | None = None
) -> ProviderVisit:
    """Send somebody to the provider: to sign in, or to sign ``record`` with ``meaning``."""
    to_sign = meaning is not None
    visit = ProviderVisit(
        ticket_sha256=ticket.sha256,
        user_id=tx.actor.user_id if to_sign else "",
        sign_in=tx.actor.sign_in if to_sign else "",
        record=record,
        meaning=meaning.value if meaning is not None else "",
        began_at=tx.now,
        ends_at=tx.now + timedelta(minutes=VISIT_MINUTES),
    )
    tx.add(visit)
    tx.audit("sent to single sign-on", rows=[visit], after={"record": record or "sign-in"})
    return visit


def sign_in_by_visit(
    tx: Transaction, *, ticket: Ticket, vouched: Vouched, token: str, hours: int, client: str = ""
) -> SignIn | Refusal:
    """Begin a session of the person whom the provider vouches for.

    A subject that no account is linked to is refused and remembered; no account is made.
    """
    visit = _open(tx, ticket, to_sign=False)
    person = person_of(tx.session, issuer=vouched.issuer, subject=vouched.subject)
    if person is None:
        after = {"issuer": vouched.issuer, "subject": vouched.subject}
        tx.audit(UNKNOWN, about=[visit.key], after=after)
        return Refusal(
            "BQC-ACC-037",
            "no account is linked to who signed in there",
            "Ask an administrator to link your account; confirm it where you have a password.",
        )
    refusal = _return(tx, visit, person, vouched, purpose="sign-in")
    if isinstance(refusal, Refusal):
        return refusal
    by = Component.PROVIDER
    return begin_session(tx, person, token=token, hours=hours, by=by, client=client)


def end_at_provider(tx: Transaction, *, issuer: str, subject: str) -> None:
    """End every session of the person whose sign-in ended at the provider, if there is one."""
    person = person_of(tx.session, issuer=issuer, subject=subject)
    if person is not None:
        ended = ends_of_sessions(tx, person)
        tx.add(*ended)
        tx.audit("ended at single sign-on", rows=ended, about=[person.key])


def prove_by_visit(
    tx: Transaction, *, ticket: Ticket, vouched: Vouched
) -> ProviderReturn | Refusal:
    """Keep that the provider saw the person who acts, anew; it signs one thing, soon."""
    visit = _open(tx, ticket, to_sign=True)
    person = the_person(tx.session, tx.actor.user_id)
    return _return(tx, visit, person, vouched, purpose="step-up")


def use_proof(
    tx: Transaction,
    person: Person,
    *,
    ticket: Ticket,
    records: Sequence[str],
    meaning: Meaning,
) -> Refusal | None:
    """Whether a visit proves that a person signs these records now; it is used up by that.

    A visit for several names them all, in their order, with a comma and a space between.
    """
    to_sign = ", ".join(records)
    visit = visit_by(tx.session, ticket.sha256)
    back = return_of(tx.session, visit) if visit is not None else None

    def check(_: Password | None) -> str | None:
        if visit is None or back is None or use_of(tx.session, back) is not None:
            return None
        link = newest_link(tx.session, person)  # which may be another one since
        if link is None or link.state == LinkState.REMOVED or link.changed_at > back.returned_at:
            return None
        asked = (visit.user_id, visit.sign_in, visit.record.casefold(), visit.meaning)
        signs = (person.user_id, tx.actor.sign_in, to_sign.casefold(), meaning.value)
        return (
            "" if asked == signs and back.person_id == person.id and tx.now < back.ends_at else None
        )

    tried = Tried(Component.PROVIDER, "signature", _WRONG)
    refusal = attempt(tx, person, tried, check=check)
    if refusal is None and back is not None:
        use = ProofUse(provider_return=back, used_at=tx.now)
        tx.add(use)
        tx.audit("step-up used", rows=[use], about=[person.key, *records])
    return refusal


def _return(
    tx: Transaction, visit: ProviderVisit, person: Person, vouched: Vouched, *, purpose: str
) -> ProviderReturn | Refusal:
    found = person_of(tx.session, issuer=vouched.issuer, subject=vouched.subject)
    authenticated = vouched.authenticated_at
    age = timedelta() if visit.meaning else timedelta(hours=SIGN_IN_HOURS)
    problem = sign_in_problem(authenticated, asked=visit.began_at - age, now=tx.now)
    if found is None or found.id != person.id:
        problem = "the provider saw somebody else"
    wrong = Refusal("BQC-SIG-015", f"single sign-on is refused: {problem}", "Begin again.")
    refusal = attempt(
        tx,
        person,
        Tried(Component.PROVIDER, purpose, wrong),
        check=lambda _: None if problem else "",
    )
    if refusal is not None or authenticated is None:
        return refusal or wrong
    back = ProviderReturn(
        provider_visit=visit,
        person=person,
        authenticated_at=authenticated,
        returned_at=tx.now,
        ends_at=tx.now + timedelta(minutes=PROOF_MINUTES),
    )
    tx.add(back)
    tx.audit("returned from single sign-on", rows=[back], about=[person.key])
    return back


def _open(tx: Transaction, ticket: Ticket, *, to_sign: bool) -> ProviderVisit:
    """The visit of a ticket that nobody returned from.

    Raises:
        NotSignedIn: there is none, it is another person's, or its time is over.
        Conflict: somebody returned from it already.
    """
    tx.lock(f"visit {ticket.sha256}")
    visit = visit_by(tx.session, ticket.sha256)
    own = (tx.actor.user_id, tx.actor.sign_in) if to_sign else ("", "")
    if visit is None or (visit.user_id, visit.sign_in) != own or tx.now >= visit.ends_at:
        raise NotSignedIn(
            "BQC-ACC-038", "no visit to single sign-on is open for this ticket", hint="Begin again."
        )
    if return_of(tx.session, visit) is not None:
        raise Conflict(
            "BQC-ACC-039",
            "this visit is over; each counts once",
        )
    return visit
