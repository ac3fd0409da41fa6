"""QA reviews the audit trail of a lot before its release, signed (requirements 1.54 to 1.56, 1.60).

QA signs the range that was read and the hash of its head: who signs says up to where, so that
nothing that came meanwhile is signed unseen.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.late_signing import LATE
from batchqc.actions.looked_at import trail_subjects
from batchqc.actions.lots import lock_lot, the_lot
from batchqc.actions.permission import require
from batchqc.actions.reviews import check_undecided
from batchqc.actions.series import Ready, sign_lots, sign_one
from batchqc.actions.signing import Credentials, check_reason
from batchqc.actions.trail import Subjects, entries_of
from batchqc.actions.true_times import times_of_lot
from batchqc.core.audit_review import Selection, TrailEntry, select_entries
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.identifiers import fold
from batchqc.core.permissions import Permission
from batchqc.core.review_by_exception import LATE_AFTER
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, NotPermitted
from batchqc.records.audit import AuditEntry, newest_link
from batchqc.records.laboratory import RULES
from batchqc.records.lot_reviews import (
    AuditReview,
    audit_reviews_of,
    link_at,
    trail_about,
    trail_of_people,
)
from batchqc.records.policies import POLICIES
from batchqc.records.registers import LotRow
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class TrailToRead:
    """The audit trail of a lot from its first entry to the head of the chain."""

    first: int
    last: int
    head: str
    selection: Selection


def trail_to_read(session: Session, case: LotCase) -> TrailToRead:
    """What QA reads: entries about the lot, and of its sources, people and rules since it began."""
    began = times_of_lot(case.row, case.lot.manufactured_on).values()
    since = min(case.row.registered_at, *began)
    about = entries_of(session, _subjects(case), since=since, but={"lot registered"})
    own = trail_about(session, [case.row.key], only={"lot registered"})
    first = own[0][0] if own else 1
    people = [f"person:{one}" for one in _involved(case)]
    beside = trail_of_people(session, people, after=first)
    rules = trail_about(session, [RULES, POLICIES], after=first)
    entries = {sequence: _entry(sequence, one) for sequence, one in (*own, *about, *beside, *rules)}
    link = newest_link(session)
    return TrailToRead(
        first=first,
        last=link.sequence if link else 0,
        head=link.sha256 if link else "",
        selection=select_entries(entries.values(), late=dict(_late(case))),
    )


@dataclass(frozen=True, slots=True)
class TrailRead:
    """Up to where somebody read the audit trail of a lot: its last entry, and the head there."""

    lot: str
    last: int
    head: str


def review_audit_trail(
    tx: Transaction,
    archive: Archive,
    *,
    lot: str,
    last: int,
    head: str,
    credentials: Credentials,
) -> AuditReview | Refusal:
    """Sign that the audit trail of a lot was read up to an entry.

    Args:
        tx: of the QA person.
        archive: the store.
        lot: its id.
        last: the sequence up to which it was read.
        head: the hash of the link there.
        credentials: both components of the signature, and the reason.

    Raises:
        NotPermitted: the person did something of what is to be read.
        Conflict: the trail has no such link, or the lot has new entries behind it; the lot is
            decided, or records are damaged.
    """
    require(tx, Permission.REVIEW_AUDIT_TRAIL)
    check_reason(credentials.reason)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    ready = _ready(row, tx, archive, credentials.reason, TrailRead(lot, last, head))
    signed = sign_one(tx, archive, credentials, ready)
    return signed if isinstance(signed, Refusal) else signed[0]


def review_audit_trails(
    tx: Transaction, archive: Archive, *, read: Sequence[TrailRead], credentials: Credentials
) -> list[AuditReview] | Refusal:
    """Sign that the audit trails of several lots were read, each by its own signature, or none.

    Raises:
        InvalidInput, Conflict: as ``sign_lots`` says; what stops ``review_audit_trail`` is told of
            each.
    """
    require(tx, Permission.REVIEW_AUDIT_TRAIL)
    check_reason(credentials.reason)
    by_lot = {fold(one.lot): one for one in read}

    def look(row: LotRow) -> Ready[AuditReview]:
        return _ready(row, tx, archive, credentials.reason, by_lot[row.folded])

    lots = [one.lot for one in read]
    signed = sign_lots(tx, archive, credentials, lots=lots, look=look)
    return signed if isinstance(signed, Refusal) else [one for (one,) in signed]


def _ready(
    row: LotRow, tx: Transaction, archive: Archive, reason: str, read: TrailRead
) -> Ready[AuditReview]:
    case = study(tx.session, archive, lot=row, now=tx.now)
    check_undecided(case)
    to_read = trail_to_read(tx.session, case)
    _check_range(tx.session, case, read)
    check_trail_reader(case, to_read, tx.actor.user_id)
    content = canonical_bytes(trail_content(case, to_read, read.last, read.head))
    content_sha = hashlib.sha256(content).hexdigest()
    number = len(audit_reviews_of(tx.session, row)) + 1

    def rows(signature: SignatureRow) -> list[AuditReview]:
        review = AuditReview(
            lot=row,
            number=number,
            first=to_read.first,
            last=read.last,
            head=read.head,
            content_sha=content_sha,
            signature=signature,
        )
        return [review]

    def tell(signature: SignatureRow, reviews: list[AuditReview]) -> None:
        tx.audit(
            "audit trail reviewed",
            rows=[signature, *reviews],
            about=[row.key],
            reason=reason,
            after={
                "from": to_read.first,
                "to": read.last,
                "head": read.head,
                "entries read": len(to_read.selection.entries),
            },
        )

    return Ready(row.key, content_sha, None, rows, tell, content)


def check_trail_reader(case: LotCase, to_read: TrailToRead, person: str) -> None:
    """Refuse the review of a lot's audit trail by who did anything of it.

    Raises:
        NotPermitted: BQC-ATR-002, with all that the person did.
    """
    own = [one.entry for one in to_read.selection.entries if one.entry.who == person]
    did = [f"entry {one.sequence}: you did this ({one.what})" for one in own]
    did += [
        f"you entered, measured, typed or reviewed {run.key}"
        for run in case.facts.runs
        if person in run.entered_by | run.reviewed_by | {run.verified_by}
    ]
    if person in case.facts.qc_reviewers:
        did.append("you reviewed the lot for QC")
    if did:
        raise NotPermitted(
            "BQC-ATR-002",
            f"{person} may not review the audit trail of lot {case.row.lot}",
            reasons=did,
            hint="Ask a QA person who did none of it.",
        )


def _check_range(session: Session, case: LotCase, read: TrailRead) -> None:
    link = link_at(session, read.last)
    if link is None or link.sha256 != read.head:
        raise Conflict(
            "BQC-ATR-001",
            f"the audit trail has no entry {read.last} with the head {read.head[:12]}…",
            hint="Read the trail of the lot again, and sign the range that it tells.",
        )
    subjects = _subjects(case).with_own(RULES, POLICIES)
    since = entries_of(session, subjects, after=read.last, but={"lot registered"})
    if since:
        raise Conflict(
            "BQC-ATR-003",
            f"lot {case.lot.id} has new entries in the audit trail",
            reasons=[f"entry {sequence}: {entry.what}, {entry.who}" for sequence, entry in since],
            hint="Read the trail of the lot again, and sign the range that it tells.",
        )


def _subjects(case: LotCase) -> Subjects:
    return trail_subjects(case.so_far, case.further.genealogy)


def trail_content(case: LotCase, to_read: TrailToRead, last: int, head: str) -> dict[str, Json]:
    """What QA signs: the range, its head, and the selected entries by hash."""
    return {
        "type": "batchqc/audit-review/1",
        "lot": case.row.key,
        "from": to_read.first,
        "to": last,
        "audit": [last, head],
        "read": [
            [one.entry.sequence, one.entry.sha256, one.because]
            for one in to_read.selection.entries
            if one.entry.sequence <= last
        ],
        "routine": dict(to_read.selection.routine),
    }


def _involved(case: LotCase) -> set[str]:
    """Everyone who entered, measured, typed, reviewed or signed for the lot."""
    people = {case.row.registered_by}
    for run in case.facts.runs:
        people |= run.entered_by | run.reviewed_by | ({run.verified_by} - {""})
    return people | {one.requested_by for one, _ in case.corrections}


def _late(case: LotCase) -> Iterator[tuple[str, str]]:
    for run in case.runs:
        own = [one.measured_at for one in case.measurements if one.run == run.run_key]
        late = run.upload.received_at - min(own, default=run.upload.received_at)
        if late > LATE_AFTER:
            yield run.upload.key, f"entered {late.days} days after it was measured"


def _paper(late: dict[str, str] | None) -> str:
    return f"late entry of {late['paper']}, signed at {late['happened at']}" if late else ""


def _entry(sequence: int, row: AuditEntry) -> TrailEntry:
    body = json.loads(row.text)
    return TrailEntry(
        sequence=sequence,
        sha256=row.sha256,
        who=row.who,
        role=body["role"],
        at=row.at,
        what=row.what,
        why=body["why"],
        subjects=tuple(body["subjects"]),
        paper=_paper(body["after"].get(LATE)),
    )
