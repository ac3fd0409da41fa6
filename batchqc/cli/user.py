"""``batchqc user``: people, their roles and passwords, and contract laboratories."""

from datetime import date, datetime
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from batchqc import clock
from batchqc.actions.accountability import change_password_and_accept
from batchqc.actions.accounts import change_role
from batchqc.actions.people import register_laboratory, register_person, the_person
from batchqc.actions.role_terms import site_day
from batchqc.actions.signing import code_is_asked
from batchqc.cli import user_components
from batchqc.cli.show import facts, say, table
from batchqc.cli.user_components import read_statement
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.accounts import RoleTraining, Terms, roles_on
from batchqc.core.permissions import Permission, Role
from batchqc.records.people import Person, all_people, grants_of, is_active
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="People, their roles and passwords; contract laboratories.")
user_components.add_to(app)

UserId = Annotated[str, typer.Argument(help="User id: 2 to 40 of a-z 0-9 . _ -")]
Until = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Last day at the site; an auditor needs one."),
]
TrainingOption = Annotated[
    tuple[str, datetime, datetime] | None,
    typer.Option(
        metavar="REFERENCE TRAINED EXPIRES",
        formats=["%Y-%m-%d"],
        help="Record of the training for the role: reference, its day, its last day.",
    ),
]


@app.command("add")
def add(  # noqa: PLR0913 - a person is this much
    context: typer.Context,
    user_id: UserId,
    name: Annotated[str, typer.Option(prompt="Full name", help="As certificates print it.")],
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    user: User,
    *,
    single_sign_on: Annotated[
        bool, typer.Option(help="Without a password: they sign in at the provider only.")
    ] = False,
    until: Until = None,
    training: TrainingOption = None,
) -> None:
    """Register a person. The first password is shown once and opens nothing but its change."""
    place = workplace(context)
    keyboard = at_keyboard(place, user)
    first = None if single_sign_on else clock.new_token()
    actor = keyboard.acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        register_person(
            tx,
            user_id=user_id,
            name=name,
            roles=role,
            password=first,
            terms=_terms(until, training),
        )
    if first is not None:
        facts([("First password", first)])
    say(f"{user_id} is registered as {', '.join(role)}.")


@app.command("laboratory")
def laboratory(
    context: typer.Context,
    user_id: UserId,
    name: Annotated[str, typer.Option(prompt="Name", help="As certificates print it.")],
    user: User,
) -> None:
    """Register a contract laboratory, so that files may name it as analyst."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        register_laboratory(tx, user_id=user_id, name=name)
    say(f"{user_id} is registered as a contract laboratory.")


@app.command("role")
def role_(  # noqa: PLR0913 - a grant is this much
    context: typer.Context,
    user_id: UserId,
    role: Annotated[Role, typer.Argument(help="Which role.")],
    user: User,
    *,
    reason: Reason,
    withdraw: Annotated[bool, typer.Option(help="Withdraw it instead of granting it.")] = False,
    until: Until = None,
    training: TrainingOption = None,
) -> None:
    """Grant a role, renew its last day or training, or withdraw it."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        change_role(
            tx,
            user_id=user_id,
            role=role,
            granted=not withdraw,
            reason=reason,
            terms=_terms(until, training),
        )
    say(f"{user_id}: {role} {'withdrawn' if withdraw else 'granted'}.")


@app.command("password")
def password(context: typer.Context, user: User) -> None:
    """Change your own password."""
    place = workplace(context)
    keyboard = at_keyboard(place, user)
    new = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    with reading(place.engine) as session:  # what a code signs is accepted by itself
        by_itself = code_is_asked(session, the_person(session, keyboard.person.user_id))
    read = "" if by_itself else read_statement(place, keyboard.person.user_id)
    with transaction(place.engine, keyboard.person.themself(), place.now()) as tx:
        refusal = change_password_and_accept(
            tx, user_id=keyboard.person.user_id, old=keyboard.password, new=new, read=read
        )
    raise_refusal(refusal)
    say("The password is changed.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Everyone, with their roles."""
    place = workplace(context)
    with reading(place.engine) as session:
        day = site_day(session, place.now())
        rows = [(one.user_id, one.name, _holds(session, one, day)) for one in all_people(session)]
    table(("User id", "Name", "Roles"), rows, empty="Nobody is registered.")


def _holds(session: Session, person: Person, day: date) -> str:
    """What a person holds on a day of the site, in words."""
    if person.is_laboratory:
        return "contract laboratory"
    roles = ", ".join(sorted(roles_on(grants_of(session, person), day))) or "no role"
    return roles if is_active(session, person) else f"deactivated ({roles})"


def _terms(until: datetime | None, training: tuple[str, datetime, datetime] | None) -> Terms:
    """The terms that the options give."""
    record = None
    if training is not None:
        reference, trained_on, expires_on = training
        record = RoleTraining(reference, trained_on.date(), expires_on.date())
    return Terms(until.date() if until else None, record)
