"""Identity tokens that do not count: forged, expired, of others, for others, replayed."""

import hmac
import socket
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, OctKey
from joserfc.util import json_b64encode
from pydantic import SecretStr

from batchqc.actions.visits import Ticket
from batchqc.api import openid
from batchqc.api.openid import Provider
from batchqc.api.provider import provider_of, the_provider
from batchqc.errors import NotFound, NotSignedIn, SigningUnavailable
from batchqc.settings import Settings
from tests.api.issuer import CLIENT, REDIRECT, SECRET, Issuer, issuing
from tests.cast import NOW

TICKET = Ticket("a ticket")
AT = int(NOW.timestamp())


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as found:
        yield found


@pytest.fixture
def provider(issuer: Issuer) -> Provider:
    issuer.metadata, issuer.answer, issuer.asked = {}, {}, []
    return Provider(issuer.address, CLIENT, SECRET, REDIRECT)


def claims(issuer: Issuer, **changes: Any) -> dict[str, Any]:
    """Claims that count, with changes; ``None`` leaves one out."""
    good = {
        "iss": issuer.address,
        "sub": "otto's subject",
        "aud": CLIENT,
        "iat": AT,
        "exp": AT + 300,
        "auth_time": AT - 5,
        "nonce": TICKET.nonce,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def vouch(issuer: Issuer, provider: Provider, token: object) -> Any:
    issuer.answer = {"access_token": "x", "token_type": "Bearer", "id_token": token}
    return provider.vouch(TICKET, code="a code", state=TICKET.state, now=NOW)


def test_a_token_that_counts_tells_whom_the_provider_saw_and_when(
    issuer: Issuer, provider: Provider
):
    for token in (
        issuer.token(claims(issuer)),
        issuer.token(claims(issuer, aud=[CLIENT], azp=CLIENT)),
        issuer.token(claims(issuer), issuer.rsa, alg="RS256", kid="two"),
        issuer.token(claims(issuer), issuer.rsa, alg="PS256", kid="two"),
    ):
        found = vouch(issuer, provider, token)
        assert (found.issuer, found.subject) == (issuer.address, "otto's subject")
        assert found.authenticated_at == NOW - timedelta(seconds=5)
    sent = parse_qs(issuer.asked[0])
    assert sent["code_verifier"] == [TICKET.verifier]
    assert sent["code"] == ["a code"]
    assert SECRET not in issuer.asked[0]


FORGED: dict[str, Callable[[Issuer], object]] = {
    "of another issuer": lambda one: one.token(claims(one, iss="https://evil.example")),
    "without an issuer": lambda one: one.token(claims(one, iss=None)),
    "for another client": lambda one: one.token(claims(one, aud="another")),
    "for others as well": lambda one: one.token(claims(one, aud=[CLIENT, "other"], azp=CLIENT)),
    "made for another party": lambda one: one.token(claims(one, azp="another")),
    "without an audience": lambda one: one.token(claims(one, aud=None)),
    "of another visit": lambda one: one.token(claims(one, nonce=Ticket("another").nonce)),
    "without a nonce": lambda one: one.token(claims(one, nonce=None)),
    "expired": lambda one: one.token(claims(one, exp=AT - 61)),
    "without an end": lambda one: one.token(claims(one, exp=None)),
    "issued long ago": lambda one: one.token(claims(one, iat=AT - 661)),
    "issued in the future": lambda one: one.token(claims(one, iat=AT + 120)),
    "without a time of issue": lambda one: one.token(claims(one, iat=None)),
    "of nobody": lambda one: one.token(claims(one, sub=None)),
    "of a blank subject": lambda one: one.token(claims(one, sub="")),
    "of a subject that is no text": lambda one: one.token(claims(one, sub=["a", "b"])),
    "signed by another key": lambda one: one.token(
        claims(one), ECKey.generate_key("P-256", {"kid": "one"})
    ),
    "signed by a key that is not known": lambda one: one.token(
        claims(one), ECKey.generate_key("P-256", {"kid": "evil"}), kid="evil"
    ),
    "changed after it was signed": lambda one: changed(one.token(claims(one)), one),
    "unsigned": lambda one: unsigned(claims(one), "none"),
    "unsigned, oddly spelt": lambda one: unsigned(claims(one), "nOnE"),
    "without its signature": lambda one: one.token(claims(one)).rpartition(".")[0] + ".",
    "signed with the public key as a secret": lambda one: hmac_signed(claims(one), one),
    "signed with the secret of the client": lambda one: one.token(
        claims(one), OctKey.import_key(SECRET), alg="HS256"
    ),
    "no token": lambda _: "not a token",
    "nothing": lambda _: None,
    "a number": lambda _: 7,
}


def changed(token: str, issuer: Issuer) -> str:
    head, _, signature = token.split(".")
    other = json_b64encode(claims(issuer, sub="somebody else")).decode()
    return f"{head}.{other}.{signature}"


def hmac_signed(content: dict[str, Any], issuer: Issuer) -> str:
    """HS256 with the PEM of the public key, which anybody has; our library refuses to make it."""
    head = json_b64encode({"alg": "HS256", "kid": "two"})
    signed = head + b"." + json_b64encode(content)
    made = hmac.digest(issuer.rsa.as_pem(private=False), signed, "sha256")
    return f"{signed.decode()}.{urlsafe_b64encode(made).decode().rstrip('=')}"


def unsigned(content: dict[str, Any], algorithm: str) -> str:
    head = json_b64encode({"alg": algorithm, "typ": "JWT"}).decode()
    return f"{head}.{json_b64encode(content).decode()}."


@pytest.mark.requirement("1.04")
@pytest.mark.parametrize("what", FORGED)
def test_a_token_that_is_not_the_providers_word_is_refused(
    issuer: Issuer, provider: Provider, what: str
):
    token = FORGED[what](issuer)
    with pytest.raises(NotSignedIn) as refused:
        vouch(issuer, provider, token)
    assert refused.value.code == "BQC-ACC-044"


def test_the_secret_of_the_client_is_not_told_and_a_sign_in_is_asked_anew(provider: Provider):
    for anew, asked in ((True, {"prompt": ["login"], "max_age": ["0"]}), (False, {})):
        address = provider.address(TICKET, anew=anew)
        sent = parse_qs(urlsplit(address).query)
        assert sent["response_type"] == ["code"]
        assert sent["code_challenge_method"] == ["S256"]
        assert (sent["state"], sent["nonce"]) == ([TICKET.state], [TICKET.nonce])
        assert {name: sent.get(name) for name in asked} == asked
        told = address + repr(provider)
        assert not [one for one in (TICKET.verifier, TICKET.text, SECRET) if one in told]
    assert len({TICKET.state, TICKET.nonce, TICKET.verifier}) == 3


def test_the_state_of_another_visit_is_refused_before_the_provider_is_asked(
    issuer: Issuer, provider: Provider
):
    with pytest.raises(NotSignedIn):
        provider.vouch(TICKET, code="a code", state=Ticket("another").state, now=NOW)
    assert issuer.asked == []


def test_a_code_that_is_not_redeemed_is_refused(issuer: Issuer, provider: Provider):
    for answer in ({"error": "invalid_grant"}, {}, {"access_token": "x", "token_type": "Bearer"}):
        issuer.answer = answer
        with pytest.raises(NotSignedIn):
            provider.vouch(TICKET, code="a code", state=TICKET.state, now=NOW)


def test_keys_that_the_provider_changed_are_fetched_anew(issuer: Issuer, provider: Provider):
    assert vouch(issuer, provider, issuer.token(claims(issuer)))
    issuer.key = ECKey.generate_key("P-256", {"kid": "three"})
    assert vouch(issuer, provider, issuer.token(claims(issuer), kid="three"))


def test_a_discovery_about_another_issuer_is_refused(issuer: Issuer, provider: Provider):
    issuer.metadata = {"issuer": "https://evil.example"}
    for _ in range(2):
        with pytest.raises(SigningUnavailable):
            provider.address(TICKET, anew=True)
    issuer.metadata = {}
    assert provider.address(TICKET, anew=True)


def test_a_provider_that_is_silent_is_told_apart_from_one_that_refuses():
    nobody = Provider("http://127.0.0.1:9", CLIENT, SECRET, REDIRECT)
    with pytest.raises(SigningUnavailable) as refused:
        nobody.address(TICKET, anew=True)
    assert refused.value.code == "BQC-ACC-045"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.requirement("1.04")
@pytest.mark.parametrize("asked", ["what it is", "for a code"])
@pytest.mark.parametrize(
    "drip",
    [
        (HEAD, b"X", 0.1),
        (HEAD + b"Content-Length: 9999\r\n\r\n", b" ", 0.1),
        (HEAD + b"\r\n", b" " * 65536, 0.0),
    ],
    ids=["its head", "its answer", "without end"],
)
def test_a_provider_that_drips_or_never_ends_is_left_in_time(
    issuer: Issuer,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    drip: tuple[bytes, bytes, float],
):
    over, sent = Event(), 0
    first, again, pause = drip

    def answer(listening: socket.socket) -> None:
        nonlocal sent
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(first)
            until = time.monotonic() + 8
            while time.monotonic() < until and not over.wait(pause):
                connection.sendall(again)
                sent += len(again)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        if asked == "for a code":
            issuer.metadata = {"token_endpoint": address}
            provider.address(TICKET, anew=True)
        else:
            provider = Provider(address, CLIENT, SECRET, REDIRECT)
        monkeypatch.setattr(openid, "_SECONDS", 1)
        thread = Thread(target=answer, args=(listening,))
        thread.start()
        began = time.monotonic()
        with pytest.raises(SigningUnavailable) as refused:
            vouch(issuer, provider, "a token")
        assert refused.value.code == "BQC-ACC-045"
        assert time.monotonic() - began < 6
        assert sent < 1 << 24
        over.set()
        thread.join()


@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_issuer": "http://login.example.org"},
        {"oidc_issuer": "ftp://127.0.0.1"},
        {"oidc_client": ""},
        {"oidc_secret": SecretStr("")},
        {"oidc_redirect": ""},
    ],
)
def test_half_a_set_up_is_refused_at_the_start(changes: dict[str, Any]):
    whole = {
        "oidc_issuer": "https://login.example.org",
        "oidc_client": CLIENT,
        "oidc_secret": SecretStr(SECRET),
        "oidc_redirect": REDIRECT,
    }
    assert provider_of(Settings(**whole)) is not None
    assert SECRET not in repr(Settings(**whole))
    with pytest.raises(SigningUnavailable):
        provider_of(Settings(**whole | changes))
    assert provider_of(Settings()) is None
    with pytest.raises(NotFound):
        the_provider(None)


def ending(issuer: Issuer, key: Any = None, typ: str = "logout+jwt", **changes: Any) -> str:
    """A logout token that counts, with changes; ``None`` leaves a claim out."""
    good = {
        "iss": issuer.address,
        "sub": "otto's subject",
        "aud": CLIENT,
        "iat": AT,
        "exp": AT + 120,
        "jti": "one",
        "events": {openid._LOGOUT: {}},
    }
    told = {name: value for name, value in (good | changes).items() if value is not None}
    return issuer.token(told, key, typ=typ, kid=str(issuer.key.kid))


def test_a_logout_token_that_counts_tells_whose_sign_in_ended(issuer: Issuer, provider: Provider):
    for token in (ending(issuer), ending(issuer, aud=[CLIENT], sid="s", exp=None)):
        assert provider.ended(token, now=NOW) == "otto's subject"


ENDING: dict[str, Callable[[Issuer], str]] = {
    "no token": lambda _: "nothing",
    "not in letters of tokens": lambda _: "\u2713.\u2713.\u2713",
    "of another issuer": lambda one: ending(one, iss="https://evil.example"),
    "for another client": lambda one: ending(one, aud="another"),
    "for others as well": lambda one: ending(one, aud=[CLIENT, "another"]),
    "of nobody": lambda one: ending(one, sub=None),
    "of a blank subject": lambda one: ending(one, sub=""),
    "of a subject that is no text": lambda one: ending(one, sub=["a"]),
    "of a session only": lambda one: ending(one, sub=None, sid="s"),
    "without a number": lambda one: ending(one, jti=None),
    "without a time of issue": lambda one: ending(one, iat=None),
    "issued minutes ago": lambda one: ending(one, iat=AT - 181, exp=None),
    "issued in the future": lambda one: ending(one, iat=AT + 120),
    "expired": lambda one: ending(one, exp=AT - 61),
    "without an event": lambda one: ending(one, events=None),
    "of another event": lambda one: ending(one, events={"https://other.example": {}}),
    "of an event that is none": lambda one: ending(one, events={openid._LOGOUT: "yes"}),
    "of events in a list": lambda one: ending(one, events=[openid._LOGOUT]),
    "with a nonce": lambda one: ending(one, nonce="n"),
    "of the kind of another token": lambda one: ending(one, typ="JWT"),
    "an identity token": lambda one: one.token(claims(one), kid=str(one.key.kid)),
    "signed by another key": lambda one: ending(
        one, ECKey.generate_key("P-256", {"kid": str(one.key.kid)})
    ),
    "unsigned": lambda _: unsigned({"sub": "otto's subject"}, "none"),
}  # fmt: skip


@pytest.mark.parametrize("how", ENDING)
def test_a_logout_token_that_is_not_the_providers_word_is_refused(
    issuer: Issuer, provider: Provider, how: str
):
    token = ENDING[how](issuer)
    with pytest.raises(NotSignedIn) as refused:
        provider.ended(token, now=NOW)
    assert refused.value.code == "BQC-ACC-044"


def test_who_sends_made_up_logout_tokens_makes_the_provider_be_asked_once_a_minute(
    issuer: Issuer, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    fetched = Provider._fetched

    def count(self: Provider, address: str) -> Any:
        asked.append(address.rpartition("/")[2])
        return fetched(self, address)

    monkeypatch.setattr(Provider, "_fetched", count)
    made_up = ECKey.generate_key("P-256", {"kid": str(issuer.key.kid)})
    for seconds, times in ((0, 2), (1, 2), (59, 2), (60, 3), (61, 3)):
        with pytest.raises(NotSignedIn):
            provider.ended(ending(issuer, made_up), now=NOW + timedelta(seconds=seconds))
        assert asked.count("jwks") == times
    issuer.key, old = made_up, issuer.key
    assert provider.ended(ending(issuer), now=NOW + timedelta(seconds=121))
    issuer.key = old
