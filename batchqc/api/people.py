"""People, their roles, and contract laboratories."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictBool
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.people import change_role, register_laboratory, register_person, the_person
from batchqc.api.doors import SignedIn, Writing
from batchqc.api.errors import PROBLEMS
from batchqc.api.sent import Sent
from batchqc.api.shapes import After, Limit, Page, page
from batchqc.core.permissions import Permission, Role
from batchqc.records.people import Person, roles_of

router = APIRouter(tags=["people"], responses=PROBLEMS)


class PersonOut(BaseModel):
    """A person, or a contract laboratory that files may name as analyst."""

    user_id: str
    name: str
    is_laboratory: bool
    roles: list[Role]


class NewPerson(Sent):
    """A person, with a first password that they change before anything else, or without one."""

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


class NewRole(Sent):
    """A role to grant or to withdraw."""

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
            show=lambda one: _shown(session, one),
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
            )
            work.answer(201, _shown(work.tx.session, person))
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
            work.answer(201, _shown(work.tx.session, laboratory))
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
                work.tx, user_id=user_id, role=sent.role, granted=sent.granted, reason=sent.reason
            )
            work.answer(201, _shown(work.tx.session, the_person(work.tx.session, user_id)))
    return work.response()


def _shown(session: Session, person: Person) -> PersonOut:
    return PersonOut(
        user_id=person.user_id,
        name=person.name,
        is_laboratory=bool(person.is_laboratory),
        roles=sorted(roles_of(session, person)),
    )
