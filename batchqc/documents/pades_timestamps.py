"""Timestamps of a service (RFC 3161), as pyHanko takes them into a document.

What comes is verified later, in the document, against the root of the service.
"""

import asyncio
import hashlib
from functools import lru_cache
from typing import Final

from asn1crypto import cms, tsp
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError

from batchqc.documents.timestamps import Service, Unanswered, ask
from batchqc.errors import SigningUnavailable

# Hexadecimal digits kept free for a signature with its timestamp, or for a timestamp of the
# document: enough for a service with one certificate. Whose tokens are longer gets more.
_RESERVED: Final = 10240
_SIGNATURE: Final = 4096


class Stamper(TimeStamper):
    """A service, asked for one timestamp after the other."""

    def __init__(self, service: Service) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko
        self._service = service

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """What the service answers to one request."""
        return tsp.TimeStampResp.load(ask(self._service, req.dump()))

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """A token over a digest.

        Raises:
            SigningUnavailable: BQC-CRT-016 there is no answer, or none to this request.
        """
        try:
            return await super().async_timestamp(message_digest, md_algorithm)
        except (Unanswered, TimestampRequestError) as problem:
            raise unstamped(self._service, str(problem)) from problem
        # What is no answer of this kind is read lazily, and fails as it may.
        except (ValueError, TypeError, KeyError, AttributeError) as problem:
            raise unstamped(self._service, "answered something else") from problem

    async def sample(self) -> cms.ContentInfo:
        """A token over nothing: how long one is, and by whose certificate.

        Raises:
            SigningUnavailable: BQC-CRT-016 there is none.
        """
        return await self.async_timestamp(hashlib.sha256().digest(), "sha256")


@lru_cache(maxsize=4)
def reserved_for(service: Service) -> int:
    """Hexadecimal digits to keep free for what this service stamps; it is asked once.

    Raises:
        SigningUnavailable: BQC-CRT-016 it does not answer.
    """
    token = asyncio.run(Stamper(service).sample())
    return max(_RESERVED, _SIGNATURE + 2 * len(token.dump()) + 512)


def unstamped(service: Service, why: str) -> SigningUnavailable:
    """A timestamp of a document cannot be had."""
    return SigningUnavailable(
        "BQC-CRT-016",
        f"the timestamp service {service.shown} {why}",
        hint="Once it answers, run `batchqc certificate resume`, or `certificate renew` again.",
    )
