"""What a file is read against: the lots, samples and people that the laboratory has registered."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from batchqc.actions.registers_in_force import the_laboratory
from batchqc.actions.specifications import content_of
from batchqc.core.laboratory import Laboratory
from batchqc.core.lots import Sample
from batchqc.documents.archive import FolderArchive
from batchqc.errors import Conflict
from batchqc.intake.register import Named, Register, RegisteredLot
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import corrected_lot, corrections_of, decided_by
from batchqc.records.decisions import dispositions_of
from batchqc.records.people import all_people
from batchqc.records.registers import LotRow, SampleRow, lots_by, samples_by, samples_of


def registered(
    session: Session,
    archive: FolderArchive,
    named: Named,
    now: datetime,
    *,
    as_registered: bool = False,
) -> Register:
    """What the laboratory had registered about the lots of a file at a moment.

    ``as_registered`` is before any disposition, and without the registers of the laboratory: they
    were asked when the file came in.

    Raises:
        Conflict: somebody decided a correction after the moment, which is now.
    """
    rows = lots_named(session, named)
    return Register(
        lots={
            row.folded: _registered(session, archive, row, now, as_registered=as_registered)
            for row in rows
        },
        samples={row.folded: core_sample(row) for row in samples_of(session, rows)},
        people={person.folded: person.user_id for person in all_people(session)},
        now=now,
        laboratory=Laboratory() if as_registered else the_laboratory(session, archive),
    )


def lots_named(session: Session, named: Named) -> Sequence[LotRow]:
    """The lots that a file names, and those of the samples that it names, by folded id."""
    lots = {row.lot.folded for row in samples_by(session, named.samples)}
    return lots_by(session, named.lots | lots)


def _registered(
    session: Session, archive: FolderArchive, row: LotRow, now: datetime, *, as_registered: bool
) -> RegisteredLot:
    decided = () if as_registered else dispositions_of(session, row)
    corrections = corrections_of(session, [row.key])
    then = decided_by(corrections, now)
    if not as_registered and then != list(corrections):
        message = f"a correction of lot {row.lot} was decided while the file came in"
        raise Conflict("BQC-UPL-004", message, hint="Send it again.")
    plan, *beside = binding_of(session, row, then).versions
    return RegisteredLot(
        id=row.lot,
        manufactured_on=corrected_lot(row, then).manufactured_on,
        time_zone=row.site.time_zone,
        specification=content_of(archive, plan),
        closed_because=f"it is {decided[-1].disposition}" if decided else "",
        beside=tuple(content_of(archive, version) for version in beside),
    )


def core_sample(row: SampleRow) -> Sample:
    """A registered sample as core knows it."""
    return Sample(
        row.sample, row.lot.lot, row.stage, row.container, datetime.fromisoformat(row.taken_text)
    )
