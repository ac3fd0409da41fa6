"""``batchqc deviation``: references to deviations of the site's own quality system."""

from typing import Annotated

import typer

from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.deviations import State
from batchqc.core.permissions import Permission
from batchqc.records.deviations import DeviationRow, deviation_lots, newest_deviations
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Deviations: how they stand in the site's quality system, and on what.")


@app.command()
def record(  # noqa: PLR0913 - a deviation is this much
    context: typer.Context,
    deviation: Annotated[str, typer.Argument(help="Its id there, such as DEV-26-014.")],
    state: Annotated[State, typer.Argument(help="How it stands.")],
    *,
    title: Annotated[str, typer.Option(prompt="Title", help="What departed from what.")],
    link: Annotated[str, typer.Option(prompt="Reference", help="Where it stands there.")],
    blocking: Annotated[bool, typer.Option(help="Whether no lot is released while it is open.")],
    lot: Annotated[list[str] | None, typer.Option(help="A lot that it bears on.")] = None,
    user: User,
    reason: Reason,
) -> None:
    """Record a deviation, or how it stands now, with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign deviation {deviation}")
    wanted = NewDeviation(deviation, title, link, state, blocking, tuple(lot or ()))
    with transaction(place.engine, keyboard.acting(Permission.KEEP_DEVIATIONS), place.now()) as tx:
        row = keep_deviation(tx, deviation=wanted, credentials=keyboard.signing(reason))
    raise_refusal(row)
    say(f"Deviation {deviation} is {state}.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every deviation as it stands."""
    with reading(workplace(context).engine) as session:
        rows = [
            (
                one.deviation,
                one.title,
                one.state,
                "yes" if one.blocking else "no",
                ", ".join(bearing.lot.lot for bearing in deviation_lots(session, one.folded)),
                one.link,
            )
            for one in session.scalars(newest_deviations().order_by(DeviationRow.folded))
        ]
    columns = ("Id", "Title", "State", "Blocking", "Lots", "Reference")
    table(columns, rows, empty="No deviation is recorded.")
