"""What stands for and against a lot: its gates, its verdicts, and the cell of every value."""

from datetime import datetime
from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, Field

from batchqc.actions.after_decision import came_after
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lots import the_lot
from batchqc.actions.sources import Files, Source
from batchqc.actions.specifications import content_of, the_version
from batchqc.actions.states import state_of_lot
from batchqc.api.doors import Call, SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import id_and_version
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.entries import SecondEntry
from batchqc.core.lot_states import Disposition, Overlay, Progress
from batchqc.core.verdicts import Outcome, Trend, Verdict
from batchqc.errors import InvalidInput

router = Routes(PREFIX, tags=["lots"], responses=PROBLEMS)


class GateOut(BaseModel):
    """One condition of release."""

    name: str
    is_open: bool
    reasons: list[str] = Field(description="Every reason why it is closed.")
    todo: str = Field(description="What to do about it; empty where it is open.")
    remarks: list[str] = Field(description="What is to be known and closes nothing.")
    evidence: list[str] = Field(description="Keys of the records that say so; see `/audit`.")


class Readiness(BaseModel):
    """Every gate between a lot and its release."""

    lot: str
    disposition: Disposition
    progress: Progress
    overlays: list[Overlay] = Field(description="On hold, expired: over both.")
    is_ready: bool
    gates: list[GateOut]


class MeasurementOut(BaseModel):
    """One replicate with the cell that it was read from."""

    upload: str
    file: str
    sha256: str = Field(description="Of the file.")
    sheet: str = Field(description="Of a workbook; empty for a CSV.")
    row: int = Field(description="As a spreadsheet counts: the header is row 1.")
    line: int = Field(description="Physical line of the file.")
    column: str
    text: str = Field(description="What the cell says.")
    unit: str
    sample: str
    aliquot: str
    stage: str
    test: str
    analyte: str
    run: str
    replicate: int
    measured_at: datetime
    started_at: datetime | None
    analyst: str
    instrument: str = Field(description="As the file says; not in register.")
    method: str
    method_version: str = Field(description="As the file says; not in register.")
    result_type: str
    comment: str
    superseded_by: str = Field(description="The upload with the next version of its run, or empty.")
    reviews: list[str] = Field(description="Signatures under the reviews of its run, and of whom.")
    second_entry: SecondEntry = Field(
        description="Of a typed result: whether a second person typed the same; else empty."
    )


class DerivationOut(BaseModel):
    """How a verdict came about, step by step."""

    acceptance: str
    rounding: str
    passing: str = Field(description="The exact set of values that pass.")
    replicates: list[str]
    aggregate: str
    result: str = Field(description="As reported; empty where there is none.")
    rounded: str | None = Field(description="What was compared, where a rule rounds.")
    set_aside: list[str] = Field(description="Invalid runs in whose place a valid one counts.")


class VerdictOut(BaseModel):
    """The verdict of one criterion."""

    criterion: str
    title: str
    verdict: Outcome | None = Field(description="Null for a line that is for information only.")
    sentence: str
    blocks: bool
    trend: Trend = Field(description="The alert or action limit that a passing result is beyond.")
    counted_in: str = Field(description="The group in which alone the verdict counts.")
    derivation: DerivationOut
    measurements: list[MeasurementOut]
    controls: list[MeasurementOut] = Field(description="Control rows that it was compared with.")


class Results(BaseModel):
    """Every verdict of a lot, and what is on record that no criterion uses."""

    lot: str
    specification: str
    decides: bool = Field(description="Whether this specification decides over the lot.")
    verdicts: list[VerdictOut]
    not_used: list[MeasurementOut]
    after_decision: list[str] = Field(
        description="Runs that came in after the newest decision: its certificate has none of them."
    )


Under = Annotated[
    str,
    Query(
        description="Judge by this version instead, to see; the bound one decides.",
        examples=["UC-MSC-REL/2"],
    ),
]


@router.get(
    "/lots/{lot}/readiness",
    response_model=Readiness,
    responses=TAGGED,
    summary="May this lot be released, and if not, why not?",
)
def readiness(call: SignedIn, lot: str) -> Response:
    """Every gate, open or closed, with every reason and what to do."""
    with call.reading() as session:
        row = the_lot(session, lot)
        case = study(session, call.door.archive, lot=row, now=call.door.now())
        return tagged(call.if_none_match, session, state_of_lot(session, case), _readiness(case))


def _readiness(case: LotCase) -> Readiness:
    return Readiness(
        lot=case.lot.id,
        disposition=case.disposition,
        progress=case.progress,
        overlays=list(case.overlays),
        is_ready=case.is_ready,
        gates=[
            GateOut(
                name=gate.name,
                is_open=gate.is_open,
                reasons=list(gate.reasons),
                todo="" if gate.is_open else gate.todo,
                remarks=list(gate.remarks),
                evidence=list(gate.evidence),
            )
            for gate in case.gates
        ],
    )


@router.get("/lots/{lot}/results", summary="Results and verdicts, down to the cell")
def results(call: SignedIn, lot: str, under: Under = "") -> Results:
    """Each criterion with verdict and derivation; each value with file, row, column and text."""
    case, files = _case(call, lot)
    after = came_after(call.door.archive, case)
    reference, verdicts = case.version.reference, case.verdicts
    decides = True
    if under:
        named = id_and_version(under)
        if named is None:
            raise InvalidInput("BQC-API-009", f'"{under}" is no id and version, as UC-MSC-REL/1')
        with call.reading() as session:
            other = content_of(call.door.archive, the_version(session, *named))
        decides, reference = other.reference == reference, other.reference
        verdicts = case.known.judged_by(other)
    used = {id(one) for verdict in verdicts for one in (*verdict.measurements, *verdict.controls)}
    return Results(
        lot=case.lot.id,
        specification=reference,
        decides=decides,
        verdicts=[_verdict(verdict, files) for verdict in verdicts],
        not_used=[
            measurement_out(files.source(one)) for one in case.measurements if id(one) not in used
        ],
        after_decision=[str(run.run_key) for run in case.runs if run.run_key in after],
    )


def _case(call: Call, lot: str) -> tuple[LotCase, Files]:
    with call.reading() as session:
        row = the_lot(session, lot)
        case = study(session, call.door.archive, lot=row, now=call.door.now())
        return case, Files(case)


def _verdict(verdict: Verdict, files: Files) -> VerdictOut:
    derivation = verdict.derivation
    return VerdictOut(
        criterion=verdict.criterion.id,
        title=verdict.criterion.title,
        verdict=verdict.outcome,
        sentence=verdict.sentence,
        blocks=verdict.blocks,
        trend=verdict.trend,
        counted_in=verdict.counted_in,
        derivation=DerivationOut(
            acceptance=derivation.acceptance,
            rounding=derivation.rounding,
            passing=derivation.passing,
            replicates=list(derivation.replicates),
            aggregate=derivation.aggregate,
            result=derivation.result,
            rounded=derivation.rounded,
            set_aside=list(derivation.set_aside),
        ),
        measurements=[measurement_out(files.source(one)) for one in verdict.measurements],
        controls=[measurement_out(files.source(one)) for one in verdict.controls],
    )


def measurement_out(source: Source) -> MeasurementOut:
    """A measurement with its cell, as it is answered; what waits for its second entry is hidden."""
    one = source.measurement.shown  # who typed it sees it among the entries
    return MeasurementOut(
        upload=one.run.upload,
        file=source.file,
        sha256=source.sha256,
        sheet=source.sheet,
        row=one.cell.row,
        line=one.cell.line,
        column=one.cell.column,
        text=one.text,
        unit=one.unit,
        sample=one.sample,
        aliquot=one.aliquot,
        stage=one.stage,
        test=one.run.test,
        analyte=one.analyte,
        run=one.run.run,
        replicate=one.replicate,
        measured_at=one.measured_at,
        started_at=one.started_at,
        analyst=one.analyst,
        instrument=one.instrument,
        method=one.method,
        method_version=one.version,
        result_type=one.result_type,
        comment=one.comment,
        superseded_by=one.superseded_by,
        reviews=list(source.reviews),
        second_entry=one.second,
    )
