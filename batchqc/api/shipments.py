"""Clinical sites, shipments with receipt and return, and administrations by pseudonym."""

from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.administrations import NewAdministration, record_administration
from batchqc.actions.clinical_sites import NewSite, register_clinical_site
from batchqc.actions.shipments import NewShipment, receive, ship, take_back, the_shipment
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.core.permissions import Permission
from batchqc.records.containers import newest_events, status_of
from batchqc.records.shipments import (
    ClinicalSite,
    Shipment,
    receipts_of,
    shipped_in,
    sites_newest,
)

router = Routes(PREFIX, tags=["shipments"], responses=PROBLEMS)


class SiteRequest(Sent):
    """A clinical site, or a new version of it with the reason."""

    code: Annotated[str, Field(examples=["CH01"])]
    name: str
    address: str
    contact: str
    reason: str = Field(default="", description="Why, where an earlier version is replaced.")


class SiteOut(BaseModel):
    """A version of a clinical site."""

    code: str
    version: int
    name: str
    address: str
    contact: str
    reason: str
    registered_by: str
    registered_at: datetime


class ShipmentRequest(Sent):
    """Containers to ship to a clinical site."""

    site: Annotated[str, Field(examples=["CH01"])]
    containers: Annotated[list[str], Field(min_length=1, max_length=1000)]
    shipped_on: Day
    courier: Annotated[str, Field(examples=["WorldCourier 77-1234"])]
    temperature_record: Annotated[str, Field(examples=["LOG-2026-0042"])]


class ShippedOut(BaseModel):
    """A container that went with a shipment, and how it stands now."""

    container: str
    status: str


class ShipmentOut(BaseModel):
    """A shipment with its containers, and its receipt where there is one."""

    number: Annotated[str, Field(examples=["SHP-2026-000001"])]
    site: SiteOut
    shipped_on: str
    courier: str
    temperature_record: str
    shipped_by: str
    recorded_at: datetime
    containers: list[ShippedOut]
    received_on: str = Field(description="Empty while the site has not said so.")
    condition: str
    reported_by: str


class ReceiptRequest(Sent):
    """That a site received a shipment."""

    received_on: Day
    condition: Annotated[str, Field(examples=["Frozen, logger within limits"])]
    reported_by: str


class ReturnRequest(Sent):
    """That containers of a shipment came back."""

    containers: Annotated[list[str], Field(min_length=1, max_length=1000)]
    returned_on: Day
    place: str
    reason: str


class AdministrationRequest(Sent):
    """That a container was given to a recipient. A pseudonym, never a name or a birth date."""

    container: str
    site: Annotated[str, Field(examples=["CH01"])]
    recipient: Annotated[str, Field(examples=["CH01-007"])]
    administered_on: Day
    reported_by: str


class AdministrationOut(AdministrationRequest):
    """An administration as recorded, and what stood against it."""

    doubts: list[str]


@router.get("/clinical-sites", summary="The newest version of every clinical site")
def sites(call: SignedIn) -> list[SiteOut]:
    """By code."""
    with call.reading() as session:
        return [_site(one) for one in sites_newest(session)]


@router.post(
    "/clinical-sites", status_code=201, response_model=SiteOut, summary="Register a clinical site"
)
def add_site(call: Writing, sent: SiteRequest) -> Response:
    """A changed site is a new version, with its reason."""
    with call.writing(Permission.SHIP, sent) as work:
        if work.is_new:
            work.answer(201, _site(register_clinical_site(work.tx, NewSite(**sent.model_dump()))))
    return work.response()


@router.get("/shipments", summary="Shipments")
def shipments(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[ShipmentOut]:
    """Every shipment, oldest first."""
    with call.reading() as session:
        return page(
            session,
            select(Shipment),
            Shipment,
            after=the_shipment(session, after) if after else None,
            limit=limit,
            show=lambda one: _shipment(session, one),
        )


@router.post("/shipments", status_code=201, response_model=ShipmentOut, summary="Ship containers")
def add_shipment(call: Writing, sent: ShipmentRequest) -> Response:
    """All of them, or none: every reason against every container and lot is told."""
    new = NewShipment(**sent.model_dump() | {"containers": tuple(sent.containers)})
    with call.writing(Permission.SHIP, sent) as work:
        if work.is_new:
            work.answer(201, _shipment(work.tx.session, ship(work.tx, call.door.archive, new)))
    return work.response()


@router.get("/shipments/{number}", summary="One shipment")
def one_shipment(call: SignedIn, number: str) -> ShipmentOut:
    """A shipment by its number."""
    with call.reading() as session:
        return _shipment(session, the_shipment(session, number))


@router.post(
    "/shipments/{number}/receipt",
    status_code=201,
    response_model=ShipmentOut,
    summary="Record that a shipment was received",
)
def add_receipt(call: Writing, number: str, sent: ReceiptRequest) -> Response:
    """Once, as the site says."""
    with call.writing(Permission.SHIP, sent) as work:
        if work.is_new:
            receipt = receive(work.tx, shipment=number, **sent.model_dump())
            work.answer(201, _shipment(work.tx.session, receipt.shipment))
    return work.response()


@router.post(
    "/shipments/{number}/returns",
    status_code=201,
    response_model=ShipmentOut,
    summary="Record that containers came back",
)
def add_return(call: Writing, number: str, sent: ReturnRequest) -> Response:
    """From there they go to quarantine, and nowhere else."""
    with call.writing(Permission.SHIP, sent) as work:
        if work.is_new:
            take_back(work.tx, shipment=number, **sent.model_dump())
            work.answer(201, _shipment(work.tx.session, the_shipment(work.tx.session, number)))
    return work.response()


@router.post(
    "/administrations",
    status_code=201,
    response_model=AdministrationOut,
    summary="Record that a container was given to a recipient",
)
def administer(call: Writing, sent: AdministrationRequest) -> Response:
    """What was given is recorded; what stood against it is told and kept."""
    with call.writing(Permission.SHIP, sent) as work:
        if work.is_new:
            found = record_administration(work.tx, NewAdministration(**sent.model_dump()))
            doubts = list(found.doubts)
            work.answer(201, AdministrationOut(**sent.model_dump(mode="json"), doubts=doubts))
    return work.response()


def _site(row: ClinicalSite) -> SiteOut:
    return SiteOut(
        code=row.code,
        version=row.number,
        name=row.name,
        address=row.address,
        contact=row.contact,
        reason=row.reason,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
    )


def _shipment(session: Session, row: Shipment) -> ShipmentOut:
    rows = [one.container for one in shipped_in(session, [row.id])]
    newest = newest_events(session, [one.id for one in rows])
    receipt = next(iter(receipts_of(session, [row.id])), None)
    return ShipmentOut(
        number=row.natural_key,
        site=_site(row.clinical_site),
        shipped_on=row.shipped_on,
        courier=row.courier,
        temperature_record=row.temperature_record,
        shipped_by=row.shipped_by,
        recorded_at=row.recorded_at,
        containers=[
            ShippedOut(container=one.container, status=status_of(newest.get(one.id)))
            for one in rows
        ],
        received_on=receipt.received_on if receipt else "",
        condition=receipt.condition if receipt else "",
        reported_by=receipt.reported_by if receipt else "",
    )
