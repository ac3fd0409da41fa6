"""Registers of the laboratory: instruments, training, materials and their use, rules."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Select, select

from batchqc.actions.laboratory import (
    keep_certificate,
    record_use,
    register_instrument,
    register_material,
    register_training,
    set_rule,
)
from batchqc.api.bodies import Received
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import After, Limit, Page, id_and_version, page, row_of
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.errors import InvalidInput
from batchqc.records.laboratory import Instrument, Material, Training, rules_of
from batchqc.records.people import Person

router = Routes(PREFIX, tags=["registers"], responses=PROBLEMS)

_WHY = Field(default="", description="Why, where an earlier row is replaced.")


class InstrumentShape(Sent):
    """An instrument with a calibration."""

    instrument: Annotated[str, Field(examples=["PTS-001"])]
    kind: Annotated[str, Field(examples=["Endotoxin reader"])]
    calibrated_on: Day
    due_on: Day
    reason: str = _WHY


class TrainingShape(Sent):
    """The training of a person for a method."""

    person: str
    method: Annotated[str, Field(examples=["SOP-QC-040"])]
    trained_on: Day
    expires_on: Day
    reason: str = _WHY


class MaterialShape(Sent):
    """A reference standard, critical reagent, kit or medium."""

    material: Annotated[str, Field(examples=["LAL-2026-03"])]
    kind: Annotated[str, Field(examples=["critical reagent"])]
    lot: str
    expires_on: Day
    reason: str = _WHY


class UseShape(Sent):
    """What a run was done with."""

    upload: Annotated[str, Field(examples=["U-2026-000001"])]
    test: str
    run: str
    material: str


class UseOut(UseShape):
    """A use as recorded, and what the register says against it."""

    flagged: str


class RuleShape(Sent):
    """A rule that is to be set."""

    rule: Rule
    reason: str


class RuleOut(BaseModel):
    """The rule of a register."""

    name: Register
    rule: Rule


class CertificateOut(BaseModel):
    """The certificate of a contract laboratory, as kept."""

    laboratory: str
    upload: str
    file: str
    sha256: str


@router.get("/register-rules", summary="The rule of every register")
def rules(call: SignedIn) -> list[RuleOut]:
    """Off, flag or refuse."""
    with call.reading() as session:
        found = rules_of(session)
    return [RuleOut(name=one, rule=found.get(one, Rule.OFF)) for one in Register]


@router.post(
    "/register-rules/{register}",
    status_code=201,
    response_model=RuleOut,
    summary="Set the rule of a register",
)
def new_rule(call: Writing, register: Register, sent: RuleShape) -> Response:
    """It counts from now on."""
    with call.writing(Permission.SET_REGISTER_RULE, sent) as work:
        if work.is_new:
            row = set_rule(work.tx, register=register, rule=sent.rule, reason=sent.reason)
            work.answer(201, RuleOut(name=register, rule=Rule(row.rule)))
    return work.response()


@router.get("/instruments", summary="Every row of the register of instruments")
def instruments(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[InstrumentShape]:
    """Oldest first; a later row replaces earlier ones from its first day on."""
    with call.reading() as session:
        start = row_of(session, _instrument(after), after) if after else None
        return page(
            session, select(Instrument), Instrument, after=start, limit=limit,
            show=lambda one: InstrumentShape.model_validate(
                {
                    "instrument": one.instrument,
                    "kind": one.kind,
                    "calibrated_on": one.calibrated_on,
                    "due_on": one.due_on,
                    "reason": one.reason,
                }
            ),
        )  # fmt: skip


@router.post(
    "/instruments",
    status_code=201,
    response_model=InstrumentShape,
    summary="Register an instrument or its next calibration",
)
def add_instrument(call: Writing, sent: InstrumentShape) -> Response:
    """A row is never changed; a newer one comes after it."""
    with call.writing(Permission.KEEP_REGISTERS, sent) as work:
        if work.is_new:
            register_instrument(work.tx, **sent.model_dump())
            work.answer(201, sent)
    return work.response()


@router.get("/training", summary="Every row of the register of training")
def training(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[TrainingShape]:
    """Oldest first."""
    with call.reading() as session:
        start = row_of(session, _training(after), after) if after else None
        return page(
            session, select(Training), Training, after=start, limit=limit,
            show=lambda one: TrainingShape.model_validate(
                {
                    "person": one.person.user_id,
                    "method": one.method,
                    "trained_on": one.trained_on,
                    "expires_on": one.expires_on,
                    "reason": one.reason,
                }
            ),
        )  # fmt: skip


@router.post(
    "/training",
    status_code=201,
    response_model=TrainingShape,
    summary="Register the training of a person for a method",
)
def add_training(call: Writing, sent: TrainingShape) -> Response:
    """A row is never changed; a newer one comes after it."""
    with call.writing(Permission.KEEP_REGISTERS, sent) as work:
        if work.is_new:
            register_training(work.tx, **sent.model_dump())
            work.answer(201, sent)
    return work.response()


@router.get("/materials", summary="Every row of the register of materials")
def materials(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[MaterialShape]:
    """Oldest first."""
    with call.reading() as session:
        start = row_of(session, _material(after), after) if after else None
        return page(
            session, select(Material), Material, after=start, limit=limit,
            show=lambda one: MaterialShape.model_validate(
                {
                    "material": one.material,
                    "kind": one.kind,
                    "lot": one.lot,
                    "expires_on": one.expires_on,
                    "reason": one.reason,
                }
            ),
        )  # fmt: skip


@router.post(
    "/materials", status_code=201, response_model=MaterialShape, summary="Register a material"
)
def add_material(call: Writing, sent: MaterialShape) -> Response:
    """A row is never changed; a newer one comes after it."""
    with call.writing(Permission.KEEP_REGISTERS, sent) as work:
        if work.is_new:
            register_material(work.tx, **sent.model_dump())
            work.answer(201, sent)
    return work.response()


@router.post(
    "/material-uses",
    status_code=201,
    response_model=UseOut,
    summary="Record that a run used a material",
)
def add_use(call: Writing, sent: UseShape) -> Response:
    """The rule of the register says what becomes of an expired one."""
    with call.writing(Permission.RECORD_USE, sent) as work:
        if work.is_new:
            used = record_use(work.tx, **sent.model_dump())
            work.answer(201, UseOut(**sent.model_dump(), flagged=used.doubt))
    return work.response()


@router.post(
    "/laboratory-certificates",
    status_code=201,
    response_model=CertificateOut,
    summary="Keep the certificate of a contract laboratory",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
def add_certificate(
    call: Writing,
    file: Received,
    laboratory: Annotated[str, Query(max_length=40)],
    upload: Annotated[str, Query(max_length=40)],
) -> Response:
    """Its bytes are kept as they are; what they say is read by people."""
    with call.writing(Permission.RECORD_USE, file.sha256) as work:
        if work.is_new:
            if file.data is None:
                raise InvalidInput("BQC-API-006", f"a certificate of {file.size:,} bytes")
            row = keep_certificate(
                work.tx,
                call.door.archive,
                laboratory=laboratory,
                upload=upload,
                file=file.name,
                data=file.data,
            )
            kept = CertificateOut(
                laboratory=laboratory, upload=upload, file=row.file, sha256=row.sha256
            )
            work.answer(201, kept)
    return work.response()


def _instrument(name: str) -> Select[Instrument]:
    folded, number = id_and_version(name) or ("", 0)
    return select(Instrument).where(Instrument.folded == folded, Instrument.number == number)


def _training(name: str) -> Select[Training]:
    of_person, number = id_and_version(name) or ("", 0)
    person, _, method = of_person.partition("/")
    query = select(Training).join(Person, Person.id == Training.person_id)
    return query.where(
        Person.user_id == person, Training.method == method, Training.number == number
    )


def _material(name: str) -> Select[Material]:
    folded, number = id_and_version(name) or ("", 0)
    return select(Material).where(Material.folded == folded, Material.number == number)
