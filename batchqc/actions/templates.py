"""Templates: a CSV of the long contract, filled with the open samples and tests.

What is downloaded, filled and uploaded again is accepted as it is. What is asked for together
narrows: the open tests of these lots, of that day, for this run.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.registered import core_sample
from batchqc.actions.specifications import content_of
from batchqc.core.identifiers import code_problem, fold
from batchqc.core.lots import Sample
from batchqc.core.open_tests import OpenReplicate, open_replicates
from batchqc.documents.archive import Archive
from batchqc.documents.csv_file import csv_bytes
from batchqc.errors import InvalidInput, NotFound
from batchqc.intake.template import template_rows
from batchqc.intake.values import says_nothing
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import corrections_of
from batchqc.records.open_lots import lots_sampled_near, undecided_lots
from batchqc.records.registers import LotRow, lots_by, samples_of
from batchqc.records.typed_lines import results_of_use


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a template is for: lots by id, the site-local day of sampling, a run of a test."""

    lots: tuple[str, ...] = ()
    day: date | None = None
    run: str = ""
    test: str = ""


def template_csv(session: Session, archive: Archive, *, wanted: Wanted) -> bytes:
    """The file with a row for each open replicate.

    Raises:
        InvalidInput: it is not said what for, or the run cannot have that id.
        NotFound: a lot is not registered, or nothing is open; with every reason.
    """
    if problems := list(_problems(wanted)):
        raise InvalidInput(
            "BQC-TPL-001",
            "the template cannot be made",
            reasons=problems,
            hint="Name lots, a day, or a run with its test.",
        )
    lots = _lots(session, wanted)
    reported = results_of_use(session, lots)
    found = [one for lot in lots for one in _open(session, archive, lot, wanted, reported)]
    if not found:
        raise NotFound(
            "BQC-TPL-002",
            "nothing is open: no row would be in the template",
            reasons=list(_without_samples(session, lots if wanted.lots else ())),
            hint="See `batchqc lot readiness`; a retest is entered with a run id of its own.",
        )
    return csv_bytes(template_rows(found, run=wanted.run))


def _problems(wanted: Wanted) -> Iterator[str]:
    if not (wanted.lots or wanted.day or wanted.run):
        yield "neither a lot nor a day nor a run is named"
    if wanted.run and not wanted.test:
        yield f"the test of run {wanted.run} is not named"
    if wanted.run and (code_problem(wanted.run) or says_nothing(wanted.run)):
        yield f'"{wanted.run}" is not a run id: 1 to 40 of A-Z a-z 0-9 . _ + / -'


def _lots(session: Session, wanted: Wanted) -> Sequence[LotRow]:
    """The lots that are named, whatever became of them; else those that are not decided."""
    if not wanted.lots:
        lots = undecided_lots(session)
        if wanted.day is not None:
            near = lots_sampled_near(session, wanted.day)
            lots = [lot for lot in lots if lot.id in near]
        return lots
    rows = {row.folded: row for row in lots_by(session, {fold(lot) for lot in wanted.lots})}
    unknown = [f"there is no lot {lot}" for lot in wanted.lots if fold(lot) not in rows]
    if unknown:
        raise NotFound("BQC-REG-012", unknown[0], reasons=unknown[1:])
    return [rows[folded] for folded in dict.fromkeys(fold(lot) for lot in wanted.lots)]


def _without_samples(session: Session, lots: Iterable[LotRow]) -> Iterator[str]:
    for lot in lots:
        if not samples_of(session, [lot]):
            yield f"no sample of lot {lot.lot} is registered"


def _open(
    session: Session,
    archive: Archive,
    lot: LotRow,
    wanted: Wanted,
    reported: frozenset[tuple[str, str, str]],
) -> Iterator[OpenReplicate]:
    samples = list(_samples(session, lot, wanted.day))
    versions = binding_of(session, lot, corrections_of(session, [lot.key])).versions
    plans = [content_of(archive, version) for version in versions]
    return open_replicates(plans, samples, reported, test=wanted.test)


def _samples(session: Session, lot: LotRow, day: date | None) -> Iterable[Sample]:
    zone = ZoneInfo(lot.site.time_zone)
    for row in samples_of(session, [lot]):
        sample = core_sample(row)
        if day is None or sample.taken_at.astimezone(zone).date() == day:
            yield sample
