"""Copies of certificates for paper: marked, without seals, each on record with its recipient.

The stored document of a certificate never changes. A copy is rendered anew from the frozen
content, and says on every page when the certificate no longer counts.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.certificate_damage import check_certificates
from batchqc.actions.certificate_states import check_not_void
from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.lots import lock_lot
from batchqc.actions.permission import require
from batchqc.core.certificates import CertificateContent
from batchqc.core.identifiers import line_problem
from batchqc.core.permissions import Permission
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.conditional import superseding_certificate, withdrawal_of
from batchqc.records.copies import CertificateCopy, copies_of
from batchqc.records.decisions import issue_of
from batchqc.records.transaction import Transaction

if TYPE_CHECKING:
    from batchqc.documents.coa_marks import Marked


class Copied(NamedTuple):
    """What a copy is rendered from: the frozen content, and the words and sentences of its mark."""

    content: CertificateContent
    marked: "Marked"


def print_copy(tx: Transaction, *, number: str, recipient: str) -> CertificateCopy:
    """Put on record that a copy of an issued certificate is printed for somebody.

    Raises:
        InvalidInput: the recipient is no line of text.
        NotFound: there is no such certificate.
        Conflict: it is pending or void.
        IntegrityFailure: BQC-CRT-060 the lot's certificates are not as the audit trail says.
    """
    require(tx, Permission.ISSUE_CERTIFICATE)
    if problem := line_problem("the recipient", recipient):
        raise InvalidInput("BQC-CRT-045", problem)
    certificate = the_certificate(tx.session, number)
    lock_lot(tx, certificate.lot)
    check_certificates(tx.session, certificate.lot)
    if issue_of(tx.session, certificate) is None:
        check_not_void(tx.session, certificate)
        raise Conflict(
            "BQC-CRT-031",
            f"certificate {certificate.natural_key} is pending",
            hint="Run `batchqc certificate resume`, once the seal key can be used.",
        )
    row = CertificateCopy(
        certificate=certificate,
        number=len(copies_of(tx.session, certificate)) + 1,
        recipient=recipient.strip(),
        made_by=tx.actor.user_id,
        made_at=tx.now,
    )
    tx.add(row)
    tx.audit(
        "certificate copied",
        rows=[row],
        about=[certificate.key, certificate.lot.key],
        after={"for": row.recipient, "content sha256": certificate.content_sha},
    )
    return row


def copied(session: Session, archive: Archive, *, number: str, copy: int) -> Copied:
    """What a copy on record is rendered from, as its certificate stands now.

    Raises:
        NotFound: there is no such certificate or copy.
        IntegrityFailure: the frozen content is missing or damaged, or BQC-CRT-060.
    """
    from batchqc.documents.coa_marks import COPY, SUPERSEDED, WITHDRAWN, Marked  # noqa: PLC0415 - ReportLab

    certificate = the_certificate(session, number)
    check_certificates(session, certificate.lot)
    row = next((one for one in copies_of(session, certificate) if one.number == copy), None)
    if row is None:
        raise NotFound("BQC-CRT-046", f"{certificate.natural_key} has no copy {copy}")
    zone = ZoneInfo(certificate.site.time_zone)
    words, says = [COPY], list[tuple[str, dict[str, object]]]()
    if ended := withdrawal_of(session, certificate):
        words.append(WITHDRAWN)
        says.append(("withdrawn_says", {"when": _shown(ended.withdrawn_at, zone)}))
    if newer := superseding_certificate(session, certificate):
        words.append(SUPERSEDED)
        when = _shown(newer.reserved_at, zone)
        says.append(("superseded_says", {"number": newer.natural_key, "when": when}))
    printed = {"when": _shown(row.made_at, zone), "by": row.made_by}
    says.append(("copy_says", {"copy": row.number, "recipient": row.recipient, **printed}))
    content = content_of_certificate(archive, certificate)
    return Copied(content, Marked(tuple(words), tuple(says)))


def copy_document(found: Copied, fonts: Path) -> bytes:
    """The copy as PDF."""
    from batchqc.documents.coa_layout import render  # noqa: PLC0415 - only who prints pays for it

    return render(found.content, fonts=fonts, marked=found.marked)


def _shown(when: datetime, zone: ZoneInfo) -> str:
    return when.astimezone(zone).strftime("%Y-%m-%d %H:%M %z")
