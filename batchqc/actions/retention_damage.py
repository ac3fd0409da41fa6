"""Whether what a disposal rests on is what the audit trail says: rules, holds, dates, files."""

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.retention import RETENTION
from batchqc.actions.stored_names import rows_naming
from batchqc.actions.witnessed import unlike, witnessed_by
from batchqc.records.audit import entries_about
from batchqc.records.base import Row
from batchqc.records.corrections import corrections_of
from batchqc.records.registers import lot_by
from batchqc.records.retention import LegalHold, LegalHoldRelease, retention_rules
from batchqc.records.uploads import AssayRun, Upload

_LOOKED_AT: Final = (
    "retention_rule:",
    "legal_hold:",
    "legal_hold_release:",
    "correction:",
    "correction_decision:",
    "lot:",
)


def retention_damage(session: Session, lots: Iterable[str], hashes: Iterable[str]) -> Iterator[str]:
    """What was changed, added or removed behind the audit trail, in words.

    Args:
        session: only read.
        lots: every lot that the objects concern, by their ids as registered.
        hashes: of the objects; which lots they concern is looked at too.
    """
    yield from _of_files(session, hashes)
    keys = [f"lot:{lot}" for lot in sorted(set(lots))]
    rows: dict[str, Row] = {one.key: one for one in _rows(session, keys)}
    witnessed = witnessed_by(entries_about(session, [RETENTION, *keys]))
    yield from unlike(rows.items(), witnessed)
    for key in sorted(witnessed.keys() - rows.keys()):
        if key.startswith(_LOOKED_AT):
            yield f"{key} is missing; an audit entry speaks of it"


def _of_files(session: Session, hashes: Iterable[str]) -> Iterator[str]:
    """Whether files were received as they are on record, with runs of the lots that they name."""
    found = {row.key: row for one in hashes for row in rows_naming(session, one)}
    uploads = {
        one.key: one
        for row in found.values()
        if (one := row if isinstance(row, Upload) else getattr(row, "upload", None))
    }
    query = select(AssayRun).where(AssayRun.upload_id.in_([one.id for one in uploads.values()]))
    runs = {one.key: one for one in session.scalars(query)}
    rows = found | uploads | runs
    witnessed = witnessed_by(entries_about(session, sorted(rows)))
    yield from unlike(rows.items(), witnessed)
    named = tuple(f"assay_run:{one.natural_key}/" for one in uploads.values())
    for key in sorted(witnessed.keys() - rows.keys()):
        if key.startswith(named):
            yield f"{key} is missing; an audit entry speaks of it"


def _rows(session: Session, keys: Iterable[str]) -> Iterator[Row]:
    yield from retention_rules(session)
    for key in keys:
        lot = lot_by(session, key.removeprefix("lot:"))
        if lot is None:
            continue
        yield lot
        for correction, decision in corrections_of(session, [key]):
            yield correction
            if decision is not None:
                yield decision
        holds = session.scalars(select(LegalHold).where(LegalHold.lot_id == lot.id)).all()
        yield from holds
        ids = [one.id for one in holds]
        yield from session.scalars(
            select(LegalHoldRelease).where(LegalHoldRelease.legal_hold_id.in_(ids))
        )
