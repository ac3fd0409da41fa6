"""``batchqc stop``: stops of the system, and the option with which paper is entered late."""

from typing import Annotated

import typer

from batchqc.actions.system_stops import end_stop, record_stop, withdraw_stop
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.system_stops import stop_rows
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Stops of the system: what was signed on paper meanwhile is entered late.")

_EXAMPLE = "such as 2026-03-21T16:56:00-05:00"


@app.command("list")
def list_(context: typer.Context) -> None:
    """Everything that was told of stops."""
    with reading(workplace(context).engine) as session:
        rows = [
            (
                row.natural_key,
                row.began or "withdrawn",
                row.ended or ("not known" if row.began else ""),
                row.signature.name,
                row.reason,
            )
            for row in stop_rows(session)
        ]
    table(("Stop", "Began", "Ended", "Signed by", "Reason"), rows, empty="No stop.")


@app.command()
def add(
    context: typer.Context,
    began: Annotated[str, typer.Argument(help=f"When it began, {_EXAMPLE}.")],
    user: User,
    reason: Reason,
    ended: Annotated[str, typer.Option(help="When it ended; empty while that is not known.")] = "",
) -> None:
    """Record that the system was down, with your signature and the reason."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to="sign the stop of the system")
    actor = keyboard.acting(Permission.RECORD_STOP)
    with transaction(place.engine, actor, place.now()) as tx:
        row = record_stop(tx, began=began, ended=ended, credentials=keyboard.signing(reason))
        number = 0 if isinstance(row, Refusal) else row.stop
    raise_refusal(row)
    say(f"Stop {number} is recorded.")


@app.command()
def end(
    context: typer.Context,
    stop: Annotated[int, typer.Argument(help="Its number.")],
    ended: Annotated[str, typer.Argument(help=f"When it ended, {_EXAMPLE}.")],
    user: User,
    reason: Reason,
) -> None:
    """Record when a stop ended, with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the end of stop {stop}")
    actor = keyboard.acting(Permission.RECORD_STOP)
    with transaction(place.engine, actor, place.now()) as tx:
        row = end_stop(tx, stop=stop, ended=ended, credentials=keyboard.signing(reason))
    raise_refusal(row)
    say(f"Stop {stop} ended at {ended}.")


@app.command()
def withdraw(
    context: typer.Context,
    stop: Annotated[int, typer.Argument(help="Its number.")],
    user: User,
    reason: Reason,
) -> None:
    """Withdraw a stop that was not, with your signature; what is right you record anew."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"sign the withdrawal of stop {stop}")
    actor = keyboard.acting(Permission.RECORD_STOP)
    with transaction(place.engine, actor, place.now()) as tx:
        row = withdraw_stop(tx, stop=stop, credentials=keyboard.signing(reason))
    raise_refusal(row)
    say(f"Stop {stop} is withdrawn.")
