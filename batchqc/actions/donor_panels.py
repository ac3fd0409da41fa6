"""Donor panels: imported by copy, approved by QA, and never changed."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.donations import site_day
from batchqc.actions.donor_evaluation import evaluation_of
from batchqc.actions.donor_records import ApprovedPanel, records_of
from batchqc.actions.permission import require
from batchqc.actions.received import check_toml_name
from batchqc.actions.registers import found_or_not, the_donor
from batchqc.actions.setup import own_site
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.eligibility import Evaluation
from batchqc.core.panels import Panel
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.documents.panel_file import read_panel
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.records.donor_panels import (
    PANELS,
    PanelApproval,
    PanelVersion,
    panel_approval_of,
    panel_approvals,
    panel_by,
    panel_in_force,
)
from batchqc.records.transaction import Transaction


def import_panel(tx: Transaction, archive: Archive, *, data: bytes, file: str) -> PanelVersion:
    """Copy a panel file into the system, as a version that waits for its approval.

    Raises:
        InvalidInput: with every problem of the file.
        Conflict: the version is there already.
    """
    require(tx, Permission.IMPORT_PANEL)
    check_toml_name(file)
    reading = read_panel(data, file=file)
    panel = reading.panel
    if panel is None:
        raise InvalidInput(
            "BQC-DNR-001",
            f"{file} is not a donor panel",
            reasons=[str(problem) for problem in reading.problems],
            hint="Mend every line that is named, then import the file again.",
        )
    tx.lock(PANELS)
    if panel_by(tx.session, panel.id, panel.version) is not None:
        raise Conflict(
            "BQC-DNR-002",
            f"{panel.reference} exists; an imported version is never edited",
            hint="Give the changed file the next version number.",
        )
    row = PanelVersion(
        panel=panel.id,
        version=panel.version,
        title=panel.title,
        jurisdiction=panel.jurisdiction,
        markets="\n".join(panel.markets),
        effective=panel.effective.isoformat(),
        file=file,
        sha256=archive.put(data),
        author=tx.actor.user_id,
        imported_at=tx.now,
    )
    tx.add(row)
    after = {"sha256": row.sha256, "recalled": list(panel.recalled)}
    tx.audit("donor panel imported", rows=[row], after=after)
    return row


def approve_panel(
    tx: Transaction, *, panel: str, version: int, credentials: Credentials
) -> PanelApproval | Refusal:
    """Approve a version; the signature binds the hash of its bytes. Who imported it may not.

    Raises:
        Conflict: it is approved already, or another version applies from the same day.
    """
    require(tx, Permission.APPROVE_PANEL)
    check_reason(credentials.reason)
    tx.lock(PANELS)
    row = the_panel(tx.session, panel, version)
    problem = _approval_refused(tx, row)
    if problem:
        raise Conflict("BQC-DNR-004", f"{row.reference} cannot be approved: {problem}")
    signature = sign(
        tx, credentials, meaning=Meaning.APPROVED, record=row.key, record_sha256=row.sha256
    )
    if isinstance(signature, Refusal):
        return signature
    approval = PanelApproval(panel_version=row, signature=signature)
    tx.add(approval)
    tx.audit(
        "donor panel approved",
        rows=[signature, approval],
        about=[row.key],
        reason=credentials.reason,
        after={"sha256": row.sha256, "effective": row.effective},
    )
    return approval


def the_panel(session: Session, panel: str, version: int) -> PanelVersion:
    """One version, or NotFound."""
    said = f"there is no donor panel {panel} v{version}"
    return found_or_not(panel_by(session, panel, version), "BQC-DNR-003", said)


def approved_panel(
    session: Session, archive: Archive, *, panel: str, day: date, by_exception: bool = False
) -> ApprovedPanel:
    """The approved version of a panel that applies on a day of the site, with its content.

    Raises:
        NotFound: none is approved and applies.
        IntegrityFailure: its bytes are damaged, or say something else.
    """
    row = panel_in_force(session, panel, day)
    if row is None:
        raise NotFound(
            "BQC-DNR-005",
            f"no version of donor panel {panel} is approved and applies on {day}",
            hint="Import its file, and have QA approve it.",
        )
    return ApprovedPanel(row, panel_content(archive, row), by_exception)


def panel_asked_for(
    tx: Transaction, archive: Archive, *, panel: str, by_exception: bool
) -> ApprovedPanel | None:
    """The panel that a determination names; ``None`` where it names none.

    Raises:
        InvalidInput: an exception from no panel.
    """
    if panel:
        day = site_day(tx)
        return approved_panel(tx.session, archive, panel=panel, day=day, by_exception=by_exception)
    if by_exception:
        raise InvalidInput(
            "BQC-DNR-022", "an exception is one from a panel", hint="Name the panel."
        )
    return None


def evaluate_donor(
    session: Session, archive: Archive, *, donor: str, panel: str, now: datetime
) -> tuple[str, Evaluation]:
    """The version of a panel that applies, and what a donor's records say against it.

    Raises:
        NotFound: there is no such donor or approved panel.
    """
    row = the_donor(session, donor)
    zone = ZoneInfo(own_site(session).time_zone)
    today = now.astimezone(zone).date()
    approved = approved_panel(session, archive, panel=panel, day=today)
    records = records_of(session, [row])[row.id]
    return approved.panel.reference, evaluation_of(records, approved, zone=zone, today=today)


def panel_content(archive: Archive, row: PanelVersion) -> Panel:
    """What a version says, read from its stored bytes.

    Raises:
        IntegrityFailure: where the bytes are damaged or say something else.
    """
    panel = read_panel(archive.get(row.sha256), file=row.file).panel
    if panel is None or panel.reference != row.reference:
        raise IntegrityFailure(
            "BQC-DNR-006", f"the stored bytes of {row.reference} are another document"
        )
    return panel


def _approval_refused(tx: Transaction, row: PanelVersion) -> str:
    if panel_approval_of(tx.session, row) is not None:
        return "it is approved already"
    if row.author == tx.actor.user_id:
        return f"{row.author} imported it; ask another person"
    same_day = [
        one.panel_version.reference
        for one in panel_approvals(tx.session)
        if one.panel_version.panel == row.panel and one.panel_version.effective == row.effective
    ]
    return f"{', '.join(same_day)} applies from the same day" if same_day else ""
