"""A draft: what the certificate of a lot would say now, before anything is decided.

It has no number and no seals, and nothing of it is stored.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.certificate_content import Heading, content_under
from batchqc.actions.certificate_signatures import signatures_of
from batchqc.actions.certificates import NOTHING_PENDING, completed
from batchqc.actions.evaluation import LotCase
from batchqc.core.certificates import CertificateContent
from batchqc.core.lot_states import UNDECIDED
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.records.decisions import certificates_of

if TYPE_CHECKING:
    from batchqc.core.certificate_parts import Supersedes

NUMBER = "DRAFT"


def draft_content(
    session: Session, archive: Archive, *, case: LotCase, now: datetime
) -> CertificateContent:
    """What the certificate of a lot would say now; each closed gate is a statement.

    Raises:
        Conflict: the lot is decided for good, or its specification cannot be read.
        IntegrityFailure: what its earlier certificate says is not in the store as it was.
    """
    if case.disposition not in UNDECIDED or case.specification is None:
        why = "its specification cannot be read" if not case.specification else case.disposition
        raise Conflict(
            "BQC-CRT-044",
            f"lot {case.lot.id} has no draft: {why}",
            hint="A draft is of a lot that is not decided on for good.",
        )
    earlier = next(iter(certificates_of(session, case.row)[-1:]), None)
    replaced: Supersedes | None = None
    if earlier is not None:
        replaced = {"number": earlier.natural_key, "reason": "not decided yet"}
    signatures, seals = signatures_of(case, None, None, ZoneInfo(case.row.site.time_zone))
    heading = Heading(
        NUMBER, f"not decided on ({case.disposition})", replaced, signatures, seals, page=""
    )
    content = content_under(session, heading, case=case, pending=NOTHING_PENDING, now=now)
    content["statements"] += [
        f"Closed gate, {gate.name}: {'; '.join(gate.reasons)}."
        for gate in case.gates
        if not gate.is_open
    ]
    return completed(session, archive, content, case=case, earlier=earlier)


def draft_document(content: CertificateContent, fonts: Path) -> bytes:
    """The draft as PDF, marked on each page."""
    from batchqc.documents.coa_layout import render  # noqa: PLC0415 - only who prints pays for it
    from batchqc.documents.coa_marks import DRAFT, Marked  # noqa: PLC0415 - as above

    return render(content, fonts=fonts, marked=Marked((DRAFT,), (("draft_says", {}),)))
