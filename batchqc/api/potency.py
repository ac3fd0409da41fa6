"""Potency: fits of plates, and what is declared from them as a measurement."""

import json
from datetime import datetime
from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.potency import fit_reasons, fit_result, fit_run, the_fit
from batchqc.actions.potency_declaring import Declared, declare, the_declaration
from batchqc.actions.potency_refits import refit, refit_declaration
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.api.uses import client_of
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.potency import PotencyDeclaration, PotencyFit, sources_of

router = Routes(f"{PREFIX}/potency", tags=["potency"], responses=PROBLEMS)


class NewFit(Sent):
    """The wells that are to be fitted."""

    run: str = Field(examples=["U-2026-000123/MSC-26-0012/PBMC/PBMC-260321-01"])
    sample: str = Field("", description="May be left out where the run has wells of one sample.")


class NewDeclaration(Signature):
    """The fits that make a measurement, and its value and unit as they give it, signed."""

    fits: Annotated[list[str], Field(min_length=1, max_length=12, examples=[["PF-2026-000001"]])]
    value: str = Field(description="With the digits that the method reports.")
    unit: str = ""


class CriterionOut(BaseModel):
    """A criterion of the method, and what was found."""

    name: str
    wanted: str
    found: str
    met: bool


class PointOut(BaseModel):
    """A well on the scale of the fit."""

    preparation: str
    dose: str
    response: str
    fitted: str


class FitOut(BaseModel):
    """A fit. Numbers are texts; what is not known is empty."""

    number: str
    lot: str
    sample: str
    run: str
    method: str
    may_be_declared: bool
    reasons: list[str] = Field(description="Why it may not be declared.")
    value: str = Field(description="As it would be declared.")
    unit: str
    fitted_by: str
    fitted_at: datetime
    software: str
    wells_sha256: str


class WholeFit(FitOut):
    """A fit with everything that was computed, and its plot data."""

    model: str
    estimate: str = Field(description="How value and interval were computed.")
    confidence: str
    numbers: dict[str, str]
    facts: dict[str, str]
    criteria: list[CriterionOut]
    assumptions: list[str]
    limitations: list[str]
    outliers: list[str] = Field(description="Wells with too large a residual; none is left out.")
    plot: list[PointOut]


class DeclarationOut(BaseModel):
    """What was declared, and all that it rests on."""

    number: str
    lot: str
    upload: str = Field(description="Under which it came in and is verified by a second person.")
    value: str
    unit: str
    model: str
    rule: str
    confidence: str
    numbers: dict[str, str]
    fits: list[str]
    software: list[str]
    declared_by: str
    declared_at: datetime
    signature: str


class RefitOut(BaseModel):
    """What differs when wells are fitted anew; nothing is changed by it."""

    number: str
    differences: list[str]


@router.post("/fits", status_code=201, response_model=WholeFit, summary="Fit the wells of a run")
def fit(call: Writing, sent: NewFit) -> Response:
    """Whatever comes of it is on record: one that may not be declared too, with every reason."""
    with call.writing(Permission.UPLOAD_RESULTS, sent) as work:
        if work.is_new:
            row = fit_run(work.tx, call.door.archive, run=sent.run, sample=sent.sample)
            work.answer(201, _whole(row))
    return work.response()


@router.get("/fits", summary="Fits of plates")
def fits(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[FitOut]:
    """In the order in which they were made. `after` is `<lot>/<number>`."""
    with call.reading() as session:
        return page(
            session,
            select(PotencyFit),
            PotencyFit,
            after=the_fit(session, after.rpartition("/")[2]) if after else None,
            limit=limit,
            show=_fit,
        )


@router.get("/fits/{number}", summary="One fit")
def one_fit(call: SignedIn, number: str) -> WholeFit:
    """With everything that was computed, and the points and curve of its plot."""
    with call.reading() as session:
        return _whole(the_fit(session, number))


@router.get("/fits/{number}/refit", summary="A fit made anew and compared")
def fit_again(call: SignedIn, number: str) -> RefitOut:
    """Numbers beyond the tolerance of the method are named. Nothing is written."""
    with call.reading() as session:
        row = the_fit(session, number)
        said = refit(session, call.door.archive, row)
        return RefitOut(number=row.public, differences=list(said))


@router.post(
    "/declarations",
    status_code=201,
    response_model=DeclarationOut,
    summary="Declare the value of fits as a measurement (signed)",
)
def declare_value(call: Writing, sent: NewDeclaration, request: Request) -> Response:
    """It counts once a second person has typed the same: POST /results/manual/…/verification."""
    with call.writing(Permission.UPLOAD_RESULTS, sent) as work:
        if work.is_new:
            found = declare(
                work.tx,
                call.door.archive,
                declared=Declared(tuple(sent.fits), sent.value, sent.unit),
                credentials=sent.credentials,
                client=client_of(request),
            )
            if isinstance(found, Refusal):
                work.answer(403, found)
            else:
                work.answer(201, _declaration(work.tx.session, found))
    return work.response()


@router.get("/declarations", summary="Declared measurements")
def declarations(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[DeclarationOut]:
    """In the order in which they were declared. `after` is `<lot>/<number>`."""
    with call.reading() as session:
        return page(
            session,
            select(PotencyDeclaration),
            PotencyDeclaration,
            after=the_declaration(session, after.rpartition("/")[2]) if after else None,
            limit=limit,
            show=lambda one: _declaration(session, one),
        )


@router.get("/declarations/{number}", summary="One declared measurement")
def one_declaration(call: SignedIn, number: str) -> DeclarationOut:
    """With its interval, standard error, software, and the fits that it rests on."""
    with call.reading() as session:
        return _declaration(session, the_declaration(session, number))


@router.get("/declarations/{number}/refit", summary="A declared measurement computed anew")
def declared_again(call: SignedIn, number: str) -> RefitOut:
    """Every fit under it is made anew and compared. The declared value never changes."""
    with call.reading() as session:
        row = the_declaration(session, number)
        said = refit_declaration(session, call.door.archive, row)
        return RefitOut(number=row.public, differences=list(said))


def _fit(row: PotencyFit) -> FitOut:
    result = fit_result(row)
    return FitOut(
        number=row.public,
        lot=row.lot.lot,
        sample=row.sample.sample,
        run=row.assay_run.natural_key,
        method=row.method_version.reference,
        may_be_declared=bool(row.reportable),
        reasons=fit_reasons(row),
        value=result.get("reported", ""),
        unit=result.get("unit", ""),
        fitted_by=row.fitted_by,
        fitted_at=row.fitted_at,
        software=row.software,
        wells_sha256=row.wells_sha256,
    )


def _whole(row: PotencyFit) -> WholeFit:
    result = fit_result(row)
    return WholeFit(
        **_fit(row).model_dump(),
        model=result.get("model", ""),
        estimate=result.get("method", ""),
        confidence=result.get("confidence", ""),
        numbers=result.get("numbers", {}),
        facts=result.get("facts", {}),
        criteria=[
            CriterionOut(name=name, wanted=wanted, found=found, met=met)
            for name, wanted, found, met in result.get("criteria", [])
        ],
        assumptions=result.get("assumptions", []),
        limitations=result.get("limitations", []),
        outliers=result.get("outliers", []),
        plot=[
            PointOut(preparation=name, dose=dose, response=response, fitted=fitted)
            for name, dose, response, fitted in result.get("plot", [])
        ],
    )


def _declaration(session: Session, row: PotencyDeclaration) -> DeclarationOut:
    content = json.loads(row.declared)
    return DeclarationOut(
        number=row.public,
        lot=row.lot.lot,
        upload=row.upload.natural_key,
        value=row.value,
        unit=row.unit,
        model=content["model"],
        rule=content["rule"],
        confidence=content["confidence"],
        numbers=content["numbers"],
        fits=[one.potency_fit.public for one in sources_of(session, [row])],
        software=content["software"],
        declared_by=row.signature.person.user_id,
        declared_at=row.signature.at,
        signature=row.signature.natural_key,
    )
