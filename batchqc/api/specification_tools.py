"""What an author and an approver look at: findings, boundaries and differences. All of it reads."""

import json
from datetime import date
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.impact import assess_impact, keep_impact
from batchqc.actions.specifications import content_of, the_version
from batchqc.api.bodies import RAW_TOML, Received
from batchqc.api.doors import Call, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day
from batchqc.api.shapes import LARGEST
from batchqc.core.boundaries import boundaries
from batchqc.core.differences import Direction, differences
from batchqc.core.permissions import Permission
from batchqc.core.verdicts import Outcome
from batchqc.documents.spec_lint import lint_specification
from batchqc.documents.spec_templates import draft_from, templates
from batchqc.documents.spec_templates import template as the_template
from batchqc.errors import InvalidInput, NotFound
from batchqc.records.specifications import ImpactReport, reports_of
from batchqc.settings import bundled

router = Routes(PREFIX, tags=["specifications"], responses=PROBLEMS)

Version = Annotated[int, Path(ge=1, le=LARGEST)]


class FindingOut(BaseModel):
    """One doubtful thing in a file."""

    line: int
    criterion: str
    key: str
    code: str = Field(examples=["dead-band"])
    why: str
    suggestion: str
    acknowledged: str = Field(description="The author's reason; empty where there is none.")


class Linted(BaseModel):
    """Everything wrong with a file, and everything doubtful."""

    is_clean: bool
    problems: list[str] = Field(description="Each with file, line, key and what was expected.")
    findings: list[FindingOut]


class TurnOut(BaseModel):
    """One end of what passes, at the resolution of the method."""

    end: str = Field(examples=["from below"])
    last_failing: str
    first_passing: str


class BoundaryOut(BaseModel):
    """What passes one criterion, and where it turns."""

    criterion: str
    acceptance: str
    rounding: str
    passing: str = Field(examples=["90.5 and up, in %"])
    resolution: str
    is_resolution_stated: bool = Field(description="Else it is the last digit of the limit.")
    turns: list[TurnOut]


class ChangeOut(BaseModel):
    """One change from a version to another."""

    criterion: str = Field(description="Empty for the specification as a whole.")
    words: str = Field(examples=["Viability: > 80 % became > 90 %"])
    direction: Direction


class FlipOut(BaseModel):
    """A lot of which a verdict would change."""

    lot: str
    manufactured_on: date
    disposition: str
    judged_by: str
    donors: list[str]
    before: Outcome
    after: Outcome
    criteria: list[list[str]] = Field(
        description="Criterion, results, verdict, and what it would be."
    )


class ImpactOut(BaseModel):
    """What a version would do to every past lot."""

    report: str = Field(examples=["UC-MSC-REL/2/1"])
    sha256: str = Field(description="Of the report's data; the approver names it.")
    runs: int = Field(description="Assay runs on record when it was made.")
    made_by: str
    lots: int
    results: int
    flips: int
    changed: list[FlipOut]


class TemplateOut(BaseModel):
    """A shipped specification to begin from."""

    name: str = Field(examples=["wj-msc-release"])
    title: str
    sources: list[str]


@router.get("/specification-templates", summary="Shipped, sourced starting points")
def shipped(call: SignedIn) -> list[TemplateOut]:
    """Every template, by name."""
    with call.reading():
        found = templates(bundled("specs"))
    return [TemplateOut(name=x.name, title=x.title, sources=list(x.sources)) for x in found]


@router.get(
    "/specification-templates/{template}",
    summary="A draft of your own from a template",
    response_class=Response,
    responses={200: {"content": {"application/toml": {}}}},
)
def draft(
    call: SignedIn,
    template: str,
    id: Annotated[str, Query(examples=["MY-REL"])],  # noqa: A002 - the word of the file
    product: Annotated[str, Query(examples=["MY-MSC"])],
    effective: Annotated[Day, Query(examples=["2026-12-01"])],
) -> Response:
    """The file to edit, then to lint and to import."""
    with call.reading():
        chosen = the_template(bundled("specs"), template)
        data = draft_from(chosen, name=id, product=product, effective=effective)
    return Response(data, media_type="application/toml")


@router.post(
    "/specifications/lint", summary="Say what is wrong or doubtful", openapi_extra=RAW_TOML
)
def lint(call: SignedIn, file: Received) -> Linted:
    """Read a specification file; nothing is stored."""
    if file.data is None:
        raise InvalidInput("BQC-API-006", f"a specification of {file.size:,} bytes")
    with call.reading():  # who holds no role reads nothing
        found = lint_specification(file.data, file=file.name)
    return Linted(
        is_clean=found.is_clean,
        problems=[str(one) for one in found.problems],
        findings=[
            FindingOut(
                line=one.line,
                criterion=one.finding.criterion,
                key=one.finding.key,
                code=one.finding.code,
                why=one.finding.why,
                suggestion=one.finding.suggestion,
                acknowledged=one.finding.acknowledged,
            )
            for one in found.findings
        ],
    )


@router.get(
    "/specifications/{specification}/{version}/boundary", summary="What passes, and where it turns"
)
def boundary(call: SignedIn, specification: str, version: Version) -> list[BoundaryOut]:
    """The exact passing set of each criterion, the last failing and the first passing value."""
    with call.reading() as session:
        content = content_of(call.door.archive, the_version(session, specification, version))
    return [
        BoundaryOut(
            criterion=one.criterion,
            acceptance=one.acceptance,
            rounding=one.rounding,
            passing=one.passing,
            resolution=one.resolution,
            is_resolution_stated=one.is_resolution_stated,
            turns=[
                TurnOut(
                    end=turn.end, last_failing=turn.last_failing, first_passing=turn.first_passing
                )
                for turn in one.turns
            ],
        )
        for one in boundaries(content)
    ]


@router.get(
    "/specifications/{specification}/{version}/differences", summary="What changed since a version"
)
def changes(
    call: SignedIn,
    specification: str,
    version: Version,
    since: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="By default the version before.")
    ] = None,
) -> list[ChangeOut]:
    """Every change in words, and whether it is stricter or looser."""
    with call.reading() as session:
        before, after = (
            content_of(call.door.archive, the_version(session, specification, number))
            for number in (since or version - 1, version)
        )
    return [
        ChangeOut(criterion=one.criterion, words=one.words, direction=one.direction)
        for one in differences(before, after)
    ]


@router.post(
    "/specifications/{specification}/{version}/impact",
    status_code=201,
    response_model=ImpactOut,
    summary="Say what a version would do to every past lot",
)
def assess(call: Writing, specification: str, version: Version) -> Response:
    """Judge all history by the version as well, and keep the report. No verdict is changed."""
    with call.reading() as session:
        draft = content_of(call.door.archive, the_version(session, specification, version))
        found = assess_impact(session, call.door.archive, draft=draft)
    with call.writing(Permission.REPORT_IMPACT) as work:
        if work.is_new:
            archive, fonts = call.door.archive, bundled("reports") / "fonts"
            report = keep_impact(work.tx, archive, fonts=fonts, impact=found)
            work.answer(201, _impact(call, report))
    return work.response()


@router.get("/specifications/{specification}/{version}/impact", summary="The newest impact report")
def impact(call: SignedIn, specification: str, version: Version) -> ImpactOut:
    """Every lot of which a verdict would change, and how."""
    with call.reading() as session:
        return _impact(call, _newest(session, specification, version))


@router.get(
    "/specifications/{specification}/{version}/impact/pdf",
    summary="The newest impact report as a document",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
def impact_pdf(call: SignedIn, specification: str, version: Version) -> Response:
    """The document that stands beside the data."""
    with call.reading() as session:
        data = call.door.archive.get(_newest(session, specification, version).document_sha)
    return Response(data, media_type="application/pdf")


def _newest(session: Session, specification: str, version: int) -> ImpactReport:
    reports = reports_of(session, the_version(session, specification, version))
    if not reports:
        raise NotFound("BQC-SPC-019", f"{specification} v{version} has no impact report")
    return reports[-1]


def _impact(call: Call, report: ImpactReport) -> ImpactOut:
    content = json.loads(call.door.archive.get(report.content_sha))
    return ImpactOut(
        report=report.natural_key,
        sha256=report.content_sha,
        runs=report.runs,
        made_by=report.made_by,
        lots=content["lots"],
        results=content["results"],
        flips=content["flips"],
        changed=[FlipOut(**one) for one in content["changed"]],
    )
