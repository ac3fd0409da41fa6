"""Signing in and out, and one's own password."""

from datetime import datetime

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from batchqc import clock
from batchqc.actions.accountability import change_password_and_accept
from batchqc.actions.passwords import checked_before
from batchqc.actions.people import principal, sign_in, sign_out
from batchqc.actions.setup import own_site
from batchqc.api.doors import OpenDoor, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.uses import Client
from batchqc.api.watching import note_account
from batchqc.core.permissions import Role
from batchqc.core.signatures import Refusal
from batchqc.errors import NotSignedIn
from batchqc.records.people import SignIn, hash_of
from batchqc.records.transaction import SYSTEM, Transaction, asking, reading, transaction

router = Routes(PREFIX, tags=["session"], responses=PROBLEMS)


class SignInRequest(Sent):
    """User id and password, and the code of who has an authenticator."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "giang.do", "password": "my own password"}]},
    )

    user_id: str
    password: SecretStr
    code: SecretStr = Field(
        SecretStr(""), description="Six digits of the authenticator, of who has one; else blank."
    )


class SignInAnswer(BaseModel):
    """The token of a session: send it as `Authorization: Bearer <token>`."""

    token: str
    ends_at: datetime
    must_change_password: bool = Field(description="Nothing else is allowed before.")
    must_enrol_authenticator: bool = Field(description="Nothing else is allowed before.")


class Me(BaseModel):
    """Who is signed in."""

    user_id: str
    name: str
    roles: list[Role]
    must_change_password: bool
    must_enrol_authenticator: bool


class PasswordChange(Sent):
    """The old password proves who asks."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"old": "a first password 1", "new": "my own password 7"}]},
    )

    old: SecretStr
    new: SecretStr
    accepts: str = Field(
        "", description="`sha256` of the statement of accountability, to accept it as well."
    )


class Site(BaseModel):
    """Who makes and issues."""

    name: str
    address: list[str]
    time_zone: str
    series: str
    specimen: str


class Health(BaseModel):
    """Whether the database answers."""

    status: str


@router.post("/session", status_code=201, summary="Sign in")
def begin(door: OpenDoor, sent: SignInRequest, client: Client) -> SignInAnswer:
    """Begin a session. Five failures in a row lock the account for 15 minutes.

    What was wrong, user id, password or code, is told to nobody.
    """
    token, password = clock.new_token(), sent.password.get_secret_value()
    with asking(door.engine) as session:
        stored = hash_of(session, sent.user_id)
    checked = checked_before(stored, password)
    with transaction(door.engine, SYSTEM, door.now(), checked=checked) as tx:
        begun = sign_in(
            tx,
            user_id=sent.user_id,
            password=password,
            token=token,
            hours=door.settings.session_hours,
            code=sent.code.get_secret_value(),
            client=client,
        )
        answer = begun if isinstance(begun, Refusal) else begun_session(tx, token, begun)
    if isinstance(answer, Refusal):
        raise NotSignedIn(answer.code, answer.message, hint=answer.hint)
    return answer


@router.delete("/session", status_code=204, summary="Sign out")
def end(call: SignedIn) -> Response:
    """End the session of this token at once."""
    with transaction(call.door.engine, call.person.themself(), call.door.now()) as tx:
        sign_out(tx, token=call.token)
    return Response(status_code=204)


@router.get("/me", summary="Who is signed in")
def me(call: SignedIn) -> Me:
    """The person behind the token, with the roles held now."""
    person = call.person
    return Me(
        user_id=person.user_id,
        name=person.name,
        roles=sorted(person.roles),
        must_change_password=person.must_change_password,
        must_enrol_authenticator=person.must_enrol,
    )


@router.post("/password", response_model=Me, summary="Change your own password")
def password(call: Writing, sent: PasswordChange) -> Response:
    """Change your own password, and end your other sessions; a first one opens only this."""
    with call.writing(None, sent) as work:
        if work.is_new:
            refusal = change_password_and_accept(
                work.tx,
                user_id=call.person.user_id,
                old=sent.old.get_secret_value(),
                new=sent.new.get_secret_value(),
                read=sent.accepts,
            )
            changed = me(call).model_copy(update={"must_change_password": False})
            work.answer(200, refusal or changed)
            work.keep = False
    return work.response()


@router.get("/site", summary="The site of this installation")
def site(call: SignedIn) -> Site:
    """Name, address and time zone; dates of manufacture and expiry are dates there."""
    with call.reading() as session:
        own = own_site(session)
        return Site(
            name=own.name,
            address=own.address.splitlines(),
            time_zone=own.time_zone,
            series=own.series,
            specimen=own.specimen,
        )


@router.get("/health", summary="Whether the service can work", responses={401: {}, 403: {}})
def health(door: OpenDoor) -> Health:
    """Answers once the database does; needs no sign-in."""
    with reading(door.engine) as session:
        own_site(session)
    return Health(status="ok")


def begun_session(tx: Transaction, token: str, begun: SignIn) -> SignInAnswer:
    """What is answered to who began a session."""
    zone, user_id = own_site(tx.session).time_zone, begun.person.user_id
    note_account(user_id)
    person = principal(tx.session, user_id=user_id, time_zone=zone, now=tx.now)
    return SignInAnswer(
        token=token,
        ends_at=begun.ends_at,
        must_change_password=person.must_change_password,
        must_enrol_authenticator=person.must_enrol,
    )
