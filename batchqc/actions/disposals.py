"""Disposal of raw data: asked for by one person of QA, approved by another, after its date.

Both signatures bind the same list. The tombstones are on record before the bytes go; where the
process stops between the two, ``removals.finish_disposals`` removes what is still there.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.lots import lock_lot, lock_lots, the_lot
from batchqc.actions.permission import require
from batchqc.actions.raw_objects import hashes_of_lot, raw_object, rule_now, today_at_site
from batchqc.actions.retention_damage import retention_damage
from batchqc.actions.signing import Credentials, check_reason, sign
from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.core.retention import RawObject, RetentionRule, kept_until, may_approve, why_kept
from batchqc.core.signatures import Meaning, Refusal
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict, NotFound, NotPermitted
from batchqc.records.corrections import corrected_lot, corrections_of
from batchqc.records.registers import LotRow
from batchqc.records.retention import (
    Disposal,
    DisposalApproval,
    DisposedObject,
    approval_of_disposal,
    disposal_by,
    disposed_objects,
)
from batchqc.records.signatures import next_number
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Due:
    """An object of a lot, until when it is kept, and every reason why it is."""

    raw: RawObject
    until: date | None
    reasons: tuple[str, ...]


def due_of_lot(session: Session, lot: LotRow, *, today: date) -> list[Due]:
    """The raw data of a lot that was not disposed of yet."""
    hashes = hashes_of_lot(session, lot)
    gone = {one.sha256 for one in disposed_objects(session, hashes)}
    rule = rule_now(session)
    found = [raw_object(session, one) for one in hashes if one not in gone]
    return [
        Due(one, kept_until(one, rule) if rule else None, tuple(why_kept(one, rule, today)))
        for one in found
    ]


def lots_due(session: Session, *, today: date) -> Iterator[tuple[str, int]]:
    """Each lot of which all raw data is due, with how many files that are."""
    rule = rule_now(session)
    if rule is None:
        return
    for row in session.scalars(select(LotRow).order_by(LotRow.id)):
        lot = corrected_lot(row, corrections_of(session, [row.key]))
        if today <= rule.until(lot.manufactured_on, lot.expires_on):
            continue
        found = due_of_lot(session, row, today=today)
        if found and not any(one.reasons for one in found):
            yield row.lot, len(found)


def request_disposal(
    tx: Transaction, archive: Archive, *, lot: str, credentials: Credentials
) -> Disposal | Refusal:
    """Ask for all raw data of a lot to be disposed of, signed; nothing is removed by it.

    Raises:
        NotFound: there is no such lot.
        Conflict: BQC-RET-005: something of it is kept, with every reason; or there is nothing.
    """
    require(tx, Permission.DISPOSE)
    check_reason(credentials.reason)
    row = the_lot(tx.session, lot)
    lock_lot(tx, row)
    year = tx.now.year
    tx.lock(f"disposals of {year}")
    number = next_number(tx.session, Disposal, year)
    disposal = Disposal(year=year, number=number, lot=row, reason=credentials.reason)
    content = canonical_bytes(_content(tx, disposal))
    disposal.content_sha = archive.put(content)
    signature = sign(
        tx, credentials, meaning=Meaning.DISPOSAL_REQUESTED,
        record=disposal.key, record_sha256=disposal.content_sha,
    )  # fmt: skip
    if isinstance(signature, Refusal):
        return signature
    disposal.signature = signature
    tx.add(disposal)
    tx.audit(
        "disposal of raw data requested",
        rows=[signature, disposal],
        about=[row.key],
        reason=credentials.reason,
    )
    return disposal


def approve_disposal(
    tx: Transaction, archive: Archive, *, number: str, credentials: Credentials
) -> DisposalApproval | Refusal:
    """Approve a disposal as the second person: the tombstones are on record from then on.

    The caller removes the bytes after the commit, with ``finish_disposals``.

    Raises:
        NotFound: there is none of this number.
        NotPermitted: BQC-RET-007: who asked for it.
        Conflict: BQC-RET-005: something of it is kept; BQC-RET-006: the list is not any more what
            was asked for; BQC-RET-008: it was approved already.
    """
    require(tx, Permission.DISPOSE)
    check_reason(credentials.reason)
    disposal = the_disposal(tx.session, number)
    content = archive.get(disposal.content_sha)
    objects = json.loads(content)["objects"]
    lots = {disposal.lot.lot, *(lot for one in objects for lot in one["lots"])}
    lock_lots(tx, [the_lot(tx.session, lot) for lot in lots])  # one file may be of several
    if approval_of_disposal(tx.session, disposal) is not None:
        raise Conflict("BQC-RET-008", f"{disposal.natural_key} was approved already")
    if not may_approve(disposal.signature.person.user_id, tx.actor.user_id):
        raise NotPermitted(
            "BQC-RET-007",
            f"{tx.actor.user_id} asked for {disposal.natural_key}",
            hint="Another person of QA approves it.",
        )
    if canonical_bytes(_content(tx, disposal)) != content:
        raise Conflict(
            "BQC-RET-006",
            f"the raw data of {disposal.natural_key} is not any more what was asked for",
            hint="Ask for its disposal anew.",
        )
    for one in objects:  # before anybody signs: what the store keeps is not on record as gone
        archive.check_removable(one["sha256"])  # a hold of the store is lifted as the bytes go
    signature = sign(
        tx, credentials, meaning=Meaning.DISPOSED,
        record=disposal.key, record_sha256=disposal.content_sha,
    )  # fmt: skip
    if isinstance(signature, Refusal):
        return signature
    approval = DisposalApproval(
        disposal=disposal, reason=credentials.reason, approved_at=tx.now, signature=signature
    )
    tx.add(approval)
    stones = [
        DisposedObject(
            disposal_approval=approval, sha256=one["sha256"], what=", ".join(one["named_by"])
        )
        for one in objects
    ]
    tx.add(*stones)
    tx.audit(
        "raw data disposed of",
        rows=[signature, approval, *stones],
        about=[disposal.key, disposal.lot.key],
        reason=credentials.reason,
        after={"objects": [one.sha256 for one in stones]},
    )
    return approval


def the_disposal(session: Session, number: str) -> Disposal:
    """The disposal of a public number.

    Raises:
        NotFound: there is none.
    """
    row = disposal_by(session, number)
    if row is None:
        raise NotFound("BQC-RET-009", f"there is no disposal {number}")
    return row


def _content(tx: Transaction, disposal: Disposal) -> dict[str, Json]:
    """What both signatures bind: the objects, until when each was kept, and by which rule."""
    today = today_at_site(tx.session, tx.now)
    found = due_of_lot(tx.session, disposal.lot, today=today)
    rule = rule_now(tx.session)
    lots = {lot.lot for one in found for lot in one.raw.lots} | {disposal.lot.lot}
    hashes = [one.raw.sha256 for one in found]
    reasons = [*_reasons(found, rule), *retention_damage(tx.session, lots, hashes)]
    if reasons or rule is None:
        raise Conflict(
            "BQC-RET-005",
            f"the raw data of lot {disposal.lot.lot} is not disposed of",
            reasons=reasons,
            hint="`batchqc archive due` tells what is due.",
        )
    return {
        "type": "batchqc/disposal/1",
        "disposal": disposal.natural_key,
        "lot": disposal.lot.lot,
        "reason": disposal.reason,
        "rule": {
            "years after expiry": rule.after_expiry,
            "years after manufacture": rule.after_manufacture,
        },
        "objects": [
            {
                "sha256": one.raw.sha256,
                "named_by": list(one.raw.named_by),
                "lots": [lot.lot for lot in one.raw.lots],
                "kept_until": one.until.isoformat() if one.until else None,
            }
            for one in found
        ],
    }


def _reasons(found: Sequence[Due], rule: RetentionRule | None) -> Iterator[str]:
    if rule is None:
        yield "the site has no rule of retention"
    elif not found:
        yield "there is none, or it was disposed of"
    for one in found:
        named = ", ".join(one.raw.named_by)
        yield from (f"{named}: {reason}" for reason in one.reasons)
