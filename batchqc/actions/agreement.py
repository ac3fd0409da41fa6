"""Whether records of different kinds agree: decisions, signatures, certificates, numbers.

Each of them is as the audit trail says, or its verification tells. Here is asked whether together
they are what people did: nothing is there by half.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.certificate_states import status_of
from batchqc.actions.checkpoints import is_covered
from batchqc.core.accountability import STATEMENT
from batchqc.core.lot_states import Disposition, may_decide
from batchqc.core.soundness import Finding, Grade
from batchqc.documents.archive import Archive
from batchqc.errors import BatchqcError
from batchqc.records.annex16 import Certification
from batchqc.records.base import Numbered
from batchqc.records.decisions import (
    Certificate,
    CertificateIssue,
    DispositionRow,
    certificates_of,
)
from batchqc.records.imports import imports
from batchqc.records.retention import DisposedObject
from batchqc.records.schema import METADATA, WITNESSED
from batchqc.records.signatures import SignatureRow

STOP: Final = "Stop releasing. Keep database and store as they are, and call the system owner."
_CERTIFIED: Final = {Disposition.RELEASED, Disposition.CONDITIONAL}
_BOUND: Final = ("content_sha", "signed_sha256")


def agreement_findings(session: Session, archive: Archive) -> Iterator[Finding]:
    """What of the records does not agree with others, or is there by half."""
    yield from _signatures(session)
    yield from _decisions(session, archive)
    yield from _certificates(session, archive)
    yield from _numbers(session)
    yield from _disposals(session, archive)


def _loss(what: str, where: str) -> Finding:
    return Finding(what, where, Grade.LOSS, STOP)


def _signatures(session: Session) -> Iterator[Finding]:
    """Each binds what it says, and is of something."""
    for table in WITNESSED:
        names = [one for one in _BOUND if hasattr(table, one)]
        if not names or "signature_id" not in table.__table__.columns:
            continue
        for row in session.scalars(select(table)):
            signed: SignatureRow | None = getattr(row, "signature", None)
            bound = next((sha for one in names if (sha := getattr(row, one))), "")
            if signed and bound and signed.record_sha256 != bound:
                yield _loss(f"its signature {signed.natural_key} binds something else", row.key)
    columns = [
        column
        for table in METADATA.tables.values()
        for column in table.columns
        if any(key.column.table.name == "signature" for key in column.foreign_keys)
    ]
    used = {one for column in columns for one in session.scalars(select(column).distinct())}
    for row in session.scalars(select(SignatureRow).where(SignatureRow.record != STATEMENT.key)):
        if row.id not in used:
            yield _loss("no record is signed with it", row.key)


def _decisions(session: Session, archive: Archive) -> Iterator[Finding]:
    """Each follows from the one before, says what was signed, and has what comes with it."""
    certified = set(session.scalars(select(Certificate.disposition_id)))
    by_qp = set(session.scalars(select(Certification.disposition_id)))
    before: dict[int, tuple[int, Disposition]] = {}
    query = select(DispositionRow).order_by(DispositionRow.lot_id, DispositionRow.number)
    for row in session.scalars(query):
        number, label = before.get(row.lot_id, (0, Disposition.QUARANTINE))
        wanted = Disposition(row.disposition)
        if row.number != number + 1:
            yield _loss(f"decision {number + 1} over the lot is not there", row.key)
        elif not (may_decide(label, wanted) or (label == wanted and row.id in by_qp)):
            yield _loss(f"a lot that is in {label} cannot be {wanted}", row.key)
        before[row.lot_id] = row.number, wanted
        said = _content(archive, row.content_sha)
        if said is None:
            continue  # told where stored files are
        if (said.get("disposition"), said.get("lot", {}).get("lot")) != (wanted, row.lot.lot):
            yield _loss("what was signed is another decision, or over another lot", row.key)
        if wanted in _CERTIFIED and row.id not in certified:
            yield _loss("no certificate was reserved with it", row.key)


def _certificates(session: Session, archive: Archive) -> Iterator[Finding]:
    """Each is of the decision that it names, and is sealed and witnessed."""
    issues = {one.certificate_id: one for one in session.scalars(select(CertificateIssue))}
    for row in certificates_of(session):
        if row.disposition.lot_id != row.lot_id:
            yield _loss("its decision is over another lot", row.key)
        said = _content(archive, row.content_sha)
        if said is not None:
            named = (said.get("number"), said.get("lot", {}).get("id"))
            if named != (row.natural_key, row.lot.lot):
                yield _loss("its content is of another number, or of another lot", row.key)
        issue = issues.get(row.id)
        if issue is None and status_of(session, row) == "pending":
            yield Finding(
                "it is reserved, and not sealed yet", row.key, Grade.HARMLESS,
                "`batchqc certificate resume`, by QA.",
            )  # fmt: skip
        if issue is not None and not is_covered(session, issue.key):
            yield Finding(
                "no checkpoint of the log covers its issue yet", row.key, Grade.HARMLESS,
                "`batchqc log checkpoint`.",
            )  # fmt: skip


def _numbers(session: Session) -> Iterator[Finding]:
    """Numbers have no gaps, but where a lot came from another instance with numbers of its own."""
    if next(iter(imports(session)), None) is not None:
        return
    for table in (one for one in WITNESSED if issubclass(one, Numbered)):
        expected: dict[int, int] = {}
        query = select(table.year, table.number).order_by(table.year, table.number)
        for year, number in session.execute(query):
            expected[year] = expected.get(year, 0) + 1
            if number != expected[year]:
                missing = f"number {expected[year]} of {year} is not there, and {number} is"
                yield _loss(missing, f"table {table.__tablename__}")
                expected[year] = number


def _disposals(session: Session, archive: Archive) -> Iterator[Finding]:
    """What two people disposed of is gone."""
    for sha256 in session.scalars(select(DisposedObject.sha256)):
        if archive.stored_at(sha256) is not None:
            yield Finding(
                "it was disposed of, and its bytes are still there", f"archived file {sha256}",
                Grade.MEND, "`batchqc archive finish-disposals`.",
            )  # fmt: skip


def _content(archive: Archive, sha256: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(archive.get(sha256))
    except (BatchqcError, ValueError):
        return None
    return found if isinstance(found, dict) else {}
