"""What OOS investigations and deviations say of a lot, and the rows that say so."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from sqlalchemy.orm import Session

from batchqc.core.deviations import Deviation, State, deviations_against
from batchqc.core.failures import Failure
from batchqc.core.gates import Against
from batchqc.core.investigations import Investigation, Step, investigations_against
from batchqc.documents.archive import Archive
from batchqc.errors import IntegrityFailure, InvalidInput
from batchqc.records.base import Row
from batchqc.records.deviations import deviation_rows, deviations_of
from batchqc.records.investigations import (
    InvestigationStep,
    Taken,
    folded,
)
from batchqc.records.registers import LotRow

#: What is said of a lot, the rows that say so, and what is wrong with them beside the audit trail.
Said = tuple[Against, tuple[Row, ...], tuple[str, ...]]


def look_at_investigations(
    archive: Archive, taken: Sequence[Taken], failing: Iterable[Failure], today: date
) -> Said:
    """Whether every failure of a lot is investigated, and every investigation concluded."""
    now = [folded(row, steps) for row, steps in taken]
    steps = [step for _, own in taken for step in own]
    rows: list[Row] = [row for row, _ in taken]
    rows += steps
    rows += [step.signature for step in steps if step.signature is not None]
    return (
        investigations_against(now, _missing(failing, now), today),
        tuple(rows),
        tuple(said for step in steps for said in _damage(archive, step)),
    )


def look_at_deviations(session: Session, lot: LotRow) -> Said:
    """Which deviations bear on a lot, as the newest row of each says."""
    bearing = deviations_of(session, lot)
    rows = deviation_rows(session, {one.deviation.folded for one in bearing}) if bearing else ()
    newest = {row.folded: row for row in rows}
    found = [
        Deviation(row.deviation, row.title, State(row.state), bool(row.blocking))
        for row in newest.values()
    ]
    damaged = tuple(
        f"the signature of {row.key} is of other content"
        for row in rows
        if row.signature.record_sha256 != row.signed_sha256
        or row.signature.sha256 != row.signature.signing.sha256
    )
    against = deviations_against(found)
    evidence = tuple(row.key for row in newest.values())
    return (
        Against(against.stops, against.remarks, evidence),
        (*bearing, *rows, *(row.signature for row in rows)),
        damaged,
    )


def _missing(failing: Iterable[Failure], known: Sequence[Investigation]) -> Iterator[str]:
    for one in failing:
        if not one.is_covered(known):
            yield one.sentence


def _damage(archive: Archive, step: InvestigationStep) -> Iterator[str]:
    """A step that its signature does not bind, and a document whose bytes are not there."""
    signature = step.signature
    if signature is not None:
        bound = (signature.record_sha256, signature.sha256)
        if bound != (step.signed_sha256, signature.signing.sha256):
            yield f"the signature of {step.key} is of other content"
    if step.kind == Step.DOCUMENT:
        try:
            archive.get(str(step.said.get("sha256")))
        except (IntegrityFailure, InvalidInput) as failure:
            yield f"{step.key} cannot be read: {failure.message}"
