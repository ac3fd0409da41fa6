"""Layouts of certificates: imported by copy, submitted, approved by a second person, in force.

The approved bytes are the authority: whoever uses a layout reads it from them, and only where its
rows are as the audit trail says.
"""

from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.actions.received import check_toml_name
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.actions.witnessed import unlike, unlike_trail, witnessed_by
from batchqc.core.certificate_layouts import Layout
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.documents.layout_file import read_layout, unshown
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.records.audit import entries_about
from batchqc.records.layouts import (
    LayoutApproval,
    LayoutSubmission,
    LayoutVersion,
    LayoutWithdrawal,
    approval_of_layout,
    layout_by,
    newest_approved_layout,
    signed_of_layouts,
    site_layout,
    submission_of_layout,
    withdrawal_of_layout,
)
from batchqc.records.transaction import Transaction

#: What the entries of all approvals are about.
LAYOUTS: Final = "layouts of certificates"
_SIGNED: Final = ("layout_approval:", "layout_withdrawal:")


def import_layout(
    tx: Transaction, archive: Archive, *, data: bytes, file: str, fonts: Path
) -> LayoutVersion:
    """Copy a layout file into the system, as a draft.

    Args:
        tx: of its author.
        archive: takes the bytes.
        data: UTF-8 TOML.
        file: its name.
        fonts: the folder of the fonts of documents, which must have every character.

    Raises:
        InvalidInput: with every problem of the file.
        Conflict: the version is there already.
    """
    require(tx, Permission.IMPORT_LAYOUT)
    check_toml_name(file)
    reading = read_layout(data, file=file)
    layout = reading.layout
    reasons = [str(problem) for problem in reading.problems]
    if layout is None or (reasons := unshown(layout, fonts=fonts)):
        raise InvalidInput(
            "BQC-LAY-001",
            f"{file} is not a layout",
            reasons=reasons,
            hint="Mend every line that is named, then import the file again.",
        )
    tx.lock(f"layout {layout.id}")
    if layout_by(tx.session, layout.id, layout.version) is not None:
        raise Conflict(
            "BQC-LAY-002",
            f"{layout.reference} exists; an imported version is never edited",
            hint="Give the changed file the next version number.",
        )
    version = LayoutVersion(
        layout=layout.id,
        version=layout.version,
        title=layout.title,
        recipient=layout.recipient,
        product=layout.product,
        file=file,
        sha256=archive.put(data),
        author=tx.actor.user_id,
        imported_at=tx.now,
    )
    tx.add(version)
    tx.audit("layout imported", rows=[version], after={"sha256": version.sha256})
    return version


def submit_layout(tx: Transaction, *, layout: str, version: int) -> LayoutSubmission:
    """Give a draft up for review.

    Raises:
        Conflict: it was submitted before.
    """
    require(tx, Permission.IMPORT_LAYOUT)
    tx.lock(f"layout {layout}")
    row = the_layout(tx.session, layout, version)
    if submission_of_layout(tx.session, row) is not None:
        raise Conflict("BQC-LAY-003", f"{row.reference} is submitted already")
    submission = LayoutSubmission(
        layout_version=row, submitted_by=tx.actor.user_id, submitted_at=tx.now
    )
    tx.add(submission)
    tx.audit("layout submitted", rows=[submission], about=[row.key])
    return submission


def approve_layout(
    tx: Transaction, archive: Archive, *, layout: str, version: int, credentials: Credentials
) -> LayoutApproval | Refusal:
    """Approve a version as the second person; the signature binds its bytes.

    From then on new certificates take it, where it names no recipient.

    Raises:
        Conflict: with the reason why it cannot be approved.
        IntegrityFailure: its bytes or rows are not as they were imported.
    """
    require(tx, Permission.APPROVE_LAYOUT)
    check_reason(credentials.reason)
    tx.lock(f"layout {layout}")
    row = the_layout(tx.session, layout, version)
    if approval_of_layout(tx.session, row) is not None:
        raise Conflict("BQC-LAY-004", f"{row.reference} is approved already")
    if row.author == tx.actor.user_id:
        raise Conflict(
            "BQC-LAY-005",
            f"{row.author} imported {row.reference} and may not approve it",
            hint="Ask another QA person.",
        )
    if submission_of_layout(tx.session, row) is None:
        raise Conflict(
            "BQC-LAY-006",
            f"{row.reference} is a draft; it was not submitted for review",
            hint="Have its author submit it: batchqc layout submit.",
        )
    layout_content(tx.session, archive, row)
    signature = sign(
        tx, credentials, meaning=Meaning.APPROVED, record=row.key, record_sha256=row.sha256
    )
    if isinstance(signature, Refusal):
        return signature
    approval = LayoutApproval(layout_version=row, signature=signature)
    tx.add(approval)
    tx.audit(
        "layout approved",
        rows=[signature, approval],
        about=[row.key, LAYOUTS],
        reason=credentials.reason,
        after={"sha256": row.sha256, "recipient": row.recipient, "product": row.product},
    )
    return approval


def withdraw_layout(
    tx: Transaction, *, layout: str, version: int, credentials: Credentials
) -> LayoutWithdrawal | Refusal:
    """Withdraw an approved version: no new certificate or rendition takes it.

    Raises:
        Conflict: it is not approved, or was withdrawn before.
    """
    require(tx, Permission.APPROVE_LAYOUT)
    check_reason(credentials.reason)
    tx.lock(f"layout {layout}")
    row = the_layout(tx.session, layout, version)
    problem = "" if approval_of_layout(tx.session, row) else "it is not approved"
    if withdrawal_of_layout(tx.session, row) is not None:
        problem = "it is withdrawn already"
    if problem:
        raise Conflict("BQC-LAY-016", f"{row.reference} cannot be withdrawn: {problem}")
    signature = sign(
        tx, credentials, meaning=Meaning.WITHDRAWN, record=row.key, record_sha256=row.sha256
    )
    if isinstance(signature, Refusal):
        return signature
    withdrawal = LayoutWithdrawal(layout_version=row, signature=signature)
    tx.add(withdrawal)
    tx.audit(
        "layout withdrawn",
        rows=[signature, withdrawal],
        about=[row.key, LAYOUTS],
        reason=credentials.reason,
    )
    return withdrawal


def the_layout(session: Session, layout: str, version: int) -> LayoutVersion:
    """One version.

    Raises:
        NotFound: where there is none.
    """
    row = layout_by(session, layout, version)
    if row is None:
        raise NotFound("BQC-LAY-007", f"there is no layout {layout} v{version}")
    return row


def approved_layout(session: Session, layout: str) -> LayoutApproval:
    """The approval of the newest approved version of a layout.

    Raises:
        NotFound: where none is approved, or the newest was withdrawn.
    """
    approval = newest_approved_layout(session, layout)
    if approval is None or withdrawal_of_layout(session, approval.layout_version) is not None:
        raise NotFound(
            "BQC-LAY-008",
            f"there is no approved layout {layout}",
            hint="See batchqc layout list; have it approved by a second person.",
        )
    return approval


def layout_in_force(session: Session, archive: Archive, product: str) -> Layout | None:
    """The layout of the site's certificates of a product; ``None`` where none was approved.

    Raises:
        IntegrityFailure: it, or another layout, is not as it was approved, or is missing.
    """
    _check_whole(session)
    approval = site_layout(session, product)
    return None if approval is None else approved_content(session, archive, approval)


def approved_content(session: Session, archive: Archive, approval: LayoutApproval) -> Layout:
    """A layout from its approved bytes, whose hash was signed.

    Raises:
        IntegrityFailure: the bytes, a row or the signature are not as they were.
    """
    _check_whole(session)
    version, signature = approval.layout_version, approval.signature
    if (signature.record, signature.record_sha256) != (version.key, version.sha256):
        raise _changed(version.reference, ["its approval was signed over something else"])
    return layout_content(session, archive, version)


def layout_content(session: Session, archive: Archive, version: LayoutVersion) -> Layout:
    """A layout, approved or not, from its stored bytes.

    Raises:
        IntegrityFailure: the bytes or their row are not as they were imported.
    """
    found = list(unlike_trail(session, [version.key], [version]))
    layout = read_layout(archive.get(version.sha256), file=version.file).layout
    named = (version.reference, version.recipient, version.product)
    if layout is None or (layout.reference, layout.recipient, layout.product) != named:
        raise _changed(version.reference, [*found, "its stored bytes are another layout"])
    if found:
        raise _changed(version.reference, found)
    return layout


def _check_whole(session: Session) -> None:
    """Every approval and withdrawal is as the audit trail says, and none of them is missing."""
    signed = signed_of_layouts(session)
    versions = {one.layout_version.key: one.layout_version for one in signed}
    witnessed = witnessed_by(entries_about(session, [LAYOUTS, *versions]))
    rows = [*signed, *versions.values(), *(one.signature for one in signed)]
    found = list(unlike(((row.key, row) for row in rows), witnessed))
    missing = witnessed.keys() - {one.key for one in signed}
    found += [
        f"{key} is missing; an audit entry speaks of it"
        for key in missing
        if key.startswith(_SIGNED)
    ]
    if found:
        raise _changed("", sorted(found))


def _changed(reference: str, found: list[str]) -> IntegrityFailure:
    return IntegrityFailure(
        "BQC-LAY-009",
        f"layout {reference} cannot be used: it was changed"
        if reference
        else "layouts cannot be used: one was changed",
        reasons=found,
        hint="Run batchqc audit verify; restore the record, or approve another version.",
    )
