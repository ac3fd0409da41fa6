"""Specifications: imported by copy, submitted for review, withdrawn; and how a version stands."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.binding import hold_versions, lots_without
from batchqc.actions.permission import require
from batchqc.actions.received import check_toml_name
from batchqc.actions.setup import own_site
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.drawable import undrawable_within
from batchqc.core.effectivity import State, state_of_approved
from batchqc.core.findings import findings
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.core.specifications import Specification
from batchqc.documents.archive import Archive
from batchqc.documents.spec_file import read_specification
from batchqc.documents.spec_toml import read_toml
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.records.specifications import (
    SpecificationSubmission,
    SpecificationVersion,
    SpecificationWithdrawal,
    approval_of,
    approved_versions,
    submission_of,
    version_by,
    withdrawal_of,
)
from batchqc.records.transaction import Transaction


def import_specification(
    tx: Transaction, archive: Archive, *, data: bytes, file: str
) -> SpecificationVersion:
    """Copy a specification file into the system, as a version that waits for its approval.

    Raises:
        InvalidInput: with every problem of the file.
        Conflict: the version is there already, or with other content.
    """
    require(tx, Permission.IMPORT_SPECIFICATION)
    check_toml_name(file)
    reading = read_specification(data, file=file)
    specification = reading.specification
    if specification is None:
        raise InvalidInput(
            "BQC-SPC-001",
            f"{file} is not a specification",
            reasons=[str(problem) for problem in reading.problems],
            hint="Mend every line that is named, then import the file again.",
        )
    if unseen := list(undrawable_within(read_toml(data, file=file))):
        raise InvalidInput(
            "BQC-SPC-023",
            f"{file} holds characters that no certificate can show",
            reasons=unseen,
            hint="Write each text that is named with characters that the certificates' fonts draw.",
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
        market=specification.market,
        author=tx.actor.user_id,
        imported_at=tx.now,
    )
    tx.add(version)
    tx.audit("specification imported", rows=[version], after={"sha256": version.sha256})
    return version


def submit_specification(
    tx: Transaction, archive: Archive, *, specification: str, version: int
) -> SpecificationSubmission:
    """Give a draft up for review; nothing doubtful may be left in it without a reason.

    Raises:
        Conflict: with every open finding, or where it was submitted before.
    """
    require(tx, Permission.IMPORT_SPECIFICATION)
    tx.lock(f"specification {specification}")
    row = the_version(tx.session, specification, version)
    if submission_of(tx.session, row) is not None:
        raise Conflict("BQC-SPC-012", f"{row.reference} is submitted already")
    found = [one for one in findings(content_of(archive, row)) if not one.acknowledged]
    if found:
        raise Conflict(
            "BQC-SPC-010",
            f"{row.reference} has findings that nobody acknowledged",
            reasons=[f"{one.criterion}: {one.code}: {one.why}" for one in found],
            hint="Import a version in which they are mended, or acknowledged with a reason.",
        )
    submission = SpecificationSubmission(
        specification_version=row, submitted_by=tx.actor.user_id, submitted_at=tx.now
    )
    tx.add(submission)
    tx.audit("specification submitted", rows=[submission], about=[row.key])
    return submission


def withdraw_specification(
    tx: Transaction,
    *,
    specification: str,
    version: int,
    from_day: date,
    credentials: Credentials,
) -> SpecificationWithdrawal | Refusal:
    """Withdraw an approved version: lots made from ``from_day`` on are not judged by it.

    Raises:
        Conflict: it is not approved, was withdrawn before, or the day has passed.
    """
    require(tx, Permission.APPROVE_SPECIFICATION)
    check_reason(credentials.reason)
    tx.lock(f"specification {specification}")
    row = the_version(tx.session, specification, version)
    hold_versions(tx, row.product)
    today = site_day(tx.session, tx.now)
    problem = _withdrawal_problem(tx, row, from_day, today)
    if problem:
        raise Conflict("BQC-SPC-014", f"{row.reference} cannot be withdrawn: {problem}")
    signature = sign(
        tx, credentials, meaning=Meaning.WITHDRAWN, record=row.key, record_sha256=row.sha256
    )
    if isinstance(signature, Refusal):
        return signature
    withdrawal = SpecificationWithdrawal(
        specification_version=row, from_day=from_day.isoformat(), signature=signature
    )
    tx.add(withdrawal)
    tx.audit(
        "specification withdrawn",
        rows=[signature, withdrawal],
        about=[row.key],
        reason=credentials.reason,
        after={"from": withdrawal.from_day},
    )
    return withdrawal


def site_day(session: Session, now: datetime) -> date:
    """The date at the site."""
    return now.astimezone(ZoneInfo(own_site(session).time_zone)).date()


def state_of(session: Session, row: SpecificationVersion, today: date) -> State:
    """How a version stands on a day of the site."""
    if approval_of(session, row) is None:
        return State.DRAFT if submission_of(session, row) is None else State.IN_REVIEW
    approved = approved_versions(session, product=row.product, stage=row.stage, market=row.market)
    own = next(one for one in approved if one.version.id == row.id)
    return state_of_approved(own, approved, today)


def the_version(session: Session, specification: str, version: int) -> SpecificationVersion:
    """One version.

    Raises:
        NotFound: where there is none.
    """
    row = version_by(session, specification, version)
    if row is None:
        raise NotFound("BQC-SPC-006", f"there is no specification {specification} v{version}")
    return row


def content_of(archive: Archive, version: SpecificationVersion) -> Specification:
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
    return read_specification(data, file=file, is_stored=True).specification


def _withdrawal_problem(
    tx: Transaction, row: SpecificationVersion, from_day: date, today: date
) -> str:
    if approval_of(tx.session, row) is None:
        return "it is not approved"
    if withdrawal_of(tx.session, row) is not None:
        return "it is withdrawn already"
    if from_day < today:
        return f"{from_day} has passed; lots made since may be judged by it"
    lots = lots_without(tx.session, row, from_day)
    return f"it judges lots made on that day or later: {', '.join(lots)}" if lots else ""
