"""Lots and their samples."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from batchqc.actions.evaluation import study
from batchqc.actions.lots import (
    NewLot,
    NewSample,
    register_lot,
    register_lots,
    register_samples,
    the_lot,
)
from batchqc.actions.specifications import site_day
from batchqc.actions.states import contested_lot, state_of_lot
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import Page, Paging, page_together
from batchqc.api.tags import TAGGED, tagged
from batchqc.core.lot_states import UNDECIDED, Disposition, Overlay, Progress
from batchqc.core.permissions import Permission
from batchqc.core.specifications import Stage
from batchqc.records.corrections import approved_changes, corrected_lot
from batchqc.records.lists import LotsWanted, lots_wanted
from batchqc.records.lot_facts import LotFacts, lot_facts
from batchqc.records.registers import LotRow
from batchqc.records.transaction import Transaction

router = Routes(PREFIX, tags=["lots"], responses=PROBLEMS)

Id = Annotated[str, Field(examples=["UCM-P5-T1"])]


class SampleShape(Sent):
    """A sample of a lot. `taken_at` is kept as typed, with its offset."""

    id: Annotated[str, Field(examples=["UCM-P5-T1-S01"])]
    stage: Stage
    container: Annotated[str, Field(examples=["cryovial, 2 mL"])]
    taken_at: Annotated[str, Field(examples=["2026-02-02T10:30:00+07:00"])]


class NewSamples(Sent):
    """Samples to register."""

    samples: Annotated[list[SampleShape], Field(min_length=1, max_length=200)]


class LotRequest(Sent):
    """A lot to register, with its donors and its first samples. Dates are site-local."""

    id: Id
    product: Annotated[str, Field(examples=["UC-MSC"])]
    manufactured_on: Annotated[Day, Field(examples=["2026-02-02"])]
    expires_on: Annotated[Day, Field(examples=["2028-02-02"], description="Last usable day.")]
    donors: Annotated[list[str], Field(examples=[["DNR-UC-01"]], description="Codes.")]
    samples: Annotated[list[SampleShape], Field(default_factory=list)]
    market: str = Field(default="", description="Where it goes; decides which specification.")
    made_of: Annotated[
        list[str], Field(default_factory=list, description="Cell banks or donations, by id.")
    ]


class LotsRequest(Sent):
    """Several lots to register."""

    lots: Annotated[list[LotRequest], Field(min_length=1, max_length=100)]


class LotFilter(Paging):
    """Which lots."""

    product: str = Field(default="", description="Its code.")
    disposition: Disposition | None = Field(default=None, description="What the label says now.")
    donor: str = Field(default="", description="The code of one of its donors.")
    market: str = ""
    made_since: Day | None = Field(default=None, description="The first date of manufacture.")
    made_until: Day | None = Field(default=None, description="The last date of manufacture.")
    text: str = Field(default="", description="A part of the lot's id or the product's code.")
    overlay: Overlay | None = None

    def wanted(self, today: date) -> LotsWanted:
        """As a query takes it; ``today`` is at the site."""
        plain = self.model_dump(exclude={"after", "limit", "overlay"})
        return LotsWanted(
            **plain,
            on_hold=self.overlay is Overlay.ON_HOLD,
            expired_before=today if self.overlay is Overlay.EXPIRED else None,
            depleted=self.overlay is Overlay.DEPLETED,
        )


class LotOut(BaseModel):
    """A lot with its approved corrections laid over it."""

    id: Id
    product: str
    disposition: Disposition
    overlays: list[Overlay] = Field(description="What lies over disposition and progress now.")
    manufactured_on: date
    expires_on: date
    donors: list[str]
    samples: list[SampleShape]
    market: str
    made_of: list[str] = Field(description="Empty where the lot names its donors only.")
    specification: str = Field(examples=["UC-MSC-REL v1"])
    beside: list[str] = Field(description="Specifications of other stages that judge it as well.")
    bound_because: str = Field(description="Why this version of the specification judges it.")
    registered_by: str
    registered_at: datetime


class LotsOut(BaseModel):
    """The lots that were registered, in the order in which they were sent."""

    items: list[LotOut]


class LotDetail(LotOut):
    """A lot, with how far the work is as its reviews stand."""

    progress: Progress | None = Field(description="Null once it is decided finally.")


@router.get("/lots", summary="Lots")
def lots(call: SignedIn, wanted: Annotated[LotFilter, Query()]) -> Page[LotOut]:
    """The lots that every given filter lets through, in the order of registration."""
    with call.reading() as session:
        today = site_day(session, call.door.now())
        query = lots_wanted(wanted.wanted(today))
        return page_together(
            session,
            query,
            LotRow,
            after=the_lot(session, wanted.after) if wanted.after else None,
            limit=wanted.limit,
            show=lambda rows: _lots(session, rows, today),
        )


@router.post("/lots", status_code=201, response_model=LotOut, summary="Register a lot")
def add(call: Writing, sent: LotRequest) -> Response:
    """Register a lot. It begins in quarantine, under the specification then in force."""
    with call.writing(Permission.REGISTER_LOT, sent) as work:
        if work.is_new:
            work.answer(201, _registered(work.tx, register_lot(work.tx, _new(sent))))
    return work.response()


@router.post(
    "/lot-registrations",
    status_code=201,
    response_model=LotsOut,
    summary="Register several lots, all or none",
)
def add_several(call: Writing, sent: LotsRequest) -> Response:
    """Each lot is registered as by itself, with its own entries of the audit trail."""
    with call.writing(Permission.REGISTER_LOT, sent) as work:
        if work.is_new:
            rows = register_lots(work.tx, [_new(one) for one in sent.lots])
            today = site_day(work.tx.session, work.tx.now)
            work.answer(201, LotsOut(items=_lots(work.tx.session, rows, today)))
    return work.response()


@router.get("/lots/{lot}", response_model=LotDetail, responses=TAGGED, summary="One lot")
def one(call: SignedIn, lot: str) -> Response:
    """A lot by its id, compared without case. Its ETag covers all that a decision rests on."""
    now = call.door.now()
    with call.reading() as session:
        case = study(session, call.door.archive, lot=the_lot(session, lot), now=now)
        shown = _lot(session, case.row, site_day(session, now)).model_dump()
        progress = case.progress if case.disposition in UNDECIDED else None
        found = LotDetail(**shown | {"overlays": case.overlays}, progress=progress)
        return tagged(call.if_none_match, session, state_of_lot(session, case), found)


@router.post(
    "/lots/{lot}/samples", status_code=201, response_model=LotOut, summary="Register samples"
)
def add_samples(call: Writing, lot: str, sent: NewSamples) -> Response:
    """Register samples of a lot, whatever its disposition."""
    of = contested_lot(call.door.archive, lot, call.door.now())
    with call.writing(Permission.REGISTER_LOT, sent, of=of) as work:
        if work.is_new:
            register_samples(work.tx, lot=lot, samples=_samples(sent.samples))
            work.answer(201, _registered(work.tx, the_lot(work.tx.session, lot)))
    return work.response()


def _new(sent: LotRequest) -> NewLot:
    return NewLot(
        id=sent.id,
        product=sent.product,
        manufactured_on=sent.manufactured_on,
        expires_on=sent.expires_on,
        donors=tuple(sent.donors),
        samples=_samples(sent.samples),
        market=sent.market,
        made_of=tuple(sent.made_of),
    )


def _samples(sent: list[SampleShape]) -> tuple[NewSample, ...]:
    return tuple(NewSample(one.id, one.stage, one.container, one.taken_at) for one in sent)


def _registered(tx: Transaction, row: LotRow) -> LotOut:
    return _lot(tx.session, row, site_day(tx.session, tx.now))


def _lot(session: Session, row: LotRow, today: date) -> LotOut:
    return _lots(session, [row], today)[0]


def _lots(session: Session, rows: Sequence[LotRow], today: date) -> list[LotOut]:
    """Lots as they are shown, each fact asked for all of them at once."""
    facts = lot_facts(session, rows)
    return [_shown(facts, row, today) for row in rows]


def _shown(facts: LotFacts, row: LotRow, today: date) -> LotOut:
    corrections, binding = facts.corrections[row.id], facts.bindings[row.id]
    lot = corrected_lot(row, corrections)
    lies = {
        Overlay.ON_HOLD: row.id in facts.held,
        Overlay.EXPIRED: today > lot.expires_on,
        Overlay.DEPLETED: facts.inventories[row.id].is_depleted,
    }
    return LotOut(
        id=lot.id,
        product=lot.product,
        disposition=Disposition(facts.decided.get(row.id, Disposition.QUARANTINE)),
        overlays=[overlay for overlay in Overlay if lies[overlay]],
        manufactured_on=lot.manufactured_on,
        expires_on=lot.expires_on,
        donors=facts.donors[row.id],
        samples=[
            SampleShape(
                id=sample.sample,
                stage=Stage(sample.stage),
                container=dict(approved_changes(corrections, sample.key)).get(
                    "container", sample.container
                ),
                taken_at=sample.taken_text,
            )
            for sample in facts.samples[row.id]
        ],
        market=row.market,
        made_of=facts.parents[row.id],
        specification=binding.versions[0].reference,
        beside=[version.reference for version in binding.versions[1:]],
        bound_because=binding.because,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
    )
