"""People, their roles, and contract laboratories."""

from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictBool
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.accounts import change_role
from batchqc.actions.people import register_laboratory, register_person, the_person
from batchqc.actions.role_terms import site_day
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.sent import Day, Sent
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.core.accounts import RoleTraining, Terms, roles_on
from batchqc.core.permissions import Permission, Role
from batchqc.records.people import Person, grants_of, is_active

router = Routes(PREFIX, tags=["people"], responses=PROBLEMS)


class PersonOut(BaseModel):
    """A person, or a contract laboratory that files may name as analyst."""

    user_id: str
    name: str
    is_laboratory: bool
    is_active: bool
    roles: list[Role]


class TrainingRecord(Sent):
    """The record of a training for a role."""

    reference: Annotated[str, Field(examples=["TR-2026-014"])]
    trained_on: Day
    expires_on: Day


class TermsSent(Sent):
    """On what a role is granted."""

    last_day: Annotated[
        Day | None, Field(description="At the site, included; an auditor needs one.")
    ] = None
    training: TrainingRecord | None = None

    @property
    def terms(self) -> Terms:
        """For the action that grants."""
        given = self.training
        return Terms(self.last_day, RoleTraining(**given.model_dump()) if given else None)


class NewPerson(TermsSent):
    """A person, with a first password, changed within a week before anything else, or without."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "new.analyst",
                    "name": "New Analyst",
                    "roles": ["analyst"],
                    "password": "a first password 1",
                }
            ]
        },
    )

    user_id: str
    name: str
    roles: list[Role]
    password: SecretStr | None = Field(
        None, description="Without one, they sign in at the provider of single sign-on only."
    )


class NewLaboratory(Sent):
    """A contract laboratory."""

    user_id: Annotated[str, Field(examples=["lab.saigon"])]
    name: Annotated[str, Field(examples=["Saigon Contract Laboratory"])]


class NewRole(TermsSent):
    """A role to grant, to renew or to withdraw."""

    role: Role
    granted: StrictBool = True
    reason: Annotated[str, Field(examples=["Stands in for a colleague"])]


@router.get("/people", summary="Everyone")
def people(call: SignedIn, after: After = "", limit: Limit = 50) -> Page[PersonOut]:
    """Everyone with the roles held now."""
    with call.reading() as session:
        return page(
            session,
            select(Person),
            Person,
            after=the_person(session, after) if after else None,
            limit=limit,
            show=lambda one: _shown(session, one, call.door.now()),
        )


@router.post("/people", status_code=201, response_model=PersonOut, summary="Register a person")
def add_person(call: Writing, sent: NewPerson) -> Response:
    """Register a person; user ids are never given again."""
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            person = register_person(
                work.tx,
                user_id=sent.user_id,
                name=sent.name,
                roles=sent.roles,
                password=sent.password.get_secret_value() if sent.password else None,
                terms=sent.terms,
            )
            work.answer(201, _shown(work.tx.session, person, work.tx.now))
            work.keep = False
    return work.response()


@router.post(
    "/laboratories", status_code=201, response_model=PersonOut, summary="Register a laboratory"
)
def add_laboratory(call: Writing, sent: NewLaboratory) -> Response:
    """Register a contract laboratory; it has no password and no role."""
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            laboratory = register_laboratory(work.tx, user_id=sent.user_id, name=sent.name)
            work.answer(201, _shown(work.tx.session, laboratory, work.tx.now))
    return work.response()


@router.post(
    "/people/{user_id}/roles",
    status_code=201,
    response_model=PersonOut,
    summary="Grant or withdraw a role",
)
def set_role(call: Writing, user_id: str, sent: NewRole) -> Response:
    """Grant a role, or withdraw it; it counts from the next request on."""
    with call.writing(Permission.MANAGE_ACCOUNTS, sent) as work:
        if work.is_new:
            change_role(
                work.tx,
                user_id=user_id,
                role=sent.role,
                granted=sent.granted,
                reason=sent.reason,
                terms=sent.terms,
            )
            person = the_person(work.tx.session, user_id)
            work.answer(201, _shown(work.tx.session, person, work.tx.now))
    return work.response()


def _shown(session: Session, person: Person, now: datetime) -> PersonOut:
    return PersonOut(
        user_id=person.user_id,
        name=person.name,
        is_laboratory=bool(person.is_laboratory),
        is_active=is_active(session, person),
        roles=sorted(roles_on(grants_of(session, person), site_day(session, now))),
    )
