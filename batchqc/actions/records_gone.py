"""Records of which the audit trail speaks, and which are not there: nothing leaves without them.

What an export does not hold because it is of something else is there; what is gone was removed
behind the audit trail, and would be missing in the export without a word.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.documents.archive import Archive
from batchqc.errors import IntegrityFailure
from batchqc.records.audit import AuditSubject
from batchqc.records.base import Row
from batchqc.records.decisions import Certificate, public_number
from batchqc.records.lacking import lacking_here
from batchqc.records.registers import LotRow, Site
from batchqc.records.schema import WITNESSED

_CLASSES: Final[dict[str, type[Row]]] = {one.__tablename__: one for one in WITNESSED}


def check_there(session: Session, archive: Archive, keys: Iterable[str]) -> None:
    """Refuse where a record of one of some keys is not there.

    Raises:
        IntegrityFailure: BQC-EXP-008: each is a reason.
    """
    waiting = set(keys) - lacking_here(session, archive.get).records
    for kind in sorted({one.partition(":")[0] for one in waiting}):
        waiting.difference_update(row.key for row in session.scalars(select(_CLASSES[kind])))
    _refuse(waiting)


def check_certificates_there(session: Session, archive: Archive) -> None:
    """Refuse where a certificate that was reserved is not there, or its lot is not.

    Raises:
        IntegrityFailure: BQC-EXP-008: each is a reason.
    """
    query = select(Site.series, Certificate.year, Certificate.number).join(
        Site, Site.id == Certificate.site_id
    )
    own = session.execute(query.join(LotRow, LotRow.id == Certificate.lot_id))
    there = {f"certificate:{public_number(*one)}" for one in own}
    told = session.scalars(
        select(AuditSubject.subject).where(AuditSubject.subject.startswith("certificate:"))
    )
    gone = {one for one in told if one not in there}
    if gone:
        _refuse(gone - lacking_here(session, archive.get).records)


def _refuse(gone: Iterable[str]) -> None:
    reasons = [f"{one} is missing; an audit entry speaks of it" for one in sorted(gone)]
    if reasons:
        raise IntegrityFailure(
            "BQC-EXP-008",
            "records are missing of which the audit trail speaks",
            reasons=reasons,
            hint="Nothing was exported. Run `batchqc audit verify`.",
        )
