"""Provenance, both ways: from a number to its cells, and from a cell to all that used it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from batchqc.actions.evaluation import study
from batchqc.actions.lots import the_lot
from batchqc.actions.sources import (
    Source,
    Use,
    certified_case,
    sources_of_criterion,
    sources_of_line,
)
from batchqc.actions.tracing import CellTrace, trace_cell
from batchqc.api.doors import SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.results import MeasurementOut, measurement_out
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import Whole
from batchqc.api.uploads import ProblemOut

router = Routes(PREFIX, tags=["provenance"], responses=PROBLEMS)


class SourceOut(MeasurementOut):
    """One measurement with its cell, and what it is to the verdict."""

    use: Use


class VerdictSourcesOut(BaseModel):
    """A verdict with every measurement of what it speaks about."""

    specification: str
    verdict: str = Field(description="Empty for a line that is for information only.")
    sentence: str
    sources: list[SourceOut]


class UsedOut(BaseModel):
    """A verdict that used the cell."""

    lot: str
    specification: str
    criterion: str
    verdict: str
    sentence: str
    decision: str = Field(description="The decision that recorded it; empty where it is current.")


class DecisionOut(BaseModel):
    """A signed decision that used the cell."""

    key: str
    disposition: str
    signature: str
    decided_at: datetime


class CertificateState(BaseModel):
    """A certificate that used the cell."""

    number: str
    status: str


class CellOut(BaseModel):
    """One cell of an upload and what became of it."""

    upload: str
    file: str
    sha256: str
    accepted: bool
    sheet: str
    row: int
    line: int
    column: str
    text: str
    not_used: str = Field(description="Why no verdict used it; empty where one did.")
    problems: list[ProblemOut] = Field(description="Of the whole file, as told when it came.")
    measurements: list[MeasurementOut]
    verdicts: list[UsedOut]
    decisions: list[DecisionOut]
    certificates: list[CertificateState]


@router.get("/lots/{lot}/criteria/{criterion}/sources", summary="From a verdict to its cells")
def criterion_sources(call: SignedIn, lot: str, criterion: str) -> list[VerdictSourcesOut]:
    """Every measurement behind a criterion of a lot, in each specification that has it."""
    with call.reading() as session:
        row = the_lot(session, lot)
        case = study(session, call.door.archive, lot=row, now=call.door.now())
        return [
            VerdictSourcesOut(
                specification=one.specification,
                verdict=one.verdict.outcome.value if one.verdict.outcome else "",
                sentence=one.verdict.sentence,
                sources=[_source(source) for source in one.sources],
            )
            for one in sources_of_criterion(case, criterion)
        ]


@router.get(
    "/certificates/{number}/lines/{criterion}/sources",
    summary="From a line of a certificate to its cells",
)
def line_sources(call: SignedIn, number: str, criterion: str) -> list[SourceOut]:
    """Every measurement behind a line, from the cells that were frozen with the certificate."""
    with call.reading() as session:
        archive = call.door.archive
        case = certified_case(session, archive, number=number)
        found = sources_of_line(session, archive, case=case, number=number, criterion=criterion)
        return [_source(one) for one in found]


@router.get("/uploads/{number}/cells/{row}/{column:path}", summary="What became of a cell")
def cell(
    call: SignedIn,
    number: str,
    row: Whole,
    column: Annotated[str, Path(description="Its name in the header.", examples=["value"])],
) -> CellOut:
    """The measurement, and every verdict, decision and certificate that used it; or why none."""
    with call.reading() as session:
        found = trace_cell(
            session,
            call.door.archive,
            number=number,
            place=(row, column),
            now=call.door.now(),
        )
        return _cell(found)


def _source(one: Source) -> SourceOut:
    return SourceOut(**measurement_out(one).model_dump(), use=one.use)


def _cell(found: CellTrace) -> CellOut:
    same: dict[str, Any] = {
        name: getattr(found, name)
        for name in (
            "upload", "file", "sha256", "accepted", "sheet", "row", "line", "column", "text",
            "not_used",
        )
    }  # fmt: skip
    return CellOut(
        **same,
        problems=[ProblemOut(**one) for one in found.problems],
        measurements=[measurement_out(one) for one in found.sources],
        verdicts=[
            UsedOut(
                lot=one.lot,
                specification=one.specification,
                criterion=one.criterion,
                verdict=one.verdict,
                sentence=one.sentence,
                decision=one.decision,
            )
            for one in found.verdicts
        ],
        decisions=[
            DecisionOut(
                key=one.key,
                disposition=one.disposition,
                signature=one.signature,
                decided_at=one.decided_at,
            )
            for one in found.decisions
        ],
        certificates=[
            CertificateState(number=number, status=state) for number, state in found.certificates
        ],
    )
