"""``batchqc correction``: what was registered wrongly, put right by two people."""

from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.records.corrections import Correction, decision_on
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Corrections of registration data: one person asks, another one decides.")


@app.command()
def request(
    context: typer.Context,
    subject: Annotated[
        str, typer.Argument(help="lot:<id>, sample:<id>, donor:<code>, or a record of a donor")
    ],
    field: Annotated[
        str,
        typer.Argument(
            help="Such as manufactured_on, expires_on, specification, container, tissue_source"
        ),
    ],
    after: Annotated[str, typer.Argument(help="What it should say.")],
    user: User,
    reason: Reason,
) -> None:
    """Ask for a correction. The lot waits until another person has decided on it."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.REQUEST_CORRECTION)
    with transaction(place.engine, actor, place.now()) as tx:
        number = request_correction(
            tx, subject=subject, field=field, after=after, reason=reason
        ).natural_key
    say(f"{number} waits for a second person: batchqc correction decide {number}")


@app.command()
def decide(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Its number, such as C-2026-000001.")],
    user: User,
    *,
    reason: Reason,
    refuse: Annotated[bool, typer.Option(help="Refuse it instead of approving it.")] = False,
) -> None:
    """Approve a correction (or refuse it) with your signature."""
    place = workplace(context)
    word = "refuse" if refuse else "approve"
    keyboard = at_keyboard(place, user, to=f"{word} {number}")
    actor = keyboard.acting(Permission.APPROVE_CORRECTION)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = decide_correction(
            tx,
            place.archive,
            number=number,
            approve=not refuse,
            credentials=keyboard.signing(reason),
        )
    raise_refusal(signed)
    say(f"{number} is {word}d.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every correction."""
    states = {None: "waits", 1: "approved", 0: "refused"}
    with reading(workplace(context).engine) as session:
        rows = [
            (
                one.natural_key,
                one.subject,
                f"{one.field}: {one.before} -> {one.after}",
                one.requested_by,
                states[decision.approved if decision else None],
            )
            for one in session.scalars(select(Correction).order_by(Correction.id)).all()
            for decision in (decision_on(session, one),)
        ]
    columns = ("Correction", "Of", "Change", "Requested by", "State")
    table(columns, rows, empty="No correction.")
