"""Timestamps of a service (RFC 3161) over the bytes of a checkpoint, and how one is asked.

An answer is taken only after it was verified against the root of the service, which the settings
name; what is kept is the answer as it came, which ``openssl ts -verify -in FILE.tsr -data FILE.txt
-CAfile root.pem`` reads.
"""

import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from cryptography import x509

from batchqc.documents.deadline import deadline, each_connection
from batchqc.errors import SigningUnavailable

_SECONDS: Final = 20
_LONGEST: Final = 1 << 20  # bytes; an answer has some thousand
_KINDS: Final = ("application/timestamp-query", "application/timestamp-reply")


@dataclass(frozen=True, slots=True)
class Service:
    """A timestamp service: its address, and the PEM file of the root that vouches for it."""

    url: str
    root: Path | None

    @property
    def shown(self) -> str:
        """Its address for people and records: without password and query, which may be secret."""
        return re.sub(r"://[^/]*@", "://***@", self.url).partition("?")[0]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a service answered, and when it says that was."""

    answer: bytes
    at: datetime


class Unanswered(Exception):
    """A service did not answer as such; its text goes on after the service's address."""


def stamp(service: Service, data: bytes) -> Stamp:
    """Have some bytes stamped.

    Raises:
        SigningUnavailable: BQC-LOG-011 there is no answer, or none that holds.
    """
    from rfc3161_client import (  # noqa: PLC0415 - only where there is a service
        TimestampRequestBuilder,
        VerificationError,
        VerifierBuilder,
        decode_timestamp_response,
    )

    roots = _roots(service)
    request = TimestampRequestBuilder().data(data).nonce(nonce=True).build()
    try:
        answer = ask(service, request.as_bytes())
    except Unanswered as error:
        raise _unstamped(service, str(error)) from error
    builder = VerifierBuilder.from_request(request)
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        found = decode_timestamp_response(answer)
        builder.build().verify_message(found, data)
    except (VerificationError, ValueError) as error:
        raise _unstamped(service, f"gave an answer that does not hold: {error}") from error
    return Stamp(answer, found.tst_info.gen_time)


def ask(service: Service, request: bytes) -> bytes:
    """What a service answers to a request, all of it in time; nothing is verified.

    Raises:
        Unanswered: there is no answer.
    """
    import httpx2  # noqa: PLC0415 - only where there is a service

    with deadline(_SECONDS) as hold:
        try:
            with (
                httpx2.Client(
                    timeout=_SECONDS, follow_redirects=False, verify=_authorities()
                ) as client,
                client.stream(
                    "POST",
                    service.url,
                    content=request,
                    headers={"Content-Type": _KINDS[0], "Accept": _KINDS[1]},
                    extensions={"trace": each_connection(hold)},
                ) as answer,
            ):
                if answer.status_code != httpx2.codes.OK:
                    raise Unanswered(f"answered {answer.status_code}")
                return _content(answer.iter_bytes())
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unanswered(f"does not answer: {error}") from error


@cache
def _authorities() -> ssl.SSLContext:
    """Those that vouch for servers; to read them takes longer than to be stamped."""
    import httpx2  # noqa: PLC0415 - only where there is a service

    return httpx2.create_ssl_context()


def _content(parts: Iterable[bytes]) -> bytes:
    found = bytearray()
    for some in parts:
        found += some
        if len(found) > _LONGEST:
            raise Unanswered(f"answered more than {_LONGEST} bytes")
    return bytes(found)


def _roots(service: Service) -> list[x509.Certificate]:
    if service.root is None:
        raise _unstamped(service, "has no root in the settings")
    try:
        return x509.load_pem_x509_certificates(service.root.read_bytes())
    except (OSError, ValueError) as error:
        raise _unstamped(service, f"has a root that cannot be read: {error}") from error


def _unstamped(service: Service, why: str) -> SigningUnavailable:
    return SigningUnavailable(
        "BQC-LOG-011",
        f"the timestamp service {service.shown} {why}",
        hint="The checkpoint stands without a timestamp; run `batchqc log checkpoint` again.",
    )
