"""What a file was seen to say, in a preview and after a commit alike."""

from datetime import datetime

from pydantic import BaseModel, Field

from batchqc.actions.outlook import Outlook
from batchqc.core.assays import Measurement
from batchqc.core.verdicts import Outcome
from batchqc.intake.contract import Reading


class DialectOut(BaseModel):
    """How a file is written."""

    encoding: str = Field(examples=["UTF-8"])
    delimiter: str = Field(examples=[","], description="Empty for an XML document.")
    line_end: str = Field(examples=["CRLF"], description="CRLF, LF, CR, mixed, or none.")
    has_sep_line: bool


class ParsedOut(BaseModel):
    """One value as it was read, with its place in the file."""

    row: int
    line: int
    column: str
    lot: str
    sample: str
    stage: str
    aliquot: str
    test: str
    analyte: str
    replicate: int
    value: str = Field(examples=["96.90"], description="As typed.")
    unit: str
    started_at: datetime | None
    measured_at: datetime
    analyst: str
    instrument: str
    run: str
    method: str
    method_version: str
    result_type: str
    comment: str


class OutlookOut(BaseModel):
    """A reportable result and its verdict, as they are with the file."""

    lot: str
    stage: str
    specification: str = Field(examples=["UC-MSC-REL v1"])
    criterion: str
    title: str
    result: str = Field(description="As reported; empty where there is none.")
    verdict: Outcome | None = Field(description="Null for a line that is for information only.")
    sentence: str


class SeenOut(BaseModel):
    """What was seen of a file beside its problems."""

    contract: str
    dialect: DialectOut | None = Field(description="Null where the file holds no table.")
    parsed: list[ParsedOut] = Field(description="Every row that can be read, in a refused file too")
    verdicts: list[OutlookOut] = Field(
        description="What the lots' results and verdicts are with the file, where it is accepted."
    )


def seen(reading: Reading, outlook: tuple[Outlook, ...]) -> SeenOut:
    """Dialect, values and verdicts of a file."""
    dialect = reading.dialect
    return SeenOut(
        contract=reading.contract,
        dialect=None
        if dialect is None
        else DialectOut(
            encoding=dialect.encoding,
            delimiter=dialect.delimiter,
            line_end=dialect.line_end,
            has_sep_line=dialect.has_sep_line,
        ),
        parsed=[_parsed(one) for one in reading.parsed],
        verdicts=[_verdict(one) for one in outlook],
    )


def _parsed(one: Measurement) -> ParsedOut:
    return ParsedOut(
        row=one.cell.row,
        line=one.cell.line,
        column=one.cell.column,
        lot=one.lot,
        sample=one.sample,
        stage=one.stage,
        aliquot=one.aliquot,
        test=one.run.test,
        analyte=one.analyte,
        replicate=one.replicate,
        value=one.text,
        unit=one.unit,
        started_at=one.started_at,
        measured_at=one.measured_at,
        analyst=one.analyst,
        instrument=one.instrument,
        run=one.run.run,
        method=one.method,
        method_version=one.version,
        result_type=one.result_type,
        comment=one.comment,
    )


def _verdict(one: Outlook) -> OutlookOut:
    return OutlookOut(
        lot=one.lot,
        stage=one.stage,
        specification=one.specification,
        criterion=one.verdict.criterion.id,
        title=one.verdict.criterion.title,
        result=one.verdict.derivation.result,
        verdict=one.verdict.outcome,
        sentence=one.verdict.sentence,
    )
