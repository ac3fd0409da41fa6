"""``batchqc look-back``: hold what comes of a doubtful source, and see where the doses are."""

from typing import Annotated

import typer
from sqlalchemy import select

from batchqc.actions.look_backs import (
    NewLookBack,
    close_look_back,
    frozen_list,
    start_look_back,
    the_look_back,
)
from batchqc.actions.whereabouts import Whereabouts
from batchqc.cli.show import facts, say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.look_backs import LookBack, closing_of
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Look-backs from a donor, donation or cell bank.")

Number = Annotated[str, typer.Argument(help="Such as LB-2026-000001.")]


@app.command()
def start(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="Such as donor:DNR-UC-01.")],
    cause: Annotated[LookBackCause, typer.Option(help="What came into doubt.")],
    user: User,
    reason: Reason,
) -> None:
    """Hold everything that comes of a source, with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign a look-back from {source}")
    actor = keyboard.acting(Permission.START_LOOK_BACK)
    with transaction(place.engine, actor, place.now()) as tx:
        new = NewLookBack(source, cause, reason)
        found = start_look_back(tx, place.archive, new, credentials=keyboard.signing(reason))
        number = "" if isinstance(found, Refusal) else found.natural_key
    raise_refusal(found)
    say(f"{number} is open. Next: batchqc look-back show {number}")


@app.command()
def show(context: typer.Context, number: Number) -> None:
    """What was held, and where every dose was then."""
    place = workplace(context)
    with reading(place.engine) as session:
        row = the_look_back(session, number)
        closing, found = closing_of(session, row), frozen_list(place.archive, row)
        lots = [key for key, _ in found["nodes"] if key.startswith("lot:")]
        facts(
            [
                ("Look-back", row.natural_key),
                ("From", f"{row.source}, {row.cause}: {row.reason}"),
                ("Started", f"{row.started_at:%Y-%m-%d %H:%M} UTC by {row.started_by}"),
                ("State", f"closed: {closing.conclusion}" if closing else "open"),
                ("Lots held", ", ".join(lots) or "none"),
            ]
        )
    for one in found["doses"]:
        say(Whereabouts(**one).sentence)
    for problem in found["incomplete"]:
        say(f"Attention, the list may not be whole: {problem}")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every look-back."""
    with reading(workplace(context).engine) as session:
        rows = [
            (
                one.natural_key,
                one.source,
                one.cause,
                f"{one.started_at:%Y-%m-%d}",
                "closed" if closing_of(session, one) else "open",
            )
            for one in session.scalars(select(LookBack).order_by(LookBack.id))
        ]
    table(("Look-back", "From", "Cause", "Started", "State"), rows, empty="No look-back.")


@app.command()
def close(
    context: typer.Context,
    number: Number,
    conclusion: Annotated[str, typer.Option(prompt="Conclusion", help="What was found.")],
    user: User,
    reason: Reason,
) -> None:
    """Close a look-back with your signature; holds and quarantines stay."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the end of {number}")
    actor = keyboard.acting(Permission.CLOSE_LOOK_BACK)
    with transaction(place.engine, actor, place.now()) as tx:
        closed = close_look_back(
            tx, number=number, conclusion=conclusion, credentials=keyboard.signing(reason)
        )
    raise_refusal(closed)
    say(f"{number} is closed. Let go of each lot by itself: batchqc lot let-go")
