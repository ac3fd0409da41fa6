"""``batchqc container``: vials and bags, what became of each, and retain samples."""

from typing import Annotated

import typer

from batchqc.actions.cell_banks import permission_to
from batchqc.actions.containers import Move, NewContainer, move_containers, register_containers
from batchqc.actions.lots import the_lot
from batchqc.actions.retains import Handing, NewRetain, hand_over, register_retain
from batchqc.cli.show import say, table
from batchqc.cli.spec_tools import day_of
from batchqc.cli.workplace import Reason, User, at_keyboard, workplace
from batchqc.core.containers import ContainerStatus
from batchqc.core.permissions import Permission
from batchqc.records.containers import containers_of, inventory, newest_events, status_of
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Vials and bags of lots and banks, and retain samples.")

Ids = Annotated[list[str], typer.Argument(help="Their ids.")]
Where = Annotated[str, typer.Option("--where", prompt="Place", help="Where it is then.")]


@app.command()
def add(  # noqa: PLR0913 - a container is this much
    context: typer.Context,
    of: Annotated[str, typer.Argument(help="A lot, or cell_bank:ID.")],
    ids: Ids,
    *,
    kind: Annotated[str, typer.Option(prompt="Kind", help="vial, bag or syringe.")],
    filled: Annotated[str, typer.Option(prompt="Volume or cells", help="Of each.")],
    where: Where,
    user: User,
    expires: Annotated[str, typer.Option(help="Their own last usable day, if any.")] = "",
) -> None:
    """Register containers of a lot or a bank."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_BANKS)
    day = day_of(expires) if expires else None
    new = [NewContainer(one, kind, filled, where, day) for one in ids]
    with transaction(place.engine, actor, place.now()) as tx:
        register_containers(tx, of=of, containers=new)
    say(f"{len(ids)} of {of} registered.")


@app.command()
def move(  # noqa: PLR0913 - what became of it is this much
    context: typer.Context,
    what: Annotated[ContainerStatus, typer.Argument(help="What became of them.")],
    ids: Ids,
    *,
    where: Where,
    at: Annotated[str, typer.Option(prompt="When, such as 2026-06-01T09:30-05:00", help="Time.")],
    user: User,
    reason: Reason,
) -> None:
    """Record that containers were quarantined, thawed, broken, destroyed or tested."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(permission_to(what))
    with transaction(place.engine, actor, place.now()) as tx:
        move_containers(tx, Move(tuple(ids), what, where, at, reason))
    say(f"{', '.join(ids)}: {what}.")


@app.command("list")
def list_(
    context: typer.Context, lot: Annotated[str, typer.Argument(help="Of which lot.")]
) -> None:
    """Every container of a lot, and what is left."""
    with reading(workplace(context).engine) as session:
        row = the_lot(session, lot)
        found = containers_of(session, row.id)
        newest = newest_events(session, [one.id for one in found])
        left = inventory(session, [row.id])[row.id]
        rows = [
            (
                one.container,
                one.kind,
                status_of(newest.get(one.id)),
                newest[one.id].place if one.id in newest else one.place,
            )
            for one in found
        ]
    table(("Container", "Kind", "Status", "Place"), rows, empty=f"Lot {lot} has no container.")
    counted = ", ".join(f"{count} {status}" for status, count in left.counts.items())
    say(f"Lot {lot}: {counted or 'nothing registered'}{'; depleted' * left.is_depleted}.")


@app.command()
def retain(  # noqa: PLR0913 - a retain sample is this much
    context: typer.Context,
    sample: Annotated[str, typer.Argument(help="Its id.")],
    of: Annotated[str, typer.Argument(help="A lot, or cell_bank:ID.")],
    *,
    kind: Annotated[str, typer.Option(prompt="What it is", help="Such as final product.")],
    amount: Annotated[str, typer.Option(prompt="Amount", help="A number.")],
    unit: Annotated[str, typer.Option(prompt="Unit", help="Such as vials.")],
    until: Annotated[str, typer.Option(prompt="Kept until", help="A date.")],
    where: Where,
    to: Annotated[str, typer.Option(prompt="Who takes it", help="Who has it then.")],
    user: User,
) -> None:
    """Register a retain sample."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_BANKS)
    new = NewRetain(sample, of, kind, amount, unit, day_of(until), where, to)
    with transaction(place.engine, actor, place.now()) as tx:
        register_retain(tx, new)
    say(f"Retain sample {sample} of {of} is with {to}.")


@app.command()
def hand(  # noqa: PLR0913 - custody is this much
    context: typer.Context,
    sample: Annotated[str, typer.Argument(help="Its id.")],
    *,
    by: Annotated[str, typer.Option(prompt="Who hands it over", help="Who has it now.")],
    to: Annotated[str, typer.Option(prompt="Who takes it", help="Who has it then.")],
    where: Where,
    left: Annotated[str, typer.Option(prompt="What is left", help="A number.")],
    user: User,
    reason: Reason,
) -> None:
    """Hand a retain sample over, or use some of it."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_BANKS)
    with transaction(place.engine, actor, place.now()) as tx:
        hand_over(tx, Handing(sample, by, to, where, left, reason))
    say(f"Retain sample {sample} is with {to}; {left} left.")
