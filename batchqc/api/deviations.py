"""Deviations: references to the site's own quality system."""

from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field, StrictBool
from sqlalchemy.orm import Session

from batchqc.actions.deviations import NewDeviation, keep_deviation, the_deviation
from batchqc.actions.states import contested_deviation
from batchqc.api.decisions import SignatureOut, signature_out
from batchqc.api.doors import Signature, SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.core.deviations import State
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.deviations import DeviationRow, deviation_lots, newest_deviations

router = Routes(PREFIX, tags=["deviations"], responses=PROBLEMS)


class DeviationShape(Signature):
    """A deviation as it is to stand."""

    id: str = Field(examples=["DEV-26-014"])
    title: str
    link: str = Field(description="Where it stands in the site's quality system: an address, text.")
    state: State
    blocking: StrictBool
    lots: Annotated[list[str], Field(default_factory=list, max_length=1000)]


class DeviationOut(BaseModel):
    """A deviation as it stands."""

    id: str
    number: int = Field(description="How many times it was recorded.")
    title: str
    link: str
    state: State
    blocking: bool
    lots: list[str]
    signature: SignatureOut


@router.get("/deviations", summary="Deviations as they stand")
def deviations(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[DeviationOut]:
    """In the order in which they were last recorded."""
    with call.reading() as session:
        return page(
            session,
            newest_deviations(),
            DeviationRow,
            after=the_deviation(session, after) if after else None,
            limit=limit,
            show=lambda row: _out(session, row),
        )


@router.post(
    "/deviations",
    status_code=201,
    response_model=DeviationOut,
    summary="Record a deviation, or how it stands now (signed)",
)
def record(call: Writing, sent: DeviationShape) -> Response:
    """A lot that it bears on stays with it. A closed one takes no failed result back."""
    with call.writing(Permission.KEEP_DEVIATIONS, sent, of=contested_deviation(sent.id)) as work:
        if work.is_new:
            row = keep_deviation(
                work.tx,
                deviation=NewDeviation(
                    sent.id, sent.title, sent.link, sent.state, sent.blocking, tuple(sent.lots)
                ),
                credentials=sent.credentials,
            )
            work.answer(201, row if isinstance(row, Refusal) else _out(work.tx.session, row))
    return work.response()


def _out(session: Session, row: DeviationRow) -> DeviationOut:
    return DeviationOut(
        id=row.deviation,
        number=row.number,
        title=row.title,
        link=row.link,
        state=State(row.state),
        blocking=bool(row.blocking),
        lots=sorted(one.lot.lot for one in deviation_lots(session, row.folded)),
        signature=signature_out(row.signature),
    )
