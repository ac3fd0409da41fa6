"""Specifications: import by copy, approval by a second person, and which version judges a lot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.core.specifications import Specification
from batchqc.documents.archive import FolderArchive
from batchqc.documents.spec_file import read_specification
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.records.specifications import (
    SpecificationApproval,
    SpecificationVersion,
    approval_of,
    approved_versions,
    version_by,
)
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Bound:
    """The version that judges a lot, and why it is this one."""

    version: SpecificationVersion
    because: str


def import_specification(
    tx: Transaction, archive: FolderArchive, *, data: bytes, file: str
) -> SpecificationVersion:
    """Copy a specification file into the system, as a version that waits for its approval.

    Raises:
        InvalidInput: with every problem of the file.
        Conflict: the version is there already, or with other content.
    """
    require(tx, Permission.IMPORT_SPECIFICATION)
    reading = read_specification(data, file=file)
    specification = reading.specification
    if specification is None:
        raise InvalidInput(
            "BQC-SPC-001",
            f"{file} is not a specification",
            reasons=[str(problem) for problem in reading.problems],
            hint="Mend every line that is named, then import the file again.",
        )
    tx.lock(f"specification {specification.id}")
    if version_by(tx.session, specification.id, specification.version) is not None:
        raise Conflict(
            "BQC-SPC-002",
            f"{specification.reference} exists; an imported version is never edited",
            hint="Give the changed file the next version number.",
        )
    version = SpecificationVersion(
        specification=specification.id,
        version=specification.version,
        product=specification.product,
        stage=specification.stage.value,
        title=specification.title,
        effective=specification.effective.isoformat(),
        file=file,
        sha256=archive.put(data),
        author=tx.actor.user_id,
        imported_at=tx.now,
    )
    tx.add(version)
    tx.audit("specification imported", rows=[version], after={"sha256": version.sha256})
    return version


def approve_specification(
    tx: Transaction, *, specification: str, version: int, credentials: Credentials
) -> SpecificationApproval | Refusal:
    """Approve a version; the signature binds the hash of its bytes. The author may not."""
    require(tx, Permission.APPROVE_SPECIFICATION)
    check_reason(credentials.reason)
    tx.lock(f"specification {specification}")
    row = the_version(tx.session, specification, version)
    if approval_of(tx.session, row) is not None:
        raise Conflict("BQC-SPC-003", f"{row.reference} is approved already")
    if row.author == tx.actor.user_id:
        raise Conflict(
            "BQC-SPC-004",
            f"{row.author} imported {row.reference} and may not approve it",
            hint="Ask another QA person.",
        )
    same_day = [
        other.reference
        for other in approved_versions(tx.session, product=row.product, stage=row.stage)
        if other.effective == row.effective
    ]
    if same_day:
        raise Conflict(
            "BQC-SPC-005",
            f"{', '.join(same_day)} is approved for {row.product}, {row.stage}, from the same day",
            hint="Give the new version a later effective date.",
        )
    signature = sign(
        tx, credentials, meaning=Meaning.APPROVED, record=row.key, record_sha256=row.sha256
    )
    if isinstance(signature, Refusal):
        return signature
    approval = SpecificationApproval(specification_version=row, signature=signature)
    tx.add(approval)
    tx.audit(
        "specification approved",
        rows=[signature, approval],
        about=[row.key],
        reason=credentials.reason,
        after={"sha256": row.sha256, "effective": row.effective},
    )
    return approval


def the_version(session: Session, specification: str, version: int) -> SpecificationVersion:
    """One version.

    Raises:
        NotFound: where there is none.
    """
    row = version_by(session, specification, version)
    if row is None:
        raise NotFound("BQC-SPC-006", f"there is no specification {specification} v{version}")
    return row


def bind(session: Session, *, product: str, stage: str, manufactured_on: date) -> Bound:
    """The approved version in force on the date of manufacture.

    Validity is from the effective date until the day before the next version's.

    Raises:
        Conflict: where no version was in force.
    """
    versions = approved_versions(session, product=product, stage=stage)
    found = in_force(versions, manufactured_on)
    if found is None:
        raise Conflict(
            "BQC-SPC-007",
            f"no approved specification of {product} for {stage} was in force on {manufactured_on}",
            hint="Import one that applies from then or earlier, and have QA approve it.",
        )
    return Bound(
        found, f"in force on the date of manufacture {manufactured_on} (from {found.effective})"
    )


def in_force(versions: Sequence[SpecificationVersion], day: date) -> SpecificationVersion | None:
    """The version of approved ``versions`` (by date) that applies on a day."""
    begun = [one for one in versions if date.fromisoformat(one.effective) <= day]
    return begun[-1] if begun else None


def content_of(archive: FolderArchive, version: SpecificationVersion) -> Specification:
    """The specification as approved, read from its stored bytes.

    Raises:
        IntegrityFailure: where the bytes are damaged or say something else.
    """
    specification = _read(archive.get(version.sha256), version.file)
    if specification is None or specification.reference != version.reference:
        raise IntegrityFailure(
            "BQC-SPC-008", f"the stored bytes of {version.reference} are another specification"
        )
    return specification


@lru_cache(maxsize=64)
def _read(data: bytes, file: str) -> Specification | None:
    return read_specification(data, file=file).specification
