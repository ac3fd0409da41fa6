"""``batchqc user``: second components, links to single sign-on, locks, the statement."""

from typing import Annotated

import typer

from batchqc.actions.access import locked_accounts
from batchqc.actions.accountability import accept_accountability
from batchqc.actions.authenticators import (
    confirm_authenticator,
    offer_authenticator,
    revoke_authenticator,
    revoke_every,
)
from batchqc.actions.links import link_account, remove_link
from batchqc.actions.people import the_person
from batchqc.actions.signing import has_accepted, prove_components
from batchqc.actions.signing_rule import set_signing_rule
from batchqc.cli.show import say, table
from batchqc.cli.workplace import (
    Reason,
    User,
    Workplace,
    at_keyboard,
    raise_refusal,
    workplace,
)
from batchqc.core.accountability import STATEMENT
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning
from batchqc.documents.component_key import create_component_key
from batchqc.errors import Conflict
from batchqc.records.people import failed_attempts
from batchqc.records.transaction import reading, transaction

Whom = Annotated[str, typer.Argument(help="User id.")]


def read_statement(place: Workplace, user_id: str) -> str:
    """Show the statement to who has not accepted it; its hash where they do, else nothing."""
    with reading(place.engine) as session:
        if has_accepted(session, the_person(session, user_id)):
            return ""
    say(STATEMENT.text)
    return STATEMENT.sha256 if typer.confirm("Do you accept this?") else ""


def accept(context: typer.Context, user: User) -> None:
    """Accept the statement of accountability; nobody signs without."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to="accept the statement")
    read = read_statement(place, keyboard.person.user_id)
    if not read:
        say("Nothing was accepted.")
        return
    with transaction(place.engine, keyboard.person.themself(), place.now()) as tx:
        signing = keyboard.signing("Accepted at the keyboard")
        signed = accept_accountability(tx, read=read, credentials=signing)
    raise_refusal(signed)
    say("The statement is accepted.")


def authenticator(context: typer.Context, user: User) -> None:
    """Enrol an authenticator for codes, or replace yours; it counts after its first code."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to="enrol an authenticator", with_code=True)
    signing = keyboard.signing("Enrols an authenticator")
    with transaction(place.engine, keyboard.person.themself(), place.now()) as tx:
        person = the_person(tx.session, keyboard.person.user_id)
        refusal = prove_components(
            tx, person, signing, records=[person.key], meaning=Meaning.VERIFIED
        )
        address = "" if refusal else offer_authenticator(tx, person)
    raise_refusal(refusal)
    say(f"Put this into your authenticator; it is shown once:\n{address}")
    code = typer.prompt("Code that it shows")
    with transaction(place.engine, keyboard.person.themself(), place.now()) as tx:
        refusal = confirm_authenticator(tx, code=code)
    raise_refusal(refusal)
    say("From now on its codes count.")


def revoke(context: typer.Context, user_id: Whom, user: User, *, reason: Reason) -> None:
    """Revoke somebody's authenticator, as an administrator."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        revoke_authenticator(tx, user_id=user_id, reason=reason)
    say(f"Codes of {user_id} count no more.")


def component_key(context: typer.Context, user: User, *, reason: Reason) -> None:
    """Make a new key of second components where the old one is lost; everybody enrols anew."""
    place = workplace(context)
    path = place.settings.component_key
    if path.exists():
        raise Conflict(
            "BQC-SIG-020",
            f"{path} exists; it is not replaced",
            hint="Where it opens nothing any more, move it away first.",
        )
    actor = at_keyboard(place, user, can_prove=False).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        revoked = revoke_every(tx, reason=reason)
    create_component_key(path)
    say(f"{path} is new; {revoked} authenticators are revoked.")


def link(
    context: typer.Context,
    user_id: Whom,
    issuer: Annotated[str, typer.Argument(help="As the provider writes it.")],
    subject: Annotated[str, typer.Argument(help="As the provider writes it.")],
    user: User,
    *,
    reason: Reason,
) -> None:
    """Link an account to single sign-on."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        link_account(tx, user_id=user_id, issuer=issuer, subject=subject, reason=reason)
    say(f"{user_id} is linked; who has a password confirms it: POST /api/v1/link/confirmation.")


def unlink(context: typer.Context, user_id: Whom, user: User, *, reason: Reason) -> None:
    """Remove the link of an account; every session of it ends at once."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with transaction(place.engine, actor, place.now()) as tx:
        remove_link(tx, user_id=user_id, reason=reason)
    say(f"{user_id} is not linked any more.")


def locked(context: typer.Context, user: User) -> None:
    """Accounts that are locked now, and the newest failed attempts."""
    place = workplace(context)
    at_keyboard(place, user).acting(Permission.MANAGE_ACCOUNTS)
    with reading(place.engine) as session:
        found = [
            (user_id, f"{until:%Y-%m-%d %H:%M} UTC")
            for user_id, until in locked_accounts(session, now=place.now())
        ]
        failed = [
            (
                one.person.user_id,
                one.component or "password",
                one.purpose,
                f"{one.at:%Y-%m-%d %H:%M} UTC",
            )
            for one in failed_attempts(session, limit=20)
        ]
    table(("User id", "Locked until"), found, empty="No account is locked.")
    table(("User id", "With", "For", "At"), failed, empty="No attempt failed.")


def signing_rule(
    context: typer.Context,
    user: User,
    *,
    with_code: Annotated[bool, typer.Option(help="Password and code, or the password alone.")],
    reason: Reason,
) -> None:
    """Set whether who has a password and an authenticator signs with both."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.SET_SIGNING_RULE)
    with transaction(place.engine, actor, place.now()) as tx:
        set_signing_rule(tx, with_code=with_code, reason=reason)
    say(f"Signatures need {'password and code' if with_code else 'the password'}.")


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("accept")(accept)
    app.command("authenticator")(authenticator)
    app.command("revoke-authenticator")(revoke)
    app.command("component-key")(component_key)
    app.command("link")(link)
    app.command("unlink")(unlink)
    app.command("locked")(locked)
    app.command("signing-rule")(signing_rule)
