"""Until when the keys and certificates of a site can be used."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asn1crypto import tsp

from batchqc.documents.pades import SealKey
from batchqc.documents.pki_life import list_number
from batchqc.documents.revocation import signed_authority
from batchqc.documents.sealing import Sealing
from batchqc.documents.timestamps import Service, stamp
from batchqc.errors import SigningUnavailable

#: How long before its end something is due to be renewed.
WARNING_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class KeyState:
    """One key, certificate or list: until when it can be used, and what is wrong with it now."""

    what: str
    until: datetime | None
    wrong: str

    def days(self, at: datetime) -> int:
        """How many whole days are left; 0 where it cannot be used now."""
        return max((self.until - at).days, 0) if self.until and not self.wrong else 0

    def is_due(self, at: datetime) -> bool:
        """Whether it is to be renewed or mended."""
        return self.days(at) < WARNING_DAYS


def key_states(sealing: Sealing, key: SealKey, *, at: datetime) -> Iterator[KeyState]:
    """The seal's certificates, the root, its list, and where there is one, the timestamp service.

    The service is asked for a timestamp.
    """
    yield from seal_states(sealing, key, at=at)
    service = sealing.service
    if service is not None and service.url:
        yield _of_service(service)


def seal_states(sealing: Sealing, key: SealKey, *, at: datetime) -> Iterator[KeyState]:
    """The seal's certificates, the root and its list; nobody is asked for anything."""
    try:
        authority = signed_authority(sealing.root)
    except SigningUnavailable as problem:
        for what in ("seal for releases", "seal for reviews", "root", "revocation list"):
            yield KeyState(what, None, problem.message)
        return
    for what, one in (
        ("seal for releases", key.certificate),
        ("seal for reviews", key.certifying),
    ):
        since = authority.revoked_at(one)
        wrong = f"revoked on {since:%Y-%m-%d}" if since else ""
        if not authority.issued(one):
            wrong = "not issued by the root"
        yield KeyState(what, one.not_valid_after_utc, wrong or _early(one.not_valid_before_utc, at))
    yield KeyState("root", authority.root.not_valid_after_utc, "")
    number = list_number(authority.revoked)
    end = authority.revoked.next_update_utc
    yield KeyState(f"revocation list {number}", end, "" if end else "has no end")


def _early(begin: datetime, at: datetime) -> str:
    return f"valid from {begin:%Y-%m-%d} only" if begin > at else ""


def _of_service(service: Service) -> KeyState:
    what = f"timestamp service {service.url}"
    try:
        answer = stamp(service, b"batchqc: until when is your certificate valid?").answer
    except SigningUnavailable as problem:
        return KeyState(what, None, problem.message)
    from batchqc.documents.pades_levels import chain_end  # noqa: PLC0415 - only who asks waits

    signed = tsp.TimeStampResp.load(answer)["time_stamp_token"]["content"]
    return KeyState(what, chain_end(signed), "")
