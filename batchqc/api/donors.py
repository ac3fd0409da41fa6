"""What is on record of donors: donations, tests, consents, pools, and all of it to take along."""

from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.consents import record_consent, withdraw_consent
from batchqc.actions.donations import (
    NewDonation,
    pool_donations,
    register_donation,
    the_donation,
    the_pool,
)
from batchqc.actions.donor_export import accompanying_records, as_text
from batchqc.actions.donor_panels import evaluate_donor
from batchqc.actions.donor_tests import NewTests, record_tests
from batchqc.actions.registers import the_donor
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.core.permissions import Permission
from batchqc.records.donations import Consent, Donation, DonationPool, parts_of

router = Routes(PREFIX, tags=["donors"], responses=PROBLEMS)

_HASH = Field(examples=["ab" * 32], description="SHA-256 of the document.")


class DonationShape(Sent):
    """A donation; the donor's age and sex may be blank, and a date of birth is never taken."""

    kind: Annotated[Literal["DIN", "SEC", "local"], Field(examples=["DIN"])]
    id: Annotated[str, Field(examples=["G1234 98 654321 H"])]
    donated_on: Day
    establishment: Annotated[str, Field(examples=["Lakeside Maternity"])]
    address: Annotated[str, Field(examples=["2 Pier\nChicago"], description="In lines.")]
    tissue: Annotated[str, Field(examples=["umbilical cord"])]
    donor_age: Annotated[str, Field(examples=["0 days"])] = ""
    donor_sex: Annotated[str, Field(examples=["female"])] = ""
    tested_person: Annotated[str, Field(examples=["birth mother"])] = "donor"


class ResultShape(Sent):
    """How one marker was read."""

    marker: Annotated[str, Field(examples=["HBsAg"])]
    result: Annotated[str, Field(examples=["nonreactive"])]


class TestsShape(Sent):
    """The results of one specimen by one laboratory."""

    person: Annotated[str, Field(examples=["birth mother"])]
    specimen: Annotated[str, Field(examples=["SP-26-0401"])]
    taken_at: Annotated[str, Field(examples=["2026-04-02T09:00:00-05:00"])]
    laboratory: Annotated[str, Field(examples=["Blood Center"])]
    statement: Annotated[str, Field(examples=["CLIA certified, 14D0000000"])]
    kit: Annotated[str, Field(examples=["Licensed donor screening kit"])]
    document_sha256: Annotated[str, _HASH]
    results: list[ResultShape]


class TestsOut(BaseModel):
    """Results as recorded, each by the name that a correction gives it."""

    recorded: list[str]


class ConsentShape(Sent):
    """A consent as the donor gave it."""

    version: Annotated[str, Field(examples=["2.0"])]
    scopes: Annotated[list[str], Field(examples=[["clinical", "research"]])]
    given_on: Day
    document_sha256: Annotated[str, _HASH]


class ConsentOut(ConsentShape):
    """A consent as recorded."""

    number: int


class WithdrawalShape(Sent):
    """That the donor withdrew the consent."""

    withdrawn_on: Day
    reason: str


class PoolShape(Sent):
    """Donations that were put together."""

    kind: Annotated[Literal["DIN", "SEC", "local"], Field(examples=["DIN"])]
    id: Annotated[str, Field(examples=["G1234 26 000007"])]
    donations: list[str]
    pooled_on: Day
    reason: str


class EvaluationOut(BaseModel):
    """Why a donor cannot be determined to be eligible against a panel, and what is told beside."""

    panel: str
    problems: list[str]
    remarks: list[str]


@router.get("/donors/{code}/donations", summary="Donations of a donor")
def donations(
    call: SignedIn, code: str, after: After = "", limit: Limit = 50
) -> Page[DonationShape]:
    """Oldest registration first, as registered; corrections stand in the donor's records."""
    with call.reading() as session:
        donor = the_donor(session, code)
        start = the_donation(session, after) if after else None
        query = select(Donation).where(Donation.donor_id == donor.id)
        return page(session, query, Donation, after=start, limit=limit, show=_donation)


@router.post(
    "/donors/{code}/donations",
    status_code=201,
    response_model=DonationShape,
    summary="Register a donation",
)
def add_donation(call: Writing, code: str, sent: DonationShape) -> Response:
    """Register what a donor gave, under an identification that is never used again."""
    with call.writing(Permission.KEEP_DONOR_RECORDS, sent) as work:
        if work.is_new:
            row = register_donation(work.tx, NewDonation(donor=code, **sent.model_dump()))
            work.answer(201, _donation(row))
    return work.response()


@router.post(
    "/donors/{code}/donations/{donation}/tests",
    status_code=201,
    response_model=TestsOut,
    summary="Record tests of a donation",
)
def add_tests(call: Writing, code: str, donation: str, sent: TestsShape) -> Response:
    """Record results; a determination of before no longer counts."""
    with call.writing(Permission.KEEP_DONOR_RECORDS, sent) as work:
        if work.is_new:
            facts = sent.model_dump() | {
                "results": tuple((one.marker, one.result) for one in sent.results)
            }
            rows = record_tests(
                work.tx, call.door.archive, NewTests(donor=code, donation=donation, **facts)
            )
            work.answer(201, TestsOut(recorded=[row.key for row in rows]))
    return work.response()


@router.post(
    "/donors/{code}/consents",
    status_code=201,
    response_model=ConsentOut,
    summary="Record a consent",
)
def add_consent(call: Writing, code: str, sent: ConsentShape) -> Response:
    """It counts instead of an earlier one."""
    with call.writing(Permission.KEEP_DONOR_RECORDS, sent) as work:
        if work.is_new:
            facts = sent.model_dump() | {"scopes": tuple(sent.scopes)}
            work.answer(201, _consent(record_consent(work.tx, donor=code, **facts)))
    return work.response()


@router.post(
    "/donors/{code}/consent-withdrawal",
    status_code=201,
    response_model=WithdrawalShape,
    summary="Record that a donor withdrew the consent",
)
def withdrawal(call: Writing, code: str, sent: WithdrawalShape) -> Response:
    """No new lot comes from the donor, and no lot that is not decided is released."""
    with call.writing(Permission.KEEP_DONOR_RECORDS, sent) as work:
        if work.is_new:
            withdraw_consent(work.tx, call.door.archive, donor=code, **sent.model_dump())
            work.answer(201, sent)
    return work.response()


@router.get("/donors/{code}/evaluation", summary="A donor's records against a panel")
def evaluation(call: SignedIn, code: str, panel: str) -> EvaluationOut:
    """What stands against determining the donor to be eligible, as of now."""
    with call.reading() as session:
        reference, found = evaluate_donor(
            session, call.door.archive, donor=code, panel=panel, now=call.door.now()
        )
    return EvaluationOut(
        panel=reference, problems=list(found.problems), remarks=list(found.remarks)
    )


@router.get("/donors/{code}/records", summary="Everything on record of a donor")
def records(call: SignedIn, code: str) -> dict[str, Any]:
    """The records that accompany what comes from the donor; no name is in them."""
    with call.reading() as session:
        return dict(accompanying_records(session, the_donor(session, code)))


@router.get(
    "/donors/{code}/records/text",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
    summary="The same as text",
)
def records_as_text(call: SignedIn, code: str) -> Response:
    """For people and for paper."""
    with call.reading() as session:
        text = as_text(accompanying_records(session, the_donor(session, code)))
    return Response(text, media_type="text/plain; charset=utf-8")


@router.get("/donation-pools", summary="Pools of donations")
def pools(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[PoolShape]:
    """Oldest first, each with its donations."""
    with call.reading() as session:
        start = the_pool(session, after) if after else None
        return page(
            session,
            select(DonationPool),
            DonationPool,
            after=start,
            limit=limit,
            show=lambda one: _pool(session, one),
        )


@router.post("/donation-pools", status_code=201, response_model=PoolShape, summary="Pool donations")
def add_pool(call: Writing, sent: PoolShape) -> Response:
    """The pool gets an identification of its own; its donations keep theirs."""
    with call.writing(Permission.KEEP_DONOR_RECORDS, sent) as work:
        if work.is_new:
            row = pool_donations(
                work.tx,
                kind=sent.kind,
                pool=sent.id,
                donations=tuple(sent.donations),
                pooled_on=sent.pooled_on,
                reason=sent.reason,
            )
            work.answer(201, _pool(work.tx.session, row))
    return work.response()


def _donation(row: Donation) -> DonationShape:
    facts = {name: getattr(row, name) for name in DonationShape.model_fields if name != "id"}
    return DonationShape.model_validate(facts | {"id": row.donation})


def _consent(row: Consent) -> ConsentOut:
    return ConsentOut(
        number=row.number,
        version=row.version,
        scopes=row.scopes.splitlines(),
        given_on=row.given_on,  # type: ignore[arg-type]  # Pydantic reads the text
        document_sha256=row.document_sha256,
    )


def _pool(session: Session, row: DonationPool) -> PoolShape:
    return PoolShape(
        kind=row.kind,  # type: ignore[arg-type]  # Pydantic reads the text
        id=row.pool,
        donations=[one.donation for one in parts_of(session, row)],
        pooled_on=row.pooled_on,  # type: ignore[arg-type]  # Pydantic reads the text
        reason=row.reason,
    )
