"""Methods: imported by copy, approved by a second person, and never changed."""

from datetime import date
from functools import lru_cache

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.received import check_toml_name
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.methods import Method
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.documents.method_file import read_method
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.records.methods import (
    MethodApproval,
    MethodVersion,
    measured_since,
    method_approval_of,
    method_approvals,
    method_by,
)
from batchqc.records.transaction import Transaction


def import_method(tx: Transaction, archive: Archive, *, data: bytes, file: str) -> MethodVersion:
    """Copy a method file into the system, as a version that waits for its approval.

    Raises:
        InvalidInput: with every problem of the file.
        Conflict: the version is there already.
    """
    require(tx, Permission.IMPORT_METHOD)
    check_toml_name(file)
    reading = read_method(data, file=file)
    method = reading.method
    if method is None:
        raise InvalidInput(
            "BQC-MET-001",
            f"{file} is not a method",
            reasons=[str(problem) for problem in reading.problems],
            hint="Mend every line that is named, then import the file again.",
        )
    hold_methods(tx)
    if method_by(tx.session, method.id, method.version) is not None:
        raise Conflict(
            "BQC-MET-002",
            f"{method.reference} exists; an imported version is never edited",
            hint="Give the changed file the next version.",
        )
    version = MethodVersion(
        method=method.id,
        version=method.version,
        title=method.title,
        effective=method.effective.isoformat(),
        file=file,
        sha256=archive.put(data),
        author=tx.actor.user_id,
        imported_at=tx.now,
    )
    tx.add(version)
    tx.audit(
        "method imported",
        rows=[version],
        about=[subject_of(method.id)],
        after={"sha256": version.sha256},
    )
    return version


def approve_method(
    tx: Transaction, *, method: str, version: str, credentials: Credentials
) -> MethodApproval | Refusal:
    """Approve a version; the signature binds the hash of its bytes. Who imported it may not.

    Raises:
        Conflict: it is approved already, or would judge anew what another version judges.
    """
    require(tx, Permission.APPROVE_METHOD)
    check_reason(credentials.reason)
    hold_methods(tx)
    row = the_method(tx.session, method, version)
    problem = _approval_refused(tx, row)
    if problem:
        raise Conflict("BQC-MET-004", f"{row.reference} cannot be approved: {problem}")
    signature = sign(
        tx, credentials, meaning=Meaning.APPROVED, record=row.key, record_sha256=row.sha256
    )
    if isinstance(signature, Refusal):
        return signature
    approval = MethodApproval(method_version=row, signature=signature)
    tx.add(approval)
    tx.audit(
        "method approved",
        rows=[signature, approval],
        about=[row.key, subject_of(row.method)],
        reason=credentials.reason,
        after={"sha256": row.sha256, "effective": row.effective},
    )
    return approval


def hold_methods(tx: Transaction) -> None:
    """Let nobody approve a method while a lot is decided, or decide a lot meanwhile."""
    tx.lock("methods")


def subject_of(code: str) -> str:
    """What audit entries call a method, whatever its versions."""
    return f"method:{code}"


def the_method(session: Session, method: str, version: str) -> MethodVersion:
    """One version.

    Raises:
        NotFound: where there is none.
    """
    row = method_by(session, method, version)
    if row is None:
        raise NotFound("BQC-MET-003", f"there is no method {method} v{version}")
    return row


def method_content(archive: Archive, row: MethodVersion) -> Method:
    """The method as approved, read from its stored bytes.

    Raises:
        IntegrityFailure: where the bytes are damaged or say something else.
    """
    return stored_method(archive, row.sha256, reference=row.reference)


def stored_method(archive: Archive, sha256: str, *, reference: str) -> Method:
    """The method of a hash.

    Raises:
        IntegrityFailure: where the bytes are damaged, or are not of ``reference``.
    """
    method = _read(archive.get(sha256))
    if method is None or method.reference != reference:
        raise IntegrityFailure(
            "BQC-MET-005", f"the stored bytes of {reference} are another document"
        )
    return method


@lru_cache(maxsize=64)
def _read(data: bytes) -> Method | None:
    return read_method(data, file="the store", is_stored=True).method


def _approval_refused(tx: Transaction, row: MethodVersion) -> str:
    """No approval reaches back to runs that another version judges or would have to judge."""
    if method_approval_of(tx.session, row) is not None:
        return "it is approved already"
    if row.author == tx.actor.user_id:
        return f"{row.author} imported it; ask another QA person"
    others = [one.method_version for one in method_approvals(tx.session, [row.method])]
    same_day = [one.reference for one in others if one.effective == row.effective]
    if same_day:
        return f"{', '.join(same_day)} applies from the same day"
    if others and measured_since(tx.session, row.method, _day(row)):
        return (
            f"results measured by {row.method} since {row.effective} are on record, and another"
            " version is approved; let it apply from a later day"
        )
    return ""


def _day(row: MethodVersion) -> date:
    return date.fromisoformat(row.effective)
