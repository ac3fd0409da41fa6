"""What a file is read against: the lots, samples and people that the laboratory has registered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial

from sqlalchemy.orm import Session

from batchqc.actions.registers_in_force import the_laboratory
from batchqc.actions.run_validity import approved_methods
from batchqc.actions.specifications import content_of
from batchqc.core.laboratory import Laboratory
from batchqc.core.lot_states import UNDECIDED, Disposition
from batchqc.core.lots import Sample
from batchqc.core.methods import Method
from batchqc.documents.archive import Archive
from batchqc.errors import Conflict
from batchqc.intake.register import Named, Register, RegisteredLot
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import (
    Correction,
    CorrectionDecision,
    corrected_lot,
    corrections_of,
    decided_by,
)
from batchqc.records.decisions import newest_dispositions
from batchqc.records.methods import method_approvals
from batchqc.records.people import all_people
from batchqc.records.registers import (
    LotRow,
    SampleRow,
    Site,
    lots_by,
    other_specifications_among,
    sample_facts,
    samples_by,
)
from batchqc.records.specifications import SpecificationVersion


def registered(
    session: Session,
    archive: Archive,
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
    return replace(
        register_of(session, archive, rows, now, as_registered=as_registered),
        samples=sample_facts(session, rows)[0],
        people={person.folded: person.user_id for person in all_people(session)},
        laboratory=Laboratory() if as_registered else the_laboratory(session, archive),
        analysed=() if as_registered else with_analysis(session, archive),
    )


def with_analysis(session: Session, archive: Archive) -> tuple[Method, ...]:
    """Every approved version of the methods of which one version has a potency analysis."""
    found = approved_methods(archive, method_approvals(session))
    codes = {one.id for one in found if one.analysis is not None}
    return tuple(one for one in found if one.id in codes)


def register_of(
    session: Session,
    archive: Archive,
    lots: Sequence[LotRow],
    now: datetime,
    *,
    as_registered: bool = False,
) -> Register:
    """As ``registered``, of lots at hand: without samples, people and the laboratory."""
    known = _Known(session, archive, lots, now, as_registered=as_registered)
    return Register(
        lots={row.folded: known.lot(row) for row in lots},
        samples={},
        people={},
        now=now,
    )


def lots_named(session: Session, named: Named) -> Sequence[LotRow]:
    """The lots that a file names, and those of the samples that it names, by folded id."""
    lots = {row.lot.folded for row in samples_by(session, named.samples)}
    return lots_by(session, named.lots | lots)


class _Known:
    """What is known of some lots, asked for once for all of them."""

    def __init__(
        self,
        session: Session,
        archive: Archive,
        rows: Sequence[LotRow],
        now: datetime,
        *,
        as_registered: bool,
    ) -> None:
        ids = [row.id for row in rows]
        self._session, self._now, self._as_registered = session, now, as_registered
        self._content = cache(partial(content_of, archive))
        self._zone = cache(lambda site: session.get_one(Site, site).time_zone)
        self._version = cache(partial(session.get_one, SpecificationVersion))
        self._decided = {} if as_registered else newest_dispositions(session, ids)
        self._beside = other_specifications_among(session, ids)
        self._corrections: dict[str, list[tuple[Correction, CorrectionDecision | None]]] = {}
        for correction, decision in corrections_of(session, (row.key for row in rows)):
            self._corrections.setdefault(correction.subject, []).append((correction, decision))

    def lot(self, row: LotRow) -> RegisteredLot:
        """A lot as intake knows it."""
        corrections = self._corrections.get(row.key, [])
        then = decided_by(corrections, self._now)
        if not self._as_registered and then != corrections:
            message = f"a correction of lot {row.lot} was decided while the file came in"
            raise Conflict("BQC-UPL-004", message, hint="Send it again.")
        beside = self._beside.get(row.id, [])
        plan, *others = (
            binding_of(self._session, row, then, beside).versions
            if then or beside
            else (self._version(row.specification_version_id),)
        )
        decided = self._decided.get(row.id, Disposition.QUARANTINE)
        return RegisteredLot(
            id=row.lot,
            manufactured_on=corrected_lot(row, then).manufactured_on if then else row.dates[0],
            time_zone=self._zone(row.site_id),
            specification=self._content(plan),
            decided="" if decided in UNDECIDED else decided,
            beside=tuple(map(self._content, others)),
        )


def core_sample(row: SampleRow) -> Sample:
    """A registered sample as core knows it."""
    return Sample(
        row.sample, row.lot.lot, row.stage, row.container, datetime.fromisoformat(row.taken_text)
    )
