"""Profiles: imported by copy, approved by a second person, and read from the bytes as approved."""

from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.received import check_toml_name
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.permissions import Permission
from batchqc.core.profiles import Profile
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.documents.profile_file import read_profile
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.records.profiles import (
    ProfileApproval,
    ProfileVersion,
    approval_of_profile,
    newest_approved,
    profile_by,
)
from batchqc.records.transaction import Transaction

_LONGEST_VERSION: Final = 7  # no file states a larger one than 1,000,000


def import_profile(tx: Transaction, archive: Archive, *, data: bytes, file: str) -> ProfileVersion:
    """Copy a profile file into the system, as a version that waits for its approval.

    Raises:
        InvalidInput: with every problem of the file.
        Conflict: the version is there already.
    """
    require(tx, Permission.IMPORT_PROFILE)
    check_toml_name(file)
    reading = read_profile(data, file=file)
    profile = reading.profile
    if profile is None:
        raise InvalidInput(
            "BQC-PRF-001",
            f"{file} is not a profile",
            reasons=[str(problem) for problem in reading.problems],
            hint="Mend every line that is named, then import the file again.",
        )
    tx.lock(f"profile {profile.id}")
    if profile_by(tx.session, profile.id, profile.version) is not None:
        raise Conflict(
            "BQC-PRF-002",
            f"{profile.reference} exists; an imported version is never edited",
            hint="Give the changed file the next version number.",
        )
    version = ProfileVersion(
        profile=profile.id,
        version=profile.version,
        title=profile.title,
        file=file,
        sha256=archive.put(data),
        author=tx.actor.user_id,
        imported_at=tx.now,
    )
    tx.add(version)
    tx.audit("profile imported", rows=[version], after={"sha256": version.sha256})
    return version


def approve_profile(
    tx: Transaction, *, profile: str, version: int, credentials: Credentials
) -> ProfileApproval | Refusal:
    """Approve a profile version as the second person; the signature binds its bytes.

    Raises:
        Conflict: it is approved already, or the same person imported it.
    """
    require(tx, Permission.APPROVE_PROFILE)
    check_reason(credentials.reason)
    tx.lock(f"profile {profile}")
    row = the_profile(tx.session, profile, version)
    if approval_of_profile(tx.session, row) is not None:
        raise Conflict("BQC-PRF-003", f"{row.reference} is approved already")
    if row.author == tx.actor.user_id:
        raise Conflict(
            "BQC-PRF-004",
            f"{row.author} imported {row.reference} and may not approve it",
            hint="Ask another QA person.",
        )
    signature = sign(
        tx, credentials, meaning=Meaning.APPROVED, record=row.key, record_sha256=row.sha256
    )
    if isinstance(signature, Refusal):
        return signature
    approval = ProfileApproval(profile_version=row, signature=signature)
    tx.add(approval)
    tx.audit(
        "profile approved",
        rows=[signature, approval],
        about=[row.key],
        reason=credentials.reason,
        after={"sha256": row.sha256},
    )
    return approval


def the_profile(session: Session, profile: str, version: int) -> ProfileVersion:
    """One version.

    Raises:
        NotFound: where there is none.
    """
    row = profile_by(session, profile, version)
    if row is None:
        raise NotFound("BQC-PRF-005", f"there is no profile {profile} v{version}")
    return row


def approved_profile(session: Session, name: str) -> ProfileVersion:
    """The approved version that ``VI-CELL-BLU v2`` names, or the newest one of ``VI-CELL-BLU``.

    Raises:
        NotFound: where no such version is approved.
    """
    profile, _, number = name.rpartition(" v")
    if profile and number.isdecimal():
        is_small = len(number) <= _LONGEST_VERSION
        row = profile_by(session, profile, int(number)) if is_small else None
        if row is not None and approval_of_profile(session, row) is None:
            row = None
    else:
        row = newest_approved(session, name)
    if row is None:
        raise NotFound(
            "BQC-PRF-006",
            f"there is no approved profile {name}",
            hint="See batchqc profile list; have it approved, or read the file by a contract.",
        )
    return row


def profile_named(session: Session, archive: Archive, name: str) -> Profile | None:
    """What a file is read by: an approved profile, or ``None`` for a contract."""
    return profile_content(archive, approved_profile(session, name)) if name else None


def profile_content(archive: Archive, version: ProfileVersion) -> Profile:
    """The profile as approved, read from its stored bytes.

    Raises:
        IntegrityFailure: where the bytes are damaged or say something else.
    """
    profile = read_profile(archive.get(version.sha256), file=version.file).profile
    if profile is None or profile.reference != version.reference:
        raise IntegrityFailure(
            "BQC-PRF-007", f"the stored bytes of {version.reference} are not that profile"
        )
    return profile
