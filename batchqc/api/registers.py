"""Products and donors."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Response
from pydantic import Field, StrictBool
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.donor_panels import panel_asked_for
from batchqc.actions.donor_records import records_of
from batchqc.actions.donors_today import donors_today
from batchqc.actions.registers import (
    register_donor,
    register_product,
    the_donor,
    the_product,
)
from batchqc.actions.states import contested_donor
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Sent
from batchqc.api.shapes import After, Limit, Page, page, page_together
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.donors import newest_eligibility
from batchqc.records.registers import DonorRow, Product

router = Routes(PREFIX, responses=PROBLEMS)


class ProductShape(Sent):
    """What is made."""

    code: Annotated[str, Field(examples=["UC-MSC-2"])]
    name: Annotated[str, Field(examples=["Umbilical cord MSC, cryopreserved"])]
    form: Annotated[str, Field(examples=["Cell suspension, 10 mL bag"])]
    storage: Annotated[str, Field(examples=["Below -150 °C"])]


class NewDonor(Sent):
    """A donor by code; names never enter the system."""

    code: Annotated[str, Field(examples=["DNR-UC-77"])]
    tissue_source: Annotated[str, Field(examples=["umbilical cord"])]


class DonorOut(NewDonor):
    """A donor as corrected, with the newest determination and what came after it."""

    eligibility: str = Field(
        description='"eligible", "ineligible", "eligible by documented exception" (which releases'
        ' no lot), or "" before determination.'
    )
    recorded_since: list[str] = Field(
        description="Keys of records that came after it: it counts no more, whatever it says."
    )


class Determination(Signature):
    """A determination of eligibility, signed."""

    eligible: StrictBool
    basis: Annotated[str, Field(examples=["Screening and testing of the mother"])]
    panel: Annotated[
        str, Field(examples=["US-1271"], description="The panel that the records are held against.")
    ] = ""
    by_exception: Annotated[
        StrictBool, Field(description="Eligible although the panel is not fulfilled.")
    ] = False


@router.get("/products", tags=["registers"], summary="Products")
def products(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[ProductShape]:
    """Every product."""
    with call.reading() as session:
        start = the_product(session, after) if after else None
        return page(session, select(Product), Product, after=start, limit=limit, show=_product)


@router.post(
    "/products",
    tags=["registers"],
    status_code=201,
    response_model=ProductShape,
    summary="Register a product",
)
def add_product(call: Writing, sent: ProductShape) -> Response:
    """Register a product by its code."""
    with call.writing(Permission.REGISTER_PRODUCT, sent) as work:
        if work.is_new:
            work.answer(201, _product(register_product(work.tx, **sent.model_dump())))
    return work.response()


@router.get("/donors", tags=["registers"], summary="Donors")
def donors(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[DonorOut]:
    """Every donor."""
    with call.reading() as session:
        return page_together(
            session,
            select(DonorRow),
            DonorRow,
            after=the_donor(session, after) if after else None,
            limit=limit,
            show=lambda rows: _donors(session, rows),
        )


@router.post(
    "/donors",
    tags=["registers"],
    status_code=201,
    response_model=DonorOut,
    summary="Register a donor",
)
def add_donor(call: Writing, sent: NewDonor) -> Response:
    """Register a donor; eligibility is determined afterwards."""
    with call.writing(Permission.REGISTER_DONOR, sent) as work:
        if work.is_new:
            donor = register_donor(work.tx, code=sent.code, tissue_source=sent.tissue_source)
            work.answer(201, _donor(work.tx.session, donor))
    return work.response()


@router.get(
    "/donors/{code}",
    tags=["registers"],
    response_model=DonorOut,
    responses=TAGGED,
    summary="One donor",
)
def donor(call: SignedIn, code: str) -> Response:
    """A donor by code."""
    with call.reading() as session:
        state = contested_donor(code).state(session)
        return tagged(call.if_none_match, session, state, _donor(session, the_donor(session, code)))


@router.post(
    "/donors/{code}/eligibility",
    tags=["registers"],
    status_code=201,
    response_model=DonorOut,
    summary="Determine a donor's eligibility (signed)",
)
def eligibility(call: Writing, code: str, sent: Determination) -> Response:
    """Determine the eligibility; a later determination counts instead, both stay on record."""
    of = contested_donor(code)
    with call.writing(Permission.DETERMINE_ELIGIBILITY, sent, of=of) as work:
        if work.is_new:
            signed = determine_eligibility(
                work.tx,
                call.door.archive,
                NewDetermination(
                    code,
                    sent.basis,
                    eligible=sent.eligible,
                    panel=panel_asked_for(
                        work.tx,
                        call.door.archive,
                        panel=sent.panel,
                        by_exception=sent.by_exception,
                    ),
                ),
                credentials=sent.credentials,
            )
            donor = signed if isinstance(signed, Refusal) else _donor(work.tx.session, signed.donor)
            work.answer(201, donor)
    return work.response()


def _product(row: Product) -> ProductShape:
    return ProductShape(code=row.code, name=row.name, form=row.form, storage=row.storage)


def _donors(session: Session, rows: Sequence[DonorRow]) -> list[DonorOut]:
    records, determined = records_of(session, rows), newest_eligibility(session, rows)
    corrections = [pair for one in records.values() for pair in one.corrections]
    return [
        DonorOut(
            code=today.code,
            tissue_source=today.tissue_source,
            eligibility=today.eligibility,
            recorded_since=list(records[row.id].since(determined.get(row.id))),
        )
        for row, today in zip(rows, donors_today(session, rows, corrections), strict=True)
    ]


def _donor(session: Session, row: DonorRow) -> DonorOut:
    return _donors(session, [row])[0]
