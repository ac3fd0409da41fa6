"""Links of accounts to single sign-on: made by an administrator before anybody comes that way.

A subject of an issuer is one person for ever. Nobody links their own account, and where the person
has a password, the link counts once they have confirmed it with that password.
"""

from batchqc.actions.codes import require_enrolled
from batchqc.actions.passwords import prove, require_own_password
from batchqc.actions.people import ends_of_sessions, the_person
from batchqc.actions.permission import require
from batchqc.core.components import LinkState
from batchqc.core.identifiers import line_problem
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal, reason_problem
from batchqc.errors import Conflict, InvalidInput, NotPermitted
from batchqc.records.components import LinkChange, holder_of, newest_link
from batchqc.records.people import Person
from batchqc.records.transaction import Transaction


def link_account(
    tx: Transaction, *, user_id: str, issuer: str, subject: str, reason: str
) -> LinkChange:
    """Link an account to a subject of an issuer, both exactly as the issuer writes them.

    Raises:
        InvalidInput: a part is blank, or no line of text.
        NotPermitted: it is the administrator's own.
        Conflict: the account is linked, or the subject belongs or belonged to somebody else.
    """
    require(tx, Permission.MANAGE_ACCOUNTS)
    problem = (
        line_problem("the issuer", issuer)
        or line_problem("the subject", subject)
        or reason_problem(reason)
    )
    if problem:
        raise InvalidInput("BQC-ACC-030", problem)
    person = the_person(tx.session, user_id)
    if person.is_laboratory:
        raise InvalidInput("BQC-ACC-031", f"{person.user_id} is a laboratory and never signs in")
    if person.user_id == tx.actor.user_id:
        raise NotPermitted(
            "BQC-ACC-032", "nobody links their own account", hint="Ask another administrator."
        )
    tx.lock("links of accounts")
    newest = newest_link(tx.session, person)
    if newest is not None and newest.state != LinkState.REMOVED:
        raise Conflict("BQC-ACC-033", f"{person.user_id} is linked already")
    holder = holder_of(tx.session, issuer=issuer, subject=subject)
    if holder is not None and holder.id != person.id:
        raise Conflict("BQC-ACC-034", "this subject belongs to somebody else, and does for ever")
    linked = LinkChange(
        person=person,
        number=newest.number + 1 if newest else 1,
        state=LinkState.LINKED.value,
        issuer=issuer,
        subject=subject,
        reason=reason,
        changed_by=tx.actor.user_id,
        changed_at=tx.now,
    )
    tx.add(linked)
    after = {"issuer": issuer, "subject": subject}
    tx.audit("account linked", rows=[linked], about=[person.key], reason=reason, after=after)
    return linked


def confirm_link(tx: Transaction, *, password: str) -> Refusal | None:
    """Make the link of one's own account count, with one's password.

    Raises:
        NotPermitted: the password is one that somebody else set, or an authenticator is lacking.
        Conflict: no link waits for it.
    """
    person = the_person(tx.session, tx.actor.user_id)
    require_own_password(tx, person)
    require_enrolled(tx.session, person)
    refusal = prove(tx, user_id=person.user_id, password=password, purpose="confirmation of a link")
    if refusal is not None:
        return refusal
    tx.lock("links of accounts")
    newest = newest_link(tx.session, person)
    if newest is None or newest.state != LinkState.LINKED:
        raise Conflict("BQC-ACC-035", "no link of your account waits for you")
    confirmed = _next(tx, newest, LinkState.CONFIRMED)
    tx.add(confirmed)
    tx.audit("link confirmed", rows=[confirmed], about=[person.key])
    return None


def remove_link(tx: Transaction, *, user_id: str, reason: str) -> None:
    """Remove the link of an account, and end every session of it at once.

    Raises:
        InvalidInput: the reason explains nothing.
        Conflict: there is no link.
    """
    require(tx, Permission.MANAGE_ACCOUNTS)
    problem = reason_problem(reason)
    if problem:
        raise InvalidInput("BQC-ACC-030", problem)
    person = the_person(tx.session, user_id)
    tx.lock(f"attempts of {person.folded}")  # nobody begins a session by it meanwhile
    tx.lock("links of accounts")
    newest = newest_link(tx.session, person)
    if newest is None or newest.state == LinkState.REMOVED:
        raise Conflict("BQC-ACC-036", f"{person.user_id} is not linked")
    removed = _next(tx, newest, LinkState.REMOVED, reason=reason)
    tx.add(removed)
    tx.audit("link removed", rows=[removed], about=[person.key], reason=reason)
    _sign_out_everywhere(tx, person)


def _next(tx: Transaction, newest: LinkChange, state: LinkState, *, reason: str = "") -> LinkChange:
    return LinkChange(
        person=newest.person,
        number=newest.number + 1,
        state=state.value,
        issuer=newest.issuer,
        subject=newest.subject,
        reason=reason,
        changed_by=tx.actor.user_id,
        changed_at=tx.now,
    )


def _sign_out_everywhere(tx: Transaction, person: Person) -> None:
    """End every session of a person at once."""
    ends = ends_of_sessions(tx, person)
    if ends:
        tx.add(*ends)
        tx.audit("signed out everywhere", rows=ends, about=[person.key])
