"""What the results of a file make of its lots: the verdicts that they touch.

The same before and after a file is stored: the measurements of other uploads on record and those
of the file, judged under the versions that are bound to the lot.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.donors_today import study_donors
from batchqc.actions.run_validity import look_at_runs
from batchqc.actions.specifications import content_of
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.donors import Donor
from batchqc.core.identifiers import fold
from batchqc.core.investigations import Investigation
from batchqc.core.judging import judge
from batchqc.core.runs import RunValidity
from batchqc.core.specifications import Specification
from batchqc.core.superseding import is_named
from batchqc.core.touched import touched
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.intake.known_runs import known_name
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import corrections_of
from batchqc.records.investigations import folded, investigations_of
from batchqc.records.once import each_once
from batchqc.records.registers import LotRow, lots_by, other_specifications_among
from batchqc.records.uploads import measurements_of, runs_of


@dataclass(frozen=True, slots=True)
class Outlook:
    """One criterion of a lot that a file touches, and its verdict with the file."""

    lot: str
    stage: str
    specification: str
    verdict: Verdict


class _Judging(NamedTuple):
    """What a lot is judged by: measurements, donors, validity of its runs, investigations."""

    known: Sequence[Measurement]
    donors: tuple[Donor, ...]
    validity: Mapping[RunKey, RunValidity]
    investigations: Sequence[Investigation]


@each_once
def outlook(
    session: Session,
    archive: Archive,
    *,
    upload: str,
    measurements: Sequence[Measurement],
    superseding: bool,
) -> tuple[Outlook, ...]:
    """Every verdict that a file touches, by lot, in the order of the specifications.

    Args:
        session: the database.
        archive: where the specifications are.
        upload: the number that the file has; what is on record of it is not counted twice.
        measurements: what the file says, typed results with how their second entry stands; empty
            where it has an error.
        superseding: whether its runs supersede those on record.
    """
    lots = sorted(
        lots_by(session, {fold(one.lot) for one in measurements}), key=lambda row: row.folded
    )
    ids = [lot.id for lot in lots]
    donors, taken = study_donors(session, ids), investigations_of(session, ids)
    corrections = corrections_of(session, [lot.key for lot in lots])
    beside = other_specifications_among(session, ids)
    found: list[Outlook] = []
    for lot in lots:
        own = [one for one in measurements if one.lot == lot.lot]
        others = [run for run in runs_of(session, lot) if run.upload.natural_key != upload]
        names = {known_name(one) for one in own if is_named(one.run.test, one.run.run)}
        known = [
            replace(one, superseded_by=one.superseded_by or upload)
            if superseding and known_name(one) in names
            else one
            for one in measurements_of(session, others)
        ]
        looked = look_at_runs(
            session,
            archive,
            runs=others,
            measurements=[*known, *measurements],
            zone=ZoneInfo(lot.site.time_zone),
        )
        known += own
        investigations = [folded(row, steps) for row, steps in taken if row.lot_id == lot.id]
        judging = _Judging(known, donors[lot.id], looked.validity, investigations)
        binding = binding_of(session, lot, corrections, beside=beside.get(lot.id, []))
        for version in binding.versions:
            found += _touched(content_of(archive, version), lot, own, judging)
    return tuple(found)


def _touched(
    specification: Specification,
    lot: LotRow,
    own: Sequence[Measurement],
    by: _Judging,
) -> Iterator[Outlook]:
    names = touched(specification, own)
    if not names:
        return
    for verdict in judge(
        specification,
        by.known,
        by.donors,
        validity=by.validity,
        investigations=by.investigations,
    ):
        if verdict.criterion.id in names:
            yield Outlook(lot.lot, specification.stage, specification.reference, verdict)
