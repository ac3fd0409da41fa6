"""One's own second component, and the statement of accountability."""

from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field, SecretStr, StrictBool

from batchqc.actions.accountability import accept_accountability
from batchqc.actions.authenticators import (
    confirm_authenticator,
    offer_authenticator,
    revoke,
    revoke_authenticator,
)
from batchqc.actions.codes import require_enrolled
from batchqc.actions.people import the_person
from batchqc.actions.signing import check_reason, has_accepted, prove_components
from batchqc.actions.signing_rule import set_signing_rule
from batchqc.api.doors import Signature, SignedIn, Work, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.core.accountability import STATEMENT
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.records.components import confirmed_secret, newest_rule
from batchqc.records.people import Person
from batchqc.records.transaction import reading

router = Routes(PREFIX, tags=["second components"], responses=PROBLEMS)


class Offer(BaseModel):
    """The address for the authenticator; it is said once."""

    otpauth: str


class Code(Sent):
    """Six digits that the authenticator shows."""

    code: SecretStr


class AuthenticatorOut(BaseModel):
    """Whether codes of a person count."""

    user_id: str
    counts: bool


class Why(Sent):
    """The reason."""

    reason: Annotated[str, Field(examples=["The telephone was lost"])]


class StatementOut(BaseModel):
    """The statement of accountability, and whether you have accepted it as it reads now."""

    version: int
    text: str
    sha256: str
    accepted: bool


class Acceptance(Signature):
    """Your signature under the statement; `sha256` says what you have read."""

    sha256: str


class RuleOut(BaseModel):
    """Whether who has a password and an authenticator signs with both."""

    with_code: bool


class NewRule(Sent):
    """The rule, and why."""

    with_code: StrictBool
    reason: Annotated[str, Field(examples=["Risk assessment RA-2026-04"])]


@router.post(
    "/authenticator", status_code=201, response_model=Offer, summary="Enrol an authenticator"
)
def offer(call: Writing, sent: Signature) -> Response:
    """Make a new secret. It counts once its first code is confirmed; until then the old one does.

    Proven like a signature; for a step-up the record is `person:<user id>`, the meaning `verified`.
    """
    with call.writing(None, sent) as work:
        if work.is_new:
            person = the_person(work.tx.session, call.person.user_id)
            refusal = _proved(work, person, sent)
            shown = refusal or Offer(otpauth=offer_authenticator(work.tx, person))
            work.answer(201, shown)
            work.keep = False
    return work.response()


@router.post(
    "/authenticator/confirmation", response_model=AuthenticatorOut, summary="Confirm by a code"
)
def confirm(call: Writing, sent: Code) -> Response:
    """From now on the codes of this authenticator count, and of no other."""
    with call.writing(None, sent) as work:
        if work.is_new:
            refusal = confirm_authenticator(work.tx, code=sent.code.get_secret_value())
            counts = AuthenticatorOut(user_id=call.person.user_id, counts=True)
            work.answer(200, refusal or counts)
            work.keep = False
    return work.response()


@router.post(
    "/authenticator/revocation", response_model=AuthenticatorOut, summary="Revoke your own"
)
def revoke_own(call: Writing, sent: Signature) -> Response:
    """Codes of your authenticator count no more; proven as when it is enrolled."""
    check_reason(sent.reason)
    with call.writing(None, sent) as work:
        if work.is_new:
            person = the_person(work.tx.session, call.person.user_id)
            require_enrolled(work.tx.session, person)
            refusal = _proved(work, person, sent)
            if refusal is None:
                revoke(work.tx, person, reason=sent.reason)
            work.answer(200, refusal or AuthenticatorOut(user_id=person.user_id, counts=False))
            work.keep = False
    return work.response()


@router.post(
    "/people/{user_id}/authenticator/revocation",
    response_model=AuthenticatorOut,
    summary="Revoke somebody's authenticator",
)
def revoke_others(call: Writing, user_id: str, sent: Why) -> Response:
    """An administrator revokes; nobody sets or learns a secret for somebody else."""
    check_reason(sent.reason)
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            revoke_authenticator(work.tx, user_id=user_id, reason=sent.reason)
            work.answer(200, AuthenticatorOut(user_id=user_id, counts=False))
    return work.response()


@router.get("/authenticator", summary="Whether your codes count")
def own(call: SignedIn) -> AuthenticatorOut:
    """Your own authenticator."""
    with call.reading() as session:
        person = the_person(session, call.person.user_id)
        counts = confirmed_secret(session, person) is not None
        return AuthenticatorOut(user_id=person.user_id, counts=counts)


@router.get("/accountability", summary="The statement of accountability")
def statement(call: SignedIn) -> StatementOut:
    """Nobody signs who has not accepted it as it reads now; a first password may read it."""
    with reading(call.door.engine) as session:
        accepted = has_accepted(session, the_person(session, call.person.user_id))
    return _statement(accepted=accepted)


@router.post(
    "/accountability",
    status_code=201,
    response_model=StatementOut,
    summary="Accept the statement (signed)",
)
def accept(call: Writing, sent: Acceptance) -> Response:
    """Accept what you have read; for a step-up the record is `statement_of_accountability:1`."""
    with call.writing(None, sent) as work:
        if work.is_new:
            signed = accept_accountability(work.tx, read=sent.sha256, credentials=sent.credentials)
            work.answer(201, signed if isinstance(signed, Refusal) else _statement(accepted=True))
    return work.response()


@router.get("/signing-rule", summary="The rule of signatures")
def rule(call: SignedIn) -> RuleOut:
    """Off where nobody set it."""
    with call.reading() as session:
        newest = newest_rule(session)
        return RuleOut(with_code=newest is not None and bool(newest.with_code))


@router.post("/signing-rule", status_code=201, response_model=RuleOut, summary="Set the rule")
def set_rule(call: Writing, sent: NewRule) -> Response:
    """It holds from the next signature on, for everybody who has an authenticator."""
    with call.writing(Permission.SET_SIGNING_RULE, sent) as work:
        if work.is_new:
            set_signing_rule(work.tx, with_code=sent.with_code, reason=sent.reason)
            work.answer(201, RuleOut(with_code=sent.with_code))
    return work.response()


def _proved(work: Work, person: Person, sent: Signature) -> Refusal | None:
    return prove_components(
        work.tx, person, sent.credentials, records=[person.key], meaning=Meaning.VERIFIED
    )


def _statement(*, accepted: bool) -> StatementOut:
    return StatementOut(
        version=STATEMENT.version,
        text=STATEMENT.text,
        sha256=STATEMENT.sha256,
        accepted=accepted,
    )
