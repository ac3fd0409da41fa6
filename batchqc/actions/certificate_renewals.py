"""Certificates are renewed before their last timestamp expires; issued bytes never change.

A renewed document begins with the issued bytes and is stored as a new object. Superseded and
withdrawn certificates are renewed like others: that they were issued must stay provable.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.certificates import document_of, the_certificate
from batchqc.actions.permission import require
from batchqc.actions.witnessed import unlike_trail
from batchqc.core.canonical import utc_text
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.documents.sealing import Sealing
from batchqc.errors import Conflict, IntegrityFailure
from batchqc.records.certificate_renewals import (
    CertificateRenewal,
    newest_documents,
    renewals_of,
)
from batchqc.records.transaction import SYSTEM, Actor, Transaction, reading, transaction

if TYPE_CHECKING:
    from batchqc.documents.pades import Sealed

#: How long before the end of its proof a certificate is due.
DUE_DAYS: Final = 180


@dataclass(frozen=True, slots=True)
class Due:
    """A certificate that proves itself until a moment only; days left are below 0 after it."""

    number: str
    until: datetime
    days: int


def due_certificates(
    session: Session, archive: Archive, *, at: datetime, within: int = DUE_DAYS
) -> list[Due]:
    """Every issued certificate whose proof ends within some days, the most urgent first."""
    found = []
    for one in newest_documents(session):
        until = _until(archive, one.provable_until, one.document_sha)
        if until <= at + timedelta(days=within):
            found.append(Due(one.certificate.natural_key, until, (until - at).days))
    return sorted(found, key=lambda one: (one.until, one.number))


def newest_document(session: Session, archive: Archive, *, number: str) -> bytes:
    """The newest renewed document of a certificate, or the issued one, with its hash checked.

    Raises:
        Conflict: BQC-CRT-031 it is pending, BQC-CRT-033 it is void.
        IntegrityFailure: BQC-CRT-035 what is stored as renewed does not begin as it was issued, or
            is not what the audit trail tells of.
    """
    issued = document_of(session, archive, number=number)
    certificate = the_certificate(session, number)
    for row in renewals_of(session, certificate)[-1:]:
        longer = archive.get(row.document_sha)
        found = list(unlike_trail(session, [certificate.key, row.key], [row]))
        if not longer.startswith(issued):
            found.append("its document does not begin with the certificate as it was issued")
        if found:
            raise IntegrityFailure(
                "BQC-CRT-035",
                f"renewal {row.natural_key} is not the one that was made",
                reasons=found,
                hint="Stop. Run `batchqc audit verify` and call the system owner.",
            )
        return longer
    return issued


def renew_certificate(
    engine: Engine,
    archive: Archive,
    sealing: Sealing,
    *,
    number: str,
    clock: Callable[[], datetime],
    actor: Actor = SYSTEM,
) -> datetime:
    """Add a timestamp to a certificate's newest document, and store the longer one.

    No transaction is held while services are asked.

    Returns:
        Until when it proves itself now.

    Raises:
        Conflict: it is pending or void; or BQC-CRT-034 somebody else renewed it at this moment.
        SigningUnavailable: BQC-CRT-016 to BQC-CRT-019 the services do not answer as they must, or
            its newest timestamp has expired. Nothing is stored.
    """
    from batchqc.documents.pades import renewed  # noqa: PLC0415 - others start faster

    with reading(engine) as session:
        before = newest_document(session, archive, number=number)
        times = len(renewals_of(session, the_certificate(session, number)))
    made = renewed(before, sealing, clock=clock)
    with transaction(engine, actor, clock()) as tx:
        row = _record(tx, archive, made, number=number, times=times)
        after = {"document sha256": row.document_sha, "provable until": row.provable_until}
        tx.audit("certificate renewed", rows=[row], about=[row.certificate.key], after=after)
    return made.provable_until


def _record(
    tx: Transaction, archive: Archive, made: "Sealed", *, number: str, times: int
) -> CertificateRenewal:
    require(tx, Permission.ISSUE_CERTIFICATE)
    certificate = the_certificate(tx.session, number)
    tx.lock(certificate.key)
    if len(renewals_of(tx.session, certificate)) != times:
        raise Conflict(
            "BQC-CRT-034",
            f"certificate {certificate.natural_key} was renewed by somebody else at this moment",
            hint="Nothing is to be done: that renewal counts.",
        )
    row = CertificateRenewal(
        certificate=certificate,
        number=times + 1,
        document_sha=archive.put(made.document),
        size=len(made.document),
        provable_until=utc_text(made.provable_until),
        renewed_by=tx.actor.user_id,
        renewed_at=tx.now,
    )
    tx.add(row)
    return row


def _until(archive: Archive, known: str, document_sha: str) -> datetime:
    if known:
        return datetime.fromisoformat(known)
    from batchqc.documents.pades_levels import provable_until  # noqa: PLC0415 - rarely needed

    return provable_until(archive.get(document_sha))
