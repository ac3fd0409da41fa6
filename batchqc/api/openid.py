"""The provider of single sign-on: OpenID Connect, authorization code with PKCE.

What it is comes from its discovery document, and must be about the issuer of the settings. An
identity token counts when one of the provider's keys signed it with an asymmetric algorithm, for
this client, with the nonce of the visit, and in time. Nothing that it says is kept but who it saw
and when.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ssl import SSLContext
from typing import Any, Final, cast

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from batchqc.actions.visits import Ticket, Vouched
from batchqc.core.components import CLOCK_SECONDS, VISIT_MINUTES
from batchqc.documents.deadline import deadline, each_connection
from batchqc.errors import NotSignedIn, SigningUnavailable

#: Never ``none``, and never one whose key the provider publishes or shares with others.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
                     "ES512", "Ed25519", "EdDSA")  # fmt: skip
_SECONDS: Final = 10
"""For connecting, for each read, and for a whole answer."""
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_TYPE: Final = "logout+jwt"
_LOGOUT_SECONDS: Final = 120
_SPARED: Final = timedelta(minutes=1)
_LONGEST: Final = 1 << 20  # bytes of an answer; one has some thousand


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, and what this installation is there."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    redirect: str
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    def address(self, ticket: Ticket, *, anew: bool) -> str:
        """Where a person is sent to sign in; ``anew`` even where they are signed in there."""
        age = {"prompt": "login", "max_age": "0"} if anew else {"max_age": str(43_200)}
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._metadata()["authorization_endpoint"],
                state=ticket.state,
                code_verifier=ticket.verifier,
                nonce=ticket.nonce,
                **age,
            )
        return str(url)

    def vouch(self, ticket: Ticket, *, code: str, state: str, now: datetime) -> Vouched:
        """Whom the provider saw, for the code with which they came back.

        Raises:
            NotSignedIn: the state is of another visit, or code or identity token does not count.
            SigningUnavailable: the provider does not answer.
        """
        if state != ticket.state:
            raise _refused("the state is of another visit")
        endpoint = self._metadata()["token_endpoint"]
        try:
            with _whole_in_time() as hooks, self._client(event_hooks=hooks) as client:
                answer = client.fetch_token(endpoint, code=code, code_verifier=ticket.verifier)
        except httpx2.HTTPError as error:
            raise _silent(self.issuer) from error
        except (AuthlibBaseError, ValueError) as error:
            raise _refused("it does not redeem the code") from error
        claims = self.checked(answer.get("id_token"), nonce=ticket.nonce, now=now)
        return Vouched(self.issuer, claims["sub"], _moment(claims.get("auth_time")))

    def checked(self, token: object, *, nonce: str, now: datetime) -> dict[str, Any]:
        """The claims of an identity token.

        Raises:
            NotSignedIn: it does not count, with the reason.
        """
        if not isinstance(token, str):
            raise _refused("it sent no identity token")
        try:
            decoded = self._decoded(token)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self.client},
                    "sub": {"essential": True, "allow_blank": False},
                    "nonce": {"essential": True, "value": nonce},
                },
                {"client_id": self.client, "nonce": nonce},
            )
            claims.validate(now=int(now.timestamp()), leeway=CLOCK_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError, TypeError, AttributeError) as error:
            raise _refused(f"its identity token does not count ({error})") from error
        issued = _moment(claims.get("iat"))
        too_old = CLOCK_SECONDS + VISIT_MINUTES * 60
        if issued is None or (now - issued).total_seconds() > too_old:
            raise _refused("its identity token is too old")
        if not isinstance(claims["sub"], str) or _others(claims["aud"], self.client):
            raise _refused("its identity token is for others as well, or names nobody")
        return dict(claims)

    def ended(self, token: str, *, now: datetime) -> str:
        """The subject whose sign-in ended there, by a logout token (back-channel logout 1.0).

        Raises:
            NotSignedIn: it does not count, with the reason.
            SigningUnavailable: the provider does not answer.
        """
        rules = JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=CLOCK_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client},
            iat={"essential": True},
            jti={"essential": True},
        )
        try:
            decoded = self._decoded(token, now=now)
            rules.validate(decoded.claims)
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise _refused(f"its logout token does not count ({error})") from error
        claims = decoded.claims
        if decoded.header.get("typ") != _LOGOUT_TYPE or "nonce" in claims:
            raise _refused("this is no logout token")
        events, subject = claims.get("events"), claims.get("sub")
        if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT), dict):
            raise _refused("its logout token tells no logout")
        issued = _moment(claims["iat"])
        if issued is None or (now - issued).total_seconds() > CLOCK_SECONDS + _LOGOUT_SECONDS:
            raise _refused("its logout token is too old")
        if not isinstance(subject, str) or not subject or _others(claims["aud"], self.client):
            raise _refused("its logout token is for others as well, or names nobody")
        return subject

    def _decoded(self, token: str, *, now: datetime | None = None) -> jwt.Token:
        """A token whose signature is right; keys are fetched anew once: they change.

        ``now`` is given for tokens that anybody may send: for these, keys are fetched anew once a
        minute at most.
        """
        try:
            return jwt.decode(token, self._keys(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            if now is not None:
                if now < self._kept.get("spared", now):
                    raise
                self._kept["spared"] = now + _SPARED
            self._kept.pop("keys", None)
            return jwt.decode(token, self._keys(), algorithms=ALGORITHMS)

    def _keys(self) -> KeySet:
        keys: KeySet = self._once(
            "keys", lambda: KeySet.import_key_set(self._fetched(self._metadata()["jwks_uri"]))
        )
        return keys

    def _metadata(self) -> dict[str, Any]:
        well_known = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found: dict[str, Any] = self._once("metadata", lambda: self._fetched(well_known))
        if found.get("issuer") != self.issuer:
            self._kept.pop("metadata")
            raise _silent(self.issuer)
        return found

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def _fetched(self, address: str) -> Any:
        try:
            with (
                _whole_in_time() as hooks,
                httpx2.Client(timeout=_SECONDS, verify=_tls(), event_hooks=hooks) as client,
            ):
                return client.get(address).raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            raise _silent(self.issuer) from error

    def _client(self, **more: Any) -> OAuth2Client:
        return OAuth2Client(
            self.client,
            self.secret,
            scope="openid",
            redirect_uri=self.redirect,
            code_challenge_method="S256",
            timeout=_SECONDS,
            verify=_tls(),
            **more,
        )


class _Bounded(httpx2.SyncByteStream):
    """What is answered, up to ``_LONGEST`` bytes."""

    def __init__(self, answered: httpx2.SyncByteStream) -> None:
        self._answered = answered

    def __iter__(self) -> Iterator[bytes]:
        read = 0
        for some in self._answered:
            read += len(some)
            if read > _LONGEST:
                raise httpx2.ReadError(f"more than {_LONGEST} bytes")
            yield some

    def close(self) -> None:
        self._answered.close()


@contextmanager
def _whole_in_time() -> Iterator[dict[str, list[Callable[[Any], None]]]]:
    """Hooks of a client, whose answers are cut when the time is over or they are too long."""
    with deadline(_SECONDS) as hold:

        def begin(request: httpx2.Request) -> None:
            request.extensions["trace"] = each_connection(hold)

        def bound(answer: httpx2.Response) -> None:
            answer.stream = _Bounded(cast("httpx2.SyncByteStream", answer.stream))  # nobody awaits

        yield {"request": [begin], "response": [bound]}


@cache
def _tls() -> SSLContext:
    """What certificates of providers are held against: those that the machine trusts, read once."""
    return httpx2.create_ssl_context()


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 2**40:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _others(audience: object, client: str) -> bool:
    named = audience if isinstance(audience, list) else [audience]
    return named != [client]


def _refused(why: str) -> NotSignedIn:
    return NotSignedIn(
        "BQC-ACC-044", f"the word of the provider is refused: {why}", hint="Begin again."
    )


def _silent(issuer: str) -> SigningUnavailable:
    return SigningUnavailable(
        "BQC-ACC-045",
        f"the provider {issuer} does not answer as an OpenID provider",
        hint="Try again, or sign in with your password where you have one.",
    )
