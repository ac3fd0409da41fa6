"""The life of a certificate: what happened to it, when, by whom and why; and what the public sees.

The public sees only of a certificate whose content it knows, and no person and no reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hmac import compare_digest
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.certificate_damage import certificate_damage
from batchqc.actions.certificate_states import state_of, status_of
from batchqc.records.conditional import superseding_certificate, withdrawal_of
from batchqc.records.copies import copies_of
from batchqc.records.decisions import Certificate, certificate_by, issue_of
from batchqc.records.holds import holds_of

Happened = Literal["reserved", "issued", "copied", "withdrawn", "superseded", "void"]
Stands = Literal["issued", "pending", "superseded", "withdrawn", "unclear"]


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """What happened to a certificate.

    ``about`` is what it is linked with: the certificate that it supersedes or that supersedes it,
    the hash of its document, the recipient of a copy, or the record for which it was withdrawn.
    """

    what: Happened
    at: datetime
    by: str
    reason: str
    about: str


@dataclass(frozen=True, slots=True)
class PublicStatus:
    """How a certificate stands, for whoever holds it; days are those of the site.

    ``superseded_by`` is the number and the content's hash of the one that counts instead; ``None``
    also where the one that superseded it was withdrawn, and none counts now. Where the records are
    not as the audit trail says, it is unclear, and nothing else is told.
    """

    number: str
    stands: Stands
    is_specimen: bool
    issued_on: date | None
    withdrawn_on: date | None
    superseded_on: date | None
    superseded_by: tuple[str, str] | None


def life_of(session: Session, certificate: Certificate) -> list[LifeEvent]:
    """Everything that happened to a certificate, oldest first; a void number says so last."""
    found = sorted(_events(session, certificate), key=lambda one: one.at)
    if status_of(session, certificate) == "void":
        last = found[-1]
        why = "never sealed, and never will be"
        found.append(LifeEvent("void", last.at, last.by, why, last.about))
    return found


def public_status(session: Session, *, number: str, sha256: str) -> PublicStatus | None:
    """How a certificate stands; ``None`` where there is none of this number and content hash."""
    certificate = certificate_by(session, number)
    known = certificate.content_sha if certificate else ""
    if not compare_digest(known.encode(), sha256.encode()) or certificate is None:
        return None
    if any(certificate_damage(session, certificate.lot)):
        return PublicStatus(
            certificate.natural_key, "unclear", bool(certificate.site.specimen),
            issued_on=None, withdrawn_on=None, superseded_on=None, superseded_by=None,
        )  # fmt: skip
    return status_as_recorded(session, certificate)


def status_as_recorded(session: Session, certificate: Certificate) -> PublicStatus:
    """How a certificate stands, for whoever has found the lot's certificates as witnessed."""
    zone = ZoneInfo(certificate.site.time_zone)
    issued, ended = issue_of(session, certificate), withdrawal_of(session, certificate)
    newer = superseding_certificate(session, certificate)
    stands: Stands = "issued" if issued else "pending"
    if not state_of(session, certificate).counts:
        stands = "superseded" if newer else "withdrawn"
    return PublicStatus(
        certificate.natural_key,
        stands,
        bool(certificate.site.specimen),
        issued_on=issued.issued_at.astimezone(zone).date() if issued else None,
        withdrawn_on=ended.withdrawn_at.astimezone(zone).date() if ended else None,
        superseded_on=newer.reserved_at.astimezone(zone).date() if newer else None,
        superseded_by=_that_counts(session, newer),
    )


def _that_counts(session: Session, newer: Certificate | None) -> tuple[str, str] | None:
    """Number and content's hash of the one that counts: it, or what superseded it in its turn."""
    while newer is not None and not state_of(session, newer).counts:
        newer = superseding_certificate(session, newer)
    return (newer.natural_key, newer.content_sha) if newer else None


def _events(session: Session, certificate: Certificate) -> Iterator[LifeEvent]:
    earlier = certificate.supersedes
    by, why = _reserved(session, certificate)
    about = earlier.natural_key if earlier else ""
    yield LifeEvent("reserved", certificate.reserved_at, by, why, about)
    if issued := issue_of(session, certificate):
        about = issued.document_sha
        yield LifeEvent("issued", issued.issued_at, issued.issued_by, "", about)
    for copy in copies_of(session, certificate):
        yield LifeEvent("copied", copy.made_at, copy.made_by, "", copy.recipient)
    if ended := withdrawal_of(session, certificate):
        by, why = ended.withdrawn_by, ended.reason
        yield LifeEvent("withdrawn", ended.withdrawn_at, by, why, ended.about)
    if newer := superseding_certificate(session, certificate):
        by, why = _reserved(session, newer)
        yield LifeEvent("superseded", newer.reserved_at, by, why, newer.natural_key)


def _reserved(session: Session, certificate: Certificate) -> tuple[str, str]:
    """Who reserved a certificate and why: with the end of a hold, or with a decision."""
    for _, end in holds_of(session, [certificate.lot_id]):
        if end is not None and end.key == certificate.let_go:
            return end.signature.person.user_id, f"let go: {end.reason}"
    decided = certificate.disposition
    return decided.signature.person.user_id, f"{decided.disposition}: {decided.reason}"
