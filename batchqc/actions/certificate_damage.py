"""Whether the certificates of a lot are those that the audit trail witnessed, and stand as it says.

Whoever says that a certificate counts, seals it or gives a document of it away asks this first: a
withdrawal that somebody removed would let it count again.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.witnessed import unlike, unlike_trail, witnessed_by
from batchqc.errors import IntegrityFailure
from batchqc.records.audit import entries_about
from batchqc.records.base import Row
from batchqc.records.conditional import CertificateWithdrawal
from batchqc.records.decisions import CertificateIssue, certificates_of
from batchqc.records.layouts import CertificateRendition
from batchqc.records.once import once
from batchqc.records.registers import LotRow
from batchqc.records.rows_by import rows_by

_LOOKED_AT: Final = ("certificate:", "certificate_issue:", "certificate_withdrawal:")


@once
def certificate_damage(session: Session, lot: LotRow) -> tuple[str, ...]:
    """What was changed, added or removed behind the audit trail, in words."""
    return tuple(_damage(session, lot))


def _damage(session: Session, lot: LotRow) -> Iterator[str]:
    rows = {one.key: one for one in _rows(session, lot)}
    witnessed = witnessed_by(entries_about(session, [lot.key, *rows]))
    yield from unlike(rows.items(), witnessed)
    for key in sorted(witnessed.keys() - rows.keys()):
        if key.startswith(_LOOKED_AT):
            yield f"{key} is missing; an audit entry speaks of it"


def check_certificates(session: Session, lot: LotRow) -> None:
    """Refuse to go on where they are not as witnessed.

    Raises:
        IntegrityFailure: BQC-CRT-060: every difference is a reason.
    """
    found = certificate_damage(session, lot)
    if found:
        raise IntegrityFailure(
            "BQC-CRT-060",
            f"the certificates of lot {lot.lot} are not as the audit trail says",
            reasons=found,
            hint="Stop. Run `batchqc audit verify` and call the system owner.",
        )


def check_rendition(session: Session, row: CertificateRendition) -> None:
    """Refuse a rendition that is not the one that was made.

    Raises:
        IntegrityFailure: BQC-CRT-060, or BQC-LAY-017 where only the rendition is another.
    """
    check_certificates(session, row.certificate.lot)
    found = list(unlike_trail(session, [row.certificate.key], [row]))
    if found:
        raise IntegrityFailure(
            "BQC-LAY-017",
            f"the rendition {row.natural_key} is not as the audit trail says",
            reasons=found,
            hint="Stop. Run `batchqc audit verify` and call the system owner.",
        )


def _rows(session: Session, lot: LotRow) -> Iterator[Row]:
    certificates = certificates_of(session, lot)
    yield from certificates
    ids = [one.id for one in certificates]
    for kind in (CertificateIssue, CertificateWithdrawal):
        yield from rows_by(session, kind, kind.certificate_id, ids)
