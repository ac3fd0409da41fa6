"""What every endpoint works with: the installation, who asks, and one transaction for one action.

A request with an ``Idempotency-Key`` that was answered before gets the same answer again; nothing
is done twice. A token alone never signs: what is signed carries both components each time.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.certificates import Press
from batchqc.actions.passwords import checked_before
from batchqc.actions.people import Principal
from batchqc.actions.signing import Credentials
from batchqc.actions.states import Contested
from batchqc.actions.trends import Trends
from batchqc.actions.views import log_view
from batchqc.api.idle import who_asks
from batchqc.api.routes import PREFIX
from batchqc.api.sent import Sent, is_text
from batchqc.api.tags import check_unchanged
from batchqc.api.uses import Uses, client_of
from batchqc.core.canonical import sha256_of
from batchqc.core.late_entries import Paper
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotSignedIn, SignatureRefused
from batchqc.records.decisions import Answer, answer_by
from batchqc.records.registers import Site
from batchqc.records.transaction import Actor, Transaction, reading, transaction
from batchqc.settings import Settings

if TYPE_CHECKING:
    from batchqc.api.openid import Provider


@dataclass(frozen=True, slots=True)
class Door:
    """The installation that an application serves."""

    settings: Settings
    engine: Engine
    archive: Archive
    press: Press
    now: Callable[[], datetime]
    provider: "Provider | None" = None
    trends: Trends = field(default_factory=Trends)
    uses: Uses = field(default_factory=Uses)


class Signature(Sent):
    """The components of an electronic signature, given anew each time, and the reason.

    User id and password; who has no password gives a code of their authenticator, or the ticket of
    a step-up. Where the rule of the site asks for it, password and code.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user_id": "giang.do", "password": "my own password", "reason": "Agrees with data"}
            ]
        },
    )

    user_id: str
    password: SecretStr = SecretStr("")
    code: SecretStr = Field(SecretStr(""), description="Six digits of the authenticator.")
    step_up: SecretStr = Field(SecretStr(""), description="The ticket of a finished step-up.")
    reason: str = Field(description="Why, in words that a stranger understands.")
    happened_at: str = Field(
        "", description="Of a late entry: when it was signed on paper, RFC 3339 with its offset."
    )
    paper: str = Field("", description="Of a late entry: the number of the paper form.")

    @property
    def credentials(self) -> Credentials:
        """For the action that signs."""
        return Credentials(
            self.user_id,
            self.password.get_secret_value(),
            self.reason,
            code=self.code.get_secret_value(),
            step_up=self.step_up.get_secret_value(),
            paper=Paper(self.happened_at, self.paper) if self.happened_at or self.paper else None,
        )


def door_of(request: Request) -> Door:
    """The installation behind a request.

    Raises:
        InvalidInput: the address holds a character that no record has.
    """
    asked = (text for _, text in request.query_params.multi_items())  # each of what is there twice
    texts = [request.url.path, *request.path_params.values(), *asked]
    if not all(is_text(str(text)) for text in texts):
        raise InvalidInput("BQC-API-008", "the address holds U+0000")
    door: Door = request.app.state.door
    return door


OpenDoor = Annotated[Door, Depends(door_of)]
_BEARER = HTTPBearer(auto_error=False, description="The token that POST /session answers.")


@dataclass(slots=True)
class Work:
    """One action of one request, and the answer to it."""

    tx: Transaction
    status: int = 0
    text: str = ""
    refusal: Refusal | None = None
    #: Whether to keep the answer for its idempotency key. What was refused may be tried again;
    #: what sets a password cannot be known again, since no password is remembered.
    keep: bool = True

    @property
    def is_new(self) -> bool:
        """Whether the action is still to be done: the request was not answered before."""
        return not self.status

    def answer(self, status: int, body: BaseModel | Refusal) -> None:
        """Say what to answer once the transaction has committed."""
        if isinstance(body, Refusal):
            self.refusal = body
        else:
            self.status, self.text = status, body.model_dump_json()

    def body(self) -> dict[str, Any]:
        """The answer's content, after the commit.

        Raises:
            SignatureRefused: the action was refused, and that is on record now.
        """
        if self.refusal is not None:
            raise SignatureRefused(self.refusal.code, self.refusal.message, hint=self.refusal.hint)
        content: dict[str, Any] = json.loads(self.text)
        return content

    def response(self) -> Response:
        """The answer, after the commit."""
        self.body()
        return Response(self.text, self.status, media_type="application/json")


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a person who is signed in."""

    door: Door
    person: Principal
    token: str
    address: str
    site: Site
    key: str | None = None
    if_match: str | None = None
    if_none_match: str = ""

    @contextmanager
    def reading(self, permission: Permission = Permission.READ) -> Iterator[Session]:
        """A session that only reads, for a person who may read."""
        self.person.acting(permission)
        with reading(self.door.engine) as session:
            yield session

    @contextmanager
    def writing(
        self,
        permission: Permission | None,
        body: BaseModel | str | None = None,
        *,
        of: Contested | None = None,
    ) -> Iterator[Work]:
        """A transaction for one action, which commits at the end of the block.

        Args:
            permission: what for; ``None`` for what concerns only the person.
            body: what was sent, to know the request again; secrets are masked in it.
            of: what is decided on, held and compared with ``If-Match`` before the action.
        """
        actor = self.person.acting(permission) if permission else self.person.themself()
        password = body.password.get_secret_value() if isinstance(body, Signature) else ""
        checked = checked_before(self.person.password_hash, password) if password else {}
        with transaction(self.door.engine, actor, self.door.now(), checked=checked) as tx:
            work = Work(tx)
            sent = body.model_dump(mode="json") if isinstance(body, BaseModel) else body
            request = sha256_of({"request": self.address, "body": sent})
            if self.key is not None:
                self._recall(work, self.key, request)
            was_new = work.is_new
            if self.if_match is not None and was_new:
                check_unchanged(tx, self.if_match, of)
            yield work
            if self.key is not None and was_new and work.refusal is None and work.keep:
                self._remember(work, self.key, request)

    def _recall(self, work: Work, key: str, request: str) -> None:
        work.tx.lock(f"answer:{self.person.user_id}/{key}")
        earlier = answer_by(work.tx.session, self.person.user_id, key)
        if earlier is None:
            return
        if earlier.request_sha256 != request:
            raise Conflict(
                "BQC-API-004",
                "this Idempotency-Key belongs to another request",
                hint="Use a new key for each new request.",
            )
        work.tx.wait_for_standby()
        work.status, work.text = earlier.status, earlier.body

    def _remember(self, work: Work, key: str, request: str) -> None:
        answer = Answer(
            person=self.person.user_id, idempotency_key=key, request_sha256=request,
            status=work.status, body=work.text, at=work.tx.now,
        )  # fmt: skip
        work.tx.add(answer)
        work.tx.audit("answer kept for its idempotency key", rows=[answer])


def _call(
    request: Request,
    door: OpenDoor,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Call:
    if bearer is None:
        raise NotSignedIn("BQC-ACC-001", "you are not signed in", hint="POST /api/v1/session")
    return call_by(request, door, bearer.credentials)


def call_by(request: Request, door: Door, token: str) -> Call:
    """The request of the person behind a token of a session; it raises as ``who_is`` does."""
    person, site = who_asks(door, token, client=client_of(request))
    address = f"{request.method} {request.url.path}?{request.url.query}"
    if Role.AUDITOR in person.roles:
        _log(request, door, person, address)
    seen = ", ".join(request.headers.getlist("if-none-match"))
    return Call(door, person, token, address, site, if_none_match=seen)


def _log(request: Request, door: Door, person: Principal, address: str) -> None:
    """What an auditor asks for is on record before it is answered, whatever the answer is."""
    actor = Actor(person.user_id, Role.AUDITOR.value, person.time_zone)
    route = f"{request.method} {request.scope['route'].path.removeprefix(PREFIX)}"
    with transaction(door.engine, actor, door.now()) as tx:
        log_view(
            tx,
            request=address.rstrip("?"),
            route=route,
            records={name: str(part) for name, part in request.path_params.items()},
        )


SignedIn = Annotated[Call, Depends(_call)]


def _keyed(
    call: SignedIn,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=8,
            max_length=80,
            description="A new one for each new request; see the guide.",
        ),
    ] = None,
    if_match: Annotated[
        str | None,
        Header(
            max_length=500,
            description="The ETag of what is decided on, as it was seen; refused with 412 where"
            " that has changed since.",
        ),
    ] = None,
) -> Call:
    return replace(call, key=idempotency_key, if_match=if_match)


Writing = Annotated[Call, Depends(_keyed)]  # what is asked for once is done once
