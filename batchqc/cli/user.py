"""``batchqc user``: people, their roles and passwords, and contract laboratories."""

from typing import Annotated

import typer

from batchqc.actions.accountability import change_password_and_accept
from batchqc.actions.people import (
    change_role,
    register_laboratory,
    register_person,
)
from batchqc.cli import user_components
from batchqc.cli.show import say, table
from batchqc.cli.user_components import read_statement
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission, Role
from batchqc.records.people import all_people, roles_of
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="People, their roles and passwords; contract laboratories.")
user_components.add_to(app)

UserId = Annotated[str, typer.Argument(help="User id: 2 to 40 of a-z 0-9 . _ -")]


@app.command("add")
def add(
    context: typer.Context,
    user_id: UserId,
    name: Annotated[str, typer.Option(prompt="Full name", help="As certificates print it.")],
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    user: User,
    *,
    single_sign_on: Annotated[
        bool, typer.Option(help="Without a password: they sign in at the provider only.")
    ] = False,
) -> None:
    """Register a person. They change the first password before they can do anything."""
    place = workplace(context)
    keyboard = at_keyboard(place, user)
    first = None
    if not single_sign_on:
        first = typer.prompt("First password", hide_input=True, confirmation_prompt=True)
    actor = keyboard.acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        register_person(tx, user_id=user_id, name=name, roles=role, password=first)
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
def role_(
    context: typer.Context,
    user_id: UserId,
    role: Annotated[Role, typer.Argument(help="Which role.")],
    user: User,
    *,
    reason: Reason,
    withdraw: Annotated[bool, typer.Option(help="Withdraw it instead of granting it.")] = False,
) -> None:
    """Grant a role, or withdraw it."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        change_role(tx, user_id=user_id, role=role, granted=not withdraw, reason=reason)
    say(f"{user_id}: {role} {'withdrawn' if withdraw else 'granted'}.")


@app.command("password")
def password(context: typer.Context, user: User) -> None:
    """Change your own password."""
    place = workplace(context)
    keyboard = at_keyboard(place, user)
    new = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    read = read_statement(place, keyboard.person.user_id)
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
        rows = [
            (
                person.user_id,
                person.name,
                "contract laboratory"
                if person.is_laboratory
                else ", ".join(sorted(roles_of(session, person))) or "no role",
            )
            for person in all_people(session)
        ]
    table(("User id", "Name", "Roles"), rows, empty="Nobody is registered.")
