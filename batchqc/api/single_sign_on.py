"""Single sign-on: to begin a session, and the step-up that signs one record.

The client begins a visit and gets a ticket, which it keeps to itself, and the address to send the
browser to. The provider sends the browser back to the page of the settings with a code and a state;
the client hands both in with its ticket. Nothing is asked of the provider inside a transaction.
"""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Form, Response
from pydantic import BaseModel, Field, SecretStr

from batchqc import clock
from batchqc.actions.links import confirm_link
from batchqc.actions.visits import (
    Ticket,
    begin_visit,
    end_at_provider,
    prove_by_visit,
    sign_in_by_visit,
)
from batchqc.api.doors import OpenDoor, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.provider import the_provider
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.session import SignInAnswer, begun_session
from batchqc.api.uses import Client
from batchqc.core.signatures import Meaning, Refusal
from batchqc.errors import NotSignedIn
from batchqc.records.transaction import SYSTEM, transaction

_LONGEST: Final = 20_000
"""Characters of a logout token; one has some hundred."""

router = Routes(PREFIX, tags=["single sign-on"], responses=PROBLEMS)


class VisitOut(BaseModel):
    """Where to send the browser, and what to come back with."""

    ticket: str = Field(description="Keep it; hand it in with the code and the state.")
    address: str
    ends_at: datetime


class Returned(Sent):
    """What the provider sent the browser back with, and the ticket."""

    ticket: SecretStr
    code: SecretStr
    state: SecretStr


class StepUp(Sent):
    """What is to be signed, as the signatures will name it; of a series every record, in order."""

    record: Annotated[
        str, Field(examples=["lot:UCM-P1-T1", "lot:UCM-P1-T1, lot:UCM-P1-T2"], max_length=4000)
    ]
    meaning: Meaning


class ProofOut(BaseModel):
    """Until when the ticket signs, once: give it as `step_up`."""

    ends_at: datetime


class LinkConfirmation(Sent):
    """One's own password makes the link count."""

    password: SecretStr


class Confirmed(BaseModel):
    """What holds now."""

    confirmed: bool


@router.post("/session/single-sign-on", status_code=201, summary="Sign in at the provider")
def begin(door: OpenDoor) -> VisitOut:
    """Begin a visit to the provider, to sign in."""
    provider, ticket = the_provider(door.provider), Ticket(clock.new_token())
    address = provider.address(ticket, anew=False)
    with transaction(door.engine, SYSTEM, door.now()) as tx:
        ends_at = begin_visit(tx, ticket=ticket).ends_at
    return VisitOut(ticket=ticket.text, address=address, ends_at=ends_at)


@router.post("/session/single-sign-on/return", status_code=201, summary="Come back signed in")
def come_back(door: OpenDoor, sent: Returned, client: Client) -> SignInAnswer:
    """Begin a session. An account is linked beforehand; none is made by coming here."""
    provider, ticket = the_provider(door.provider), Ticket(sent.ticket.get_secret_value())
    vouched = provider.vouch(
        ticket,
        code=sent.code.get_secret_value(),
        state=sent.state.get_secret_value(),
        now=door.now(),
    )
    token, hours = clock.new_token(), door.settings.session_hours
    with transaction(door.engine, SYSTEM, door.now()) as tx:
        begun = sign_in_by_visit(
            tx, ticket=ticket, vouched=vouched, token=token, hours=hours, client=client
        )
        answer = begun if isinstance(begun, Refusal) else begun_session(tx, token, begun)
    if isinstance(answer, Refusal):
        raise NotSignedIn(answer.code, answer.message, hint=answer.hint)
    return answer


@router.post(
    "/session/single-sign-on/logout", status_code=204, summary="The provider ends sessions"
)
def ended(
    door: OpenDoor, logout_token: Annotated[str, Form(min_length=1, max_length=_LONGEST)]
) -> Response:
    """What the provider calls when a sign-in ends there (OpenID Connect Back-Channel Logout 1.0).

    Every session of the person ends here, of whatever way in.
    """
    provider = the_provider(door.provider)
    subject = provider.ended(logout_token, now=door.now())
    with transaction(door.engine, SYSTEM, door.now()) as tx:
        end_at_provider(tx, issuer=provider.issuer, subject=subject)
    return Response(status_code=204)


@router.post("/step-up", status_code=201, response_model=VisitOut, summary="Prove who signs")
def step_up(call: Writing, sent: StepUp) -> Response:
    """Begin a visit to the provider, which asks anew; it signs this record with this meaning."""
    provider, ticket = the_provider(call.door.provider), Ticket(clock.new_token())
    address = provider.address(ticket, anew=True)
    with call.writing(None, sent) as work:
        if work.is_new:
            visit = begin_visit(work.tx, ticket=ticket, record=sent.record, meaning=sent.meaning)
            shown = VisitOut(ticket=ticket.text, address=address, ends_at=visit.ends_at)
            work.answer(201, shown)
            work.keep = False
    return work.response()


@router.post("/step-up/return", status_code=201, response_model=ProofOut, summary="Come back")
def stepped_up(call: Writing, sent: Returned) -> Response:
    """Hand in what the provider sent; the ticket then signs, once and soon."""
    provider, ticket = the_provider(call.door.provider), Ticket(sent.ticket.get_secret_value())
    vouched = provider.vouch(
        ticket,
        code=sent.code.get_secret_value(),
        state=sent.state.get_secret_value(),
        now=call.door.now(),
    )
    with call.writing(None, sent) as work:
        if work.is_new:
            back = prove_by_visit(work.tx, ticket=ticket, vouched=vouched)
            work.answer(201, back if isinstance(back, Refusal) else ProofOut(ends_at=back.ends_at))
            work.keep = False
    return work.response()


@router.post("/link/confirmation", response_model=Confirmed, summary="Confirm your link")
def confirm(call: Writing, sent: LinkConfirmation) -> Response:
    """Make the link of your own account to single sign-on count."""
    with call.writing(None, sent) as work:
        if work.is_new:
            refusal = confirm_link(work.tx, password=sent.password.get_secret_value())
            work.answer(200, refusal or Confirmed(confirmed=True))
            work.keep = False
    return work.response()
