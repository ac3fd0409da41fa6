"""From any number back to its cells: of a criterion of a lot, or of a line of a certificate.

A cell is named by upload, file, SHA-256, sheet, row, line, column and its text; a CSV has no sheet.
With it stand who measured it, by what, and the signatures of those who reviewed its run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.evaluation import LotCase, study
from batchqc.core.assays import REPORTABLE, Measurement
from batchqc.core.specifications import Specification, closure
from batchqc.core.subjects import Measured
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.errors import IntegrityFailure, NotFound

if TYPE_CHECKING:
    from batchqc.records.uploads import AssayRun


class Use(StrEnum):
    """What a measurement is to a verdict."""

    RESULT = "result"
    CONTROL = "control"
    NOT_USED = "not used"


@dataclass(frozen=True, slots=True)
class Source:
    """One measurement with the cell that it was read from, and who reviewed its run."""

    measurement: Measurement
    file: str
    sha256: str
    reviews: tuple[str, ...]
    use: Use = Use.RESULT
    sheet: str = ""

    @property
    def cell(self) -> tuple[str, int, str]:
        """Upload, row and column: one cell, and never another."""
        return cell_of(self.measurement)


@dataclass(frozen=True, slots=True)
class VerdictSources:
    """A verdict with every measurement of what it speaks about, used or not."""

    specification: str
    verdict: Verdict
    sources: tuple[Source, ...]


class Files:
    """The files and reviews behind the runs of a lot."""

    def __init__(self, case: LotCase) -> None:
        """Read what the measurements of ``case`` came with."""
        self._runs: dict[object, AssayRun] = {run.run_key: run for run in case.runs}
        self._reviews: dict[int, list[str]] = {}
        for review in case.reviews:
            signed = f"{review.signature.natural_key} ({review.signature.person.user_id})"
            self._reviews.setdefault(review.assay_run_id, []).append(signed)

    def source(self, one: Measurement, use: Use = Use.RESULT) -> Source:
        """A measurement with its file and the reviews of its run."""
        run = self._runs[one.run]
        reviews = tuple(self._reviews.get(run.id, ()))
        return Source(one.shown, run.upload.file, run.upload.sha256, reviews, use)


def cell_of(one: Measurement) -> tuple[str, int, str]:
    """Upload, row and column of a measurement."""
    return (one.run.upload, one.cell.row, one.cell.column)


def judged_by(case: LotCase) -> Iterator[tuple[Specification, tuple[Verdict, ...]]]:
    """Each specification that judges a lot, the deciding one first, with its verdicts."""
    if case.specification is not None:
        yield case.specification, case.verdicts
    for one in case.beside:
        yield one.specification, one.verdicts


def sources_of_criterion(case: LotCase, criterion: str) -> list[VerdictSources]:
    """Every measurement behind a criterion of a lot, in each specification that has it.

    Raises:
        NotFound: no specification that judges the lot has it.
    """
    files = Files(case)
    found = [
        VerdictSources(
            specification.reference,
            verdict,
            tuple(_sources(files, case, specification, verdicts, verdict)),
        )
        for specification, verdicts in judged_by(case)
        for verdict in verdicts
        if verdict.criterion.id == criterion
    ]
    if not found:
        raise NotFound("BQC-TRC-001", f"no criterion {criterion} judges lot {case.lot.id}")
    return found


def sources_of_line(
    session: Session, archive: Archive, *, case: LotCase, number: str, criterion: str
) -> list[Source]:
    """Every measurement behind a line of a certificate, from the cells that were frozen with it.

    Raises:
        NotFound: the certificate has no such line.
        IntegrityFailure: a cell that it names is not on record as it was frozen.
    """
    content = content_of_certificate(archive, the_certificate(session, number))
    lines = {line["criterion"]: line for line in content["lines"]}
    if criterion not in lines:
        raise NotFound("BQC-TRC-002", f"certificate {number} has no line {criterion}")
    names = {criterion}
    for specification, verdicts in judged_by(case):
        own = (one for one in verdicts if one.criterion.id == criterion)
        names |= {name for one in own for name in bearing(specification, one)}
    known = {(*cell_of(one), one.text): one for one in case.measurements}
    files, found = Files(case), []
    for line in content["lines"]:
        for cell in line["provenance"] if line["criterion"] in names else ():
            one = known.get((cell["upload"], cell["row"], cell["column"], cell["text"]))
            if one is None:
                where = f"{cell['upload']}, row {cell['row']}, {cell['column']}"
                raise IntegrityFailure(
                    "BQC-TRC-003", f"{where} is not on record as certificate {number} says"
                )
            use = Use.RESULT if one.result_type == REPORTABLE else Use.CONTROL
            found.append(files.source(one, use))
    return found


def certified_case(session: Session, archive: Archive, *, number: str) -> LotCase:
    """The lot of a certificate as it was when the certificate's content was frozen."""
    certificate = the_certificate(session, number)
    return study(session, archive, lot=certificate.lot, now=certificate.reserved_at)


def bearing(specification: Specification, verdict: Verdict) -> set[str]:
    """The ids of a verdict's criterion and of all that it is computed from."""
    return {one.id for one in closure(specification, verdict.criterion)}


def uses(verdicts: Iterable[Verdict], criteria: set[str]) -> dict[tuple[str, int, str], Use]:
    """What each cell is to the verdicts of some criteria."""
    own = [one for one in verdicts if one.criterion.id in criteria]
    controls = {cell_of(one): Use.CONTROL for verdict in own for one in verdict.controls}
    return controls | {cell_of(one): Use.RESULT for verdict in own for one in verdict.measurements}


def _sources(
    files: Files,
    case: LotCase,
    specification: Specification,
    verdicts: Iterable[Verdict],
    verdict: Verdict,
) -> Iterator[Source]:
    """What was measured for a criterion, run by run, in the order of their rows."""
    criteria = bearing(specification, verdict)
    used = uses(verdicts, criteria)
    pairs = {
        (one.subject.test, one.subject.analyte)
        for one in specification.criteria
        if one.id in criteria and isinstance(one.subject, Measured)
    }
    for one in case.measurements:
        if one.stage == specification.stage and (one.run.test, one.analyte) in pairs:
            yield files.source(one, used.get(cell_of(one), Use.NOT_USED))
